"""Training of value networks from instances of the user: values and training by one command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from combopt import api
from combopt.cli import main
from combopt.errors import InputError, UsageError
from combopt.instances.robust_families import facility
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.learned.value import samples
from combopt.learned.value.problems import TABLE, find
from combopt.learned.value.robust import RobustValue
from combopt.learned.weights import store
from combopt.solvers.robust.samples import SAMPLERS
from combopt.solvers.robust.samples_robust import robust_values

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    path = tmp_path / "sites.json"
    api.write(facility(np.random.default_rng(0), 3), path)
    return path


def values(sizes: list[int], count: int = 1, seed: int = 0) -> dict[str, Any]:
    dice, given = np.random.default_rng(seed), iter(sizes)
    instances = [facility(dice, next(given)) for _ in range(len(sizes))]
    turn = iter(instances * count)
    found: dict[str, Any] = robust_values(dice, lambda rng: next(turn), count)
    return found


def test_every_kind_with_networks_has_values() -> None:
    assert set(TABLE) == set(SAMPLERS)
    assert all(find(kind).kind == kind for kind in TABLE)


@pytest.mark.timeout(300)  # processes start in it
def test_one_command_from_an_instance_to_a_plan(sites: Path, tmp_path: Path, capsys: Any) -> None:
    train = ["train", "neur2ro", "--problem", "robust", "--instance", str(sites), "--count", "4", "--device", "cpu",
             "-o", "run", "-q"]  # fmt: skip
    assert main([*train, "--steps", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    card = store.read_card(Path(told["weights"]))
    assert (card.kind, card.name, card.steps) == ("robust", "neur2ro-robust-flat", 3)
    assert card.network["first"] == 3
    assert card.data.startswith("1,500 second stages of 3 draws of robust")
    made = {path.name: path.stat().st_mtime_ns for path in Path("run/values").iterdir()}
    assert len(made) == 1
    assert main([*train, "--steps", "5", "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["step"] == 5
    assert {path.name: path.stat().st_mtime_ns for path in Path("run/values").iterdir()} == made
    solve = ["solve", str(sites), "--solver", "neur2ro", "--set", f"weights={card.path}", "-t", "60", "--json"]
    assert main([*solve, "-o", "plan.json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["violations"] == []
    assert answer["bound"] <= answer["objective"] + 1e-6
    assert main(["check", str(sites), "plan.json"]) == 0
    capsys.readouterr()
    other = facility(np.random.default_rng(0), 4)
    api.write(other, tmp_path / "other.json")
    assert main(["solve", "other.json", *solve[2:]]) == 2
    assert "trained for a problem with 3 first-stage columns" in capsys.readouterr().err


def test_values_of_a_function_of_ones_own(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weeks.py").write_text(
        "from combopt.instances.robust_families import facility\n"
        "def week(rng, n):\n    return facility(rng, n)\n"
        "def text(rng, n):\n    return 'no instance'\n"
    )
    monkeypatch.setattr(sys, "path", list(sys.path))
    label = ["label", "robust", "--size", "3", "--count", "3", "--jobs", "1", "-q", "-o", "values"]
    assert main([*label, "--chunk", "3", "--instance", "weeks:week"]) == 0
    assert "3 instances of weeks:week, size 3, in 1 files" in capsys.readouterr().out
    train, held = samples.load(RobustValue(), "values", CPU)
    assert (len(train), len(held)) == (2, 1)
    assert train.data["numbers"].shape[1] > 10
    for given, words in (
        (["weeks:text"], "gave a str"),
        (["weeks:nothing"], "weeks:nothing cannot be imported"),
        (["weeks:week", "weeks:week"], "or one function"),
        ([], "--instance FILE"),
    ):
        assert main([*label, *(["--instance", *given] if given else [])]) == 2
        assert words in capsys.readouterr().err


def test_arguments_that_do_not_fit(sites: Path, tmp_path: Path, capsys: Any) -> None:
    knapsack = RobustKnapsack.generate(np.random.default_rng(0), n=5)
    api.write(knapsack, tmp_path / "knapsack.json")
    train = ["train", "neur2ro", "--problem", "robust", "-o", "run", "-q", "--device", "cpu"]
    for more, words in (
        (["--instance", "knapsack.json"], "holds an instance of robust_knapsack"),
        (["--instance", str(sites), "--size", "3"], "--size with instance files"),
        (["--instance", str(sites), "--labels", "values"], "--instance with --labels"),
        (["--size", "3"], "without an instance"),
    ):
        assert main([*train, *more]) == 2
        assert words in capsys.readouterr().err
    assert main([*train, "--instance", "missing.json"]) == 3
    assert "missing.json" in capsys.readouterr().err
    for command in (
        ["label", "tsp", "--count", "2", "-o", "x"],
        ["label", "robust_knapsack", "--count", "2", "-o", "x"],
    ):
        assert main(command) == 2
        assert "no --size" in capsys.readouterr().err
    assert main(["train", "bq", "--size", "5", "--instance", str(sites), "-o", "x"]) == 2
    assert "--instance with bq" in capsys.readouterr().err


def test_knapsack_files_are_labelled_too(tmp_path: Path, capsys: Any) -> None:
    api.write(RobustKnapsack.generate(np.random.default_rng(0), n=5), tmp_path / "one.json")
    label = ["label", "robust_knapsack", "--instance", "one.json", "--count", "2", "--chunk", "2", "--jobs", "1", "-q"]
    assert main([*label, "-o", "values", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["instances"] == 2
    train, held = samples.load(find("robust_knapsack"), "values", CPU)
    assert torch.equal(train.data["profit"], held.data["profit"])
    assert not torch.equal(train.first, held.first)


def test_values_of_two_problems_do_not_mix(tmp_path: Path) -> None:
    for name, size in (("a", 2), ("b", 3)):
        np.savez(tmp_path / f"{name}.npz", **values([size], 2))
    with pytest.raises(InputError, match="values of two problems: one has 2 first-stage columns") as caught:
        samples.load(RobustValue(), tmp_path, CPU)
    assert caught.value.code == "E120"


def test_a_run_goes_on_only_with_values_of_its_problem() -> None:
    problem = RobustValue()
    one, other = (problem.joined([values([size], 2)]) for size in (2, 3))
    config = problem.shape("flat", one)
    assert problem.network(config, one).config == config
    with pytest.raises(UsageError, match="2 first-stage columns, 2 factors"):
        problem.network(config, other)
    with pytest.raises(UsageError, match="network 'joint' for robust"):
        problem.shape("joint", one)
    one.value.fill_(torch.nan)
    with pytest.raises(UsageError, match="all missing"):
        problem.network(config, one)


def test_a_network_is_fitted_to_the_units_of_its_values() -> None:
    """What is seen is standardised, what varies between instances is an input."""
    problem = RobustValue()
    found = problem.joined([values([3, 3], 2, seed=1)])
    assert found.data["numbers"].shape[1] > 10
    torch.manual_seed(0)
    network = problem.network(problem.shape("flat", found), found)
    network.requires_grad_(False)
    said = problem.predicted(network, found)
    assert said.shape == found.value.shape
    assert float((said - found.value.mean()).abs().max()) < 5 * float(found.value.std())
    one = samples.Samples({"numbers": found.data["numbers"][1:]}, found.first[1:, 3:4], found.scenario[1:, 7:8],
                          found.value[1:, 3:4, 7:8], found.facts)  # fmt: skip
    assert torch.allclose(problem.predicted(network, one)[0, 0, 0], said[1, 3, 7], rtol=1e-5)
    swapped = samples.Samples({"numbers": found.data["numbers"].flip(0)}, found.first, found.scenario, found.value,
                              found.facts)  # fmt: skip
    assert not torch.allclose(problem.predicted(network, swapped), said)


def test_units_are_kept_in_full_where_weights_are_halved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = RobustValue()
    found = problem.joined([values([3], 2)])
    found.value.mul_(1e6)
    network = problem.network(problem.shape("flat", found), found)
    facts = {"name": "toy", "data": "", "seed": 0, "hours": 0, "hardware": "", "steps": 0, "samples": 0, "gaps": {},
             "licence": ""}  # fmt: skip
    monkeypatch.setattr(store, "SMALL", 10)
    card = store.write(tmp_path, network, facts)
    loaded = store.load_values(store.read_card(card))
    assert torch.equal(loaded.value_mean, network.value_mean)
    assert not torch.equal(loaded.head[0].weight, network.head[0].weight)
    assert torch.allclose(loaded.head[0].weight, network.head[0].weight, atol=1e-3)
