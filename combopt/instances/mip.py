"""Mixed-integer linear programs, checked in exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError, UsageError
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
    """Empty means that the program gives it one: set1, set2, ... by its place."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(map(int, self.columns)))
        object.__setattr__(self, "weights", tuple(map(float, self.weights)))


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
        ``A`` by rows: the entries of row ``i`` are ``row_start[i]`` to ``row_start[i + 1]`` (CSR).  A column
        occurs at most once in a row; the constructor sorts every row by column and drops zeros.
    row_lower, row_upper
        ``float64[m]``; may be infinite.
    columns, rows
        Names, each unique in its list and not empty.

    A row with an indicator holds only while the indicator is active.  ``lower > upper`` is no mistake: such a
    program is infeasible.  :class:`InputError` is raised for sizes that do not fit, for NaN and infinite numbers
    where they have no meaning, for unknown indices and for names that occur twice.
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
        for what in ("columns", "rows"):
            object.__setattr__(self, what, _names(getattr(self, what), what))
        n, m = len(self.columns), len(self.rows)
        for names, shape in (("cost lower upper", n), ("row_lower row_upper", m)):
            for name in names.split():
                object.__setattr__(self, name, _floats(getattr(self, name), shape, name))
        object.__setattr__(self, "domain", frozen_array(self.domain, np.int64, (n,), "domain"))
        object.__setattr__(self, "row_start", frozen_array(self.row_start, np.int64, (m + 1,), "row_start"))
        object.__setattr__(self, "row_column", frozen_array(self.row_column, np.int64, (None,), "row_column"))
        nonzeros = len(self.row_column)
        object.__setattr__(self, "row_value", _floats(self.row_value, nonzeros, "row_value"))
        require(self.sense in tuple(Sense), "E114", f"the sense is {self.sense!r}", "min or max")
        object.__setattr__(self, "sense", Sense(self.sense))
        object.__setattr__(self, "sos", _named(tuple(self.sos)))
        object.__setattr__(self, "indicators", tuple(self.indicators))
        _check_numbers(self)
        _check_matrix(self)
        _check_sos(self)
        _check_indicators(self)

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
        """Objective and violations in exact arithmetic; see :mod:`combopt.instances.exact`."""
        from combopt.instances.exact import evaluate

        self.own(solution)
        assert isinstance(solution, Point)
        return evaluate(self, solution)

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 50, family: str = "set_cover") -> Mip:
        """A random program of one of the families in :mod:`combopt.instances.mip_families`: ``set_cover``,
        ``facility``, ``auction``, ``independent_set`` or ``random``."""
        from combopt.instances.mip_families import FAMILIES

        if family not in FAMILIES:
            raise UsageError("E201", f"family {family!r}", expected=", ".join(FAMILIES))
        if n < 1:
            raise UsageError("E201", f"n = {n}", expected="a whole number, 1 or more")
        return FAMILIES[family](rng, n)


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


