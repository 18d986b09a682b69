"""OR-Tools routing: constraint programming with guided local search, the baseline that most people know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.instances.atsp import Atsp
from combopt.instances.cvrp import RouteLength
from combopt.instances.metric import MATRIX_LIMIT, Metric
from combopt.instances.routing import Capacitated
from combopt.instances.solutions import Routes, Tour
from combopt.instances.tsp import Tsp
from combopt.instances.vrptw import Vrptw
from combopt.model import Instance, Solution
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.native import Guard
from combopt.solvers.rounding import rounded_down, rounded_up

TARGET = 1_000_000
"""Largest distance after scaling, where distances or times are no integers."""
LARGEST = 2**40
"""Largest distance or load handed over; beyond it, sums could overflow."""


FOREVER = 1e9
"""Seconds that stand for no limit: the search is given a number."""


@dataclass(frozen=True)
class OrToolsRouting(Solver):
    """Guided local search from a constructed solution.

    Parameters
    ----------
    construction
        OR-Tools' name of the first solution strategy; by default savings, or the cheapest arc for tours.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="ortools_routing",
        title="OR-Tools routing: guided local search",
        kinds=("tsp", "atsp", "cvrp", "ovrp", "vrptw"),
        capabilities=frozenset({Capability.INCUMBENTS, Capability.INTERRUPT, Capability.WARM_START}),
        package="ortools",
    )
    construction: str | None = None

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Tsp, Atsp, Capacitated))
        if isinstance(instance, (Tsp, Atsp)) and len(instance.fixed_edges):
            return "it does not keep fixed edges"
        nodes = len(instance.metric)
        if nodes > MATRIX_LIMIT:
            return f"it needs the full distance matrix, too large for {nodes} nodes"
        matrix = instance.metric.matrix
        if matrix is not None and (matrix.min(initial=0) < 0 or matrix.max(initial=0) > LARGEST):
            return f"a distance is negative or above {LARGEST}"
        if isinstance(instance, Capacitated) and max(instance.capacity, int(instance.demand.max())) > LARGEST:
            return f"a demand is above {LARGEST}"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Tsp, Atsp, Capacitated))
        if len(instance.metric) == 1:
            session.emit(Routes(()) if isinstance(instance, Capacitated) else Tour(np.zeros(1, dtype=np.int64)))
            return Outcome()
        if isinstance(instance, Capacitated) and not fleet_of(instance):
            return Outcome()
        model = _Model(instance)
        model.search(session, self.construction)
        reached = session.budget.iterations is not None and not session.stopping
        return Outcome(stopped_by=StoppedBy.ITERATIONS if reached else StoppedBy.TIME)


def fleet_of(instance: Capacitated) -> int:
    """Vehicles to model: the limit, or as many as can be of use."""
    return instance.customers if instance.vehicles is None else min(instance.vehicles, instance.customers)


