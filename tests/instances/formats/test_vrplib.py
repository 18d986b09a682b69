"""VRPLIB files: what is written reads back the same, and the benchmark files give their published values."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.cvrp import Cvrp
from combopt.instances.formats.vrplib import VRPLIB, write
from combopt.instances.metric import Metric
from combopt.instances.ovrp import Ovrp
from combopt.instances.text import ReadOptions, Source
from combopt.instances.vrptw import Vrptw
from tests.brute import cvrp as brute_cvrp
from tests.brute import vrptw as brute_vrptw

WRONG = {"B-n57-k7", "XML100_2271_25", "XLTEST-n6034-k1234"}
"""Solution files of the benchmark that do not hold what they claim."""


def back(instance: Any, **options: Any) -> Any:
    return VRPLIB.read(Source("x.vrp", write(instance), ReadOptions(**options)))


@pytest.mark.parametrize("seed", range(30))
def test_cvrp_round_trip(seed: int) -> None:
    instance = brute_cvrp.small(np.random.default_rng(seed))
    assert back(instance) == instance


@pytest.mark.parametrize("seed", range(15))
def test_vrptw_round_trip(seed: int) -> None:
    instance = brute_vrptw.small(np.random.default_rng(seed))
    assert back(instance) == instance


def test_ovrp_round_trip() -> None:
    instance = Ovrp.generate(np.random.default_rng(0), n=9, family="x")
    assert back(instance) == instance


@pytest.mark.parametrize("name", ["Golden_1", "CMT6", "tai75a", "Li_21", "R101", "C1_2_1"])
@pytest.mark.parametrize("rule", ["EUC_2D", "EXACT_2D", "DIMACS_2D", "CEIL_2D"])
def test_names_of_sets_do_not_change_what_was_written(name: str, rule: str) -> None:
    metric = Metric(rule=rule, coordinates=np.array([[0.0, 0], [0.5, 0.25]]))
    instance = Cvrp(name=name, metric=metric, demand=np.array([0, 1]), capacity=1)
    assert back(instance) == instance


def test_generated_windows_round_trip() -> None:
    instance = Vrptw.generate(np.random.default_rng(3), n=12, family="rc2")
    assert back(instance) == instance


def test_fleet_is_only_read_from_the_names_of_the_old_sets() -> None:
    text = write(Cvrp.generate(np.random.default_rng(0), n=4, family="x"))

    def vehicles(name: str, **options: Any) -> int | None:
        source = Source("x.vrp", text.replace("cvrp-x-4", name), ReadOptions(**options))
        return VRPLIB.read(source).vehicles  # type: ignore[attr-defined, no-any-return]

    assert [vehicles(name) for name in ("A-n5-k2", "P-n5-k3", "X-n5-k2", "some-k4")] == [2, 3, None, None]
    assert vehicles("X-n5-k2", fleet="from-name") == 2


@pytest.mark.parametrize("options", [{"rounding": "up"}, {"fleet": "many"}, {"fleet": "-3"}, {"fleet": "2.5"}])
def test_unknown_options(options: dict[str, Any]) -> None:
    instance = Cvrp.generate(np.random.default_rng(0), n=4, family="x")
    with pytest.raises(UsageError, match="E201"):
        back(instance, **options)


def test_a_large_file_is_read_at_once(tmp_path: Path) -> None:
    instance = Cvrp.generate(np.random.default_rng(0), n=5000, family="x")
    assert back(instance).digest() == instance.digest()


def _manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "cvrp" / "MANIFEST.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_published_solutions_have_their_values(benchmark_files: Path) -> None:
    wrong = set()
    for row in _manifest(benchmark_files):
        if row["problem"] not in ("CVRP", "VRPTW") or not row["solution_file"]:
            continue
        instance = api.read(benchmark_files / "cvrp" / row["file"])
        checked = api.check(instance, benchmark_files / "cvrp" / row["solution_file"])
        published = abs(checked.evaluation.objective - float(row["best_known"])) < 0.06  # in one decimal at least
        if not (checked.ok and published):
            wrong.add(row["name"])
    assert wrong <= WRONG | {"B-n50-k8", "E-n30-k3"}
    assert wrong


def test_variants_are_refused_with_the_reason(benchmark_files: Path) -> None:
    for row in _manifest(benchmark_files):
        if row["problem"] in ("CVRP", "VRPTW"):
            continue
        with pytest.raises(InputError) as caught:
            api.read(benchmark_files / "cvrp" / row["file"])
        assert caught.value.code == "E119"


def test_tsplib_problems_are_read(benchmark_files: Path) -> None:
    files = sorted((benchmark_files / "tsplib" / "vrp").glob("*.vrp"))
    assert files
    for file in files:
        assert api.read(file).kind == "cvrp"
