"""The solver ``balans``: bandit-driven large neighbourhood search above SCIP, HiGHS and CP-SAT."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from combopt.errors import UsageError
from combopt.instances.mip import Mip
from combopt.instances.solutions import Point
from combopt.model import Floats, Instance, Sense
from combopt.result import Status, StoppedBy
from combopt.solvers.background import Background
from combopt.solvers.balans.arms import FAMILIES, Differences, arm, size_of
from combopt.solvers.balans.neighbourhoods import NAMES, Ranked, operators
from combopt.solvers.balans.options import load_rank, make_reward, numbers, resolved
from combopt.solvers.balans.presets import PRESETS
from combopt.solvers.balans.relaxation import Relaxation
from combopt.solvers.balans.searchers import AS_IT_COMES, INSIDE, PLAIN, MipSearcher, from_point
from combopt.solvers.balans.space import MipNeighbourhood, MipSpace, RunOn
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.linear import at_once
from combopt.solvers.lns.acceptance import make_acceptance
from combopt.solvers.lns.bandits import Bandit, make_bandit
from combopt.solvers.lns.engine import Engine, Found, Operator, State
from combopt.solvers.lns.loop import Inside, Pace, drive, listed
from combopt.solvers.lns.rewards import Outcome as Gained
from combopt.solvers.lns.sizes import Sizes
from combopt.solvers.scip import Scip

PROOFS = (Status.OPTIMAL, Status.INFEASIBLE, Status.UNBOUNDED)
SLICES = 25
"""A search of a neighbourhood takes at most this part of the time limit."""
SHORTEST, LONGEST = 0.2, 20.0
"""Least and most seconds of a search."""
PATIENCE = 3
"""Most slices in a row of a plain solver at the beginning, as long as it makes the incumbent better."""
SMALL = 300
"""Columns up to which a program may be solved before the processes of the plain solvers have even started."""
FIRST: dict[str, Solver] = {
    "scip": Scip(emphasis="feasibility", settings="heuristics/feaspump/freq=1, heuristics/feaspump/maxloops=10")
}
"""What looks for the first solution where one solver does so alone, if not the plain one."""
NODES = 200
"""Nodes of a search where the budget counts iterations."""


@dataclass(frozen=True, init=False)
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
    inside
        ``quick`` searches neighbourhoods without what seldom pays in small programs (neighbourhood searches of the
        back end's own, symmetry, restarts, many rounds of cuts), ``default`` with the back end as it comes.
    policy, policy_settings, discount
        The bandits, their parameters by name (``"temperature=0.2"``) and what they forget; see
        :mod:`combopt.solvers.lns.bandits`.
    try_all
        Pull every arm once before the policy has a say.
    priced
        Weigh rewards against the seconds they cost.
    scores
        Rewards of a new incumbent, a better current solution, an accepted one, a rejected one and, if given, of a
        step that brings nothing: ``"8, 4, 2, 1, 0"``.  Empty: the relative gain of the incumbent.
    acceptance, acceptance_settings
        The rule and its parameters by name; see :mod:`combopt.solvers.lns.acceptance`.
    size
        Share of the discrete columns that are freed at first.
    first_limit
        Seconds for the first solution, which the first of the back ends looks for alone; longer only if it finds
        none.  0: all back ends by turns, and they go on beside the neighbourhoods.
    step_limit
        Seconds for the search of a neighbourhood; 0: a part of the time limit.
    local_branching_patience
        How much longer than others a search of local branching may take.
    rank
        A function ``package.module:function`` that scores columns as :data:`~.neighbourhoods.Rank` says; the
        operator ``learned`` frees the columns of the largest scores.
    preset
        A published configuration, see :mod:`combopt.solvers.balans.presets`; other options override it.
    options_file
        A TOML file with values of these options; options given otherwise override it, and it overrides a preset.
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
    inside: Literal["quick", "default"] = "quick"
    policy: str = "thompson"
    policy_settings: str = ""
    discount: float = 0.95
    try_all: bool = True
    priced: bool = True
    scores: str = ""
    acceptance: str = "hill_climbing"
    acceptance_settings: str = ""
    size: float = 0.15
    first_limit: float = 0.0
    step_limit: float = 0.0
    local_branching_patience: float = 1.0
    rank: str = ""
    preset: str = ""
    options_file: str = ""

    def __init__(self, **given: Any) -> None:
        for name, value in resolved(type(self), given, PRESETS).items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        if unknown := [name for name in listed(self.backends) if name not in PLAIN]:
            raise UsageError("E201", f"backends: {unknown[0]!r}", expected=", ".join(PLAIN))
        known = (*NAMES, Differences.name, *(["learned"] if self.rank else []))
        if unknown := [name for name in listed(self.operators) if name not in known and size_of(name) is None]:
            arms = ", ".join(f"{family}_NN" for family in FAMILIES)
            raise UsageError("E201", f"operators: {unknown[0]!r}", expected=f"{', '.join(known)}, {arms}")
        if self.rank:
            load_rank(self.rank)
        self.bandit(1)
        make_acceptance(self.acceptance, **numbers(self.acceptance_settings, "acceptance_settings"))
        make_reward(self.scores)
        if not 0 < self.size <= 1:
            raise UsageError("E201", f"size = {self.size}", expected="a number above 0, up to 1")
        for option in ("first_limit", "step_limit"):
            if not 0 <= getattr(self, option) < math.inf:
                raise UsageError("E201", f"{option} = {getattr(self, option)}", expected="a number, 0 or more")
        if not 0 < self.local_branching_patience < math.inf:
            found = f"local_branching_patience = {self.local_branching_patience}"
            raise UsageError("E201", found, expected="a number above 0")

    def bandit(self, arms: int) -> Bandit:
        """A bandit as the options say."""
        settings = numbers(self.policy_settings, "policy_settings")
        return make_bandit(self.policy, arms, self.discount, self.try_all, **settings)

    def refuses(self, instance: Instance) -> str | None:
        if any(PLAIN[name].why_not(instance) is None for name in listed(self.backends)):
            return None
        return f"none of {self.backends} takes it"

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Mip)
        if (known := at_once(instance, session)) is not None:
            return known
        able = [name for name in listed(self.backends) if PLAIN[name].why_not(instance) is None]
        space = MipSpace(instance)
        if not space.discrete.any():
            return PLAIN[able[0]].run(instance, session)
        search = _Search(self, space, able, session)
        try:
            return search.run()
        finally:
            search.close()


class _Search:
    """One run: the searchers, the incumbent they share, the engine."""

    def __init__(self, options: Balans, space: MipSpace, able: list[str], session: Session) -> None:
        self.options, self.space, self.session = options, space, session
        shortest, longest = (options.step_limit,) * 2 if options.step_limit else (SHORTEST, LONGEST)
        self.pace = Pace(session, SLICES, shortest, longest)
        self.inside = Inside(session)
        self.best: Found[Floats] | None = None
        self.searchers = [
            MipSearcher(
                name,
                space,
                self.inside,
                self.offer,
                nodes=NODES if self.pace.counted else None,
                solvers=INSIDE if options.inside == "quick" else AS_IT_COMES,
            )
            for name in able
        ]
        self.engine = self._engine()

    def _engine(self) -> Engine[Floats, MipNeighbourhood | RunOn]:
        options = self.options
        chosen, fixed = self._operators()
        return Engine(
            operators=chosen,
            searchers=self.searchers,
            chooser=options.bandit(len(chosen)),
            assigner=options.bandit(len(self.searchers)),
            acceptance=make_acceptance(
                options.acceptance, **numbers(options.acceptance_settings, "acceptance_settings")
            ),
            reward=make_reward(options.scores),
            sizes=Sizes(initial=options.size, fixed=fixed),
            rng=np.random.default_rng(self.session.budget.seed),
            same=lambda a, b: bool(np.array_equal(a, b)),
            priced=options.priced,
        )

    def _operators(self) -> tuple[list[Operator[Any]], dict[str, float]]:
        """The operators that the options name, and the sizes of those that have a fixed one, or none (0)."""
        options, space = self.options, self.space
        relaxation = Relaxation(space, self.inside, 4 * self.pace.seconds)
        table = operators(space, relaxation, options.local_branching_patience)
        table[Differences.name] = Differences(space)
        wanted = listed(options.operators)
        if options.rank:
            table["learned"] = Ranked("learned", space, load_rank(options.rank))
            wanted += ["learned"] if "learned" not in wanted else []
        if not (self.pace.counted or options.first_limit):
            wanted += [f"run_{searcher.name}" for searcher in self.searchers]
        if not wanted:
            raise UsageError("E201", "operators: none", expected=", ".join(table))
        sizes = {name: size for name in wanted if (size := size_of(name)) is not None}
        for name in sizes:
            table[name] = arm(name, table, space, relaxation, options.local_branching_patience)
        if Differences.name in wanted:
            sizes[Differences.name] = 0.0
        return [table[name] for name in wanted], sizes

    def close(self) -> None:
        for searcher in self.searchers:
            if searcher.background is not None:
                searcher.background.close()

    def _run_on(self, searcher: MipSearcher, seconds: float) -> bool:
        """Let a plain solver work, and tell the bandits what came of it; whether the incumbent is better now."""
        if searcher.background is None:
            searcher.background = self._background(searcher)
        before, began = self.best, time.monotonic()
        searcher.background.run(seconds, lambda: self.session.stopping)
        if searcher.background.failed:
            self.session.say(f"{searcher.name} failed: {searcher.background.reason.splitlines()[-1]}")
        arm = next(i for i, o in enumerate(self.engine.operators) if o.name == f"run_{searcher.name}")
        outcome = Gained.NOTHING if self.best is before or self.best is None else Gained.BEST
        values = [math.inf if found is None else found.value for found in (before, self.best)]
        self.engine.note(
            (arm, self.searchers.index(searcher)), outcome, values[0], values[1], time.monotonic() - began
        )
        return outcome is Gained.BEST

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
        return drive(self.engine, self.best, self.pace, self._after)

    def _after(self, state: State[Floats]) -> Outcome | None:
        self._listen(state)
        return self._ended(state)

    def _listen(self, state: State[Floats]) -> None:
        """Take what unpaused solvers have found meanwhile."""
        for searcher in self.searchers:
            if searcher.background is not None and searcher.background.free:
                searcher.background.poll()
        if self.best is not None and self.best.value < state.best.value:
            self.engine.take(state, self.best, self.pace.progress(self.engine.steps))

    def _reason(self) -> StoppedBy:
        return StoppedBy.TIME if time.monotonic() >= self.session.deadline - 1 else StoppedBy.FINISHED

    def _opening(self) -> Outcome | None:
        """Plain solvers by turns until there is a solution or the answer; each starts from what is known by then."""
        if isinstance(self.session.start, Point):
            found = from_point(self.space, self.session.start)
            if found is not None:
                self.offer(found.solution)
        if self.pace.counted:
            return self._in_process(Scip(emphasis="feasibility", settings="limits/bestsol=1"), math.inf)
        if self.options.first_limit:
            return self._first_alone()
        if len(self.space.mip.columns) <= SMALL:
            ended = self._in_process(PLAIN[self.searchers[0].name], self.pace.seconds)
            if ended is not None:
                return ended
        seconds = self.pace.seconds
        while not self.session.stopping:
            for searcher in self.searchers:
                for _ in range(PATIENCE):
                    better = self._run_on(searcher, seconds)
                    if (ended := self._ended(None)) is not None or self.session.stopping:
                        return ended
                    if not better:
                        break
            alive = [s for s in self.searchers if s.background is not None and not s.background.over]
            if self.best is not None or not alive:
                return None
            seconds *= 1.5
        return None

    def _first_alone(self) -> Outcome | None:
        """One solver for its limit, and until it has a solution, as the package Balans begins."""
        solver = FIRST.get(self.searchers[0].name, PLAIN[self.searchers[0].name])
        ended = self._in_process(solver, self.options.first_limit) if self.best is None else None
        if ended is None and self.best is None and not self.session.stopping:
            ended = self._in_process(solver, math.inf, until_found=True)
        return ended

    def _in_process(self, solver: Solver, limit: float, until_found: bool = False) -> Outcome | None:
        """Run a solver on the whole program in this process; the outcome if it has the answer."""
        if self.pace.counted and self.best is not None:
            return None

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                if self.offer(event.solution.values) and until_found:
                    self.inside.stop()
            elif event.bound is not None:
                self.session.bound(event.bound)

        outcome = self.inside.run(solver, self.space.mip, limit, self.session.budget.seed, None, sink)
        return outcome if outcome.status in PROOFS else None

    def _ended(self, state: State[Floats] | None) -> Outcome | None:
        """The outcome if a plain solver, or a search of the whole space, has the answer."""
        for searcher in self.searchers:
            ended = searcher.background.outcome if searcher.background is not None else None
            if ended is None:
                continue
            refuted = ended.status is Status.INFEASIBLE and self.best is not None
            if ended.status in PROOFS and searcher.proves and not refuted:
                return ended
        if state is not None and self.engine.closed and self.best is not None:
            value = -self.best.value if self.space.mip.sense is Sense.MAX else self.best.value
            return Outcome.optimal(value)
        return None
