"""What the adapters of mixed-integer solvers share: bounds, starts, settings, programs that need no solver."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from combopt.errors import UsageError
from combopt.instances.mip import SEMICONTINUOUS, SEMIINTEGER, Mip
from combopt.instances.solutions import Point
from combopt.model import Floats, Number, Sense, Solution
from combopt.solvers.base import Outcome, Session
from combopt.solvers.native import EXACT_FLOAT

INFINITY = 1e20
"""From here on SCIP and HiGHS take a number for infinite."""


def clipped(values: Floats) -> Floats:
    """``values`` with everything beyond :data:`INFINITY` cut down to it."""
    return np.clip(values, -INFINITY, INFINITY)


def beyond(mip: Mip, largest: float) -> str | None:
    """Why a solver that takes ``largest`` coefficients and reads 1e20 as infinite cannot take the program."""
    if mip.row_value.size and np.abs(mip.row_value).max() >= largest:
        return f"it takes no coefficients of {largest:g} and more"
    if mip.cost.size and np.abs(mip.cost).max() >= INFINITY:
        return f"it takes no costs of {INFINITY:g} and more"
    for low, high in ((mip.lower, mip.upper), (mip.row_lower, mip.row_upper)):
        if (low >= INFINITY).any() or (high <= -INFINITY).any():
            return f"it takes {INFINITY:g} for infinite, and a lower bound is not below that"
    return None


def apart(mip: Mip) -> npt.NDArray[np.bool_]:
    """Columns that are semi-continuous or semi-integer in earnest: 0 lies outside their bounds."""
    semi = (mip.domain == SEMICONTINUOUS) | (mip.domain == SEMIINTEGER)
    return semi & ((mip.lower > 0) | (mip.upper < 0))


def rounded_bounds(mip: Mip) -> tuple[Floats, Floats]:
    """Bounds of the columns, those of integer columns rounded inwards.

    The presolve of HiGHS 1.13 cuts solutions off where bounds of integer columns are fractional.
    """
    whole = mip.integral
    return np.where(whole, np.ceil(mip.lower), mip.lower), np.where(whole, np.floor(mip.upper), mip.upper)


def whole_objective(mip: Mip) -> bool:
    """Whether every feasible point has an integer objective."""
    used = mip.cost != 0
    whole = bool((mip.cost == np.rint(mip.cost)).all()) and bool(mip.integral[used].all())
    return whole and float(mip.offset).is_integer()


def bound_rule(mip: Mip) -> Callable[[float], Number | None]:
    """Turns a solver's dual bound into one to hand over: ``None`` if infinite, an ``int`` if all objectives are.

    A bound that is off an integer by no more than the rounding of the solver is taken for that integer.
    """
    whole, least = whole_objective(mip), mip.sense is Sense.MIN

    def rule(bound: float) -> Number | None:
        if not abs(bound) < INFINITY:
            return None
        if not whole or abs(bound) >= EXACT_FLOAT:
            return bound
        slack = min(0.5, 1e-6 + 1e-9 * abs(bound))
        return math.ceil(bound - slack) if least else math.floor(bound + slack)

    return rule


def start_values(mip: Mip, start: Solution | None) -> Floats | None:
    """Values of a start in the order of the columns, NaN where it has none; ``None`` if it is of no use."""
    if not isinstance(start, Point):
        return None
    if start.names == mip.columns:
        return start.values
    known = dict(zip(start.names, start.values.tolist(), strict=True))
    values = np.array([known.get(name, math.nan) for name in mip.columns])
    return None if np.isnan(values).all() else values


def at_once(mip: Mip, session: Session) -> Outcome | None:
    """The outcome where no solver is needed: bounds that cross one another, or no columns at all.

    Solvers take crossing bounds for an error of the caller, and some of them a program without columns.
    """
    plain = ~apart(mip)
    lower, upper = rounded_bounds(mip)
    free = np.zeros(len(mip.rows), dtype=bool)
    free[[indicator.row for indicator in mip.indicators]] = True
    if (lower > upper)[plain].any() or (mip.row_lower > mip.row_upper)[~free].any():
        return Outcome.infeasible()
    if mip.columns:
        return None
    if (mip.row_lower > 0).any() or (mip.row_upper < 0).any():
        return Outcome.infeasible()
    session.emit(Point((), np.zeros(0)))
    return Outcome.optimal(int(mip.offset) if float(mip.offset).is_integer() else mip.offset)


def pairs(text: str, option: str = "settings") -> list[tuple[str, str]]:
    """Names and values of ``"name=value, name=value"``.

    Raises
    ------
    UsageError
        E201, if a part has no ``=``.
    """
    found = []
    for part in filter(None, (piece.strip() for piece in text.replace("\n", ",").split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise UsageError("E201", f"{option} = {text!r}: {part!r}", expected="name=value, name=value, ...")
        found.append((name.strip(), value.strip()))
    return found
