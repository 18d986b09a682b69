"""Tiny two-stage robust programs and their optimum: every first stage, every scenario, every recourse.

First stages are whole, recourse is whole or has at most two continuous columns (then the corners of what is feasible
are tried).  Where the objective alone is uncertain, the worst case of a first stage is the maximum over xi of the
least cost of all recourses, a linear program over all of them at once.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from combopt.instances.mip import CONTINUOUS, INTEGER, Mip, MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Sense

FORMS = ("scenarios", "objective", "rows")
NEAR = 1e-7


def small(rng: np.random.Generator, form: str | None = None) -> TwoStageRobust:
    """A random program of one of the three forms, sometimes infeasible, never unbounded."""
    form = form or str(rng.choice(FORMS))
    sense = Sense.MIN if rng.random() < 0.5 else Sense.MAX
    first, second = MipBuilder("first", sense), MipBuilder("second", sense)
    first.offset, second.offset = float(rng.integers(-3, 4)), float(rng.choice([0, 0, 1.5]))
    n = int(rng.integers(1, 4))
    for j in range(n):
        top = int(rng.choice([1, 1, 1, 2]))
        first.column(f"x{j}", float(rng.integers(-9, 10)), 0.0, float(top), INTEGER)
    if rng.random() < 0.4:
        first.row([(j, float(rng.integers(0, 4))) for j in range(n)], upper=float(rng.integers(0, 6)))
    used = [j for j in range(n) if rng.random() < 0.8]
    for j in used:
        second.column(f"x{j}", float(rng.integers(-2, 3)), 0.0, first._columns[j][3], INTEGER)
    whole = form == "objective" or (form == "scenarios" and rng.random() < 0.6)
    own = int(rng.integers(1, 4 if whole else 3))
    for j in range(own):
        low = float(rng.integers(-1, 1))
        high = low + float(rng.integers(1, 3)) * (1 if whole else 3)
        second.column(f"y{j}", float(rng.integers(-9, 10)), low, high, INTEGER if whole else CONTINUOUS)
    columns = len(used) + own
    for _ in range(int(rng.integers(1, 4))):
        terms = [(j, float(rng.integers(-4, 6))) for j in range(columns)]
        side = float(rng.integers(-2, 9)) / 2
        second.row(terms, *[(-math.inf, side), (side - 4, math.inf), (side - 3, side + 2)][int(rng.integers(3))])
    q = int(rng.integers(1, 4))
    return TwoStageRobust.build(
        first.build(), second.build(), _uncertainty(rng, form, q), _terms(rng, form, second, len(used), q)
    )


def _uncertainty(rng: np.random.Generator, form: str, q: int) -> Uncertainty:
    if form == "scenarios":
        return Uncertainty.finite(rng.integers(-2, 3, size=(int(rng.integers(1, 5)), q)) / 2)
    lower = rng.integers(-2, 1, size=q) / 2
    upper = lower + rng.integers(0, 4, size=q) / 2
    rows = int(rng.choice([0, 1, 1, 2]))
    inside = lower + (upper - lower) * rng.random(q)
    matrix = rng.integers(-1, 3, size=(rows, q)).astype(float)
    rhs = np.round(matrix @ inside + rng.integers(0, 3, size=rows) / 4 + 0.05, 1)
    return Uncertainty(lower=lower, upper=upper, matrix=matrix, rhs=rhs)


def _terms(
    rng: np.random.Generator, form: str, second: MipBuilder, used: int, q: int
) -> list[tuple[str, str, int, float]]:
    names, rows = [column[0] for column in second._columns], [row[0] for row in second._rows]
    found = []
    for _ in range(int(rng.integers(1, 6))):
        where = [("objective", [*names, "rhs"])] if form == "objective" else []
        if form == "rows":
            where = [("objective", [*names[:used], "rhs"]), *((row, [*names[:used], "rhs", "rhs"]) for row in rows)]
        if form == "scenarios":
            where = [("objective", [*names, "rhs"]), *((row, [*names, "rhs"]) for row in rows)]
        row, choices = where[int(rng.integers(len(where)))]
        found.append((row, str(rng.choice(choices)), int(rng.integers(q)), float(rng.integers(-4, 5)) / 2))
    return found


def best(instance: TwoStageRobust) -> float | None:
    """The least worst case (the largest, if to maximise), ``None`` if every first stage has a scenario without
    recourse."""
    sign = 1.0 if instance.sense is Sense.MIN else -1.0
    least = math.inf
    first = instance.first
    for x in grid(first.lower, first.upper):
        activity = dense(first) @ x
        if ((activity >= first.row_lower - NEAR) & (activity <= first.row_upper + NEAR)).all():
            own = sign * float(first.cost @ x + first.offset)
            least = min(least, own + worst(instance, x, sign, least - own))
    return sign * least if math.isfinite(least) else None


def worst(instance: TwoStageRobust, x: np.ndarray, sign: float, enough: float = math.inf) -> float:
    """The worst case of the second stage, as a cost; anything not below ``enough`` may stand for what is above it."""
    if instance.uncertainty.discrete or (instance.term_row >= 0).any():
        corners = vertices(instance.uncertainty)
        found = -math.inf
        for xi in corners:
            found = max(found, least_cost(instance, x, xi, sign))
            if found >= enough:
                break
        return found
    return _saddle(instance, x, sign, enough)


def _saddle(instance: TwoStageRobust, x: np.ndarray, sign: float, enough: float) -> float:
    from scipy.optimize import linprog

    uncertainty = instance.uncertainty
    q = uncertainty.dimension
    zero = np.zeros(q)
    points = recourses(instance, x, zero)
    if not len(points):
        return math.inf
    base = np.array([sign * cost_at(instance, z, zero) for z in points])
    slope = np.array([[sign * cost_at(instance, z, unit) for unit in np.eye(q)] for z in points]) - base[:, None]
    corners = vertices(uncertainty)
    if (base + corners @ slope.T).min(axis=1).max() >= enough:
        return math.inf
    rows = np.vstack(
        [
            np.column_stack([-slope, np.ones(len(base))]),
            np.column_stack([uncertainty.matrix, np.zeros(len(uncertainty.rhs))]),
        ]
    )
    sides = np.concatenate([base, uncertainty.rhs])
    bounds = [*zip(uncertainty.lower, uncertainty.upper, strict=True), (None, None)]
    solved = linprog(np.append(zero, -1.0), A_ub=rows, b_ub=sides, bounds=bounds, method="highs")
    assert solved.x is not None
    return -float(solved.fun)


def least_cost(instance: TwoStageRobust, x: np.ndarray, xi: np.ndarray, sign: float) -> float:
    """Cost of the best recourse in a scenario, infinite if there is none."""
    return min((sign * cost_at(instance, z, xi) for z in recourses(instance, x, xi)), default=math.inf)


def cost_at(instance: TwoStageRobust, z: np.ndarray, xi: np.ndarray) -> float:
    """Second-stage objective of all its columns ``z`` in a scenario."""
    total = float(instance.second.cost @ z + instance.second.offset)
    for row, column, factor, value in terms(instance):
        if row < 0:
            total += value * xi[factor] * (1.0 if column < 0 else z[column])
    return total


def terms(instance: TwoStageRobust) -> list[tuple[int, int, int, float]]:
    arrays = (instance.term_row, instance.term_column, instance.term_factor, instance.term_value)
    return list(zip(*(a.tolist() for a in arrays), strict=True))


def recourses(instance: TwoStageRobust, x: np.ndarray, xi: np.ndarray) -> np.ndarray:
    """All columns of the second stage for every recourse that may be best, one a row."""
    second = instance.second
    matrix, low, high = dense(second), second.row_lower.copy(), second.row_upper.copy()
    for row, column, factor, value in terms(instance):
        if row >= 0 and column < 0:
            low[row] += value * xi[factor]
            high[row] += value * xi[factor]
        elif row >= 0:
            matrix[row, column] += value * xi[factor]
    known = dict(zip(instance.first.columns, x, strict=True))
    z = np.array([known.get(name, 0.0) for name in second.columns])
    own = [j for j, name in enumerate(second.columns) if name not in known]
    moved = matrix @ z
    if (second.domain[own] == INTEGER).all():
        found = grid(second.lower[own], second.upper[own])
    else:
        found = corners_of(matrix[:, own], low - moved, high - moved, second.lower[own], second.upper[own])
    activity = found @ matrix[:, own].T + moved
    fits = ((activity >= low - NEAR) & (activity <= high + NEAR)).all(axis=1)
    points = np.tile(z, (int(fits.sum()), 1))
    points[:, own] = found[fits]
    return points


def corners_of(
    matrix: np.ndarray, low: np.ndarray, high: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """Points where as many constraints as columns are tight, within the bounds."""
    width = matrix.shape[1]
    lines = np.vstack([matrix, matrix, np.eye(width), np.eye(width)])
    sides = np.concatenate([low, high, lower, upper])
    keep = np.isfinite(sides)
    lines, sides = lines[keep], sides[keep]
    found = []
    for chosen in itertools.combinations(range(len(sides)), width):
        block = lines[list(chosen)]
        if abs(np.linalg.det(block)) > 1e-9:
            found.append(np.linalg.solve(block, sides[list(chosen)]))
    points = np.array(found).reshape(-1, width)
    return points[((points >= lower - NEAR) & (points <= upper + NEAR)).all(axis=1)]


def vertices(uncertainty: Uncertainty) -> np.ndarray:
    """The scenarios, or all corners of the set."""
    if uncertainty.discrete:
        return uncertainty.scenarios
    none = np.full(len(uncertainty.rhs), -math.inf)
    points = corners_of(uncertainty.matrix, none, uncertainty.rhs, uncertainty.lower, uncertainty.upper)
    return points[(points @ uncertainty.matrix.T <= uncertainty.rhs + NEAR).all(axis=1)]


def grid(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """All whole points of a box, one a row."""
    axes = [np.arange(math.ceil(lo), math.floor(hi) + 1.0) for lo, hi in zip(lower, upper, strict=True)]
    return np.array(list(itertools.product(*axes))).reshape(-1, len(lower))


def dense(mip: Mip) -> np.ndarray:
    """The matrix of a program."""
    matrix = np.zeros((len(mip.rows), len(mip.columns)))
    row = np.repeat(np.arange(len(mip.rows)), np.diff(mip.row_start))
    matrix[row, mip.row_column] = mip.row_value
    return matrix
