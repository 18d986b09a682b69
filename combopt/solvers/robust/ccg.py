"""The solver ``ccg``: column-and-constraint generation, exact, with a certified plan at every improvement.

Zeng and Zhao, "Solving two-stage robust optimization problems using a column-and-constraint generation method",
Operations Research Letters 41 (2013), section 3: a main problem with a copy of the recourse for every scenario found
gives bounds and first stages, an adversary the worst case of a first stage and the next scenario.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from combopt import registry
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import RobustPlan
from combopt.model import Floats, Instance
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.robust.adversary import Adversary, Verdict, refuse
from combopt.solvers.robust.main import Main, Solved
from combopt.solvers.robust.recourse import sign_of
from combopt.solvers.robust.relaxed import add_relaxed

CLOSED = 1e-7
"""Relative difference of bound and guarantee at which the search ends."""
ROUNDING = 5e-6
"""The same where the main problem, solved to the end, knows no more: its rows hold up to 1e-6."""
REST = 0.01
"""Seconds that are as good as none."""
SHARE = 0.1
"""The gap of the main problem as a share of the gap that is left."""


@dataclass(frozen=True)
class Ccg(Solver):
    """Column-and-constraint generation; the ``iterations`` of the budget count rounds.

    Parameters
    ----------
    solver
        Which solver takes the main problem.  Recourse and adversary are HiGHS's.  (CP-SAT takes no continuous
        columns, and the worst case is one.)
    relaxed_start
        Where the objective alone is uncertain, put the relaxed recourse into the main problem: a bound from the first
        round on, and a good first stage.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="ccg",
        title="column-and-constraint generation for two-stage robust programs (Zeng and Zhao)",
        kinds=("robust",),
        capabilities=frozenset(Capability),
    )
    solver: Literal["highs", "scip"] = "highs"
    relaxed_start: bool = True

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, TwoStageRobust)
        return refuse(instance)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, TwoStageRobust)
        if self.solver != "highs" and (error := registry.SOLVERS.load(self.solver)().missing()) is not None:
            raise error
        return _Search(instance, session, self).run()


