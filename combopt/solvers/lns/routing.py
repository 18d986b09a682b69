"""The solver ``routing_lns``: large neighbourhood search for vehicle routing, by PyVRP and SISR on some routes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from combopt.errors import UsageError
from combopt.instances.cvrp import RouteLength
from combopt.instances.metric import Metric
from combopt.instances.routing import Capacitated
from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.model import Floats, Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers import string_removal
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.insertion import NODE_LIMIT, insertion_routes
from combopt.solvers.lns.engine import Attempt, Ending, Found, State
from combopt.solvers.lns.loop import Incumbent, Inside, NeighbourhoodSolver, Pace, drive, listed
from combopt.solvers.lns.sizes import Sizes
from combopt.solvers.pyvrp import solver as pyvrp_solver
from combopt.solvers.pyvrp.solver import Pyvrp
from combopt.solvers.savings import savings_routes
from combopt.solvers.string_removal import StringRemoval

RouteTuple = tuple[tuple[int, ...], ...]

SLICES, SHORTEST, LONGEST = 25, 0.1, 5.0
"""A search takes at most this part of the time limit; least and most seconds of one."""
LONGEST_OPENING = 60.0
"""Most seconds of the run on the whole where there is no limit on time."""
EACH = 0.005
"""Most seconds of a search for each customer of the part."""
OPENING = {"cvrp": 0.5, "ovrp": 0.5, "vrptw": 0.1}
"""Share of the time for a run on the whole.  SISR cools over all its time, and what it reaches from hot routes parts
make up for slowly; PyVRP on the whole gets ahead fast only at first."""


def part_of(instance: Capacitated, routes: RouteTuple, chosen: tuple[int, ...]) -> tuple[Capacitated, Ints]:
    """The instance of the customers of some routes, and the node that each of its nodes is in the whole.

    Its fleet is what the other routes leave.  Any solution of it takes the place of the chosen routes, and the
    objective of the whole changes by just as much as that of the part.
    """
    nodes = np.array([0, *sorted(c for r in chosen for c in routes[r])], dtype=np.int64)
    metric = instance.metric
    small = Metric(
        rule=metric.rule,
        coordinates=None if metric.coordinates is None else metric.coordinates[nodes],
        matrix=None if metric.matrix is None else metric.matrix[np.ix_(nodes, nodes)],
    )
    others = len(routes) - len(chosen)
    changes: dict[str, Any] = {"service": instance.service[nodes]}  # type: ignore[attr-defined]
    if isinstance(instance, Vrptw):
        changes |= {"ready": instance.ready[nodes], "due": instance.due[nodes]}
    part = replace(
        instance, name=f"{instance.name}-part", metric=small, demand=instance.demand[nodes],
        vehicles=None if instance.vehicles is None else instance.vehicles - others, **changes,
    )  # fmt: skip
    return part, nodes


def joined(routes: RouteTuple, chosen: tuple[int, ...], nodes: Ints, found: RouteTuple) -> RouteTuple:
    """All routes, with those found for a part in place of the chosen ones."""
    table, gone = nodes.tolist(), set(chosen)
    kept = tuple(route for r, route in enumerate(routes) if r not in gone)
    return kept + tuple(tuple(table[c] for c in route) for route in found if route)


@dataclass(frozen=True)
class Chosen:
    """A neighbourhood: the routes, by index, that are planned anew."""

    routes: tuple[int, ...]


@dataclass(frozen=True)
class Neighbours:
    """The routes that come nearest to a random customer, until they have a share ``size`` of all customers.

    The parts of POPMUSIC (Taillard and Voss 2002; for vehicle routing Queiroga, Sadykov and Uchoa 2021).
    """

    instance: Capacitated
    name: str = "neighbours"

    def build(self, state: State[RouteTuple], size: float, rng: np.random.Generator) -> Chosen | None:
        routes = state.current.solution
        if not routes:
            return None
        instance, of = self.instance, np.zeros(self.instance.nodes, dtype=np.int64)
        for r, route in enumerate(routes):
            of[list(route)] = r
        seed = int(rng.integers(1, instance.nodes))
        customers = np.arange(1, instance.nodes)
        away = np.minimum(instance.metric.between(seed, customers), instance.metric.between(customers, seed))
        near = customers[np.argsort(away, kind="stable")]
        _, place = np.unique(of[near], return_index=True)
        return _enough(of[near[np.sort(place)]].tolist(), routes, size * instance.customers)


@dataclass(frozen=True)
class Sector:
    """Routes side by side around the depot, by the direction of their middle, from a random one on."""

    instance: Capacitated
    name: str = "sector"

    @cached_property
    def points(self) -> Floats | None:
        points = self.instance.metric.coordinates
        return None if points is None else np.asarray(points[:, :2] - points[0, :2])

    def build(self, state: State[RouteTuple], size: float, rng: np.random.Generator) -> Chosen | None:
        routes, points = state.current.solution, self.points
        if points is None or not routes:
            return None
        middle = np.array([points[list(route)].mean(axis=0) for route in routes])
        around = np.argsort(np.arctan2(middle[:, 1], middle[:, 0]), kind="stable")
        order = np.roll(around, -int(rng.integers(len(routes))))
        return _enough(order.tolist(), routes, size * self.instance.customers)


def _enough(order: list[int], routes: RouteTuple, customers: float) -> Chosen:
    """The first two routes, and further ones as long as they have no more than so many customers."""
    count = 0
    chosen: list[int] = []
    for r in order:
        if len(chosen) >= 2 and count + len(routes[r]) > customers:
            break
        chosen.append(r)
        count += len(routes[r])
    return Chosen(tuple(chosen))


OPERATORS: dict[str, Callable[[Capacitated], Any]] = {"neighbours": Neighbours, "sector": Sector}


@dataclass(frozen=True)
class Tool:
    """A solver of parts.

    Parameters
    ----------
    iterations
        Its limit for each customer, where the budget counts iterations.
    reserve
        Seconds that it keeps back at the end of its time.
    """

    solver: Solver
    iterations: int
    reserve: float


TOOLS = {
    "sisr": Tool(StringRemoval(hot=0.1), 100, string_removal.RESERVE),
    "pyvrp": Tool(Pyvrp(), 2, pyvrp_solver.RESERVE),
}
"""SISR begins nearly cold: the routes that it is given are good ones."""


@dataclass
class PartSearcher:
    """A solver on the instance of some routes, from the present ones."""

    name: str
    tool: Tool
    instance: Capacitated
    incumbent: Incumbent[RouteTuple]
    inside: Inside
    counted: bool

    def takes(self, operator: str) -> bool:
        return True

    def search(self, neighbourhood: Chosen, state: State[RouteTuple], limit: float, seed: int) -> Attempt[RouteTuple]:
        began = time.monotonic()
        routes, chosen = state.current.solution, neighbourhood.routes
        part, nodes = part_of(self.instance, routes, chosen)
        start = Routes(tuple(tuple(np.searchsorted(nodes, routes[r]).tolist()) for r in chosen))
        least = part.evaluate(start).objective
        best: Found[RouteTuple] | None = None

        def sink(event: Event) -> None:
            nonlocal best, least
            if not isinstance(event.solution, Routes):
                return
            found = part.evaluate(event.solution)
            if found.feasible and found.objective < least:
                whole = self.incumbent.offer(joined(routes, chosen, nodes, event.solution.routes))
                if whole is not None:
                    best, least = whole, found.objective

        iterations = self.tool.iterations * part.customers if self.counted else None
        seconds = limit if self.counted else min(limit, EACH * part.customers)
        self.inside.run(
            self.tool.solver, part, seconds, seed, start, sink, iterations=iterations, reserve=self.tool.reserve
        )
        return Attempt(Ending.LIMIT, best, 1.0 if self.counted else time.monotonic() - began)


@dataclass(frozen=True)
class RoutingLns(NeighbourhoodSolver):
    """Some routes at a time are planned anew, as an instance of their own.

    It begins with a run on the whole: SISR, or PyVRP where there are time windows.

    Parameters
    ----------
    part
        Customers of a part; no more than half of all.
    opening
        Share of the time for the run on the whole, unless a start is given; by default what suits the kind.
    """

    KNOWN_OPERATORS: ClassVar[tuple[str, ...]] = tuple(OPERATORS)
    KNOWN_SEARCHERS: ClassVar[tuple[str, ...]] = tuple(TOOLS)
    info: ClassVar[SolverInfo] = SolverInfo(
        name="routing_lns",
        title="large neighbourhood search for vehicle routing by SISR and PyVRP on some routes",
        kinds=("cvrp", "ovrp", "vrptw"),
        capabilities=frozenset({Capability.WARM_START, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED}),
        package="pyvrp",
        licence="MIT",
    )
    operators: str = "neighbours,sector"
    searchers: str = "sisr,pyvrp"
    part: int = 250
    opening: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part < 2:
            raise UsageError("E201", f"part = {self.part}", expected="2 or more")
        if self.opening is not None and not 0 <= self.opening < 1:
            raise UsageError("E201", f"opening = {self.opening}", expected="a number from 0, below 1")

    def refuses(self, instance: Instance) -> str | None:
        if not self._tools(instance):
            return f"{self.searchers} cannot search its parts"
        if isinstance(instance, Vrptw) and instance.customers > NODE_LIMIT:
            return Pyvrp().why_not(instance)
        return None

    def _tools(self, instance: Instance) -> dict[str, Tool]:
        tools = {name: TOOLS[name] for name in listed(self.searchers)}
        return {name: tool for name, tool in tools.items() if instance.kind in tool.solver.info.kinds}

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Capacitated)
        incumbent: Incumbent[RouteTuple] = Incumbent(instance, session, Routes)
        inside, pace = Inside(session), Pace(session, SLICES, SHORTEST, LONGEST)
        _construct(instance, incumbent, session)
        if not isinstance(session.start, Routes) or incumbent.best is None:
            self._open(instance, incumbent, inside, pace)
        if incumbent.best is None or instance.customers < 2:
            return Outcome(stopped_by=StoppedBy.TIME if session.stopping else StoppedBy.FINISHED)
        searchers = [
            PartSearcher(name, tool, instance, incumbent, inside, pace.counted)
            for name, tool in self._tools(instance).items()
        ]
        operators = [OPERATORS[name](instance) for name in listed(self.operators)]
        # A part that is searched to no avail is neither too small nor too large: no searcher comes to an end.
        sizes = Sizes(initial=min(0.5, self.part / instance.customers), adaptive=False)
        return drive(self.engine(operators, searchers, sizes, session), incumbent.best, pace)

    def _open(self, instance: Capacitated, incumbent: Incumbent[RouteTuple], inside: Inside, pace: Pace) -> None:
        """Run a solver on the whole; if there are no routes yet, until there are."""

        def sink(event: Event) -> None:
            if isinstance(event.solution, Routes):
                incumbent.offer(_used(event.solution))
            if first is None and incumbent.best is not None:
                inside.stop()

        session, first = inside.session, incumbent.best
        whole: Solver = StringRemoval()
        if first is None or whole.why_not(instance) is not None:
            whole = Pyvrp()
        share = OPENING[instance.kind] if self.opening is None else self.opening
        if whole.why_not(instance) is not None or (share == 0 and first is not None):
            return
        count, seconds, start = None, math.inf, None
        if first is not None:
            start = Routes(first.solution)
            if pace.counted:
                count = TOOLS[whole.info.name].iterations * instance.customers
            else:
                seconds = min(LONGEST_OPENING, max(SHORTEST, share * session.remaining()))
        inside.run(whole, instance, seconds, session.budget.seed, start, sink, iterations=count)


def _construct(instance: Capacitated, incumbent: Incumbent[RouteTuple], session: Session) -> None:
    """The start if it is feasible, else routes by savings, with time windows by insertion."""
    if isinstance(session.start, Routes) and incumbent.offer(_used(session.start)) is not None:
        return
    if isinstance(instance, Vrptw):
        routes = insertion_routes(instance) if instance.customers <= NODE_LIMIT else None
    else:
        assert isinstance(instance, RouteLength)
        routes = savings_routes(instance)
    if routes is not None:
        incumbent.offer(tuple(map(tuple, routes)))


def _used(routes: Routes) -> RouteTuple:
    return tuple(route for route in routes.routes if route)
