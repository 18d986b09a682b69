"""The grammar shared by TSPLIB, VRPLIB and OPLib files: keywords with a value, sections of numbers.

Keywords and sections may come in any order, so a file is first cut into its parts and interpreted afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from combopt.instances.metric import RULES, Metric
from combopt.instances.text import Source
from combopt.model import Floats, Ints

_KEY = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?::\s*(.*?)|\s+(.*?))?\s*$")


@dataclass(frozen=True, slots=True)
class Part:
    """A keyword's value (``first`` is its line) or a section's lines ``first..last`` under its header."""

    value: str
    line: int
    first: int = 0
    last: int = 0


@dataclass
class Document:
    """A file cut into keywords and sections; every access names what is missing and where."""

    source: Source
    keys: dict[str, Part] = field(default_factory=dict)
    sections: dict[str, Part] = field(default_factory=dict)

    @classmethod
    def cut(cls, source: Source, keys: frozenset[str], sections: frozenset[str]) -> Document:
        """Cut a file whose known keywords and sections are given.

        Raises
        ------
        InputError
            E112 for an unknown keyword or section, E116 for one given twice, E122 for data after EOF.
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
            match = _KEY.match(line)
            word = match[1].upper() if match else ""
            if word == "EOF":
                rest = next((n for n in range(number, len(lines)) if lines[n].strip()), None)
                if rest is not None:
                    source.defect("E122", rest + 1, "there is data after EOF")
                return document
            if word in sections or (word.endswith("_SECTION") and word not in keys):
                if word not in sections:
                    source.defect("E112", number, f"the section {word} is not known", ", ".join(sorted(sections)))
                open_section, start = word, number
            else:
                document._keyword(word, match, keys, number, text)
        if open_section is not None:
            document._close(open_section, start, len(lines))
        return document

    def _keyword(
        self, word: str, match: re.Match[str] | None, keys: frozenset[str], line: int, text: str
    ) -> None:
        if match is None or word not in keys:
            self.source.defect("E112", line, f"the keyword {text.split()[0][:40]!r} is not known")
            return
        if word == "COMMENT":
            return
        if word in self.keys:
            raise self.source.error("E116", line, f"{word} is given twice, first in line {self.keys[word].line}")
        self.keys[word] = Part((match[2] or match[3] or "").strip(), line)

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

        Ids are labels: 1..n in any order, or 0..n-1.
        """
        part = self.section(name)
        table = self.table(name, nodes, columns + 1)
        ids = table[:, 0]
        where = np.arange(1, nodes + 1)
        if np.array_equal(ids, where):
            return np.ascontiguousarray(table[:, 1:])
        base = 0 if nodes and ids.min() == 0 else 1
        order = np.argsort(ids, kind="stable")
        if not np.array_equal(ids[order], where - 1 + base):
            self._blame_ids(name, part, ids, nodes, base, columns + 1)
        return np.ascontiguousarray(table[order, 1:])

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

    def ids(self, name: str, nodes: int) -> list[tuple[int, int]]:
        """The node ids of a list that ends with -1, as indices from 0, each with its line."""
        part = self.section(name)
        found = []
        for token, line in self.source.tokens(part.first, part.last):
            label = self.source.whole(token, line, f"a node in {name}", -1, nodes)
            if label == -1:
                break
            if label == 0:
                raise self.source.error("E117", line, f"node 0 in {name}", f"a node from 1 to {nodes}")
            found.append((label - 1, line))
        return found

    def metric(self, nodes: int, coordinates: Floats | None, rounding: str | None = None) -> Metric:
        """The metric of the file; ``rounding`` (a rule name) replaces EUC_2D where a field rounds otherwise."""
        rule = self.word("EDGE_WEIGHT_TYPE")
        line = self.line("EDGE_WEIGHT_TYPE")
        if rule == "EXPLICIT":
            return Metric(rule=rule, matrix=self.matrix(nodes), coordinates=coordinates)
        if rule == "EUC_2D" and rounding is not None:
            rule = rounding
        if rule not in RULES:
            raise self.source.error("E119", line, f"edge weight type {rule}", ", ".join(RULES))
        if coordinates is None:
            raise self.source.error("E118", line, f"{rule} needs a NODE_COORD_SECTION")
        return Metric(rule=rule, coordinates=coordinates)

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
        if layout == "LOWER_DIAG_ROW" and values.size == counts["strict"] and nodes > 1:
            # eil7, eil13 and eil31 of TSPLIB: the header lies, the published lengths need UPPER_ROW
            self.source.warn("E120", line, "LOWER_DIAG_ROW with n(n-1)/2 numbers is read as UPPER_ROW")
            shape, upper = "strict", True
        self._count("EDGE_WEIGHT_SECTION", part, values.size, counts[shape])
        if shape == "full":
            return values.reshape(nodes, nodes)
        out = np.zeros((nodes, nodes), dtype=np.int64)
        offset = 1 if shape == "strict" else 0
        if upper:
            out[np.triu_indices(nodes, offset)] = values
        else:
            out[np.tril_indices(nodes, -offset)] = values
        return out + out.T - np.diag(np.diag(out))


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


def declared_type(source: Source) -> str:
    """The value of TYPE among the first lines of a file of this family, in capitals; empty if there is none."""
    for line in source.lines[:60]:
        head, _, value = line.replace(":", " ", 1).strip().partition(" ")
        if head.upper() == "TYPE" and value.split():
            return value.split()[0].upper()
    return ""
