"""Networks for the value of a second stage: what they may not depend on, their files, their training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from combopt.cli import main
from combopt.errors import InputError, UsageError
from combopt.learned import checkpoint
from combopt.learned.value import samples
from combopt.learned.value.knapsack import KnapsackValue
from combopt.learned.value.network import ValueNetwork, shape
from combopt.learned.value.problems import find
from combopt.learned.value.samples import Samples
from combopt.learned.value.training import ValuePlan, ValueTrainer
from combopt.learned.weights import store

CPU = torch.device("cpu")
PROBLEM = KnapsackValue()
CONFIGS = {name: shape(name, PROBLEM.scenario_width, PROBLEM.columns_width) for name in ("joint", "published")}


def arrays(count: int, n: int, seed: int = 0) -> dict[str, Any]:
    """Items that all fit: each accepted one earns its outsourcing less what the scenario takes."""
    dice = np.random.default_rng(seed)
    found: dict[str, Any] = {name: dice.uniform(1, 100, (count, n)).astype(np.float32) for name in PROBLEM.items}
    items = dice.integers(2, n + 1, count).astype(np.int32)
    real = np.arange(n) < items[:, None]
    found = {name: values * real for name, values in found.items()}
    first = (dice.random((count, 4, n)) < 0.5) & real[:, None]
    scenario = dice.random((count, 6, n)).astype(np.float32) * real[:, None]
    gain, loss = found["outsourcing"], found["deviation"]
    value = (first * gain[:, None]).sum(2)[:, :, None] - np.einsum("cfn,csn->cfs", first * loss[:, None], scenario)
    capacity = found["weight"].sum(axis=1) * 2
    return {"kind": np.array("robust_knapsack"), "items": items, "capacity": capacity.astype(np.float32), **found,
            "first": first.astype(np.uint8), "scenario": scenario.astype(np.float32),
            "value": value.astype(np.float32)}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of instances with up to 6 and up to 8 items."""
    found: Path = tmp_path_factory.mktemp("values")
    np.savez_compressed(found / "a.npz", **arrays(60, 6, 1))
    np.savez_compressed(found / "b.npz", **arrays(60, 8, 2))
    np.savez_compressed(found / "other.npz", kind=np.array("something else"))
    return found


@pytest.fixture(scope="module")
def loaded(folder: Path) -> tuple[Samples, Samples]:
    return samples.load(PROBLEM, folder, CPU)


def predicted(network: ValueNetwork, found: Samples) -> torch.Tensor:
    columns, scenario = PROBLEM.columns(found.data), PROBLEM.scenario(found.data, found.scenario)
    with torch.no_grad():
        value: torch.Tensor = network(found.first, scenario, columns, found.data["real"])
    return value


@pytest.fixture(params=CONFIGS)
def network(request: pytest.FixtureRequest) -> ValueNetwork:
    torch.manual_seed(0)
    return ValueNetwork(CONFIGS[request.param], PROBLEM.kind)


def test_the_published_size() -> None:
    assert ValueNetwork(CONFIGS["published"], PROBLEM.kind).size == 4689


def test_the_order_of_the_items_plays_no_part(network: ValueNetwork, loaded: tuple[Samples, Samples]) -> None:
    train, _ = loaded
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    data = {k: v[:, order] if v.ndim == 2 else v for k, v in train.data.items()}
    other = Samples(data, train.first[:, :, order], train.scenario[:, :, order], train.value)
    assert torch.allclose(predicted(network, train), predicted(network, other), atol=1e-5)


def test_neither_filling_nor_units_play_a_part(network: ValueNetwork, loaded: tuple[Samples, Samples]) -> None:
    train, _ = loaded
    small = train.take((train.data["real"].sum(dim=1) <= 5).nonzero().squeeze(1))
    cut = {k: v[:, :5] if v.ndim == 2 else v for k, v in small.data.items()}
    other = Samples(cut, small.first[:, :, :5], small.scenario[:, :, :5], small.value)
    assert torch.allclose(predicted(network, small), predicted(network, other), atol=1e-5)
    money = ("profit", "deviation", "outsourcing")
    factor = {**dict.fromkeys(money, 7.0), "weight": 3.0, "repair": 3.0, "capacity": 3.0}
    scaled = {k: v * factor.get(k, 1) if k != "real" else v for k, v in small.data.items()}
    other = Samples(scaled, small.first, small.scenario, small.value)
    assert torch.allclose(predicted(network, small), predicted(network, other), atol=1e-5)
    assert torch.allclose(PROBLEM.scale(scaled), 7 * PROBLEM.scale(small.data))


