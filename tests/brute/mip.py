"""Tiny mixed-integer programs, solved by enumeration of the integer columns.

At most one column is continuous; given the others its best value is an end of an interval.  Coefficients and sides
are multiples of a tenth and everything is computed in whole numbers, so that nothing is rounded.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from combopt.instances.mip import (
    CONTINUOUS,
    INTEGER,
    SEMICONTINUOUS,
    SEMIINTEGER,
    Indicator,
    Mip,
    MipBuilder,
    Sos,
)
from combopt.model import Number, Sense

INF = math.inf
LIMIT = 5000  # points of the integer columns
FAR = 10**15  # stands for infinity among whole numbers


def small(rng: np.random.Generator) -> Mip:
    """A random program: at most five integer columns and one continuous column, at most five rows."""
    builder = MipBuilder(name="brute", sense=Sense.MAX if rng.random() < 0.5 else Sense.MIN)
    builder.offset = float(rng.choice([0, 0, 3, -2.5]))
    points = 1
    boxes: list[tuple[int, int]] = []  # of columns whose own bounds say little
    for _ in range(int(rng.integers(1, 6))):
        width = int(rng.choice([1, 1, 1, 2, 5, 12]))
        if points * (width + 2) > LIMIT:
            break
        points *= width + 2
        boxes.append(_integer(rng, builder, len(boxes), width))
    binary = [j for j in range(len(boxes)) if builder._columns[j][2:] == (0, 1, INTEGER)]
    if rng.random() < 0.5:
        _continuous(rng, builder)
    columns = len(boxes) + (1 if len(builder._columns) > len(boxes) else 0)
    for j, (low, high) in enumerate(boxes):
        own_low, own_high = builder._columns[j][2:4]
        if own_high - own_low > 100:
            builder.row([(j, 2.0)], 2.0 * low, 2.0 * high + 1)
    point = [int(rng.integers(*box, endpoint=True)) for box in boxes] + [int(rng.integers(0, 3))]
    for _ in range(int(rng.integers(0, 6))):
        _row(rng, builder, columns, point)
    sos, indicators = (), ()
    if len(boxes) > 1 and rng.random() < 0.1:
        chosen = rng.permutation(len(boxes)).tolist()
        sos = (Sos(type=int(rng.integers(1, 3)), columns=tuple(chosen), weights=tuple(range(len(chosen)))),)
    if binary and len(builder._rows) and rng.random() < 0.1:
        row = len(builder._rows) - 1
        if len(builder._index) - builder._start[row] > 1:  # rows of one column may stand in for bounds
            indicators = (Indicator(row=row, column=binary[0], active=int(rng.integers(2))),)
    return builder.build(sos=sos, indicators=indicators)


def _integer(rng: np.random.Generator, builder: MipBuilder, number: int, width: int) -> tuple[int, int]:
    cost = float(rng.integers(-9, 10)) * float(rng.choice([1, 1, 1, 0.5, 100]))
    low = 0 if width == 1 else int(rng.integers(-6, 4))
    high = low + width
    kind = rng.random()
    if kind < 0.1:
        builder.column(f"x{number}", cost, -INF, INF, INTEGER)
    elif kind < 0.2:
        builder.column(f"x{number}", cost, -1e6, 1e6, INTEGER)
    elif kind < 0.3:
        builder.column(f"x{number}", cost, low - 0.5, high + 0.75, INTEGER)
    elif kind < 0.35 and low > 0:
        builder.column(f"x{number}", cost, low, high, SEMIINTEGER)
    else:
        builder.column(f"x{number}", cost, low, high, INTEGER)
    return low, high


def _continuous(rng: np.random.Generator, builder: MipBuilder) -> None:
    cost = float(rng.integers(-5, 6))
    good_up = (cost > 0) == (builder.sense is Sense.MAX)
    low, high = float(rng.integers(-9, 3)), float(rng.integers(3, 12))
    if rng.random() < 0.3:  # unbounded, but not where it pays
        low, high = (low, INF) if cost and not good_up else (-INF, high) if cost else (-INF, INF)
    if rng.random() < 0.1 and math.isfinite(high):
        builder.column("y", cost, 1.0, high, SEMICONTINUOUS)
    else:
        builder.column("y", cost, low, high, CONTINUOUS)


def _row(rng: np.random.Generator, builder: MipBuilder, columns: int, point: list[int]) -> None:
    """A row around a point that may be feasible, or just beyond it."""
    scale = float(rng.choice([1, 1, 1, 10]))
    most = int(rng.choice([9, 9, 9, 1, 1000]))
    count = int(rng.integers(0, columns + 1)) if rng.random() < 0.3 else columns
    chosen = rng.choice(columns, size=count, replace=False).tolist()
    terms = [(j, int(rng.integers(-most, most + 1))) for j in chosen]
    side = sum(value * point[j] for j, value in terms) + int(rng.choice([0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 7, -7]))
    spread = int(rng.integers(0, 6))
    forms = [(side, side), (-INF, side), (side, INF), (side - spread, side), (side, side + spread)]
    low, high = forms[int(rng.integers(len(forms)))]
    builder.row([(j, value / scale) for j, value in terms], low / scale, high / scale)


def _whole(values: np.ndarray) -> np.ndarray:
    """Ten times the values as whole numbers, infinite ones as ``FAR``."""
    return np.rint(np.clip(values * 10, -FAR, FAR)).astype(np.int64)


def _values(mip: Mip, column: int) -> np.ndarray:
    """The values that an integer column may take, its bounds tightened by rows of that column alone."""
    low: float | Fraction = float(mip.lower[column])
    high: float | Fraction = float(mip.upper[column])
    if high - low > 100:
        for row in range(len(mip.rows)):
            entries = slice(mip.row_start[row], mip.row_start[row + 1])
            conditional = any(indicator.row == row for indicator in mip.indicators)
            if mip.row_column[entries].tolist() == [column] and not conditional:
                factor = _whole(mip.row_value[entries])[0]
                sides = _whole(np.array([mip.row_lower[row], mip.row_upper[row]]))
                ends = sorted(Fraction(int(side), int(factor)) for side in sides)
                low, high = max(low, ends[0]), min(high, ends[1])
    values = np.arange(math.ceil(low), math.floor(high) + 1)
    if mip.domain[column] == SEMIINTEGER:
        values = np.union1d(values, [0])
    return values


def best(mip: Mip) -> Number | None:
    """The optimum, or ``None`` if no point is feasible."""
    whole = [j for j in range(len(mip.columns)) if mip.domain[j] in (INTEGER, SEMIINTEGER)]
    rest = [j for j in range(len(mip.columns)) if j not in whole]
    assert len(rest) <= 1
    grid = np.meshgrid(*(_values(mip, j) for j in whole), indexing="ij")
    points = np.zeros((grid[0].size, len(mip.columns)), dtype=np.int64)
    for j, values in zip(whole, grid, strict=True):
        points[:, j] = values.reshape(-1)
    ok = np.ones(len(points), dtype=bool)
    for group in mip.sos:
        ok &= _in_set(points[:, list(group.columns)] != 0, group.type)
    value = points @ _whole(mip.cost)  # in tenths, as all costs are multiples of a half
    if not rest:
        for row in range(len(mip.rows)):
            ok &= _row_holds(mip, row, points)
        return _number(mip, value[ok], 1)
    return _with_continuous(mip, points, ok, value, rest[0])


def _in_set(used: np.ndarray, size: int) -> np.ndarray:
    """Whether at most ``size`` neighbours are used, for every point."""
    windows = []
    for start in range(used.shape[1]):
        outside = [k for k in range(used.shape[1]) if not start <= k < start + size]
        windows.append(~used[:, outside].any(axis=1))
    return np.any(windows, axis=0)


def _relevant(mip: Mip, row: int, points: np.ndarray) -> np.ndarray:
    for indicator in mip.indicators:
        if indicator.row == row:
            return points[:, indicator.column] == indicator.active
    return np.ones(len(points), dtype=bool)


def _row_holds(mip: Mip, row: int, points: np.ndarray) -> np.ndarray:
    """Whether a row of integer columns holds."""
    entries = slice(mip.row_start[row], mip.row_start[row + 1])
    activity = points[:, mip.row_column[entries]] @ _whole(mip.row_value[entries])
    low, high = _whole(mip.row_lower[row : row + 1]), _whole(mip.row_upper[row : row + 1])
    return ((activity >= low) & (activity <= high)) | ~_relevant(mip, row, points)


def _with_continuous(mip: Mip, points: np.ndarray, ok: np.ndarray, value: np.ndarray, y: int) -> Number | None:
    """Optimum over the values of ``y``: the ends of all intervals are whole multiples of 1 / ``unit``."""
    factors = [int(v) for v in np.abs(_whole(mip.row_value[mip.row_column == y])) if v]
    unit = math.lcm(1, *factors)
    pieces = [(mip.lower[y], mip.upper[y])]
    if mip.domain[y] == SEMICONTINUOUS:
        pieces.append((0.0, 0.0))
    found: list[Number] = []
    for start, end in pieces:
        low = np.full(len(points), -FAR if start == -INF else int(start) * unit)
        high = np.full(len(points), FAR if end == INF else int(end) * unit)
        fits = ok.copy()
        for row in range(len(mip.rows)):
            entries = slice(mip.row_start[row], mip.row_start[row + 1])
            at = np.flatnonzero(mip.row_column[entries] == y)
            if not at.size:
                fits &= _row_holds(mip, row, points)
                continue
            factor = int(_whole(mip.row_value[entries])[at[0]])
            activity = points[:, mip.row_column[entries]] @ _whole(mip.row_value[entries])
            step = unit // abs(factor) * (1 if factor > 0 else -1)
            ends = [
                np.full(len(points), int(np.sign(side) * np.sign(factor)) * FAR)
                if math.isinf(side)
                else (round(side * 10) - activity) * step
                for side in (mip.row_lower[row], mip.row_upper[row])
            ]
            relevant = _relevant(mip, row, points)
            low = np.where(relevant, np.maximum(low, np.minimum(*ends)), low)
            high = np.where(relevant, np.minimum(high, np.maximum(*ends)), high)
        fits &= low <= high
        up = (mip.cost[y] > 0) == (mip.sense is Sense.MAX)
        chosen = (high if up else low) if mip.cost[y] else np.zeros(len(points), dtype=np.int64)
        if fits.any():
            total = value * unit + chosen * int(_whole(mip.cost[y : y + 1])[0])
            assert np.abs(chosen[fits]).max() < FAR, "unbounded"
            result = _number(mip, total[fits], unit)
            assert result is not None
            found.append(result)
    return (max if mip.sense is Sense.MAX else min)(found) if found else None


def _number(mip: Mip, tenths: np.ndarray, unit: int) -> Number | None:
    if not tenths.size:
        return None
    value = int(tenths.max() if mip.sense is Sense.MAX else tenths.min())
    exact = Fraction(value, 10 * unit) + Fraction(mip.offset)
    return int(exact) if exact.denominator == 1 else float(exact)
