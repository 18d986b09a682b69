"""What packing and covering instances, on graphs too, share: exact sums, scaled decimals, chosen items."""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.mip import Mip
from combopt.instances.solutions import Point, Selection
from combopt.model import Floats, Ints, Number, View, Violation

LARGEST_TOTAL = 2**61
"""Sums stay below this, so that adding up to four of them cannot overflow 64 bits."""
EXACT_FLOAT = 2**53


def check_amounts(values: Ints, what: str, low: int = 0) -> None:
    """Raise E114 if a value is below ``low`` or all together overflow 64-bit arithmetic."""
    if values.size and values.min() < low:
        position = np.argwhere(values < low)[0]
        where = ", ".join(str(p + 1) for p in position)
        raise InputError("E114", f"{what} {where} is {values[tuple(position)]}", expected=f"at least {low}")
    # the float sum is close enough to rule out overflow; only near the limit is the exact one needed
    if float(values.sum(dtype=np.float64)) > LARGEST_TOTAL / 2 and sum(values.ravel().tolist()) > LARGEST_TOTAL:
        raise InputError("E114", f"the sum over every {what} is too large", expected=f"at most {LARGEST_TOTAL}")


def check_scale(scale: int, what: str) -> None:
    """Raise E114 unless ``scale`` is a power of ten from 1 to 10^9."""
    if isinstance(scale, bool) or scale not in {10**k for k in range(10)}:
        raise InputError("E114", f"{what} is {scale!r}", expected="a power of ten from 1 to 10^9")


def in_units(total: int, scale: int) -> Number:
    """A scaled sum in the units of the file: an exact ``int`` unless the data have decimals."""
    return total if scale == 1 else total / scale


def chosen(items: Ints, count: int, what: str) -> tuple[Ints, list[Violation]]:
    """The items that exist, each once, with a violation for every one that does not or comes again (from 1)."""
    inside = items[(items >= 0) & (items < count)]
    violations = [
        Violation(f"{what} {i + 1}", 1, "does not exist") for i in items[(items < 0) | (items >= count)].tolist()
    ]
    distinct, times = np.unique(inside, return_counts=True)
    for i, k in zip(distinct[times > 1].tolist(), times[times > 1].tolist(), strict=True):
        violations.append(Violation(f"{what} {i + 1}", k - 1, f"is chosen {k} times"))
    return distinct, violations


def values_of(point: Point, mip: Mip) -> Floats:
    """The values of a point in the order of the program's columns."""
    if point.names == mip.columns:
        return point.values
    table = dict(zip(point.names, point.values.tolist(), strict=True))
    return np.array([table.get(name, 0.0) for name in mip.columns])


def point_at(mip: Mip, ones: Ints) -> Point:
    """The point with 1 in the columns ``ones`` and 0 elsewhere."""
    values = np.zeros(len(mip.columns))
    values[ones[(ones >= 0) & (ones < len(mip.columns))]] = 1.0
    return Point(mip.columns, values)


def selection_view(mip: Mip) -> View:
    """The view through a program whose columns are the items, 1 where an item is chosen."""
    return View(
        mip,
        lambda point: Selection(np.flatnonzero(values_of(point, mip) > 0.5)),
        lambda solution: point_at(mip, solution.items),
    )


def representable(values: Ints, what: str) -> None:
    """Raise E202 where a 64-bit float cannot hold the values, as a mixed-integer program would need."""
    if values.size and max(abs(int(values.max())), abs(int(values.min()))) > EXACT_FLOAT:
        from combopt.errors import UnsupportedError

        raise UnsupportedError("E202", f"{what} above 2^53 cannot be written as a mixed-integer program")
