"""The capacitated vehicle routing problem: routes from and to one depot, of least total length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from combopt.errors import InputError
from combopt.instances.metric import Metric
from combopt.instances.routing import Capacitated, exceeds, no_depot_service, uniform_customers, unknown_family
from combopt.instances.solutions import Routes
from combopt.model import Evaluation, Floats, Ints, Solution, Violation, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class RouteLength(Capacitated):
    """Routes whose length may be limited; the base of CVRP and open VRP.

    Parameters
    ----------
    max_length
        Longest length of a route, service times included (CVRPLIB's DISTANCE), or ``None``.
    service
        ``float64[n]``: service time of every customer, in units of length; it counts towards ``max_length``
        alone, never towards the objective.
    """

    closed: ClassVar[bool] = True
    max_length: float | None = None
    service: Floats = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        super().__post_init__()
        service = np.zeros(self.nodes) if self.service is None else self.service
        object.__setattr__(self, "service", frozen_array(service, np.float64, (self.nodes,), "service"))
        if not (np.isfinite(self.service).all() and (self.service >= 0).all()):
            raise InputError("E114", "a service time is out of range", expected="0 or more")
        no_depot_service(self.service)
        if self.max_length is not None:
            if not (math.isfinite(self.max_length) and self.max_length >= 0):
                raise InputError("E114", f"max_length is {self.max_length}", expected="0 or more")
            object.__setattr__(self, "max_length", float(self.max_length))

    def conventions(self) -> tuple[str, ...]:
        found = super().conventions()
        if self.max_length is not None:
            service = ", service times included" if self.service.any() else ""
            found += (f"routes at most {self.max_length:g} long{service}",)
        return found

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Routes)
        violations = self.route_violations(solution)
        routes, steps, starts = self.travel(solution)
        if not self.closed:
            # the step into the depot is the last of each route: the one before the next starts
            steps = steps.copy()
            steps[np.append(starts[1:], steps.size)[: starts.size] - 1] = 0
        if self.max_length is not None:
            violations += self._length_violations(routes, steps, starts)
        return Evaluation(self.metric.in_length(self.metric.total(steps)), tuple(violations))

    def _length_violations(self, routes: list[Ints], steps: Floats | Ints, starts: Ints) -> list[Violation]:
        assert self.max_length is not None
        violations = []
        ends = np.append(starts[1:], steps.size)
        for number, (route, start, end) in enumerate(zip(routes, starts, ends, strict=False), 1):
            service = math.fsum(self.service[route].tolist())
            length = self.metric.in_length(self.metric.total(steps[start:end])) + service
            if exceeds(float(length), self.max_length):
                message = f"length {length:.10g} exceeds {self.max_length:.10g}"
                violations.append(Violation(f"length of route {number}", float(length) - self.max_length, message))
        return violations

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 100, family: str = "uniform") -> Self:
        """A random instance with ``n`` customers.

        ``uniform``: the unit square, as in learning papers (:func:`~combopt.instances.routing.uniform_customers`),
        distances not rounded.  ``x``: as the set X of Uchoa et al. (2017), section 4, with its attributes (depot,
        customers, demands, mean route size) drawn at random; distances rounded.
        """
        if family == "uniform":
            points, demand, capacity = uniform_customers(rng, n)
            metric = Metric(rule="EXACT_2D", coordinates=points)
        elif family == "x":
            points, demand, capacity = x_customers(rng, n)
            metric = Metric(rule="EUC_2D", coordinates=points)
        else:
            raise unknown_family(family, "uniform or x")
        return cls(name=f"{cls.kind}-{family}-{n}", metric=metric, demand=demand, capacity=capacity)


@dataclass(frozen=True, eq=False, kw_only=True)
class Cvrp(RouteLength):
    """Capacitated vehicle routing: every customer on one route, loads within the capacity; see the bases."""

    kind: ClassVar[str] = "cvrp"
    name: str = "cvrp"


def x_customers(rng: np.random.Generator, n: int) -> tuple[Floats, Ints, int]:
    """Points ``float64[n+1, 2]`` of the grid [0, 1000]^2, demands and capacity after Uchoa et al. (2017)."""
    depot = (rng.integers(0, 1001, size=2), np.array([500, 500]), np.array([0, 0]))[rng.integers(3)]
    scattered = (n, 0, n // 2)[rng.integers(3)]
    customers = np.concatenate([rng.integers(0, 1001, size=(scattered, 2)), _clustered(rng, n - scattered)])
    demand = _demands(rng, customers)
    route_size = rng.triangular(3, 6, 25)
    capacity = max(math.ceil(route_size * int(demand.sum()) / n), int(demand.max())) if n else 1
    points = np.concatenate([depot[None, :], customers]).astype(np.float64)
    return points, np.append(0, demand), capacity


def _clustered(rng: np.random.Generator, n: int) -> Ints:
    """Customers that are drawn to 3..8 random seeds with probability ``sum_s exp(-d(p, s) / 40)``."""
    seeds = rng.integers(0, 1001, size=(rng.integers(3, 9), 2))
    found = seeds[:0]
    while len(found) < n:
        points = rng.integers(0, 1001, size=(20 * (n - len(found)) + 100, 2))
        distances = np.sqrt(((points[:, None, :] - seeds[None, :, :]) ** 2).sum(axis=-1))
        kept = points[rng.random(len(points)) < np.exp(-distances / 40).sum(axis=1)]
        found = np.concatenate([found, kept])
    return found[:n]


def _demands(rng: np.random.Generator, points: Ints) -> Ints:
    """One of the seven demand types: unit, four intervals, by quadrant, many small and few large."""
    n = len(points)
    kind = rng.integers(7)
    intervals = ((1, 1), (1, 10), (5, 10), (1, 100), (50, 100))
    if kind < 5:
        low, high = intervals[kind]
        return rng.integers(low, high + 1, size=n)
    small, large = rng.integers(1, 51, size=n), rng.integers(51, 101, size=n)
    if kind == 5:
        even = (points[:, 0] < 500) == (points[:, 1] < 500)
        return np.where(even, small, large)
    many = rng.random(n) < rng.uniform(0.7, 0.95)
    return np.where(many, rng.integers(1, 11, size=n), rng.integers(50, 101, size=n))
