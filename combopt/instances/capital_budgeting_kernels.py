"""The least guarantee of held decisions over a box, by branch and bound on tiny linear programs.

A decision k is worth ``value[k, 0] + value[k, 1:] xi`` and costs ``cost[k, 0] + cost[k, 1:] xi``; it is lost where
its cost passes the budget.  Sought is the least, over xi in [-1, 1]^q, of the largest value of a decision that is not
lost.  The infimum is that of the closure: on the boundary of its budget a decision may count as lost.

Either a decision is lost, a half-space of xi, or ``t`` is at least its value: a disjunctive program in (t, xi), q + 1
variables.  A node of the branch and bound has decided this for some decisions; its linear program leaves the others
out, so its optimum is a lower bound.  The programs are solved by the dual simplex method in the form of active sets:
a basis is q + 1 rows, and one more row, the most violated, enters in each step.  Whenever it stops the objective is a
lower bound.  All of it is plain Python, compiled by numba where that is installed.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from combopt.model import Floats, Ints

FREE, COUNTS, LOST = 0, 1, 2
"""What is decided for a decision in a node: nothing, t is at least its value, it is lost."""
ROW = 1e-10
"""By how much a row, scaled to a largest coefficient of 1, may be violated."""
CLOSE = 1e-11
"""Nodes are left when they cannot improve by more than this, in units of the largest value."""
STEPS = 400
"""Pivots of one linear program; it never takes as many, but for rows that are parallel up to rounding."""


def _programme(rows: Any, sides: Any, active: Any, basis: Any, inverse: Any, point: Any, cutoff: float) -> int:
    """Minimise ``point[0]`` over the active rows ``rows @ point >= sides``, from a dual feasible ``basis``.

    Returns 0 with the optimal ``point``, 1 if there is no feasible point, 2 once the objective passes ``cutoff``, 3
    after too many steps: then the objective is a lower bound still.
    """
    m, d = rows.shape
    point[0] = -math.inf
    for i in range(d):  # Gauss-Jordan elimination of the basis matrix, by rows with the largest pivot
        for j in range(d):
            inverse[i, j] = rows[basis[i], j]
            inverse[i, d + j] = 1.0 if i == j else 0.0
    for j in range(d):
        pivot = j
        for i in range(j + 1, d):
            if abs(inverse[i, j]) > abs(inverse[pivot, j]):
                pivot = i
        if inverse[pivot, j] == 0.0:
            return 3
        if pivot != j:
            for c in range(2 * d):
                inverse[j, c], inverse[pivot, c] = inverse[pivot, c], inverse[j, c]
        scale = inverse[j, j]
        for c in range(2 * d):
            inverse[j, c] /= scale
        for i in range(d):
            factor = inverse[i, j]
            if i != j and factor != 0.0:
                for c in range(2 * d):
                    inverse[i, c] -= factor * inverse[j, c]
    for step in range(STEPS):
        for i in range(d):
            total = 0.0
            for j in range(d):
                total += inverse[i, d + j] * sides[basis[j]]
            point[i] = total
        if point[0] >= cutoff:
            return 2
        worst, enters = ROW, -1
        for r in range(m):
            if active[r]:
                gap = sides[r]
                for j in range(d):
                    gap -= rows[r, j] * point[j]
                if gap > worst:
                    enters = r
                    if step > STEPS // 4:  # the first such row, against cycling
                        break
                    worst = gap
        if enters < 0:
            return 0
        leaves, least, size = -1, math.inf, 0.0
        for j in range(d):
            u = 0.0
            for i in range(d):
                u += rows[enters, i] * inverse[i, d + j]
            if u > 1e-11:
                ratio = max(inverse[0, d + j], 0.0) / u
                if ratio < least - 1e-13 or (ratio <= least + 1e-13 and u > size):
                    leaves, least, size = j, min(ratio, least), u
        if leaves < 0:
            return 1
        for i in range(d):
            inverse[i, d + leaves] /= size
        for j in range(d):
            if j != leaves:
                u = 0.0
                for i in range(d):
                    u += rows[enters, i] * inverse[i, d + j]
                for i in range(d):
                    inverse[i, d + j] -= u * inverse[i, d + leaves]
        basis[leaves] = enters
    return 3


def _largest(value: Any, cost: Any, budget: float, lost: Any, xi: Any) -> tuple[float, int]:
    """The best decision in a scenario, those aside that are ``lost`` or cost as much as the budget."""
    best, which = -math.inf, -1
    for k in range(len(value)):
        if lost[k] == LOST:
            continue
        worth, price = value[k, 0], cost[k, 0]
        for j in range(len(xi)):
            worth += value[k, j + 1] * xi[j]
            price += cost[k, j + 1] * xi[j]
        if worth > best and price < budget:
            best, which = worth, k
    return best, which


def least(
    value: Floats, cost: Floats, budget: float, points: Floats, limit: int
) -> tuple[float, float, Floats, Ints, int]:
    """The least guarantee of the decisions, and where.

    Parameters
    ----------
    value, cost
        ``float64[k, q + 1]``; at least one decision must be affordable everywhere, and the costs where one is lost
        must pass the budget by more than rounding.
    budget
        A decision may be lost where it costs as much.
    points
        ``float64[p, q]``: scenarios to look at first.
    limit
        Nodes.

    Returns
    -------
    tuple
        The least value found and a lower bound (equal up to ``CLOSE`` unless the limit was reached), its scenario, a
        state for every decision (``LOST`` where it counts as lost there), and the number of nodes.
    """
    count, d = value.shape
    q = d - 1
    status = np.zeros(count, dtype=np.int64)
    rows = np.zeros((2 * count + 2 * q, d))
    sides = np.zeros(2 * count + 2 * q)
    active = np.zeros(2 * count + 2 * q, dtype=np.bool_)
    scale = 1e-300
    for k in range(count):
        for j in range(d):
            scale = max(scale, abs(value[k, j]))
    first, floor = -1, -math.inf
    for k in range(count):
        top, low, size = cost[k, 0], value[k, 0], 0.0
        for j in range(q):
            top += abs(cost[k, j + 1])
            low -= abs(value[k, j + 1])
            size = max(size, abs(cost[k, j + 1]))
        rows[k, 0], sides[k] = 1.0, value[k, 0] / scale
        for j in range(q):
            rows[k, j + 1] = -value[k, j + 1] / scale
        if top <= budget:
            status[k] = COUNTS
            if low > floor:
                first, floor = k, low
        elif size == 0.0:  # affordable nowhere
            status[k] = LOST
        else:
            sides[count + k] = (budget - cost[k, 0]) / size
            for j in range(q):
                rows[count + k, j + 1] = cost[k, j + 1] / size
    for j in range(q):
        rows[2 * count + j, j + 1] = 1.0
        rows[2 * count + q + j, j + 1] = -1.0
        sides[2 * count + j] = sides[2 * count + q + j] = -1.0
    for r in range(2 * q):
        active[2 * count + r] = True

    best, where, states = math.inf, np.zeros(q), status.copy()
    for p in range(len(points)):
        found, _ = _largest(value, cost, budget, status, points[p])
        if found < best:
            best = found
            where[:] = points[p]
    stack = np.zeros((count + 2, count), dtype=np.int64)
    bases = np.zeros((count + 2, d), dtype=np.int64)
    bounds = np.full(count + 2, floor)
    stack[0] = status
    bases[0, 0] = first
    for j in range(q):
        bases[0, j + 1] = 2 * count + j + (0 if value[first, j + 1] >= 0 else q)
    inverse, point, xi = np.zeros((d, 2 * d)), np.zeros(d), np.zeros(q)
    height, nodes, lower = 1, 0, math.inf
    while height and nodes < limit:
        height -= 1
        if bounds[height] >= best - CLOSE * scale:
            continue
        nodes += 1
        state, basis = stack[height].copy(), bases[height].copy()
        for k in range(count):
            active[k] = state[k] == COUNTS
            active[count + k] = state[k] == LOST
        ended = _programme(rows, sides, active, basis, inverse, point, best / scale - CLOSE)
        if ended == 1 or ended == 2:
            continue
        bound = max(bounds[height], point[0] * scale)
        for j in range(q):
            xi[j] = min(1.0, max(-1.0, point[j + 1]))
        found, violated = _largest(value, cost, budget, state, xi)
        if found < best:
            best = found
            where[:] = xi
            states[:] = state
        if bound >= best - CLOSE * scale:
            continue
        if state[violated] != FREE:  # rounding alone keeps the bound from the value
            lower = min(lower, bound)
            continue
        for choice in (COUNTS, LOST):  # what is lost lowers the guarantee, so it is looked at first
            stack[height] = state
            stack[height, violated] = choice
            bases[height] = basis
            bounds[height] = bound
            height += 1
    lower = min(lower, best)
    for i in range(height):
        lower = min(lower, bounds[i])
    return best, lower, where, states, nodes


@functools.cache
def compiled() -> Callable[..., tuple[float, float, Floats, Ints, int]]:
    """:func:`least` as machine code; without numba, as it is."""
    if importlib.util.find_spec("numba") is None:
        return least
    from numba import njit

    scope: dict[str, Any] = dict(globals())
    for function in (_programme, _largest, least):
        # A copy that looks names up among the compiled functions.
        copy = FunctionType(function.__code__, scope, function.__name__)
        copy.__module__ = __name__
        try:
            scope[function.__name__] = njit(cache=True, nogil=True, error_model="numpy")(copy)
        except RuntimeError:  # no folder that can be written to
            scope[function.__name__] = njit(nogil=True, error_model="numpy")(copy)
    found: Callable[..., tuple[float, float, Floats, Ints, int]] = scope["least"]
    return found
