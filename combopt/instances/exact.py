"""Exact evaluation of a point in a mixed-integer program.

Every number stands for the decimal value of its shortest representation (``repr``): the coefficient ``0.1`` is one
tenth, and not the binary fraction next to it.  Values of integer columns are rounded to the nearest whole number if
they are within ``INTEGRALITY`` of it; then rows, bounds, sets and indicators are evaluated without rounding.
A constraint holds *exactly*, or *within tolerance* if it is broken by at most ``ABSOLUTE`` plus ``RELATIVE`` times
its largest term, or not at all.

Speed comes from three filters.  A float pass with rigorous error bounds settles rows with slack; rows whose numbers
are short decimals are evaluated exactly as whole numbers below 2^53; only the rest is computed in decimals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError
from combopt.instances.mip import SEMICONTINUOUS, SEMIINTEGER, Mip
from combopt.instances.solutions import Point
from combopt.model import Evaluation, Exactness, Floats, Ints, Number, Violation

ABSOLUTE = 1e-6
RELATIVE = 1e-9
INTEGRALITY = 1e-5

_UNIT = 2.0**-53  # rounding error of one operation
_EXACT = 2.0**53  # whole floats below are exact
_TINY = 1e-140  # products of smaller numbers may underflow
_DIGITS = 9  # decimals up to which numbers are scaled to whole ones
_POWERS = np.array([float(10**k) for k in range(23)])  # the powers of ten that floats hold exactly
# Enough digits for any sum of products of doubles; should it ever round, it raises.
_CONTEXT = Context(prec=2000, traps=[Inexact])

_T = TypeVar("_T", np.float64, np.int64, np.bool_)


@dataclass
class _Report:
    """What has been found so far; ``worst`` is the largest breach within tolerance and its place."""

    violations: list[Violation] = field(default_factory=list)
    worst: tuple[float, str] | None = None
    notes: list[str] = field(default_factory=list)

    def broken(self, constraint: str, amount: float, message: str) -> None:
        self.violations.append(Violation(constraint, float(amount), message))

    def tolerated(self, constraint: str, amount: float) -> None:
        if self.worst is None or amount > self.worst[0]:
            self.worst = (float(amount), constraint)

    def judge(self, constraint: str, amount: float, tolerance: float, message: str) -> None:
        """File a breach by ``amount > 0``."""
        if amount > tolerance:
            self.broken(constraint, amount, message)
        else:
            self.tolerated(constraint, amount)

    @property
    def exact(self) -> bool:
        return self.worst is None and not self.violations


def evaluate(mip: Mip, point: Point) -> Evaluation:
    """Objective and all violations of ``point``.

    Raises
    ------
    InputError
        E302 if the point does not have exactly the columns of the program, in whatever order.
    """
    report = _Report()
    x = _rounded(mip, _aligned(mip, point), report)
    _check_columns(mip, x, report)
    _check_rows(mip, x, report)
    _check_sets(mip, x, report)
    exactness = Exactness.EXACT
    if report.worst is not None:
        exactness = Exactness.TOLERANCE
        report.notes.append(f"largest violation within tolerance: {report.worst[0]:.3g}, {report.worst[1]}")
    return Evaluation(objective(mip, x), tuple(report.violations), exactness, tuple(report.notes))


def objective(mip: Mip, x: Floats) -> Number:
    """``cost x + offset``, computed exactly: an ``int`` if costs and columns are whole, else rounded once."""
    used = np.flatnonzero((mip.cost != 0) & (x != 0))
    total = _CONTEXT.add(exact_dot(mip.cost[used], x[used]), _decimal(mip.offset))
    whole = float(mip.offset).is_integer() and not (
        (mip.cost != 0) & ~(mip.integral & (mip.cost == np.rint(mip.cost)))
    ).any()  # fmt: skip
    if whole and total == total.to_integral_value():
        return int(total)
    return float(total)


def exact_dot(a: Floats, x: Floats) -> Decimal:
    """The sum of ``a * x`` as an exact decimal."""
    (ka, pa), (kx, px) = _scaled(a), _scaled(x)
    short = (pa >= 0) & (px >= 0)
    total = Decimal(0)
    if short.any():
        p, q = int(pa[short].max()), int(px[short].max())
        with np.errstate(over="ignore"):
            terms = ka[short] * _POWERS[p - pa[short]] * (kx[short] * _POWERS[q - px[short]])
        if np.abs(terms).sum() < _EXACT:
            total = Decimal(int(terms.sum())).scaleb(-(p + q), _CONTEXT)
        else:
            short[:] = False
    return _long_dot(a[~short], x[~short], total)


def _long_dot(a: Floats, x: Floats, total: Decimal) -> Decimal:
    for left, right in zip(a.tolist(), x.tolist(), strict=True):
        total = _CONTEXT.fma(_decimal(left), _decimal(right), total)
    return total


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _scaled(values: Floats) -> tuple[Floats, Ints]:
    """Whole ``k`` and the least ``p <= 9`` with ``values = k / 10^p`` as decimals; ``p`` is -1 where there is none.

    With less than 16 digits, ``k / 10^p`` rounds to the value if and only if it is its shortest representation.
    Infinite values count as whole.
    """
    k = np.rint(values)
    p = np.zeros(len(values), dtype=np.int64)
    rest = np.flatnonzero((k != values) | ((np.abs(k) >= 1e15) & np.isfinite(k)))
    p[rest] = -1
    for digits in range(1, _DIGITS + 1):
        if not rest.size:
            break
        power = _POWERS[digits]
        with np.errstate(over="ignore"):
            whole = np.rint(values[rest] * power)
        fits = (whole / power == values[rest]) & (np.abs(whole) < 1e15)
        k[rest[fits]], p[rest[fits]] = whole[fits], digits
        rest = rest[~fits]
    return k, p


def _aligned(mip: Mip, point: Point) -> Floats:
    """The values of the point in the order of the columns."""
    if point.names is mip.columns or point.names == mip.columns:
        return point.values
    where = {name: i for i, name in enumerate(point.names)}
    if len(where) < len(point.names):
        raise InputError("E302", "the point gives a value to a variable twice")
    missing = [name for name in mip.columns if name not in where]
    if missing:
        raise InputError("E302", f"the point has no value for {len(missing)} variables, such as {missing[0]!r}")
    if len(where) > len(mip.columns):
        unknown = next(iter(where.keys() - set(mip.columns)))
        raise InputError("E302", f"the point gives a value to {unknown!r}, which is not in {mip.name}")
    return point.values[[where[name] for name in mip.columns]]


def _rounded(mip: Mip, values: Floats, report: _Report) -> Floats:
    """The values with those of integer columns made whole where they nearly are."""
    wrong = ~np.isfinite(values)
    for j in np.flatnonzero(wrong).tolist():
        report.broken(f"column {mip.columns[j]}", math.inf, f"its value is {values[j]}, counted as 0 elsewhere")
    x = np.where(wrong, 0.0, values)
    nearest = np.rint(x)
    distance = np.where(mip.integral, np.abs(x - nearest), 0.0)
    for j in np.flatnonzero(distance > INTEGRALITY).tolist():
        report.broken(f"column {mip.columns[j]}", distance[j], f"its value {x[j]!s} is not a whole number")
    near = (distance > 0) & (distance <= INTEGRALITY)
    if near.any() and distance[near].max() > RELATIVE:
        report.notes.append(f"{int(near.sum())} integer values rounded, by at most {distance[near].max():.2g}")
    rounded: Floats = np.where(near, nearest, x) + 0.0
    return rounded


def _check_columns(mip: Mip, x: Floats, report: _Report) -> None:
    """Bounds.  Floats order as their shortest decimals do, so comparing them is exact."""
    outside = np.maximum(mip.lower - x, x - mip.upper)
    semi = (mip.domain == SEMICONTINUOUS) | (mip.domain == SEMIINTEGER)
    outside = np.where(semi, np.minimum(outside, np.abs(x)), outside)
    for j in np.flatnonzero(outside > 0).tolist():
        zero = " or 0" if semi[j] else ""
        report.judge(
            f"column {mip.columns[j]}", outside[j], ABSOLUTE + RELATIVE * abs(x[j]),
            f"its value {x[j]:.12g} is not in [{mip.lower[j]:.12g}, {mip.upper[j]:.12g}]{zero}",
        )  # fmt: skip


def _check_sets(mip: Mip, x: Floats, report: _Report) -> None:
    """Special ordered sets: all values beyond the best window of ``type`` neighbours are 0."""
    for group in mip.sos:
        size = np.abs(x[list(group.columns)])
        used = np.flatnonzero(size)
        if len(used) <= 1 or (group.type == 2 and used[-1] - used[0] <= 1):
            continue
        # The best window of neighbours leaves the least outside, on its left or on its right.
        left = np.maximum.accumulate(np.concatenate([[0.0], size[:-1]]))
        right = np.maximum.accumulate(np.concatenate([size[group.type :], np.zeros(group.type)])[::-1])[::-1]
        outside = float(np.maximum(left, right).min())
        label = f"set {group.name}"
        message = f"{len(used)} of its columns are not 0, expected at most {group.type}, neighbours"
        report.judge(label, outside, ABSOLUTE, message if group.type == 2 else message.removesuffix(", neighbours"))


@dataclass
class _Rows:
    """Some rows of the program with the entries where ``x`` is not 0."""

    mip: Mip
    index: Ints
    a: Floats
    x: Floats
    start: Ints

    @classmethod
    def pick(cls, mip: Mip, x: Floats, index: Ints) -> _Rows:
        first, width = mip.row_start[index], np.diff(mip.row_start)[index]
        local = np.arange(int(width.sum())) - np.repeat(np.cumsum(width) - width, width)
        entries = np.repeat(first, width) + local
        values = x[mip.row_column[entries]]
        used = values != 0
        start = np.concatenate([[0], np.cumsum(used)])[np.concatenate([[0], np.cumsum(width)])]
        return cls(mip, index, mip.row_value[entries[used]], values[used], start)

    def most(self, of: npt.NDArray[_T]) -> npt.NDArray[_T]:
        """The largest of the entries' values in each row, 0 for an empty one."""
        out = np.zeros(len(self.index), dtype=of.dtype)
        filled = np.flatnonzero(np.diff(self.start))
        if filled.size:
            out[filled] = np.maximum.reduceat(of, self.start[filled])
        return out

    def spread(self, of_rows: npt.NDArray[_T]) -> npt.NDArray[_T]:
        """The rows' values, for each of their entries."""
        return np.repeat(of_rows, np.diff(self.start))

    def sums(self, of: Floats) -> Floats:
        return _sums(of, np.repeat(np.arange(len(self.index)), np.diff(self.start)), len(self.index))

    def tolerance(self) -> Floats:
        with np.errstate(over="ignore"):
            largest = self.most(np.abs(self.a * self.x))
        return ABSOLUTE + RELATIVE * np.where(np.isfinite(largest), largest, 0.0)

    def exact(self, local: int) -> Decimal:
        """The activity of one row."""
        entries = slice(self.start[local], self.start[local + 1])
        return exact_dot(self.a[entries], self.x[entries])


