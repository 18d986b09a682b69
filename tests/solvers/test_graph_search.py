"""Local search for independent sets and cliques: quality, determinism, the invariants of its arrays."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import UsageError
from combopt.instances.clique import Clique
from combopt.instances.cliques import greedy_clique, greedy_independent
from combopt.instances.graph import Graph
from combopt.instances.graph_families import make
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from combopt.result import Result, Status, StoppedBy
from combopt.solvers import graph_search
from combopt.solvers.graph_search import CoverSearch, VertexSearch, WeightSearch, make_search, promising
from tests.brute import clique as brute_clique
from tests.brute import mis as brute_mis


def solve(instance: Clique | Mis, **options: object) -> Result:
    options = {"time_limit": 30.0, "threads": 1, "iterations": 3000, **options}
    return api.solve(instance, "vertex_search", isolate=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(40))
def test_tiny_optima_are_found(seed: int) -> None:
    graph = brute_mis.small_graph(np.random.default_rng(seed))
    for instance, brute in ((Clique(graph=graph), brute_clique), (Mis(graph=graph), brute_mis)):
        result = solve(instance)
        assert result.objective == brute.best(instance)
        assert result.messages == ()


@pytest.mark.parametrize("method", ["numvc", "tabu"])
def test_both_methods_find_the_hidden_set_of_a_small_rb_graph(method: str) -> None:
    graph = make(np.random.default_rng(5), "rb", 120)
    result = solve(Mis(graph=graph), options={"method": method}, iterations=200_000)
    assert (result.status, result.objective) == (Status.OPTIMAL, round(120 ** (1 / 1.8)))


@pytest.mark.parametrize("kind", ["mis", "clique"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_seed_gives_the_same_set(kind: str, weighted: bool) -> None:
    instance = api.generate(kind, seed=1, n=120, density=0.3, weighted=weighted)
    one, two = (solve(instance, seed=5) for _ in range(2))  # type: ignore[arg-type]
    assert one.solution == two.solution
    assert one.stopped_by is StoppedBy.ITERATIONS


@pytest.mark.parametrize("weighted", [False, True])
def test_the_search_beats_the_greedy_answer(weighted: bool) -> None:
    graph = make(np.random.default_rng(7), "geometric", 600, None, weighted)
    start = greedy_independent(graph)
    search = make_search(graph, start, seed=1)
    search.advance(100_000)
    assert search.value > graph.weight(start)
    assert search.value == graph.weight(search.best())
    assert Mis(graph=graph).evaluate(Selection(search.best())).feasible


def test_the_arrays_of_the_cover_search_stay_consistent() -> None:
    graph = make(np.random.default_rng(2), "erdos-renyi", 60, 0.2)
    search = CoverSearch(graph, greedy_independent(graph), 1)
    for _ in range(200):
        search.advance(37)
        (_, _, _, ends, weight, score, _, _, covered, cover, place, open_, slot, _, info) = search._arrays
        is_open = ~covered[ends[:, 0]] & ~covered[ends[:, 1]]
        assert sorted(open_[: info[2]].tolist()) == np.flatnonzero(is_open).tolist()
        assert all(open_[slot[e]] == e for e in np.flatnonzero(is_open))
        assert sorted(cover[: info[3]].tolist()) == np.flatnonzero(covered).tolist()
        assert all(cover[place[v]] == v for v in np.flatnonzero(covered))
        assert info[5] == weight.sum()
        for v in range(60):
            at = (ends[:, 0] == v) | (ends[:, 1] == v)
            other = np.where(ends[:, 0] == v, ends[:, 1], ends[:, 0])
            expected = weight[at & ~covered[other]].sum() * (-1 if covered[v] else 1)
            assert score[v] == expected


def test_the_arrays_of_the_weight_search_stay_consistent() -> None:
    graph = make(np.random.default_rng(2), "erdos-renyi", 60, 0.2, weighted=True)
    search = WeightSearch(graph, greedy_independent(graph), 1, 50)
    matrix = graph.dense()
    for _ in range(200):
        search.advance(37)
        (_, _, worth, tight, around, state, place, lists, _, _, info, _) = search._arrays
        chosen = state == 0
        assert not matrix[np.ix_(chosen, chosen)].any()
        assert tight.tolist() == (matrix & chosen).sum(axis=1).tolist()
        assert around.tolist() == ((matrix & chosen) @ np.arange(60)).tolist()
        assert state[~chosen].tolist() == np.minimum(tight[~chosen] + 1, 3).tolist()
        assert info[2] == worth[chosen].sum()
        for kind in range(3):
            assert sorted(lists[kind, : info[6 + kind]].tolist()) == np.flatnonzero(state == kind).tolist()
        assert all(lists[state[v], place[v]] == v for v in np.flatnonzero(state < 3))


def test_a_good_start_is_kept() -> None:
    instance = Mis.generate(np.random.default_rng(1), n=100, density=0.2)
    best = solve(instance, iterations=100_000).solution
    result = solve(instance, start=best, iterations=1)
    assert result.solution == best


def test_an_infeasible_start_does_no_harm() -> None:
    instance = Mis.generate(np.random.default_rng(1), n=30, density=0.5)
    assert solve(instance, start=Selection(np.arange(30))).solution is not None


def test_the_target_ends_it() -> None:
    instance = Mis.generate(np.random.default_rng(1), n=200, density=0.3)
    result = solve(instance, target=5, iterations=None)
    assert result.stopped_by is StoppedBy.TARGET


@pytest.mark.parametrize("weighted", [False, True])
def test_promising_keeps_the_best_clique(weighted: bool) -> None:
    graph = make(np.random.default_rng(3), "geometric", 300, None, weighted)
    instance = Clique(graph=graph)
    best = api.solve(instance, "clique_bb", isolate=False, time_limit=20.0).solution
    assert isinstance(best, Selection)
    small = greedy_clique(graph)[:2]
    items, complete = promising(graph, small, 300)
    assert complete
    assert set(best.items.tolist()) | set(small.tolist()) <= set(items.tolist())
    items, complete = promising(graph, small, 20)
    assert not complete
    assert set(small.tolist()) <= set(items.tolist())
    assert len(small) < len(items) <= 20


def test_a_search_confined_to_the_core_is_feasible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_search, "COMPLEMENT", 30)
    result = solve(Clique.generate(np.random.default_rng(1), n=200, density=0.2))
    assert result.status is Status.FEASIBLE


def test_a_graph_that_is_one_clique_is_proved() -> None:
    pairs = np.column_stack(np.triu_indices(40, 1))
    result = solve(Clique(graph=Graph(nodes=40, edges=pairs)))
    assert (result.status, result.objective) == (Status.OPTIMAL, 40)


@pytest.mark.parametrize("weighted", [False, True])
def test_without_numba_the_search_is_the_same(weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Mis.generate(np.random.default_rng(1), n=60, density=0.2, weighted=weighted)
    expected = solve(instance, iterations=400).solution
    monkeypatch.setattr(graph_search, "compiled", lambda name, **_: importlib.import_module(name))
    assert solve(instance, iterations=400).solution == expected


def test_weights_are_not_for_numvc() -> None:
    instance = Mis.generate(np.random.default_rng(1), n=10, weighted=True)
    assert VertexSearch(method="numvc").refuses(instance) is not None
    assert VertexSearch().refuses(instance) is None


@pytest.mark.parametrize("options", [{"depth": 0}, {"method": "magic"}])
def test_nonsense_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        api.make_solver("vertex_search", options)


@pytest.mark.parametrize("name", ["frb30-15-1", "frb30-15-2", "frb35-17-1"])
def test_hidden_optima_are_found_and_proved(name: str, benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "kp" / "mis" / f"{name}.mis.gz")
    result = solve(instance, iterations=None)  # type: ignore[arg-type]
    assert (result.status, result.objective) == (Status.OPTIMAL, int(name[3:5]))


def test_weighted_cliques_of_the_collection(benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "kp" / "clique" / "brock200_1_w.clq.gz")
    assert solve(instance, target=2821, iterations=2_000_000).objective == 2821  # type: ignore[arg-type]
