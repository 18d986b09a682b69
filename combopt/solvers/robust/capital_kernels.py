"""The loops of :mod:`~combopt.solvers.robust.capital`, for :func:`~combopt.solvers.compiled.compiled`.

Given a first stage and a scenario, the best recourse is a knapsack with real weights: projects not yet chosen, their
costs in the scenario, the budget that is left.  A pool of scenarios gives every first stage an upper bound of its
worth, which guides a local search.

A function stands after those that it calls, and all are in one file: numba's cache on disk would not notice a change
of a function that is called from another file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]

SLACK = 1e-9
"""Relative error of a knapsack's value that its branch and bound leaves."""


class Pool(NamedTuple):
    """Scenarios, and what projects cost and bring in each.

    ``cost`` and ``profit`` are ``[s, n]``, ``order`` the projects by falling profit per cost in each scenario;
    ``turn`` the scenarios in the order in which they are looked at.  ``base`` and ``slope`` give the cost of a first
    stage where it is dearest: the sum of ``base`` and the absolute values of the sums of the columns of ``slope``.
    """

    cost: Points
    profit: Points
    order: Table
    turn: Ints
    base: Floats
    slope: Points
    late: float
    limit: float


def knapsack(
    gain: Floats, weight: Floats, count: int, capacity: float, nodes: int, chosen: Ints
) -> tuple[float, float]:
    """The best of ``count`` items, sorted by falling gain per weight: value, and an upper bound that equals it up to
    rounding and ``SLACK`` unless ``nodes`` were too few (Horowitz and Sahni, Journal of the ACM 21, 1974)."""
    taken = np.zeros(count, dtype=np.int64)
    best, top = -1.0, 0.0
    value, room, j, seen = 0.0, capacity, 0, 0
    while True:
        whole = False
        while True:
            bound, left, i = value, room, j
            while i < count and weight[i] <= left:
                bound += gain[i]
                left -= weight[i]
                i += 1
            limit = bound + (gain[i] * left / weight[i] if i < count else 0.0)
            if seen == 0:
                top = limit
            seen += 1
            if limit <= best + SLACK * top:
                break
            for t in range(j, i):
                taken[t] = 1
            value, room = bound, left
            if i >= count:
                j, whole = count, True
                break
            taken[i] = 0
            j = i + 1
            if j >= count:
                whole = True
                break
        if whole and value > best:
            best = value
            for t in range(count):
                chosen[t] = taken[t]
        if seen > nodes:
            return best, top
        k = min(j, count) - 1
        while k >= 0 and taken[k] == 0:
            k -= 1
        if k < 0:
            return best, min(top, best + SLACK * top)
        taken[k] = 0
        value -= gain[k]
        room += weight[k]
        j = k + 1


def recourse(pool: Pool, s: int, x: Ints, cutoff: float, nodes: int, y: Ints) -> tuple[float, float]:
    """The most that ``x`` brings in scenario ``s`` with its best recourse, which is written to ``y``, and an upper
    bound.  With an upper bound below ``cutoff`` it stops, and the value is -1."""
    n = len(x)
    value, room = 0.0, pool.limit
    for i in range(n):
        if x[i] == 1:
            value += pool.profit[s, i]
            room -= pool.cost[s, i]
    gain, weight, item = np.empty(n), np.empty(n), np.empty(n, dtype=np.int64)
    count, bound, left, full = 0, value, room, False
    for r in range(n):
        i = pool.order[s, r]
        if x[i] == 0 and pool.cost[s, i] <= room and pool.profit[s, i] > 0.0:
            w, g = pool.cost[s, i], pool.late * pool.profit[s, i]
            gain[count], weight[count], item[count] = g, w, i
            count += 1
            if not full:
                if w <= left:
                    bound += g
                    left -= w
                else:
                    bound += g * left / w
                    full = True
    if bound < cutoff:
        return -1.0, bound
    chosen = np.zeros(count, dtype=np.int64)
    best, top = knapsack(gain, weight, count, room, nodes, chosen)
    for i in range(n):
        y[i] = 0
    for t in range(count):
        y[item[t]] = chosen[t]
    return value + max(best, 0.0), value + max(top, 0.0)


def worth(pool: Pool, x: Ints, cutoff: float, nodes: int, y: Ints) -> float:
    """The least over the pool of what ``x`` brings, an upper bound of its guarantee; below ``cutoff`` any of them.

    The scenario that decided moves to the front of ``turn``.
    """
    least, place = np.inf, 0
    for t in range(len(pool.turn)):
        _, top = recourse(pool, pool.turn[t], x, min(cutoff, least), nodes, y)
        if top < least:
            least, place = top, t
            if least < cutoff:
                break
    s = pool.turn[place]
    for t in range(place, 0, -1):
        pool.turn[t] = pool.turn[t - 1]
    if len(pool.turn):
        pool.turn[0] = s
    return least


