"""HGS-CVRP through hygese: hybrid genetic search with the neighbourhood SWAP* (Vidal 2022)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import MATRIX_LIMIT
from combopt.instances.solutions import Routes
from combopt.model import Floats, Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.savings import savings_routes

SMALLEST = 4
"""Customers below which the package is not called; savings find the optimum or nearly so."""
SMALLEST_AMOUNT, LARGEST_AMOUNT = 0.1, 1e5
"""Of the largest distance and demand: the package refuses others."""
NO_LIMIT = 2**31 - 1
RESERVE = 0.15
"""Seconds kept back at the end: the package looks at its clock once per generation only."""
UNLIMITED = 10.0
"""Seconds of the first run where there is no limit on time."""
SAFETY = 0.9
"""Share of the time left that the second run is given, in case processor time passes more slowly than before."""


@dataclass(frozen=True)
class Hgs(Solver):
    """Hybrid genetic search, the best solver of CVRP with up to some 300 customers in short runs.

    The package can neither be interrupted nor started from a solution, and reports nothing while it runs.  A
    savings solution and a first short run hand over good routes early.  Its clock counts seconds of processor time
    of the whole process, so the second run is planned with the speed that the first one saw.

    Parameters
    ----------
    opening
        Share of the time for the first run.
    granular
        Size of the granular neighbourhood of each customer.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="hgs",
        title="HGS-CVRP: hybrid genetic search",
        kinds=("cvrp",),
        capabilities=frozenset({Capability.INCUMBENTS, Capability.SEED}),
        package="hygese",
        licence="MIT",
    )
    opening: float = 0.1
    granular: int = 20

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, Cvrp)
        if instance.customers > MATRIX_LIMIT:
            return f"it needs the full distance matrix, too large for {instance.customers} customers"
        if not instance.metric.symmetric:
            return "its moves assume symmetric distances"
        if instance.metric.matrix is not None and instance.metric.matrix.min() < 0:
            return "a distance is negative"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Cvrp)
        start = savings_routes(instance)
        if start is not None:
            session.emit(Routes(tuple(map(tuple, start))))
        if instance.customers < SMALLEST or not servable(instance):
            return Outcome()
        if session.budget.iterations is not None:
            self._search(instance, problem(instance), session, 0.0)
            return Outcome(stopped_by=StoppedBy.ITERATIONS)
        self.runs(instance, session, self.opening)
        return Outcome(stopped_by=StoppedBy.TIME)

    def runs(self, instance: Cvrp, session: Session, opening: float) -> None:
        """A short run, which also tells how fast processor time passes, and one that fills the time left; without a
        limit on time, runs of doubling length."""
        data, speed, seconds = problem(instance), 1.0, UNLIMITED
        while session.remaining() == math.inf and not session.stopping:
            self._search(instance, data, session, seconds)
            seconds *= 2.0
        for share in (opening, SAFETY):
            if session.stopping:
                return
            wall, cpu = time.monotonic(), time.process_time()
            self._search(instance, data, session, speed * share * session.remaining(RESERVE))
            spent = time.monotonic() - wall
            speed = (time.process_time() - cpu) / spent if spent > 0.05 else 1.0

    def _search(self, instance: Cvrp, data: dict[str, Any], session: Session, seconds: float) -> None:
        """One run of so many seconds of processor time; 0 for none but the limit on iterations."""
        import hygese

        parameters = hygese.AlgorithmParameters(
            timeLimit=seconds,
            nbIter=session.budget.iterations or 20_000,
            nbGranular=self.granular,
            seed=session.budget.seed,
        )
        found = hygese.Solver(parameters=parameters, verbose=False).solve_cvrp(data)
        if found.routes or not instance.customers:
            session.emit(Routes(tuple(tuple(int(c) for c in route) for route in found.routes)))


def servable(instance: Cvrp) -> bool:
    """Whether every customer can be served on a route of its own, and the fleet holds the demand; HGS-CVRP ends the
    process otherwise."""
    fleet = instance.customers if instance.vehicles is None else instance.vehicles
    if instance.capacity < 1 or instance.demand.max() > instance.capacity or fleet < max(1, instance.fewest):
        return False
    if instance.max_length is None:
        return True
    customers = np.arange(instance.nodes)
    there = instance.metric.between(0, customers) + instance.metric.between(customers, 0)
    return bool((there / instance.metric.unit + instance.service <= instance.max_length).all())


def problem(instance: Cvrp) -> dict[str, Any]:
    """The instance as hygese takes it: our own distances, coordinates for the polar sectors of SWAP* alone."""
    points = instance.metric.coordinates
    points = np.zeros((instance.nodes, 2)) if points is None else points[:, :2] - points[:, :2].min(axis=0)
    distances, demands = instance.metric.full().astype(np.float64), instance.demand.astype(np.float64)
    length, load = in_range(distances), in_range(demands)
    data: dict[str, Any] = {
        "x_coordinates": points[:, 0],
        "y_coordinates": points[:, 1],
        "distance_matrix": distances * length,
        "demands": demands * load,
        "vehicle_capacity": instance.capacity * load,
    }
    if instance.vehicles is not None:
        data["num_vehicles"] = min(instance.vehicles, NO_LIMIT)
    if instance.max_length is not None:
        data["duration_limit"] = instance.max_length * instance.metric.unit * length
        data["service_times"] = instance.service * instance.metric.unit * length
    return data


def in_range(amounts: Floats) -> float:
    """A power of two that brings the largest amount to where the package takes it; 1 if it is there already."""
    largest = float(amounts.max())
    if largest <= 0 or SMALLEST_AMOUNT <= largest <= LARGEST_AMOUNT:
        return 1.0
    return float(2.0 ** math.floor(math.log2(LARGEST_AMOUNT / largest)))
