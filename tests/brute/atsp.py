"""Tiny asymmetric TSP instances and their optima by enumeration."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np

from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.model import Number


def small(rng: np.random.Generator) -> Atsp:
    """1 to 8 nodes, with zero, negative and prohibitive distances, and fixed arcs in some."""
    n = int(rng.integers(1, 9))
    low = -5 if rng.random() < 0.2 else 0
    matrix = rng.integers(low, int(rng.choice([3, 30, 100_000])), size=(n, n))
    if rng.random() < 0.2:
        matrix[rng.random((n, n)) < 0.3] = 9_999_999
    fixed = np.zeros((0, 2), dtype=np.int64)
    if n > 1 and rng.random() < 0.3:
        tour = rng.permutation(n)
        arcs = np.stack([tour, np.roll(tour, -1)], axis=1)
        fixed = arcs[rng.random(n) < rng.choice([0.2, 0.7])]
    return Atsp(name="tiny-atsp", metric=Metric(rule="EXPLICIT", matrix=matrix), fixed_edges=fixed)


def best(instance: Atsp) -> Number | None:
    """The shortest of all tours with the fixed arcs, which cost nothing."""
    n = instance.nodes
    costs = np.array(instance.metric.full())
    free = np.zeros((n, n), dtype=bool)
    for a, b in instance.fixed_edges.tolist():
        free[a, b] = True
    tours = _all_tours(n)
    following = np.roll(tours, -1, axis=1)
    kept = free[tours, following].sum(axis=1) == free.sum()
    lengths = np.where(free, 0, costs)[tours, following].sum(axis=1)[kept]
    return None if lengths.size == 0 else int(lengths.min())


@cache
def _all_tours(n: int) -> np.ndarray:
    return np.array([(0, *rest) for rest in permutations(range(1, n))])
