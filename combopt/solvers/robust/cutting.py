"""The linear program of the adversary where the objective alone is uncertain: cutting planes over xi, in HiGHS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.errors import SolverError
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Floats
from combopt.solvers.base import Session
from combopt.solvers.native import Guard

if TYPE_CHECKING:
    import highspy


class Master:
    """max t over xi in the set with t <= the cost of each decision at xi."""

    def __init__(self, uncertainty: Uncertainty, session: Session, start: Floats) -> None:
        import highspy

        self.session, self.q, self.cuts = session, uncertainty.dimension, 0
        self.start, self.lower, self.upper = start, uncertainty.lower, uncertainty.upper
        self.solver: highspy.Highs = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1)):
            self.solver.setOptionValue(name, value)
        q, m = self.q, len(uncertainty.rhs)
        cost = np.append(np.zeros(q), -1.0)
        lower, upper = np.append(uncertainty.lower, -math.inf), np.append(uncertainty.upper, math.inf)
        matrix = np.column_stack([uncertainty.matrix, np.zeros(m)])
        self.solver.passModel(
            q + 1, m, matrix.size, 2, 1, 0.0, cost, lower, upper, np.full(m, -math.inf), uncertainty.rhs,
            np.arange(m + 1, dtype=np.int32) * (q + 1), np.tile(np.arange(q + 1, dtype=np.int32), m), matrix.ravel(),
            np.zeros(q + 1, dtype=np.int32),
        )  # fmt: skip
        self.m = m
        self.guard = Guard(lambda: None)
        self.solver.cbSimplexInterrupt.subscribe(lambda event: self.guard(self._interruptible, event))

    def _interruptible(self, event: Any) -> None:
        if self.session.stopping:
            event.interrupt()

    def cut(self, base: Floats, slope: Floats) -> None:
        """Rows t - slope xi <= base, for each decision."""
        k, q = slope.shape
        values = np.column_stack([-slope, np.ones(k)])
        self.solver.addRows(
            k, np.full(k, -math.inf), base, k * (q + 1), np.arange(k, dtype=np.int32) * (q + 1),
            np.tile(np.arange(q + 1, dtype=np.int32), k), values.ravel(),
        )  # fmt: skip
        self.cuts += k

    def solve(self) -> tuple[float, Floats, Floats]:
        """The bound t, a trial scenario and the weights of the cuts; zeros if the run is to stop."""
        from highspy import HighsModelStatus as Status

        self.solver.run()
        self.guard.check()
        if self.solver.getModelStatus() != Status.kOptimal:
            if not self.session.stopping:
                text = self.solver.modelStatusToString(self.solver.getModelStatus())
                raise SolverError("E301", f"the linear program of the adversary ended {text}")
            return math.inf, self.start, np.zeros(self.cuts)
        solution = self.solver.getSolution()
        values = np.array(solution.col_value)
        xi = np.clip(values[:-1], self.lower, self.upper) + 0.0
        return float(values[-1]), xi, np.abs(np.array(solution.row_dual)[self.m :])
