"""PyVRP and CP-SAT on problems with prizes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.instances.solutions import Tour
from combopt.result import Status
from combopt.solvers.cpsat import prizes as cpsat
from combopt.solvers.pyvrp.prizes import build, mended, scaled
from tests.brute import op as brute_op
from tests.brute import pctsp as brute_pctsp

SQUARE = Metric(rule="EUC_2D", coordinates=np.array([[0.0, 0], [3, 0], [3, 4], [0, 4]]))


@pytest.mark.parametrize("brute", [brute_op, brute_pctsp])
def test_cpsat_agrees_with_brute_force(brute: object) -> None:
    for seed in range(40):
        instance = brute.small(np.random.default_rng([13, seed]))  # type: ignore[attr-defined]
        best = brute.best(instance)  # type: ignore[attr-defined]
        result = api.solve(instance, "cpsat", isolate=False, threads=1, time_limit=10)
        assert result.status is (Status.INFEASIBLE if best is None else Status.OPTIMAL), seed
        assert result.objective == best, seed


@pytest.mark.timeout(100)
def test_cpsat_proves_the_smallest_benchmark_files(benchmark_files: Path) -> None:
    with (benchmark_files / "pctsp" / "MANIFEST.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["nodes"] == "20"]
    for row in rows:
        result = api.solve(benchmark_files / "pctsp" / row["file"], "cpsat", time_limit=40)
        assert (result.status, result.objective) == (Status.OPTIMAL, int(row["best_known"]))


def test_arcs_too_far_out_are_left_out_of_the_model() -> None:
    points = np.array([[0.0, 0], [1, 0], [50, 0]])
    instance = Op(metric=Metric(rule="EUC_2D", coordinates=points), prize=[0, 1, 9], limit=10)
    arcs = [v for v in cpsat.build(instance).model.proto.variables if "-" in v.name]
    assert sorted(v.name for v in arcs) == ["0-1", "1-0"]


def test_shortest_paths_may_go_round_a_long_edge() -> None:
    lengths = np.array([[0, 9, 1], [9, 0, 1], [1, 1, 0]])
    assert cpsat.shortest(lengths, 0).tolist() == [0, 2, 1]


def test_cpsat_refuses_what_is_too_large() -> None:
    assert cpsat.refuses(api.generate("op", n=251)) is not None
    assert cpsat.refuses(api.generate("op", n=20)) is None


def test_a_tour_that_rounding_let_in_is_cut() -> None:
    metric = Metric(rule="EXACT_2D", coordinates=SQUARE.coordinates)
    instance = Op(metric=metric, prize=[0, 5, 1, 2], limit=13)
    assert cpsat.within_limit(instance, np.array([0, 1, 2, 3])) == Tour([0, 1, 3])


@pytest.mark.parametrize("kind", ["op", "pctsp"])
def test_pyvrp_finds_good_tours(kind: str) -> None:
    instance = api.generate(kind, seed=3, n=30)
    result = api.solve(instance, "pyvrp", isolate=False, iterations=300, time_limit=20)
    greedy = api.solve(instance, "greedy_prize", isolate=False)
    assert result.objective is not None
    assert not instance.sense.better(greedy.objective, result.objective)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [None, 2])
def test_a_start_goes_through_pyvrp_unchanged(end: int | None) -> None:
    instance = Op(metric=SQUARE, prize=[1, 7, 5, 6], limit=14, end=end)
    view = build(instance)
    start = Tour([0, 3, 1, 2] if end else [0, 3, 1])
    if end is None:
        assert view.encode is not None
        encoded = view.encode(Tour([3, 1, 0]))
        assert encoded is not None
        assert view.decode(encoded) == start
    assert view.encode is not None
    encoded = view.encode(start)
    assert encoded is not None
    assert encoded.is_feasible()
    assert view.decode(encoded) == start


def test_the_depot_alone_can_be_a_start() -> None:
    view = build(Op(metric=SQUARE, prize=[1, 7, 5, 6], limit=11))
    assert view.encode is not None
    encoded = view.encode(Tour([0]))
    assert encoded is not None
    assert view.decode(encoded) == Tour([0])


def test_a_start_that_is_too_long_is_not_taken() -> None:
    instance = Op(metric=SQUARE, prize=[1, 7, 5, 6], limit=11)
    encode = build(instance).encode
    assert encode is not None
    assert encode(Tour([0, 1, 2, 3])) is None


def test_mending_meets_the_minimum_and_drops_what_does_not_pay() -> None:
    instance = Pctsp(metric=SQUARE, prize=[0, 1, 1, 5], penalty=[0, 0, 100, 100], min_prize=6)
    tour = mended(instance, Tour([0, 1]))
    assert sorted(tour.order.tolist()) == [0, 2, 3]


@pytest.mark.parametrize("size", [2**45, 1e-3])
def test_lengths_reach_pyvrp_in_a_range_it_can_take(size: float) -> None:
    metric = Metric(rule="EXACT_2D", coordinates=np.array([[0.0, 0], [size, 0]]))
    factor, lengths = scaled(metric)
    assert 2**18 < lengths.max() <= 2**20
    assert lengths[0, 1] >= factor * int(size)
