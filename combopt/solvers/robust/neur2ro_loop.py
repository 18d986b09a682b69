"""The loop of Neur2RO that all kinds share: main problem, exact evaluation, adversary, next scenario."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.instances.mip import CONTINUOUS, INTEGER
from combopt.model import Floats, Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Outcome, Session
from combopt.solvers.robust.main import Growing, Solved, solve_mip
from combopt.solvers.robust.value_program import Affine

if TYPE_CHECKING:
    from combopt.solvers.robust.neur2ro import Neur2ro

SAME = 1e-3
"""Sum of absolute differences up to which two scenarios are the same, as in the authors' code."""
AGREED = 1e-4
"""Relative difference of main problem and adversary up to which they agree, as in the authors' code."""
MIP_GAP = 1e-4
"""As in the authors' runs."""


class LearnedSearch(ABC):
    """One run for one kind of instance.

    ``scenarios`` are those that the main problem knows; a subclass begins with one.
    """

    def __init__(self, options: Neur2ro, session: Session) -> None:
        self.options, self.session = options, session
        self.scenarios: list[Floats] = []
        self.dice = np.random.default_rng(session.budget.seed)

    @classmethod
    def refuses(cls, instance: Instance) -> str | None:
        """Why the instance cannot be solved, with whatever weights; ``None`` if it can."""
        return None

    @abstractmethod
    def run(self) -> Outcome:
        """Solve the instance."""

    @abstractmethod
    def main(self) -> tuple[Any, float] | None:
        """A first stage and the worst prediction for it; ``None`` if there is none."""

    @abstractmethod
    def look_at(self, x: Any) -> bool:
        """Evaluate a first stage exactly, and hand it over if it is the best; whether it has recourse everywhere."""

    @abstractmethod
    def adversary(self, x: Any) -> Floats | None:
        """The scenario of the worst prediction for a first stage; ``None`` if there was no time."""

    @abstractmethod
    def predicted(self, x: Any, scenario: Floats) -> float:
        """The predicted value."""

    def rounds(self) -> StoppedBy:
        """Main problem and adversary in turns, until they agree; why that ended."""
        for number in range(self.options.rounds):
            found = self.main()
            if found is None:
                return StoppedBy.TIME
            x, worth = found
            if not self.look_at(x):
                continue
            scenario = self.adversary(x)
            if scenario is None:
                return StoppedBy.TIME
            harm = self.predicted(x, scenario)
            self.session.step(round=number + 1, scenarios=len(self.scenarios), predicted=worth, adversary=harm)
            if abs(harm - worth) <= AGREED * max(1.0, abs(harm)) or self._knows(scenario):
                return StoppedBy.FINISHED
            self.scenarios.append(scenario)
        return StoppedBy.ITERATIONS

    def _knows(self, scenario: Floats) -> bool:
        return any(float(np.abs(scenario - known).sum()) < SAME for known in self.scenarios)

    def solve(self, program: Growing, gap: float = MIP_GAP, tell: Any = lambda bound: None) -> Solved:
        """Solve a program within the limit of a step."""
        session = self.session
        seconds = min(self.options.step_limit, session.remaining())
        budget = replace(session.budget, gap=gap, target=None, iterations=None, nodes=None, time_limit=seconds)
        step = Session(budget, min(session.deadline, time.monotonic() + seconds), session.sink)
        session.on_stop(step.request_stop)
        return solve_mip(program.build(), step, self.options.solver, budget, None, tell)


def binaries(program: Growing, cost: Floats) -> list[int]:
    """New columns that are 0 or 1."""
    n = len(cost)
    found: list[int] = program.add_columns(cost, np.zeros(n), np.ones(n), np.full(n, INTEGER)).tolist()
    return found


def column(program: Growing, cost: float, lower: float, upper: float) -> int:
    """A new continuous column."""
    continuous = np.full(1, CONTINUOUS)
    return int(program.add_columns(np.full(1, cost), np.full(1, lower), np.full(1, upper), continuous)[0])


def minimise(program: Growing, number: Affine, weight: float = 1.0) -> None:
    """Add ``weight`` times a number to the objective."""
    for place, value in zip(number.columns, number.matrix[0].tolist(), strict=True):
        program.cost[place] += weight * value
    program.offset += weight * float(number.offset[0])
