"""Slack induction by string removals: simulated annealing that removes strings of customers and reinserts them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from combopt.instances.cvrp import RouteLength
from combopt.instances.metric import MATRIX_LIMIT
from combopt.instances.solutions import Routes
from combopt.model import Instance
from combopt.result import StoppedBy
from combopt.solvers import string_removal_kernels as kernels
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.compiled import compiled
from combopt.solvers.route_neighbours import near_pairs
from combopt.solvers.savings import savings_routes

RULES = {"EUC_2D": kernels.NEAREST, "EXACT_2D": kernels.EXACT, "DIMACS_2D": kernels.TENTHS, "CEIL_2D": kernels.UP}
"""Distances that can be computed from coordinates during the search, for instances too large for a matrix."""
RESERVE = 0.1
"""Seconds kept back at the end for handing over the last solution."""
SLICE = 0.03
"""Seconds of search between two looks at the clock."""
EMIT_EVERY = 0.2
"""Seconds between two solutions handed over."""
CYCLE = 60.0
"""Seconds of an annealing where there is no limit on time or iterations; another follows."""
PERIODS = 50
"""How often the routes are divided anew among threads."""

RouteList = list[tuple[int, ...]]


@dataclass(frozen=True)
class StringRemoval(Solver):
    """SISR of Christiaens and Vanden Berghe (2020), started from savings.

    Insertion looks at the places beside the nearest customers only, and there is no minimisation of the fleet: with
    a limit on the number of routes that savings cannot keep, the search does not begin.

    With several threads the routes are divided into groups of neighbours, which the threads improve side by side
    for a fiftieth of the time before they are divided anew; if there are too few routes for that, every thread
    anneals a copy.  Temperatures are multiples of the average distance between consecutive stops of the start.

    Parameters
    ----------
    hot, cold
        Temperatures at the beginning and at the end.
    removals
        Average number of customers removed in an iteration.
    longest
        Most customers removed from a route.
    split, deeper
        Probability that a string is split, and that the part kept grows by another customer.  The paper keeps one
        customer as a rule (0.01); nearly all of the route is better in short runs with long routes.
    neighbours, places
        Nearest customers that removal and insertion look at.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="sisr",
        title="slack induction by string removals",
        kinds=("cvrp", "ovrp"),
        capabilities=frozenset(
            {
                Capability.WARM_START,
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
                Capability.THREADS,
            }
        ),
    )
    hot: float = 1.0
    cold: float = 0.01
    removals: int = 10
    longest: int = 10
    split: float = 0.5
    deeper: float = 0.99
    neighbours: int = 100
    places: int = 50

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, RouteLength)
        if instance.customers > MATRIX_LIMIT and instance.metric.rule not in RULES:
            return f"it needs the full distance matrix, too large for {instance.customers} customers"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, RouteLength)
        routes = _start(instance, session)
        if routes is None:
            return Outcome()
        session.emit(Routes(tuple(routes)))
        if instance.customers < 2:
            return Outcome()
        search = _Search(self, instance, session, routes)
        threads = min(session.budget.cores, 1 + instance.customers // 20)
        if threads == 1:
            search.anneal()
        elif len(routes) >= 4 * threads:
            search.anneal_groups(threads)
        else:
            search.anneal_copies(threads)
        return Outcome(stopped_by=search.clock.reason)


def _silent(plan: kernels.Plan) -> None:
    """Report nothing."""


def _start(instance: RouteLength, session: Session) -> RouteList | None:
    """The routes to begin with: those given, or by savings."""
    if isinstance(session.start, Routes) and instance.evaluate(session.start).feasible:
        return [route for route in session.start.routes if route]
    found = savings_routes(instance)
    return None if found is None else [tuple(route) for route in found]


class _Clock:
    """How far the annealing has come: by iterations if they are limited, else by time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._began = time.monotonic()
        self._limit = session.budget.iterations
        self.iterations = 0

    @property
    def progress(self) -> float:
        """From 0 to 1; with no limit at all it starts again whenever it reaches 1."""
        if self._limit is not None:
            return min(1.0, self.iterations / self._limit)
        now, end = time.monotonic() - self._began, self._session.deadline - RESERVE - self._began
        return min(1.0, now / max(end, 1e-9)) if math.isfinite(end) else now / CYCLE % 1.0

    @property
    def over(self) -> bool:
        late = time.monotonic() >= self._session.deadline - RESERVE
        return self._session.stopping or late or (self._limit is not None and self.iterations >= self._limit)

    def passed(self, mark: float) -> Callable[[], bool]:
        """Tells whether progress has come to ``mark``, begun anew, or all is over."""
        start = mark - 1.0 / PERIODS
        return lambda: self.over or not start <= self.progress < mark

    @property
    def reason(self) -> StoppedBy:
        done = self._limit is not None and self.iterations >= self._limit
        return StoppedBy.ITERATIONS if done else StoppedBy.TIME

    def chunk(self, seconds: float, size: int) -> int:
        """Iterations of the next call, after one of ``size`` took so long; fixed if iterations are limited, so that
        the same seed gives the same answer."""
        if self._limit is not None:
            return max(1, min(self._limit // 500 + 1, self._limit - self.iterations))
        return max(50, int(size * min(2.0, SLICE / max(seconds, 1e-5))))


class _Search:
    """The search on one instance; ``best`` is the best solution known."""

    def __init__(self, solver: StringRemoval, instance: RouteLength, session: Session, routes: RouteList) -> None:
        self.instance, self.session = instance, session
        self.problem = problem_of(instance, solver.neighbours)
        self.settings = kernels.Settings(
            removals=solver.removals,
            longest=solver.longest,
            split=solver.split,
            deeper=solver.deeper,
            blink=0.01,
            places=min(solver.places, self.problem.near.shape[1]),
        )
        self.kernels = compiled(kernels.__name__, entries=("search",)).search
        self.random = np.random.default_rng(session.budget.seed)
        self.current = self.best = routes
        plan = self.plan(routes, instance.customers)
        self.best_cost = float(plan.value[kernels.BEST])
        edge = self.best_cost / (instance.customers + len(routes))
        self.hot, self.cold = max(edge, 1e-12) * solver.hot, max(edge, 1e-12) * solver.cold
        self.emitted = time.monotonic()
        self.clock = _Clock(session)

    def plan(self, routes: RouteList, fleet: int) -> kernels.Plan:
        """The arrays of the kernels for some of the routes, with room for ``fleet`` of them."""
        return make_plan(self.problem, routes, fleet, int(self.random.integers(2**48)))

    @property
    def fleet(self) -> int:
        limit = self.instance.vehicles
        return self.instance.customers if limit is None else min(limit, self.instance.customers)

    def follow(self, plan: kernels.Plan, until: Callable[[], bool], report: Callable[[], None]) -> None:
        """Anneal one plan until ``until`` holds."""
        clock = self.clock
        size, seconds, first = 200, SLICE, 1
        while not until():
            size = clock.chunk(seconds, size)
            temperature = self.hot * (self.cold / self.hot) ** clock.progress
            began = time.monotonic()
            self.kernels(self.problem, self.settings, plan, first, size, temperature)
            seconds = time.monotonic() - began
            first += size
            clock.iterations += size
            report()

    def anneal(self) -> None:
        """One chain."""
        plan = self.plan(self.current, self.fleet)

        def report() -> None:
            self.offer([plan])

        self.follow(plan, lambda: self.clock.over, report)
        self.offer([plan], at_once=True)

    def anneal_copies(self, threads: int) -> None:
        """Chains side by side, from the same start with different random numbers."""
        plans = [self.plan(self.current, self.fleet) for _ in range(threads)]
        self.side_by_side(plans, lambda: self.clock.over, lambda plan: self.offer([plan]))
        for plan in plans:
            self.offer([plan], at_once=True)

    def anneal_groups(self, threads: int) -> None:
        """Groups of neighbouring routes side by side, divided anew many times."""
        while not self.clock.over:
            mark = (math.floor(self.clock.progress * PERIODS) + 1) / PERIODS
            groups = self.divided(threads)
            spare = self.fleet - len(self.current)
            plans = [self.plan(group, len(group) + spare // threads) for group in groups]
            self.side_by_side(plans, self.clock.passed(mark), _silent)
            self.offer(plans, at_once=True)
            self.current = [route for plan in plans for route in read_routes(plan, best=False)]

    def side_by_side(
        self, plans: Sequence[kernels.Plan], until: Callable[[], bool], report: Callable[[kernels.Plan], None]
    ) -> None:
        """Anneal plans in threads of their own; the kernels do not hold the interpreter lock."""
        with ThreadPoolExecutor(len(plans)) as pool:
            futures = [pool.submit(self.follow, plan, until, partial(report, plan)) for plan in plans]
            for future in futures:
                future.result()

    def divided(self, groups: int) -> list[RouteList]:
        """The current routes in groups of about equal size, each of those nearest to a random customer."""
        left = list(self.current)
        found = []
        for k in range(groups, 1, -1):
            customer = left[int(self.random.integers(len(left)))][0]
            target = sum(map(len, left)) / k
            away = [float(self.instance.metric.between(customer, np.array(route)).mean()) for route in left]
            group: RouteList = []
            for r in np.argsort(away, kind="stable").tolist():
                if group and sum(map(len, group)) + len(left[r]) / 2 > target:
                    break
                group.append(left[r])
            chosen = set(group)
            left = [route for route in left if route not in chosen]
            found.append(group)
        return [*found, left] if left else found

    def offer(self, plans: Sequence[kernels.Plan], at_once: bool = False) -> None:
        """Keep the best routes of plans that make up a whole solution, and hand them over if they are better."""
        if not at_once and time.monotonic() - self.emitted < EMIT_EVERY:
            return
        cost = sum(float(plan.value[kernels.BEST]) for plan in plans)
        if cost < self.best_cost - 1e-9 * abs(self.best_cost):
            routes = [r for p in plans for r in read_routes(p, best=True)]
            self.best, self.best_cost, self.emitted = routes, cost, time.monotonic()
            self.session.emit(Routes(tuple(routes)))


def problem_of(instance: RouteLength, neighbours: int) -> kernels.Problem:
    """The instance as the kernels take it."""
    n, metric = instance.nodes, instance.metric
    whole = n <= MATRIX_LIMIT
    matrix = metric.full().astype(np.float32) if whole else np.zeros((1, 1), dtype=np.float32)
    if whole and not instance.closed:
        matrix[:, 0] = 0
    points = np.zeros((1, 2)) if whole or metric.coordinates is None else np.array(metric.coordinates)
    limit = math.inf if instance.max_length is None else instance.max_length * metric.unit * (1 + 1e-12)
    return kernels.Problem(
        rule=kernels.MATRIX if whole else RULES[metric.rule],
        matrix=matrix,
        back=matrix if instance.closed and metric.symmetric else np.ascontiguousarray(matrix.T),
        points=points,
        closed=instance.closed,
        near=nearest(instance, neighbours),
        demand=np.array(instance.demand),
        service=instance.service * metric.unit,
        capacity=int(instance.capacity),
        limit=limit,
    )


def nearest(instance: RouteLength, neighbours: int) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """The nearest customers of each customer as ``int32[n, k]``, nearest first; row 0 is of no meaning."""
    pairs = near_pairs(instance.metric, neighbours)
    away = instance.metric.between(pairs[:, 0], pairs[:, 1])
    pairs = pairs[np.lexsort((pairs[:, 1], away, pairs[:, 0]))]
    k = min(neighbours, instance.customers - 1)
    table = np.zeros((instance.nodes, k), dtype=np.int32)
    table[1:] = pairs[:, 1].reshape(instance.customers, k)
    return table


def make_plan(problem: kernels.Problem, routes: RouteList, fleet: int, seed: int) -> kernels.Plan:
    """The arrays that hold some routes; at most ``fleet`` routes can come of them."""
    n = len(problem.demand)
    fleet = max(fleet, len(routes))
    at, of = np.zeros((10, n), np.int64), np.zeros((4, fleet), np.int64)
    length, leg = np.zeros(fleet), np.zeros(n)
    at[kernels.ROUTE] = -1
    for r, customers in enumerate(routes):
        stops = np.array([0, *customers, 0])
        inside = stops[1:-1]
        at[kernels.AFTER, inside], at[kernels.BEFORE, inside], at[kernels.ROUTE, inside] = stops[2:], stops[:-2], r
        of[kernels.LOAD, r], of[kernels.SIZE, r] = problem.demand[stops].sum(), len(customers)
        ways = zip(stops[:-1].tolist(), stops[1:].tolist(), strict=True)
        legs = [kernels.distance(problem, a, b) for a, b in ways]
        length[r], leg[inside] = sum(legs), legs[1:]
    at[kernels.BEST_AFTER], at[kernels.BEST_BEFORE] = at[kernels.AFTER], at[kernels.BEFORE]
    cost = float(length.sum())
    for r, customers in enumerate(routes):
        length[r] += problem.service[list(customers)].sum()
    unused = fleet - len(routes)
    of[kernels.UNUSED, :unused] = np.arange(fleet - 1, len(routes) - 1, -1)
    of[kernels.TOUCHED] = -1
    members = np.array(sorted(c for customers in routes for c in customers), dtype=np.int64)
    info = np.array([seed, unused, 0], dtype=np.int64)
    return kernels.Plan(at, of, length, leg, np.zeros(n), members, info, np.array([cost, cost]))


def read_routes(plan: kernels.Plan, *, best: bool) -> RouteList:
    """The current or the best routes of a plan."""
    following = plan.at[kernels.BEST_AFTER if best else kernels.AFTER].tolist()
    before = plan.at[kernels.BEST_BEFORE if best else kernels.BEFORE, plan.members]
    routes = []
    for first in plan.members[before == 0].tolist():
        route = [first]
        while following[route[-1]]:
            route.append(following[route[-1]])
        routes.append(tuple(route))
    return routes