def _sums(values: Floats, row: Ints, rows: int) -> Floats:
    return np.asarray(np.bincount(row, weights=values, minlength=rows), dtype=np.float64)


def _check_rows(mip: Mip, x: Floats, report: _Report) -> None:
    holds = np.ones(len(mip.rows), dtype=bool)
    for indicator in mip.indicators:
        holds[indicator.row] = x[indicator.column] == indicator.active
    activity, error = _activities(mip, x)
    with np.errstate(invalid="ignore"):
        slack = (activity - error >= mip.row_lower) & (activity + error <= mip.row_upper)
    tight = np.flatnonzero(holds & ~slack)
    if not tight.size:
        return
    rows = _Rows.pick(mip, x, tight)
    outside, known = _outside_as_wholes(rows)
    tolerance = rows.tolerance()
    for i in np.flatnonzero(known & (outside > 0)).tolist():
        _judge_row(rows, i, float(outside[i]), float(tolerance[i]), report)
    rest = np.flatnonzero(~known)
    with np.errstate(invalid="ignore"):
        low, high = mip.row_lower[tight[rest]], mip.row_upper[tight[rest]]
        about = np.maximum(low - activity[tight[rest]], activity[tight[rest]] - high)
    _settle(rows, rest, about, error[tight[rest]], tolerance[rest], report)


