"""The solver ``knapsack``: exact, by the expanding core of :mod:`combopt.solvers.knapsack_core`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from combopt.instances.knapsack import Knapsack
from combopt.instances.packing import in_units
from combopt.instances.solutions import Selection
from combopt.model import Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.knapsack_core import COMPILED, Core
from combopt.solvers.knapsack_step import compiled_within

REPORT = 0.1
"""Seconds between two reports."""


@dataclass(frozen=True)
class KnapsackSolver(Solver):
    """Dynamic programming over a core of items around the break item, which grows as far as bounds demand.

    Parameters
    ----------
    states
        Most partial solutions held at a time; each takes about 90 bytes at the peak.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="knapsack",
        title="dynamic programming over an expanding core (Pisinger's minknap)",
        kinds=("knapsack",),
        capabilities=frozenset(Capability) - {Capability.THREADS},
    )
    states: int = 20_000_000

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Knapsack)
        core = Core(instance.profit, instance.weight, instance.capacity)
        if isinstance(session.start, Selection):
            core.offer(session.start.items)
        report = _Report(core, session, instance.profit_scale)
        steps = session.budget.iterations
        while core.step():
            report()
            if session.stopping:
                return report.stopped(StoppedBy.TIME)
            if len(core.states) > self.states:
                return report.stopped(StoppedBy.MEMORY)
            if steps is not None and len(core.steps) >= steps:
                return report.stopped(StoppedBy.ITERATIONS)
            if core.merge is None and core.handled > COMPILED:
                core.merge = compiled_within(session)
        report(final=True)
        return Outcome.optimal(in_units(core.value, instance.profit_scale))


@dataclass
class _Report:
    """Hands over what improved since the last time, but not too often."""

    core: Core
    session: Session
    scale: int
    value: int = -1
    upper: int | None = None
    last: float = 0.0

    def __call__(self, final: bool = False) -> None:
        if not final and time.monotonic() - self.last < REPORT:
            return
        if self.core.value > self.value:
            self.value = self.core.value
            self.session.emit(Selection(self.core.solution()))
        if self.upper is None or self.core.upper < self.upper:
            self.upper = self.core.upper
            self.session.bound(in_units(self.upper, self.scale))
        self.last = time.monotonic()

    def stopped(self, reason: StoppedBy) -> Outcome:
        self(final=True)
        return Outcome(stopped_by=reason, bound=in_units(self.core.upper, self.scale))
