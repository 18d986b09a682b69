"""The recourse problem of one first stage in one scenario, solved by HiGHS again and again with data changed in place.

All costs in this package are to be minimised: those of a ``max`` instance have their signs changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.errors import SolverError
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_stage import SecondStage
from combopt.model import Floats, Sense
from combopt.solvers.base import Session
from combopt.solvers.native import Guard

if TYPE_CHECKING:
    import highspy

FLOOR = 1e7
"""How far below 0 the cost of a recourse is let sink that could sink for ever."""


class Ended(Enum):
    """How a recourse problem ended."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Answer:
    """``cost`` of the whole plan (to be minimised) with recourse ``y``; ``duals`` of the rows of a linear program."""

    ended: Ended
    cost: float = math.inf
    y: Floats | None = None
    duals: Floats | None = None


def sign_of(instance: TwoStageRobust) -> float:
    """1 where the instance is to minimise, -1 where it is to maximise."""
    return 1.0 if instance.sense is Sense.MIN else -1.0


class Recourse:
    """The recourse problems of an instance.  :meth:`place` sets the first stage, :meth:`solve` takes a scenario."""

    def __init__(self, instance: TwoStageRobust, session: Session) -> None:
        self.instance, self.session = instance, session
        self.sign = sign_of(instance)
        second, own = instance.second, instance.layout.own
        whole = second.integral[own]
        self.linear = not bool(whole.any())
        self.whole = whole
        self.lower = np.where(whole, np.ceil(second.lower[own]), second.lower[own])
        self.upper = np.where(whole, np.floor(second.upper[own]), second.upper[own])
        self.guard = Guard(lambda: None)
        self.stage: SecondStage | None = None
        self.solved = 0
        self._cost = np.zeros(len(own))  # what the model has
        self._model: highspy.Highs | None = None

    def place(self, stage: SecondStage) -> None:
        """Take the second stage of another first stage."""
        self.stage = stage

    def solve(self, xi: Floats, sides: tuple[Floats, Floats] | None = None) -> Answer:
        """The best recourse in a scenario, or with sides of the rows of their own, its cost still that in ``xi``."""
        assert self.stage is not None
        self.solved += 1
        if self.session.stopping:
            return Answer(Ended.STOPPED)
        low, high = sides or self.stage.sides(xi)
        constant = self.sign * self.stage.constant_at(xi)
        if not len(self.lower):
            fits = bool(self.stage.serves(np.zeros((1, 0)), xi[None])[0, 0])
            return Answer(Ended.OPTIMAL, constant, np.zeros(0)) if fits else Answer(Ended.INFEASIBLE)
        if (self.lower > self.upper).any():
            return Answer(Ended.INFEASIBLE)
        found = self._run(xi, low, high, -math.inf)
        if found == "unbounded":  # any recourse will do that is better than all that matters
            found = self._run(xi, low, high, -FLOOR)
        if isinstance(found, str):
            return Answer(Ended.INFEASIBLE if found == "infeasible" else Ended.STOPPED)
        y, duals = found
        cost = constant + self.sign * float(self.stage.costs_at(xi) @ y)
        return Answer(Ended.OPTIMAL, cost, y, duals)

    def _run(self, xi: Floats, low: Floats, high: Floats, floor: float) -> tuple[Floats, Floats | None] | str:
        """Values and row duals, or what else came out."""
        from highspy import HighsModelStatus as Status

        assert self.stage is not None
        model = self._model or self._build()
        m, rows = len(self.lower), len(low)
        cost = self.sign * self.stage.costs_at(xi)
        every = np.arange(m, dtype=np.int32)
        if not np.array_equal(cost, self._cost):
            model.changeColsCost(m, every, cost)
            self._cost = cost
        if rows:
            model.changeRowsBounds(rows, np.arange(rows, dtype=np.int32), low, high)
        self._change_matrix(model, xi)
        if math.isfinite(floor):
            model.addRow(floor, math.inf, m, every, cost)
        if not self.linear:
            model.clearSolver()
        model.setOptionValue("time_limit", model.getRunTime() + self.session.remaining())
        model.run()
        self.guard.check()
        status = model.getModelStatus()
        if status == Status.kUnknown:  # lost in the numbers: once more, from the beginning and less strict
            model.setOptionValue("primal_feasibility_tolerance", 1e-7)
            model.clearSolver()
            model.run()
            status = model.getModelStatus()
        if status == Status.kUnboundedOrInfeasible:
            model.changeColsCost(m, every, np.zeros(m))
            self._cost = np.zeros(m)
            model.run()
            status = Status.kUnbounded if model.getModelStatus() == Status.kOptimal else model.getModelStatus()
        found: tuple[Floats, Floats | None] | str = "stopped"
        if status == Status.kOptimal:
            solution = model.getSolution()
            y = self._settled(model, np.array(solution.col_value)[:m], xi)
            found = y, np.array(solution.row_dual)[:rows] if self.linear else None
        elif status == Status.kUnbounded:
            found = "unbounded"
        elif status == Status.kInfeasible:
            found = "infeasible"
        elif status not in (Status.kTimeLimit, Status.kInterrupt):
            raise SolverError("E301", f"a recourse problem ended {model.modelStatusToString(status)}")
        if math.isfinite(floor):
            model.deleteRows(1, np.array([rows], dtype=np.int32))
        return found

    def _settled(self, model: highspy.Highs, values: Floats, xi: Floats) -> Floats:
        """The values within their bounds, whole ones rounded; if that breaks a row, the others are found anew."""
        assert self.stage is not None
        y: Floats = np.clip(np.where(self.whole, np.rint(values), values), self.lower, self.upper)
        if self.linear or self.whole.all() or self.stage.serves(y[None], xi[None])[0, 0]:
            return y
        held = np.flatnonzero(self.whole).astype(np.int32)
        model.changeColsBounds(len(held), held, y[held], y[held])
        model.run()
        again = np.array(model.getSolution().col_value)[: len(y)]
        model.changeColsBounds(len(held), held, self.lower[held], self.upper[held])
        return np.asarray(
            np.clip(np.where(self.whole, y, again), self.lower, self.upper) if len(again) == len(y) else y
        )

    def _change_matrix(self, model: highspy.Highs, xi: Floats) -> None:
        layout, instance = self.instance.layout, self.instance
        if not layout.matrix.size:
            return
        changed: dict[tuple[int, int], float] = {}
        for term in layout.matrix.tolist():
            key = int(instance.term_row[term]), int(layout.place[instance.term_column[term]])
            changed[key] = changed.get(key, 0.0) + float(instance.term_value[term] * xi[instance.term_factor[term]])
        for (row, column), value in changed.items():
            model.changeCoeff(row, column, value + self._plain.get((row, column), 0.0))

    def _build(self) -> highspy.Highs:
        import highspy

        second, layout = self.instance.second, self.instance.layout
        model = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-9)):
            model.setOptionValue(name, value)
        model.setOptionValue("primal_feasibility_tolerance", 1e-9)
        model.setOptionValue("random_seed", self.session.budget.seed)
        keep = layout.place[second.row_column] >= 0
        start = np.concatenate([[0], np.cumsum(keep)])[second.row_start]
        column, entry = layout.place[second.row_column[keep]], second.row_value[keep]
        row = np.repeat(np.arange(len(second.rows)), np.diff(start))
        self._plain = dict(zip(zip(row.tolist(), column.tolist(), strict=True), entry.tolist(), strict=True))
        m, rows = len(self.lower), len(second.rows)
        model.passModel(
            m, rows, len(entry), 2, 1, 0.0, np.zeros(m), self.lower, self.upper, np.full(rows, -math.inf),
            np.full(rows, math.inf), start.astype(np.int32), column.astype(np.int32), entry,
            self.whole.astype(np.int32),
        )  # fmt: skip
        for kind in (model.cbSimplexInterrupt, model.cbMipInterrupt):
            kind.subscribe(lambda event: self.guard(self._interruptible, event))
        self._model = model
        return model

    def _interruptible(self, event: Any) -> None:
        if self.session.stopping:
            event.interrupt()
