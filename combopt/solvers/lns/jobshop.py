"""The solver ``job_lns``: large neighbourhood search for job shops, by CP-SAT and tabu search."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from combopt.errors import UsageError
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import Operations, as_start
from combopt.model import Instance
from combopt.solvers.base import Capability, Event, Outcome, Session, SolverInfo
from combopt.solvers.cpsat import scheduling
from combopt.solvers.dispatching import best_dispatch
from combopt.solvers.job_tabu import JobTabu
from combopt.solvers.lns.engine import Attempt, Ending, Found, State
from combopt.solvers.lns.jobshop_part import Bools, Part, PartModel, Plan
from combopt.solvers.lns.loop import Incumbent, Inside, NeighbourhoodSolver, Pace, drive, listed
from combopt.solvers.lns.sizes import Sizes
from combopt.solvers.native import reachable
from combopt.solvers.scheduling_bounds import lower_bound

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

SLICES, SHORTEST, LONGEST = 30, 0.1, 1.0
"""A search takes at most this part of the time limit; least and most seconds of one."""
DETERMINISTIC = 0.5
"""Limit of a search in CP-SAT's own units of work, about seconds, where the budget counts iterations."""
ROUNDS = 2
"""Rounds of a run of tabu search where the budget counts iterations."""
INSIDE = """
num_workers: 1
catch_sigint_signal: false
cp_model_probing_level: 0
symmetry_level: 0
"""
"""Presolve that takes longer than the search of a small part is left out."""


@dataclass(frozen=True)
class Free:
    """A neighbourhood: the operations that are sequenced anew (``bool[operations]``)."""

    mask: Bools


@dataclass(frozen=True)
class RunOn:
    """Not a neighbourhood but all schedules, for tabu search from the current one."""


@dataclass(frozen=True)
class TimeWindow:
    """Frees what runs in a random interval of the schedule, of length ``size`` times the makespan.

    As in the large neighbourhood search of Godard, Laborie and Nuijten (2005) on partial-order schedules.
    """

    name: str = "time_window"

    def build(self, state: State[Plan], size: float, rng: np.random.Generator) -> Free | None:
        return Free(_window(state.current.solution, size, rng))


@dataclass(frozen=True)
class Machines:
    """Frees the operations of random machines, a share ``size`` of them but at least two."""

    name: str = "machines"

    def build(self, state: State[Plan], size: float, rng: np.random.Generator) -> Free | None:
        return Free(_machines(state.current.solution, size, rng))


@dataclass(frozen=True)
class Patch:
    """Frees what a share ``sqrt(size)`` of the machines runs in a window of as large a share of the time."""

    name: str = "patch"

    def build(self, state: State[Plan], size: float, rng: np.random.Generator) -> Free | None:
        plan, side = state.current.solution, math.sqrt(size)
        return Free(_window(plan, side, rng) & _machines(plan, side, rng))


@dataclass(frozen=True)
class Continue:
    """Offers :class:`RunOn`."""

    name: str = "run_on"

    def build(self, state: State[Plan], size: float, rng: np.random.Generator) -> RunOn:
        return RunOn()


OPERATORS = {operator.name: operator for operator in (TimeWindow(), Machines(), Patch(), Continue())}


def _window(plan: Plan, size: float, rng: np.random.Generator) -> Bools:
    length = size * plan.makespan
    begin = rng.uniform(-length / 2, plan.makespan - length / 2)
    begin = min(max(0.0, begin), plan.makespan - length)
    return np.asarray((plan.end >= begin) & (plan.start <= begin + length))


def _machines(plan: Plan, size: float, rng: np.random.Generator) -> Bools:
    used = np.unique(plan.machine)
    count = min(len(used), max(2, round(size * len(used))))
    return np.isin(plan.machine, rng.choice(used, size=count, replace=False))


@dataclass
class CpSearcher:
    """CP-SAT on one thread: the part of a neighbourhood that is left to decide, for something shorter."""

    incumbent: Incumbent[Plan]
    session: Session
    counted: bool
    parameters: str = ""
    name: str = "cpsat"
    _running: cp_model.CpSolver | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.session.on_stop(self._stop)

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stop_search()

    def takes(self, operator: str) -> bool:
        return operator != Continue.name

    def search(self, neighbourhood: Free, state: State[Plan], limit: float, seed: int) -> Attempt[Plan]:
        began = time.monotonic()
        ending, plan = self._search(neighbourhood, state, limit, seed)
        found = None if plan is None else self.incumbent.offer(plan)
        cost = 1.0 if self.counted else time.monotonic() - began
        return Attempt(ending, found, cost, complete=bool(neighbourhood.mask.all()))

    def _search(self, neighbourhood: Free, state: State[Plan], limit: float, seed: int) -> tuple[Ending, Plan | None]:
        from ortools.sat.python import cp_model

        plan = state.current.solution
        if not neighbourhood.mask.any():
            return Ending.CLOSED, None
        part = Part(plan, neighbourhood.mask)
        model = PartModel(part, plan.makespan - 1)
        if not model.possible:
            return Ending.CLOSED, None
        solver = cp_model.CpSolver()
        parameters: Any = solver.parameters
        parameters.merge_text_format(scheduling.PARAMETERS + INSIDE)
        if self.parameters and not parameters.merge_text_format(self.parameters):
            raise UsageError(
                "E201", f"parameters = {self.parameters!r}", expected="SatParameters as protobuf text, name: value"
            )
        parameters.random_seed = seed
        if self.counted:
            parameters.max_deterministic_time = DETERMINISTIC
        parameters.max_time_in_seconds = min(limit, self.session.remaining())
        self._running = solver
        try:
            status = cp_model.UNKNOWN
            if not self.session.stopping:
                status = reachable(lambda: solver.solve(model.model), self.session)
        finally:
            self._running = None
        ending = Ending.CLOSED if status in (cp_model.OPTIMAL, cp_model.INFEASIBLE) else Ending.LIMIT
        solved = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        return ending, model.plan(solver) if solved else None


