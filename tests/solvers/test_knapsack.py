from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.knapsack import FAMILIES, Knapsack
from combopt.instances.mkp import Mkp
from combopt.instances.solutions import Selection
from combopt.result import Status, StoppedBy
from combopt.solvers.greedy_packing import greedy_by_ratio
from combopt.solvers.knapsack_core import WORD, Core
from combopt.solvers.knapsack_step import merge


def _optimum(instance: Knapsack) -> int:
    """Dynamic programming over exact weights, with plain integers."""
    states = {0: 0}
    for profit, weight in zip(instance.profit.tolist(), instance.weight.tolist(), strict=True):
        for total, value in sorted(states.items(), reverse=True):
            if total + weight <= instance.capacity:
                states[total + weight] = max(states.get(total + weight, -1), value + profit)
    return max(states.values())


def _solved(instance: Knapsack, compiled: bool = False) -> Core:
    core = Core(instance.profit, instance.weight, instance.capacity, merge if compiled else None)
    while core.step():
        assert core.upper >= core.value
    evaluation = instance.evaluate(Selection(core.solution()))
    assert evaluation.feasible
    assert evaluation.objective == core.value == core.upper
    return core


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("largest", [10, 1000])
def test_optimum_of_every_family(family: str, largest: int) -> None:
    for seed in range(4):
        instance = Knapsack.generate(np.random.default_rng(seed), n=18, family=family, largest=largest)
        assert _solved(instance).value == _optimum(instance)


def _with_numbers_up_to(size: int, rng: np.random.Generator) -> Knapsack:
    n = int(rng.integers(1, 12))
    weight = rng.integers(0, size + 1, n)
    noise = rng.integers(-2, 3, n)
    profit = [rng.integers(0, size + 1, n), weight, np.maximum(0, weight + noise)][int(rng.integers(0, 3))]
    return Knapsack(profit=profit, weight=weight, capacity=int(rng.random() * 1.1 * int(weight.sum())))


@pytest.mark.parametrize("size", [10**10, 10**14, 10**17])
def test_exact_with_huge_numbers(size: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        instance = _with_numbers_up_to(size, rng)
        assert _solved(instance).value == _optimum(instance)


def test_differences_of_one_in_sums_of_10_to_the_17() -> None:
    base = 10**16
    profit = np.array([base + k for k in (3, 1, 4, 1, 5, 9, 2, 6)])
    instance = Knapsack(profit=profit, weight=np.full(8, base), capacity=4 * base)
    assert _solved(instance).value == 4 * base + 9 + 6 + 5 + 4


def test_the_step_that_is_compiled_gives_the_same_answer() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        instance = _with_numbers_up_to(int(rng.choice([5, 100, 10**12])), rng)
        assert _solved(instance, compiled=True).value == _solved(instance).value == _optimum(instance)


def test_solutions_are_rebuilt_over_more_steps_than_a_word_holds() -> None:
    instance = Knapsack.generate(np.random.default_rng(1), n=1000, family="inverse_strongly")
    core = _solved(instance)
    assert len(core.steps) > 3 * WORD


def test_item_order_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    instance = Knapsack.generate(rng, n=200, family="strongly")
    order = rng.permutation(200)
    other = Knapsack(profit=instance.profit[order], weight=instance.weight[order], capacity=instance.capacity)
    assert _solved(instance).value == _solved(other).value


def test_scaling_weights_or_profits_does_not_matter() -> None:
    instance = Knapsack.generate(np.random.default_rng(7), n=100, family="inverse_strongly")
    scaled = Knapsack(profit=instance.profit * 9, weight=instance.weight * 7, capacity=instance.capacity * 7 + 6)
    assert _solved(scaled).value == 9 * _solved(instance).value


@pytest.mark.parametrize(
    ("profit", "weight", "capacity", "best"),
    [
        ([5], [3], 2, 0),
        ([5], [3], 3, 5),
        ([0, 0], [0, 0], 0, 0),
        ([4, 7], [0, 9], 0, 4),
        ([4, 7, 1], [1, 1, 1], 5, 12),
        ([1, 1], [2**60, 2**60], 2**60, 1),
    ],
)
def test_degenerate(profit: list[int], weight: list[int], capacity: int, best: int) -> None:
    assert _solved(Knapsack(profit=profit, weight=weight, capacity=capacity)).value == best


def test_solver_reports_in_the_units_of_the_data() -> None:
    instance = Knapsack(profit=[25, 75, 200], weight=[5, 10, 1], capacity=11, profit_scale=100, weight_scale=10)
    result = api.solve(instance, "knapsack", isolate=False, time_limit=10)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 2.75, 2.75)


def _hard() -> Knapsack:
    return Knapsack.generate(np.random.default_rng(1), n=5000, family="almost_strongly", largest=10**7)


def test_limits_keep_solution_and_bound() -> None:
    instance = _hard()
    by_steps = api.solve(instance, "knapsack", isolate=False, iterations=30)
    assert (by_steps.status, by_steps.stopped_by) == (Status.FEASIBLE, StoppedBy.ITERATIONS)
    by_memory = api.solve(instance, "knapsack", isolate=False, options={"states": 1000})
    assert by_memory.stopped_by is StoppedBy.MEMORY
    for result in (by_steps, by_memory):
        assert result.bound is not None
        assert result.bound > result.objective > 0  # type: ignore[operator]


def test_time_limit_in_the_same_process() -> None:
    result = api.solve(_hard(), "knapsack", isolate=False, time_limit=0.5)
    assert result.stopped_by is StoppedBy.TIME
    assert result.seconds < 1.5


def test_a_start_is_never_made_worse() -> None:
    instance = Knapsack(profit=[3, 3, 5], weight=[2, 2, 3], capacity=4)
    start = Selection([0, 1])
    result = api.solve(instance, "knapsack", isolate=False, start=start)
    assert (result.objective, result.status) == (6, Status.OPTIMAL)
    core = Core(instance.profit, instance.weight, instance.capacity)
    core.offer(np.array([0, 1, 17, -4]))
    assert core.value == 6


def test_dantzig_takes_the_densest_first() -> None:
    assert greedy_by_ratio(np.array([6, 10, 12]), np.array([[1, 2, 3]]), np.array([5])).tolist() == [0, 1]
    wide = Mkp(profit=[6, 10, 12, 0], weight=[[1, 2, 3, 0], [9, 1, 1, 0]], capacity=[5, 9])
    result = api.solve(wide, "dantzig", isolate=False)
    assert (result.objective, result.solution) == (22, Selection([1, 2]))


def test_benchmark_files_are_proven_optimal(benchmark_files: Path) -> None:
    with (benchmark_files / "kp" / "MANIFEST.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["problem"] == "KP01" and "c_100000000" not in row["name"]]
    assert rows
    for row in rows:
        instance = api.read(benchmark_files / "kp" / row["file"])
        assert isinstance(instance, Knapsack)
        assert str(_solved(instance).value) == row["best_known"], row["name"]
