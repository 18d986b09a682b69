"""Tiny CVRP instances and their optima by enumeration of partitions and permutations."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import numpy as np

from combopt.instances.cvrp import Cvrp, RouteLength
from combopt.instances.metric import Metric
from combopt.model import Number


def small(rng: np.random.Generator) -> Cvrp:
    """Up to six customers: integral and exact metrics, an asymmetric matrix, tight fleets, length limits, and a few
    instances without a solution."""
    return Cvrp(name="tiny-cvrp", **fields(rng))


def fields(rng: np.random.Generator) -> dict[str, Any]:
    n = int(rng.choice([0, 1, 2, 3, 4, 5, 6], p=[0.03, 0.07, 0.1, 0.1, 0.2, 0.25, 0.25]))
    demand = np.append(0, rng.integers(0, 7, size=n))
    low = max(1, int(demand.max()) - int(rng.random() < 0.06))
    capacity = int(rng.integers(low, low + 8))
    fewest = -(-int(demand.sum()) // capacity)
    found: dict[str, Any] = {"metric": metric(rng, n + 1), "demand": demand, "capacity": capacity}
    if rng.random() < 0.5:
        found["vehicles"] = fewest + int(rng.integers(0, 2))
    if rng.random() < 0.35:
        longest = float(np.max(found["metric"].full()[0]))
        found["max_length"] = float(np.round(longest * rng.uniform(1.9, 4.0)))
        found["service"] = np.append(0.0, rng.integers(0, 3, size=n).astype(float))
    return found


def metric(rng: np.random.Generator, nodes: int) -> Metric:
    rule = str(rng.choice(["EUC_2D", "EXACT_2D", "DIMACS_2D", "EXPLICIT"]))
    if rule == "EXPLICIT":
        return Metric(rule=rule, matrix=rng.integers(0, 30, size=(nodes, nodes)))
    side = int(rng.choice([3, 40]))  # a small square makes equal points and ties
    return Metric(rule=rule, coordinates=rng.integers(0, side + 1, size=(nodes, 2)).astype(float))


def best(instance: RouteLength) -> Number | None:
    """Optimum by dynamic programming over the routes used and the customers served, or ``None``."""
    d = instance.metric.full().tolist()
    unit = instance.metric.unit
    n = len(d) - 1

    def cost(order: tuple[int, ...]) -> float | None:
        stops = (0, *order, 0) if instance.closed else (0, *order)
        length = sum(d[a][b] for a, b in pairwise(stops))
        limit = float("inf") if instance.max_length is None else instance.max_length
        spent = length / unit + sum(instance.service[i] for i in order)
        return length if spent <= limit + 1e-9 else None

    route = [None] * (1 << n)
    for mask in range(1, 1 << n):
        members = [i + 1 for i in range(n) if mask >> i & 1]
        if sum(int(instance.demand[i]) for i in members) <= instance.capacity:
            costs = [c for c in map(cost, permutations(members)) if c is not None]
            route[mask] = min(costs, default=None)
    total = partition(route, n, n if instance.vehicles is None else instance.vehicles)
    return None if total is None else total / unit if unit > 1 else total


def partition(route: list[Any], n: int, vehicles: int) -> Any:
    """Cheapest partition of all customers into at most ``vehicles`` subsets of cost ``route[mask]``."""
    layer: dict[int, Any] = {0: 0}
    for _ in range(min(vehicles, n)):
        following = dict(layer)
        for done, cost in layer.items():
            rest = ((1 << n) - 1) & ~done
            lowest = rest & -rest
            part = rest
            while part:  # the subsets of the rest that hold its lowest customer
                if part & lowest and route[part] is not None:
                    value = cost + route[part]
                    if done | part not in following or value < following[done | part]:
                        following[done | part] = value
                part = (part - 1) & rest
        layer = following
    return layer.get((1 << n) - 1)
