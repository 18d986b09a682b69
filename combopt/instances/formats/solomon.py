"""Solomon's and Gehring and Homberger's files of vehicle routing with time windows.

Distances are truncated to one decimal unless another rounding is asked for: the convention of CVRPLIB and of the
DIMACS challenge 2021, under which total distance is minimised.
"""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.formats.base import Format
from combopt.instances.formats.vrplib import fleet_limit, number
from combopt.instances.metric import Metric
from combopt.instances.routing import LARGEST
from combopt.instances.text import Source
from combopt.instances.vrptw import Vrptw
from combopt.model import Floats, Instance, Ints

COLUMNS = ("customer number", "x", "y", "demand", "ready time", "due date", "service time")
_RULES = {"auto": "DIMACS_2D", "dimacs": "DIMACS_2D", "exact": "EXACT_2D", "nint": "EUC_2D"}


def read(source: Source) -> Instance:
    if _is_li_lim(source):
        raise source.error("E119", 1, "a pickup and delivery instance of Li and Lim", "Solomon's format")
    rule = _RULES.get(source.options.rounding)
    if rule is None:
        raise UsageError("E201", f"rounding {source.options.rounding!r}", expected=", ".join(_RULES))
    filled = [(number, line.split()) for number, line in enumerate(source.lines, 1) if line.strip()]
    _words(source, filled, 1, "VEHICLE", "NUMBER CAPACITY")
    vehicles, capacity = _fleet(source, filled)
    _words(source, filled, 4, "CUSTOMER", "CUST")
    if len(filled) < 7:
        raise source.error("E111", len(source.lines), "the file ends before the depot")
    first = filled[6][0]
    table = _table(source, first, len(filled) - 6)
    _check_columns(source, table, first)
    table = table[_order(source, table[:, 0].astype(np.int64), first)]
    name = " ".join(filled[0][1])
    try:
        return Vrptw(
            name=name,
            metric=Metric(rule=rule, coordinates=table[:, 1:3]),
            demand=table[:, 3].astype(np.int64),
            capacity=capacity,
            vehicles=fleet_limit(source, name, vehicles),
            ready=table[:, 4],
            due=table[:, 5],
            service=table[:, 6],
        )
    except InputError as error:
        raise source.error(error.code, first, error.found, error.expected, error.remedy) from None


def _words(source: Source, filled: list[tuple[int, list[str]]], first: int, *expected: str) -> None:
    """Check that the filled lines from index ``first`` on begin with the words expected."""
    for index, words in enumerate(expected, first):
        if index >= len(filled):
            raise source.error("E111", len(source.lines), "the file ends in its header", words)
        line, tokens = filled[index]
        if [token.upper() for token in tokens[: len(words.split())]] != words.split():
            raise source.error("E123", line, f"{' '.join(tokens)[:40]!r}", words)


def _fleet(source: Source, filled: list[tuple[int, list[str]]]) -> tuple[int, int]:
    if len(filled) < 4:
        raise source.error("E111", len(source.lines), "the file ends in its header", "the number of vehicles")
    line, tokens = filled[3]
    if len(tokens) != 2:
        raise source.error("E123", line, f"{' '.join(tokens)[:40]!r}", "the number of vehicles and their capacity")
    return (
        source.whole(tokens[0], line, "the number of vehicles", 0, LARGEST),
        source.whole(tokens[1], line, "the capacity", 0, LARGEST),
    )


def _table(source: Source, first: int, rows: int) -> Floats:
    """The customers as ``float64[rows, 7]``; every line must hold seven numbers."""
    columns = len(COLUMNS)
    lines = source.lines[first - 1 :]
    if any(len(line.split()) not in (0, columns) for line in lines):
        for line, text in enumerate(lines, first):
            tokens = text.split()
            if tokens and len(tokens) != columns:
                raise source.error("E123", line, f"{len(tokens)} entries", f"{columns}: {', '.join(COLUMNS)}")
    values = source.reals(first, len(source.lines), "a number")
    return values.reshape(rows, columns)


