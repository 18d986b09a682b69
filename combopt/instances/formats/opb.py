"""Pseudo-Boolean files: OPB, and WBO with soft constraints (Roussel and Manquinho, format of the PB competition).

Every variable is a binary column, ``~x`` is ``1 - x``.  A product of literals becomes a column of its own with the
rows that tie it to them.  A violated soft constraint of cost ``c`` costs ``c`` in the objective; its row is relaxed
by a column ``soft1``, ``soft2``, ...  Dialects read: ``max:``, ``<=``, names other than ``x1``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.mip import MipBuilder
from combopt.instances.text import Source
from combopt.model import Instance, Sense

_TOKEN = re.compile(r">=|<=|[=;:\[\]~]|[^\s;:=<>\[\]~]+|\S")
_WHOLE = re.compile(r"[+-]?[0-9]+$", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][^\s;:=<>\[\]~+*-]*$")
_DECLARED = re.compile(r"#(variable|constraint)=\s*(\d+)")
_RELATIONS = (">=", "=", "<=")


@dataclass
class Statement:
    """The tokens up to a semicolon, each with its line."""

    source: Source
    tokens: list[str]
    lines: list[int]
    at: int = 0

    def peek(self, ahead: int = 0) -> str:
        """A token to come; empty beyond the end."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def line(self) -> int:
        """The line of the next token."""
        return self.lines[min(self.at, len(self.lines) - 1)]

    def error(self, code: str, found: str, expected: str = "") -> InputError:
        """The error for something found at the next token."""
        return self.source.error(code, self.line(), found, expected)

    def whole(self, what: str) -> int:
        """Take a whole number, its sign maybe apart."""
        token = self.peek()
        if token in ("+", "-") and self.peek(1).isdecimal():
            self.at += 1
            token += self.peek()
        if not _WHOLE.match(token):
            raise self.error("E113", f"{token[:40]!r} as {what}", "a whole number")
        if len(token) > 400:
            raise self.error("E114", f"{what} of {len(token)} digits", "a number that a float can hold")
        self.at += 1
        return int(token)

    def literal(self) -> tuple[str, bool] | None:
        """Take ``x`` or ``~x`` if it follows, as name and whether it is negated."""
        negated = self.peek() == "~"
        name = self.peek(1 if negated else 0)
        if not _NAME.match(name):
            if negated:
                raise self.error("E123", f"~ before {name[:40]!r}", "the name of a variable")
            return None
        self.at += 2 if negated else 1
        return name, negated

    def terms(self) -> list[tuple[int, list[tuple[str, bool]]]]:
        """Take ``coefficient literal ... literal`` as often as it follows."""
        found = []
        while self.peek() and self.peek() not in _RELATIONS:
            factor = self.whole("a coefficient")
            literals: list[tuple[str, bool]] = []
            while literal := self.literal():
                literals.append(literal)
            if not literals:
                raise self.error("E123", f"{self.peek()[:40]!r} after a coefficient", "a variable")
            found.append((factor, literals))
        return found

    def done(self) -> None:
        """Raise unless the statement is used up."""
        if self.peek():
            raise self.error("E123", f"{self.peek()[:40]!r}", "a semicolon")


def _statements(source: Source) -> Iterator[Statement]:
    statement = Statement(source, [], [])
    for number, line in enumerate(source.lines, 1):
        if line[:1] == "*":
            continue
        for token in _TOKEN.findall(line):
            if token != ";":
                statement.tokens.append(token)
                statement.lines.append(number)
                continue
            if not statement.tokens:
                raise source.error("E123", number, "an empty statement", "an objective or a constraint")
            yield statement
            statement = Statement(source, [], [])
    if statement.tokens:
        raise source.error("E111", statement.lines[-1], "the last statement has no semicolon")


@dataclass(frozen=True)
class _Row:
    """A row ``low <= terms <= high``; ``None`` for no side.  ``line`` is where it comes from."""

    terms: dict[int, int]
    low: int | None
    high: int | None
    name: str
    line: int


