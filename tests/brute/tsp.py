"""Tiny TSP instances and their optima by enumeration."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np

from combopt.instances.metric import RULES, Metric
from combopt.instances.tsp import Tsp
from combopt.model import Number


def small(rng: np.random.Generator) -> Tsp:
    """1 to 8 nodes under any rule, with equal points, zero and negative distances, and fixed edges in some."""
    n = int(rng.integers(1, 9))
    rule = str(rng.choice(["EXPLICIT", *RULES]))
    if rule == "EXPLICIT":
        low = -5 if rng.random() < 0.2 else 0
        upper = np.triu(rng.integers(low, int(rng.choice([3, 30, 100_000])), size=(n, n)), 1)
        metric = Metric(rule=rule, matrix=upper + upper.T)
    else:
        points = rng.integers(0, int(rng.choice([3, 80])), size=(n, RULES[rule].dimension)).astype(float)
        metric = Metric(rule=rule, coordinates=points + (0.25 if rng.random() < 0.3 else 0.0))
    fixed = np.zeros((0, 2), dtype=np.int64)
    if n > 1 and rng.random() < 0.3:
        tour = rng.permutation(n)
        edges = np.stack([tour, np.roll(tour, -1)], axis=1)
        fixed = edges[rng.random(n) < rng.choice([0.2, 0.7])]
    return Tsp(name="tiny-tsp", metric=metric, fixed_edges=fixed)


def best(instance: Tsp) -> Number | None:
    """The shortest of all tours with the fixed edges, which cost nothing."""
    n = instance.nodes
    costs = np.array(instance.metric.full())
    free = np.zeros((n, n), dtype=bool)
    for a, b in instance.fixed_edges.tolist():
        free[a, b] = free[b, a] = True
    edges = len({(min(e), max(e)) for e in instance.fixed_edges.tolist()})
    wanted = edges * (2 if n == 2 else 1)  # with two nodes the one edge is walked twice
    return shortest(costs, free, wanted, instance.metric.unit)


def shortest(costs: np.ndarray, free: np.ndarray, wanted: int, unit: int) -> Number | None:
    """Least cost over all tours that use ``wanted`` of the free edges."""
    tours = all_tours(len(costs))
    following = np.roll(tours, -1, axis=1)
    kept = free[tours, following].sum(axis=1) == wanted
    lengths = np.where(free, 0, costs)[tours, following].sum(axis=1)[kept]
    return None if lengths.size == 0 else lengths.min().item() / unit if unit > 1 else lengths.min().item()


@cache
def all_tours(n: int) -> np.ndarray:
    """All orders that begin with node 0."""
    return np.array([(0, *rest) for rest in permutations(range(1, n))])
