"""Orienteering problems as Tsiligirides (1984) and Chao, Golden and Wasil (1996) used them.

The first line is ``Tmax P`` (largest length, number of paths), every other one ``x y score``.  The first point is
the start.  The end is the second point or the last one, by the habit of the set: whichever scores nothing.  An open
path, Euclidean lengths in double precision.
"""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.prizes import LARGEST
from combopt.instances.text import Source
from combopt.model import Instance, Ints

MOST_PATHS = 9
"""A larger second number is no number of paths; the file is then of another format."""


def _rows(source: Source) -> list[tuple[int, list[str]]]:
    return [(number, line.split()) for number, line in enumerate(source.lines, 1) if line.strip()]


def read(source: Source) -> Op:
    head, *rows = _rows(source)
    if len(head[1]) != 2:
        raise source.error("E123", head[0], f"{len(head[1])} entries in the first line", "Tmax and number of paths")
    limit = source.real(head[1][0], head[0], "Tmax", low=0)
    paths = source.whole(head[1][1], head[0], "the number of paths", 1)
    if paths > 1:
        raise source.error("E119", head[0], f"{paths} paths (team orienteering)", "1 path")
    if len(rows) < 2:
        raise source.error("E111", rows[-1][0] if rows else head[0], f"{len(rows)} points", "a start and an end")
    for number, row in rows:
        if len(row) != 3:
            raise source.error("E115", number, f"{len(row)} entries in a line", "x, y and score")
    points = [[source.real(token, number, "a coordinate") for token in row[:2]] for number, row in rows]
    prize = np.array([source.whole(row[2], number, "a score", 0, LARGEST) for number, row in rows], dtype=np.int64)
    end = _end(source, prize, rows[-1][0])
    try:
        metric = Metric(rule="EXACT_2D", coordinates=np.array(points))
        return Op(name=source.stem, metric=metric, prize=prize, limit=limit, end=end)
    except InputError as error:
        raise source.error(error.code, 0, error.found, error.expected, error.remedy) from None


def _end(source: Source, prize: Ints, line: int) -> int:
    """The index of the end: the second point or the last, whichever scores nothing."""
    candidates = sorted({i for i in (1, len(prize) - 1) if prize[i] == 0})
    if len(candidates) != 1:
        words = "both the second and the last point score" if candidates else "neither the second nor the last scores"
        raise source.error(
            "E120", line, f"the end of the path is not clear: {words} nothing", "one of them with score 0",
            "Write the instance as JSON with 'end'.",
        )  # fmt: skip
    return candidates[0]


def sniff(source: Source) -> bool:
    """``Tmax P`` and then triples whose first one, and the second or last one, score nothing."""
    head = source.text[:2000].lstrip().partition("\n")[0].split()
    try:
        limit, paths = [float(token) for token in head]
        if not (limit >= 0 and 1 <= paths <= MOST_PATHS):
            return False
        rows = [row for _, row in _rows(source)][1:]
        if len(rows) < 2 or any(len(row) != 3 for row in rows):
            return False
        ends = [float(rows[i][2]) for i in (0, 1, -1)]
    except ValueError:
        return False
    # "n m" with m edges "u v weight" after it looks the same, but for the number of its lines
    return paths != len(rows) and ends[0] == 0 and 0 in ends[1:]


def write(instance: Instance) -> str:
    """The file, the end last; E119 unless it is an open path in exact Euclidean distances from node 1 to the last.

    Also E119 where a reader could not tell the end: it must score nothing, and the second point must not.
    """
    assert isinstance(instance, Op)
    last = instance.nodes - 1
    if instance.metric.rule != "EXACT_2D" or (instance.depot, instance.end) not in ((0, 1), (0, last)):
        raise InputError(
            "E119", "this format holds open paths from the first point to the second or last, exact Euclidean alone",
            remedy="Write it as OPLib or JSON.",
        )  # fmt: skip
    zeros = {i for i in (1, last) if instance.prize[i] == 0}
    if zeros != {instance.end} or instance.prize[0] != 0:
        raise InputError("E119", "start and end must score nothing here, and nothing else", remedy="Write it as JSON.")
    assert instance.metric.coordinates is not None
    lines = [f"{instance.limit} 1"]
    points = zip(instance.metric.coordinates.tolist(), instance.prize.tolist(), strict=True)
    return "\n".join([*lines, *(f"{x!r}\t{y!r}\t{prize}" for (x, y), prize in points)]) + "\n"


CHAO = Format(
    name="chao",
    title="orienteering problems of Tsiligirides and of Chao (Tmax P, then x y score)",
    extensions=(".txt", ".op"),
    kinds=("op",),
    sniff=sniff,
    read=read,
    write=write,
)
