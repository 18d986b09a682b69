"""Set covering files of the OR-Library, by rows (``scp``) or by columns (``rail``).

Both begin with ``rows columns``.  By rows there follow the costs of the columns, and for every row the number of
columns that cover it and those columns; by columns, for every column its cost, the number of rows it covers and those
rows.  Indices count from 1.  The header does not say which it is; a file is recognised as the one as which it can be
read to the last number, and as neither if it can be read as both and means different instances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import LARGEST, Stream, choose, digits, placed, wrapped
from combopt.instances.setcover import SetCover, from_pairs
from combopt.instances.text import Source
from combopt.model import Instance, Ints


@dataclass(frozen=True)
class _Layout:
    """How to find the lists: by rows they follow the costs, by columns each comes after the cost of its column."""

    lists: int
    largest: int
    first: int
    skip: int
    list: str
    member: str

    @classmethod
    def of(cls, rows: int, columns: int, by_rows: bool) -> _Layout:
        if by_rows:
            return cls(rows, columns, 2 + columns, 0, "row", "column")
        return cls(columns, rows, 2, 1, "column", "row")

    def walk(self, values: Ints) -> Ints | None:
        """Where the length of every list stands; ``None`` unless the lists end where the file does."""
        view = np.ascontiguousarray(values).data
        size, skip, largest = len(view), self.skip, self.largest
        if self.first + (1 + skip) * self.lists > size:
            return None
        places = []
        position = self.first + skip
        for _ in range(self.lists):
            if position >= size or not 0 <= view[position] <= largest:
                return None
            places.append(position)
            position += 1 + skip + view[position]
        return np.array(places, dtype=np.int64) if position - skip == size else None

    def blame(self, stream: Stream) -> Ints:
        """The walk again, with the error of the first thing that is wrong; data after the end may be passed over."""
        places = []
        position = self.first + self.skip
        for number in range(self.lists):
            places.append(position)
            what = f"the number of {self.member}s of {self.list} {number + 1}"
            position += 1 + self.skip + stream.whole(position, what, 0, self.largest)
        stream.need(position - self.skip, f"the end of {self.list} {self.lists}")
        stream.end(position - self.skip)
        return np.array(places, dtype=np.int64)

    def members(self, places: Ints, values: Ints) -> tuple[Ints, Ints, Ints]:
        """For every member of a list: the list, its index as it stands in the file, and where that is."""
        counts = values[places]
        owner = np.repeat(np.arange(self.lists), counts)
        where = np.arange(len(owner)) + np.repeat(places + 1 - np.cumsum(counts) + counts, counts)
        return owner, values[where], where


def _read(source: Source, by_rows: bool) -> SetCover:
    stream = Stream(source)
    choose(source, [source.stem])
    rows, columns = stream.count(0, "rows"), stream.count(1, "columns")
    stream.need(2 + columns + rows, "the costs and lists")
    values = stream.wholes(slice(0, None), "a number", -LARGEST)
    layout = _Layout.of(rows, columns, by_rows)
    places = layout.walk(values)
    places = layout.blame(stream) if places is None else places
    cost = stream.wholes(slice(2, 2 + columns) if by_rows else places - 1, "a cost")
    owner, index, where = layout.members(places, values)
    _check(stream, layout, owner, index, where)
    pair = (owner, index - 1) if by_rows else (index - 1, owner)
    return _made(stream, rows, cost, *pair)


def _check(stream: Stream, layout: _Layout, owner: Ints, index: Ints, where: Ints) -> None:
    wrong = np.flatnonzero((index < 1) | (index > layout.largest))
    if wrong.size:
        line = stream.line(int(where[wrong[0]]))
        what = f"{layout.member} {index[wrong[0]]} in {layout.list} {owner[wrong[0]] + 1}"
        raise stream.source.error("E117", line, what, f"1 to {layout.largest}")
    key = owner * layout.largest + index
    order = np.argsort(key, kind="stable")
    twice = np.flatnonzero(np.diff(key[order]) == 0)
    if twice.size:
        at = int(order[twice + 1].min())
        what = f"{layout.member} {index[at]} comes twice in {layout.list} {owner[at] + 1}"
        raise stream.source.error("E116", stream.line(int(where[at])), what)


def read_rows(source: Source) -> SetCover:
    """A file by rows."""
    return _read(source, by_rows=True)


def read_columns(source: Source) -> SetCover:
    """A file by columns."""
    return _read(source, by_rows=False)


def _made(stream: Stream, rows: int, cost: Ints, row: Ints, column: Ints) -> SetCover:
    source = stream.source
    try:
        instance = from_pairs(source.stem, rows, cost, row, column)
    except InputError as error:
        raise placed(source, error, stream.line(2)) from None
    bare = instance.uncoverable()
    if bare.size:
        source.warn("E120", 0, f"row {bare[0] + 1} is covered by no column: the instance is infeasible")
    return instance


def sniff_rows(source: Source) -> bool:
    """Consistent by rows; and not by columns, unless that means the same."""
    if not _consistent(source, by_rows=True):
        return False
    return not _consistent(source, by_rows=False) or _same(source)


def sniff_columns(source: Source) -> bool:
    """Consistent by columns, and not by rows."""
    return _consistent(source, by_rows=False) and not _consistent(source, by_rows=True)


def _consistent(source: Source, by_rows: bool) -> bool:
    """Whether the lists end with the file, hold indices within range alone, and cover every row."""
    head = source.text[:100].split()[:3]
    if len(head) < 3 or not all(digits(word) and len(word) < 10 for word in head):
        return False
    rows, columns = int(head[0]), int(head[1])
    if rows < 1 or columns < 1 or rows + columns > len(source.text):
        return False
    values = source.integers
    if values is None or values.min() < 0:
        return False
    layout = _Layout.of(rows, columns, by_rows)
    places = layout.walk(values)
    if places is None:
        return False
    owner, index, _ = layout.members(places, values)
    if not index.size or index.min() < 1 or index.max() > layout.largest:
        return False
    return len(np.unique(owner if by_rows else index)) == rows


def _same(source: Source) -> bool:
    try:
        return read_rows(source) == read_columns(source)
    except InputError:
        return False


def write_rows(instance: Instance) -> str:
    assert isinstance(instance, SetCover)
    start, column = instance.by_row()
    lines = [f"{instance.rows} {instance.columns}", *wrapped(list(map(str, instance.cost.tolist())))]
    for i in range(instance.rows):
        members = (column[start[i] : start[i + 1]] + 1).tolist()
        lines += [str(len(members)), *wrapped(list(map(str, members)))]
    return "\n".join(lines) + "\n"


def write_columns(instance: Instance) -> str:
    assert isinstance(instance, SetCover)
    start = instance.column_start
    lines = [f"{instance.rows} {instance.columns}"]
    for j, cost in enumerate(instance.cost.tolist()):
        members = (instance.column_row[start[j] : start[j + 1]] + 1).tolist()
        lines.append(" ".join(map(str, [cost, len(members), *members])))
    return "\n".join(lines) + "\n"


SCP = Format(
    name="scp",
    title="set covering: OR-Library scp, by rows",
    extensions=(".scp", ".txt"),
    kinds=("setcover",),
    sniff=sniff_rows,
    read=read_rows,
    write=write_rows,
)

RAIL = Format(
    name="rail",
    title="set covering: OR-Library rail, by columns",
    extensions=(".rail", ".txt"),
    kinds=("setcover",),
    sniff=sniff_columns,
    read=read_columns,
    write=write_columns,
)