@dataclass
class TabuSearcher:
    """A short run of ``job_tabu`` from the current schedule."""

    instance: Instance
    incumbent: Incumbent[Plan]
    inside: Inside
    counted: bool
    name: str = "tabu"

    def takes(self, operator: str) -> bool:
        return operator == Continue.name

    def search(self, neighbourhood: RunOn, state: State[Plan], limit: float, seed: int) -> Attempt[Plan]:
        began = time.monotonic()
        best = self.run(state.current.solution, limit, seed, ROUNDS if self.counted else None)
        return Attempt(Ending.LIMIT, best, 1.0 if self.counted else time.monotonic() - began)

    def run(self, begin: Plan, limit: float, seed: int, rounds: int | None) -> Found[Plan] | None:
        """The best schedule found, if it is better than that to begin with."""
        ops = begin.ops
        best: Found[Plan] | None = None

        def sink(event: Event) -> None:
            nonlocal best
            given = as_start(ops, event.solution)
            if given is None:
                return
            plan = Plan(ops, *given)
            if plan.makespan < begin.makespan and (best is None or plan.makespan < best.value):
                best = self.incumbent.offer(plan)

        self.inside.run(JobTabu(), self.instance, limit, seed, begin.schedule, sink, iterations=rounds)
        return best


@dataclass(frozen=True)
class JobLns(NeighbourhoodSolver):
    """Parts of a schedule are sequenced anew by CP-SAT, all else keeps its order; between them, short runs of tabu
    search from the best schedule.

    Parameters
    ----------
    size
        Share of time or machines that is freed at first.
    parameters
        Further ``SatParameters`` for CP-SAT as protobuf text.
    """

    KNOWN_OPERATORS: ClassVar[tuple[str, ...]] = tuple(OPERATORS)
    KNOWN_SEARCHERS: ClassVar[tuple[str, ...]] = ("cpsat", "tabu")
    info: ClassVar[SolverInfo] = SolverInfo(
        name="job_lns",
        title="large neighbourhood search for job shops by CP-SAT and tabu search",
        kinds=("jobshop", "fjsp"),
        capabilities=frozenset(
            {
                Capability.BOUND,
                Capability.WARM_START,
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
            }
        ),
        package="ortools",
    )
    operators: str = "time_window,machines,patch,run_on"
    searchers: str = "cpsat,tabu"
    size: float = 0.15
    parameters: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.size <= 1:
            raise UsageError("E201", f"size = {self.size}", expected="a number above 0, up to 1")

    def refuses(self, instance: Instance) -> str | None:
        return scheduling.refuses(instance)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (JobShop, Fjsp))
        ops = instance.operations
        incumbent: Incumbent[Plan] = Incumbent(instance, session, lambda plan: plan.schedule)
        incumbent.offer(_first(ops, session))
        assert incumbent.best is not None
        bound = lower_bound(ops)
        session.bound(bound)
        pace = Pace(session, SLICES, SHORTEST, LONGEST)
        known: dict[str, Callable[[], Any]] = {
            "cpsat": lambda: CpSearcher(incumbent, session, pace.counted, self.parameters),
            "tabu": lambda: TabuSearcher(instance, incumbent, Inside(session), pace.counted),
        }
        searchers = [known[name]() for name in listed(self.searchers)]
        for tabu in searchers:
            if isinstance(tabu, TabuSearcher) and incumbent.best.value > bound:
                # A first run without a limit of its own: what it has to compile may take longer than a search.
                tabu.run(incumbent.best.solution, math.inf, session.budget.seed, rounds=1)
        operators: Any = [OPERATORS[name] for name in listed(self.operators)]
        engine = self.engine(operators, searchers, Sizes(initial=self.size), session)
        goal = Outcome.optimal(bound)
        if incumbent.best.value <= bound:
            return goal
        return drive(engine, incumbent.best, pace, lambda state: goal if state.best.value <= bound else None)


def _first(ops: Operations, session: Session) -> Plan:
    """The start or the best of the dispatching rules, whichever is shorter."""
    start, chosen = best_dispatch(ops)
    plan = Plan.of(ops, start, ops.machine[chosen])
    given = as_start(ops, session.start)
    if given is not None and (own := Plan(ops, *given)).makespan <= plan.makespan:
        return own
    return plan