def _names(names: Iterable[str], what: str) -> tuple[str, ...]:
    found = tuple(names)
    if set(map(type, found)) - {str} or "" in found:
        raise InputError("E123", f"the names in {what} are not all non-empty strings")
    if len(set(found)) < len(found):
        seen: set[str] = set()
        twice = next(name for name in found if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InputError("E116", f"the name {twice!r} occurs twice in {what}")
    return found


def _floats(values: Any, length: int, what: str) -> Floats:
    array = frozen_array(values, np.float64, (length,), what) + 0.0  # no -0.0: equal programs, equal bytes
    array.setflags(write=False)
    return array


def _check_numbers(mip: Mip) -> None:
    """Costs and coefficients are finite; bounds may be infinite on their own side; nothing is NaN."""
    for name in ("cost", "row_value"):
        require(bool(np.isfinite(getattr(mip, name)).all()), "E114", f"{name} holds a number that is not finite")
    offset = float(mip.offset)
    require(math.isfinite(offset), "E114", f"the offset is {mip.offset}", "a finite number")
    object.__setattr__(mip, "offset", offset + 0.0)
    for low, high in (("lower", "upper"), ("row_lower", "row_upper")):
        a, b = getattr(mip, low), getattr(mip, high)
        require(not (np.isnan(a).any() or np.isnan(b).any()), "E114", f"NaN in {low} or {high}")
        require(not (a == math.inf).any(), "E114", f"{low} holds +inf", "a finite number or -inf")
        require(not (b == -math.inf).any(), "E114", f"{high} holds -inf", "a finite number or +inf")
    domains = mip.domain
    require(bool(((domains >= CONTINUOUS) & (domains <= SEMIINTEGER)).all()), "E114", "an unknown domain", "0 to 3")


def _check_matrix(mip: Mip) -> None:
    start, column, n = mip.row_start, mip.row_column, len(mip.columns)
    widths = np.diff(start)
    require(
        start[0] == 0 and start[-1] == len(column) and bool((widths >= 0).all()),
        "E115", "row_start does not cut the entries into rows", "increasing, from 0 to the number of entries",
    )  # fmt: skip
    if not len(column):
        return
    require(column.min() >= 0 and column.max() < n, "E117", "row_column refers to no column", f"0 to {n - 1}")
    step = np.diff(column)
    first = start[1:-1]
    step[first[(first > 0) & (first < len(column))] - 1] = 1  # from the end of one row to the start of the next
    if not (step > 0).all():
        _sort_rows(mip, np.repeat(np.arange(len(mip.rows)), widths) * n + column)
    if not mip.row_value.all():
        _drop_zeros(mip)


def _sort_rows(mip: Mip, key: Ints) -> None:
    order = np.argsort(key, kind="stable")
    key = key[order]
    twice = np.flatnonzero(key[1:] == key[:-1])
    if twice.size:
        row, entry = divmod(int(key[twice[0]]), len(mip.columns))
        raise InputError("E116", f"column {mip.columns[entry]!r} occurs twice in row {mip.rows[row]!r}")
    _freeze(mip, row_column=mip.row_column[order], row_value=mip.row_value[order])


def _drop_zeros(mip: Mip) -> None:
    keep = mip.row_value != 0
    start = np.concatenate([[0], np.cumsum(keep)])[mip.row_start]
    _freeze(mip, row_start=start, row_column=mip.row_column[keep], row_value=mip.row_value[keep])


def _freeze(mip: Mip, **arrays: npt.NDArray[Any]) -> None:
    for name, array in arrays.items():
        array.setflags(write=False)
        object.__setattr__(mip, name, array)


def _named(groups: tuple[Sos, ...]) -> tuple[Sos, ...]:
    """The sets, those without a name called by their place."""
    taken = {group.name for group in groups}
    found = []
    for place, group in enumerate(groups, 1):
        name = group.name or f"set{place}"
        while not group.name and name in taken:
            name += "_"
        found.append(replace(group, name=name))
    return tuple(found)


def _check_sos(mip: Mip) -> None:
    require(len({group.name for group in mip.sos}) == len(mip.sos), "E116", "two sets have the same name")
    for group in mip.sos:
        label = f"special ordered set {group.name}"
        require(group.type in (1, 2), "E114", f"{label}: type {group.type}", "1 or 2")
        require(len(group.columns) == len(group.weights), "E115", f"{label}: columns and weights differ in number")
        require(len(set(group.columns)) == len(group.columns), "E116", f"{label}: a column occurs twice")
        require(all(0 <= c < len(mip.columns) for c in group.columns), "E117", f"{label}: it refers to no column")
        require(all(map(math.isfinite, group.weights)), "E114", f"{label}: a weight is not finite")


def _check_indicators(mip: Mip) -> None:
    seen: set[int] = set()
    for indicator in mip.indicators:
        row, column = indicator.row, indicator.column
        require(0 <= row < len(mip.rows), "E117", f"an indicator refers to row {row}")
        require(0 <= column < len(mip.columns), "E117", f"an indicator refers to column {column}")
        require(indicator.active in (0, 1), "E114", f"an indicator waits for {indicator.active}", "0 or 1")
        require(row not in seen, "E116", f"row {mip.rows[row]!r} has two indicators")
        seen.add(row)
        require(
            mip.domain[column] == INTEGER and mip.lower[column] >= 0 and mip.upper[column] <= 1,
            "E120", f"the indicator column {mip.columns[column]!r} of row {mip.rows[row]!r} is not binary",
        )  # fmt: skip
