"""Distances as the formats of the field define them, without an n x n matrix unless one is asked for.

The rules are those of TSPLIB95 (Reinelt 1995) with the readings that reproduce its published optima:
``nint(x) = floor(x + 0.5)``; GEO truncates degrees and uses 3.141592; every distance of a node to itself is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError
from combopt.model import Floats, Ints, Number, frozen_array

Distances = npt.NDArray[Any]
"""``int64``, or ``float64`` under the rule EXACT_2D."""

MATRIX_LIMIT = 5000
"""Nodes above which only solvers that must may ask for the full matrix."""

LARGEST_COORDINATE = 2.0**50
"""Coordinates beyond this would give distances that floats cannot tell apart."""
LARGEST_DISTANCE = 2**62
"""Entries of a matrix beyond this (either sign) could not be added to one another."""


def nint(x: Floats) -> Ints:
    """TSPLIB's rounding: halves go up (``np.rint`` sends them to the even neighbour)."""
    return np.floor(x + 0.5).astype(np.int64)


def _square_length(a: Floats, b: Floats) -> Floats:
    # Column by column: a sum over a last axis of two entries is several times slower.
    total: Floats = (a[..., 0] - b[..., 0]) ** 2
    for axis in range(1, a.shape[-1]):
        total += (a[..., axis] - b[..., axis]) ** 2
    return total


def _euclid(a: Floats, b: Floats) -> Floats:
    return np.sqrt(_square_length(a, b))


def _euc(a: Floats, b: Floats) -> Distances:
    return nint(_euclid(a, b))


def _ceil(a: Floats, b: Floats) -> Distances:
    return np.ceil(_euclid(a, b)).astype(np.int64)


def _floor(a: Floats, b: Floats) -> Distances:
    return np.floor(_euclid(a, b)).astype(np.int64)


def _exact(a: Floats, b: Floats) -> Distances:
    return _euclid(a, b)


def _dimacs(a: Floats, b: Floats) -> Distances:
    # Tenths, truncated; the small addend keeps 5.0 from becoming 4.9 (DIMACS 2021 rules for VRPTW).
    return np.floor(10 * _euclid(a, b) + 1e-9).astype(np.int64)


def _manhattan(a: Floats, b: Floats) -> Distances:
    return nint(np.abs(a - b).sum(axis=-1))


def _maximum(a: Floats, b: Floats) -> Distances:
    return nint(np.abs(a - b)).max(axis=-1)


def _att(a: Floats, b: Floats) -> Distances:
    r = np.sqrt(_square_length(a, b) / 10.0)
    t = nint(r)
    return np.where(t < r, t + 1, t)


def _geo(a: Floats, b: Floats) -> Distances:
    a, b = _radians(a), _radians(b)
    q1 = np.cos(a[..., 1] - b[..., 1])
    q2 = np.cos(a[..., 0] - b[..., 0])
    q3 = np.cos(a[..., 0] + b[..., 0])
    cosine = np.clip(0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3), -1.0, 1.0)
    return (6378.388 * np.arccos(cosine) + 1.0).astype(np.int64)


