r"""LP files in the dialect of CPLEX.

Readers of this format disagree in silence; here is what this one does.

* ``1 <= x + y <= 3`` is a row with two sides; a constant in the objective is its offset.
* A column that occurs twice in a row counts with the sum of its coefficients, with a warning.
* A constant left of a relation, or a column right of it, is refused.
* Bounds default to ``[0, inf)``, of general integers too.  A negative upper bound without a lower bound is refused;
  lenient reading keeps the lower bound 0, and the program is infeasible.  1e20 is infinite.
* ``Binary`` narrows the bounds to ``[0, 1]``; bounds beyond are refused, or cut by lenient reading.
* Lazy constraints and user cuts are rows like the others; ``b = 1 -> x <= 3`` is an indicator.
* A missing ``End`` is noted.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.lp_tokens import (
    Tokens,
    cut,
    is_infinity,
    is_name,
    is_number,
    sections_of,
    starts_with_objective,
)
from combopt.instances.formats.lp_write import write
from combopt.instances.mip import CONTINUOUS, INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Mip, Sos
from combopt.instances.text import Source
from combopt.model import Instance, Sense

_NAME = re.compile(r"^\\\s*Problem name\s*:\s*(\S.*?)\s*$", re.MULTILINE | re.IGNORECASE)


class _Reader:
    """The program while it is read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.index: dict[str, int] = {}
        self.offset = 0.0
        self.cost: dict[int, float] = {}
        self.rows: dict[str, int] = {}
        self.start, self.column, self.value = [0], list[int](), list[float]()
        self.row_lower, self.row_upper = list[float](), list[float]()
        self.indicators: list[tuple[int, int, int, int]] = []  # row, column, active, line
        self.unlabelled: list[int] = []
        self.lower: dict[int, tuple[float, int]] = {}
        self.upper: dict[int, tuple[float, int]] = {}
        self.general: dict[int, int] = {}
        self.binary: dict[int, int] = {}
        self.semi: dict[int, int] = {}
        self.sos: list[Sos] = []
        self.twice: list[int] = []  # lines of rows where a column occurs twice

    def expression(self, tokens: Tokens) -> tuple[list[int], list[float], float | None]:
        """Columns, coefficients and the constant (``None`` if there is none) of a linear expression."""
        index, words, at = self.index, tokens.all, tokens.at
        begin = at
        columns, values, constants = list[int](), list[float](), list[float]()
        sign, factor, open_ = 1.0, None, True  # open_: a term may follow
        for at in range(begin, len(words)):
            word = words[at]
            if word == "+" or word == "-":
                if factor is not None:
                    constants.append(factor)
                    sign, factor = 1.0, None
                sign = (sign if open_ else 1.0) * (1.0 if word == "+" else -1.0)
                open_ = True
            elif open_ and factor is None and is_number(word):
                factor = float(word)
                if not math.isfinite(factor):
                    tokens.at = at
                    raise tokens.error("E114", f"the coefficient {word[:40]}", "a finite number")
                factor *= sign
            elif open_ and is_name(word) and words[at + 1] != ":" and not is_infinity(word):
                columns.append(index.setdefault(word, len(index)))
                values.append(sign if factor is None else factor)
                sign, factor, open_ = 1.0, None, False
            else:
                break
        dangling = at > begin and words[at - 1] in ("+", "-")
        tokens.at = at
        if factor is not None:
            constants.append(factor)
        if dangling:
            raise tokens.unexpected("a number or a name")
        if len(set(columns)) < len(columns):
            self.twice.append(tokens.line(at - 1))
            columns, values = _summed(columns, values)
        return columns, values, math.fsum(constants) if constants else None

    def objective(self, tokens: Tokens) -> None:
        tokens.label()
        if [word.lower() for word in tokens.all[:3]] == ["multi", "-", "objectives"]:
            raise tokens.error("E119", "several objectives", "one objective")
        columns, values, constant = self.expression(tokens)
        if tokens.peek():
            raise tokens.unexpected("+ or -, or the next section")
        self.cost = dict(zip(columns, values, strict=True))
        self.offset = constant or 0.0

    def constraints(self, tokens: Tokens) -> None:
        while tokens.peek():
            begin, first = tokens.at, tokens.starts_line()
            label = tokens.label()
            if not (first or label):
                raise tokens.unexpected(
                    "a new line", "Bring columns to the left of the relation and numbers to its right."
                )
            if label in self.rows:
                raise self.source.error("E116", tokens.line(begin), f"row {label!r} comes twice")
            self.condition(tokens, len(self.row_lower))
            low, high, columns, values = self.row(tokens)
            if low == math.inf or high == -math.inf:
                raise self.source.error("E114", tokens.line(begin), "an infinite side that no number reaches")
            if label:
                self.rows[label] = len(self.row_lower)
            else:
                self.unlabelled.append(len(self.row_lower))
            self.row_lower.append(low)
            self.row_upper.append(high)
            self.column += columns
            self.value += values
            self.start.append(len(self.column))

    def condition(self, tokens: Tokens, row: int) -> None:
        """Take ``b = 1 ->`` if it follows."""
        if tokens.peek(3) != "->":
            return
        name, line = tokens.peek(), tokens.line()
        if not is_name(name) or tokens.peek(1) != "=":
            raise tokens.unexpected("a binary column, =, and 0 or 1")
        active = self.source.whole(tokens.peek(2), line, "the value of the indicator", 0, 1)
        tokens.at += 4
        self.indicators.append((row, self.index.setdefault(name, len(self.index)), active, line))

    def row(self, tokens: Tokens) -> tuple[float, float, list[int], list[float]]:
        """Sides, columns and coefficients of ``[number relation] expression relation number``."""
        sides: list[tuple[str, float]] = []
        if tokens.number_then_relation():
            side = tokens.number("a side")
            sides.append(({"<": ">", ">": "<", "=": "="}[tokens.relation()], side))
        begin = tokens.at
        columns, values, constant = self.expression(tokens)
        ends = tokens.starts_line() or not tokens.peek() or tokens.peek(1) == ":"
        if not (tokens.at_relation() or (sides and ends)):
            raise tokens.unexpected("+, -, <=, >= or =")
        if constant is not None or not columns:
            raise self.source.error(
                "E123", tokens.line(begin), "a number among the terms" if columns else "a row without a column",
                "columns left of the relation, a number right of it", "Move the number to the right.",
            )  # fmt: skip
        if not sides or tokens.at_relation():
            relation = tokens.relation()
            if sides and (relation == "=" or relation == sides[0][0] or sides[0][0] == "="):
                tokens.at -= 1
                raise tokens.unexpected("two relations of the same direction")
            sides.append((relation, tokens.number("a side")))
        low = next((side for relation, side in sides if relation in ">="), -math.inf)
        high = next((side for relation, side in sides if relation in "<="), math.inf)
        return low, high, columns, values

    def column_named(self, tokens: Tokens) -> int:
        """Take the name of a column that has occurred before."""
        name = tokens.peek()
        if not is_name(name) or is_infinity(name):
            raise tokens.unexpected("the name of a column")
        if name not in self.index:
            self.source.defect(
                "E117", tokens.line(), f"column {name!r} is in no row and not in the objective",
                "a column that occurs in either",
            )  # fmt: skip
            self.index[name] = len(self.index)
        tokens.at += 1
        return self.index[name]

    def bounds(self, tokens: Tokens) -> None:
        while tokens.peek():
            if not tokens.starts_line():
                raise tokens.unexpected("a new line")
            line = tokens.line()
            if tokens.number_then_relation():
                value = tokens.number("a bound")
                relation = {"<": ">", ">": "<", "=": "="}[tokens.relation()]
                column = self.column_named(tokens)
                self.bound(column, relation, value, line)
                if not tokens.at_relation():
                    continue
            else:
                column = self.column_named(tokens)
                if tokens.peek().lower() == "free":
                    tokens.at += 1
                    self.bound(column, ">", -math.inf, line)
                    self.bound(column, "<", math.inf, line)
                    continue
            relation = tokens.relation()
            self.bound(column, relation, tokens.number("a bound"), line)

    def bound(self, column: int, relation: str, value: float, line: int) -> None:
        for sign, bounds, nonsense, what in (
            (">", self.lower, math.inf, "lower"), ("<", self.upper, -math.inf, "upper")
        ):  # fmt: skip
            if relation not in (sign, "="):
                continue
            if value == nonsense:
                raise self.source.error("E114", line, f"{value} as {what} bound", "a number or the other infinity")
            if column in bounds and bounds[column][0] != value:
                self.source.defect(
                    "E116", line, f"the {what} bound of a column is set again, first in line {bounds[column][1]}"
                )
            bounds[column] = (value, line)

    def names(self, tokens: Tokens, into: dict[int, int]) -> None:
        while tokens.peek():
            line = tokens.line()
            into.setdefault(self.column_named(tokens), line)

    def sets(self, tokens: Tokens) -> None:
        while tokens.peek():
            name, line = tokens.label(), tokens.line()
            kind = tokens.peek().upper()
            if kind not in ("S1", "S2") or tokens.peek(1) != "::":
                raise tokens.unexpected("S1:: or S2::")
            tokens.at += 2
            members: dict[int, float] = {}
            while tokens.peek(1) == ":" and tokens.peek(3) != "::":
                column = self.column_named(tokens)
                tokens.at += 1
                weight = tokens.number("a weight")
                if not math.isfinite(weight):
                    raise self.source.error("E114", line, "an infinite weight", "a finite number")
                if column in members or weight in members.values():
                    raise self.source.error("E116", line, "a column or a weight comes twice in a set", "an order")
                members[column] = weight
            order = sorted(members, key=members.__getitem__)
            weights = tuple(members[c] for c in order)
            self.sos.append(Sos(type=int(kind[1]), columns=tuple(order), weights=weights, name=name))

    def build(self, name: str, sense: Sense) -> Mip:
        size = len(self.index)
        lower, upper, domain = self.limits(size)
        cost = np.zeros(size)
        cost[list(self.cost)] = list(self.cost.values())
        for _, column, _, line in self.indicators:
            if domain[column] != INTEGER or lower[column] < 0 or upper[column] > 1:
                raise self.source.error("E120", line, "the column of an indicator is not binary")
        fields: dict[str, Any] = {
            "row_start": np.array(self.start, np.int64), "row_column": np.array(self.column, np.int64),
            "row_value": np.array(self.value, float), "rows": self.row_names(),
            "row_lower": np.array(self.row_lower, float), "row_upper": np.array(self.row_upper, float),
            "indicators": tuple(Indicator(row=r, column=c, active=a) for r, c, a, _ in self.indicators),
        }  # fmt: skip
        return Mip(
            name=name, sense=sense, cost=cost, offset=self.offset, lower=np.array(lower), upper=np.array(upper),
            domain=np.array(domain, np.int64), columns=tuple(self.index), sos=tuple(self.sos), **fields,
        )  # fmt: skip

    def limits(self, size: int) -> tuple[list[float], list[float], list[int]]:
        """Bounds and domains of the columns, the defaults settled."""
        lower = [self.lower.get(j, (0.0, 0))[0] for j in range(size)]
        upper = [self.upper.get(j, (math.inf, 0))[0] for j in range(size)]
        domain = [CONTINUOUS] * size
        for j in self.general:
            domain[j] = INTEGER
        for j, line in self.binary.items():
            if lower[j] < 0 or (j in self.upper and upper[j] > 1):
                self.source.defect("E120", line, f"a binary column with the bounds [{lower[j]:g}, {upper[j]:g}]")
            lower[j], upper[j], domain[j] = max(lower[j], 0.0), min(upper[j], 1.0), INTEGER
        for j in self.semi:
            domain[j] = SEMIINTEGER if domain[j] == INTEGER else SEMICONTINUOUS
        for j, (value, line) in self.upper.items():
            if value < 0 and j not in self.lower:
                self.source.defect(
                    "E120", line, f"the upper bound {value:g} is below the lower bound 0, which is only implied",
                    "a lower bound too",
                )  # fmt: skip
        return lower, upper, domain

    def row_names(self) -> tuple[str, ...]:
        """Labels, and for rows without one c1, c2, ... by their place."""
        names = [""] * len(self.row_lower)
        for label, row in self.rows.items():
            names[row] = label
        for row in self.unlabelled:
            names[row] = f"c{row + 1}"
            while names[row] in self.rows:
                names[row] += "_"
            self.rows[names[row]] = row
        return tuple(names)


