"""From a solver's point to one that holds: solvers work in floats, the check does not.

A solver accepts a point whose rows are off by its tolerance, which grows with the numbers of a row, and whose
integers are almost whole.  Rounding those may break a row by more than the check forgives.  With all discrete
decisions fixed as the solver made them, what remains is a linear program in the continuous columns; its solution is
off by far less.
"""

from __future__ import annotations

import numpy as np

from combopt.instances.mip import SEMICONTINUOUS, SEMIINTEGER, Mip
from combopt.instances.solutions import Point
from combopt.model import Floats, Sense
from combopt.solvers.base import Session
from combopt.solvers.linear import apart

NEAR = 1e-5
"""Distance up to which a value is taken for the whole number, or the bound, next to it."""
LP_SECONDS = 5.0
"""Time limit of a linear program."""
TRIALS = 3
"""Linear programs without success after which no more are tried."""


class Repair:
    """Hands over a solver's points to ``session``, improved where they need it and that is possible.

    ``nested`` says that this happens in a callback of HiGHS, whose threads must then be left alone.
    """

    def __init__(self, mip: Mip, session: Session, *, nested: bool = False) -> None:
        self.mip, self.session, self.nested = mip, session, nested
        self.failures = 0

    def emit(self, values: Floats) -> bool:
        """Hand over the point, tidied; if that does not hold, the best near it that does, or the point as it is.

        Returns whether what was handed over holds.
        """
        tidy, raw = Point(self.mip.columns, tidied(self.mip, values)), Point(self.mip.columns, values)
        for point in (tidy, raw):
            if self.mip.evaluate(point).feasible:
                self.session.emit(point)
                return True
        solved = self._solved(values)
        self.session.emit(solved or raw)
        return solved is not None

    def _solved(self, values: Floats) -> Point | None:
        if self.failures >= TRIALS or self.session.stopping or bool(self.mip.integral.all()):
            return None
        found = solve_continuous(self.mip, values, min(LP_SECONDS, self.session.remaining()))
        if not self.nested:
            release_threads()
        if found is not None:
            point = Point(self.mip.columns, tidied(self.mip, found))
            if self.mip.evaluate(point).feasible:
                return point
        self.failures += 1
        return None


def release_threads() -> None:
    """End the threads that HiGHS keeps for the thread that called it; it will not change their number."""
    from highspy import Highs

    Highs.resetGlobalScheduler(True)


def tidied(mip: Mip, values: Floats) -> Floats:
    """``values`` with nearly whole integers whole, and what is just outside its bounds on them."""
    x = np.where(np.isfinite(values), values, 0.0)
    nearest = np.rint(x)
    x = np.where(mip.integral & (np.abs(x - nearest) <= NEAR), nearest, x)
    inside = np.minimum(np.maximum(x, mip.lower), mip.upper)
    split = apart(mip)
    # A semi-continuous column next to 0 is 0; inside its bounds it is left alone.
    inside = np.where(split & (np.abs(x) <= np.abs(x - inside)), 0.0, inside)
    return np.where(np.abs(x - inside) <= NEAR, inside, x) + 0.0


def solve_continuous(mip: Mip, values: Floats, seconds: float) -> Floats | None:
    """The best values of the continuous columns with all discrete decisions as in ``values``; ``None`` if none.

    Integer columns, the switches of semi-continuous ones, indicators and special ordered sets are fixed.
    """
    import highspy

    lower, upper = mip.lower.copy(), mip.upper.copy()
    whole = mip.integral
    lower[whole] = upper[whole] = np.rint(values[whole])
    off = ((mip.domain == SEMICONTINUOUS) | (mip.domain == SEMIINTEGER)) & (np.abs(values) <= NEAR)
    for group in mip.sos:
        members = np.array(group.columns, dtype=np.int64)
        size = np.abs(values[members])
        windows = np.convolve(size, np.ones(group.type), "valid") if len(size) > group.type else np.zeros(0)
        if windows.size:
            first = int(np.argmax(windows))
            off[np.delete(members, np.arange(first, first + group.type))] = True
    lower[off] = upper[off] = 0.0
    row_lower, row_upper = mip.row_lower.copy(), mip.row_upper.copy()
    for indicator in mip.indicators:
        if round(float(values[indicator.column])) != indicator.active:
            row_lower[indicator.row], row_upper[indicator.row] = -np.inf, np.inf
    solver = highspy.Highs()
    options = {
        "output_flag": False, "time_limit": seconds, "small_matrix_value": 1e-12,
        "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9,
    }  # fmt: skip
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(
        len(mip.columns), len(mip.rows), len(mip.row_value), 2, -1 if mip.sense is Sense.MAX else 1, mip.offset,
        mip.cost, lower, upper, row_lower, row_upper, mip.row_start.astype(np.int32),
        mip.row_column.astype(np.int32), mip.row_value, np.zeros(len(mip.columns), dtype=np.int32),
    )  # fmt: skip
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(solver.getSolution().col_value)
