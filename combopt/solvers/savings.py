"""Savings: the classical construction of vehicle routes, as a baseline and as a first incumbent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.cvrp import RouteLength
from combopt.instances.metric import Distances
from combopt.instances.solutions import Routes
from combopt.model import Instance, Ints
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.route_neighbours import near_pairs


@dataclass(frozen=True)
class Savings(Solver):
    """Parallel savings of Clarke and Wright (1964), open routes after Bodin et al. (1983).

    Parameters
    ----------
    neighbours
        Only links between a customer and so many of its nearest are considered (Arnold et al. 2019).
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="savings",
        title="Clarke and Wright savings",
        kinds=("cvrp", "ovrp"),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )
    neighbours: int = 100

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, RouteLength)
        routes = savings_routes(instance, self.neighbours)
        if routes is not None:
            session.emit(Routes(tuple(map(tuple, routes))))
        return Outcome()


def savings_routes(instance: RouteLength, neighbours: int = 100) -> list[list[int]] | None:
    """Routes by savings, then fitted to the fleet; ``None`` if that fails or a customer cannot be served at all."""
    merger = _Merger(instance)
    if not merger.possible:
        return None
    pairs, savings = _links(instance, neighbours, merger.directed)
    for (i, j), saving in zip(pairs.tolist(), savings.tolist(), strict=True):
        merger.join(i, j, saving)
    routes = merger.routes()
    if instance.vehicles is None or len(routes) <= instance.vehicles:
        return routes
    return fit_to_fleet(instance, routes, instance.vehicles)


def _links(instance: RouteLength, neighbours: int, directed: bool) -> tuple[Ints, Distances]:
    """Links (i, j) with a positive saving, the largest first."""
    pairs = near_pairs(instance.metric, neighbours)
    if not directed:
        keys = np.unique(pairs.min(axis=1) * instance.nodes + pairs.max(axis=1))
        pairs = np.stack([keys // instance.nodes, keys % instance.nodes], axis=1)
    i, j = pairs[:, 0], pairs[:, 1]
    metric = instance.metric
    savings = metric.between(0, j) - metric.between(i, j)
    if instance.closed:
        savings = savings + metric.between(i, 0)
    order = np.argsort(-savings, kind="stable")
    order = order[savings[order] > 0]
    return pairs[order], savings[order]


class _Merger:
    """Routes under construction: links between customers, and load and length by the root of each route.

    On a symmetric closed problem a link has no direction, which spares turning routes round.
    """

    def __init__(self, instance: RouteLength) -> None:
        n = instance.nodes
        customers = np.arange(n)
        metric = instance.metric
        self.directed = not (instance.closed and metric.symmetric)
        self._capacity = instance.capacity
        self._load = instance.demand.tolist()
        length = metric.between(0, customers) + (metric.between(customers, 0) if instance.closed else 0)
        limit = instance.max_length
        self._limit = np.inf if limit is None else limit * metric.unit * (1 + 1e-12)
        service = 0.0 if limit is None else instance.service * metric.unit
        self._length = (length + service).tolist()
        self._root = list(range(n))
        self._next: list[list[int]] = [[] for _ in range(n)]
        self._before = [0] * n
        self.possible = max(self._load) <= self._capacity and max(self._length) <= self._limit

    def _find(self, customer: int) -> int:
        root = self._root
        while root[customer] != customer:
            root[customer] = customer = root[root[customer]]
        return customer

    def join(self, i: int, j: int, saving: float) -> None:
        """Link ``i`` to ``j`` if both are ends of different routes that fit together."""
        if self.directed:
            if self._next[i] or self._before[j]:
                return
        elif len(self._next[i]) > 1 or len(self._next[j]) > 1:
            return
        a, b = self._find(i), self._find(j)
        if a == b or self._load[a] + self._load[b] > self._capacity:
            return
        if self._length[a] + self._length[b] - saving > self._limit:
            return
        self._root[b] = a
        self._load[a] += self._load[b]
        self._length[a] += self._length[b] - saving
        self._next[i].append(j)
        if self.directed:
            self._before[j] = i
        else:
            self._next[j].append(i)

    def routes(self) -> list[list[int]]:
        """The routes, read off from their ends."""
        found = []
        seen = [False] * len(self._root)
        for start in range(1, len(self._root)):
            if seen[start] or (self._before[start] if self.directed else len(self._next[start]) > 1):
                continue
            route = []
            at: int | None = start
            while at is not None:
                seen[at] = True
                route.append(at)
                at = next((c for c in self._next[at] if not seen[c]), None)
            found.append(route)
        return found


def fit_to_fleet(instance: RouteLength, routes: list[list[int]], fleet: int) -> list[list[int]] | None:
    """At most ``fleet`` routes: the customers of the lightest ones go elsewhere, the largest first, each to where
    it costs least; failing that, loads are packed anew by best fit decreasing.  ``None`` if no way is found."""
    demand = instance.demand.tolist()
    by_load = sorted(routes, key=lambda route: sum(demand[c] for c in route), reverse=True)
    kept, rest = [list(route) for route in by_load[:fleet]], [c for route in by_load[fleet:] for c in route]
    kept += [[] for _ in range(fleet - len(kept))]
    if not fleet:
        return None if rest else []
    found = _inserted(instance, kept, sorted(rest, key=lambda c: -demand[c]), tightest=False)
    if found is not None:
        return found
    empty: list[list[int]] = [[] for _ in range(fleet)]
    everyone = sorted((c for route in routes for c in route), key=lambda c: -demand[c])
    return _inserted(instance, empty, everyone, tightest=True)


def _inserted(
    instance: RouteLength, routes: list[list[int]], customers: list[int], *, tightest: bool
) -> list[list[int]] | None:
    """Insert each customer where it costs least, or (``tightest``) into the fullest route that has room."""
    demand = instance.demand
    loads = [int(demand[route].sum()) if route else 0 for route in routes]
    for customer in customers:
        room = [r for r in range(len(routes)) if loads[r] + int(demand[customer]) <= instance.capacity]
        choices = []
        for r in room:
            cost, place = _cheapest_place(instance, routes[r], customer)
            longer = [*routes[r][:place], customer, *routes[r][place:]]
            if instance.max_length is None or _fits(instance, longer):
                choices.append((-loads[r] if tightest else cost, cost, r, place))
        if not choices:
            return None
        _, _, r, place = min(choices)
        routes[r].insert(place, customer)
        loads[r] += int(demand[customer])
    return [route for route in routes if route]


def _cheapest_place(instance: RouteLength, route: list[int], customer: int) -> tuple[float, int]:
    metric = instance.metric
    stops = np.array([0, *route, 0])
    cost = metric.between(stops[:-1], customer) + metric.between(customer, stops[1:])
    cost = cost - metric.between(stops[:-1], stops[1:])
    if not instance.closed:
        cost[-1] = metric.between(stops[-2], customer)
    place = int(np.argmin(cost))
    return float(cost[place]), place


def _fits(instance: RouteLength, route: list[int]) -> bool:
    """Whether the route keeps the limit on its length."""
    assert instance.max_length is not None
    stops = np.array([0, *route, 0] if instance.closed else [0, *route])
    length = instance.metric.in_length(instance.metric.path(stops)) + float(instance.service[route].sum())
    return length <= instance.max_length * (1 + 1e-12)
