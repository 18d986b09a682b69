"""The vehicle routing problem with time windows: least total distance, service within each customer's window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from combopt.errors import InputError
from combopt.instances.metric import Metric
from combopt.instances.routing import LARGEST, Capacitated, exceeds, no_depot_service, unknown_family
from combopt.instances.solutions import Routes
from combopt.model import Evaluation, Floats, Ints, Solution, Violation, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class Vrptw(Capacitated):
    """VRPTW with travel time = distance and total distance as the objective (DIMACS 2021, CVRPLIB).

    A vehicle may arrive early and wait; it must start service by ``due`` and be back at the depot by ``due[0]``.

    Parameters
    ----------
    ready, due
        ``float64[n]``: time window for the start of service; for the depot, the first departure and last return.
    service
        ``float64[n]``: duration of service.

    All times are in units of length, whatever the steps in which the metric keeps distances; with an integral
    metric they must be whole numbers of its steps.
    """

    kind: ClassVar[str] = "vrptw"
    name: str = "vrptw"
    ready: Floats
    due: Floats
    service: Floats

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("ready", "due", "service"):
            times = frozen_array(getattr(self, field), np.float64, (self.nodes,), field)
            if not (np.isfinite(times).all() and (times >= 0).all() and (times <= LARGEST).all()):
                raise InputError("E114", f"a time in {field} is out of range", expected=f"0 to {LARGEST}")
            self.whole_steps(times, f"the times in {field}")
            object.__setattr__(self, field, times)
        no_depot_service(self.service)
        late = np.flatnonzero(self.ready > self.due)
        if late.size:
            raise InputError("E120", f"the time window of node {late[0]} ends before it begins")

    def conventions(self) -> tuple[str, ...]:
        return (*super().conventions(), "objective total distance, not the number of routes")

    def times(self) -> tuple[Floats | Ints, Floats | Ints, Floats | Ints]:
        """``ready``, ``due`` and ``service`` in the steps of the metric."""
        return self.steps(self.ready), self.steps(self.due), self.steps(self.service)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Routes)
        violations = self.route_violations(solution)
        routes, steps, starts = self.travel(solution)
        violations += self._time_violations(routes, steps, starts)
        return Evaluation(self.metric.in_length(self.metric.total(steps)), tuple(violations))

    def _time_violations(self, routes: list[Ints], steps: Floats | Ints, starts: Ints) -> list[Violation]:
        """Lateness at each node when every vehicle leaves as early as it can and never skips service."""
        violations = []
        ready, due, service = (times.tolist() for times in self.times())
        legs = steps.tolist()
        for number, (route, first) in enumerate(zip(routes, starts.tolist(), strict=True), 1):
            now = ready[0]
            for leg, node in enumerate([*route.tolist(), 0], first):
                now = max(now + legs[leg], ready[node])
                if exceeds(now, due[node]):
                    where = f"time window of customer {node}" if node else "closing time of the depot"
                    late = float(self.metric.in_length(now - due[node]))
                    message = f"{late:.10g} too late on route {number}"
                    violations.append(Violation(where, late, message))
                now += service[node]
        return violations

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 100, family: str = "r1") -> Self:
        """A random instance in the manner of Solomon (1987), section 4.

        ``family`` is one of ``r1 r2 c1 c2 rc1 rc2``: customers scattered (``r``), clustered (``c``) or half of each,
        with a short (``1``) or a long (``2``) horizon; every customer can be served on a route of its own.
        """
        if family not in ("r1", "r2", "c1", "c2", "rc1", "rc2"):
            raise unknown_family(family, "r1, r2, c1, c2, rc1 or rc2")
        shape, short = family[:-1], family[-1] == "1"
        scattered = {"r": n, "c": 0, "rc": n // 2}[shape]
        centres = rng.integers(10, 91, size=(max(1, (n - scattered) // 10), 2))
        near = centres[rng.integers(len(centres), size=n - scattered)]
        clusters = np.clip(np.rint(near + rng.normal(0, 4, size=near.shape)), 0, 100)
        points = np.concatenate([[[50, 50]], rng.integers(0, 101, size=(scattered, 2)), clusters]).astype(np.float64)
        metric = Metric(rule="DIMACS_2D", coordinates=points)
        service = np.append(0.0, np.full(n, 90.0 if shape == "c" else 10.0))
        horizon = (230.0 if short else 1000.0) + (1000.0 if shape == "c" else 0.0)
        reach = np.ceil(np.hypot(*(points - points[0]).T))
        centre = rng.uniform(reach, horizon - reach - service)
        width = np.abs(rng.normal(30.0 if short else 120.0, 5.0, size=n + 1))
        ready = np.maximum(reach, np.rint(centre - width))
        due = np.maximum(ready, np.minimum(horizon - reach - service, np.rint(centre + width)))
        free = rng.random(n + 1) > rng.choice([0.25, 0.5, 0.75, 1.0])  # only a share has windows
        ready[free], due[free] = 0.0, (horizon - reach - service)[free]
        ready[0], due[0] = 0.0, horizon
        demand = np.append(0, rng.integers(1, 42, size=n))
        return cls(
            name=f"vrptw-{family}-{n}",
            metric=metric,
            demand=demand,
            capacity=200 if short else 1000,
            vehicles=max(n, 1),
            ready=ready,
            due=due,
            service=service,
        )