def _activities(mip: Mip, x: Floats) -> tuple[Floats, Floats]:
    """Row activities in floats, and bounds on how far their exact values and those of the sides may be away.

    A product of two decimals read as floats is off by three roundings, a sum of k terms by k - 1 more of the sum
    of absolute values (Higham 2002, section 4.2); the side adds one, comparing with it another.
    """
    count = np.diff(mip.row_start)
    row = np.repeat(np.arange(len(mip.rows)), count)
    values = x[mip.row_column]
    with np.errstate(over="ignore", invalid="ignore"):
        terms = mip.row_value * values
        activity = _sums(terms, row, len(mip.rows))
        size = _sums(np.abs(terms), row, len(mip.rows))
        sides = np.zeros(len(mip.rows))
        for side in (mip.row_lower, mip.row_upper):
            sides = np.maximum(sides, np.where(np.isfinite(side), np.abs(side), 0.0))
        error = 1.001 * _UNIT * ((count + 8) * size + 4 * sides)
    unsafe = ~np.isfinite(activity) | ~np.isfinite(error)
    small = (terms == 0) & (values != 0) | (np.abs(mip.row_value) < _TINY) | ((np.abs(values) < _TINY) & (values != 0))
    if small.any():
        unsafe[row[small]] = True
    for side in (mip.row_lower, mip.row_upper):
        unsafe |= (side != 0) & (np.abs(side) < _TINY)
    activity[unsafe], error[unsafe] = 0.0, math.inf
    return activity, error


