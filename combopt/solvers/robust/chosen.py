"""One copy of the recourse in the scenario that binary columns choose: the main problem of Neur2RO (argmax form).

What the scenario moves is linear in the choice where it stands alone; where it multiplies a column, the column is
split into one part for each scenario, of which all but the chosen one's are 0.  That is exact, needs no other constant
than the bounds of those columns, and leaves the other rows as they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from combopt.instances.mip import CONTINUOUS
from combopt.instances.robust import TwoStageRobust
from combopt.model import Floats, Ints
from combopt.solvers.robust.main import Main


def unbounded(instance: TwoStageRobust) -> str | None:
    """Name of a second-stage column with uncertain coefficients and without finite bounds, if there is one."""
    second = instance.second
    for j in _multiplied(instance).tolist():
        if not (math.isfinite(second.lower[j]) and math.isfinite(second.upper[j])):
            return second.columns[j]
    return None


def _multiplied(instance: TwoStageRobust) -> Ints:
    """Columns of the second stage that a factor multiplies."""
    return np.unique(instance.term_column[(instance.term_column >= 0) & (instance.term_value != 0)])


def add_chosen(main: Main, scenarios: list[Floats], pick: Ints) -> None:
    """Add a copy of the recourse to a main problem: theta is no less than what the second stage costs in the one of
    the ``scenarios`` whose column of ``pick`` is 1, and its rows hold there."""
    from scipy.sparse import csr_array

    instance, program, sign = main.instance, main.program, main.sign
    second = instance.second
    places = main.places(main.own_columns(whole=True))
    parts = _split(main, places, pick)
    table = np.array(scenarios)
    rows, columns, values = [np.repeat(np.arange(len(second.rows)), np.diff(second.row_start))], [], []
    columns.append(places[second.row_column])
    values.append(second.row_value)
    cost_columns, cost_values = [places], [second.cost]
    move = np.zeros((len(second.rows), len(scenarios)))
    drift = np.zeros(len(scenarios))
    terms = zip(
        instance.term_row.tolist(), instance.term_column.tolist(), instance.term_factor.tolist(),
        instance.term_value.tolist(), strict=True,
    )  # fmt: skip
    for row, column, factor, value in terms:
        rise = value * table[:, factor]
        if not value:
            continue
        if column < 0 and row < 0:
            drift += rise
        elif column < 0:
            move[row] += rise
        elif row < 0:
            cost_columns.append(parts[column])
            cost_values.append(rise)
        else:
            rows.append(np.full(len(rise), row))
            columns.append(parts[column])
            values.append(rise)
    moved, which = np.nonzero(move)
    rows.append(moved)
    columns.append(pick[which])
    values.append(-move[moved, which])
    width = len(program.cost)
    shape = (len(second.rows), width)
    body = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    program.add_rows(body.indptr, body.indices, body.data, second.row_lower, second.row_upper)
    cost = np.zeros(width)
    np.add.at(cost, np.concatenate([*cost_columns, pick]), np.concatenate([*cost_values, drift]))
    used = np.flatnonzero(cost)
    program.add_row(np.append(used, main.theta), np.append(-sign * cost[used], 1.0), sign * second.offset, math.inf)


def _split(main: Main, places: Ints, pick: Ints) -> dict[int, Any]:
    """For each column that a factor multiplies, its parts: one for each scenario."""
    program, second = main.program, main.instance.second
    found: dict[int, Any] = {}
    count = len(pick)
    for j in _multiplied(main.instance).tolist():
        low, high = float(second.lower[j]), float(second.upper[j])
        lower, upper = np.full(count, min(low, 0.0)), np.full(count, max(high, 0.0))
        parts = program.add_columns(np.zeros(count), lower, upper, np.full(count, CONTINUOUS))
        for part, one in zip(parts.tolist(), pick.tolist(), strict=True):
            program.add_row([part, one], [1.0, -high], -math.inf, 0.0)
            program.add_row([part, one], [1.0, -low], 0.0, math.inf)
        program.add_row([*parts.tolist(), int(places[j])], [*([1.0] * count), -1.0], 0.0, 0.0)
        found[j] = parts
    return found
