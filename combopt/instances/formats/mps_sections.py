"""The outline of an MPS file: its sections, and the fields of their lines.

The fields of a line are its words (free MPS), or stand in fixed columns if names hold blanks (fixed MPS).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError
from combopt.instances.text import Source
from combopt.model import Ints

SENSES = {
    **dict.fromkeys(("MIN", "MINIMIZE", "MINIMISE"), "min"),
    **dict.fromkeys(("MAX", "MAXIMIZE", "MAXIMISE"), "max"),
}
_ROWS = frozenset(["ROWS", "LAZYCONS", "USERCUTS"])
_AFTER_COLUMNS = frozenset(["RHS", "RANGES", "BOUNDS", "SOS", "INDICATORS"])
_KNOWN = frozenset(["NAME", "OBJSENSE", "OBJNAME", "COLUMNS", "ENDATA"]) | _ROWS | _AFTER_COLUMNS
_NOT_LINEAR = frozenset(
    [
        *("QUADOBJ", "QMATRIX", "QSECTION", "QCMATRIX", "CSECTION", "GENCONS", "PWLOBJ", "PWLNAM", "PWLCON"),
        *("SETS", "SCENARIOS", "SOS1", "SOS2"),
    ]
)
# Where the fields of fixed MPS begin and end, counted from 0.
_FIXED = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
_GAPS = ((0, 1), (3, 4), (12, 14), (22, 24), (36, 39), (47, 49))


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its header's line and what stands behind the keyword, and its lines ``first..last`` (from 1)."""

    name: str
    line: int
    first: int
    last: int
    text: str = ""


