"""What the vehicle routing kinds share: customers with demands, one depot, equal vehicles, and the checks of routes.

Node 0 is the depot, nodes 1..n-1 are the customers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.metric import Distances, Metric
from combopt.instances.solutions import Routes
from combopt.model import Floats, Instance, Ints, Number, Sense, Solution, Violation, frozen_array

SLACK = 1e-9
"""Relative excess over a limit that counts as none where lengths are sums of doubles (the rule EXACT_2D)."""
LARGEST = 2**53
"""Largest demand, capacity or time: beyond it doubles cannot hold every integer."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Capacitated(Instance):
    """One depot and equal vehicles of limited capacity; the base of CVRP, open VRP and VRPTW.

    Parameters
    ----------
    metric
        Distances between the nodes; they need not be symmetric.
    demand
        ``int64[n]``, 0 at the depot and 0 or more elsewhere.
    capacity
        What a vehicle holds, in units of demand.
    vehicles
        The largest number of routes, or ``None`` for a free fleet.
    """

    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Routes
    name: str = "routes"
    metric: Metric
    demand: Ints
    capacity: int
    vehicles: int | None = None

    def __post_init__(self) -> None:
        if not len(self.metric):
            raise InputError("E118", "there is no depot", expected="at least one node")
        object.__setattr__(self, "demand", frozen_array(self.demand, np.int64, (self.nodes,), "demand"))
        if self.demand.min() < 0 or self.demand.max() > LARGEST:
            raise InputError("E114", "a demand is out of range", expected=f"0 to {LARGEST}")
        if self.demand[0]:
            raise InputError("E120", f"the depot has the demand {self.demand[0]}", expected="0")
        _whole_number(self.capacity, "capacity")
        if self.vehicles is not None:
            _whole_number(self.vehicles, "vehicles")

    @property
    def nodes(self) -> int:
        """Number of nodes, the depot included."""
        return len(self.metric)

    @property
    def customers(self) -> int:
        return self.nodes - 1

    @property
    def fewest(self) -> int:
        """A lower bound on the number of routes: total demand over capacity, rounded up."""
        total = int(sum(self.demand.tolist()))
        return -(-total // self.capacity) if self.capacity else int(total > 0)

    def size(self) -> dict[str, int]:
        return {"customers": self.customers} | ({} if self.vehicles is None else {"vehicles": self.vehicles})

    def conventions(self) -> tuple[str, ...]:
        fleet = "unlimited" if self.vehicles is None else f"at most {self.vehicles} routes"
        return (f"distances {self.metric.words}", f"fleet {fleet}")

    def steps(self, lengths: Floats) -> Distances:
        """Lengths or times in the metric's own steps: ``int64`` if it is integral, else ``float64``."""
        return np.rint(lengths * self.metric.unit).astype(np.int64) if self.metric.integral else lengths

    def whole_steps(self, lengths: Floats, what: str) -> None:
        """Raise E113 if the metric is integral and a length or time is no whole number of its steps."""
        scaled = lengths * self.metric.unit
        if self.metric.integral and not (np.abs(scaled - np.rint(scaled)) <= 1e-6).all():
            unit = "whole numbers" if self.metric.unit == 1 else f"multiples of 1/{self.metric.unit}"
            raise InputError(
                "E113", f"{what} must be {unit} where distances are {self.metric.words}",
                remedy="Read the file with another rounding.",
            )  # fmt: skip

    def travel(self, routes: Routes) -> tuple[list[Ints], Distances, Ints]:
        """The known customers of each route that is not empty, all steps driven from depot to depot, and where each
        route starts among these steps (``int64[r]``)."""
        used = [route for route in routes.routes if route]
        nodes = [np.array([c for c in route if 0 < c < self.nodes], dtype=np.int64) for route in used]
        depot = np.zeros(1, dtype=np.int64)
        path = np.concatenate([part for route in nodes for part in (depot, route)] + [depot])
        starts = np.cumsum([0, *(route.size + 1 for route in nodes)], dtype=np.int64)[:-1]
        return nodes, self.metric.between(path[:-1], path[1:]), starts

    def route_violations(self, routes: Routes) -> list[Violation]:
        """What all kinds have in common: every customer once, capacity, number of routes; empty routes do not
        count, and routes are numbered from 1 without them."""
        used = [route for route in routes.routes if route]
        violations = visit_violations(used, self.nodes)
        if self.vehicles is not None and len(used) > self.vehicles:
            excess = len(used) - self.vehicles
            message = f"{len(used)} routes, but only {self.vehicles} vehicles"
            violations.append(Violation("fleet", excess, message))
        for number, route in enumerate(used, 1):
            load = sum(int(self.demand[c]) for c in route if 0 < c < self.nodes)
            if load > self.capacity:
                message = f"load {load} exceeds the capacity {self.capacity}"
                violations.append(Violation(f"route {number}", load - self.capacity, message))
        return violations


def _whole_number(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= LARGEST:
        raise InputError("E114", f"{what} is {value!r}", expected=f"a whole number, 0 to {LARGEST}")


def no_depot_service(service: Floats) -> None:
    """Raise if the depot has a service time: papers do not agree on whether it counts at the start or at the end."""
    if service[0]:
        raise InputError("E120", f"the depot has the service time {service[0]:g}", expected="0")


def visit_violations(routes: Sequence[Sequence[int]], nodes: int) -> list[Violation]:
    """One violation for every customer that is unknown, missing, or visited twice."""
    visits = [c for route in routes for c in route]
    violations = [Violation(f"customer {c}", 1, "does not exist") for c in visits if not 0 < c < nodes]
    known = np.array([c for c in visits if 0 < c < nodes], dtype=np.int64)
    counts = np.bincount(known, minlength=nodes)
    for c in (np.flatnonzero(counts[1:] != 1) + 1).tolist():
        message = "is not visited" if counts[c] == 0 else f"is visited {counts[c]} times"
        violations.append(Violation(f"customer {c}", abs(int(counts[c]) - 1), message))
    return violations


def exceeds(value: Number, limit: Number) -> bool:
    """Whether a length or time is above its limit: exactly for integers, beyond rounding errors for doubles."""
    if isinstance(value, int) and isinstance(limit, int):
        return value > limit
    return value > limit + SLACK * max(1.0, abs(limit))


def uniform_customers(rng: np.random.Generator, n: int) -> tuple[Floats, Ints, int]:
    """Points of the unit square, demands 1..9 and the capacity that Nazari et al. (2018) and Kool et al. (2019)
    use for ``n`` customers: 20 for 10, 30 for 20, 40 for 50, 50 for 100; beyond that as in later work."""
    sizes, capacities = (10, 20, 50, 100, 200, 500, 1000), (20, 30, 40, 50, 80, 100, 250)
    capacity = round(float(np.interp(n, sizes, capacities)))
    demand = np.append(0, rng.integers(1, 10, size=n))
    return rng.random((n + 1, 2)), demand, capacity


def unknown_family(family: str, known: str) -> UsageError:
    return UsageError("E201", f"family {family!r}", expected=known)
