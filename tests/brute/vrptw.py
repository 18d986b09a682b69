"""Tiny VRPTW instances and their optima by enumeration."""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.vrptw import Vrptw
from combopt.model import Number


def small(rng: np.random.Generator) -> Vrptw:
    """Up to six customers with windows from wide open to hardly reachable; some instances have no solution."""
    n = int(rng.integers(1, 7))
    rule = str(rng.choice(["EUC_2D", "DIMACS_2D", "EXACT_2D", "EXPLICIT"], p=[0.2, 0.5, 0.15, 0.15]))
    if rule == "EXPLICIT":
        metric = Metric(rule=rule, matrix=rng.integers(0, 25, size=(n + 1, n + 1)))
    else:
        metric = Metric(rule=rule, coordinates=rng.integers(0, 25, size=(n + 1, 2)).astype(float))
    horizon = int(rng.integers(70, 160))
    ready = rng.integers(0, 60, size=n + 1).astype(float)
    ready[0] = float(rng.integers(0, 5)) if rng.random() < 0.3 else 0.0
    due = np.minimum(ready + rng.integers(0, 80, size=n + 1), horizon)
    due = np.maximum(due, ready)
    due[0] = horizon
    demand = np.append(0, rng.integers(0, 6, size=n))
    capacity = max(int(demand.max()), 1) + int(rng.integers(0, 8))
    vehicles = None if rng.random() < 0.4 else int(rng.integers(1, n + 1))
    service = np.append(0.0, rng.integers(0, 6, size=n).astype(float))
    return Vrptw(
        name="tiny-vrptw", metric=metric, demand=demand, capacity=capacity, vehicles=vehicles,
        ready=ready, due=due, service=service,
    )  # fmt: skip


def best(instance: Vrptw) -> Number | None:
    """Optimum by enumeration of routes and of their partitions, or ``None``."""
    unit = instance.metric.unit
    d = instance.metric.full().tolist()
    n = len(d) - 1
    ready, due, service = ((times * unit).tolist() for times in (instance.ready, instance.due, instance.service))
    route: list[Any] = [None] * (1 << n)

    def extend(mask: int, last: int, leave: float, load: int, length: float) -> None:
        """Depth-first over all feasible partial routes; each that can get home is a candidate for its set."""
        if leave + d[last][0] <= due[0] + 1e-7 and (route[mask] is None or length + d[last][0] < route[mask]):
            route[mask] = length + d[last][0]
        for c in range(1, n + 1):
            bit = 1 << (c - 1)
            if mask & bit or load + int(instance.demand[c]) > instance.capacity:
                continue
            begin = max(leave + d[last][c], ready[c])
            if begin <= due[c] + 1e-7:
                extend(mask | bit, c, begin + service[c], load + int(instance.demand[c]), length + d[last][c])

    extend(0, 0, ready[0] + service[0], 0, 0)
    full = (1 << n) - 1
    allowed = n if instance.vehicles is None else min(n, instance.vehicles)
    # cheapest[k][mask]: the customers of mask on k routes
    cheapest: list[dict[int, Any]] = [{0: 0}]
    for _ in range(allowed):
        layer: dict[int, Any] = {}
        for done, cost in cheapest[-1].items():
            free = full & ~done
            part = free
            while part:
                if route[part] is not None and (part & (free & -free)):
                    value = cost + route[part]
                    layer[done | part] = min(layer.get(done | part, value), value)
                part = (part - 1) & free
        cheapest.append(layer)
    values = [layer[full] for layer in cheapest if full in layer]
    return min(values) / unit if unit > 1 and values else min(values, default=None)
