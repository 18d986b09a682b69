"""Knapsack files in Pisinger's manner.

``pisinger`` is the plain form in which copies of his instances go round: ``n C``, then ``n`` pairs ``profit weight``,
then at times an optimal solution as ``n`` zeros and ones, which is checked and left aside.  ``pisinger_csv`` are the
files of his own generator: blocks of a name, ``n``, ``c``, ``z``, ``time`` and lines ``id,profit,weight,x``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import Stream, choose, decimal, digits, placed
from combopt.instances.knapsack import Knapsack
from combopt.instances.text import Source
from combopt.model import Instance, Ints

_HEADS = ("n", "c", "z", "time")
_ITEM = re.compile(r"\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*$", re.ASCII)


def sniff(source: Source) -> bool:
    """``n C`` and as many pairs as ``n`` says, with or without ``n`` zeros and ones after them."""
    head = source.text[:200].split()
    if len(head) < 4 or not digits(head[0]) or len(head[0]) > 9:
        return False
    n = int(head[0])
    if n < 1 or 4 * n > len(source.text):
        return False
    try:
        stream = Stream(source)
        size = len(stream)
        if size not in (2 + 2 * n, 2 + 3 * n) or stream.exact(slice(1, 2), "capacity")[0][0] < 0:
            return False
        if size == 2 + 3 * n and stream.wholes(slice(2 + 2 * n, size), "x", 0, 1).size != n:
            return False
        first = stream.exact(slice(2, 2 + 2 * n, 2), "profit")[0]
        second = stream.exact(slice(3, 2 + 2 * n, 2), "weight")[0]
    except InputError:
        return False
    # one machine alone makes a job shop table, and n edges among n nodes a graph, of the same shape
    one_machine = not first.any() and stream.word(1) == "1"
    graph = stream.word(1) == head[0] and min(first.min(), second.min()) >= 1 and max(first.max(), second.max()) <= n
    return not (one_machine or graph)


def read(source: Source) -> Instance:
    stream = Stream(source)
    choose(source, [source.stem])
    n = stream.count(0, "items")
    stream.need(2 + 2 * n, f"the last of {n} items")
    profit, profit_scale = stream.exact(slice(2, 2 + 2 * n, 2), "a profit")
    places = np.concatenate([[1], np.arange(3, 2 + 2 * n, 2)])
    weight, weight_scale = stream.exact(places, "a weight or the capacity")
    try:
        instance = Knapsack(
            name=source.stem,
            profit=profit,
            weight=weight[1:],
            capacity=int(weight[0]),
            profit_scale=profit_scale,
            weight_scale=weight_scale,
        )
    except InputError as error:
        raise placed(source, error) from None
    if len(stream) == 2 + 3 * n:
        _check_vector(stream, instance, 2 + 2 * n)
    else:
        stream.end(2 + 2 * n)
    return instance


def _check_vector(stream: Stream, instance: Knapsack, first: int) -> None:
    chosen = stream.wholes(slice(first, first + instance.items), "a part of the solution vector", 0, 1)
    if int(instance.weight[chosen == 1].sum()) > instance.capacity:
        stream.source.warn("E120", stream.line(first), "the solution vector in the file exceeds the capacity")


def write(instance: Instance) -> str:
    assert isinstance(instance, Knapsack)
    lines = [f"{instance.items} {decimal(instance.capacity, instance.weight_scale)}"]
    for profit, weight in zip(instance.profit.tolist(), instance.weight.tolist(), strict=True):
        lines.append(f"{decimal(profit, instance.profit_scale)} {decimal(weight, instance.weight_scale)}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Block:
    """The lines of one instance of a CSV file, from 1: its name in ``head``, items from ``first``."""

    name: str
    head: int
    values: dict[str, str]
    first: int


def sniff_csv(source: Source) -> bool:
    """A name, then lines ``n``, ``c``, ``z`` and ``time``, then four numbers between commas."""
    lines = [line.strip() for line in source.text[:2000].splitlines() if line.strip()][:6]
    if len(lines) < 6 or len(lines[0].split()) != 1:
        return False
    words = [line.split() for line in lines[1:5]]
    heads = all(len(w) == 2 and w[0] == key for w, key in zip(words, _HEADS, strict=True))
    return heads and _ITEM.match(lines[5]) is not None


def read_csv(source: Source) -> Instance:
    blocks = _blocks(source)
    block = blocks[choose(source, [b.name for b in blocks])]
    n = source.whole(block.values["n"], block.head + 1, "n", 1)
    source.room(n, block.head + 1, "items", 8)
    capacity = source.whole(block.values["c"], block.head + 2, "c", 0)
    table = np.array([_item(source, block.first + k, k) for k in range(n)], dtype=np.int64)
    after = block.first + n
    rest = source.lines[after - 1].strip() if after <= len(source.lines) else ""
    if rest and not rest.startswith("-"):
        raise source.error("E115", after, f"{rest[:40]!r} after {n} items", "a line of dashes")
    try:
        instance = Knapsack(name=block.name, profit=table[:, 0], weight=table[:, 1], capacity=capacity)
    except InputError as error:
        raise placed(source, error, block.head) from None
    _check_claim(source, block, instance, table[:, 2])
    return instance


def _blocks(source: Source) -> list[_Block]:
    found = []
    lines = source.lines
    number = 0
    while number < len(lines):
        text = lines[number].strip()
        number += 1
        if not text or text.startswith("-") or _ITEM.match(text):
            continue
        values = {}
        for offset, key in enumerate(_HEADS):
            words = lines[number + offset].split() if number + offset < len(lines) else []
            if len(words) != 2 or words[0] != key:
                line = min(number + offset + 1, len(lines))
                raise source.error(
                    "E123", line, f"{' '.join(words)[:40]!r} after {text[:40]!r}", f"a line '{key} ...'"
                )
            values[key] = words[1]
        found.append(_Block(text, number, values, number + len(_HEADS) + 1))
        number += len(_HEADS)
        while number < len(lines) and (rest := lines[number].strip()) and not rest.startswith("-"):
            if not _ITEM.match(rest):
                raise source.error("E123", number + 1, f"{rest[:40]!r} as an item", "id,profit,weight,x")
            number += 1
    if not found:
        raise source.error("E118", 0, "there is no instance in the file")
    return found


def _item(source: Source, line: int, index: int) -> tuple[int, int, int]:
    text = source.lines[line - 1] if line <= len(source.lines) else ""
    match = _ITEM.match(text)
    if match is None:
        if not text.strip() or text.strip().startswith("-"):
            raise source.error("E111", min(line, len(source.lines)), f"the instance ends after {index} items")
        raise source.error("E123", line, f"{text.strip()[:40]!r} as an item", "id,profit,weight,x")
    source.whole(match[1], line, "the number of the item", index + 1, index + 1)
    profit = source.whole(match[2], line, "a profit", 0, 2**62)
    weight = source.whole(match[3], line, "a weight", 0, 2**62)
    return profit, weight, source.whole(match[4], line, "x", 0, 1)


def _check_claim(source: Source, block: _Block, instance: Knapsack, x: Ints) -> None:
    value, weight = int(instance.profit[x == 1].sum()), int(instance.weight[x == 1].sum())
    claimed = source.whole(block.values["z"], block.head + 3, "z")
    if x.any() and (value != claimed or weight > instance.capacity):
        source.warn(
            "E120", block.head + 3, f"z is {claimed}, but the solution given has profit {value}, weight {weight}"
        )


PISINGER = Format(
    name="pisinger",
    title="knapsack: n C, then pairs of profit and weight",
    extensions=(".kp", ".txt"),
    kinds=("knapsack",),
    sniff=sniff,
    read=read,
    write=write,
)

PISINGER_CSV = Format(
    name="pisinger_csv",
    title="knapsack: blocks of Pisinger's generator",
    extensions=(".csv",),
    kinds=("knapsack",),
    sniff=sniff_csv,
    read=read_csv,
)
