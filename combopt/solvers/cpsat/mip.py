"""CP-SAT on pure integer programs, in exact integers: what cannot be held exactly is refused, not rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from combopt.instances.mip import Mip, Sos
from combopt.instances.solutions import Point
from combopt.model import Floats, Instance, Ints, Number, Sense, Solution
from combopt.solvers.cpsat.view import CpView, Values
from combopt.solvers.linear import apart, start_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ortools.sat.python import cp_model

LARGEST_COEFFICIENT = 10**15
"""Scaled coefficients stay below this (2^50 is a little more): decimals of up to 15 digits survive a float."""
LARGEST_BOUND = 2**40
"""Bounds of columns stay within this on both sides."""
LARGEST_ACTIVITY = 2.0**61
"""Sums of |coefficient * bound| stay below this, half of what CP-SAT can add up in 64 bits."""
ROUNDS = 10
"""Rounds of bound propagation for columns that are declared without bounds."""
LOWEST, HIGHEST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class _Exact:
    """The program in integers: ``coefficient[k]`` of entry ``k``, ``low <= row <= high`` and ``cost * scale``."""

    lower: Ints
    upper: Ints
    coefficient: Ints
    low: list[int]
    high: list[int]
    cost: Ints
    scale: Fraction


def refuses(instance: Instance) -> str | None:
    """Why CP-SAT cannot take the program exactly, or ``None``."""
    assert isinstance(instance, Mip)
    found = _exact(instance)
    return found if isinstance(found, str) else None


def build(instance: Mip) -> CpView:
    """A CP-SAT model equal to the program, row by row and column by column.

    Rows are multiplied by the denominators of their coefficients; their sides are then rounded inwards, which
    loses nothing, as a row of integers is an integer.
    """
    from ortools.sat.python import cp_model

    exact = _exact(instance)
    assert isinstance(exact, _Exact), exact
    model = cp_model.CpModel()
    variables = _columns(model, instance, exact)
    _rows(model, instance, exact)
    for group in instance.sos:
        _special_ordered_set(model, group, variables, exact)
    if exact.cost.any():
        expression = cp_model.LinearExpr.weighted_sum(variables, exact.cost.tolist())
        (model.maximize if instance.sense is Sense.MAX else model.minimize)(expression)
    offset = Fraction(repr(instance.offset))

    def objective(value: float) -> Number:
        if not math.isfinite(value):
            return value
        # The values of the model are whole numbers, which floats hold up to 2^53.
        whole = Fraction(value) / exact.scale + offset
        return int(whole) if whole.denominator == 1 else float(whole)

    def decode(value: Values) -> Point:
        return Point(instance.columns, np.array([value(v) for v in variables], dtype=np.float64))

    return CpView(model, decode, partial(_hint, instance, variables), objective)


def _hint(instance: Mip, variables: list[cp_model.IntVar], start: Solution) -> Iterable[tuple[cp_model.IntVar, int]]:
    values = start_values(instance, start)
    if values is None:
        return []
    known = np.flatnonzero(np.abs(values) <= LARGEST_BOUND).tolist()  # NaN compares false
    return [(variables[j], round(values[j])) for j in known]


def _columns(model: cp_model.CpModel, mip: Mip, exact: _Exact) -> list[cp_model.IntVar]:
    from ortools.sat.python import cp_model

    split = apart(mip).tolist()
    variables = model.proto.variables
    for low, high, gap in zip(exact.lower.tolist(), exact.upper.tolist(), split, strict=True):
        domain = cp_model.Domain(low, high)
        if gap:  # 0 lies outside the bounds
            domain = domain.union_with(cp_model.Domain(0, 0))
        elif low > high:
            model.add_bool_or([])
            domain = cp_model.Domain(0, 0)
        variables.add().domain.extend(domain.flattened_intervals())
    return [model.get_int_var_from_proto_index(j) for j in range(len(mip.columns))]


def _rows(model: cp_model.CpModel, mip: Mip, exact: _Exact) -> None:
    starts, columns, values = mip.row_start.tolist(), mip.row_column.tolist(), exact.coefficient.tolist()
    constraints = model.proto.constraints

    def add(row: int) -> Any:
        constraint = constraints.add()
        if exact.low[row] > exact.high[row]:
            constraint.bool_or.literals.clear()  # no literal: false
            return constraint
        a, b = starts[row], starts[row + 1]
        linear = constraint.linear
        linear.vars.extend(columns[a:b])
        linear.coeffs.extend(values[a:b])
        linear.domain.extend([exact.low[row], exact.high[row]])
        return constraint

    conditional = {indicator.row for indicator in mip.indicators}
    for row in range(len(mip.rows)):
        if row not in conditional:
            add(row)
    for indicator in mip.indicators:
        literal = indicator.column if indicator.active else -indicator.column - 1
        add(indicator.row).enforcement_literal.append(literal)


def _special_ordered_set(model: cp_model.CpModel, group: Sos, variables: list[cp_model.IntVar], exact: _Exact) -> None:
    """At most ``type`` neighbours are not 0: one of the windows of that width is open, all else is 0."""
    count = len(group.columns)
    if count <= group.type:
        return
    windows = [model.new_bool_var("") for _ in range(count - group.type + 1)]
    model.add_exactly_one(windows)
    for position, column in enumerate(group.columns):
        covering = windows[max(0, position - group.type + 1) : position + 1]
        closed = model.new_bool_var("")
        model.add_bool_or([*covering, closed])
        model.add(variables[column] == 0).only_enforce_if(closed)


def _exact(mip: Mip) -> _Exact | str:
    """The program in integers, or why there is none."""
    if not mip.integral.all():
        column = mip.columns[int(np.argmin(mip.integral))]
        return f"it takes integer columns alone, and {column} is continuous"
    scaled = _whole(mip.row_value, np.diff(mip.row_start))
    if scaled is None:
        return "the coefficients of a row have no common denominator that 64 bits could hold"
    coefficient, factor = scaled
    costs = _whole(mip.cost, np.array([len(mip.cost)]))
    if costs is None:
        return "the costs have no common denominator that 64 bits could hold"
    lower, upper = _finite_bounds(mip)
    largest = np.maximum(np.abs(lower), np.abs(upper))
    if largest.size and not largest.max() <= LARGEST_BOUND:
        column = mip.columns[int(np.argmax(largest))]
        return f"it takes bounded columns alone, and {column} is not within 2^40"
    activity = _row_sums(mip, np.abs(coefficient) * largest[mip.row_column])
    if max(activity.max(initial=0.0), float(np.abs(costs[0]) @ largest)) >= LARGEST_ACTIVITY:
        return "the sums of a row could leave the range of 64 bits"
    low, high = _sides(mip, factor)
    return _Exact(
        lower.astype(np.int64), upper.astype(np.int64), coefficient, low, high, costs[0], costs[1][0]
    )  # fmt: skip


def _row_sums(mip: Mip, entries: Floats) -> Floats:
    rows = np.repeat(np.arange(len(mip.rows)), np.diff(mip.row_start))
    return np.bincount(rows, entries, minlength=len(mip.rows)).astype(np.float64)


def _whole(values: Floats, widths: Ints) -> tuple[Ints, list[Fraction]] | None:
    """Every group of ``widths[i]`` values in a row as coprime integers, and the factor of each group.

    A value stands for the shortest decimal that a float reads as it; of up to 15 digits there is only one.
    """
    groups = len(widths)
    group = np.repeat(np.arange(groups), widths)
    whole = np.zeros(len(values), dtype=np.int64)
    digits = np.zeros(groups, dtype=np.int64)
    pending = np.arange(len(values))
    for exponent in range(16):
        power = 10.0**exponent
        scaled = np.rint(values[pending] * power)
        fits = (scaled / power == values[pending]) & (np.abs(scaled) < LARGEST_COEFFICIENT)
        good = np.bincount(group[pending[~fits]], minlength=groups)[group[pending]] == 0
        whole[pending[good]] = scaled[good].astype(np.int64)
        digits[group[pending[good]]] = exponent
        pending = pending[~good]
        if not pending.size:
            break
    else:
        return None
    divisor = np.ones(groups, dtype=np.int64)
    filled = np.flatnonzero(widths)
    if filled.size:
        starts = np.concatenate(([0], np.cumsum(widths)))[filled]
        divisor[filled] = np.maximum(1, np.gcd.reduceat(whole, starts))
    factors = [Fraction(10**d, g) for d, g in zip(digits.tolist(), divisor.tolist(), strict=True)]
    return whole // divisor[group], factors


def _sides(mip: Mip, factors: list[Fraction]) -> tuple[list[int], list[int]]:
    """Sides of the rows, multiplied and rounded inwards; far beyond all activity they are cut down to 64 bits."""
    return (
        [_side(v, f, math.ceil, LOWEST) for v, f in zip(mip.row_lower.tolist(), factors, strict=True)],
        [_side(v, f, math.floor, HIGHEST) for v, f in zip(mip.row_upper.tolist(), factors, strict=True)],
    )


def _side(value: float, factor: Fraction, inwards: Any, free: int) -> int:
    if not math.isfinite(value):
        return free
    if value.is_integer() and factor == 1:
        exact = int(value)
    else:
        exact = inwards(Fraction(repr(value)) * factor)
    return max(-(2**62), min(2**62, exact))


def _finite_bounds(mip: Mip) -> tuple[Floats, Floats]:
    """Whole bounds of the columns; those declared infinite are deduced from the rows where that is possible."""
    lower, upper = np.ceil(mip.lower), np.floor(mip.upper)
    split = apart(mip)
    conditional = np.zeros(len(mip.rows), dtype=bool)
    conditional[[indicator.row for indicator in mip.indicators]] = True
    for _ in range(ROUNDS):
        missing = np.isinf(lower) | np.isinf(upper)
        if not missing.any() or not len(mip.row_value):
            break
        # A semi-integer column may be 0 too.
        reach = np.where(split, np.minimum(lower, 0), lower), np.where(split, np.maximum(upper, 0), upper)
        low, high = _propagate(mip, *reach, conditional)
        new_lower = np.where(np.isinf(lower), low, lower)
        new_upper = np.where(np.isinf(upper), high, upper)
        if np.array_equal(new_lower, lower) and np.array_equal(new_upper, upper):
            break
        lower, upper = new_lower, new_upper
    return lower, upper


def _propagate(mip: Mip, lower: Floats, upper: Floats, conditional: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Bounds that single rows imply, rounded outwards by more than floats can err."""
    rows = np.repeat(np.arange(len(mip.rows)), np.diff(mip.row_start))
    use = (mip.row_value != 0) & ~conditional[rows]
    rows, columns, values = rows[use], mip.row_column[use], mip.row_value[use]
    best = np.full(len(mip.columns), -np.inf), np.full(len(mip.columns), np.inf)
    for sign, side in ((1.0, mip.row_upper), (-1.0, -mip.row_lower)):
        a = sign * values  # a x <= side
        least = np.where(a > 0, a * lower[columns], a * upper[columns])
        endless = np.isinf(least)
        sums = np.bincount(rows, np.where(endless, 0.0, least), minlength=len(side))
        size = np.bincount(rows, np.where(endless, 0.0, np.abs(least)), minlength=len(side))
        count = np.bincount(rows, endless, minlength=len(side))
        alone = (count[rows] - endless == 0) & np.isfinite(side)[rows]
        rest = side[rows] - (sums[rows] - np.where(endless, 0.0, least))
        slack = 1e-9 * (np.abs(np.where(alone, side[rows], 0.0)) + size[rows]) + 1e-6
        up, down = alone & (a > 0), alone & (a < 0)
        np.minimum.at(best[1], columns[up], np.floor((rest + slack)[up] / a[up]) + 1)
        np.maximum.at(best[0], columns[down], np.ceil((rest + slack)[down] / a[down]) - 1)
    return best
