"""Bin packing and set covering: baselines, the Lagrangian heuristic, and the CP-SAT models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.binpacking import BinPacking
from combopt.instances.binpacking_bounds import fit_decreasing
from combopt.instances.knapsack import Knapsack
from combopt.instances.setcover import SetCover, from_pairs
from combopt.instances.solutions import Assignment, Selection
from combopt.model import Instance, Solution
from combopt.result import Status
from combopt.solvers.cover_greedy import Incidence, greedy_cover, without_redundant
from combopt.solvers.cpsat import packing


def test_first_fit_and_best_fit_decreasing_by_hand() -> None:
    size = np.array([3, 5, 7, 5])
    assert fit_decreasing(size, 10).tolist() == [0, 1, 0, 1]
    # 6 opens bin 1, 5 bin 2; 4 goes to the first with room or to the fullest
    assert fit_decreasing(np.array([5, 6, 3, 1]), 10).tolist() == [1, 0, 0, 0]
    assert fit_decreasing(np.array([5, 7, 4, 3]), 10, best=True).tolist() == [1, 0, 1, 0]


def test_best_fit_takes_the_fullest_bin() -> None:
    size = np.array([6, 7, 3])
    assert fit_decreasing(size, 10, best=True).tolist() == [1, 0, 0]
    assert fit_decreasing(np.array([60, 55, 38, 2]), 100).tolist() == [0, 1, 0, 0]
    assert fit_decreasing(np.array([60, 55, 42, 40]), 100, best=True).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("solver", ["first_fit_decreasing", "best_fit_decreasing"])
def test_a_packing_that_meets_the_bound_is_proven_optimal(solver: str) -> None:
    result = api.solve(BinPacking(item_size=[7, 5, 3, 5], capacity=10), solver, isolate=False)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 2, 2)


@pytest.mark.parametrize("solver", ["first_fit_decreasing", "cpsat"])
def test_an_item_that_fits_nowhere(solver: str) -> None:
    assert api.solve(BinPacking(item_size=[11], capacity=10), solver, isolate=False).status is Status.INFEASIBLE


@pytest.mark.parametrize("solver", ["greedy_cover", "lagrangian_cover", "cpsat"])
def test_a_row_that_no_column_covers(solver: str) -> None:
    bare = from_pairs("bare", 2, np.array([1, 1]), np.array([0, 0]), np.array([0, 1]))
    assert api.solve(bare, solver, isolate=False).status is Status.INFEASIBLE


@pytest.mark.parametrize(
    ("size", "capacity", "bins"),
    [
        ([0, 0, 0], 5, 1),
        ([5], 5, 1),
        ([0, 3, 3, 0, 3], 5, 3),
        ([4] * 9, 10, 5),
        ([44, 24, 24, 22, 21, 17, 8, 8, 6, 6], 60, 3),
        ([2**57, 2**57 - 1, 2**57, 1, 2**56], 2**58, 2),
    ],
)
def test_column_generation_on_small_and_odd_data(size: list[int], capacity: int, bins: int) -> None:
    result = api.solve(
        BinPacking(item_size=size, capacity=capacity), "column_generation", isolate=False, time_limit=20
    )
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, bins, bins)


def test_triplets_are_closed_by_column_generation() -> None:
    instance = BinPacking.generate(np.random.default_rng(3), n=45, family="triplet")
    result = api.solve(instance, "column_generation", isolate=False, time_limit=30)
    assert (result.status, result.objective) == (Status.OPTIMAL, 15)
    assert fit_decreasing(instance.item_size, instance.capacity).max() + 1 > 15


def test_column_generation_agrees_with_arc_flow() -> None:
    for seed in range(4):
        instance = BinPacking.generate(np.random.default_rng(seed), n=24, family="scholl1")
        arcs = api.solve(instance, "highs", isolate=False, threads=1, time_limit=20)
        found = api.solve(instance, "column_generation", isolate=False, time_limit=20)
        assert arcs.status is found.status is Status.OPTIMAL
        assert arcs.objective == found.objective


def test_greedy_cover_follows_chvatal() -> None:
    # the column that covers all costs a little more than the singletons, one by one each looks cheaper
    cost = np.array([1.0, 1 / 2, 1 / 3, 1.1])
    pairs = [(0, 0), (1, 1), (2, 2), (0, 3), (1, 3), (2, 3)]
    row, column = np.array(pairs).T
    incidence = Incidence.of(from_pairs("x", 3, (cost * 60).astype(int), row, column))
    assert greedy_cover(incidence, cost, np.zeros(3)).tolist() == [2, 1, 0]


def test_redundant_columns_go_dearest_first() -> None:
    instance = from_pairs("x", 2, np.array([1, 5, 3]), np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]))
    kept = without_redundant(Incidence.of(instance), instance.cost.astype(float), np.array([0, 1, 2]))
    assert sorted(kept.tolist()) == [0, 2]


def test_restricted_incidence() -> None:
    instance = SetCover.generate(np.random.default_rng(0), n=30, m=10, density=0.2)
    incidence = Incidence.of(instance)
    columns, rows = np.array([3, 7, 20]), np.arange(10) % 2 == 0
    part = incidence.restricted(columns, rows)
    for k, j in enumerate(columns.tolist()):
        full = instance.column_row[instance.column_start[j] : instance.column_start[j + 1]]
        assert (part.row[part.start[k] : part.start[k + 1]] * 2).tolist() == full[full % 2 == 0].tolist()


def test_lagrangian_cover_bounds_are_bounds() -> None:
    for seed in range(5):
        instance = SetCover.generate(np.random.default_rng(seed), n=60, m=20, density=0.15)
        exact = api.solve(instance, "cpsat", isolate=False, threads=1)
        found = api.solve(instance, "lagrangian_cover", isolate=False, iterations=20)
        assert exact.status is Status.OPTIMAL
        assert found.bound <= exact.objective <= found.objective  # type: ignore[operator]
        assert found.objective <= exact.objective * 1.02  # type: ignore[operator]


def test_lagrangian_cover_repeats_itself() -> None:
    instance = SetCover.generate(np.random.default_rng(9), n=300)
    first, second = (api.solve(instance, "lagrangian_cover", isolate=False, iterations=5, seed=3) for _ in range(2))
    assert first.solution == second.solution


def _cases() -> list[tuple[Instance, Solution]]:
    rng = np.random.default_rng(4)
    bins = BinPacking.generate(rng, n=12)
    cover = SetCover.generate(rng, n=20)
    return [
        (Knapsack.generate(rng, n=12), Selection([0, 3])),
        (bins, Assignment(fit_decreasing(bins.item_size, bins.capacity)[::-1] * 3 + 1)),
        (bins, Assignment(np.arange(12))),
        (cover, Selection(np.arange(20))),
    ]


@pytest.mark.parametrize(("instance", "start"), _cases())
def test_cpsat_hints_satisfy_the_model(instance: Instance, start: Solution) -> None:
    from ortools.sat.python import cp_model

    view = packing.build(instance)
    assert view.hint is not None
    if isinstance(instance, BinPacking):
        start = Assignment(fit_decreasing(instance.item_size, instance.capacity, best=True))
    elif isinstance(instance, Knapsack):
        start = Selection([int(np.argmin(instance.weight))])
    for variable, value in view.hint(start):
        view.model.add(variable == value)
    solver = cp_model.CpSolver()
    assert solver.solve(view.model) == cp_model.OPTIMAL
    evaluation = instance.evaluate(view.decode(solver.value))
    assert evaluation.feasible
    assert evaluation.objective == instance.evaluate(start).objective


def test_cpsat_refuses_numbers_beyond_its_range() -> None:
    assert packing.refuses(Knapsack(profit=[2**60, 2**59], weight=[1, 1], capacity=1)) is not None
    assert packing.refuses(Knapsack(profit=[10**14] * 100, weight=[10**14] * 100, capacity=10**15)) is None


@pytest.mark.parametrize(
    ("file", "best"),
    [("N1C1W1_A.BPP", 25), ("N2C2W1_B.BPP", 50), ("N3C1W2_A.BPP", 125), ("N2W2B2R2.BPP", 21)],
)
def test_bin_packing_files_are_proven_optimal(benchmark_files: Path, file: str, best: int) -> None:
    path = benchmark_files / "kp" / "binpack" / file
    greedy = api.solve(path, "first_fit_decreasing", isolate=False)
    assert greedy.bound <= best <= greedy.objective  # type: ignore[operator]
    result = api.solve(path, "column_generation", isolate=False)
    assert (result.status, result.objective) == (Status.OPTIMAL, best)


@pytest.mark.parametrize(("file", "best"), [("scp41.txt", 429), ("scp42.txt", 512)])
def test_set_covering_files_are_proven_optimal(benchmark_files: Path, file: str, best: int) -> None:
    result = api.solve(benchmark_files / "kp" / "setcover" / file, "lagrangian_cover", isolate=False, time_limit=20)
    assert (result.status, result.objective) == (Status.OPTIMAL, best)