def _summed(columns: list[int], values: list[float]) -> tuple[list[int], list[float]]:
    """Coefficients of the same column added as decimals."""
    total: dict[int, Decimal] = {}
    for column, value in zip(columns, values, strict=True):
        total[column] = total.get(column, Decimal(0)) + Decimal(repr(value))
    return list(total), [float(value) for value in total.values()]


def read(source: Source) -> Instance:
    """Read an LP file.

    Raises
    ------
    InputError
        E111 if a section breaks off, E112 without an objective, E113 or E114 for a number, E116 for a name or a
        bound that comes twice, E117 for an unknown column, E118 without constraints, E119 for what is not linear,
        E120 for bounds that contradict each other, E122 for data after End, E123 for anything else out of place.
    """
    sections = cut(source)
    reader = _Reader(source)
    reader.objective(sections[0])
    if not any(sections_of(sections, "rows")):
        source.defect("E118", 0, "there is no section Subject To")
    for section in sections_of(sections, "rows", "more rows"):
        reader.constraints(section)
    for section in sections_of(sections, "bounds"):
        reader.bounds(section)
    for kind, into in (("general", reader.general), ("binary", reader.binary), ("semi", reader.semi)):
        for section in sections_of(sections, kind):
            reader.names(section, into)
    for section in sections_of(sections, "sos"):
        reader.sets(section)
    if reader.twice:
        lines = len(reader.twice)
        source.warn("E116", reader.twice[0], f"rows where a column occurs twice, its coefficients added: {lines}")
    if not any(sections_of(sections, "end")):
        source.warn("E111", len(source.lines), "the file ends without End")
    named = _NAME.search(source.text)
    try:
        return reader.build(named[1] if named else source.stem, Sense(sections[0].kind))
    except InputError as error:
        if error.place is not None:
            raise
        raise source.error(error.code, 0, error.found, error.expected, error.remedy) from None


LP = Format(
    name="lp",
    title="LP, CPLEX dialect",
    extensions=(".lp",),
    kinds=("mip",),
    sniff=starts_with_objective,
    read=read,
    write=write,
)
