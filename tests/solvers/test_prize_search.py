"""The search for problems with prizes: known optima, bounds, starts, limits, and the parts of its machinery."""

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
from combopt.result import Result, Status, StoppedBy
from combopt.solvers import prize_kernels as kernels
from combopt.solvers.prize_problem import PrizeProblem
from combopt.solvers.prize_search import PrizeSearch
from tests.brute import op as brute_op
from tests.brute import pctsp as brute_pctsp


def search(instance: Op | Pctsp, iterations: int = 400, **more: object) -> Result:
    return api.solve(instance, "prize_search", isolate=False, iterations=iterations, threads=1, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("brute", [brute_op, brute_pctsp])
def test_tiny_instances_are_solved_but_for_a_rare_one(brute: object) -> None:
    missed = []
    for seed in range(60):
        instance = brute.small(np.random.default_rng([31, seed]))  # type: ignore[attr-defined]
        if search(instance).objective != brute.best(instance):  # type: ignore[attr-defined]
            missed.append(seed)
    assert len(missed) <= 1, missed


def test_proven_optima_of_benchmark_files(benchmark_files: Path) -> None:
    with (benchmark_files / "pctsp" / "MANIFEST.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["proven_optimal"] == "yes"]
    assert len(rows) == 4
    for row in rows:
        best = int(row["best_known"])
        result = search(api.read(benchmark_files / "pctsp" / row["file"]), 200_000, target=best)  # type: ignore[arg-type]
        assert result.objective == best, row["name"]


@pytest.mark.parametrize("name", ["gen2/eil76-gen2-50", "gen4/gr202-gen4-15", "gen1/brazil58-gen1-50"])
def test_published_values_are_reached(benchmark_files: Path, name: str) -> None:
    folder = benchmark_files / "op" / "oplib"
    instance = api.read(folder / f"{name}.oplib")
    published = api.check(instance, folder / f"{name}.sol").evaluation.objective
    result = search(instance, 200_000, target=published)  # type: ignore[arg-type]
    assert result.objective is not None
    assert result.objective >= published


@pytest.mark.parametrize("kind", ["op", "pctsp"])
def test_better_than_greedy(kind: str) -> None:
    instance = api.generate(kind, seed=5, n=120)
    greedy = api.solve(instance, "greedy_prize", isolate=False)
    found = search(instance, 2000)  # type: ignore[arg-type]
    assert instance.sense.better(found.objective, greedy.objective)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["op", "pctsp"])
def test_the_same_seed_gives_the_same_answer(kind: str) -> None:
    instance = api.generate(kind, seed=2, n=25)
    one, two = (search(instance, 3000, seed=4) for _ in range(2))  # type: ignore[arg-type]
    assert one.solution == two.solution
    assert one.stopped_by is StoppedBy.ITERATIONS


def test_a_start_is_used() -> None:
    instance = api.generate("op", seed=1, n=60)
    good = search(instance, 5000).solution  # type: ignore[arg-type]
    again = search(instance, 10, start=good)  # type: ignore[arg-type]
    assert again.objective is not None
    assert again.objective >= instance.evaluate(good).objective  # type: ignore[arg-type]


def test_a_limit_that_allows_everything_is_proved() -> None:
    instance = api.generate("op", seed=1, n=20, share=3.0)
    result = search(instance)  # type: ignore[arg-type]
    assert (result.status, result.objective) == (Status.OPTIMAL, int(instance.prize.sum()))  # type: ignore[attr-defined]


def test_a_minimum_prize_out_of_reach_is_infeasible() -> None:
    metric = Metric(rule="EUC_2D", coordinates=np.eye(2))
    result = search(Pctsp(metric=metric, prize=[1, 1], penalty=[1, 1], min_prize=3))
    assert result.status is Status.INFEASIBLE


def test_an_open_path_keeps_its_ends() -> None:
    points = np.random.default_rng(3).integers(0, 100, size=(40, 2)).astype(float)
    instance = Op(
        metric=Metric(rule="EXACT_2D", coordinates=points), prize=np.arange(40), limit=250.5, depot=7, end=22
    )
    result = search(instance, 2000)
    assert isinstance(result.solution, Tour)
    assert result.solution.order[[0, -1]].tolist() == [7, 22]


@pytest.mark.parametrize("rule", ["EUC_2D", "CEIL_2D", "FLOOR_2D", "EXACT_2D", "DIMACS_2D"])
def test_the_kernels_agree_with_the_metric(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("combopt.solvers.prize_problem.SMALL", 0)
    points = np.random.default_rng(1).integers(0, 50, size=(30, 2)) / 2
    metric = Metric(rule=rule, coordinates=points)
    problem = PrizeProblem.of(Op(metric=metric, prize=np.ones(30, dtype=np.int64), limit=10_000))
    space = problem.space(5)
    assert space.rule != kernels.MATRIX
    found = [[kernels.distance(space, i, j) for j in range(30)] for i in range(30)]
    assert found == problem.steps(np.arange(30)[:, None], np.arange(30)).tolist()


def test_sums_stay_true_over_many_rounds() -> None:
    """Length, prize and positions are kept up to date by every move and its undoing."""
    instance = api.generate("op", seed=9, n=40)
    problem = PrizeProblem.of(instance)
    space, hunt, tour = problem.space(8), problem.hunt(1, 1000), problem.tour(1000)
    kernels.nearest(space)
    problem.load(space, tour, problem.everywhere())
    hunt.f[kernels.RATE], hunt.f[kernels.HEAT] = 30_000.0, 10_000.0
    kernels.descend(space, tour, hunt.f[kernels.RATE], False)
    for _ in range(60):
        kernels.rounds(space, hunt, tour, 1, 5, 10**9)
        k = tour.s[kernels.K]
        order = tour.at[kernels.ORDER, :k]
        assert tour.s[kernels.LENGTH] == problem.steps(order, np.roll(order, -1)).sum()
        assert tour.s[kernels.PRIZE] == space.prize[order].sum()
        assert (tour.at[kernels.POS, order] == np.arange(k)).all()
        assert (tour.at[kernels.POS] >= 0).sum() == k
        assert 0 in order


def test_nodes_out_of_reach_are_left_out_of_the_problem() -> None:
    points = np.array([[0.0, 0], [1, 0], [50, 0], [2, 0]])
    instance = Op(metric=Metric(rule="EUC_2D", coordinates=points), prize=[0, 1, 9, 0], limit=10)
    assert PrizeProblem.of(instance).nodes.tolist() == [0, 1]


def test_numbers_beyond_the_kernels_are_refused() -> None:
    instance = Op(metric=Metric(rule="EUC_2D", coordinates=np.eye(2)), prize=[0, 2**53], limit=3)
    assert PrizeSearch().refuses(instance) is None
    instance = Op(metric=Metric(rule="EUC_2D", coordinates=np.eye(2) * 2**45), prize=[0, 1], limit=3)
    assert PrizeSearch().refuses(instance) is not None


def test_it_runs_in_a_child_and_keeps_the_time() -> None:
    instance = api.generate("op", seed=1, n=300)
    result = api.solve(instance, "prize_search", time_limit=1.0, threads=1)
    assert result.solution is not None
    assert result.seconds < 1.8
