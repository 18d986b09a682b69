"""Tiny graphs and their heaviest clique by trying every set of vertices."""

from __future__ import annotations

import numpy as np

from combopt.instances.clique import Clique
from tests.brute.mis import heaviest, small_graph


def small(rng: np.random.Generator) -> Clique:
    return Clique(graph=small_graph(rng))


def best(instance: Clique) -> int:
    joined = {(u, v) for u, v in instance.graph.edges.tolist()}
    return heaviest(instance.graph, lambda u, v: (u, v) in joined)
