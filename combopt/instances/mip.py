"""Mixed-integer linear programs, checked in exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError
from combopt.instances.solutions import Point
from combopt.model import Evaluation, Floats, Instance, Ints, Sense, Solution, frozen_array

CONTINUOUS, INTEGER, SEMICONTINUOUS, SEMIINTEGER = 0, 1, 2, 3
"""Domains of a column; a semi-continuous or semi-integer one is 0 or within its bounds."""


@dataclass(frozen=True, kw_only=True)
class Sos:
    """A special ordered set: of ``columns``, in this order, at most ``type`` (1 or 2, then neighbours) are not 0."""

    type: int
    columns: tuple[int, ...]
    weights: tuple[float, ...]
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """Row ``row`` holds whenever the binary ``column`` has the value ``active`` (0 or 1)."""

    row: int
    column: int
    active: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Mip(Instance):
    """``min`` or ``max`` of ``cost x + offset`` with ``row_lower <= A x <= row_upper`` and ``lower <= x <= upper``.

    Parameters
    ----------
    cost, lower, upper
        ``float64[n]``; bounds may be infinite.
    domain
        ``int64[n]`` of :data:`CONTINUOUS`, :data:`INTEGER`, :data:`SEMICONTINUOUS`, :data:`SEMIINTEGER`.
    row_start, row_column, row_value
        ``A`` by rows: the entries of row ``i`` are ``row_start[i]`` to ``row_start[i + 1]`` (CSR), without
        duplicates.
    row_lower, row_upper
        ``float64[m]``; may be infinite.
    columns, rows
        Names.
    """

    kind: ClassVar[str] = "mip"
    solution_type: ClassVar[type[Solution]] = Point
    name: str = "mip"
    sense: Sense = Sense.MIN
    cost: Floats
    offset: float = 0.0
    lower: Floats
    upper: Floats
    domain: Ints
    row_start: Ints
    row_column: Ints
    row_value: Floats
    row_lower: Floats
    row_upper: Floats
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    sos: tuple[Sos, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    def __post_init__(self) -> None:
        n, m = len(self.columns), len(self.rows)
        for names, shape in (("cost lower upper", n), ("row_lower row_upper", m)):
            for name in names.split():
                object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, (shape,), name))
        object.__setattr__(self, "domain", frozen_array(self.domain, np.int64, (n,), "domain"))
        object.__setattr__(self, "row_start", frozen_array(self.row_start, np.int64, (m + 1,), "row_start"))
        object.__setattr__(self, "row_column", frozen_array(self.row_column, np.int64, (None,), "row_column"))
        nonzeros = len(self.row_column)
        object.__setattr__(self, "row_value", frozen_array(self.row_value, np.float64, (nonzeros,), "row_value"))

    @property
    def integral(self) -> npt.NDArray[np.bool_]:
        """Which columns must be whole."""
        return (self.domain == INTEGER) | (self.domain == SEMIINTEGER)

    def size(self) -> dict[str, int]:
        return {
            "rows": len(self.rows),
            "columns": len(self.columns),
            "nonzeros": len(self.row_value),
            "integers": int(self.integral.sum()),
        }

    def evaluate(self, solution: Solution) -> Evaluation:
        raise NotImplementedError


@dataclass
class MipBuilder:
    """Builds a :class:`Mip` column by column and row by row; columns are referred to by the index returned."""

    name: str = "mip"
    sense: Sense = Sense.MIN
    offset: float = 0.0
    _columns: list[tuple[str, float, float, float, int]] = field(default_factory=list)
    _rows: list[tuple[str, float, float]] = field(default_factory=list)
    _start: list[int] = field(default_factory=lambda: [0])
    _index: list[int] = field(default_factory=list)
    _value: list[float] = field(default_factory=list)

    def column(
        self, name: str, cost: float = 0.0, lower: float = 0.0, upper: float = math.inf, domain: int = CONTINUOUS
    ) -> int:
        """Add a variable; returns its index."""
        self._columns.append((name, cost, lower, upper, domain))
        return len(self._columns) - 1

    def binary(self, name: str, cost: float = 0.0) -> int:
        """Add a 0/1 variable; returns its index."""
        return self.column(name, cost, 0.0, 1.0, INTEGER)

    def row(
        self,
        terms: Mapping[int, float] | Iterable[tuple[int, float]],
        lower: float = -math.inf,
        upper: float = math.inf,
        name: str = "",
    ) -> int:
        """Add ``lower <= sum of coefficient * column <= upper``; returns its index."""
        for column, value in terms.items() if isinstance(terms, Mapping) else terms:
            self._index.append(column)
            self._value.append(value)
        self._start.append(len(self._index))
        self._rows.append((name or f"r{len(self._rows)}", lower, upper))
        return len(self._rows) - 1

    def build(self, **extra: Any) -> Mip:
        """The finished program."""
        names, cost, lower, upper, domain = zip(*self._columns, strict=True) if self._columns else ((),) * 5
        rows, row_lower, row_upper = zip(*self._rows, strict=True) if self._rows else ((),) * 3
        return Mip(
            name=self.name, sense=self.sense, offset=self.offset,
            cost=np.array(cost, float), lower=np.array(lower, float), upper=np.array(upper, float),
            domain=np.array(domain, np.int64), columns=tuple(names), rows=tuple(rows),
            row_start=np.array(self._start, np.int64), row_column=np.array(self._index, np.int64),
            row_value=np.array(self._value, float), row_lower=np.array(row_lower, float),
            row_upper=np.array(row_upper, float), **extra,
        )  # fmt: skip


def require(holds: bool, code: str, found: str, expected: str = "") -> None:
    """Raise :class:`InputError` unless ``holds``."""
    if not holds:
        raise InputError(code, found, expected=expected)
