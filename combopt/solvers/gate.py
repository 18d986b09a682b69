"""The gate between solvers and users: nothing passes that the instance itself has not accepted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from combopt.budget import Budget
from combopt.errors import CombOptError
from combopt.model import Evaluation, Instance, Number, Sense, Solution
from combopt.result import InstanceInfo, Result, Status, StoppedBy, TracePoint, relative_gap
from combopt.solvers.base import Event, Outcome

TOLERANCE = 1e-6
"""Relative difference up to which objective and bound count as equal: the feasibility tolerance of MIP solvers."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a ``report`` callback sees on every improvement: seconds since the call, best checked objective and
    dual bound, and the solution if it is new.  A message, and the account of a step of a search, come likewise."""

    seconds: float
    objective: Number | None
    bound: Number | None
    solution: Solution | None = None
    message: str | None = None
    step: Mapping[str, Any] | None = None

    @property
    def gap(self) -> float | None:
        return relative_gap(self.objective, self.bound)


@dataclass
class Gate:
    """Checks what comes from a solver, keeps the best, and writes the trace.

    ``started`` is :func:`time.monotonic` at the call.
    """

    instance: Instance
    budget: Budget
    started: float
    report: Callable[[Progress], None] | None = None
    solution: Solution | None = None
    evaluation: Evaluation | None = None
    dual: Number | None = None
    trace: list[TracePoint] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    rejected: int = 0
    contradicted: bool = False

    @property
    def sense(self) -> Sense:
        return self.instance.sense

    @property
    def objective(self) -> Number | None:
        return None if self.evaluation is None else self.evaluation.objective

    def take(self, event: Event) -> StoppedBy | None:
        """Take an event; the reason to stop if a limit of the budget is now met."""
        seconds = max(0.0, event.seconds - self.started)
        if event.message is not None:
            self.messages.append(event.message)
            self._tell(Progress(seconds, self.objective, self.dual, message=event.message))
        if event.step is not None:
            self.steps.append({"seconds": round(seconds, 4), **event.step})
            self._tell(Progress(seconds, self.objective, self.dual, step=event.step))
        if event.solution is not None:
            self.offer(event.solution, seconds)
        if event.bound is not None:
            self.tighten(event.bound, seconds)
        return self.reached()

    def offer(self, solution: Solution, seconds: float, source: str = "the solver") -> None:
        """Check a solution; keep it if it is feasible and better than the best so far."""
        try:
            evaluation = self.instance.evaluate(solution)
        except CombOptError as error:
            self._reject(f"{source} handed over something that is no solution: {error.found}")
            return
        if not evaluation.feasible:
            self._reject(f"{source} handed over an infeasible solution: {evaluation.violations[0]}")
            return
        if self.objective is not None and not self.sense.better(evaluation.objective, self.objective):
            return
        self.solution, self.evaluation = solution, evaluation
        self._note(seconds, solution)

    def tighten(self, bound: Number, seconds: float) -> None:
        """Take over a dual bound if it is finite and tighter than the one known."""
        if math.isfinite(bound) and (self.dual is None or self.sense.better(self.dual, bound)):
            self.dual = bound
            self._note(seconds, None)

    def reached(self) -> StoppedBy | None:
        """The limit of the budget that is met, if any."""
        objective, target = self.objective, self.budget.target
        if objective is None:
            return None
        if target is not None and not self.sense.better(target, objective):
            return StoppedBy.TARGET
        gap = relative_gap(objective, self.dual)
        if self.budget.gap > 0 and gap is not None and gap <= self.budget.gap:
            return StoppedBy.GAP
        return None

    def _reject(self, message: str) -> None:
        self.rejected += 1
        if self.rejected <= 3:
            self.messages.append(message)

    def _note(self, seconds: float, solution: Solution | None) -> None:
        self.trace.append(TracePoint(round(seconds, 4), self.objective, self.dual))
        self._tell(Progress(seconds, self.objective, self.dual, solution))

    def _tell(self, progress: Progress) -> None:
        if self.report is not None:
            self.report(progress)

    def result(self, outcome: Outcome, seconds: float, solver: str, version: str, options: dict[str, Any]) -> Result:
        """The result of a run that ended with ``outcome``, its claims checked against what was accepted."""
        if outcome.bound is not None:
            self.tighten(outcome.bound, seconds)
        status, stopped_by = self._judge(outcome)
        if self.rejected > 3:
            self.messages.append(f"{self.rejected} solutions were rejected in all")
        evaluation = self.evaluation
        return Result(
            status=status,
            stopped_by=stopped_by,
            instance=InstanceInfo(
                self.instance.name,
                self.instance.kind,
                self.instance.digest(),
                self.instance.size(),
                self.instance.conventions(),
            ),
            sense=self.sense,
            solution=self.solution,
            objective=self.objective,
            bound=self.dual,
            seconds=round(seconds, 4),
            solver=solver,
            version=version,
            options=options,
            seed=self.budget.seed,
            threads=self.budget.cores,
            trace=tuple(self.trace),
            exactness=str(evaluation.exactness) if evaluation else "exact",
            messages=tuple(self.messages) + (evaluation.notes if evaluation else ()),
            steps=tuple(self.steps),
            rejected=self.rejected,
            contradicted=self.contradicted,
        )

    def _judge(self, outcome: Outcome) -> tuple[Status, StoppedBy]:
        objective, claim = self.objective, outcome.status
        if objective is None:
            self.dual = self.dual if claim is Status.UNKNOWN else None
            if claim is Status.OPTIMAL:
                self._refute("the solver claims an optimal solution, but none passed the check")
                return Status.UNKNOWN, StoppedBy.FINISHED
            return claim, outcome.stopped_by
        if claim is Status.UNBOUNDED:
            self.dual = None
            return claim, outcome.stopped_by
        if claim is Status.INFEASIBLE:
            self._refute(f"the solver claims {claim}, but a feasible solution is known; its claim is dropped")
            return Status.FEASIBLE, StoppedBy.FINISHED
        if self.dual is not None and self.sense.better(objective, self.dual):
            # The bound says that no solution is as good as the one that was checked.
            if not self._equal(objective, self.dual):
                self._refute(f"the solver's bound {self.dual} contradicts the checked objective; dropped")
                self.dual = None
                return Status.FEASIBLE, outcome.stopped_by
            self.dual = objective
        if self.dual is not None and self._equal(objective, self.dual):
            return Status.OPTIMAL, StoppedBy.PROOF
        if claim is Status.OPTIMAL:
            self._refute("the solver claims optimality, but bound and checked objective differ")
            return Status.FEASIBLE, StoppedBy.FINISHED
        return Status.FEASIBLE, outcome.stopped_by

    def _refute(self, message: str) -> None:
        self.contradicted = True
        self.messages.append(message)

    def _equal(self, a: Number, b: Number) -> bool:
        if isinstance(a, int) and isinstance(b, int):
            return a == b
        return abs(a - b) <= TOLERANCE * max(1.0, abs(a))
