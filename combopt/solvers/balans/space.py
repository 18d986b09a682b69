"""A mixed-integer program as neighbourhoods see it: discrete columns, who shares a row with whom, root relaxation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from combopt.instances.mip import Mip
from combopt.model import Floats, Ints, Sense
from combopt.solvers.linear import apart, rounded_bounds

Bools = npt.NDArray[np.bool_]

WHOLE = 1e-6
"""Distance from a whole number up to which a value counts as whole, and up to which two values are the same."""


@dataclass(frozen=True)
class MipSpace:
    """What all neighbourhoods of one program share."""

    mip: Mip

    @cached_property
    def cost(self) -> Floats:
        """Costs of a minimisation."""
        return -self.mip.cost if self.mip.sense is Sense.MAX else self.mip.cost

    def value(self, values: Floats) -> float:
        """Objective of a point, to be minimised."""
        total = float(self.mip.cost @ values) + self.mip.offset
        return -total if self.mip.sense is Sense.MAX else total

    @cached_property
    def discrete(self) -> Bools:
        """Columns that may be fixed: those that must be whole and have more than one value, and none of a special
        ordered set or an indicator, whose logic needs its columns."""
        lower, upper = rounded_bounds(self.mip)
        return self.mip.integral & (lower < upper) & ~self.tied & ~apart(self.mip)

    @cached_property
    def binary(self) -> Bools:
        lower, upper = rounded_bounds(self.mip)
        return self.mip.integral & (lower == 0) & (upper == 1) & ~self.tied

    @cached_property
    def tied(self) -> Bools:
        """Columns of special ordered sets and indicators."""
        tied = np.zeros(len(self.mip.columns), dtype=bool)
        for group in self.mip.sos:
            tied[list(group.columns)] = True
        tied[[indicator.column for indicator in self.mip.indicators]] = True
        return tied

    @cached_property
    def row_of(self) -> Ints:
        """``int64[nonzeros]``: the row of each entry."""
        return np.repeat(np.arange(len(self.mip.rows)), np.diff(self.mip.row_start))

    @cached_property
    def by_column(self) -> tuple[Ints, Ints]:
        """Entries by column: the rows of column ``j`` are ``rows[start[j]:start[j + 1]]``."""
        order = np.argsort(self.mip.row_column, kind="stable")
        counts = np.bincount(self.mip.row_column, minlength=len(self.mip.columns))
        return np.concatenate([[0], np.cumsum(counts)]), self.row_of[order]

    def rows_of(self, column: int) -> Ints:
        start, rows = self.by_column
        return rows[start[column] : start[column + 1]]

    def columns_of(self, row: int) -> Ints:
        mip = self.mip
        return mip.row_column[mip.row_start[row] : mip.row_start[row + 1]]


@dataclass(frozen=True, kw_only=True)
class MipNeighbourhood:
    """Part of the space of a program.

    Parameters
    ----------
    free
        ``bool[n]``: columns that may change; all others have their value of ``values``.
    values
        ``float64[n]``.
    lower, upper
        Narrower bounds, ``float64[n]``, if any.
    row
        One more row ``coefficients @ x[columns] <= side``, as (columns, coefficients, side).
    cost
        Another objective, ``float64[n]``, to be minimised.
    patience
        How much longer than others its search may take.
    """

    free: Bools
    values: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    row: tuple[Ints, Floats, float] | None = None
    cost: Floats | None = None
    patience: float = 1.0

    @property
    def holds_values(self) -> bool:
        """Whether ``values`` itself lies in the neighbourhood."""
        for bound, sign in ((self.lower, 1), (self.upper, -1)):
            if bound is not None and (sign * (bound - self.values)[self.free] > WHOLE).any():
                return False
        if self.row is not None:
            columns, coefficients, side = self.row
            return bool(coefficients @ self.values[columns] <= side + WHOLE)
        return True


@dataclass(frozen=True)
class RunOn:
    """Not a neighbourhood but the whole space: the plain solver goes on where it was stopped."""
