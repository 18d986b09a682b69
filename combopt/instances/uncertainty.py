"""Uncertainty sets: a box cut by rows, or a list of scenarios; their vertices, and the worst of affine functions."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError, UnsupportedError
from combopt.model import Floats, frozen_array

LARGEST = 1e12
"""Largest absolute value of a number in the description of a set."""
VERTICES = 20_000
"""Most vertices of a set that are enumerated."""
CANDIDATES = 2_000_000
"""Most candidates for vertices that are tried where there are several rows."""
TOLERANCE = 1e-9
"""Relative tolerance of membership."""


def _nothing() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Uncertainty:
    """What the uncertain factors ``xi`` may be: ``lower <= xi <= upper`` and ``matrix xi <= rhs``, or one of the
    ``scenarios``.

    Parameters
    ----------
    lower, upper
        ``float64[q]``, finite; empty for a set of scenarios.
    matrix, rhs
        ``float64[m, q]`` and ``float64[m]``; the rows that cut the box, none as a rule or one (a budget).
    scenarios
        ``float64[s, q]``; empty for a box.
    factors
        Names of the factors, ``xi1``, ``xi2``, ... if none are given.

    The class methods :meth:`box`, :meth:`budget`, :meth:`polyhedron` and :meth:`finite` are shorter to write.
    :class:`InputError` is raised for an empty or unbounded set, shapes that do not fit, and numbers that are NaN or
    beyond 1e12.
    """

    lower: Floats = field(default_factory=_nothing)
    upper: Floats = field(default_factory=_nothing)
    matrix: Floats = field(default_factory=_nothing)
    rhs: Floats = field(default_factory=_nothing)
    scenarios: Floats = field(default_factory=_nothing)
    factors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        scenarios = _matrix(self.scenarios, None, "scenarios")
        lower = frozen_array(self.lower, np.float64, (None,), "lower")
        if scenarios.size and lower.size:
            raise InputError("E120", "the uncertainty set has both bounds and scenarios", expected="one of the two")
        q = scenarios.shape[1] if scenarios.size else len(lower)
        if not q:
            raise InputError("E118", "the uncertainty set is empty: it has neither bounds nor scenarios")
        object.__setattr__(self, "scenarios", scenarios if scenarios.size else _matrix([], q, "scenarios"))
        box = 0 if scenarios.size else q
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", frozen_array(self.upper, np.float64, (box,), "upper"))
        object.__setattr__(self, "matrix", _matrix(self.matrix, q, "matrix"))
        object.__setattr__(self, "rhs", frozen_array(self.rhs, np.float64, (len(self.matrix),), "rhs"))
        names = tuple(self.factors) or tuple(f"xi{i + 1}" for i in range(q))
        if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
            raise InputError("E116", "the names of the factors are not all different, non-empty strings")
        if len(names) != q:
            raise InputError("E115", f"{len(names)} names of {q} factors", expected="one each, or none at all")
        object.__setattr__(self, "factors", names)
        self._check()

    def _check(self) -> None:
        for what in ("lower", "upper", "matrix", "rhs", "scenarios"):
            values = getattr(self, what)
            if not (np.abs(values) <= LARGEST).all():
                remedy = "Give every factor a finite lower and upper bound." if what in ("lower", "upper") else ""
                raise InputError(
                    "E114", f"{what} of the uncertainty set holds a number that is not finite or beyond {LARGEST:g}",
                    expected="finite numbers", remedy=remedy,
                )  # fmt: skip
        if self.discrete:
            if len(self.matrix):
                raise InputError("E120", "a set of scenarios has rows", expected="rows only with bounds")
            return
        for i in np.flatnonzero(self.lower > self.upper).tolist():
            found = f"{self.factors[i]} from {self.lower[i]:g} to {self.upper[i]:g}"
            raise InputError("E120", f"the uncertainty set is empty: {found}", expected="lower <= upper")
        _check_rows(self)

    @property
    def discrete(self) -> bool:
        """Whether the set is a list of scenarios."""
        return self.scenarios.size > 0

    @property
    def dimension(self) -> int:
        """The number of factors."""
        return len(self.factors)

    @classmethod
    def box(cls, lower: Any, upper: Any, *, factors: tuple[str, ...] = ()) -> Self:
        """``lower <= xi <= upper``."""
        return cls(lower=lower, upper=upper, factors=factors)

    @classmethod
    def budget(
        cls, q: int, gamma: float, *, lower: float = 0.0, upper: float = 1.0, factors: tuple[str, ...] = ()
    ) -> Self:
        """``q`` factors in ``[lower, upper]`` with sum at most ``gamma`` (Bertsimas and Sim 2004)."""
        if q < 1:
            raise InputError("E114", f"{q} factors", expected="1 or more")
        return cls(
            lower=np.full(q, float(lower)), upper=np.full(q, float(upper)), matrix=np.ones((1, q)),
            rhs=np.array([float(gamma)]), factors=factors,
        )  # fmt: skip

    @classmethod
    def polyhedron(
        cls, matrix: Any, rhs: Any, *, lower: Any = -math.inf, upper: Any = math.inf, factors: tuple[str, ...] = ()
    ) -> Self:
        """``matrix xi <= rhs``; bounds that are not given are found by linear programs, or found missing."""
        rows = _matrix(matrix, None, "matrix")
        sides = frozen_array(rhs, np.float64, (len(rows),), "rhs")
        q = rows.shape[1]
        if not (np.isfinite(rows).all() and np.isfinite(sides).all()):
            raise InputError("E114", "matrix or rhs of the uncertainty set holds a number that is not finite")
        low = np.broadcast_to(np.asarray(lower, float), (q,)).copy()
        high = np.broadcast_to(np.asarray(upper, float), (q,)).copy()
        names = tuple(factors) or tuple(f"xi{i + 1}" for i in range(q))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            _find_bounds(rows, sides, low, high, names)
        return cls(lower=low, upper=high, matrix=rows, rhs=sides, factors=names)

    @classmethod
    def finite(cls, scenarios: Any, *, factors: tuple[str, ...] = ()) -> Self:
        """One of the rows of ``scenarios``."""
        return cls(scenarios=scenarios, factors=factors)

    def centre(self) -> Floats:
        """A point of the set away from its ends where there is one: the middle of the box, moved inside the rows;
        of scenarios the first."""
        if self.discrete:
            return self.scenarios[0]
        middle = np.asarray((self.lower + self.upper) / 2)
        if self.contains(middle):
            return middle
        cheap = self._cheap()
        if len(self.matrix) == 1:  # towards the corner of least activity, until the row holds
            most, least = float(self.matrix[0] @ middle), float(self.matrix[0] @ cheap)
            share = min(1.0, max(0.0, (float(self.rhs[0]) - least) / (most - least)))
            return np.asarray(cheap + share * (middle - cheap))
        return self.largest(np.zeros((1, self.dimension)))[1][0]

    def contains(self, xi: Floats, tolerance: float = TOLERANCE) -> bool:
        """Whether ``xi`` is in the set, up to a relative tolerance."""
        if len(xi) != self.dimension:
            return False
        if self.discrete:
            return bool((np.abs(self.scenarios - xi) <= tolerance * np.maximum(1.0, np.abs(xi))).all(axis=1).any())
        slack = tolerance * np.maximum(1.0, np.abs(xi))
        if not ((xi >= self.lower - slack) & (xi <= self.upper + slack)).all():
            return False
        size = np.maximum(1.0, np.abs(self.matrix) @ np.abs(xi))
        return bool((self.matrix @ xi <= self.rhs + tolerance * size).all())

    def largest(self, slope: Floats) -> tuple[Floats, Floats]:
        """For each row of ``slope: float64[k, q]`` an upper bound of ``max slope xi`` over the set, and the ``xi``.

        The bound is the maximum itself for scenarios, boxes and one row (a fractional knapsack).  With several rows a
        linear program gives multipliers; the bound of the Lagrangian is computed from them afresh, so it holds
        whatever the solver's rounding.
        """
        slope = np.asarray(slope, float).reshape(-1, self.dimension)
        if self.discrete:
            values = slope @ self.scenarios.T
            best = values.argmax(axis=1)
            return values[np.arange(len(slope)), best], self.scenarios[best]
        points = np.where(slope > 0, self.upper, self.lower)
        if len(self.matrix) == 1:
            points = np.array([self._knapsack(row) for row in slope]).reshape(points.shape)
        if len(self.matrix) <= 1:
            return np.einsum("ij,ij->i", slope, points), points
        pairs = [self._lagrange(row) for row in slope]
        return np.array([value for value, _ in pairs]), np.array([point for _, point in pairs]).reshape(points.shape)

    def _knapsack(self, slope: Floats) -> Floats:
        """The ``xi`` of the largest ``slope xi`` under the box and one row: from the best corner, factors are moved
        to their cheaper end, those first that lose least for what they free, until the row holds."""
        row = self.matrix[0]
        point = np.where(slope > 0, self.upper, np.where(slope < 0, self.lower, self._cheap()))
        excess = float(row @ point - self.rhs[0])
        if excess <= 0:
            return point
        cheap = self._cheap()
        frees = row * (point - cheap)
        movable = np.flatnonzero(frees > 0)
        order = movable[np.argsort(np.abs(slope[movable]) / np.abs(row[movable]), kind="stable")]
        for i in order.tolist():
            if frees[i] >= excess:
                point[i] -= excess / row[i]
                break
            point[i] = cheap[i]
            excess -= frees[i]
        return np.asarray(np.clip(point, self.lower, self.upper))

    def _cheap(self) -> Floats:
        """The corner of the least activity of the only row."""
        return np.asarray(np.where(self.matrix[0] > 0, self.lower, self.upper))

    def _lagrange(self, slope: Floats) -> tuple[float, Floats]:
        from scipy.optimize import linprog

        found = linprog(
            -slope, A_ub=self.matrix, b_ub=self.rhs, bounds=np.column_stack([self.lower, self.upper]), method="highs"
        )
        point = np.where(slope > 0, self.upper, self.lower)
        multipliers = np.zeros(len(self.rhs))
        if found.x is not None:
            point = np.clip(found.x, self.lower, self.upper)
            multipliers = np.maximum(0.0, -np.asarray(found.ineqlin.marginals))
        left = slope - multipliers @ self.matrix
        value = float(multipliers @ self.rhs + np.maximum(left * self.lower, left * self.upper).sum())
        plain = float(np.maximum(slope * self.lower, slope * self.upper).sum())
        return min(value, plain), point

    def vertices(self, relevant: npt.NDArray[np.bool_] | None = None, limit: int = VERTICES) -> Floats:
        """All vertices, ``float64[v, q]``; of scenarios, the scenarios.

        With at most one row, factors that are not ``relevant`` are held where they leave the others most room: what
        is left is the projection of the set on the relevant factors.

        Raises
        ------
        UnsupportedError
            E202 if there are more than ``limit``, or too many candidates.
        """
        if self.discrete:
            return self.scenarios
        if len(self.matrix) > 1:
            return self._vertices_of_rows(limit)
        use = np.ones(self.dimension, dtype=bool) if relevant is None else np.asarray(relevant, dtype=bool)
        base = self._cheap() if len(self.matrix) else self.lower.copy()
        moves = np.flatnonzero(use & (self.lower < self.upper))
        other = np.where(base == self.lower, self.upper, self.lower)
        if not len(self.matrix):
            if 2.0 ** len(moves) > limit:
                raise _too_many(f"2^{len(moves)}", limit)
            return _corners(base, other, moves)
        return self._vertices_of_budget(base, other, moves, limit)

    def _vertices_of_budget(self, base: Floats, other: Floats, moves: npt.NDArray[np.int64], limit: int) -> Floats:
        """Subsets of factors at their dear end that the row has room for, and those with one more on the way."""
        row, room = self.matrix[0], float(self.rhs[0] - self.matrix[0] @ base)
        costs = {int(i): float(row[i] * (other[i] - base[i])) for i in moves}
        near = TOLERANCE * max(1.0, float(np.abs(row) @ np.maximum(np.abs(self.lower), np.abs(self.upper))))
        found: list[Floats] = []
        stack: list[tuple[int, float, tuple[int, ...]]] = [(0, max(0.0, room), ())]
        ordered = sorted(costs, key=lambda i: (costs[i], i))
        while stack:
            place, left, taken = stack.pop()
            if place < len(ordered) and costs[ordered[place]] <= left + near:
                stack.append((place + 1, left, taken))
                stack.append((place + 1, left - costs[ordered[place]], (*taken, ordered[place])))
                if len(stack) > 2 * limit:
                    raise _too_many(f"more than {limit}", limit)
                continue
            point = base.copy()  # no further factor has room, as the cheapest come first
            point[list(taken)] = other[list(taken)]
            found.append(point)
            if left > near:
                for i in ordered:
                    if i not in taken and costs[i] > left + near:
                        partial = point.copy()
                        partial[i] += left / costs[i] * (other[i] - base[i])
                        found.append(partial)
            if len(found) > limit:
                raise _too_many(f"more than {limit}", limit)
        return np.array(found)

    def _vertices_of_rows(self, limit: int) -> Floats:
        """Every choice of tight rows, as many free factors, and the others at their bounds."""
        q, m = self.dimension, len(self.matrix)
        work = sum(math.comb(m, r) * math.comb(q, r) * 2.0 ** (q - r) for r in range(min(q, m) + 1))
        if work > CANDIDATES:
            raise UnsupportedError(
                "E202", f"the vertices of an uncertainty set of {q} factors and {m} rows are too many to try",
                expected=f"at most {CANDIDATES} candidates, not {work:.3g}",
                remedy="Use fewer factors or rows, a box with one budget row, or a list of scenarios.",
            )  # fmt: skip
        found: list[Floats] = []
        for r in range(min(q, m) + 1):
            for free in itertools.combinations(range(q), r):
                held = np.array(
                    [i for i in range(q) if i not in free and self.lower[i] < self.upper[i]], dtype=np.int64
                )
                corners = _corners(self.lower, self.upper, held)
                for tight in itertools.combinations(range(m), r):
                    found.append(self._solved(corners, list(free), list(tight)))
        points: Floats = np.unique(np.round(np.concatenate(found), 12), axis=0)
        if len(points) > limit:
            raise _too_many(str(len(points)), limit)
        return points

    def _solved(self, corners: Floats, free: list[int], tight: list[int]) -> Floats:
        """The corners with the free factors such that the tight rows hold as equations; those in the set."""
        points = corners.copy()
        if free:
            block = self.matrix[np.ix_(tight, free)]
            if abs(np.linalg.det(block)) < 1e-12:
                return points[:0]
            points[:, free] = 0.0
            points[:, free] = np.linalg.solve(block, (self.rhs[tight] - points @ self.matrix[tight].T).T).T
        slack = 1e-9 * np.maximum(1.0, np.abs(points))
        inside = ((points >= self.lower - slack) & (points <= self.upper + slack)).all(axis=1)
        size = np.maximum(1.0, np.abs(points) @ np.abs(self.matrix.T))
        inside &= (points @ self.matrix.T <= self.rhs + 1e-9 * size).all(axis=1)
        return np.asarray(np.clip(points[inside], self.lower, self.upper))


def _matrix(values: Any, width: int | None, what: str) -> Floats:
    found: Floats = frozen_array(values, np.float64, (None, width), what)
    return found


def _corners(base: Floats, other: Floats, moves: npt.NDArray[np.int64]) -> Floats:
    """All points with the factors ``moves`` at either end, the rest as in ``base``."""
    count = 1 << len(moves)
    bits = (np.arange(count)[:, None] >> np.arange(len(moves))) & 1
    points = np.tile(base, (count, 1))
    points[:, moves] = np.where(bits == 1, other[moves], base[moves])
    return points


def _too_many(count: str, limit: int) -> UnsupportedError:
    return UnsupportedError(
        "E202", f"the uncertainty set has {count} vertices, too many to try them all", expected=f"at most {limit}",
        remedy="Use fewer uncertain factors, a smaller budget, or a list of scenarios.",
    )  # fmt: skip


def _check_rows(uncertainty: Uncertainty) -> None:
    """Raise E120 if no point of the box satisfies the rows, naming those that cannot hold."""
    matrix, rhs, lower, upper = uncertainty.matrix, uncertainty.rhs, uncertainty.lower, uncertainty.upper
    size = np.maximum(1.0, np.abs(matrix) @ np.maximum(np.abs(lower), np.abs(upper)))
    least = np.minimum(matrix * lower, matrix * upper).sum(axis=1)
    for i in np.flatnonzero(least > rhs + TOLERANCE * size).tolist():
        found = f"row {i} needs at most {rhs[i]:g}, but within the bounds it is at least {least[i]:g}"
        raise InputError("E120", f"the uncertainty set is empty: {found}")
    if len(rhs) <= 1 or any((matrix @ point <= rhs).all() for point in (lower, upper, (lower + upper) / 2)):
        return
    from scipy.optimize import linprog

    # The least s with matrix xi <= rhs + s; its multipliers point at the rows that contradict one another.
    cost = np.append(np.zeros(len(lower)), 1.0)
    bounds = [*zip(lower, upper, strict=True), (0.0, None)]
    found_ = linprog(cost, A_ub=np.column_stack([matrix, -np.ones(len(rhs))]), b_ub=rhs, bounds=bounds, method="highs")
    if found_.x is not None and found_.fun > 1e-7 * float(size.max()):
        rows = ", ".join(str(i) for i in np.flatnonzero(np.abs(found_.ineqlin.marginals) > 1e-9).tolist())
        raise InputError("E120", f"the uncertainty set is empty: rows {rows} contradict one another")


def _find_bounds(rows: Floats, sides: Floats, low: Floats, high: Floats, names: tuple[str, ...]) -> None:
    """Fill in bounds that are not finite, a little wide; the rows hold anyway."""
    from scipy.optimize import linprog

    bounds = [
        (None if lo == -math.inf else lo, None if hi == math.inf else hi) for lo, hi in zip(low, high, strict=True)
    ]
    for i, sign in itertools.product(range(len(low)), (1.0, -1.0)):
        side = low if sign > 0 else high
        if math.isfinite(side[i]):
            continue
        cost = np.zeros(len(low))
        cost[i] = sign
        found = linprog(cost, A_ub=rows, b_ub=sides, bounds=bounds, method="highs")
        if found.status == 2:
            raise InputError("E120", "the uncertainty set is empty: its rows contradict one another")
        if found.x is None:
            word = "below" if sign > 0 else "above"
            name = names[i] if i < len(names) else f"xi{i + 1}"
            remedy = f"Give {name} a bound or add a row that limits it."
            raise InputError("E114", f"the uncertainty set is unbounded: {name} is not limited {word}", remedy=remedy)
        side[i] = found.x[i] - sign * 1e-7 * max(1.0, abs(found.x[i]))