def _check_columns(source: Source, table: Floats, first: int) -> None:
    whole = (0, 3)
    wrong = (table[:, whole] != np.floor(table[:, whole])).any(axis=1) | (table[:, (0, 3, 4, 5, 6)] < 0).any(axis=1)
    wrong |= (table[:, (0, 3, 4, 5, 6)] > LARGEST).any(axis=1) | (table[:, 4] > table[:, 5])
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    line = _line_of_row(source, first, row)
    tokens = source.lines[line - 1].split()
    for column in whole:
        source.whole(tokens[column], line, f"the {COLUMNS[column]}", 0, LARGEST)
    for column in (4, 5, 6):
        if source.real(tokens[column], line, f"the {COLUMNS[column]}", 0.0) > LARGEST:
            raise source.error("E114", line, f"the {COLUMNS[column]} is {tokens[column][:40]}", f"at most {LARGEST}")
    raise source.error("E120", line, f"the time window {tokens[4]} to {tokens[5]} ends before it begins")


def _order(source: Source, ids: Ints, first: int) -> Ints:
    """The rows in the order of their numbers 0..n-1, which must all be there."""
    order = np.argsort(ids, kind="stable")
    expected = np.arange(len(ids))
    if np.array_equal(ids[order], expected):
        return order
    seen: set[int] = set()
    for row, label in enumerate(ids.tolist()):
        line = _line_of_row(source, first, row)
        if label >= len(ids):
            raise source.error("E117", line, f"customer {label} among {len(ids)} lines", f"0 to {len(ids) - 1}")
        if label in seen:
            raise source.error("E116", line, f"customer {label} comes twice")
        seen.add(label)
    raise AssertionError("numbers within 0..n-1 without a double are all of them")


def _line_of_row(source: Source, first: int, row: int) -> int:
    return source.line_of_token(row * len(COLUMNS), first)


def write(instance: Instance) -> str:
    """Solomon's text; a free fleet becomes as many vehicles as there are customers, which limits nothing.

    Raises
    ------
    UsageError
        E205 unless distances are truncated to one decimal: the format has no room to say otherwise.
    """
    assert isinstance(instance, Vrptw)
    coordinates = instance.metric.coordinates
    if instance.metric.rule != "DIMACS_2D" or coordinates is None:
        raise UsageError(
            "E205", f"Solomon's format cannot say: distances {instance.metric.words}",
            remedy="Write a .vrp file instead.",
        )  # fmt: skip
    fleet = instance.customers if instance.vehicles is None else instance.vehicles
    lines = [instance.name, "", "VEHICLE", "NUMBER     CAPACITY", f"{fleet:5d} {instance.capacity:10d}", ""]
    lines += ["CUSTOMER", "CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME", ""]
    rows = zip(
        coordinates.tolist(), instance.demand.tolist(), instance.ready.tolist(), instance.due.tolist(),
        instance.service.tolist(), strict=True,
    )  # fmt: skip
    for i, ((x, y), demand, *times) in enumerate(rows):
        lines.append(" ".join(f"{entry:>10}" for entry in (i, number(x), number(y), demand, *map(number, times))))
    return "\n".join(lines) + "\n"


def _is_li_lim(source: Source) -> bool:
    """Whether the file has the shape of Li and Lim's: three numbers, then lines of nine that begin with 0, 1, ..."""
    lines = [line.split() for line in source.lines[:4]]
    if len(lines) < 3 or [len(tokens) for tokens in lines[:3]] != [3, 9, 9]:
        return False
    tokens = lines[0] + lines[1] + lines[2]
    if not all(token.lstrip("-").isdecimal() for token in tokens):
        return False
    depot = lines[1]
    return depot[0] == "0" and lines[2][0] == "1" and {depot[i] for i in (3, 6, 7, 8)} == {"0"}


def _sniff(source: Source) -> bool:
    heads = [line.strip().upper() for line in source.lines[:20]]
    return ("VEHICLE" in heads and "CUSTOMER" in heads) or _is_li_lim(source)


SOLOMON = Format(
    name="solomon",
    title="Solomon and Gehring-Homberger time windows",
    extensions=(".txt",),
    kinds=("vrptw",),
    sniff=_sniff,
    read=read,
    write=write,
)