def test_all_pairs_are_those_one_by_one(network: ValueNetwork, loaded: tuple[Samples, Samples]) -> None:
    train, _ = loaded
    whole = predicted(network, train)
    for f, s in ((0, 0), (3, 5)):
        one = Samples(train.data, train.first[:, f : f + 1], train.scenario[:, s : s + 1], train.value)
        assert torch.allclose(predicted(network, one)[:, 0, 0], whole[:, f, s], atol=1e-5)


def test_values_come_back_in_units_of_their_instance(folder: Path, loaded: tuple[Samples, Samples]) -> None:
    train, held = loaded
    assert (len(train), len(held)) == (108, 12)
    assert train.first.shape == (108, 4, 8)
    first = arrays(60, 6, 1)
    gain = first["outsourcing"][0].sum()
    assert torch.allclose(held.value[0] * gain, torch.from_numpy(first["value"][0]), rtol=1e-4)
    assert torch.equal(held.data["real"].sum(dim=1)[:6], torch.from_numpy(first["items"][::10].astype(np.int64)))


def test_folders_and_files_that_do_not_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no values of robust_knapsack"):
        samples.load(PROBLEM, tmp_path, CPU)
    (tmp_path / "bad.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="no file of values"):
        samples.load(PROBLEM, tmp_path, CPU)
    with pytest.raises(UsageError, match="no value network for 'tsp'"):
        find("tsp")


def toy_plan(name: str = "joint", **changes: Any) -> ValuePlan:
    given: dict[str, Any] = {"steps": 250, "batch": 32, "warm_up": 20, "rate": 1e-2, "average": 0.95}
    return ValuePlan(problem="robust_knapsack", network=CONFIGS[name], **(given | changes))


@pytest.mark.parametrize(("name", "least"), [("joint", 0.2), ("published", 0.3)])
def test_a_toy_learns(name: str, least: float, loaded: tuple[Samples, Samples], tmp_path: Path) -> None:
    train, _ = loaded  # too few to learn more from than themselves
    trainer = ValueTrainer(toy_plan(name), train, train)
    before = trainer.gap()
    assert trainer.run(tmp_path)
    assert before > 0.8
    assert trainer.gap() < least


def test_a_run_in_two_pieces_ends_with_the_same_bits(loaded: tuple[Samples, Samples], tmp_path: Path) -> None:
    whole = ValueTrainer(toy_plan(steps=20), *loaded)
    assert whole.run(tmp_path / "whole")
    first = ValueTrainer(toy_plan(steps=20), *loaded)
    assert not first.run(tmp_path / "parts", steps=9)
    found = checkpoint.latest(tmp_path / "parts")
    assert found is not None
    second = ValueTrainer.resume(found, *loaded)
    assert second.run(tmp_path / "parts")
    for mine, theirs in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_pairs_that_are_not_feasible_teach_nothing(loaded: tuple[Samples, Samples]) -> None:
    train, held = loaded
    value = train.value.clone()
    value[:, 0] = torch.nan
    trainer = ValueTrainer(toy_plan(), Samples(train.data, train.first, train.scenario, value), held)
    assert bool(trainer.losses(trainer.batch(0)).isfinite().all())


def test_the_command(folder: Path, tmp_path: Path, capsys: Any) -> None:
    command = ["train", "neur2ro", "--problem", "robust_knapsack", "--labels", str(folder), "-o", str(tmp_path), "-q"]
    command += ["--device", "cpu", "--resume"]
    assert main([*command, "--steps", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    card = store.read_card(Path(told["weights"]))
    assert card.kind == "robust_knapsack"
    assert card.steps == 3
    assert store.load_values(card).size == card.parameters
    assert card.name == "neur2ro-robust_knapsack-joint"
    assert main([*command, "--steps", "5"]) == 0
    assert "trained    5 steps" in capsys.readouterr().out
    assert main([*command[:4], "-o", str(tmp_path / "new"), "-q"]) == 2
    assert "--labels DIR" in capsys.readouterr().err
    assert main([*command, "--view", "3"]) == 2
    assert "--view with neur2ro" in capsys.readouterr().err
    assert main([*command, "--size", "20"]) == 2
    assert "--size with --labels" in capsys.readouterr().err
    other = [*command[:3], "robust", *command[4:]]
    assert main(other) == 2
    assert "expected: robust_knapsack, as the run was begun" in capsys.readouterr().err