def dearest(pool: Pool, x: Ints) -> float:
    """What ``x`` costs in the scenario where it is dearest."""
    total = 0.0
    for i in range(len(x)):
        if x[i] == 1:
            total += pool.base[i]
    for j in range(pool.slope.shape[1]):
        part = 0.0
        for i in range(len(x)):
            if x[i] == 1:
                part += pool.slope[i, j]
        total += abs(part)
    return total


def draw(dice: Ints, below: int) -> int:
    """A random number from 0 to ``below`` - 1: xorshift of 32 bits, the same on every machine."""
    state = dice[0]
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    dice[0] = state
    return int(state % below)


def shuffle(dice: Ints, order: Ints) -> None:
    """A random order."""
    for i in range(len(order) - 1, 0, -1):
        j = draw(dice, i + 1)
        order[i], order[j] = order[j], order[i]


def climb(pool: Pool, x: Ints, target: float, nodes: int, work: int, dice: Ints) -> tuple[float, int]:
    """Flip and swap projects of ``x`` while its worth grows, or until it passes ``target``; ``work`` is the number of
    first stages that may be looked at.  Returns the worth and the work left."""
    n = len(x)
    y = np.zeros(n, dtype=np.int64)
    current = worth(pool, x, -1.0, nodes, y)
    outer, inner = np.arange(n), np.arange(n)
    better = True
    while better and work > 0 and current <= target:
        better = False
        shuffle(dice, outer)
        for a in outer:
            shuffle(dice, inner)
            for b in inner:
                # b == a flips one project; otherwise one goes out and one comes in
                if b != a and (x[a] == 0 or x[b] == 1):
                    continue
                x[a] = 1 - x[a]
                if b != a:
                    x[b] = 1
                if dearest(pool, x) <= pool.limit:
                    work -= 1
                    found = worth(pool, x, current * (1 + 1e-9) + 1e-9, nodes, y)
                    if found > current * (1 + 1e-9) + 1e-9:
                        current = found
                        better = True
                        if current > target:
                            return current, work
                        continue
                x[a] = 1 - x[a]
                if b != a:
                    x[b] = 0
            if work <= 0:
                break
    return current, work


def search(pool: Pool, x: Ints, target: float, nodes: int, work: int, rounds: int, seed: int) -> float:
    """Iterated local search from ``x`` for a first stage whose worth passes ``target``; ``x`` becomes the best."""
    dice = np.array([seed % 0xFFFFFFFE + 1])
    n = len(x)
    best, work = climb(pool, x, target, nodes, work, dice)
    trial = x.copy()
    for _ in range(rounds):
        if best > target or work <= 0:
            break
        trial[:] = x
        for _ in range(2 + draw(dice, 3)):
            i = draw(dice, n)
            trial[i] = 1 - trial[i]
        while dearest(pool, trial) > pool.limit:
            i = draw(dice, n)
            trial[i] = 0
        found, work = climb(pool, trial, target, nodes, work, dice)
        if found >= best:
            best = found
            x[:] = trial
    return best


def sweep(
    pool: Pool,
    item: Ints,
    first: Ints,
    now: Points,
    later: Points,
    rest: Points,
    sums: Points,
    tried: Ints,
    x: Ints,
    level: int,
    least: float,
    knapsacks: int,
    nodes: int,
) -> tuple[int, int, int]:
    """Walk depth first through all affordable first stages for one whose worth is above ``least``.

    ``item`` are the projects in the order in which they are decided, ``first`` what is tried first for each.  Row m of
    ``now``, ``later`` and ``rest`` is a Lagrangian bound: what a project adds when it is chosen now or not, by level,
    and what is added at most by all from a level on.  ``sums`` (those of the levels above), ``tried`` and ``x`` are
    the state of the walk, with ``level`` and all zeros at its beginning.

    Returns why it stopped (0 all walked, 1 at a first stage found, which is in ``x``, 2 after ``nodes``), the level to
    go on with, and the nodes walked.
    """
    n = len(item)
    y = np.zeros(n, dtype=np.int64)
    used = 0
    while True:
        if level == n:
            level -= 1
            if worth(pool, x, least, knapsacks, y) > least:
                return 1, level, used
            continue
        if tried[level] == 2:
            tried[level] = 0
            x[item[level]] = 0
            level -= 1
            if level < 0:
                return 0, level, used
            continue
        choice = first[level] if tried[level] == 0 else 1 - first[level]
        tried[level] += 1
        x[item[level]] = choice
        used += 1
        open_ = True
        for m in range(len(now)):
            part = sums[m, level] + (now[m, level] if choice == 1 else later[m, level])
            sums[m, level + 1] = part
            if part + rest[m, level + 1] <= least:
                open_ = False
                break
        if open_ and (choice == 0 or dearest(pool, x) <= pool.limit):
            level += 1
            if level < n:
                tried[level] = 0
        if used >= nodes:
            return 2, level, used