@dataclass
class Outline:
    """An MPS file cut into sections.

    ``data`` is the file as UTF-8 with a line end after every line, ``start[i]`` the offset of line ``i + 1``.
    ``fixed`` says how lines are cut into fields.
    """

    source: Source
    data: npt.NDArray[np.uint8]
    start: Ints
    sections: dict[str, Section] = field(default_factory=dict)
    fixed: bool = False

    @classmethod
    def cut(cls, source: Source) -> Outline:
        """Find the sections.

        Raises
        ------
        InputError
            E112 or E119 for an unknown or unsupported section, E116 for one that comes twice, E111 if ENDATA is
            missing, E118 if ROWS or COLUMNS is missing, E122 for data after ENDATA, E123 for a broken header.
        """
        text = source.text
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        data = np.frombuffer(text.encode("utf-8", "replace") + b"\n", dtype=np.uint8)
        start = np.concatenate([[0], np.flatnonzero(data == 10) + 1])
        outline = cls(source, data, start)
        first = data[start[:-1]]
        headers = np.flatnonzero((first != 32) & (first != 9) & (first != 10) & (first != 42)) + 1
        outline._collect(headers.tolist())
        outline._check_order()
        return outline

    def _collect(self, headers: list[int]) -> None:
        source, ends = self.source, [*headers[1:], len(self.start)][: len(headers)]
        first = headers[0] if headers else len(self.start)
        for number, fields in self._words(1, first - 1):
            raise source.error(
                "E123", number, f"{fields[0][:40]!r} before any section", "a section, starting in the first column"
            )
        for line, end in zip(headers, ends, strict=True):
            words = self.lines(line, line)[0].split(None, 1)
            name, rest = words[0].upper(), words[1].strip() if len(words) > 1 else ""
            previous = self.sections.get("OBJSENSE")
            if name in SENSES and previous and not previous.text and previous.last == line - 1:
                self.sections["OBJSENSE"] = Section("OBJSENSE", previous.line, line + 1, end - 1, name)
                continue
            self._check_header(name, line, rest)
            if name == "ENDATA":
                for number, fields in self._words(line + 1, len(self.start) - 1):
                    source.defect("E122", number, f"{fields[0][:40]!r} after ENDATA")
                    break
                return
            self.sections[name] = Section(name, line, line + 1, end - 1, rest)
        last = len(self.start) - 1
        while last > 1 and not self.lines(last, last)[0].strip():
            last -= 1
        if not self.sections:
            raise source.error("E102", last, "no section of an MPS file", "NAME, ROWS, COLUMNS, ...")
        source.defect("E111", last, "the file ends without ENDATA")

    def _check_header(self, name: str, line: int, rest: str) -> None:
        source = self.source
        if name in _NOT_LINEAR:
            raise source.error("E119", line, f"the section {name}", "a mixed-integer linear program")
        if name not in _KNOWN:
            raise source.error(
                "E112", line, f"the section {name[:40]!r} is not known", ", ".join(sorted(_KNOWN)),
                "Lines of data start with a blank, comments with an asterisk.",
            )  # fmt: skip
        if name in self.sections:
            raise source.error("E116", line, f"{name} comes twice, first in line {self.sections[name].line}")
        if rest and name not in ("NAME", "OBJSENSE", "OBJNAME") and rest[0] not in "$*":
            raise source.error(
                "E123", line, f"{rest[:40]!r} behind {name}", "nothing", "Lines of data start with a blank."
            )

    def _check_order(self) -> None:
        for name in ("ROWS", "COLUMNS"):
            if name not in self.sections:
                raise self.source.error("E118", 0, f"the section {name} is missing")
        rows, columns = self.sections["ROWS"].line, self.sections["COLUMNS"].line
        for name, section in self.sections.items():
            early = section.line < columns if name in _AFTER_COLUMNS else section.line < rows
            if early and name in _AFTER_COLUMNS | {"COLUMNS", "LAZYCONS", "USERCUTS"}:
                self.source.defect("E123", section.line, f"{name} comes too early", "ROWS, COLUMNS, then the others")

    def lines(self, first: int, last: int) -> list[str]:
        """The text of the lines ``first..last``."""
        if last < first:
            return []
        chunk = self.data[self.start[first - 1] : self.start[last] - 1].tobytes().decode("utf-8", "replace")
        return chunk.split("\n")

    def _words(self, first: int, last: int) -> Iterator[tuple[int, list[str]]]:
        for number, line in enumerate(self.lines(first, last), first):
            if line[:1] != "*" and (fields := line.split()):
                yield number, fields

    def fields(self, name: str) -> Iterator[tuple[int, list[str]]]:
        """The fields of the section's lines with their line numbers, comments and blank lines left out."""
        section = self.sections.get(name)
        if section is None:
            return
        if not self.fixed:
            yield from self._words(section.first, section.last)
            return
        for number, line in enumerate(self.lines(section.first, section.last), section.first):
            if line[:1] != "*":
                cut = [line[a:b].strip() for a, b in _FIXED]
                if fields := [part for part in cut if part]:
                    yield number, fields

    def has_fixed_columns(self) -> bool:
        """Whether every line of data has its fields exactly in the columns of fixed MPS, and some name a blank."""
        blank = False
        for name in ("ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS"):
            section = self.sections.get(name)
            for line in self.lines(section.first, section.last) if section else ():
                line = line.rstrip()
                if not line or line[0] == "*":
                    continue
                if "\t" in line or len(line) > 61 or any(line[a:b].strip() for a, b in _GAPS):
                    return False
                blank = blank or any(len(line[a:b].split()) > 1 for a, b in _FIXED)
        return blank

    def number(self, token: str, line: int, what: str) -> float:
        """``token`` as a finite float."""
        try:
            value = float(token)
        except ValueError:
            value = np.nan
        if value - value == 0.0 and "_" not in token and token.isascii():
            return value
        return self.source.real(token, line, what)

    def side(self, token: str, line: int, what: str) -> float:
        """``token`` as a bound or a right-hand side: 1e20 and more, or a spelled ``inf``, is infinite."""
        try:
            value = float(token)
        except ValueError:
            value = np.nan
        if -1e20 < value < 1e20 and "_" not in token and token.isascii():
            return value
        if token.lower().lstrip("+-") not in ("inf", "infinity"):
            value = self.source.real(token, line, what)
        return np.inf if value > 0 else -np.inf

    def wrong_form(self, line: int, fields: list[str], expected: str) -> InputError:
        """The error for a line with too few or too many fields."""
        return self.source.error(
            "E123", line, f"{len(fields)} fields: {' '.join(fields)[:60]!r}", expected,
            "Names with blanks need the columns of fixed MPS.",
        )  # fmt: skip
