"""The solver ``balans``: bandit-driven large neighbourhood search above SCIP, HiGHS and CP-SAT."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt import serial
from combopt.errors import UsageError
from combopt.instances.mip import CONTINUOUS, Mip
from combopt.instances.solutions import Point
from combopt.model import Floats, Instance, Sense
from combopt.result import Status, StoppedBy
from combopt.solvers.background import Background
from combopt.solvers.balans.neighbourhoods import operators
from combopt.solvers.balans.relaxation import Relaxation
from combopt.solvers.balans.searchers import PLAIN, Inside, MipSearcher, from_point
from combopt.solvers.balans.space import MipNeighbourhood, MipSpace, RunOn
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.linear import at_once
from combopt.solvers.lns.acceptance import make_acceptance
from combopt.solvers.lns.bandits import make_bandit
from combopt.solvers.lns.engine import Engine, Found, State
from combopt.solvers.lns.rewards import Gain
from combopt.solvers.lns.rewards import Outcome as Gained
from combopt.solvers.lns.sizes import Sizes
from combopt.solvers.scip import Scip

PROOFS = (Status.OPTIMAL, Status.INFEASIBLE, Status.UNBOUNDED)
SLICES = 25
"""A search of a neighbourhood takes at most this part of the time limit."""
SHORTEST, LONGEST = 0.2, 20.0
"""Least and most seconds of a search."""
SMALL = 300
"""Columns up to which a program may be solved before the processes of the plain solvers have even started."""
NODES = 200
"""Nodes of a search where the budget counts iterations."""


@dataclass(frozen=True)
class Balans(Solver):
    """Adaptive large neighbourhood search on any mixed-integer program (Cai, Kadioglu and Dilkina, IJCAI 2025).

    Plain solvers start, each in a process of its own, and are paused; from the first solution on, a bandit chooses
    between letting one of them go on and searching a neighbourhood of the incumbent.

    Parameters
    ----------
    operators
        Names of the neighbourhoods, separated by commas.
    backends
        ``scip``, ``highs``, ``cpsat``: those that take the program are used.
    policy, discount
        The bandits; see :mod:`combopt.solvers.lns.bandits`.
    acceptance
        See :mod:`combopt.solvers.lns.acceptance`.
    size
        Share of the discrete columns that are freed at first.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="balans",
        title="Balans: bandit-driven large neighbourhood search over SCIP, HiGHS and CP-SAT",
        kinds=("mip",),
        capabilities=frozenset(
            {
                Capability.PROOF,
                Capability.BOUND,
                Capability.WARM_START,
                Capability.INCUMBENTS,
                Capability.SEED,
                Capability.THREADS,
            }
        ),
    )
    operators: str = "mutation,crossover,objective,graph,row,rins,rens,local_branching"
    backends: str = "scip,cpsat,highs"
    policy: str = "thompson"
    discount: float = 0.95
    acceptance: str = "hill_climbing"
    size: float = 0.15

    def __post_init__(self) -> None:
        if unknown := [name for name in _list(self.backends) if name not in PLAIN]:
            raise UsageError("E201", f"backends: {unknown[0]!r}", expected=", ".join(PLAIN))
        make_bandit(self.policy, 1, self.discount)
        make_acceptance(self.acceptance)
        if not 0 < self.size <= 1:
            raise UsageError("E201", f"size = {self.size}", expected="a number above 0, up to 1")

    def refuses(self, instance: Instance) -> str | None:
        if any(PLAIN[name].why_not(instance) is None for name in _list(self.backends)):
            return None
        return f"none of {self.backends} takes it"

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Mip)
        if (known := at_once(instance, session)) is not None:
            return known
        able = [name for name in _list(self.backends) if PLAIN[name].why_not(instance) is None]
        space = MipSpace(instance)
        if not space.discrete.any():
            return PLAIN[able[0]].run(instance, session)
        search = _Search(self, space, able, session)
        try:
            return search.run()
        finally:
            search.close()


