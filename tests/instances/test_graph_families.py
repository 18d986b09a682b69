"""Generators of graphs: the properties that define each family."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.errors import UsageError
from combopt.instances.graph import Graph
from combopt.instances.graph_families import FAMILIES, make


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", range(1, 13))
def test_every_family_has_tiny_graphs(family: str, n: int) -> None:
    graph = make(rng(), family, n)
    assert isinstance(graph, Graph)
    assert graph.nodes >= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides(family: str) -> None:
    assert make(rng(), family, 40).edges.tolist() == make(rng(), family, 40).edges.tolist()


def test_random_graph_has_its_density() -> None:
    assert len(make(rng(), "erdos-renyi", 200, 0.3).edges) == pytest.approx(0.3 * 200 * 199 / 2, rel=0.05)
    assert len(make(rng(), "erdos-renyi", 20, 1.0).edges) == 190
    assert len(make(rng(), "erdos-renyi", 20, 0.0).edges) == 0


@pytest.mark.parametrize("n", [4, 5, 8, 11, 30])
@pytest.mark.parametrize("density", [None, 0.0, 0.3, 0.5, 0.8, 1.0])
def test_regular_graph_is_regular(n: int, density: float | None) -> None:
    degrees = make(rng(), "regular", n, density).degrees
    assert degrees.min() == degrees.max()


def test_preferential_attachment_joins_each_new_vertex_to_four() -> None:
    graph = make(rng(), "barabasi-albert", 100)
    assert len(graph.edges) == 1 + 2 + 3 + 4 * 96
    assert graph.degrees.max() > 12


def test_rb_graph_is_cut_into_cliques_and_hides_a_set_of_one_from_each() -> None:
    graph = make(rng(), "rb", 60)
    cliques = round(60 ** (1 / 1.8))
    size = graph.nodes // cliques
    matrix = graph.dense()
    for c in range(cliques):
        block = matrix[c * size : (c + 1) * size, c * size : (c + 1) * size]
        assert block.sum() == size * (size - 1)


def test_geometric_graph_has_the_expected_degree() -> None:
    assert make(rng(), "geometric", 800).degrees.mean() == pytest.approx(8, rel=0.15)


def test_queens_of_a_chess_board() -> None:
    graph = make(rng(), "queen", 64)
    assert (graph.nodes, len(graph.edges)) == (64, 1456 // 2)


def test_queen6_6_is_that_of_the_collection() -> None:
    graph = make(rng(), "queen", 36)
    assert (graph.nodes, len(graph.edges)) == (36, 290)


@pytest.mark.parametrize(("n", "size"), [(11, (11, 20)), (23, (23, 71)), (95, (95, 755)), (100, (95, 755))])
def test_mycielski_graphs_are_those_of_the_collection(n: int, size: tuple[int, int]) -> None:
    graph = make(rng(), "mycielski", n)
    assert (graph.nodes, len(graph.edges)) == size


def test_weights_follow_pullan() -> None:
    weights = make(rng(), "erdos-renyi", 201, 0.0, weighted=True).weights
    assert weights is not None
    assert weights[[0, 1, 198, 199, 200]].tolist() == [2, 3, 200, 1, 2]


@pytest.mark.parametrize("arguments", [("unknown", 5, None), ("queen", 0, None), ("regular", 5, 1.5)])
def test_nonsense_is_refused(arguments: tuple[str, int, float | None]) -> None:
    with pytest.raises(UsageError):
        make(rng(), *arguments)