def _radians(degrees: Floats) -> Floats:
    whole = np.trunc(degrees)
    return 3.141592 * (whole + 5.0 * (degrees - whole) / 3.0) / 180.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A distance rule: ``dimension`` of its coordinates, ``unit`` = integer steps per unit of length."""

    function: Callable[[Floats, Floats], Distances]
    dimension: int
    words: str
    unit: int = 1


RULES: dict[str, Rule] = {
    "EUC_2D": Rule(_euc, 2, "Euclidean, rounded to nearest, halves up"),
    "EUC_3D": Rule(_euc, 3, "Euclidean in space, rounded to nearest, halves up"),
    "CEIL_2D": Rule(_ceil, 2, "Euclidean, rounded up"),
    "FLOOR_2D": Rule(_floor, 2, "Euclidean, rounded down"),
    "MAN_2D": Rule(_manhattan, 2, "Manhattan, rounded to nearest"),
    "MAN_3D": Rule(_manhattan, 3, "Manhattan in space, rounded to nearest"),
    "MAX_2D": Rule(_maximum, 2, "maximum norm, rounded to nearest"),
    "MAX_3D": Rule(_maximum, 3, "maximum norm in space, rounded to nearest"),
    "ATT": Rule(_att, 2, "pseudo-Euclidean, rounded up"),
    "GEO": Rule(_geo, 2, "great circle in kilometres, TSPLIB's constants"),
    "EXACT_2D": Rule(_exact, 2, "Euclidean in double precision, not rounded"),
    "DIMACS_2D": Rule(_dimacs, 2, "Euclidean, truncated to one decimal", unit=10),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Metric:
    """Distances between nodes 0..n-1, from coordinates under a rule or from an explicit matrix.

    Parameters
    ----------
    rule
        A key of :data:`RULES`, or ``EXPLICIT``.
    coordinates
        ``float64[n, d]``; with ``EXPLICIT`` they are for drawing only and may be missing.
    matrix
        ``int64[n, n]`` for ``EXPLICIT``; the diagonal counts as 0 whatever it holds.
    """

    rule: str
    coordinates: Floats | None = None
    matrix: Ints | None = None

    def __post_init__(self) -> None:
        if self.rule == "EXPLICIT":
            if self.matrix is None:
                raise InputError("E118", "the rule EXPLICIT needs a matrix")
            object.__setattr__(self, "matrix", _square(self.matrix))
        elif self.rule not in RULES:
            raise InputError("E119", f"edge weight type {self.rule!r}", expected="one of " + ", ".join(RULES))
        elif self.coordinates is None or self.matrix is not None:
            raise InputError("E118", f"the rule {self.rule} needs coordinates and no matrix")
        if self.coordinates is not None:
            dimension = None if self.rule == "EXPLICIT" else RULES[self.rule].dimension
            coordinates = frozen_array(self.coordinates, np.float64, (None, dimension), "coordinates")
            if coordinates.shape[1] not in (2, 3):
                raise InputError("E115", f"coordinates have shape {coordinates.shape}", expected="2 or 3 columns")
            if not (np.abs(coordinates) <= LARGEST_COORDINATE).all():
                raise InputError(
                    "E114", "a coordinate is too large or not finite", expected="at most 2^50, about 1e15"
                )
            coordinates = coordinates + 0.0  # turns -0.0 into 0.0: equal data, equal digest
            coordinates.setflags(write=False)
            object.__setattr__(self, "coordinates", coordinates)
            if self.matrix is not None and len(coordinates) != len(self.matrix):
                raise InputError("E115", f"{len(coordinates)} coordinates for {len(self.matrix)} nodes")
        if len(self) == 0:
            raise InputError("E118", "there is no node", expected="1 node or more")

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.matrix if self.matrix is not None else self.coordinates)  # type: ignore[arg-type]

    @property
    def unit(self) -> int:
        """Integer steps per unit of length: 10 where distances are kept in tenths, else 1."""
        return 1 if self.rule == "EXPLICIT" else RULES[self.rule].unit

    @property
    def integral(self) -> bool:
        """Whether distances are ``int64``."""
        return self.rule != "EXACT_2D"

    @property
    def words(self) -> str:
        """The rule for people."""
        return "explicit matrix" if self.rule == "EXPLICIT" else f"{self.rule}: {RULES[self.rule].words}"

    @property
    def symmetric(self) -> bool:
        return self.matrix is None or bool(np.array_equal(self.matrix, self.matrix.T))

    def between(self, i: npt.ArrayLike, j: npt.ArrayLike) -> Distances:
        """Distances of the pairs ``(i, j)``, broadcast; in steps of ``1 / unit``."""
        a, b = np.asarray(i), np.asarray(j)
        if self.matrix is not None:
            return np.asarray(self.matrix[a, b])
        assert self.coordinates is not None
        distances = RULES[self.rule].function(self.coordinates[a], self.coordinates[b])
        return np.where(a == b, distances.dtype.type(0), distances)

    def full(self) -> Distances:
        """The n x n matrix; 8 n^2 bytes."""
        if self.matrix is not None:
            return self.matrix
        nodes = np.arange(len(self))
        out = np.empty((len(nodes), len(nodes)), dtype=np.int64 if self.integral else np.float64)
        for start in range(0, len(nodes), 512):
            block = nodes[start : start + 512]
            out[block] = self.between(block[:, None], nodes[None, :])
        return out

    def cycle(self, order: Ints) -> Number:
        """Length of the closed tour through ``order``, in steps; exact if integral."""
        return self.path(np.append(order, order[:1])) if len(order) else 0

    def path(self, order: Ints) -> Number:
        """Length of the open path through ``order``, in steps; exact if integral."""
        return self.total(self.between(order[:-1], order[1:]))

    def total(self, steps: Distances) -> Number:
        """Exact sum: ``int`` without overflow if integral, else the correctly rounded float sum."""
        if not self.integral:
            return math.fsum(steps.tolist())
        if steps.size and int(np.abs(steps).max()) > (2**62) // steps.size:
            return sum(steps.tolist())
        return int(steps.sum())

    def in_length(self, steps: Number) -> Number:
        """Steps as a length: unchanged for unit 1, ``steps / unit`` otherwise."""
        return steps if self.unit == 1 else steps / self.unit


def _square(matrix: npt.ArrayLike) -> Ints:
    """A read-only square matrix with zeros on the diagonal."""
    out = frozen_array(matrix, np.int64, (None, None), "matrix")
    if out.shape[0] != out.shape[1]:
        raise InputError("E115", f"the matrix has shape {out.shape}", expected="as many rows as columns")
    out.setflags(write=True)  # it is a copy of its own
    np.fill_diagonal(out, 0)
    out.setflags(write=False)
    if out.size and (out.max() >= LARGEST_DISTANCE or out.min() <= -LARGEST_DISTANCE):
        raise InputError("E114", "a distance is too large", expected="less than 2^62")
    return out
