"""Points that take no search: everything at a bound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from combopt.model import Floats, Ints
from combopt.solvers.balans.space import MipSpace
from combopt.solvers.linear import rounded_bounds


def simple_points(space: MipSpace) -> Iterator[Floats]:
    """Candidates, feasible or not: all columns as near to 0 as they may be, at their lower bounds, at their upper
    bounds, and each where fewer rows oppose it (its locks, Achterberg 2007, section 3.3)."""
    mip = space.mip
    lower, upper = rounded_bounds(mip)
    zero = np.clip(np.zeros(len(mip.columns)), lower, upper)
    low, high = np.where(np.isfinite(lower), lower, zero), np.where(np.isfinite(upper), upper, zero)
    up, down = _locks(space)
    locked = np.where(down < up, low, np.where(up < down, high, np.where(space.cost >= 0, low, high)))
    for point in (zero, low, high, locked):
        yield point.astype(np.float64)


def _locks(space: MipSpace) -> tuple[Ints, Ints]:
    """Rows that raising a column may break, and rows that lowering it may."""
    mip = space.mip
    above, below = np.isfinite(mip.row_upper)[space.row_of], np.isfinite(mip.row_lower)[space.row_of]
    rising = mip.row_value > 0
    count = len(mip.columns)
    up = np.bincount(mip.row_column[np.where(rising, above, below)], minlength=count)
    down = np.bincount(mip.row_column[np.where(rising, below, above)], minlength=count)
    return up, down
