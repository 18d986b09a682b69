"""A cheap upper bound for orienteering: the fractional knapsack of nodes by half of their two shortest edges.

Every node of a tour of three or more nodes has two different edges on it, and the length of the tour is half of the
sum of these over its nodes; so no tour within the limit collects more than the knapsack whose items are the nodes,
with half the sum of their two shortest edges as weight.  Leifer and Rosenwein (1994) and Fischetti, Salazar Gonzalez
and Toth (1998) build on the same relaxation.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cmp_to_key

import numpy as np

from combopt.instances.op import Op
from combopt.model import Ints


def op_bound(instance: Op, nearest: Ints, second: Ints, scale: Fraction) -> int:
    """The bound, computed in exact arithmetic.

    Parameters
    ----------
    nearest, second
        ``int64[n]``: the least and the second least distance of each node to another node, or less, in steps.
    scale
        Steps per unit of length.
    """
    prize = instance.prize
    fixed = {instance.depot} if instance.end is None else {instance.depot, instance.end}
    double = nearest + second
    room = 2 * Fraction(instance.limit) * scale
    for node in fixed:
        room -= int(double[node]) if instance.end is None else int(nearest[node])
    free = np.array([v for v in range(instance.nodes) if v not in fixed and prize[v] > 0], dtype=np.int64)
    own = sum(int(prize[v]) for v in fixed)
    value = own + (_knapsack(prize[free].tolist(), double[free].tolist(), room) if room >= 0 else 0)
    if instance.end is None and free.size:
        # A tour of two nodes uses one edge twice: best node there and back.
        value = max(value, own + int(prize[free].max()))
    return value


def _knapsack(prizes: list[int], weights: list[int], room: Fraction) -> int:
    """The fractional knapsack, rounded down."""

    def compare(a: tuple[int, int], b: tuple[int, int]) -> int:
        return a[1] * b[0] - b[1] * a[0]

    total = Fraction(0)
    for prize, weight in sorted(zip(prizes, weights, strict=True), key=cmp_to_key(compare)):
        if weight > room:
            total += prize * room / weight
            break
        room -= weight
        total += prize
    return int(total)
