"""Undirected graphs without loops or parallel edges, and what the kinds made of them share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError, UnsupportedError
from combopt.model import Ints, frozen_array

MAX_NODES = 2**31 - 1
"""Most vertices of a graph; pairs of them still fit into 64 bits."""
DENSE_LIMIT = 6000
"""Vertices up to which a graph is held as a matrix or complemented (36 MB)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Graph:
    """A simple undirected graph on the vertices 0..n-1.

    Parameters
    ----------
    nodes
        Number of vertices n, at least 1.
    edges
        ``int64[m, 2]`` in any order and direction, repeated at will; kept with ``u < v``, sorted, each once.
    weights
        ``int64[n]`` of vertex weights, none negative; ``None`` counts every vertex as 1.

    Raises
    ------
    InputError
        E114 for a count or weight out of range, E117 for an edge to a vertex that does not exist, E120 for a loop.
    """

    nodes: int
    edges: Ints
    weights: Ints | None = None

    def __post_init__(self) -> None:
        n = self.nodes
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MAX_NODES:
            raise InputError("E114", f"{n!r} vertices", expected=f"a whole number from 1 to {MAX_NODES}")
        edges = frozen_array(self.edges, np.int64, (None, 2), "edges")
        if edges.size and (edges.min() < 0 or edges.max() >= n):
            raise InputError("E117", "an edge names a vertex that does not exist", expected=f"vertices 0 to {n - 1}")
        if (edges[:, 0] == edges[:, 1]).any():
            raise InputError("E120", "an edge joins a vertex to itself")
        object.__setattr__(self, "edges", _canonical(edges, n))
        if self.weights is not None:
            weights = frozen_array(self.weights, np.int64, (n,), "weights")
            if weights.min() < 0:
                raise InputError("E114", f"the weight {weights.min()} of a vertex", expected="at least 0")
            object.__setattr__(self, "weights", weights)

    def __getstate__(self) -> dict[str, Any]:
        # What is derived is derived again where it is needed, not sent along to other processes.
        return {name: self.__dict__[name] for name in ("nodes", "edges", "weights")}

    @cached_property
    def adjacency(self) -> tuple[Ints, Ints]:
        """CSR: the neighbours of ``v``, sorted, are ``target[start[v]:start[v + 1]]``; ``(start, target)``."""
        tail = np.concatenate((self.edges[:, 0], self.edges[:, 1]))
        head = np.concatenate((self.edges[:, 1], self.edges[:, 0]))
        target = head[np.argsort(tail * self.nodes + head, kind="stable")]
        start = np.zeros(self.nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(tail, minlength=self.nodes), out=start[1:])
        return start, target

    @cached_property
    def degrees(self) -> Ints:
        """Number of neighbours of every vertex, ``int64[n]``."""
        return np.bincount(self.edges.ravel(), minlength=self.nodes).astype(np.int64)

    @property
    def worth(self) -> Ints:
        """Weight of every vertex, 1 where the graph has none: ``int64[n]``."""
        return np.ones(self.nodes, dtype=np.int64) if self.weights is None else self.weights

    def neighbours(self, v: int) -> Ints:
        """The neighbours of ``v``, sorted."""
        start, target = self.adjacency
        return target[start[v] : start[v + 1]]

    def neighbour_lists(self) -> list[list[int]]:
        """The neighbours of every vertex as plain lists, for loops in Python."""
        start, target = self.adjacency
        flat, ends = target.tolist(), start.tolist()
        return [flat[a:b] for a, b in itertools.pairwise(ends)]

    def weight(self, items: Ints) -> int:
        """Exact total weight of the vertices ``items``."""
        if self.weights is None:
            return len(items)
        chosen = self.weights[items]
        if chosen.size and int(chosen.max()) > 2**62 // chosen.size:
            return sum(chosen.tolist())
        return int(chosen.sum())

    def inside(self, items: Ints) -> Ints:
        """The edges with both ends among ``items``, ``int64[k, 2]``."""
        chosen = np.zeros(self.nodes, dtype=bool)
        chosen[items] = True
        found: Ints = self.edges[chosen[self.edges[:, 0]] & chosen[self.edges[:, 1]]]
        return found

    def induced(self, items: Ints) -> Graph:
        """The graph on the different vertices ``items``, its vertex ``i`` being ``items[i]``; weights come along."""
        weights = None if self.weights is None else self.weights[items]
        counts = self.degrees[items]
        if 8 * int(counts.sum()) < len(self.edges) and bool((np.diff(items) > 0).all()):
            # few vertices of a large graph: look at their neighbours alone
            near = np.concatenate([np.zeros(0, dtype=np.int64), *(self.neighbours(v) for v in items.tolist())])
            place = np.minimum(np.searchsorted(items, near), len(items) - 1)
            tails = np.repeat(np.arange(len(items)), counts)
            edges = np.column_stack((tails, place))[items[place] == near]
        else:
            number = np.zeros(self.nodes, dtype=np.int64)
            number[items] = np.arange(len(items))
            edges = number[self.inside(items)]
        return Graph(nodes=len(items), edges=edges, weights=weights)

    def dense(self) -> npt.NDArray[np.bool_]:
        """The adjacency matrix, ``bool[n, n]``.

        Raises
        ------
        UnsupportedError
            If the graph has more than :data:`DENSE_LIMIT` vertices.
        """
        if self.nodes > DENSE_LIMIT:
            raise UnsupportedError(
                "E202", f"the complement of a graph on {self.nodes} vertices is too large",
                expected=f"at most {DENSE_LIMIT} vertices",
            )  # fmt: skip
        matrix = np.zeros((self.nodes, self.nodes), dtype=bool)
        u, v = self.edges.T
        matrix[u, v] = matrix[v, u] = True
        return matrix

    def complement(self) -> Graph:
        """The graph of the pairs that are not joined, with the same weights; limited as :meth:`dense`."""
        edges = np.argwhere(np.triu(~self.dense(), 1))
        return Graph(nodes=self.nodes, edges=edges, weights=self.weights)

    def size(self) -> dict[str, int]:
        return {"nodes": self.nodes, "edges": len(self.edges)}


def _canonical(edges: Ints, nodes: int) -> Ints:
    keys = np.unique(edges.min(axis=1) * nodes + edges.max(axis=1)) if len(edges) else np.zeros(0, dtype=np.int64)
    sorted_edges: Ints = np.column_stack((keys // nodes, keys % nodes)).astype(np.int64)
    sorted_edges.setflags(write=False)
    return sorted_edges


def words_of_weights(graph: Graph) -> tuple[str, ...]:
    """Whether vertices or their weights are counted, for people."""
    return ("every vertex counts 1" if graph.weights is None else "vertex weights are summed",)
