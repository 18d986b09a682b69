"""Graphs as data: one form for equal graphs, and refusal of what is none."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from combopt.errors import InputError, UnsupportedError
from combopt.instances.graph import DENSE_LIMIT, Graph
from combopt.instances.packing import chosen
from combopt.serial import decode_fields, encode_fields


def path() -> Graph:
    return Graph(nodes=4, edges=np.array([[2, 1], [0, 1], [3, 2], [1, 0]]), weights=np.array([1, 2, 3, 4]))


def test_edges_are_sorted_and_counted_once() -> None:
    assert path().edges.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_arrays_cannot_be_changed() -> None:
    graph = path()
    with pytest.raises(ValueError, match="read-only"):
        graph.edges[0, 0] = 3
    with pytest.raises(ValueError, match="read-only"):
        graph.weights[0] = 3  # type: ignore[index]


def test_adjacency_lists_the_neighbours_of_every_vertex() -> None:
    graph = path()
    assert [graph.neighbours(v).tolist() for v in range(4)] == [[1], [0, 2], [1, 3], [2]]
    assert graph.neighbour_lists() == [[1], [0, 2], [1, 3], [2]]
    assert graph.degrees.tolist() == [1, 2, 2, 1]


def test_complement_joins_what_is_not_joined() -> None:
    complement = path().complement()
    assert complement.edges.tolist() == [[0, 2], [0, 3], [1, 3]]
    assert complement.weights is not None
    assert complement.complement().edges.tolist() == path().edges.tolist()


def test_complement_of_a_large_graph_is_refused() -> None:
    with pytest.raises(UnsupportedError):
        Graph(nodes=DENSE_LIMIT + 1, edges=np.zeros((0, 2))).complement()


def test_induced_graph_keeps_weights_and_edges() -> None:
    part = path().induced(np.array([3, 1, 2]))
    assert part.edges.tolist() == [[0, 2], [1, 2]]
    assert part.weights is not None
    assert part.weights.tolist() == [4, 2, 3]


def test_induced_graph_of_few_vertices_of_many() -> None:
    ring = np.arange(200)
    graph = Graph(nodes=200, edges=np.column_stack((ring, (ring + 1) % 200)))
    part = graph.induced(np.array([0, 1, 50, 198, 199]))
    assert part.edges.tolist() == [[0, 1], [0, 4], [3, 4]]


def test_weights_are_added_without_overflow() -> None:
    graph = Graph(nodes=3, edges=np.zeros((0, 2)), weights=np.full(3, 2**62))
    assert graph.weight(np.arange(3)) == 3 * 2**62


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nodes": 0}, "E114"),
        ({"nodes": -1}, "E114"),
        ({"nodes": True}, "E114"),
        ({"nodes": 2**31}, "E114"),
        ({"edges": [[0, 4]]}, "E117"),
        ({"edges": [[-1, 2]]}, "E117"),
        ({"edges": [[2, 2]]}, "E120"),
        ({"edges": [[0, 1, 2]]}, "E115"),
        ({"edges": [[0.5, 1]]}, "E113"),
        ({"weights": [1, 2, 3]}, "E115"),
        ({"weights": [1, 2, 3, -1]}, "E114"),
        ({"weights": [1, 2, 3, 0.5]}, "E113"),
    ],
)
def test_what_is_no_graph_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        Graph(**{"nodes": 4, "edges": [[0, 1]], **change})
    assert caught.value.code == code


def test_json_and_pickle_keep_everything() -> None:
    graph = path()
    graph.adjacency  # noqa: B018  # derived data are not sent along
    for again in (decode_fields(Graph, encode_fields(graph)), pickle.loads(pickle.dumps(graph))):
        assert again.nodes == 4
        assert again.edges.tolist() == graph.edges.tolist()
        assert again.weights.tolist() == [1, 2, 3, 4]
        assert "adjacency" not in vars(again)


def test_selected_names_strangers_and_repetitions() -> None:
    found, violations = chosen(np.array([-1, 0, 2, 2, 2, 9]), 4, "vertex")
    assert found.tolist() == [0, 2]
    assert [(v.constraint, v.amount) for v in violations] == [("vertex 0", 1), ("vertex 10", 1), ("vertex 3", 2)]
