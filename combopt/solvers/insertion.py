"""Insertion: the classical construction of routes with time windows, as a baseline and as a first incumbent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.model import Floats, Instance, Ints
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo

NODE_LIMIT = 3000
"""Customers above which one full comparison of places for every customer takes too long."""


@dataclass(frozen=True)
class Insertion(Solver):
    """Sequential insertion I1 of Solomon (1987), section 5.3.

    A route begins with the farthest customer; then the customer with the largest ``c2 = weight * d(0, u) - c1`` is
    put where ``c1 = share * detour + (1 - share) * delay`` is least, until none fits.

    Parameters
    ----------
    weight
        Solomon's lambda.
    share
        Solomon's alpha 1.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="insertion",
        title="Solomon's insertion I1",
        kinds=("vrptw",),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )
    weight: float = 2.0
    share: float = 1.0

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, Vrptw)
        return f"more than {NODE_LIMIT} customers take too long" if instance.customers > NODE_LIMIT else None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Vrptw)
        routes = insertion_routes(instance, self.weight, self.share)
        if routes is not None and (instance.vehicles is None or len(routes) <= instance.vehicles):
            session.emit(Routes(tuple(map(tuple, routes))))
        return Outcome()


def insertion_routes(instance: Vrptw, weight: float = 2.0, share: float = 1.0) -> list[list[int]] | None:
    """Routes that keep loads and time windows, or ``None`` if a customer cannot be served even alone."""
    builder = _Builder(instance)
    routes = []
    left = np.arange(1, instance.nodes)
    while left.size:
        alone = left[builder.served_alone(left)]
        if alone.size < left.size:
            return None
        route = [int(alone[np.argmax(builder.matrix[0, alone])])]
        left = left[left != route[0]]
        while left.size:
            chosen = builder.best_insertion(route, left, weight, share)
            if chosen is None:
                break
            customer, place = chosen
            route.insert(place, customer)
            left = left[left != customer]
        routes.append(route)
    return routes


class _Builder:
    """Distances and times as ``float64``, and the evaluation of all insertions into a route at once."""

    def __init__(self, instance: Vrptw) -> None:
        self.matrix = instance.metric.full().astype(np.float64)
        self.ready, self.due, self.service = (np.asarray(t, dtype=np.float64) for t in instance.times())
        self.demand, self.capacity = instance.demand, instance.capacity

    def served_alone(self, customers: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which customers a vehicle of their own can serve."""
        begin = np.maximum(self.ready[0] + self.matrix[0, customers], self.ready[customers])
        home = begin + self.service[customers] + self.matrix[customers, 0]
        fits = (begin <= self.due[customers]) & (home <= self.due[0])
        return np.asarray(fits & (self.demand[customers] <= self.capacity))

    def best_insertion(self, route: list[int], left: Ints, weight: float, share: float) -> tuple[int, int] | None:
        """The customer and the place that I1 chooses, or ``None`` if nothing fits."""
        left = left[self.demand[left] + int(self.demand[route].sum()) <= self.capacity]
        if not left.size:
            return None
        stops = np.array([0, *route, 0])
        leave, latest = self._times(stops)
        before, after = stops[:-1], stops[1:]
        d = self.matrix
        begin = np.maximum(leave[:-1] + d[before][:, left].T, self.ready[left][:, None])  # [customer, place]
        arrive = begin + self.service[left][:, None] + d[left][:, after]
        fits = (begin <= self.due[left][:, None]) & (arrive <= latest[1:])
        detour = d[before][:, left].T + d[left][:, after] - d[before, after]
        delay = np.maximum(arrive, self.ready[after]) - np.maximum(leave[:-1] + d[before, after], self.ready[after])
        c1 = np.where(fits, share * detour + (1.0 - share) * delay, np.inf)
        place = np.argmin(c1, axis=1)
        least = c1[np.arange(left.size), place]
        if not np.isfinite(least).any():
            return None
        chosen = int(np.argmax(weight * d[0, left] - least))
        return int(left[chosen]), int(place[chosen])

    def _times(self, stops: Ints) -> tuple[Floats, Floats]:
        """When the vehicle leaves each stop at the earliest, and when it must arrive at the latest."""
        leave, latest = np.empty(stops.size), np.empty(stops.size)
        now = self.ready[0]
        for k, stop in enumerate(stops):
            if k:
                now = max(now + self.matrix[stops[k - 1], stop], self.ready[stop]) + self.service[stop]
            leave[k] = now
        limit = self.due[0]
        for k in range(stops.size - 1, -1, -1):
            if k < stops.size - 1:
                limit = min(self.due[stops[k]], limit - self.matrix[stops[k], stops[k + 1]] - self.service[stops[k]])
            latest[k] = limit
        return leave, latest