def _list(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


class _Search:
    """One run: the searchers, the incumbent they share, the engine."""

    def __init__(self, options: Balans, space: MipSpace, able: list[str], session: Session) -> None:
        self.options, self.space, self.session = options, space, session
        self.began = time.monotonic()
        self.inside = Inside(session)
        self.counted = session.budget.iterations is not None
        self.best: Found[Floats] | None = None
        self.searchers = [
            MipSearcher(name, space, self.inside, self.offer, nodes=NODES if self.counted else None) for name in able
        ]

        self.engine = self._engine()

    def _engine(self) -> Engine[Floats, MipNeighbourhood | RunOn]:
        options = self.options
        table = operators(self.space, Relaxation(self.space, self.inside, 4 * self.seconds))
        names = _list(options.operators)
        if unknown := [name for name in names if name not in table]:
            raise UsageError("E201", f"operators: {unknown[0]!r}", expected=", ".join(table))
        if not self.counted:
            names += [f"run_{searcher.name}" for searcher in self.searchers]
        return Engine(
            operators=[table[name] for name in names],
            searchers=self.searchers,
            chooser=make_bandit(options.policy, len(names), options.discount),
            assigner=make_bandit(options.policy, len(self.searchers), options.discount),
            acceptance=make_acceptance(options.acceptance),
            reward=Gain(),
            sizes=Sizes(initial=options.size),
            rng=np.random.default_rng(self.session.budget.seed),
            same=lambda a, b: bool(np.array_equal(a, b)),
        )

    @property
    def seconds(self) -> float:
        """Time limit of one search; none where steps are counted, so that runs can be repeated."""
        if self.counted:
            return math.inf
        total = self.session.deadline - self.began
        return LONGEST if math.isinf(total) else min(LONGEST, max(SHORTEST, total / SLICES))

    @property
    def progress(self) -> float:
        limit = self.session.budget.iterations
        if limit is not None:
            return min(1.0, self.engine.steps / limit)
        total = self.session.deadline - self.began
        return 0.0 if math.isinf(total) else min(1.0, (time.monotonic() - self.began) / total)

    def close(self) -> None:
        for searcher in self.searchers:
            if searcher.background is not None:
                searcher.background.close()

    def _run_on(self, searcher: MipSearcher, seconds: float) -> None:
        """Let a plain solver work, and tell the bandits what came of it."""
        if searcher.background is None:
            searcher.background = self._background(searcher)
        before, began = self.best, time.monotonic()
        searcher.background.run(seconds, lambda: self.session.stopping)
        arm = next(i for i, o in enumerate(self.engine.operators) if o.name == f"run_{searcher.name}")
        outcome = Gained.NOTHING if self.best is before or self.best is None else Gained.BEST
        values = [math.inf if found is None else found.value for found in (before, self.best)]
        self.engine.note(
            (arm, self.searchers.index(searcher)), outcome, values[0], values[1], time.monotonic() - began
        )

    def _background(self, searcher: MipSearcher) -> Background:
        budget = dataclasses.replace(self.session.budget, time_limit=math.inf, threads=1, target=None)

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                found = from_point(self.space, event.solution)
                if found is not None and self.offer(found.solution):
                    searcher.latest = found
            elif event.bound is not None:
                self.session.bound(event.bound)

        start = self.session.start if self.best is None else Point(self.space.mip.columns, self.best.solution)
        # One core is for the neighbourhoods; on the others plain solvers go on unpaused, for solutions and the bound.
        free = self.searchers.index(searcher) < self.session.budget.cores - 1
        return Background(PLAIN[searcher.name], self.space.mip, budget, start, sink, free=free)

    def offer(self, values: Floats) -> bool:
        """Check a point; hand it over if it is the best so far.  Says whether it stood up to the check."""
        value = self.space.value(values)
        point = Point(self.space.mip.columns, values)
        if not self.space.mip.evaluate(point).feasible:
            return False
        if self.best is None or value < self.best.value:
            self.best = Found(values, value)
            self.session.emit(point)
        return True

    def run(self) -> Outcome:
        ended = self._opening()
        if ended is not None or self.best is None:
            return ended or Outcome(stopped_by=self._reason())
        state = self.engine.start(self.best)
        while not self.session.stopping:
            if self.counted and self.engine.steps >= (self.session.budget.iterations or 0):
                return Outcome(stopped_by=StoppedBy.ITERATIONS)
            step = self.engine.step(state, self.seconds, self.progress)
            if step is None:
                break
            self.session.step(**{k: serial.encode(v) for k, v in dataclasses.asdict(step).items()})
            self._listen(state)
            if (ended := self._ended(state)) is not None:
                return ended
        return Outcome(stopped_by=self._reason())

    def _listen(self, state: State[Floats]) -> None:
        """Take what unpaused solvers have found meanwhile."""
        for searcher in self.searchers:
            if searcher.background is not None and searcher.background.free:
                searcher.background.poll()
        if self.best is not None and self.best.value < state.best.value:
            self.engine.take(state, self.best, self.progress)

    def _reason(self) -> StoppedBy:
        return StoppedBy.TIME if time.monotonic() >= self.session.deadline - 1 else StoppedBy.FINISHED

    def _opening(self) -> Outcome | None:
        """Plain solvers by turns until there is a solution or the answer; each starts from what is known by then."""
        if isinstance(self.session.start, Point):
            found = from_point(self.space, self.session.start)
            if found is not None:
                self.offer(found.solution)
        if self.counted:
            return self._in_process(Scip(emphasis="feasibility", settings="limits/bestsol=1"), math.inf)
        if len(self.space.mip.columns) <= SMALL:
            ended = self._in_process(PLAIN[self.searchers[0].name], self.seconds)
            if ended is not None:
                return ended
        seconds = self.seconds
        while not self.session.stopping:
            for searcher in self.searchers:
                self._run_on(searcher, seconds)
                if (ended := self._ended(None)) is not None or self.session.stopping:
                    return ended
            alive = [s for s in self.searchers if s.background is not None and not s.background.over]
            if self.best is not None or not alive:
                return None
            seconds *= 1.5
        return None

    def _in_process(self, solver: Solver, limit: float) -> Outcome | None:
        """Run a solver on the whole program in this process; the outcome if it has the answer."""
        if self.counted and self.best is not None:
            return None

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                self.offer(event.solution.values)
            elif event.bound is not None:
                self.session.bound(event.bound)

        outcome = self.inside.run(solver, self.space.mip, limit, None, self.session.budget.seed, None, sink)
        return outcome if outcome.status in PROOFS else None

    def _ended(self, state: State[Floats] | None) -> Outcome | None:
        """The outcome if a plain solver, or a search of the whole space, has the answer."""
        for searcher in self.searchers:
            ended = searcher.background.outcome if searcher.background is not None else None
            if ended is None:
                continue
            exact = searcher.name != "cpsat" or bool((self.space.mip.domain != CONTINUOUS).all())
            if ended.status in PROOFS and exact and not (ended.status is Status.INFEASIBLE and self.best is not None):
                return ended
        if state is not None and self.engine.closed and self.best is not None:
            value = -self.best.value if self.space.mip.sense is Sense.MAX else self.best.value
            return Outcome.optimal(value)
        return None
