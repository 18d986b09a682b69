"""Tiny graphs and the least number of colours by trying every colouring, the first use of colours in order."""

from __future__ import annotations

import numpy as np

from combopt.instances.coloring import Coloring
from combopt.instances.graph_families import FAMILIES


def small(rng: np.random.Generator) -> Coloring:
    n = int(rng.integers(1, 12))
    family = str(rng.choice(["erdos-renyi", "erdos-renyi", *FAMILIES]))
    density = float(rng.choice([0.0, 0.2, 0.5, 0.8, 1.0, rng.random()])) if family == "erdos-renyi" else None
    return Coloring.generate(rng, n=n, family=family, density=density)


def best(instance: Coloring) -> int:
    n = instance.graph.nodes
    before: list[list[int]] = [[] for _ in range(n)]
    for u, v in instance.graph.edges.tolist():
        before[v].append(u)
    colour = [0] * n

    def needed(v: int, used: int, limit: int) -> bool:
        """Whether the vertices from ``v`` on can be coloured, ``used`` of ``limit`` colours being in use."""
        if v == n:
            return True
        around = {colour[u] for u in before[v]}
        for c in range(min(used + 1, limit)):
            if c not in around:
                colour[v] = c
                if needed(v + 1, max(used, c + 1), limit):
                    return True
        return False

    return next(k for k in range(1, n + 1) if needed(0, 0, k))
