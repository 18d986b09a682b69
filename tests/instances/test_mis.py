"""Independent sets: objective, every violation, and the program that they are rewritten as."""

from __future__ import annotations

import time

import numpy as np
import pytest

from combopt.errors import UnsupportedError
from combopt.instances import mis
from combopt.instances.graph import Graph
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from tests.brute import mis as brute


def square(weights: list[int] | None = None) -> Mis:
    return Mis(graph=Graph(nodes=4, edges=[[0, 1], [1, 2], [2, 3], [0, 3]], weights=weights))  # type: ignore[arg-type]


def test_objective_counts_or_weighs() -> None:
    assert square().evaluate(Selection([0, 2])).objective == 2
    assert square([5, 1, 7, 1]).evaluate(Selection([0, 2])).objective == 12
    assert square().evaluate(Selection([])).objective == 0


def test_all_violations_are_listed() -> None:
    evaluation = square().evaluate(Selection([0, 1, 2, 3, 3, 9, -1]))
    constraints = sorted(v.constraint for v in evaluation.violations)
    assert constraints == ["edge 1-2", "edge 1-4", "edge 2-3", "edge 3-4", "vertex 0", "vertex 10", "vertex 4"]
    assert evaluation.objective == 4


def test_conventions_tell_weights_from_none() -> None:
    assert square().conventions() != square([1, 1, 1, 1]).conventions()
    assert square().digest() != square([1, 1, 1, 1]).digest()


@pytest.mark.parametrize("seed", range(20))
def test_the_program_has_the_same_optimum(seed: int) -> None:
    instance = brute.small(np.random.default_rng(seed))
    view = instance.to_mip()
    n = instance.graph.nodes
    best = 0
    for bits in range(2**n):
        items = [v for v in range(n) if bits >> v & 1]
        point = view.from_original(Selection(items))  # type: ignore[misc]
        assert view.to_original(point) == Selection(items)
        activity = np.add.reduceat(
            np.append(point.values[view.instance.row_column] * view.instance.row_value, 0.0),  # type: ignore[attr-defined]
            view.instance.row_start[:-1],  # type: ignore[attr-defined]
        )
        fits = bool((activity <= view.instance.row_upper).all())  # type: ignore[attr-defined]
        assert fits == instance.evaluate(Selection(items)).feasible
        if fits:
            best = max(best, int(view.instance.cost @ point.values))  # type: ignore[attr-defined]
    assert best == brute.best(instance)


def test_too_many_edges_make_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mis, "MIP_EDGES", 3)
    with pytest.raises(UnsupportedError):
        square().to_mip()


@pytest.mark.parametrize("seed", range(5))
def test_numbering_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instance = Mis.generate(rng, n=40, density=0.1, weighted=True)
    graph = instance.graph
    number = rng.permutation(40)
    weights = np.empty(40, dtype=np.int64)
    weights[number] = graph.worth
    other = Mis(graph=Graph(nodes=40, edges=number[graph.edges], weights=weights))
    items = rng.choice(40, 12, replace=False)
    a, b = instance.evaluate(Selection(items)), other.evaluate(Selection(number[items]))
    assert (a.objective, len(a.violations)) == (b.objective, len(b.violations))


def test_a_million_edges_are_checked_at_once() -> None:
    ring = np.arange(200_000)
    edges = np.concatenate([np.column_stack((ring, (ring + k) % 200_000)) for k in range(1, 6)])
    instance = Mis(graph=Graph(nodes=200_000, edges=edges))
    began = time.process_time()
    assert instance.evaluate(Selection(ring[::6][:-1])).feasible
    assert time.process_time() - began < 1.0