class _Model:
    """The routing model; distances are the instance's own, scaled where they are no integers."""

    def __init__(self, instance: Tsp | Atsp | Capacitated) -> None:
        from ortools.constraint_solver import pywrapcp

        self.instance = instance
        self.vehicles = fleet_of(instance) if isinstance(instance, Capacitated) else 1
        lengths = instance.metric.full()
        self.factor = _factor(instance)
        self.distances = np.rint(lengths * self.factor).astype(np.int64) if self.factor != 1.0 else lengths
        self.durations = rounded_up(lengths * self.factor) if self.factor != 1.0 else lengths
        if isinstance(instance, RouteLength) and not instance.closed:
            self.distances, self.durations = self.distances.copy(), self.durations.copy()
            self.distances[:, 0] = self.durations[:, 0] = 0
        self.manager = pywrapcp.RoutingIndexManager(len(instance.metric), self.vehicles, 0)
        self.routing = pywrapcp.RoutingModel(self.manager)
        matrix = self.routing.RegisterTransitMatrix(self.distances.tolist())
        self.routing.SetArcCostEvaluatorOfAllVehicles(matrix)
        if isinstance(instance, Capacitated):
            loads = self.routing.RegisterUnaryTransitVector(instance.demand.tolist())
            self.routing.AddDimension(loads, 0, int(instance.capacity), True, "load")
        self._add_times()

    def _add_times(self) -> None:
        """Time windows, or the limit on route length."""
        instance = self.instance
        steps = self.factor * instance.metric.unit
        if isinstance(instance, RouteLength) and instance.max_length is not None:
            limit = int(rounded_down(instance.max_length * steps))
            spent = self.durations + rounded_up(instance.service * steps)[:, None]
            self.routing.AddDimension(self.routing.RegisterTransitMatrix(spent.tolist()), 0, limit, True, "length")
        elif isinstance(instance, Vrptw):
            ready, due = rounded_up(instance.ready * steps).tolist(), rounded_down(instance.due * steps).tolist()
            spent = self.durations + rounded_up(instance.service * steps)[:, None]
            latest = max(due)
            matrix = self.routing.RegisterTransitMatrix(spent.tolist())
            self.routing.AddDimension(matrix, latest, latest, False, "time")
            time = self.routing.GetDimensionOrDie("time")
            for node in range(1, instance.nodes):
                window = time.CumulVar(self.manager.NodeToIndex(node))
                window.SetRange(ready[node], max(ready[node], due[node]))
            for vehicle in range(self.vehicles):
                time.CumulVar(self.routing.Start(vehicle)).SetRange(ready[0], due[0])
                time.CumulVar(self.routing.End(vehicle)).SetRange(ready[0], due[0])

    def search(self, session: Session, construction: str | None) -> None:
        """Run guided local search; an exception in the callback is kept and raised after the search."""
        routing = self.routing
        parameters = self._parameters(session, construction)
        best: list[int] = []
        guard = Guard(routing.solver().FinishCurrentSearch)

        def at_solution() -> None:
            value = routing.CostVar().Max()
            if not best or value < best[0]:
                best[:] = [value]
                session.emit(self._decode(routing.NextVar, lambda variable: variable.Value()))
            if session.stopping:
                routing.solver().FinishCurrentSearch()

        routing.AddAtSolutionCallback(lambda: guard(at_solution))
        routing.CloseModelWithParameters(parameters)
        session.on_stop(routing.CancelSearch)
        hint = self._hint(session.start)
        if hint is not None:
            routing.SolveFromAssignmentWithParameters(hint, parameters)
        if not best and not session.stopping:
            routing.SolveWithParameters(parameters)
        guard.check()

    def _parameters(self, session: Session, construction: str | None) -> Any:
        from ortools.constraint_solver import pywrapcp, routing_enums_pb2

        tour = not isinstance(self.instance, Capacitated)
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        name = construction or ("PATH_CHEAPEST_ARC" if tour or isinstance(self.instance, Vrptw) else "SAVINGS")
        parameters.first_solution_strategy = getattr(routing_enums_pb2.FirstSolutionStrategy, name.upper())
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromMilliseconds(max(1, int(1000 * min(FOREVER, session.remaining()))))
        if session.budget.iterations is not None:
            parameters.solution_limit = session.budget.iterations
        return parameters

    def _hint(self, start: Solution | None) -> Any:
        if isinstance(start, Tour):
            order = start.order.tolist()
            if sorted(order) != list(range(len(self.instance.metric))):
                return None
            first = order.index(0)
            routes = [order[first + 1 :] + order[:first]]
        elif isinstance(start, Routes):
            routes = [list(route) for route in start.routes if route]
        else:
            return None
        return self.routing.ReadAssignmentFromRoutes(routes, True) if len(routes) <= self.vehicles else None

    def _decode(self, next_var: Any, value: Any) -> Solution:
        routes = []
        for vehicle in range(self.vehicles):
            route = []
            index = value(next_var(self.routing.Start(vehicle)))
            while not self.routing.IsEnd(index):
                route.append(self.manager.IndexToNode(index))
                index = value(next_var(index))
            routes.append(tuple(route))
        if isinstance(self.instance, Capacitated):
            return Routes(tuple(route for route in routes if route))
        return Tour(np.array([0, *routes[0]], dtype=np.int64))


def _factor(instance: Tsp | Atsp | Capacitated) -> float:
    """The factor on the metric's steps: 1 where all is integral, else a power of ten."""
    metric: Metric = instance.metric
    limited = isinstance(instance, RouteLength) and instance.max_length is not None
    service = instance.service * metric.unit if limited else np.zeros(1)  # type: ignore[union-attr]
    if metric.integral and np.array_equal(service, np.rint(service)):
        return 1.0
    largest = float(metric.full().max(initial=1e-300))
    return float(10.0 ** np.floor(np.log10(TARGET / largest)))
