"""Opening files safely, and reading numbers from them with errors that name the line.

The fast path hands whole blocks to numpy; only when that fails does a slow path look for the token at fault.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from combopt.errors import InputError, Place, Warned
from combopt.model import Floats, Ints

MAX_BYTES = 1 << 30
"""Largest text read, after decompression."""
MAX_RATIO = 200
"""Largest expansion of compressed data beyond the first ``FREE_BYTES``."""
FREE_BYTES = 10 << 20
_CHUNK = 1 << 20

_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_INT = re.compile(r"[+-]?\d+\Z", re.ASCII)
_LONE_SIGN = re.compile(r"[+-]\s")


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What the reader cannot know from the file alone.

    Parameters
    ----------
    kind
        The problem to make of the file where it could be several (a graph is a ``mis``, ``clique`` or
        ``coloring`` instance; a ``cvrp`` file can be read as ``ovrp``).
    select
        Which of the instances of a file, counted from 1 or by name (``FILE#k``).
    rounding
        ``nint``, ``exact``, ``dimacs`` (truncated to one decimal) or ``auto``, for routing files that do not say.
    fleet
        ``free``, ``from-name``, ``auto`` or a number of vehicles.
    min_prize
        Minimum prize of a prize-collecting instance: a whole number, or a share of the total like ``0.5``.
    lenient
        Turn the defects that the format lists as harmless into warnings.
    """

    kind: str | None = None
    select: str | None = None
    rounding: str = "auto"
    fleet: str = "auto"
    min_prize: str | None = None
    lenient: bool = False


