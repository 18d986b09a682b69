"""Knapsack files of Jooken, Leyman and De Causmaecker: ``n``, then ``id profit weight`` for every item, then the
capacity."""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import Stream, choose, decimal, digits, placed
from combopt.instances.knapsack import Knapsack
from combopt.instances.text import Source
from combopt.model import Instance


def sniff(source: Source) -> bool:
    """``n`` alone on its line, three numbers for every item with consecutive ids, and one more."""
    head = source.text[:200].lstrip().splitlines()
    if not head or not digits(head[0].strip()) or len(head[0].strip()) > 9:
        return False
    n = int(head[0])
    if n < 1 or 6 * n > len(source.text):
        return False
    try:
        stream = Stream(source)
        if len(stream) != 3 * n + 2:
            return False
        ids = stream.wholes(slice(1, 3 * n + 1, 3), "id", 0, n)
        stream.exact(np.arange(2, 3 * n + 2), "number")
    except InputError:
        return False
    return bool(ids[0] in (0, 1) and (np.diff(ids) == 1).all())


def read(source: Source) -> Instance:
    stream = Stream(source)
    choose(source, [source.stem])
    n = stream.count(0, "items")
    stream.need(3 * n + 2, "the capacity, which follows the last item")
    base = stream.whole(1, "the first id", 0, 1)
    ids = stream.wholes(slice(1, 3 * n + 1, 3), "an id")
    wrong = np.flatnonzero(ids != np.arange(base, base + n))
    if wrong.size:
        k = int(wrong[0])
        raise source.error("E120", stream.line(1 + 3 * k), f"item {ids[k]} in place {k + base}", "consecutive ids")
    profit, profit_scale = stream.exact(slice(2, 3 * n + 1, 3), "a profit")
    weight, weight_scale = stream.exact(np.arange(3, 3 * n + 1, 3), "a weight")
    capacity, scale = stream.exact(slice(3 * n + 1, 3 * n + 2), "the capacity")
    both = max(scale, weight_scale)
    stream.end(3 * n + 2)
    try:
        return Knapsack(
            name=source.stem,
            profit=profit,
            weight=weight * (both // weight_scale),
            capacity=int(capacity[0]) * (both // scale),
            profit_scale=profit_scale,
            weight_scale=both,
        )
    except InputError as error:
        raise placed(source, error) from None


def write(instance: Instance) -> str:
    assert isinstance(instance, Knapsack)
    lines = [str(instance.items)]
    for i, (profit, weight) in enumerate(zip(instance.profit.tolist(), instance.weight.tolist(), strict=True)):
        lines.append(f"{i} {decimal(profit, instance.profit_scale)} {decimal(weight, instance.weight_scale)}")
    return "\n".join([*lines, decimal(instance.capacity, instance.weight_scale)]) + "\n"


JOOKEN = Format(
    name="jooken",
    title="knapsack: n, then id, profit and weight, the capacity last",
    extensions=(".in",),
    kinds=("knapsack",),
    sniff=sniff,
    read=read,
    write=write,
)
