"""The exact clique search: against brute force, on known graphs, and its bounds, limits and pieces."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.clique import Clique
from combopt.instances.graph import Graph
from combopt.instances.graph_families import make
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from combopt.result import Result, Status, StoppedBy
from combopt.solvers import clique_bb
from combopt.solvers.clique_bb import CliqueBB, Tree, packed, short_clique
from tests.brute import clique as brute_clique
from tests.brute import mis as brute_mis


def solve(instance: Clique | Mis, **options: object) -> Result:
    options = {"time_limit": 30.0, "threads": 1, **options}
    return api.solve(instance, "clique_bb", isolate=False, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(40))
def test_it_agrees_with_brute_force(seed: int) -> None:
    graph = brute_mis.small_graph(np.random.default_rng(seed))
    for instance, brute in ((Clique(graph=graph), brute_clique), (Mis(graph=graph), brute_mis)):
        result = solve(instance)
        assert (result.status, result.objective) == (Status.OPTIMAL, brute.best(instance))
        assert result.bound == result.objective
        assert result.messages == ()


@pytest.mark.parametrize(("order", "queens"), [(5, 5), (6, 6), (8, 8)])
def test_queens_that_do_not_attack_each_other(order: int, queens: int) -> None:
    result = solve(Mis(graph=make(np.random.default_rng(1), "queen", order * order)))
    assert (result.status, result.objective) == (Status.OPTIMAL, queens)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_whole_and_in_pieces_agree(seed: int, weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Clique.generate(np.random.default_rng(seed), n=70, density=0.5, weighted=weighted)
    whole = solve(instance)
    monkeypatch.setattr(clique_bb, "WHOLE", 5)
    pieces = solve(instance)
    assert whole.status == pieces.status == Status.OPTIMAL
    assert whole.objective == pieces.objective


@pytest.mark.parametrize("weighted", [False, True])
def test_bounds_hold_all_along(weighted: bool) -> None:
    graph = make(np.random.default_rng(3), "erdos-renyi", 80, 0.6, weighted)
    best = solve(Clique(graph=graph)).objective
    assert best is not None
    tree = Tree(graph, 0)
    bounds = [tree.bound()]
    while not tree.advance(7):
        bounds.append(tree.bound())
    assert tree.value == best == tree.bound()
    assert min(bounds) >= best
    assert bounds == sorted(bounds, reverse=True)
    assert graph.weight(tree.clique()) == best


def test_a_deep_tree_grows_its_arrays() -> None:
    n = 150
    pairs = np.column_stack(np.triu_indices(n, 1))
    graph = Graph(nodes=n, edges=pairs[pairs[:, 0] // 2 != pairs[:, 1] // 2])
    tree = Tree(graph, 0)
    assert tree.advance(10**6)
    assert tree.value == n // 2


@pytest.mark.parametrize("seed", range(3))
def test_numbering_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = Clique.generate(rng, n=60, density=0.7)
    number = rng.permutation(60)
    other = Clique(graph=Graph(nodes=60, edges=number[instance.graph.edges]))
    assert solve(instance).objective == solve(other).objective


@pytest.mark.parametrize("seed", range(3))
def test_a_clique_is_an_independent_set_of_the_complement(seed: int) -> None:
    instance = Clique.generate(np.random.default_rng(seed), n=60, density=0.5, weighted=True)
    assert solve(instance).objective == solve(Mis(graph=instance.graph.complement())).objective


def test_without_numba_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    instances = [Clique.generate(np.random.default_rng(s), n=20, density=0.6, weighted=s > 1) for s in range(4)]
    expected = [solve(instance).objective for instance in instances]
    monkeypatch.setattr(clique_bb, "compiled", lambda name, **_: importlib.import_module(name))
    assert [solve(instance).objective for instance in instances] == expected


def test_a_limit_on_nodes_ends_it_with_a_valid_bound() -> None:
    instance = Clique.generate(np.random.default_rng(1), n=150, density=0.8)
    result = solve(instance, nodes=50)
    assert result.stopped_by is StoppedBy.ITERATIONS
    assert result.bound is not None
    assert result.objective is not None
    assert result.objective <= result.bound


def test_the_time_limit_ends_it() -> None:
    result = solve(Clique.generate(np.random.default_rng(1), n=300, density=0.9), time_limit=1.0)
    assert result.stopped_by is StoppedBy.TIME
    assert result.seconds < 1.6


def test_a_start_is_taken_over() -> None:
    instance = Clique.generate(np.random.default_rng(1), n=150, density=0.8)
    best = solve(instance, time_limit=5.0).solution
    result = solve(instance, start=best, nodes=1)
    assert result.solution == best


def test_an_infeasible_start_does_no_harm() -> None:
    instance = Clique.generate(np.random.default_rng(1), n=20, density=0.5)
    assert solve(instance, start=Selection(np.arange(20))).status is Status.OPTIMAL


def test_what_it_refuses() -> None:
    none = np.zeros((0, 2))
    assert CliqueBB().refuses(Mis(graph=Graph(nodes=5000, edges=none))) is not None
    assert CliqueBB().refuses(Clique(graph=Graph(nodes=5000, edges=none))) is None
    assert CliqueBB().refuses(Clique(graph=Graph(nodes=2, edges=none, weights=np.full(2, 2**61)))) is not None


def test_bits_are_packed_in_order() -> None:
    matrix = np.zeros((1, 130), dtype=bool)
    matrix[0, [0, 63, 64, 129]] = True
    assert packed(matrix, 3).tolist() == [[-(2**63) + 1, 1, 2]]


def test_short_clique_is_a_good_clique() -> None:
    instance = Clique.generate(np.random.default_rng(2), n=50, density=0.5)
    assert len(short_clique(instance.graph)) == solve(instance).objective


@pytest.mark.parametrize(
    ("name", "size"),
    [("keller4", 11), ("hamming8-4", 16), ("p_hat300-1", 8), ("p_hat300-2", 25), ("brock200_2", 12), ("C125.9", 34)],
)
def test_known_cliques_are_proved(name: str, size: int, benchmark_files: Path) -> None:
    result = solve(api.read(benchmark_files / "kp" / "clique" / f"{name}.clq.gz"))  # type: ignore[arg-type]
    assert (result.status, result.objective) == (Status.OPTIMAL, size)