class _Search:
    """One run; costs are to be minimised, as everywhere in this package."""

    def __init__(self, instance: TwoStageRobust, session: Session, options: Ccg) -> None:
        self.instance, self.session, self.options = instance, session, options
        self.sign = sign_of(instance)
        self.adversary = Adversary(instance, session, self._offer)
        self.main = Main(instance)
        self.best, self.bound = math.inf, -math.inf
        self.x: Floats | None = None
        self.relaxed = False
        self.judged: set[bytes] = set()

    def run(self) -> Outcome:
        if self.instance.form == "objective" and self.options.relaxed_start:
            self._relax()
        self._take_start()
        if not (self.main.scenarios or self.relaxed):
            self.main.add(self._first_scenario())
        gap, rounds, limit = 0.0, 0, self.session.budget.iterations
        while not self.session.stopping:
            if limit is not None and rounds >= limit:
                return self._outcome(StoppedBy.ITERATIONS)
            rounds += 1
            solved = self.main.solve(self.session, self.options.solver, gap, self.x, self._raise)
            if (ended := self._without_bound(solved)) is not None:
                return ended
            if solved.status is Status.UNBOUNDED:
                continue
            self._raise(solved.bound)
            if solved.values is None:
                return self._outcome(solved.stopped_by)
            new = self._round(solved.values)
            if self.closed():
                return self._outcome(StoppedBy.PROOF)
            if not new:
                if gap == 0.0:  # the bound is as good as the tolerances of the main problem
                    proved = solved.status is Status.OPTIMAL and self.closed(ROUNDING)
                    return self._outcome(StoppedBy.PROOF if proved else solved.stopped_by)
                gap = 0.0
            else:
                gap = self._next_gap()
            self.session.step(round=rounds, scenarios=len(self.main.scenarios), bound=self.sign * self.bound)
        return self._outcome(StoppedBy.TIME)

    def closed(self, least: float = CLOSED) -> bool:
        """Whether bound and guarantee are the same up to ``least``."""
        return math.isfinite(self.best) and self.best - self.bound <= least * max(1.0, abs(self.best))

    def _next_gap(self) -> float:
        """A gap for the main problem that the search can still learn from."""
        if not (math.isfinite(self.best) and math.isfinite(self.bound)):
            return 0.0
        left = (self.best - self.bound) / max(abs(self.best), 1e-9)
        share = SHARE * left
        return share if share > 1e-5 else 0.0

    def _round(self, values: Floats) -> bool:
        """Judge the first stage of the main problem; whether a scenario is new."""
        x = self.instance.rounded(values[: self.main.n])
        for copy in self.main.copies:
            self.adversary.remember(values[copy][None])
        if x.tobytes() in self.judged:  # its worst scenario is there; what is left is tolerance
            return False
        verdict = self.adversary.judge(x, self.best)
        self._offer(verdict)
        if verdict.plan is not None:
            self.judged.add(x.tobytes())
        return self._add(verdict)

    def _offer(self, verdict: Verdict) -> None:
        if verdict.plan is not None and verdict.guarantee < self.best:
            self.best, self.x = verdict.guarantee, verdict.plan.first
            self.session.emit(verdict.plan)

    def _add(self, verdict: Verdict) -> bool:
        """Add the scenario of a verdict to the main problem unless it is there."""
        if verdict.scenario is None or self.main.knows(verdict.scenario):
            return False
        self.main.add(verdict.scenario)
        return True

    def _take_start(self) -> None:
        """Judge the start, and keep its scenario."""
        start = self.session.start
        if not isinstance(start, RobustPlan) or len(start.first) != self.main.n:
            return
        if not self.instance.evaluate(start).feasible:
            return
        self.adversary.remember(start.recourse)
        verdict = self.adversary.judge(self.instance.rounded(start.first))
        self._offer(verdict)
        self._add(verdict)

    def _first_scenario(self) -> Floats:
        """A scenario to begin with: the middle of the set, or the first of the list (or vertex)."""
        return self.instance.uncertainty.centre() if self.instance.form == "objective" else self.instance.scenarios[0]

    def _raise(self, bound: float) -> None:
        """A bound of the main problem is one of the instance."""
        if math.isfinite(bound) and bound > self.bound:
            self.bound = bound
            self.session.bound(self.sign * bound)

    def _without_bound(self, solved: Solved) -> Outcome | None:
        """The outcome where the main problem is infeasible, or unbounded with all that could bound it.

        With every scenario the main problem is the robust program.  Where the objective alone is uncertain, a
        direction in which the relaxed recourse improves without end has whole multiples (the data are rational), so
        from a feasible plan the robust program improves along it as well.
        """
        if solved.status is Status.INFEASIBLE:
            return Outcome.infeasible()
        if solved.status is not Status.UNBOUNDED:
            return None
        missing: list[Floats] = []
        if self.instance.form != "objective":
            missing = [xi for xi in self.instance.scenarios if not self.main.knows(xi)]
        elif not self.main.scenarios:
            missing = [self._first_scenario()]
        for xi in missing:
            self.main.add(xi)
        if missing or (self.instance.form == "objective" and self._relax()):
            return None
        return Outcome(status=Status.UNBOUNDED, stopped_by=StoppedBy.PROOF)

    def _relax(self) -> bool:
        """Put the relaxed recourse into the main problem, unless it is there."""
        new = not self.relaxed
        if new:
            add_relaxed(self.main)
            self.relaxed = True
        return new

    def _outcome(self, stopped_by: StoppedBy) -> Outcome:
        bound = None if not math.isfinite(self.bound) else self.sign * min(self.bound, self.best)
        if self.closed(ROUNDING if stopped_by is StoppedBy.PROOF else CLOSED):
            return Outcome.optimal(self.sign * self.best)  # they differ by what the main problem rounds
        if stopped_by is StoppedBy.PROOF:
            stopped_by = StoppedBy.TIME if self.session.remaining() <= REST else StoppedBy.FINISHED
        return Outcome(stopped_by=stopped_by, bound=bound)
