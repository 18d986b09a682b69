"""Packings: a line of items, numbered from 1, for every bin; or one bin number on a line for every item.

A line ``objective v`` may come first; lines that begin with ``#`` say nothing.  A file of as many lines as there are
items, each with one number, gives bin numbers; anything else gives items.  (Where the lines could be read as bins of
one item each, both mean the same.)
"""

from __future__ import annotations

import numpy as np

from combopt.instances.binpacking import BinPacking
from combopt.instances.formats.base import SolutionFormat
from combopt.instances.formats.selection import Token, body, claim, looks_numeric
from combopt.instances.solutions import Assignment
from combopt.instances.text import Source
from combopt.model import Instance, Solution


def read(source: Source, instance: Instance) -> Solution:
    """Items that no bin holds are assigned to bin -1, for the check to name."""
    assert isinstance(instance, BinPacking)
    lines = body(source)[0]
    if not lines:
        raise source.error("E118", 0, "there are no bins", "a line of items for every bin")
    n = instance.items
    if len(lines) == n and all(len(line) == 1 for line in lines):
        return Assignment([source.whole(w, k, "a bin", 0, 2**62) for ((w, k),) in lines])  # type: ignore[arg-type]
    return Assignment(_groups(source, lines, n))


def _groups(source: Source, lines: list[list[Token]], n: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    groups = np.full(n, -1, dtype=np.int64)
    for bin_, line in enumerate(lines):
        for word, number in line:
            item = source.whole(word, number, "an item")
            if not 1 <= item <= n:
                raise source.error("E117", number, f"item {word[:40]}", f"items count from 1 to {n}")
            if groups[item - 1] >= 0:
                raise source.error("E116", number, f"item {item} is packed twice, first in bin {groups[item - 1] + 1}")
            groups[item - 1] = bin_
    return groups


def write(solution: Solution, instance: Instance) -> str:
    """The number of bins, then a line of items for every bin."""
    assert isinstance(solution, Assignment)
    lines = [f"objective {instance.evaluate(solution).objective}"]
    groups = solution.groups
    for bin_ in np.unique(groups[groups >= 0]).tolist():
        lines.append(" ".join(str(i + 1) for i in np.flatnonzero(groups == bin_).tolist()))
    return "\n".join(lines) + "\n"


BINS = SolutionFormat(
    name="bins",
    title="a line of items for every bin, numbered from 1, or a bin for every item",
    extensions=(".sol", ".txt"),
    kinds=("binpacking",),
    sniff=looks_numeric,
    read=read,
    write=write,
    claim=claim,
)