@dataclass
class _Reader:
    """The program while it is read; all numbers are whole and of any size."""

    source: Source
    columns: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)  # of the variables of the file
    products: dict[tuple[tuple[int, bool], ...], int] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    sense: Sense = Sense.MIN
    objective: dict[int, int] = field(default_factory=dict)
    offset: int = 0
    objective_line: int = 0
    constraints: int = 0
    soft: dict[int, int] = field(default_factory=dict)  # cost by column
    soft_line: int = 0
    top: int | None = None
    product_line: int = 0

    def variable(self, name: str) -> int:
        if name not in self.index:
            self.index[name] = self.column(name)
        return self.index[name]

    def column(self, name: str) -> int:
        self.columns.append(name)
        return len(self.columns) - 1

    def linear(self, statement: Statement) -> tuple[dict[int, int], int]:
        """The terms that follow as coefficients by column, and a constant."""
        total: dict[int, int] = {}
        constant = 0
        for factor, literals in statement.terms():
            key = tuple(sorted({(self.variable(name), negated) for name, negated in literals}))
            if len({column for column, _ in key}) < len(key):
                continue  # x and ~x: the product is 0
            if len(key) > 1:
                key = ((self.product(key, statement.lines[0]), False),)
            column, negated = key[0]
            total[column] = total.get(column, 0) + (-factor if negated else factor)
            constant += factor if negated else 0
        return total, constant

    def product(self, key: tuple[tuple[int, bool], ...], line: int) -> int:
        """The column that is 1 if and only if all literals are."""
        if key in self.products:
            return self.products[key]
        self.product_line = self.product_line or line
        name = "and(" + ",".join("~" * negated + self.columns[column] for column, negated in key) + ")"
        column = self.products[key] = self.column(name)
        terms = {literal: -1 if negated else 1 for literal, negated in key}
        least = len(key) - 1 - sum(negated for _, negated in key)
        self.rows.append(_Row({**terms, column: -1}, None, least, f"{name}.0", line))
        for part, (literal, negated) in enumerate(key, 1):
            row = {column: 1, literal: 1 if negated else -1}
            self.rows.append(_Row(row, None, 1 if negated else 0, f"{name}.{part}", line))
        return column

    def read_objective(self, statement: Statement) -> None:
        if self.objective_line:
            raise statement.error("E119", "a second objective", "one objective")
        self.objective_line = statement.line()
        self.sense = Sense(statement.peek().lower())
        statement.at += 2
        self.objective, self.offset = self.linear(statement)
        statement.done()

    def read_soft(self, statement: Statement) -> None:
        if self.soft_line:
            raise statement.error("E116", "soft: comes twice")
        self.soft_line = statement.line()
        statement.at += 2
        self.top = statement.whole("the top cost") if statement.peek() else None
        statement.done()

    def read_constraint(self, statement: Statement) -> None:
        self.constraints += 1
        line, cost = statement.line(), self.read_cost(statement)
        if statement.peek() in _RELATIONS:
            raise statement.error("E123", statement.peek(), "terms before the relation")
        terms, constant = self.linear(statement)
        relation = statement.peek()
        if relation not in _RELATIONS:
            raise statement.error("E123", f"{relation[:40]!r}", ">=, = or <=, and a number")
        statement.at += 1
        side = statement.whole("the right-hand side") - constant
        statement.done()
        low, high = (side if relation != "<=" else None), (side if relation != ">=" else None)
        name = f"c{self.constraints}"
        if not cost:
            self.rows.append(_Row(terms, low, high, name, line))
            return
        slack = self.column(f"soft{len(self.soft) + 1}")
        self.soft[slack] = cost
        if low is not None:
            least = sum(min(value, 0) for value in terms.values())
            self.rows.append(_Row({**terms, slack: max(low - least, 0)}, low, None, name, line))
        if high is not None:
            most = sum(max(value, 0) for value in terms.values())
            self.rows.append(_Row({**terms, slack: min(high - most, 0)}, None, high, f"{name}.", line))

    def read_cost(self, statement: Statement) -> int:
        """Take ``[cost]`` if it follows; 0 for a hard constraint."""
        if statement.peek() != "[":
            return 0
        if not self.soft_line:
            raise statement.error("E118", "a soft constraint before the statement soft:", "soft: ;")
        statement.at += 1
        cost = statement.whole("the cost of a soft constraint")
        if cost < 1:
            statement.at -= 1
            raise statement.error("E114", f"the cost {cost} of a soft constraint", "1 or more")
        if statement.peek() != "]":
            raise statement.error("E123", f"{statement.peek()[:20]!r}", "]")
        statement.at += 1
        return cost

    def build(self) -> Instance:
        """The program."""
        builder = MipBuilder(self.source.stem, self.sense, self.float(self.offset, self.objective_line))
        cost = {**self.objective, **self.soft}
        taken = set(self.index)
        for column, name in enumerate(self.columns):
            unique = name
            while unique in taken and self.index.get(name) != column:
                unique += "_"
            taken.add(unique)
            builder.binary(unique, self.float(cost.get(column, 0), self.objective_line))
        rows = self.rows
        if self.top is not None and self.soft:
            rows = [*rows, _Row(self.soft, None, self.top - 1, "top", self.soft_line)]
        for row in rows:
            terms = {column: self.float(value, row.line) for column, value in row.terms.items()}
            low = -math.inf if row.low is None else self.float(row.low, row.line)
            builder.row(terms, low, math.inf if row.high is None else self.float(row.high, row.line), row.name)
        return builder.build()

    def float(self, value: int, line: int) -> float:
        """A whole number as a float, if that is exact."""
        exact = float(value) if abs(value) < 2**1023 else math.inf
        if exact != value:
            raise self.source.error("E114", line, f"the number {value} is no double", "a whole number below 2^53")
        return exact

    def check_counts(self) -> None:
        """Compare with the counts of the first line, if it has any."""
        declared = {name: int(count[:18]) for name, count in _DECLARED.findall(self.source.lines[0])}
        if len(self.index) > declared.get("variable", len(self.index)):
            self.source.defect("E115", 1, f"{len(self.index)} variables, {declared['variable']} declared")
        if self.constraints != declared.get("constraint", self.constraints):
            self.source.defect("E115", 1, f"{self.constraints} constraints, {declared['constraint']} declared")


