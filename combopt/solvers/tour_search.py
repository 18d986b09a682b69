"""Local search on tours held in an array: 3-opt over neighbour lists, and kicks that touch a few nodes each.

Everything here is plain Python over numpy arrays, written so that numba can compile it: :func:`compiled` does, the
first time it is called, and keeps the machine code on disk.  Distances are ``float64``, exact for whole numbers
below 2^53, so gains never drift.  All indices are ``int64``, and nothing is allocated in here: either would have
numba compile more, and the time that takes is felt by the first user on a machine.

Moves are the sequential 2- and 3-exchanges of Lin (1965) with neighbour lists and a work queue in place of don't-look
bits (Bentley 1992; Johnson and McGeoch 1997, section 3).  Kicks are double bridges of short segments (Martin, Otto
and Felten 1991; kept local as in Applegate, Cook and Rohe 2003), undone from a log of reversals if they do not pay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from combopt.solvers.compiled import jit

Array = npt.NDArray[Any]

EXPLICIT, NINT, CEIL, FLOOR, EXACT, TENTHS, MANHATTAN, MAXIMUM, ATT, GEO = range(10)
"""Codes of the distance rules."""

EPSILON = 1e-7
"""Smallest gain that counts, against cycling through rounding errors of unrounded distances."""

HEAD, COUNT, LOGGED, RANDOM = range(4)
"""Places in ``Search.state``: first of the queue, its length, entries in the log, state of the generator."""


class Search(NamedTuple):
    """All arrays of a search over ``n`` nodes with ``k`` neighbours.

    Parameters
    ----------
    points
        ``float64[n, 3]``: coordinates, 0 where there is no third one; radians of latitude and longitude for GEO.
    matrix
        ``float64[n, n]`` for EXPLICIT, else ``[1, 1]``.
    rule
        One of the codes.
    tour, pos
        ``int64[n]``: nodes in the order of visit, and the place of each.
    near, reach
        ``int64[n, k]``, ``float64[n, k]``: neighbours by distance, and their distances.
    mates
        ``int64[n, 2]``: nodes joined by fixed edges, -1 for none.
    queue, queued
        ``int64[n]``, ``bool[n]``: ring of the nodes to look at, and whether a node is in it.
    log
        ``int64[l, 2]``: reversals since the last kick.
    state
        ``int64[4]``, see :data:`HEAD`.
    scratch
        ``int64[16]``: small tables of the moves.
    """

    points: Array
    matrix: Array
    rule: int
    tour: Array
    pos: Array
    near: Array
    reach: Array
    mates: Array
    queue: Array
    queued: Array
    log: Array
    state: Array
    scratch: Array


def distance(s: Search, i: int, j: int) -> float:
    """Distance of two different nodes under the rule; 0 for a node and itself."""
    if s.rule == EXPLICIT:
        return s.matrix[i, j]
    if i == j:
        return 0.0
    x = s.points
    if s.rule == GEO:
        q1, q2, q3 = np.cos(x[i, 1] - x[j, 1]), np.cos(x[i, 0] - x[j, 0]), np.cos(x[i, 0] + x[j, 0])
        cosine = 0.5 * ((1.0 + q1) * q2 - (1.0 - q1) * q3)
        cosine = 1.0 if cosine > 1.0 else -1.0 if cosine < -1.0 else cosine
        return np.floor(6378.388 * np.arccos(cosine) + 1.0)
    dx, dy, dz = abs(x[i, 0] - x[j, 0]), abs(x[i, 1] - x[j, 1]), abs(x[i, 2] - x[j, 2])
    square = dx * dx + dy * dy + dz * dz
    if s.rule == NINT:
        return np.floor(np.sqrt(square) + 0.5)
    if s.rule == CEIL:
        return np.ceil(np.sqrt(square))
    if s.rule == EXACT:
        return np.sqrt(square)
    if s.rule == FLOOR:
        return np.floor(np.sqrt(square))
    if s.rule == TENTHS:
        return np.floor(10.0 * np.sqrt(square) + 1e-9)
    if s.rule == MANHATTAN:
        return np.floor(dx + dy + dz + 0.5)
    if s.rule == MAXIMUM:
        dx = dy if dy > dx else dx
        return np.floor((dz if dz > dx else dx) + 0.5)
    r = np.sqrt(square / 10.0)  # ATT
    t = np.floor(r + 0.5)
    return t + 1.0 if t < r else t


def neighbour(s: Search, node: int, side: int) -> int:
    """The node after (``side`` 0) or before (1) ``node``."""
    n = len(s.tour)
    p = s.pos[node]
    if side == 0:
        return s.tour[p + 1 if p + 1 < n else 0]
    return s.tour[p - 1 if p > 0 else n - 1]


def fixed(s: Search, a: int, b: int) -> bool:
    """Whether the edge may not be removed."""
    return s.mates[a, 0] == b or s.mates[a, 1] == b


def push(s: Search, node: int) -> None:
    """Queue a node unless it waits already."""
    if not s.queued[node]:
        s.queued[node] = True
        n = len(s.queue)
        place = s.state[HEAD] + s.state[COUNT]
        s.queue[place - n if place >= n else place] = node
        s.state[COUNT] += 1


def swap_range(s: Search, i: int, j: int) -> None:
    """Reverse the places from ``i`` forward to ``j``."""
    n = len(s.tour)
    length = j - i + 1
    if length <= 0:
        length += n
    for _ in range(length // 2):
        a, b = s.tour[i], s.tour[j]
        s.tour[i], s.tour[j] = b, a
        s.pos[b], s.pos[a] = i, j
        i = i + 1 if i + 1 < n else 0
        j = j - 1 if j > 0 else n - 1


def reverse(s: Search, i: int, j: int) -> None:
    """Turn the path from place ``i`` forward to ``j`` around, or the rest of the tour if that is shorter; log it."""
    n = len(s.tour)
    inner = j - i + 1
    if inner <= 0:
        inner += n
    if 2 * inner > n:
        i, j = (j + 1 if j + 1 < n else 0), (i - 1 if i > 0 else n - 1)
    swap_range(s, i, j)
    if s.state[LOGGED] < len(s.log):
        s.log[s.state[LOGGED], 0] = i
        s.log[s.state[LOGGED], 1] = j
        s.state[LOGGED] += 1


def exchange(s: Search, a: int, b: int, c: int, d: int) -> None:
    """Replace the edges a-b and c-d by a-c and b-d; b follows a as d follows c, in one direction or the other."""
    forward = neighbour(s, a, 0) == b
    reverse(s, s.pos[b if forward else a], s.pos[c if forward else d])


def exchange3(s: Search, p: int, q: int, r: int, kind: int) -> None:
    """Replace the edges A-B, C-D, E-F that leave the places p, q, r, met in this order, by

    kind 1: A-C B-E D-F; kind 2: A-D E-B C-F; kind 3: A-D E-C B-F; kind 4: A-E D-B C-F.
    """
    n = len(s.tour)
    a, b = s.tour[p], s.tour[p + 1 if p + 1 < n else 0]
    c, d = s.tour[q], s.tour[q + 1 if q + 1 < n else 0]
    e, f = s.tour[r], s.tour[r + 1 if r + 1 < n else 0]
    first, second, third = (a, b, e, f), (a, e, d, c), (e, c, b, f)
    if kind == 1:
        first, second = (a, b, c, d), (b, d, e, f)
    elif kind == 4:
        second = (d, c, b, f)
    steps = 3 if kind == 2 else 2
    for w, x, y, z in (first, second, third):
        if steps > 0:
            exchange(s, w, x, y, z)
        steps -= 1


def arrange(p: int, q: int, r: int, n: int) -> tuple[int, int, int]:
    """Which of three places comes first, second, third, so that the longest gap is the one around the end."""
    first, second, third = 0, 1, 2
    places = (p, q, r)
    if places[first] > places[second]:
        first, second = second, first
    if places[second] > places[third]:
        second, third = third, second
    if places[first] > places[second]:
        first, second = second, first
    one = places[second] - places[first]
    two = places[third] - places[second]
    around = n - one - two
    if one >= two and one > around:
        return second, third, first
    if two > one and two > around:
        return third, first, second
    return first, second, third


def reconnection(partner: Array, l1: int, l2: int, l3: int, l4: int, l5: int, l6: int) -> int:
    """The kind of :func:`exchange3` that joins l2-l3, l4-l5, l6-l1 (labels A to F as 0 to 5); 0 if it is none.

    ``partner`` is scratch of 6.
    """
    partner[l2], partner[l3] = l3, l2
    partner[l4], partner[l5] = l5, l4
    partner[l6], partner[l1] = l1, l6
    if partner[0] == 2 and partner[1] == 4:
        return 1
    if partner[0] == 3:
        if partner[4] == 1:
            return 2
        if partner[4] == 2:
            return 3
    if partner[0] == 4 and partner[3] == 1:
        return 4
    return 0


def try_third(s: Search, t1: int, t2: int, t3: int, t4: int, side: int, side4: int, gain2: float, cap: int) -> float:
    """Complete t1-t2, t3-t4 to an improving 3-exchange; the gain, 0 if there is none."""
    n = len(s.tour)
    e1 = s.pos[t1] if side == 0 else s.pos[t2]
    e2 = s.pos[t3] if side4 == 0 else s.pos[t4]
    for k in range(s.near.shape[1]):
        t5 = s.near[t4, k]
        gain3 = gain2 - s.reach[t4, k]
        if gain3 <= EPSILON:
            break
        if t5 == t1 or t5 == neighbour(s, t4, 0) or t5 == neighbour(s, t4, 1):
            continue
        for side6 in range(2):
            t6 = neighbour(s, t5, side6)
            e3 = s.pos[t5] if side6 == 0 else s.pos[t6]
            if t6 == t1 or e3 == e1 or e3 == e2:  # noqa: SIM109
                continue
            gain = gain3 + distance(s, t5, t6) - distance(s, t6, t1)
            if gain <= EPSILON or fixed(s, t5, t6):
                continue
            first, second, third = arrange(e1, e2, e3, n)
            rank = s.scratch
            rank[first], rank[second], rank[third] = 0, 2, 4
            kind = reconnection(
                s.scratch[8:], rank[0] + side, rank[0] + 1 - side, rank[1] + side4, rank[1] + 1 - side4,
                rank[2] + side6, rank[2] + 1 - side6,
            )  # fmt: skip
            places = (e1, e2, e3)
            p, q, r = places[first], places[second], places[third]
            span = r - p if r > p else r - p + n
            if kind == 0 or span > cap:
                continue
            exchange3(s, p, q, r, kind)
            push(s, t5)
            push(s, t6)
            return gain
    return 0.0


def improve(s: Search, t1: int, cap: int) -> float:
    """Make the first improving exchange that removes an edge at ``t1``; its gain, 0 if there is none.

    ``cap`` bounds the number of nodes that a move may shift.
    """
    for side in range(2):
        t2 = neighbour(s, t1, side)
        if fixed(s, t1, t2):
            continue
        d12 = distance(s, t1, t2)
        for k in range(s.near.shape[1]):
            t3 = s.near[t2, k]
            gain1 = d12 - s.reach[t2, k]
            if gain1 <= EPSILON:
                break
            if t3 == neighbour(s, t2, 0) or t3 == neighbour(s, t2, 1):
                continue
            for side4 in range(2):
                t4 = neighbour(s, t3, side4)
                if fixed(s, t3, t4):
                    continue
                gain2 = gain1 + distance(s, t3, t4)
                gain = 0.0
                if side4 != side:
                    gain = gain2 - distance(s, t4, t1)
                    span = abs(s.pos[t1] - s.pos[t3])
                    if gain > EPSILON and (span <= cap or len(s.tour) - span <= cap):
                        exchange(s, t1, t2, t4, t3)
                    else:
                        gain = 0.0
                if gain == 0.0:
                    gain = try_third(s, t1, t2, t3, t4, side, side4, gain2, cap)
                if gain > 0.0:
                    push(s, t1)
                    push(s, t2)
                    push(s, t3)
                    push(s, t4)
                    return gain
    return 0.0


def descend(s: Search, cap: int, limit: int) -> float:
    """Work through the queue, ``limit`` nodes at most; the gain in all."""
    total = 0.0
    n = len(s.queue)
    while s.state[COUNT] > 0 and limit > 0:
        limit -= 1
        node = s.queue[s.state[HEAD]]
        s.state[HEAD] = s.state[HEAD] + 1 if s.state[HEAD] + 1 < n else 0
        s.state[COUNT] -= 1
        s.queued[node] = False
        gain = 1.0
        while gain > 0.0:
            gain = improve(s, node, cap)
            total += gain
    return total


def draw(s: Search, below: int) -> int:
    """A pseudo-random number from 0 to ``below`` - 1 (Park and Miller's generator)."""
    s.state[RANDOM] = s.state[RANDOM] * 48271 % 2147483647
    return s.state[RANDOM] % below


def kick(s: Search, longest: int) -> float:
    """A double bridge of three neighbouring segments of at most ``longest`` nodes; what it gains (mostly < 0)."""
    n = len(s.tour)
    start = draw(s, n)
    cuts, ends = s.scratch[:4], s.scratch[8:].reshape(4, 2)
    cuts[0] = 0
    for i in range(1, 4):
        cuts[i] = cuts[i - 1] + 1 + draw(s, longest)
    gain = 0.0
    for i in range(4):
        ends[i, 0], ends[i, 1] = s.tour[(start + cuts[i]) % n], s.tour[(start + cuts[i] + 1) % n]
        if fixed(s, ends[i, 0], ends[i, 1]):
            return 0.0
    for i in range(4):
        # A B|C D|E F|G H becomes A F|G D|E B|C H
        gain += distance(s, ends[i, 0], ends[i, 1]) - distance(s, ends[-i % 4, 0], ends[(2 - i) % 4, 1])
        push(s, ends[i, 0])
        push(s, ends[i, 1])
    one, two, three = cuts[1], cuts[2], cuts[3]
    for first, last in ((0, three), (0, three - two), (three - two, three - one), (three - one, three)):
        i, j = (start + first + 1) % n, (start + last) % n
        swap_range(s, i, j)
        s.log[s.state[LOGGED], 0], s.log[s.state[LOGGED], 1] = i, j
        s.state[LOGGED] += 1
    return gain


def explore(s: Search, cap: int, limit: int, longest: int, kicks: int) -> float:
    """Empty the queue as far as ``limit`` allows; once it is empty, kick, repair, and keep what is not worse,
    ``kicks`` times.  The gain in all."""
    s.state[LOGGED] = len(s.log)  # nothing is to be undone yet
    total = descend(s, cap, limit)
    if s.state[COUNT] > 0:
        return total
    for _ in range(kicks):
        s.state[LOGGED] = 0
        gain = kick(s, longest)
        gain += descend(s, cap, len(s.log) // 4)
        if gain < -EPSILON and s.state[LOGGED] < len(s.log):  # a full log cannot undo everything
            for entry in range(s.state[LOGGED] - 1, -1, -1):
                swap_range(s, s.log[entry, 0], s.log[entry, 1])
        else:
            total += gain
    return total


def nearest(
    points: Array, order: Array, start: Array, shape: Array, cell: Array, side: float, out: Array, far: Array
) -> None:
    """The nearest nodes of each by Euclidean distance, nearest first, from a grid of cells, into ``out[n, k]``.

    ``order`` lists the nodes by cell, those of cell ``c`` from ``start[c]`` on; ``cell`` is ``int64[n, 3]``.  ``far``
    is scratch of ``k``.
    """
    n, k = out.shape
    widest = shape.max()
    for i in range(n):
        far[:] = np.inf
        found = 0
        for ring in range(widest + 1):
            if found >= k and ring > 0 and far[k - 1] <= ((ring - 1) * side) ** 2:
                break
            for x in range(cell[i, 0] - ring, cell[i, 0] + ring + 1):
                for y in range(cell[i, 1] - ring, cell[i, 1] + ring + 1):
                    if x < 0 or x >= shape[0] or y < 0 or y >= shape[1]:
                        continue
                    on_edge = abs(x - cell[i, 0]) == ring or abs(y - cell[i, 1]) == ring
                    for z in range(cell[i, 2] - ring, cell[i, 2] + ring + 1):
                        if z < 0 or z >= shape[2] or not (on_edge or abs(z - cell[i, 2]) == ring):
                            continue
                        c = (x * shape[1] + y) * shape[2] + z
                        for place in range(start[c], start[c + 1]):
                            j = order[place]
                            if j == i:
                                continue
                            dx = points[i, 0] - points[j, 0]
                            dy = points[i, 1] - points[j, 1]
                            dz = points[i, 2] - points[j, 2]
                            gap = dx * dx + dy * dy + dz * dz
                            if gap >= far[k - 1]:
                                continue
                            at = found if found < k else k - 1
                            while at > 0 and far[at - 1] > gap:
                                far[at] = far[at - 1]
                                out[i, at] = out[i, at - 1]
                                at -= 1
                            far[at] = gap
                            out[i, at] = j
                            found += 1


class Kernels(NamedTuple):
    """The compiled entry points."""

    explore: Callable[[Search, int, int, int, int], float]
    nearest: Callable[..., Array]


@cache
def compiled() -> Kernels:
    """Compile with numba, or load what an earlier call has left on disk; some seconds the first time ever."""
    from numba.extending import register_jitable

    parts: tuple[Callable[..., Any], ...] = (
        distance, neighbour, fixed, push, swap_range, reverse, exchange, exchange3, arrange, reconnection, try_third,
        improve, descend, draw, kick,
    )  # fmt: skip
    for part in parts:
        register_jitable(part)
    return Kernels(jit(explore), jit(nearest))
