"""TabuCol: quality, determinism, the invariants of its tables."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import UsageError
from combopt.instances.cliques import dsatur
from combopt.instances.coloring import Coloring
from combopt.instances.graph import Graph
from combopt.instances.graph_families import make
from combopt.instances.solutions import Assignment
from combopt.result import Result, Status, StoppedBy
from combopt.solvers import tabucol
from combopt.solvers.tabucol import ClashSearch, compact, merged, short_descent
from tests.brute import coloring as brute


def solve(instance: Coloring, **options: object) -> Result:
    options = {"time_limit": 30.0, "threads": 1, "iterations": 3000, **options}
    return api.solve(instance, "tabucol", isolate=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(40))
def test_tiny_optima_are_found(seed: int) -> None:
    instance = brute.small(np.random.default_rng(seed))
    result = solve(instance)
    assert result.objective == brute.best(instance)
    assert result.bound is not None
    assert result.bound <= brute.best(instance)
    assert result.messages == ()


@pytest.mark.parametrize(("side", "colours"), [(5, 5), (6, 7), (7, 7)])
def test_queen_graphs(side: int, colours: int) -> None:
    instance = Coloring(graph=make(np.random.default_rng(1), "queen", side * side))
    assert solve(instance, iterations=100_000).objective == colours


def test_fewer_colours_than_dsatur() -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=120, density=0.5)
    result = solve(instance, iterations=100_000)
    assert result.objective is not None
    assert result.objective < dsatur(instance.graph).max() + 1
    assert result.stopped_by is StoppedBy.ITERATIONS


def test_a_clique_as_large_proves_it() -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=200, family="geometric")
    assert solve(instance).status is Status.OPTIMAL


def test_the_same_seed_gives_the_same_colouring() -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=80, density=0.5)
    assert solve(instance, seed=3).solution == solve(instance, seed=3).solution


def test_the_tables_stay_consistent() -> None:
    graph = make(np.random.default_rng(2), "erdos-renyi", 50, 0.5)
    rng = np.random.default_rng(3)
    search = ClashSearch(graph, rng.integers(0, 8, 50), 8, np.array([1]), 0.6)
    matrix = graph.dense()
    for _ in range(100):
        search.advance(7)
        (_, _, colour, around, _, queue, place) = search._arrays
        same = colour[:, None] == colour[None, :]
        clashes = (matrix & same).sum(axis=1)
        assert around.tolist() == [[int(matrix[v, colour == c].sum()) for c in range(8)] for v in range(50)]
        assert search.clashes == clashes.sum() // 2
        assert sorted(queue[: search._info[3]].tolist()) == np.flatnonzero(clashes).tolist()
        assert all(queue[place[v]] == v for v in np.flatnonzero(clashes))


def test_a_good_start_is_kept() -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=80, density=0.5)
    best = solve(instance, iterations=100_000)
    again = solve(instance, start=best.solution, iterations=1)
    assert again.objective is not None
    assert best.objective is not None
    assert again.objective <= best.objective


@pytest.mark.parametrize("start", [[0] * 20, [-1] * 20, [0, 1], list(range(20))])
def test_a_poor_start_does_no_harm(start: list[int]) -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=20, density=0.5)
    if len(start) == 20:
        assert solve(instance, start=Assignment(start)).solution is not None


def test_tables_too_large_end_it_with_the_greedy_colouring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabucol, "ENTRIES", 100)
    result = solve(Coloring.generate(np.random.default_rng(1), n=80, density=0.5))
    assert result.stopped_by is StoppedBy.FINISHED
    assert "too many" in result.messages[0]


def test_without_numba_the_search_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Coloring.generate(np.random.default_rng(1), n=30, density=0.5)
    expected = solve(instance, iterations=100).solution
    monkeypatch.setattr(tabucol, "compiled", lambda name, **_: importlib.import_module(name))
    assert solve(instance, iterations=100).solution == expected


def test_compact_and_merged() -> None:
    assert compact(np.array([5, 9, 5, 7])).tolist() == [0, 2, 0, 1]
    graph = Graph(nodes=4, edges=np.array([[0, 1], [1, 2], [2, 3]]))
    assert merged(graph, np.array([0, 1, 0, 2])).max() == 1


def test_short_descent_never_adds_colours() -> None:
    graph = make(np.random.default_rng(2), "queen", 36)
    start = dsatur(graph)
    found = short_descent(graph, start, 6)
    assert Coloring(graph=graph).evaluate(Assignment(found)).feasible
    assert found.max() <= start.max()


def test_a_negative_share_is_refused() -> None:
    with pytest.raises(UsageError):
        api.make_solver("tabucol", {"share": -1.0})


@pytest.mark.parametrize(("name", "colours"), [("le450_5a", 5), ("queen7_7", 7), ("homer", 13), ("myciel7", 8)])
def test_known_colourings_are_found(name: str, colours: int, benchmark_files: Path) -> None:
    path = next((benchmark_files / "kp" / "coloring").glob(f"{name}.col*"))
    assert solve(api.read(path), target=colours, iterations=500_000).objective == colours  # type: ignore[arg-type]
