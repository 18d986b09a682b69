"""The program that is left when columns are fixed: fewer columns, rows that still matter, sides moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from combopt.instances.mip import INTEGER, Indicator, Mip, Sos
from combopt.instances.solutions import Point
from combopt.model import Floats, Ints, Sense
from combopt.solvers.balans.space import Bools, MipNeighbourhood, MipSpace
from combopt.solvers.linear import rounded_bounds

SLACK = 1e-9
"""Relative margin by which a row must hold whatever its free columns are before it is left out."""


@dataclass(frozen=True)
class Reduced:
    """A program in the columns ``kept`` of another one; the rest of ``values`` stays as it is."""

    mip: Mip
    kept: Ints
    values: Floats

    def point(self) -> Point:
        """``values`` as a point of the reduced program."""
        return Point(self.mip.columns, self.values[self.kept])

    def lifted(self, point: Point) -> Floats:
        """A point of the reduced program as one of the whole."""
        values = self.values.copy()
        values[self.kept] = point.values
        return values


def reduced(space: MipSpace, neighbourhood: MipNeighbourhood) -> Reduced | None:
    """The program of a neighbourhood; ``None`` if a row without free columns is broken, so that it is empty."""
    mip, values = space.mip, neighbourhood.values
    keep = neighbourhood.free | space.tied
    kept = np.flatnonzero(keep)
    lower, upper = _bounds(space, neighbourhood)
    place = np.cumsum(keep) - 1
    inside = keep[mip.row_column]
    moved = np.bincount(
        space.row_of[~inside], mip.row_value[~inside] * values[mip.row_column[~inside]], minlength=len(mip.rows)
    )
    entry_row, entry_column, entry_value = space.row_of[inside], mip.row_column[inside], mip.row_value[inside]
    low, high = mip.row_lower - moved, mip.row_upper - moved
    counts = np.bincount(entry_row, minlength=len(mip.rows))
    needed = _needed(entry_row, entry_value, lower[entry_column], upper[entry_column], low, high)
    conditional = np.zeros(len(mip.rows), dtype=bool)
    conditional[[indicator.row for indicator in mip.indicators]] = True
    scale = 1e-6 * np.maximum(1.0, np.abs(moved))
    if ((counts == 0) & ~conditional & ((low > scale) | (high < -scale))).any():
        return None
    needed = (needed & (counts > 0)) | conditional
    use = needed[entry_row]
    columns, entries, starts = place[entry_column[use]], entry_value[use], counts[needed]
    low, high = low[needed], high[needed]
    if neighbourhood.row is not None:
        extra, coefficients, side = neighbourhood.row
        side -= float(coefficients[~keep[extra]] @ values[extra[~keep[extra]]])
        mine = keep[extra]
        columns = np.concatenate([columns, place[extra[mine]]])
        entries = np.concatenate([entries, coefficients[mine]])
        starts, low, high = np.append(starts, mine.sum()), np.append(low, -np.inf), np.append(high, side)
    offset = mip.offset + float(mip.cost[~keep] @ values[~keep])
    cost, sense = mip.cost, mip.sense
    if neighbourhood.cost is not None:
        cost, sense, offset = neighbourhood.cost, Sense.MIN, 0.0
    row_place = np.cumsum(needed) - 1
    small = Mip(
        name=mip.name, sense=sense, cost=cost[kept], offset=offset, lower=lower[kept], upper=upper[kept],
        domain=np.where(keep & (lower == upper) & mip.integral, INTEGER, mip.domain)[kept],
        row_start=np.concatenate([[0], np.cumsum(starts)]), row_column=columns, row_value=entries,
        row_lower=low, row_upper=high, columns=_names("x", len(kept)), rows=_names("r", len(low)),
        sos=tuple(Sos(type=g.type, columns=tuple(place[list(g.columns)]), weights=g.weights) for g in mip.sos),
        indicators=tuple(
            Indicator(row=int(row_place[i.row]), column=int(place[i.column]), active=i.active) for i in mip.indicators
        ),
    )  # fmt: skip
    return Reduced(small, kept, values)


def _bounds(space: MipSpace, neighbourhood: MipNeighbourhood) -> tuple[Floats, Floats]:
    """Bounds of the program, narrowed by the neighbourhood, and closed upon the values of tied columns not free."""
    lower, upper = rounded_bounds(space.mip)
    if neighbourhood.lower is not None:
        lower = np.maximum(lower, neighbourhood.lower)
    if neighbourhood.upper is not None:
        upper = np.minimum(upper, neighbourhood.upper)
    shut = ~neighbourhood.free
    return np.where(shut, neighbourhood.values, lower), np.where(shut, neighbourhood.values, upper)


def _needed(rows: Ints, values: Floats, lower: Floats, upper: Floats, low: Floats, high: Floats) -> Bools:
    """Rows that some values within the bounds break."""
    with np.errstate(invalid="ignore"):
        a, b = values * lower, values * upper
    least = np.bincount(rows, np.minimum(a, b), minlength=len(low))
    most = np.bincount(rows, np.maximum(a, b), minlength=len(low))
    margin = SLACK * np.maximum(1.0, np.maximum(np.abs(least), np.abs(most)))
    with np.errstate(invalid="ignore"):
        holds = (least - margin >= low) & (most + margin <= high)
    return ~holds


@cache
def _stock(letter: str, power: int) -> tuple[str, ...]:
    return tuple(f"{letter}{i}" for i in range(1 << power))


def _names(letter: str, count: int) -> tuple[str, ...]:
    """``count`` names, cut from a stock, so that a long search makes no new strings."""
    return _stock(letter, count.bit_length())[:count]