def read(source: Source) -> Instance:
    """Read an OPB or WBO file.

    Raises
    ------
    InputError
        E111 if the last statement breaks off, E113 for a number that is not whole, E114 for one that no double
        holds, E115 if the counts of the first line are wrong, E116 or E118 for a second or no statement ``soft:``,
        E118 if there is nothing, E119 for several objectives, E123 for anything else out of place.
    """
    reader = _Reader(source)
    for statement in _statements(source):
        first = statement.peek().lower()
        if statement.peek(1) == ":" and first in ("min", "max"):
            reader.read_objective(statement)
        elif statement.peek(1) == ":" and first == "soft":
            reader.read_soft(statement)
        else:
            reader.read_constraint(statement)
    if not (reader.constraints or reader.objective_line):
        raise source.error("E118", 0, "there is neither an objective nor a constraint")
    if reader.objective_line and reader.soft_line:
        raise source.error("E120", reader.objective_line, "an objective in a file with soft constraints")
    reader.check_counts()
    if reader.products:
        source.warn("E119", reader.product_line, f"products became columns of their own: {len(reader.products)}")
    try:
        return reader.build()
    except InputError as error:
        if error.place is not None:
            raise
        raise source.error(error.code, 0, error.found, error.expected, error.remedy) from None


def _sniff(source: Source) -> bool:
    """Whether the first statement is an objective or a constraint, as far as its first words tell."""
    if ";" not in source.text:
        return False
    words: list[str] = []
    for line in source.lines[:5000]:
        if line[:1] != "*":
            words += _TOKEN.findall(line[:2000])
        if ";" in words or len(words) > 100:
            break
    if words[1:2] == [":"] and words[0].lower() in ("min", "max", "soft"):
        words = words[2:] if words[0].lower() != "soft" else words[3:]
        if not words or words[0] == ";":
            return True
    if words[:1] == ["["]:
        words = words[3:]
    words = [word for word in words if word != "~"]
    if words[:1] in (["+"], ["-"]):
        words = words[1:]
    return len(words) > 1 and bool(_WHOLE.match(words[0])) and bool(_NAME.match(words[1]))


OPB = Format(
    name="opb",
    title="OPB and WBO, pseudo-Boolean",
    extensions=(".opb", ".wbo"),
    kinds=("mip",),
    sniff=_sniff,
    read=read,
)
