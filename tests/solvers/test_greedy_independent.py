"""The minimum-degree greedy as a solver."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.instances.graph import Graph
from combopt.instances.mis import Mis


@pytest.mark.parametrize("kind", ["mis", "clique"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_finds_something_feasible(kind: str, weighted: bool) -> None:
    result = api.solve(api.generate(kind, seed=1, n=100, weighted=weighted), "greedy_graph", isolate=False)
    assert result.objective is not None
    assert result.objective > 1


def test_it_is_exact_on_a_star_and_on_paths() -> None:
    star = Mis(graph=Graph(nodes=9, edges=np.column_stack((np.zeros(8), np.arange(1, 9)))))
    assert api.solve(star, "greedy_graph", isolate=False).objective == 8
    path = Mis(graph=Graph(nodes=9, edges=np.column_stack((np.arange(8), np.arange(1, 9)))))
    assert api.solve(path, "greedy_graph", isolate=False).objective == 5


def test_a_heavy_centre_is_preferred_to_its_leaves() -> None:
    graph = Graph(nodes=4, edges=np.array([[0, 1], [0, 2], [0, 3]]), weights=np.array([10, 1, 1, 1]))
    assert api.solve(Mis(graph=graph), "greedy_graph", isolate=False).objective == 10


def test_clique_and_independent_set_of_the_complement_are_as_good() -> None:
    instance = api.generate("clique", seed=4, n=60)
    other = Mis(graph=instance.graph.complement())  # type: ignore[attr-defined]
    one, two = (api.solve(i, "greedy_graph", isolate=False).objective for i in (instance, other))
    assert one == two
