"""Multidimensional knapsack files of the OR-Library.

An instance is ``n m best`` (0 if unknown), ``n`` profits, ``m`` rows of ``n`` weights and ``m`` capacities.  The files
mknap1 and mknapcb1 to 9 hold several, with their number in front; splits of them hold one, without it.
"""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import Stream, choose, decimal, digits, placed, wrapped
from combopt.instances.mkp import Mkp
from combopt.instances.text import Source
from combopt.model import Instance


def sniff(source: Source) -> bool:
    """A line of three numbers, or of one and then three, whose sizes account for every number of the file."""
    head = [line.split() for line in source.text[:300].splitlines() if line.strip()][:2]
    widths = [len(words) for words in head]
    if widths[:1] != [3] and widths != [1, 3]:
        return False
    if not all(digits(word[:9].replace(".", "")) and word[0] != "." for words in head for word in words):
        return False
    try:
        stream = Stream(source)
        starts = _starts(stream, widths[0] == 1)
        return all(_plausible(stream, start) for start in starts)
    except InputError:
        return False


def _plausible(stream: Stream, start: int) -> bool:
    n = stream.whole(start, "n")
    best = stream.exact(slice(start + 2, start + 3), "best")
    profit = stream.exact(slice(start + 3, start + 3 + n), "profit")
    value = best[0][0] / best[1]
    return bool(value == 0 or profit[0].min() <= value * profit[1] <= profit[0].sum())


def _starts(stream: Stream, counted: bool) -> list[int]:
    """Where each instance begins; raises if the file ends too early or goes on after the last."""
    count = stream.count(0, "instances") if counted else 1
    position = 1 if counted else 0
    starts = []
    for k in range(count):
        starts.append(position)
        what = f"the end of instance {k + 1} of {count}"
        stream.need(position + 3, what)
        n = stream.count(position, "items")
        m = stream.count(position + 1, "capacities")
        if 2 * n * m > len(stream.source.text):
            stream.source.room(n * m, stream.line(position), "weights")
        position += 3 + n + n * m + m
        stream.need(position, what)
    stream.end(position)
    return starts


def read(source: Source) -> Instance:
    stream = Stream(source)
    first = next(line for line in source.lines if line.strip()).split()
    starts = _starts(stream, len(first) == 1)
    names = [f"{source.stem}-{k}" for k in range(1, len(starts) + 1)] if len(first) == 1 else [source.stem]
    if len(starts) == 1:
        names = [source.stem]
    k = choose(source, names)
    at = starts[k]
    n, m = stream.whole(at, "n"), stream.whole(at + 1, "m")
    profit, profit_scale = stream.exact(slice(at + 3, at + 3 + n), "a profit")
    weight, weight_scale = stream.exact(slice(at + 3 + n, at + 3 + n + n * m + m), "a weight or a capacity")
    try:
        return Mkp(
            name=names[k],
            profit=profit,
            weight=weight[: n * m].reshape(m, n),
            capacity=weight[n * m :],
            profit_scale=profit_scale,
            weight_scale=weight_scale,
        )
    except InputError as error:
        raise placed(source, error, stream.line(at)) from None


def write(instance: Instance) -> str:
    """One instance without a leading number; its best value is written as 0, unknown."""
    assert isinstance(instance, Mkp)
    lines = [f"{instance.items} {len(instance.capacity)} 0"]
    lines += wrapped([decimal(v, instance.profit_scale) for v in instance.profit.tolist()])
    for row in [*instance.weight, np.asarray(instance.capacity)]:
        lines += wrapped([decimal(v, instance.weight_scale) for v in row.tolist()])
    return "\n".join(lines) + "\n"


MKP = Format(
    name="mkp",
    title="multidimensional knapsack: OR-Library mknap and splits of it",
    extensions=(".mkp", ".dat", ".txt"),
    kinds=("mkp",),
    sniff=sniff,
    read=read,
    write=write,
)
