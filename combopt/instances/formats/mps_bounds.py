"""The sections of an MPS file behind COLUMNS: right-hand sides, ranges, bounds, sets and indicators.

RHS, RANGES and BOUNDS may hold several vectors, told apart by a set name that may be missing; the first one counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from combopt.instances.formats.mps_columns import DROPPED, OBJECTIVE, without_comment
from combopt.instances.formats.mps_sections import Outline
from combopt.instances.mip import CONTINUOUS, INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Sos

_WITHOUT_VALUE = frozenset(["FR", "MI", "PL", "BV"])
_WITH_VALUE = frozenset(["UP", "LO", "FX", "LI", "UI", "SC", "SI"])


@dataclass
class _Sets:
    """Keeps to the first vector of a section."""

    outline: Outline
    section: str
    name: str | None = None
    told: bool = False

    def counts(self, name: str | None, line: int) -> bool:
        """Whether a line of the set ``name`` is to be read; ``None`` if the line names none."""
        if name is None:
            return True
        self.name = name if self.name is None else self.name
        if name == self.name:
            return True
        if not self.told:
            self.outline.source.defect(
                "E119", line, f"a second set {name!r} in {self.section} after {self.name!r}", "one set"
            )
            self.told = True
        return False


def read_sides(outline: Outline, section: str, rows: dict[str, int]) -> dict[int, tuple[float, int]]:
    """RHS or RANGES: value and line by row.

    Raises
    ------
    InputError
        E113 or E114 for a number, E116 for a row that comes twice, E117 for an unknown row, E123 for a line of
        another form.
    """
    found: dict[int, tuple[float, int]] = {}
    sets = _Sets(outline, section)
    for line, fields in outline.fields(section):
        fields = without_comment(fields, rows, 2)
        named = len(fields) % 2 == 1
        pairs = fields[named:]
        if len(pairs) not in (2, 4):
            raise outline.wrong_form(line, fields, "maybe a set, row, number, and maybe a second row and number")
        if not sets.counts(fields[0] if named else None, line):
            continue
        for name, token in zip(pairs[0::2], pairs[1::2], strict=True):
            row = rows.get(name)
            if row is None:
                raise outline.source.error("E117", line, f"row {name!r} is not in ROWS")
            if row == DROPPED:
                continue
            if row in found:
                raise outline.source.error("E116", line, f"row {name!r} comes twice, first in line {found[row][1]}")
            what = f"the number of row {name!r} in {section}"
            read = outline.number if row == OBJECTIVE else outline.side
            found[row] = (read(token, line, what), line)
    return found


def row_limits(
    outline: Outline, form: str, name: str, rhs: tuple[float, int], span: tuple[float, int] | None
) -> tuple[float, float]:
    """Lower and upper side of a row of the form ``L``, ``G`` or ``E``."""
    value, line = rhs
    if value == (math.inf if form in "GE" else -math.inf) or (form == "E" and math.isinf(value)):
        raise outline.source.error("E114", line, f"row {name!r} with the right-hand side {value}", "a finite number")
    low, high = (-math.inf if form == "L" else value), (math.inf if form == "G" else value)
    if span is None:
        return low, high
    width, line = span
    if math.isinf(value):
        raise outline.source.error("E120", line, f"a range for row {name!r}, which has no finite side")
    if form == "L" or (form == "E" and width < 0):
        return (low if math.isinf(width) and form == "L" else _minus(value, abs(width))), high
    return low, (high if math.isinf(width) and form == "G" else _minus(value, -abs(width)))


def _minus(a: float, b: float) -> float:
    """The difference of the decimals that were written, rounded once: 0.3 - 0.1 is 0.2."""
    return a - b if math.isinf(b) else float(Decimal(repr(a)) - Decimal(repr(b)))


@dataclass
class Bounds:
    """Bounds and domains of the columns while BOUNDS is read; ``set_low`` and ``set_high`` hold the lines."""

    outline: Outline
    index: dict[str, int]
    lower: list[float]
    upper: list[float]
    domain: list[int]
    touched: set[int] = field(default_factory=set)
    set_low: dict[int, int] = field(default_factory=dict)
    set_high: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, outline: Outline, names: list[str], integer: list[bool]) -> Bounds:
        """Read BOUNDS and settle the defaults.

        Without a bound of its own an integer column is binary, any other lies in ``[0, inf)``.

        Raises
        ------
        InputError
            E112 for an unknown type of bound, E113 or E114 for a number, E116 for a bound that is set twice, E117
            for an unknown column, E120 for a negative UP without a LO, E123 for a line of another form.
        """
        size = len(names)
        bounds = cls(
            outline, {name: i for i, name in enumerate(names)}, [0.0] * size, [math.inf] * size,
            [INTEGER if whole else CONTINUOUS for whole in integer],
        )  # fmt: skip
        sets = _Sets(outline, "BOUNDS")
        for line, fields in outline.fields("BOUNDS"):
            kind, name, column, token = bounds._fields(line, fields)
            if sets.counts(name, line):
                bounds._apply(kind, column, token, line)
        bounds._settle()
        return bounds

    def _fields(self, line: int, fields: list[str]) -> tuple[str, str | None, int, str]:
        """Type, set, column and number (maybe empty) of a line."""
        kind, index = fields[0].upper(), self.index
        if kind not in _WITH_VALUE and kind not in _WITHOUT_VALUE:
            raise self.outline.source.error(
                "E112", line, f"the bound type {fields[0][:20]!r}", ", ".join(sorted(_WITH_VALUE | _WITHOUT_VALUE))
            )
        fields = without_comment(fields, index, 2)
        size = len(fields)
        if kind in _WITHOUT_VALUE:
            # type column | type set column | type set column number | type column number
            with_set = size == 4 or (size == 3 and (fields[2] in index or fields[1] not in index))
            complete = 2 <= size <= 4
        else:
            with_set, complete = size == 4, 3 <= size <= 4
        if not complete:
            number = "" if kind in _WITHOUT_VALUE else ", number"
            raise self.outline.wrong_form(line, fields, f"type, maybe a set, column{number}")
        place = 2 if with_set else 1
        column = index.get(fields[place])
        if column is None:
            raise self.outline.source.error("E117", line, f"column {fields[place]!r} is not in COLUMNS")
        return kind, (fields[1] if with_set else None), column, (fields[place + 1] if place + 1 < size else "")

    def _apply(self, kind: str, column: int, token: str, line: int) -> None:
        value = self.outline.side(token, line, "a bound") if token else 0.0
        self.touched.add(column)
        if kind in ("LO", "LI", "FX"):
            self._set_low(column, value, line)
        if kind in ("UP", "UI", "FX"):
            self._set_high(column, value, line)
        if kind in ("FR", "MI"):
            self._set_low(column, -math.inf, line)
        if kind in ("FR", "PL"):
            self._set_high(column, math.inf, line)
        if kind == "BV":
            self._set_low(column, 0.0, line)
            self._set_high(column, 1.0, line)
        if kind in ("LI", "UI", "BV"):
            if not (value.is_integer() or math.isinf(value)):
                raise self.outline.source.error("E113", line, f"{token!r} as a bound of type {kind}", "a whole number")
            self.domain[column] = INTEGER
        if kind in ("SC", "SI"):
            if value <= 0:
                raise self.outline.source.error("E114", line, f"the semi-continuous bound {token}", "more than 0")
            self._set_high(column, value, line)
            whole = kind == "SI" or self.domain[column] == INTEGER
            self.domain[column] = SEMIINTEGER if whole else SEMICONTINUOUS

    def _set_low(self, column: int, value: float, line: int) -> None:
        if value == math.inf:
            raise self.outline.source.error("E114", line, "a lower bound of +infinity", "a number or -inf")
        self._once(self.set_low, column, self.lower[column] == value, line, "lower")
        self.lower[column] = value

    def _set_high(self, column: int, value: float, line: int) -> None:
        if value == -math.inf:
            raise self.outline.source.error("E114", line, "an upper bound of -infinity", "a number or inf")
        self._once(self.set_high, column, self.upper[column] == value, line, "upper")
        self.upper[column] = value

    def _once(self, lines: dict[int, int], column: int, same: bool, line: int, what: str) -> None:
        if column in lines and not same:
            self.outline.source.defect(
                "E116", line, f"the {what} bound of a column is set again, first in line {lines[column]}"
            )
        lines[column] = line

    def _settle(self) -> None:
        for column, domain in enumerate(self.domain):
            if domain == INTEGER and column not in self.touched:
                self.upper[column] = 1.0
        for column, line in self.set_high.items():
            if self.upper[column] < 0 and column not in self.set_low:
                # Readers differ: some keep the lower bound 0 (infeasible), some drop it, as CPLEX's manual says.
                self.outline.source.defect(
                    "E120", line, f"the upper bound {self.upper[column]:g} is below the lower bound 0, which is "
                    "only implied; lenient reading takes -infinity as the lower bound", "a LO or MI bound too",
                )  # fmt: skip
                self.lower[column] = -math.inf


def read_sets(outline: Outline, index: dict[str, int]) -> Iterator[Sos]:
    """The special ordered sets: a line ``S1 name`` or ``S2 name``, then lines ``column weight``.

    Raises
    ------
    InputError
        E113 or E114 for a number, E116 for a column or weight that comes twice, E117 for an unknown column, E123
        for a line of another form.
    """
    kind, name, members = 0, "", dict[int, float]()
    for line, fields in outline.fields("SOS"):
        if fields[0] in ("S1", "S2") and fields[0] not in index:
            if kind:
                yield _set(kind, name, members)
            if len(fields) > 4:
                raise outline.wrong_form(line, fields, "S1 or S2, maybe a set, name, maybe a priority")
            kind, members = int(fields[0][1]), {}
            named = len(fields) == 4 or (len(fields) == 3 and not _numeric(fields[2]))
            name = fields[2 if named else 1] if len(fields) > 1 else ""
            continue
        if len(fields) not in (2, 3) or not kind:
            raise outline.wrong_form(line, fields, "S1 or S2 and a name, or a column and its weight")
        column = index.get(fields[-2])
        if column is None:
            raise outline.source.error("E117", line, f"column {fields[-2]!r} is not in COLUMNS")
        weight = outline.number(fields[-1], line, "a weight")
        if column in members or weight in members.values():
            raise outline.source.error("E116", line, "a column or a weight comes twice in a set", "an order")
        members[column] = weight
    if kind:
        yield _set(kind, name, members)


def _numeric(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _set(kind: int, name: str, members: dict[int, float]) -> Sos:
    order = sorted(members, key=members.__getitem__)
    return Sos(type=kind, columns=tuple(order), weights=tuple(members[c] for c in order), name=name)


def read_indicators(outline: Outline, rows: dict[str, int], bounds: Bounds) -> Iterator[Indicator]:
    """The lines ``IF row column value`` of INDICATORS.

    Raises
    ------
    InputError
        E114 for a value other than 0 and 1, E116 for a row with two, E117 for unknown names, E120 if the column
        is not binary, E123 for a line of another form.
    """
    seen: set[int] = set()
    for line, fields in outline.fields("INDICATORS"):
        if len(fields) != 4 or fields[0].upper() != "IF":
            raise outline.wrong_form(line, fields, "IF, row, column, 0 or 1")
        row, column = rows.get(fields[1], DROPPED), bounds.index.get(fields[2])
        if row < 0 or column is None:
            raise outline.source.error("E117", line, f"no constraint {fields[1]!r} or no column {fields[2]!r}")
        if row in seen:
            raise outline.source.error("E116", line, f"row {fields[1]!r} has two indicators")
        seen.add(row)
        if bounds.domain[column] != INTEGER or bounds.lower[column] < 0 or bounds.upper[column] > 1:
            raise outline.source.error("E120", line, f"the indicator column {fields[2]!r} is not binary")
        yield Indicator(row=row, column=column, active=outline.source.whole(fields[3], line, "the value", 0, 1))
