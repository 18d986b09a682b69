"""Cliques: objective, every missing edge, and the tie to independent sets of the complement."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.instances import clique as module
from combopt.instances.clique import Clique
from combopt.instances.graph import Graph
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from tests.brute import clique as brute
from tests.brute import mis as brute_mis


def paw() -> Clique:
    return Clique(graph=Graph(nodes=4, edges=[[0, 1], [0, 2], [1, 2], [2, 3]], weights=[1, 2, 3, 4]))  # type: ignore[arg-type]


def test_objective_is_the_weight() -> None:
    assert paw().evaluate(Selection([0, 1, 2])).objective == 6
    assert paw().evaluate(Selection([])).feasible


def test_every_missing_edge_is_a_violation() -> None:
    evaluation = paw().evaluate(Selection([0, 1, 2, 3, 7]))
    names = [v.constraint for v in evaluation.violations]
    assert names == ["vertex 8", "vertices 1 and 4", "vertices 2 and 4"]


def test_missing_edges_of_many_vertices_are_counted_by_vertex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", 3)
    evaluation = paw().evaluate(Selection([0, 1, 2, 3]))
    assert [(v.constraint, v.amount) for v in evaluation.violations] == [
        ("vertex 1", 1),
        ("vertex 2", 1),
        ("vertex 4", 2),
    ]


def test_many_vertices_of_a_sparse_graph_take_little_memory() -> None:
    ring = np.arange(50_000)
    instance = Clique(graph=Graph(nodes=50_000, edges=np.column_stack((ring[:-1], ring[1:]))))
    assert len(instance.evaluate(Selection(ring)).violations) == 50_000


@pytest.mark.parametrize("seed", range(20))
def test_cliques_are_independent_sets_of_the_complement(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = brute.small(rng)
    other = Mis(graph=instance.graph.complement())
    assert brute.best(instance) == brute_mis.best(other)
    items = np.flatnonzero(rng.random(instance.graph.nodes) < 0.4)
    a, b = instance.evaluate(Selection(items)), other.evaluate(Selection(items))
    assert (a.objective, len(a.violations)) == (b.objective, len(b.violations))


def test_the_program_is_that_of_the_complement() -> None:
    view = paw().to_mip()
    other = Mis(name="clique", graph=paw().graph.complement()).to_mip()
    assert view.instance == other.instance
