"""The local search for large instances: its moves one by one, uncompiled, and the solver as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import StoppedBy, Tour, api
from combopt.errors import UsageError
from combopt.instances.metric import RULES, Metric
from combopt.instances.tsp import Tsp
from combopt.solvers import or_opt, tour_search
from combopt.solvers.held_karp import shortest_order
from combopt.solvers.or_opt import OrOpt, neighbour_lists, search_points
from combopt.solvers.tour_search import Kernels, Search
from combopt.solvers.tours import first_tour

PLAIN = Kernels(tour_search.explore, tour_search.nearest)


def prepare(instance: Tsp, order: np.ndarray | None = None) -> Search:
    order = np.arange(instance.nodes) if order is None else order
    return OrOpt()._prepare(instance, order, PLAIN, seed=0)


def instance_of(rule: str, n: int = 12, seed: int = 0) -> Tsp:
    rng = np.random.default_rng(seed)
    if rule == "EXPLICIT":
        upper = np.triu(rng.integers(0, 99, size=(n, n)), 1)
        return Tsp(metric=Metric(rule=rule, matrix=upper + upper.T))
    return Tsp(metric=Metric(rule=rule, coordinates=rng.uniform(-80, 80, size=(n, RULES[rule].dimension))))


@pytest.mark.parametrize("rule", ["EXPLICIT", *RULES])
def test_distances_are_those_of_the_metric(rule: str) -> None:
    instance = instance_of(rule)
    search = prepare(instance)
    full = instance.metric.full()
    for i in range(12):
        for j in range(12):
            assert tour_search.distance(search, i, j) == full[i, j]


@pytest.mark.parametrize("i", range(7))
@pytest.mark.parametrize("j", range(7))
def test_reversing_turns_the_path_or_the_rest(i: int, j: int) -> None:
    search = prepare(instance_of("EUC_2D", n=7))
    length = (j - i) % 7 + 1
    path = [(i + k) % 7 for k in range(length)]
    tour_search.reverse(search, i, j)
    expected = [*reversed(path), *[(j + 1 + k) % 7 for k in range(7 - length)]]
    assert edges(search.tour) == edges(np.array(expected))
    assert search.pos[search.tour].tolist() == list(range(7))


@pytest.mark.parametrize(
    ("kind", "added"),
    [(1, "AC BE DF"), (2, "AD EB CF"), (3, "AD EC BF"), (4, "AE DB CF")],
)
@pytest.mark.parametrize("places", [(0, 3, 6), (2, 5, 8), (1, 2, 3), (7, 9, 1), (9, 0, 4)])
def test_three_exchanges_add_the_edges_they_say(kind: int, added: str, places: tuple[int, int, int]) -> None:
    search = prepare(instance_of("EUC_2D", n=10))
    names = {}
    for place, (tail, head) in zip(places, ("AB", "CD", "EF"), strict=True):
        names[tail], names[head] = place, (place + 1) % 10
    expected = edges(np.arange(10)) - {pair(names[a], names[b]) for a, b in ("AB", "CD", "EF")}
    expected |= {pair(names[a], names[b]) for a, b in added.split()}
    tour_search.exchange3(search, *places, kind)
    assert edges(search.tour) == expected


def pair(a: int, b: int) -> tuple[int, int]:
    return (min(a, b), max(a, b))


def edges(order: np.ndarray) -> set[tuple[int, int]]:
    return {pair(int(a), int(b)) for a, b in zip(order, np.roll(order, -1), strict=True)}


@pytest.mark.parametrize("rule", ["EUC_2D", "EXACT_2D", "EXPLICIT"])
@pytest.mark.parametrize("seed", range(4))
def test_gains_are_what_the_tour_loses(rule: str, seed: int) -> None:
    instance = instance_of(rule, n=14, seed=seed)
    search = prepare(instance, np.random.default_rng(seed).permutation(14))
    before = instance.metric.cycle(search.tour)
    gain = tour_search.explore(search, 14, 10**6, 3, 0)
    gain += tour_search.explore(search, 14, 10**6, 3, 30)
    assert sorted(search.tour.tolist()) == list(range(14))
    assert instance.metric.cycle(search.tour) == pytest.approx(before - gain)
    assert gain > 0


def test_a_kick_that_does_not_pay_is_undone() -> None:
    instance = instance_of("EUC_2D", n=10, seed=2)
    order = shortest_order(instance)
    assert order is not None
    search = prepare(instance, order)
    for _ in range(20):
        assert tour_search.explore(search, 10, 10**6, 2, 1) == 0
        assert instance.metric.cycle(search.tour) == instance.metric.cycle(order)


@pytest.mark.parametrize("seed", range(5))
def test_fixed_edges_are_never_removed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = rng.permutation(14)[:6]
    instance = Tsp(
        metric=instance_of("EUC_2D", n=14, seed=seed).metric, fixed_edges=np.stack([path[:-1], path[1:]], axis=1)
    )
    search = prepare(instance, first_tour(instance))
    tour_search.explore(search, 14, 10**6, 3, 0)
    tour_search.explore(search, 14, 10**6, 3, 30)
    assert instance.evaluate(Tour(search.tour)).feasible


@pytest.mark.parametrize("rule", ["EUC_2D", "EUC_3D", "CEIL_2D", "GEO", "ATT"])
def test_the_grid_finds_the_nearest_nodes(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = instance_of(rule, n=60, seed=1)
    by_rows = neighbour_lists(instance.metric, 6, PLAIN)
    monkeypatch.setattr(or_opt, "MATRIX_LIMIT", 10)
    by_grid = neighbour_lists(instance.metric, 6, PLAIN)
    full = instance.metric.full()
    nodes = np.arange(60)[:, None]
    assert np.abs(full[nodes, by_rows] - full[nodes, by_grid]).max() <= 1  # ties after rounding aside


@pytest.mark.parametrize("points", [np.zeros((20, 2)), np.array([[0.0, y] for y in range(20)])])
def test_the_grid_takes_points_on_a_line_or_in_one_place(points: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(or_opt, "MATRIX_LIMIT", 10)
    near = neighbour_lists(Metric(rule="EUC_2D", coordinates=points), 3, PLAIN)
    assert all(len({i, *row}) == 4 for i, row in enumerate(near.tolist()))


def test_points_of_geo_are_radians() -> None:
    points = search_points(Metric(rule="GEO", coordinates=np.array([[-5.30, 0.0]])))
    assert points[0, 0] == pytest.approx(-5.5 * 3.141592 / 180)


def compile_first() -> None:
    """Numba compiles for some seconds on a machine that has not run this before."""
    api.solve(instance_of("EUC_2D"), "or_opt", isolate=False, time_limit=60, iterations=1)


def test_finds_the_optimum_of_small_instances() -> None:
    compile_first()
    for seed in range(3):
        instance = instance_of("EUC_2D", n=14, seed=seed)
        order = shortest_order(instance)
        assert order is not None
        result = api.solve(instance, "or_opt", isolate=False, time_limit=20, iterations=300)
        assert result.objective == instance.metric.cycle(order)
        assert result.stopped_by is StoppedBy.ITERATIONS


def test_close_to_the_optimum_of_uniform_instances() -> None:
    compile_first()
    instance = Tsp.generate(np.random.default_rng(1), n=3000)
    result = api.solve(instance, "or_opt", isolate=False, time_limit=60, iterations=3000)
    assert result.objective is not None
    # 0.7124 sqrt(n A) is what an optimal tour comes to (Johnson and McGeoch 1996), some 1.5 % more at this size
    assert result.objective < 1.06 * 0.7124 * np.sqrt(3000 * 1e12)


def test_a_start_is_used() -> None:
    compile_first()
    instance = Tsp.generate(np.random.default_rng(1), n=300)
    best = api.solve(instance, "or_opt", isolate=False, time_limit=20, iterations=500)
    again = api.solve(instance, "or_opt", isolate=False, time_limit=20, iterations=1, start=best.solution)
    assert again.objective is not None
    assert best.objective is not None
    assert again.objective <= best.objective


def test_the_same_seed_gives_the_same_tour() -> None:
    compile_first()
    instance = Tsp.generate(np.random.default_rng(1), n=200)
    tours = [
        api.solve(instance, "or_opt", isolate=False, time_limit=30, iterations=200, seed=s).solution for s in (5, 5)
    ]
    assert tours[0] == tours[1]


def test_distances_too_large_for_floats_are_refused() -> None:
    full = np.full((3, 3), 2**53)
    assert OrOpt().refuses(Tsp(metric=Metric(rule="EXPLICIT", matrix=full))) is not None


@pytest.mark.parametrize("name", ["neighbours", "segment", "reach"])
def test_options_are_positive(name: str) -> None:
    with pytest.raises(UsageError):
        api.make_solver("or_opt", {name: 0})


def test_within_six_percent_on_d18512(benchmark_files: Path) -> None:
    compile_first()
    path = benchmark_files / "tsplib" / "tsp" / "d18512.tsp.gz"
    result = api.solve(path, "or_opt", time_limit=30, target=1.06 * 645238)
    assert result.stopped_by is StoppedBy.TARGET