def _outside_as_wholes(rows: _Rows) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """By how much rows are broken, where all numbers are short decimals; and for which rows that is known.

    Scaled by a power of ten all numbers are whole, and their sums below 2^53 exact.
    """
    (ka, pa), (kx, px) = _scaled(rows.a), _scaled(rows.x)
    low, high = rows.mip.row_lower[rows.index], rows.mip.row_upper[rows.index]
    (kl, pl), (kh, ph) = _scaled(low), _scaled(high)
    long = (pa < 0) | (px < 0)
    p, q = rows.most(pa), rows.most(px)
    digits = np.maximum(p + q, np.maximum(pl, ph))
    with np.errstate(over="ignore", invalid="ignore"):
        terms = ka * _POWERS[rows.spread(p) - pa] * (kx * _POWERS[rows.spread(q) - px])
        scale = _POWERS[digits - p - q]
        size = rows.sums(np.abs(terms)) * scale
        activity = rows.sums(terms) * scale
        known = ~rows.most(long) & (pl >= 0) & (ph >= 0) & (size < _EXACT)
        below = kl * _POWERS[digits - pl] - activity
        above = activity - kh * _POWERS[digits - ph]
        outside = np.maximum(below, above) / _POWERS[digits]
    return np.where(known, outside, 0.0), known


def _settle(rows: _Rows, rest: Ints, about: Floats, error: Floats, tolerance: Floats, report: _Report) -> None:
    """The rows that neither slack nor short decimals decide, the most broken first.

    Once some constraint is known to hold within tolerance only, it does not matter any more whether the others hold
    exactly, and most of the exact work is spared.
    """
    for position in np.argsort(-about, kind="stable").tolist():
        local, breach, bound = int(rest[position]), float(about[position]), float(error[position])
        tolerable = breach + bound <= tolerance[position]
        if breach - bound > 0 and (tolerable or breach - bound > tolerance[position]):
            _judge_row(rows, local, breach, float(tolerance[position]), report)
        elif not tolerable or report.exact:
            exact = _exact_breach(rows, local)
            if exact > 0:
                _judge_row(rows, local, exact, float(tolerance[position]), report)


def _exact_breach(rows: _Rows, local: int) -> float:
    activity = rows.exact(local)
    row = rows.index[local]
    low, high = float(rows.mip.row_lower[row]), float(rows.mip.row_upper[row])
    below = _CONTEXT.subtract(_decimal(low), activity) if math.isfinite(low) else Decimal(0)
    above = _CONTEXT.subtract(activity, _decimal(high)) if math.isfinite(high) else Decimal(0)
    breach = max(below, above)
    # A breach too small for a float is a breach all the same.
    return max(float(breach), 5e-324) if breach > 0 else 0.0


def _judge_row(rows: _Rows, local: int, breach: float, tolerance: float, report: _Report) -> None:
    row = rows.index[local]
    low, high = float(rows.mip.row_lower[row]), float(rows.mip.row_upper[row])
    label = f"row {rows.mip.rows[row]}"
    if breach <= tolerance:
        report.tolerated(label, breach)
        return
    entries = slice(rows.start[local], rows.start[local + 1])
    with np.errstate(over="ignore", invalid="ignore"):
        activity = float(rows.a[entries] @ rows.x[entries])
    wanted = f"at least {low:.12g}" if activity < low else f"at most {high:.12g}"
    wanted = f"exactly {low:.12g}" if low == high else wanted
    report.broken(label, breach, f"its activity {activity:.12g} is not {wanted}, off by {breach:.6g}")
