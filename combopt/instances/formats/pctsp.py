"""Prize-collecting salesman instances ``.pctsp``: a line of n prizes, a line of n penalties, n lines of n distances.

Node 1 is the depot.  The format knows no minimum prize: it comes from the option ``min_prize``.  A last line
``# min_prize 386``, which other readers of these files pass over as a comment, is written and understood here.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.formats.base import Format
from combopt.instances.metric import Metric
from combopt.instances.pctsp import Pctsp
from combopt.instances.prizes import LARGEST, exact_sum
from combopt.instances.text import Source
from combopt.model import Instance, Ints

MARK = "# min_prize"
_PLAIN = frozenset("0123456789 \t\r\n")
DEFAULT = "0.5"
"""Share of all prizes that is the minimum where nothing says otherwise."""


def read(source: Source) -> Pctsp:
    rows, remark = _lines(source)
    if len(rows) < 2:
        raise source.error("E111", rows[-1] if rows else 0, f"{len(rows)} lines of numbers", "prizes and penalties")
    nodes = len(source.lines[rows[0] - 1].split())
    source.room(nodes * (nodes + 2), rows[0], "numbers")
    prize = _row(source, rows[0], nodes, "prize")
    penalty = _row(source, rows[1], nodes, "penalty")
    if len(rows) != nodes + 2:
        at = rows[nodes + 2] if len(rows) > nodes + 2 else rows[-1]
        raise source.error("E115", at, f"{len(rows) - 2} lines of distances", f"{nodes} lines")
    matrix = np.array([_row(source, line, nodes, "distance") for line in rows[2:]], dtype=np.int64)
    try:
        metric = Metric(rule="EXPLICIT", matrix=matrix)
        minimum = _minimum(source, remark, exact_sum(prize))
        return Pctsp(name=source.stem, metric=metric, prize=prize, penalty=penalty, min_prize=minimum)
    except InputError as error:
        if error.place is not None:
            raise
        line = _asymmetric_row(matrix, rows)
        raise source.error(error.code, line, error.found, error.expected, error.remedy) from None


def _lines(source: Source) -> tuple[list[int], int]:
    """The numbers of the lines that hold data, and of the remark (0 if there is none)."""
    rows, remark = [], 0
    for number, line in enumerate(source.lines, 1):
        text = line.strip()
        if text.startswith("#"):
            if not text.startswith(MARK):
                raise source.error("E112", number, f"{text[:40]!r}", f"numbers, or {MARK} with a value")
            if remark:
                raise source.error("E116", number, f"a second minimum prize, first in line {remark}")
            remark = number
        elif text:
            rows.append(number)
    return rows, remark


def _row(source: Source, line: int, nodes: int, what: str) -> Ints:
    values = source.wholes(line, line, f"a {what}")
    if len(values) != nodes:
        raise source.error("E115", line, f"{len(values)} numbers in the line", f"{nodes}, a {what} for every node")
    wrong = (values < 0) | (values > LARGEST)
    if wrong.any():
        raise source.error("E114", line, f"a {what} is {values[wrong][0]}", f"0 to {LARGEST}")
    return values


def _asymmetric_row(matrix: Ints, rows: list[int]) -> int:
    differs = np.flatnonzero((matrix != matrix.T).any(axis=1))
    return rows[2 + int(differs[-1])] if differs.size else 0


def _minimum(source: Source, remark: int, total: int) -> int:
    """The minimum prize: from the option, else from the remark in the file, else ``DEFAULT`` with a warning."""
    option = source.options.min_prize
    if option is not None:
        return minimum_prize(option, total)
    if remark:
        text = source.lines[remark - 1].strip().removeprefix(MARK).strip()
        return source.whole(text, remark, "the minimum prize", 0, LARGEST)
    minimum = minimum_prize(DEFAULT, total)
    source.warn("E118", 0, f"the file states no minimum prize: half of all, {minimum}, is taken; option min_prize")
    return minimum


def minimum_prize(option: str, total: int) -> int:
    """A whole number as it is; a share such as ``0.5`` of ``total``, rounded up.

    Raises
    ------
    UsageError
        E201 for anything else.
    """
    text = str(option).strip()
    try:
        if text.isascii() and text.isdigit() and len(text) < 30:
            return int(text)
        share = Fraction(text) if len(text) < 30 and "e" not in text.lower() else Fraction(-1)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise UsageError("E201", f"min_prize = {option!r}", expected="a whole number, or a share from 0.0 to 1.0")
    return -int(-share * total // 1)


def write(instance: Instance) -> str:
    """The file; E119 unless distances are whole numbers in units of length."""
    assert isinstance(instance, Pctsp)
    if not instance.metric.integral or instance.metric.unit != 1:
        raise InputError("E119", f"the format has no distances {instance.metric.words}", remedy="Write it as JSON.")
    rows = [instance.prize.tolist(), [], instance.penalty.tolist(), [], *instance.metric.full().tolist()]
    lines = ["", *(" ".join(map(str, row)) for row in rows), f"{MARK} {instance.min_prize}"]
    return "\n".join([*lines[:2], "", *lines[2:4], "", *lines[4:]]) + "\n"


def sniff(source: Source) -> bool:
    """Whole numbers in n + 2 lines of n; with the extension ``.pctsp``, any file that begins with a number."""
    if source.suffix == ".pctsp":
        return source.text.split(None, 1)[0].isdigit()
    nodes = len(source.text[:2000].lstrip().partition("\n")[0].split())
    if nodes < 1 or 2 * nodes * nodes > len(source.text) or set(source.text[:200].partition("#")[0]) - _PLAIN:
        return False
    widths = [len(line.split()) for line in source.lines if line.strip() and not line.startswith(MARK)]
    return len(widths) > 2 and set(widths) == {len(widths) - 2} and not set(source.text.replace(MARK, "")) - _PLAIN


PCTSP = Format(
    name="pctsp",
    title="prize-collecting travelling salesman: prizes, penalties, distance matrix",
    extensions=(".pctsp",),
    kinds=("pctsp",),
    sniff=sniff,
    read=read,
    write=write,
)