@dataclass
class Source:
    """The text of one file, with its name for messages.

    ``warnings`` collects what a lenient reading passed over.
    """

    path: str
    text: str
    options: ReadOptions = field(default_factory=ReadOptions)
    warnings: list[Warned] = field(default_factory=list)

    @classmethod
    def open(cls, path: str | Path, options: ReadOptions | None = None) -> Source:
        """Read a file, plain or gzipped (by content, whatever its name).

        Raises
        ------
        InputError
            E101 if it cannot be opened, E103 if damaged, E104 if too large, E105 if not text, E106 if empty.
        """
        name = str(path)
        place = Place(name)
        try:
            data = _read_bytes(Path(path), place)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError("E101", f"cannot open the file: {reason}", place=place) from None
        if b"\0" in data and name.lower().removesuffix(".gz").endswith(".b"):
            raise InputError(
                "E119", "a graph in the binary DIMACS format", place=place, expected="its ASCII form",
                remedy="Convert it with bin2asc.",
            )  # fmt: skip
        if b"\0" in data:
            line = data.count(b"\n", 0, data.index(b"\0")) + 1
            raise InputError("E105", "a NUL byte; this is not a text file", place=Place(name, line))
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        if not text.strip():
            raise InputError("E106", "the file is empty", place=place)
        return cls(name, text, options or ReadOptions())

    @property
    def stem(self) -> str:
        """File name without folder, ``.gz`` and the last extension."""
        name = Path(self.path).name.removesuffix(".gz")
        return Path(name).stem if Path(name).suffix.lower() in _KNOWN_SUFFIXES else name

    @property
    def suffix(self) -> str:
        """Last extension in lower case with its dot, ``.gz`` aside; empty if there is none."""
        return Path(Path(self.path).name.removesuffix(".gz")).suffix.lower()

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends, of whichever of the three kinds."""
        text = self.text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in self.text else self.text
        return text.split("\n")

    @cached_property
    def words(self) -> list[str]:
        """All blank-separated tokens of the file."""
        return self.text.split()

    @cached_property
    def integers(self) -> Ints | None:
        """All tokens of the file as ``int64``, or ``None`` if any is not a whole number within that range."""
        values = self._block(1, len(self.lines), np.int64)
        limit = np.iinfo(np.int64)
        if values is None or (values.size and (values.max() == limit.max or values.min() == limit.min)):
            return None
        return values

    def place(self, line: int = 0) -> Place:
        return Place(self.path, line)

    def error(self, code: str, line: int, found: str, expected: str = "", remedy: str = "") -> InputError:
        """The error for something found at ``line`` (from 1; 0 for the whole file), to be raised by the caller."""
        return InputError(code, found, place=self.place(line), expected=expected, remedy=remedy)

    def defect(self, code: str, line: int, found: str, expected: str = "") -> None:
        """A harmless defect: an error when reading strictly, a warning when reading leniently."""
        if not self.options.lenient:
            raise self.error(code, line, found, expected, "Mend the file, or read it with --lenient.")
        self.warnings.append(Warned(code, found, self.place(line)))

    def warn(self, code: str, line: int, found: str) -> None:
        """Note something odd that has one sound reading, strict or not."""
        self.warnings.append(Warned(code, found, self.place(line)))

    def room(self, count: int, line: int, what: str, characters: int = 2) -> None:
        """Refuse a declared size that the file is too short to hold, before anything is allocated for it."""
        if count * characters > len(self.text) + characters:
            raise self.error(
                "E121", line, f"{count} {what} declared in a file of {len(self.text)} characters",
                "a size that the file can hold",
            )  # fmt: skip

    def whole(self, token: str, line: int, what: str, low: int | None = None, high: int | None = None) -> int:
        """``token`` as an ``int`` within ``[low, high]``; ``12.0`` counts as 12."""
        if _INT.match(token):
            value = int(token) if len(token) < 4000 else 10**4000
        elif _FLOAT.match(token) and abs(real := float(token)) < 2**53 and real.is_integer():
            value = int(real)
        else:
            raise self.error("E113", line, f"{token[:40]!r} as {what}", "a whole number")
        if (low is not None and value < low) or (high is not None and value > high):
            limits = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
            raise self.error("E114", line, f"{what} is {token[:40]}", f"a whole number, {limits}")
        return value

    def real(self, token: str, line: int, what: str, low: float | None = None) -> float:
        """``token`` as a finite ``float``, at least ``low``."""
        if not _FLOAT.match(token):
            raise self.error("E113", line, f"{token[:40]!r} as {what}", "a decimal number")
        value = float(token)
        if not np.isfinite(value) or (low is not None and value < low):
            limit = "a finite number" if low is None else f"a finite number, at least {low:g}"
            raise self.error("E114", line, f"{what} is {token[:40]}", limit)
        return value

    def reals(self, first: int, last: int, what: str) -> Floats:
        """All numbers of the lines ``first..last`` (from 1, inclusive) as ``float64[k]``, all finite."""
        values = self._block(first, last, np.float64)
        if values is None or not np.isfinite(values).all():
            # Blanks that numpy does not know (no-break spaces) are no fault, so this may also succeed.
            return np.array([self.real(t, n, what) for t, n in self.tokens(first, last)], dtype=np.float64)
        return values

    def wholes(self, first: int, last: int, what: str) -> Ints:
        """All numbers of the lines ``first..last`` (from 1, inclusive) as ``int64[k]``."""
        values = self._block(first, last, np.int64)
        limit = np.iinfo(np.int64)
        if values is None or (values.size and (values.max() == limit.max or values.min() == limit.min)):
            slow = [self.whole(t, n, what, limit.min, limit.max) for t, n in self.tokens(first, last)]
            return np.array(slow, dtype=np.int64)
        return values

    def tokens(self, first: int = 1, last: int | None = None) -> Iterator[tuple[str, int]]:
        """Blank-separated tokens with their line number."""
        lines = self.lines
        for number in range(first, (len(lines) if last is None else last) + 1):
            for token in lines[number - 1].split():
                yield token, number

    def line_of_token(self, index: int, first: int = 1, last: int | None = None) -> int:
        """The line that holds the ``index``-th (from 0) token from line ``first`` on; the last line if none."""
        found = first
        for number in range(first, (len(self.lines) if last is None else last) + 1):
            width = len(self.lines[number - 1].split())
            found = number if width else found
            index -= width
            if index < 0:
                break
        return found

    def _block(self, first: int, last: int, dtype: Any) -> np.ndarray[Any, Any] | None:
        block = "\n".join(self.lines[first - 1 : last])
        if not block or block.isspace():
            return np.zeros(0, dtype=dtype)
        if _LONE_SIGN.search(block):  # numpy would join the sign with the number after it
            return None
        try:
            return np.fromstring(block, dtype=dtype, sep=" ")
        except ValueError:
            return None


_KNOWN_SUFFIXES = frozenset(
    ".tsp .atsp .sop .hcp .vrp .tour .txt .dat .sol .col .clq .mis .mps .lp .opb .bpp .csv .fjs .jsp .json .oplib "
    ".op .pctsp .in .kp .mkp .scp .rail .graph .edges .mtx .cyc .hgs .xml .wbo .rkp .cb".split()
)


def _read_bytes(path: Path, place: Place) -> bytes:
    with path.open("rb") as raw:
        head = raw.read(2)
        raw.seek(0)
        if head != b"\x1f\x8b":
            data = raw.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise InputError("E104", f"more than {MAX_BYTES >> 20} MiB", place=place)
            return data
        packed = path.stat().st_size
        cap = min(MAX_BYTES, FREE_BYTES + MAX_RATIO * packed)
        chunks: list[bytes] = []
        total = 0
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                while chunk := stream.read(_CHUNK):
                    total += len(chunk)
                    if total > cap:
                        raise InputError(
                            "E104", f"{packed} compressed bytes expand to more than {cap >> 20} MiB", place=place
                        )
                    chunks.append(chunk)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError("E103", f"the gzip data is damaged: {error}", place=place) from None
        return b"".join(chunks)


def match_any(text: str, words: Sequence[str]) -> bool:
    """Whether any of the words occurs in the text, letter case aside (for sniffing)."""
    upper = text.upper()
    return any(word.upper() in upper for word in words)
