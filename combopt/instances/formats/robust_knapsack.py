"""Robust knapsack files of Arslan and Detienne: ``n C Gamma``, then ``p_bar p_hat t c f`` for every item."""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import Stream, choose, decimal, digits, placed
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.text import Source
from combopt.model import Floats, Instance, show

FIELDS = 5
HEAD = 3


def sniff(source: Source) -> bool:
    """Three numbers in the first line, the first a whole one, then five in as many lines as that says."""
    head = source.text[:200].lstrip().splitlines()
    words = head[0].split() if head else []
    if len(words) != HEAD or not digits(words[0]) or len(words[0]) > 9:
        return False
    n = int(words[0])
    if n < 1 or 2 * FIELDS * n > len(source.text):
        return False
    lines = [line for line in source.lines if line.strip()]
    if len(lines) != n + 1 or any(len(line.split()) != FIELDS for line in lines[1:]):
        return False
    try:
        Stream(source).exact(np.arange(1, HEAD), "number")
        for word in lines[1].split():
            source.real(word, 2, "a number")
    except InputError:
        return False
    return True


def read(source: Source) -> Instance:
    stream = Stream(source)
    choose(source, [source.stem])
    n = stream.count(0, "items")
    end = HEAD + FIELDS * n
    stream.need(end, f"the last of {n} items")
    capacity, scale = stream.exact(slice(1, 2), "the capacity")
    budget = source.real(stream.word(2), stream.line(2), "the budget of uncertainty", 0.0)
    repair, repair_scale = stream.exact(np.arange(HEAD + 2, end, FIELDS), "a repair weight")
    weight, weight_scale = stream.exact(np.arange(HEAD + 3, end, FIELDS), "a weight")
    all_ = max(scale, repair_scale, weight_scale)
    stream.end(end)

    def reals(column: int, what: str, low: float | None = None) -> Floats:
        found = []
        for i in range(HEAD + column, end, FIELDS):
            try:
                found.append(source.real(stream.word(i), 0, what, low))
            except InputError:  # again, with the line, which takes a while to find
                source.real(stream.word(i), stream.line(i), what, low)
        return np.array(found)

    profit, deviation = reals(0, "a profit"), reals(1, "a deviation", 0.0)
    outsourcing = reals(4, "a cost of outsourcing")
    try:
        return RobustKnapsack(
            name=source.stem,
            profit=profit,
            deviation=deviation,
            repair=repair * (all_ // repair_scale),
            weight=weight * (all_ // weight_scale),
            outsourcing=outsourcing,
            capacity=int(capacity[0]) * (all_ // scale),
            budget=budget,
            weight_scale=all_,
        )
    except InputError as error:
        raise placed(source, error) from None


def write(instance: Instance) -> str:
    assert isinstance(instance, RobustKnapsack)
    scale = instance.weight_scale
    lines = [f"{instance.items} {decimal(instance.capacity, scale)} {_number(instance.budget)}"]
    for i in range(instance.items):
        repair, weight = decimal(int(instance.repair[i]), scale), decimal(int(instance.weight[i]), scale)
        profit, deviation, cost = (
            _number(float(values[i])) for values in (instance.profit, instance.deviation, instance.outsourcing)
        )
        lines.append(f"{profit} {deviation} {repair} {weight} {cost}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """A number that reads back as the same: without a point where it is whole."""
    return show(value) if value.is_integer() and abs(value) < 2**53 else repr(value)


ROBUST_KNAPSACK = Format(
    name="robust_knapsack",
    title="robust knapsack of Arslan and Detienne: n C Gamma, then p_bar p_hat t c f",
    extensions=(".rkp", ".txt"),
    kinds=("robust_knapsack",),
    sniff=sniff,
    read=read,
    write=write,
)
