"""The grammar shared by TSPLIB, VRPLIB and OPLib files: keywords with a value, sections of numbers.

Keywords and sections may come in any order, so a file is first cut into its parts and interpreted afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from combopt.errors import InputError
from combopt.instances.metric import RULES, Metric
from combopt.instances.text import Source
from combopt.model import Floats, Ints


@dataclass(frozen=True, slots=True)
class Part:
    """A keyword's value (``first`` is its line) or a section's lines ``first..last`` under its header."""

    value: str
    line: int
    first: int = 0
    last: int = 0


@dataclass
class Document:
    """A file cut into keywords and sections; every access names what is missing and where.

    ``base`` is the number of the first node: 1, or 0 as soon as :meth:`by_node` has met a node 0.
    """

    source: Source
    keys: dict[str, Part] = field(default_factory=dict)
    sections: dict[str, Part] = field(default_factory=dict)
    base: int | None = None

    @classmethod
    def cut(cls, source: Source, keys: frozenset[str], sections: frozenset[str]) -> Document:
        """Cut a file whose known keywords and sections are given.

        Raises
        ------
        InputError
            E112 for an unknown keyword or section, E116 for one given twice, E122 for data after EOF, E123 for numbers
        outside any section or beside the name of one.
        """
        document = cls(source)
        open_section: str | None = None
        start = 0
        lines = source.lines
        for number, line in enumerate(lines, 1):
            text = line.lstrip()
            if not text or not (text[0].isalpha() or text[0] == "_"):
                if text and open_section is None:
                    raise source.error("E123", number, f"{text[:40]!r} outside any section", "a keyword or a section")
                continue
            if open_section is not None:
                document._close(open_section, start, number - 1)
                open_section = None
            word, value = split_keyword(text)
            if word == "EOF":
                rest = next((n for n in range(number, len(lines)) if lines[n].strip()), None)
                if rest is not None:
                    source.defect("E122", rest + 1, "there is data after EOF")
                return document
            if word in sections or (word.endswith("_SECTION") and word not in keys):
                if word not in sections:
                    source.defect("E112", number, f"the section {word} is not known", ", ".join(sorted(sections)))
                elif value:
                    raise source.error("E123", number, f"{value[:40]!r} beside {word}", "the data on the next line")
                open_section, start = word, number
            else:
                document._keyword(word, value, keys, number, text)
        if open_section is not None:
            document._close(open_section, start, len(lines))
        return document

    def _keyword(self, word: str, value: str, keys: frozenset[str], line: int, text: str) -> None:
        if word not in keys:
            self.source.defect("E112", line, f"the keyword {text.split()[0][:40]!r} is not known")
            return
        if word == "COMMENT":
            return
        if word in self.keys:
            raise self.source.error("E116", line, f"{word} is given twice, first in line {self.keys[word].line}")
        self.keys[word] = Part(value, line)

    def _close(self, name: str, header: int, last: int) -> None:
        if name in self.sections:
            first = self.sections[name].line
            raise self.source.error("E116", header, f"{name} is given twice, first in line {first}")
        self.sections[name] = Part("", header, header + 1, last)

    def text(self, key: str, default: str | None = None) -> str:
        """The value of a keyword, in the letters of the file; E118 if it is missing and has no default."""
        part = self.keys.get(key)
        if part is None or not part.value:
            if default is None:
                raise self.source.error("E118", part.line if part else 0, f"{key} is missing", f"a line {key} : ...")
            return default
        return part.value

    def word(self, key: str, default: str | None = None) -> str:
        """The first word of a keyword's value in capitals (a comment may follow it)."""
        value = self.text(key, default)
        return value.split()[0].upper() if value else ""

    def whole(self, key: str, low: int, high: int | None = None) -> int:
        """A keyword's value as a whole number in its range."""
        value = self.text(key)
        return self.source.whole(value, self.keys[key].line, key, low, high)

    def line(self, key: str) -> int:
        """The line of a keyword or section; 0 if absent."""
        part = self.keys.get(key) or self.sections.get(key)
        return part.line if part else 0

    def section(self, name: str) -> Part:
        part = self.sections.get(name)
        if part is None:
            raise self.source.error("E118", 0, f"{name} is missing")
        return part

    def dimension(self) -> int:
        """DIMENSION, refused if the file is too short to hold so many nodes."""
        n = self.whole("DIMENSION", 1, 2**31 - 1)
        self.source.room(n, self.line("DIMENSION"), "nodes")
        return n

    def table(self, name: str, rows: int, columns: int) -> Floats:
        """A section of exactly ``rows`` x ``columns`` numbers as ``float64[rows, columns]``."""
        part = self.section(name)
        values = self.source.reals(part.first, part.last, name)
        self._count(name, part, values.size, rows * columns)
        return values.reshape(rows, columns)

    def by_node(self, name: str, nodes: int, columns: int) -> Floats:
        """A section with a line ``id v1 ... vk`` for every node, as ``float64[nodes, columns]`` in node order.

        Ids are labels: 1..n in any order, or 0..n-1 (noted as a warning); all sections must agree.
        """
        part = self.section(name)
        values = self.source.reals(part.first, part.last, name)
        if values.size != nodes * (columns + 1):
            self._blame_row(name, part, columns + 1)
            self._count(name, part, values.size, nodes * (columns + 1))
        table = values.reshape(nodes, columns + 1)
        ids = table[:, 0]
        base = 0 if ids.min() == 0 else 1
        where = np.arange(base, nodes + base)
        order = None if np.array_equal(ids, where) else np.argsort(ids, kind="stable")
        if order is not None and not np.array_equal(ids[order], where):
            self._blame_ids(name, part, ids, nodes, base, columns + 1)
        if self.base is None and base == 0:
            self.source.warn("E120", part.line, "the nodes count from 0 here; solutions count them from 1")
        if self.base not in (None, base):
            raise self.source.error("E120", part.line, f"{name} counts nodes from {base}, an earlier section does not")
        self.base = base
        return np.ascontiguousarray(table[:, 1:] if order is None else table[order, 1:])

    def _blame_row(self, name: str, part: Part, width: int) -> None:
        """Raise for the first line that does not hold ``width`` numbers, if the section has a line for each node."""
        lines = [(n, len(self.source.lines[n - 1].split())) for n in range(part.first, part.last + 1)]
        odd = [(n, count) for n, count in lines if count not in (0, width)]
        if len(odd) == 1:
            number, count = odd[0]
            raise self.source.error("E115", number, f"{count} numbers in a line of {name}", f"{width} numbers")

    def _blame_ids(self, name: str, part: Part, ids: Floats, nodes: int, base: int, width: int) -> None:
        seen: set[float] = set()
        for row, label in enumerate(ids.tolist()):
            line = self.source.line_of_token(row * width, part.first, part.last)
            if label != int(label):
                raise self.source.error("E113", line, f"{label:g} as a node in {name}", "a whole number")
            if not base <= label < nodes + base:
                raise self.source.error(
                    "E117", line, f"node {label:g} in {name}", f"a node from {base} to {nodes - 1 + base}"
                )
            if label in seen:
                raise self.source.error("E116", line, f"node {label:g} comes twice in {name}")
            seen.add(label)

    def _count(self, name: str, part: Part, found: int, expected: int) -> None:
        if found < expected:
            raise self.source.error("E115", part.line, f"{found} numbers in {name}", f"{expected} numbers")
        if found > expected:
            line = self.source.line_of_token(expected, part.first, part.last)
            raise self.source.error("E115", line, f"{found} numbers in {name}", f"{expected} numbers")

    def ids(self, name: str, nodes: int, *, ended: bool = False) -> list[tuple[int, int]]:
        """The node ids of a list that ends with -1, as indices from 0, each with its line.

        Call it after :meth:`by_node`, which finds out whether nodes count from 0 or 1.  ``ended`` asks for the -1.
        """
        part = self.section(name)
        base = 1 if self.base is None else self.base
        found = []
        tokens = self.source.tokens(part.first, part.last)
        for token, line in tokens:
            label = self.source.whole(token, line, f"a node in {name}")
            if label == -1:
                break
            if not base <= label < nodes + base:
                raise self.source.error(
                    "E117", line, f"node {token[:40]} in {name}", f"a node from {base} to {nodes - 1 + base}"
                )
            found.append((label - base, line))
        else:
            if ended:
                self.source.defect("E111", part.last, f"{name} does not end with -1")
        for token, line in tokens:
            if ended and token != "-1":
                self.source.defect("E122", line, f"{token[:40]!r} after the -1 that ends {name}")
                break
        return found

    def metric(self, nodes: int, coordinates: Floats | None, rounding: str | None = None) -> Metric:
        """The metric of the file; ``rounding`` (a rule name) replaces EUC_2D where a field rounds otherwise."""
        rule = self.word("EDGE_WEIGHT_TYPE")
        line = self.line("EDGE_WEIGHT_TYPE")
        explicit = rule == "EXPLICIT"
        if rule == "EUC_2D" and rounding is not None:
            rule = rounding
        if not explicit and rule not in RULES:
            raise self.source.error("E119", line, f"edge weight type {rule}", "EXPLICIT, " + ", ".join(RULES))
        if not explicit and coordinates is None:
            raise self.source.error("E118", line, f"{rule} needs a NODE_COORD_SECTION")
        matrix = self.matrix(nodes) if explicit else None
        try:
            return Metric(rule=rule, matrix=matrix, coordinates=coordinates)
        except InputError as error:
            # A coordinate can be at fault with a matrix too, but then it is one for drawing.
            line = self.line("EDGE_WEIGHT_SECTION" if explicit and "distance" in error.found else self._place())
            raise self.source.error(error.code, line, error.found, error.expected, error.remedy) from None

    def _place(self) -> str:
        """The section that :meth:`coordinates` reads."""
        return "NODE_COORD_SECTION" if "NODE_COORD_SECTION" in self.sections else "DISPLAY_DATA_SECTION"

    def coordinates(self, nodes: int) -> Floats | None:
        """Node coordinates, or those for display if the file has no others, or ``None``."""
        rule = self.word("EDGE_WEIGHT_TYPE", "EUC_2D")
        columns = 3 if rule.endswith("3D") or self.word("NODE_COORD_TYPE", "") == "THREED_COORDS" else 2
        for name in ("NODE_COORD_SECTION", "DISPLAY_DATA_SECTION"):
            if name in self.sections and (name == "NODE_COORD_SECTION" or rule == "EXPLICIT"):
                return self.by_node(name, nodes, columns if name == "NODE_COORD_SECTION" else 2)
        return None

    def matrix(self, nodes: int) -> Ints:
        """The EDGE_WEIGHT_SECTION as ``int64[n, n]``; line breaks mean nothing, only the count of numbers does."""
        part = self.section("EDGE_WEIGHT_SECTION")
        layout = self.word("EDGE_WEIGHT_FORMAT")
        line = self.line("EDGE_WEIGHT_FORMAT")
        if layout not in _LAYOUTS:
            raise self.source.error("E119", line, f"edge weight format {layout}", ", ".join(_LAYOUTS))
        counts = {"full": nodes * nodes, "strict": nodes * (nodes - 1) // 2, "diagonal": nodes * (nodes + 1) // 2}
        shape, upper = _LAYOUTS[layout]
        self.source.room(min(counts[shape], counts["strict"]), part.line, "distances")
        values = self.source.wholes(part.first, part.last, "a distance")
        routing = self.word("TYPE", "") == "CVRP"
        if routing and layout == "LOWER_DIAG_ROW" and values.size == counts["strict"] and nodes > 1:
            # eil7, eil13 and eil31 of TSPLIB: the header lies, the published lengths need UPPER_ROW
            self.source.warn("E120", line, "LOWER_DIAG_ROW with n(n-1)/2 numbers is read as UPPER_ROW")
            shape, upper = "strict", True
        self._count("EDGE_WEIGHT_SECTION", part, values.size, counts[shape])
        if shape == "full":
            return values.reshape(nodes, nodes)
        return _symmetric(values, nodes, 1 if shape == "strict" else 0, upper)


# A column-wise triangle is the row-wise opposite triangle.
_LAYOUTS: dict[str, tuple[str, bool]] = {
    "FULL_MATRIX": ("full", True),
    "UPPER_ROW": ("strict", True),
    "LOWER_COL": ("strict", True),
    "LOWER_ROW": ("strict", False),
    "UPPER_COL": ("strict", False),
    "UPPER_DIAG_ROW": ("diagonal", True),
    "LOWER_DIAG_COL": ("diagonal", True),
    "LOWER_DIAG_ROW": ("diagonal", False),
    "UPPER_DIAG_COL": ("diagonal", False),
}


def _symmetric(values: Ints, nodes: int, offset: int, upper: bool) -> Ints:
    """The matrix of a triangle given row by row; ``offset`` is 1 if the diagonal is left out."""
    out = np.zeros((nodes, nodes), dtype=np.int64)
    start = 0
    for i in range(nodes):
        columns = slice(i + offset, nodes) if upper else slice(0, i + 1 - offset)
        row = values[start : start + columns.stop - columns.start]
        out[i, columns] = row
        out[columns, i] = row
        start += len(row)
    return out


def split_keyword(text: str) -> tuple[str, str]:
    """Keyword in capitals and value of a line ``KEY : value``, ``KEY: value`` or ``KEY value``."""
    head, colon, rest = text.partition(":")
    word = head.strip()
    if not colon or " " in word or "\t" in word:
        word, _, rest = text.strip().replace("\t", " ").partition(" ")
    return word.upper(), rest.strip()


def declared_type(source: Source) -> str:
    """The value of TYPE among the first lines of a file of this family, in capitals; empty if there is none."""
    for line in source.lines[:60]:
        word, value = split_keyword(line)
        if word == "TYPE" and value:
            return value.split()[0].upper()
    return ""
