"""The COLUMNS section of an MPS file, which holds nearly all of its text.

Regular sections are read by numpy: words are found by their edges, names compared eight bytes at a time, and
numbers parsed as one block.  Where anything is irregular that attempt is given up, and a reader that goes line by
line takes over; it accepts the same files, and names the line of an error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from combopt.instances.formats.mps_sections import Outline
from combopt.model import Floats, Ints

OBJECTIVE, DROPPED = -1, -2
"""Indices of the objective row and of further N rows."""

_MARKER = "'MARKER'"
_MASK = np.array([(1 << (8 * k)) - 1 for k in range(9)], dtype="<u8")
_LONGEST = 320  # bytes of a name on the fast path

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Columns:
    """Columns in order of appearance, and their entries: ``row``, ``column``, ``value`` in the order of the file."""

    names: list[str]
    integer: npt.NDArray[np.bool_]
    row: Ints
    column: Ints
    value: Floats


def read_columns(outline: Outline, rows: dict[str, int]) -> Columns:
    """Read the section; ``rows`` maps names to indices, :data:`OBJECTIVE` or :data:`DROPPED`.

    Raises
    ------
    InputError
        E113 or E114 for a number, E116 for a column or an entry that comes twice, E117 for an unknown row, E112,
        E119 or E120 for a marker, E123 for a line of another form.
    """
    found = None if outline.fixed else _read_block(outline, rows)
    return found or _read_lines(outline, rows)


# ---------------------------------------------------------------------------------------------- line by line


class _Reader:
    """State while going through the lines."""

    def __init__(self, outline: Outline, rows: dict[str, int]) -> None:
        self.outline, self.rows, self.source = outline, rows, outline.source
        self.index: dict[str, int] = {}
        self.integer: list[bool] = []
        self.entries: list[tuple[int, int, float]] = []
        self.marked = 0  # the line of the INTORG that is open
        self.current, self.in_column = "", set[int]()

    def marker(self, line: int, fields: list[str]) -> None:
        kind = fields[2].strip("'").upper() if len(fields) > 2 else ""
        if kind in ("SOSORG", "SOSEND"):
            raise self.source.error("E119", line, f"the marker {kind}", "a section SOS")
        if kind not in ("INTORG", "INTEND"):
            raise self.source.error("E112", line, f"the marker {kind or '(none)'}", "INTORG or INTEND")
        if (kind == "INTORG") == bool(self.marked):
            raise self.source.error("E120", line, f"{kind} {'within' if self.marked else 'without'} INTORG")
        self.marked = line if kind == "INTORG" else 0

    def column(self, line: int, name: str) -> int:
        """The index of the column of this line."""
        if name != self.current:
            if name in self.index:
                raise self.source.error("E116", line, f"column {name!r} comes again", "all its entries in one place")
            if name[0] == "*":
                raise self.source.error("E123", line, f"a line starting with {name[:20]!r}", "* in the first column")
            self.index[name] = len(self.index)
            self.integer.append(bool(self.marked))
            self.current, self.in_column = name, set()
        elif self.integer[-1] != bool(self.marked):
            raise self.source.error("E120", line, f"a marker in the middle of column {name!r}")
        return self.index[name]

    def entry(self, line: int, column: int, name: str, token: str) -> None:
        row = self.rows.get(name)
        if row is None:
            raise self.source.error("E117", line, f"row {name!r} is not in ROWS")
        if row in self.in_column and row != DROPPED:
            raise self.source.error("E116", line, f"row {name!r} comes twice in column {self.current!r}")
        self.in_column.add(row)
        self.entries.append((row, column, self.outline.number(token, line, "a coefficient")))


def _read_lines(outline: Outline, rows: dict[str, int]) -> Columns:
    reader = _Reader(outline, rows)
    for line, fields in outline.fields("COLUMNS"):
        if len(fields) > 1 and fields[1] == _MARKER:
            reader.marker(line, fields)
            continue
        fields = without_comment(fields, rows, 3)
        if len(fields) not in (3, 5):
            raise outline.wrong_form(line, fields, "column, row, number, and maybe a second row and number")
        column = reader.column(line, fields[0])
        for k in range(1, len(fields), 2):
            reader.entry(line, column, fields[k], fields[k + 1])
    if reader.marked:
        outline.source.warn("E118", reader.marked, "INTORG without an INTEND holds to the end of COLUMNS")
    row, column_, value = zip(*reader.entries, strict=True) if reader.entries else ((), (), ())
    return Columns(
        list(reader.index),
        np.array(reader.integer, dtype=bool),
        np.array(row, dtype=np.int64),
        np.array(column_, dtype=np.int64),
        np.array(value, dtype=np.float64),
    )


def without_comment(fields: list[str], names: dict[str, int], first: int) -> list[str]:
    """The fields before a comment: a word from ``first`` on that starts with ``$`` or ``*`` and is no known name."""
    for k in range(first, len(fields)):
        if fields[k][0] in "$*" and fields[k] not in names:
            return fields[:k]
    return fields


# ---------------------------------------------------------------------------------------------- as one block


def _read_block(outline: Outline, rows: dict[str, int]) -> Columns | None:
    section = outline.sections["COLUMNS"]
    if section.last < section.first or not rows:
        return None
    low, high = int(outline.start[section.first - 1]), int(outline.start[section.last])
    data = outline.data[low:high]
    blanks = np.count_nonzero(data == 10) + np.count_nonzero(data == 9)
    if data.max() > 126 or np.any(data == ord("$")) or np.count_nonzero(data < 32) != blanks:
        return None  # letters beyond ASCII, comments, or control characters
    first, count, edges = _lines_of_words(data, outline.start[section.first - 1 : section.last] - low)
    if not np.isin(count, (3, 5)).all() or not len(count):
        return None
    padded = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    marks = _is_marker(padded, edges, first)
    change = _column_changes(padded, edges, first[~marks])
    flags = _flags(data, edges, first, marks)
    if change is None or flags is None:
        return None
    first, count = first[~marks], count[~marks]
    column = np.cumsum(change) - 1
    if (flags[1:] != flags[:-1])[~change[1:]].any():
        return None  # a marker within a column
    names = _strings(data, edges, first[change])
    if len(set(names)) < len(names):
        return None
    pairs = (count - 1) // 2
    entry = (
        np.repeat(first, pairs) + 1 + 2 * (np.arange(int(pairs.sum())) - np.repeat(np.cumsum(pairs) - pairs, pairs))
    )
    row = _look_up(padded, edges, entry, rows)
    value = _numbers(data, edges, entry + 1)
    if row is None or value is None:
        return None
    found = Columns(names, flags[change], row, np.repeat(column, pairs), value)
    return None if _has_twins(found, len(rows)) else found


def _lines_of_words(data: Bytes, starts: Ints) -> tuple[Ints, Ints, Ints]:
    """For every line of data: its first word and the number of its words; and ``edges``, so that word ``w`` is
    ``data[edges[2 w]:edges[2 w + 1]]``.  Comment lines are left out."""
    ink = data > 32
    edges = np.flatnonzero(ink[1:] != ink[:-1]) + 1
    if ink[0]:
        edges = np.concatenate([[0], edges])
    first = np.searchsorted(edges[0::2], starts)
    count = np.diff(first, append=len(edges) // 2)
    keep = (count > 0) & (data[starts] != ord("*"))
    return first[keep], count[keep], edges


def _eight(padded: Bytes, at: Ints, length: Ints) -> Words:
    """Up to eight bytes from each place as one number, those beyond ``length`` as 0."""
    view = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    at = np.minimum(at, len(padded) - 8)
    return view[at] & _MASK[np.clip(length, 0, 8)]


def _is_marker(padded: Bytes, edges: Ints, first: Ints) -> npt.NDArray[np.bool_]:
    at = edges[2 * first + 2]
    key = np.frombuffer(_MARKER.encode(), dtype="<u8")[0]
    length = edges[2 * first + 3] - at
    return (length == len(_MARKER)) & (_eight(padded, at, length) == key)


def _flags(data: Bytes, edges: Ints, first: Ints, marks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
    """For every line that is no marker, whether it is between INTORG and INTEND; ``None`` if they do not pair."""
    kinds = _strings(data, edges, first[marks] + 2)
    if kinds != ["'INTORG'", "'INTEND'"] * (len(kinds) // 2):
        return None
    return np.asarray(np.cumsum(marks)[~marks] % 2 == 1)


def _column_changes(padded: Bytes, edges: Ints, first: Ints) -> npt.NDArray[np.bool_] | None:
    """For every line, whether its first word differs from that of the line before."""
    if not len(first):
        return None
    at, length = edges[2 * first], edges[2 * first + 1] - edges[2 * first]
    if length.max() > _LONGEST or np.any(padded[at] == ord("*")):
        return None
    change = np.diff(length, prepend=-1) != 0
    for offset in range(0, int(length.max()), 8):
        word = _eight(padded, at + offset, length - offset)
        change[1:] |= word[1:] != word[:-1]
    return np.asarray(change)


def _strings(data: Bytes, edges: Ints, words: Ints) -> list[str]:
    text = data.tobytes()
    pairs = zip(edges[2 * words].tolist(), edges[2 * words + 1].tolist(), strict=True)
    return [text[a:b].decode("utf-8", "replace") for a, b in pairs]


def _look_up(padded: Bytes, edges: Ints, words: Ints, rows: dict[str, int]) -> Ints | None:
    """The indices of names; ``None`` if one is unknown.  Names are found by a hash and compared in full."""
    names = [name.encode("utf-8", "replace") for name in rows]
    width = -(-max(map(len, names)) // 8)
    at, length = edges[2 * words], edges[2 * words + 1] - edges[2 * words]
    if width * 8 > _LONGEST or length.max() > width * 8:
        return None
    table = np.array(names, dtype=f"S{8 * width}").view("<u8").reshape(len(names), width)
    parts = [_eight(padded, at + 8 * k, length - 8 * k) for k in range(width)]
    keys, wanted = table[:, 0].copy(), parts[0].copy()
    for k in range(1, width):  # wraps around, as hashes do
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + table[:, k]
        wanted = wanted * np.uint64(0x9E3779B97F4A7C15) + parts[k]
    order = np.argsort(keys)
    keys = keys[order]
    if np.any(keys[1:] == keys[:-1]):
        return None
    found = order[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)]
    if any(np.any(table[found, k] != parts[k]) for k in range(width)):
        return None
    return np.array(list(rows.values()), dtype=np.int64)[found]


def _numbers(data: Bytes, edges: Ints, words: Ints) -> Floats | None:
    """The words as finite floats, or ``None``; each is taken with the blank behind it, which separates it."""
    at, length = edges[2 * words], edges[2 * words + 1] - edges[2 * words] + 1
    end = np.cumsum(length)
    text = data[np.repeat(at - (end - length), length) + np.arange(int(end[-1]))].tobytes()
    try:
        values = np.fromstring(text.decode("ascii"), dtype=np.float64, sep=" ")
    except ValueError:
        return None
    return values if len(values) == len(words) and np.isfinite(values).all() else None


def _has_twins(columns: Columns, rows: int) -> bool:
    """Whether an entry comes twice; entries of one column lie together, so sorting is nearly done already."""
    key = columns.column * (rows + 2) + columns.row
    key = np.sort(key[columns.row != DROPPED], kind="stable")
    return bool(np.any(key[1:] == key[:-1]))
