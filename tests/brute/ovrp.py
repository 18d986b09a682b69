"""Tiny open VRP instances and their optima by enumeration."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.ovrp import Ovrp
from combopt.model import Number


def small(rng: np.random.Generator) -> Ovrp:
    """Up to five customers; half of the instances have a fleet so small that it binds, a few no solution."""
    n = int(rng.integers(1, 6))
    demand = np.append(0, rng.integers(1, 6, size=n))
    capacity = int(demand.max()) + int(rng.integers(0, 6)) - int(rng.random() < 0.05)
    vehicles = None if rng.random() < 0.4 else -(-int(demand.sum()) // capacity) + int(rng.integers(0, 2))
    if rng.random() < 0.3:
        metric = Metric(rule="EXPLICIT", matrix=rng.integers(1, 20, size=(n + 1, n + 1)))
    else:
        rule = str(rng.choice(["EUC_2D", "EXACT_2D"]))
        metric = Metric(rule=rule, coordinates=rng.integers(0, 30, size=(n + 1, 2)).astype(float))
    limit = float(rng.integers(30, 70)) if rng.random() < 0.3 else None
    return Ovrp(name="tiny-ovrp", metric=metric, demand=demand, capacity=capacity, vehicles=vehicles, max_length=limit)


def best(instance: Ovrp) -> Number | None:
    """Optimum over all orders of the customers and all ways to cut them into routes, or ``None``."""
    d = instance.metric.full().tolist()
    n = len(d) - 1
    allowed = n if instance.vehicles is None else instance.vehicles
    found = [
        value for order in permutations(range(1, n + 1)) if (value := _cut(instance, d, order, allowed)) is not None
    ]
    return min(found, default=None)


def _cut(instance: Ovrp, d: Any, order: tuple[int, ...], allowed: int) -> Any:
    """Cheapest cut of one order into at most ``allowed`` routes."""
    layer: dict[int, Any] = {0: 0}
    for _ in range(allowed):
        following = dict(layer)
        for start, cost in layer.items():
            load, length, at = 0, 0, 0
            for end in range(start, len(order)):
                load += int(instance.demand[order[end]])
                length += d[at][order[end]]
                at = order[end]
                if load > instance.capacity:
                    break
                if instance.max_length is not None and length > instance.max_length + 1e-9:
                    break
                if end + 1 not in following or cost + length < following[end + 1]:
                    following[end + 1] = cost + length
        layer = following
    return layer.get(len(order))
