"""Tiny graphs and their heaviest independent set by trying every set of vertices."""

from __future__ import annotations

import numpy as np

from combopt.instances.graph import Graph
from combopt.instances.graph_families import FAMILIES, make
from combopt.instances.mis import Mis


def small(rng: np.random.Generator) -> Mis:
    return Mis(graph=small_graph(rng))


def small_graph(rng: np.random.Generator) -> Graph:
    """Sparse, dense, empty or complete, of any family, with equal, zero, few or many weights."""
    n = int(rng.integers(1, 11))
    density = float(rng.choice([0.0, 0.2, 0.5, 0.8, 1.0, rng.random()]))
    family = str(rng.choice(["erdos-renyi", "erdos-renyi", *FAMILIES]))
    graph = make(rng, family, n, density if family == "erdos-renyi" else None)
    form = int(rng.integers(0, 5))
    if form < 2:
        return graph
    weights = rng.integers(0, [2, 4, 1000][form - 2], graph.nodes)
    return Graph(nodes=graph.nodes, edges=graph.edges, weights=weights)


def best(instance: Mis) -> int:
    joined = {(u, v) for u, v in instance.graph.edges.tolist()}
    return heaviest(instance.graph, lambda u, v: (u, v) not in joined)


def heaviest(graph: Graph, fits: object) -> int:
    """The greatest weight of a set of vertices of which every two, ``u < v``, fit."""
    weights = [1] * graph.nodes if graph.weights is None else graph.weights.tolist()
    sets: list[tuple[list[int], int]] = [([], 0)]
    for v in range(graph.nodes):
        sets += [([*s, v], w + weights[v]) for s, w in sets if all(fits(u, v) for u in s)]  # type: ignore[operator]
    return max(w for _, w in sets)
