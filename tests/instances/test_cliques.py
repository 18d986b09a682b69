"""Greedy cliques, covers and colourings: what they return is what they say, and bounds hold."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.instances import cliques
from combopt.instances.clique import Clique
from combopt.instances.coloring import Coloring
from combopt.instances.graph import Graph
from combopt.instances.graph_families import make
from combopt.instances.mis import Mis
from combopt.instances.solutions import Assignment, Selection
from tests.brute import clique as brute_clique
from tests.brute import mis as brute_mis

SEEDS = range(25)


def graph(seed: int) -> Graph:
    return brute_mis.small_graph(np.random.default_rng(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_sets_are_feasible_and_maximal(seed: int) -> None:
    g = graph(seed)
    for items in (cliques.greedy_independent(g), cliques.quick_independent(g)):
        assert Mis(graph=g).evaluate(Selection(items)).feasible
        near = set(items.tolist()) | {u for v in items.tolist() for u in g.neighbours(v).tolist()}
        assert near == set(range(g.nodes))
    clique = cliques.greedy_clique(g)
    assert Clique(graph=g).evaluate(Selection(clique)).feasible
    assert not any(set(clique.tolist()) <= set(g.neighbours(v).tolist()) for v in range(g.nodes))
    assert g.weight(cliques.best_greedy_clique(g)) >= g.weight(clique)


def test_greedy_clique_keeps_the_first_vertex() -> None:
    g = make(np.random.default_rng(1), "erdos-renyi", 30)
    assert all(v in cliques.greedy_clique(g, v) for v in range(30))


@pytest.mark.parametrize("seed", SEEDS)
def test_bounds_hold(seed: int) -> None:
    g = graph(seed)
    assert cliques.independent_bound(g) >= brute_mis.best(Mis(graph=g))
    assert cliques.clique_bound(g) >= brute_clique.best(Clique(graph=g))


@pytest.mark.parametrize("seed", SEEDS)
def test_colourings_are_proper(seed: int) -> None:
    g = graph(seed)
    plain = Graph(nodes=g.nodes, edges=g.edges)
    for colour in (cliques.dsatur(g), cliques.first_fit(g, np.arange(g.nodes))):
        assert Coloring(graph=plain).evaluate(Assignment(colour)).feasible


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clique_cover_is_a_colouring_of_the_complement(seed: int) -> None:
    g = graph(seed)
    groups = cliques.clique_cover(g, np.arange(g.nodes))
    complement = Graph(nodes=g.nodes, edges=g.complement().edges)
    assert Coloring(graph=complement).evaluate(Assignment(groups)).feasible


def test_dsatur_is_exact_on_bipartite_graphs() -> None:
    rng = np.random.default_rng(4)
    edges = np.column_stack((rng.integers(0, 20, 60), rng.integers(20, 40, 60)))
    assert cliques.dsatur(Graph(nodes=40, edges=edges)).max() == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_edge_cliques_are_cliques_and_hold_every_edge(seed: int) -> None:
    g = graph(seed)
    joined = {tuple(edge) for edge in g.edges.tolist()}
    held = set()
    for members in cliques.edge_cliques(g):
        held |= {(u, v) for u in members for v in members if u < v}
    assert held == joined


def test_edge_cliques_of_a_large_graph_are_its_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cliques, "BITS", 2)
    assert cliques.edge_cliques(Graph(nodes=3, edges=[[0, 1], [0, 2], [1, 2]])) == [[0, 1], [0, 2], [1, 2]]  # type: ignore[arg-type]


def test_core_numbers_of_a_clique_with_a_tail() -> None:
    order, core = cliques.degeneracy(Graph(nodes=6, edges=[[0, 1], [0, 2], [1, 2], [2, 3], [3, 4]]))  # type: ignore[arg-type]
    assert core.tolist() == [2, 2, 2, 1, 1, 0]
    assert order[:3].tolist() == [5, 4, 3]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_peeled_off_can_be_coloured_last(seed: int) -> None:
    g = graph(seed)
    plain = Coloring(graph=Graph(nodes=g.nodes, edges=g.edges))
    colour = cliques.dsatur(g)
    for colours in (1, 2, 3):
        core, rest = cliques.peel(g, colours)
        assert sorted([*core.tolist(), *rest.tolist()]) == list(range(g.nodes))
        whole = cliques.extend(g, colour, rest)
        assert plain.evaluate(Assignment(whole)).feasible
        assert whole[core].tolist() == colour[core].tolist()
        assert all(whole[v] < colours for v in rest)
