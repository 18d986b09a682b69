"""PyVRP models of CVRP, open VRP and VRPTW."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.cvrp import RouteLength
from combopt.instances.metric import Distances
from combopt.instances.routing import Capacitated
from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.model import Instance, Ints, Solution
from combopt.solvers.insertion import insertion_routes
from combopt.solvers.pyvrp.view import PyvrpView
from combopt.solvers.rounding import rounded_down, rounded_up
from combopt.solvers.savings import savings_routes

if TYPE_CHECKING:
    import pyvrp

TARGET = 1_000_000
"""Largest distance after scaling where distances or times are no integers."""
LARGEST = 1_000_000_000
"""Largest distance handed over as it is; beyond it, sums with penalties could overflow."""
INSERTION_LIMIT = 400
"""Customers above which PyVRP has its first solution as soon as insertion has."""
PENALTY = 100_000
"""PyVRP's largest penalty for a unit of excess load."""


def first(instance: Instance) -> Solution | None:
    """Routes by savings, with time windows by insertion; none where that fails or would take too long."""
    if isinstance(instance, Vrptw):
        routes = insertion_routes(instance) if instance.customers <= INSERTION_LIMIT else None
    else:
        assert isinstance(instance, RouteLength)
        routes = savings_routes(instance)
    if routes is None or (instance.vehicles is not None and len(routes) > instance.vehicles):
        return None
    return Routes(tuple(map(tuple, routes)))


def build(instance: Instance) -> PyvrpView:
    """The model; a free fleet becomes as many vehicles as there are customers.

    A bound on the fleet close to the fewest vehicles that hold the demand helps some instances of the set X
    (X-n200-k36: 2.0 % to 0.6 % above the best known value in 20 s) and harms others (X-n895-k37: 2.5 % to 5.5 % in
    10 s), so there is none.
    """
    assert isinstance(instance, Capacitated)
    return _Model(instance).view()


@dataclass(frozen=True)
class _Model:
    """Our own distances, scaled where they are no integers; PyVRP's are integers throughout.

    Scaled times are rounded against us (travel and service up, limits down), so that what PyVRP holds feasible is.
    """

    instance: Capacitated

    @property
    def most(self) -> int:
        """As many vehicles as can ever be of use."""
        limit = self.instance.vehicles
        return self.instance.customers if limit is None else min(limit, self.instance.customers)

    def view(self) -> PyvrpView:
        fleet = self.most
        data = self._data(fleet)

        def encode(start: Solution) -> pyvrp.Solution | None:
            import pyvrp

            assert isinstance(start, Routes)
            visits = [[c - 1 for c in route] for route in start.routes if route]
            return pyvrp.Solution(data, visits) if len(visits) <= fleet else None

        # few neighbours make iterations twice as fast; with time windows near is not all that counts
        return PyvrpView(data, decode, encode, neighbours=50 if isinstance(self.instance, Vrptw) else 20)

    def _data(self, fleet: int) -> pyvrp.ProblemData:
        import pyvrp

        instance = self.instance
        lengths = instance.metric.full()
        factor = scale(instance, lengths)
        distances = lengths if factor == 1.0 else np.rint(lengths * factor).astype(np.int64)
        durations = lengths if factor == 1.0 else rounded_up(lengths * factor)
        if isinstance(instance, RouteLength) and not instance.closed:
            distances, durations = distances.copy(), durations.copy()
            distances[:, 0] = durations[:, 0] = 0
        loads, capacity = self._loads(int(distances.max(initial=0)), fleet)
        points = instance.metric.coordinates
        points = np.zeros((instance.nodes, 2)) if points is None else points
        early, late, service = self._times(factor)
        limits = {"tw_early": int(early[0]), "tw_late": int(late[0])} if isinstance(instance, Vrptw) else {}
        if isinstance(instance, RouteLength) and instance.max_length is not None:
            limits["shift_duration"] = int(rounded_down(instance.max_length * factor * instance.metric.unit))
        clients = [
            pyvrp.Client(i, delivery=[load], service_duration=stay, tw_early=first, tw_late=last)
            for i, (load, stay, first, last) in enumerate(
                zip(loads[1:], service[1:].tolist(), early[1:].tolist(), late[1:].tolist(), strict=True), 1
            )
        ]
        return pyvrp.ProblemData(
            locations=[pyvrp.Location(float(row[0]), float(row[1])) for row in points],
            clients=clients,
            depots=[pyvrp.Depot(0)],
            vehicle_types=[pyvrp.VehicleType(max(1, fleet), [capacity], **limits)],
            distance_matrices=[distances],
            duration_matrices=[durations],
        )

    def _loads(self, largest: int, fleet: int) -> tuple[list[int], int]:
        """Demands and capacity in units for which PyVRP's penalties are neither too weak nor overflow."""
        instance = self.instance
        demand, capacity = instance.demand.tolist(), int(instance.capacity)
        shrink = 1 << max(0, sum(demand).bit_length() - 40)
        if shrink > 1:
            return [-(-d // shrink) for d in demand], capacity // shrink
        if fleet == 0:  # nothing can be served; PyVRP wants a vehicle all the same
            return [max(1, d) for d in demand], 0
        grow = -(-70 * largest // PENALTY) if largest > 20_000 else 1
        return [grow * d for d in demand], grow * capacity

    def _times(self, factor: float) -> tuple[Ints, Ints, Ints]:
        """Time windows and service times, scaled as the durations are."""
        instance, forever = self.instance, np.iinfo(np.int64).max
        steps = factor * instance.metric.unit
        if isinstance(instance, Vrptw):
            ready, due = rounded_up(instance.ready * steps), rounded_down(instance.due * steps)
            return ready, np.maximum(ready, due), rounded_up(instance.service * steps)
        assert isinstance(instance, RouteLength)
        none = np.zeros(instance.nodes, dtype=np.int64)
        service = none if instance.max_length is None else rounded_up(instance.service * steps)
        return none, np.full(instance.nodes, forever), service


def decode(found: pyvrp.Solution) -> Solution:
    """The routes, customers counted from 1."""
    return Routes(tuple(tuple(step.idx + 1 for step in route if step.is_client()) for route in found.routes()))


def scale(instance: Capacitated, lengths: Distances) -> float:
    """The factor on the metric's steps: 1 where all is integral and not too large, else a power of ten."""
    limited = isinstance(instance, RouteLength) and instance.max_length is not None
    service = instance.service * instance.metric.unit if limited else np.zeros(1)  # type: ignore[attr-defined]
    largest = float(lengths.max(initial=1e-300))
    if instance.metric.integral and np.array_equal(service, np.rint(service)) and largest <= LARGEST:
        return 1.0
    return float(10.0 ** np.floor(np.log10(TARGET / largest)))
