"""The loops of :mod:`~combopt.solvers.prize_search`, for :func:`~combopt.solvers.compiled.compiled`.

The tour is a list of nodes with the place of each node beside it (rows ORDER and POS of ``Tour.at``).  All moves are
made of three steps, which are logged so that they can be undone: reversal of a stretch, insertion and removal of a
node.  What is minimised is ``length - sum of worth(v) over visited v`` with ``worth(v) = base[v] + rate * prize[v]``.

A function stands after those that it calls, and all are in one file: numba's cache on disk would not notice a change
of a function that is called from another file.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]

K, LENGTH, PRIZE, BASE, LOGGED, HEAD, WAITING = 0, 1, 2, 3, 4, 5, 6
"""Entries of ``Tour.s``: nodes, length, prize and base collected, steps logged; head and size of the queue."""
RATE, HEAT, ROUNDS, BEST, BEST_LENGTH, LOCAL, SINCE = 0, 1, 2, 3, 4, 5, 6
"""Entries of ``Hunt.f``: worth of a prize, temperature, rounds; score and length of the best tour; best score since
the last restart, rounds since then."""
ORDER, POS, QUEUE, QUEUED = 0, 1, 2, 3
"""Rows of ``Tour.at``: the nodes in the order of visit; the place of each node, -1 for none; the queue; who waits."""
REVERSE, INSERT, REMOVE = 0, 1, 2
"""Kinds of steps in the log."""
MATRIX, DOWN, UP = 0, 1, 2
"""How distances are found: in the matrix, or Euclidean, times ``scale`` plus ``shift``, rounded down or up."""
WIDE = 6
"""Nearest neighbours of a changed place that are looked at again."""
SHORT = 5
"""In tours up to this size insertion looks at every edge, not only at those of near nodes."""


class Space(NamedTuple):
    """What does not change: distances, near nodes, what nodes are worth, and which must stay (0 and ``end``)."""

    matrix: Table
    points: Points
    rule: int
    scale: float
    shift: float
    end: int
    tie: int
    near: Table
    far: Table
    prize: Ints
    base: Ints


class Tour(NamedTuple):
    """A tour, the log of the steps that led to it since the last mark, and the queue of nodes to look at."""

    at: Table
    s: Ints
    log: Table


class Hunt(NamedTuple):
    """The state of the search beside the tour.

    ``budget`` is the largest length and ``quota`` the least prize (one of them does not bind); ``best`` holds the
    best feasible tour and its size at the end; ``spare`` is a second tour to mend copies in.
    """

    orienteering: bool
    budget: int
    quota: int
    f: Floats
    random: Ints
    best: Ints
    spare: Tour


def distance(g: Space, i: int, j: int) -> int:
    """Distance of two nodes; ``tie`` between the ends of an open path, which keeps them together."""
    if g.rule == MATRIX:
        return g.matrix[i, j]
    if i + j == g.end and i * j == 0 and i != j:
        return g.tie
    dx, dy = g.points[i, 0] - g.points[j, 0], g.points[i, 1] - g.points[j, 1]
    d = math.sqrt(dx * dx + dy * dy) * g.scale + g.shift
    down = math.floor(d)
    return down + 1 if g.rule == UP and d > down else down


def nearest(g: Space) -> None:
    """Fill ``near`` and ``far`` with the nearest other nodes of each node and their distances, in ascending order."""
    n, m = g.near.shape
    for i in range(n):
        found = 0
        for j in range(n):
            if i == j:
                continue
            d = distance(g, i, j)
            if found == m and d >= g.far[i, m - 1]:
                continue
            at = min(found, m - 1)
            while at > 0 and g.far[i, at - 1] > d:
                g.far[i, at] = g.far[i, at - 1]
                g.near[i, at] = g.near[i, at - 1]
                at -= 1
            g.far[i, at] = d
            g.near[i, at] = j
            found = min(found + 1, m)


def successor(t: Tour, u: int) -> int:
    i = t.at[POS, u] + 1
    return t.at[ORDER, i] if i < t.s[K] else t.at[ORDER, 0]


def predecessor(t: Tour, u: int) -> int:
    i = t.at[POS, u]
    return t.at[ORDER, i - 1] if i > 0 else t.at[ORDER, t.s[K] - 1]


def push(t: Tour, u: int) -> None:
    """Put a node into the queue unless it waits there."""
    if t.at[QUEUED, u]:
        return
    t.at[QUEUED, u] = 1
    size = t.at.shape[1]
    t.at[QUEUE, (t.s[HEAD] + t.s[WAITING]) % size] = u
    t.s[WAITING] += 1


def pop(t: Tour) -> int:
    u = t.at[QUEUE, t.s[HEAD]]
    t.s[HEAD] = (t.s[HEAD] + 1) % t.at.shape[1]
    t.s[WAITING] -= 1
    t.at[QUEUED, u] = 0
    return u


def push_around(g: Space, t: Tour, u: int) -> None:
    """Put a node and those nodes near it that are left out into the queue."""
    push(t, u)
    for q in range(min(WIDE, g.near.shape[1])):
        v = g.near[u, q]
        if t.at[POS, v] < 0:
            push(t, v)


def note(t: Tour, kind: int, a: int, b: int) -> None:
    """Log a step."""
    at = t.s[LOGGED]
    t.log[at, 0], t.log[at, 1], t.log[at, 2] = kind, a, b
    t.s[LOGGED] = at + 1


def reverse(t: Tour, i: int, j: int) -> None:
    """Reverse the stretch from index i on to index j, or all the rest, which gives the same tour, if shorter."""
    k = t.s[K]
    inner = j - i + 1 if j >= i else j - i + 1 + k
    if 2 * inner > k:
        i, j = (j + 1) % k, (i - 1) % k
        inner = k - inner
    for _ in range(inner // 2):
        u, v = t.at[ORDER, i], t.at[ORDER, j]
        t.at[ORDER, i], t.at[ORDER, j] = v, u
        t.at[POS, v], t.at[POS, u] = i, j
        i = i + 1 if i + 1 < k else 0
        j = j - 1 if j > 0 else k - 1


def put(t: Tour, v: int, i: int) -> None:
    """Insert node v at index i."""
    for at in range(t.s[K], i, -1):
        u = t.at[ORDER, at - 1]
        t.at[ORDER, at] = u
        t.at[POS, u] = at
    t.at[ORDER, i] = v
    t.at[POS, v] = i
    t.s[K] += 1


def take(t: Tour, i: int) -> None:
    """Remove the node at index i."""
    t.at[POS, t.at[ORDER, i]] = -1
    k = t.s[K] - 1
    for at in range(i, k):
        u = t.at[ORDER, at + 1]
        t.at[ORDER, at] = u
        t.at[POS, u] = at
    t.s[K] = k


def flip(t: Tour, a: int, b: int, c: int, d: int) -> None:
    """Replace the edges a-b and c-d by a-c and b-d, where b follows a and d follows c in the same direction."""
    if successor(t, a) == b:
        i, j = t.at[POS, b], t.at[POS, c]
    else:
        i, j = t.at[POS, a], t.at[POS, d]
    reverse(t, i, j)
    note(t, REVERSE, i, j)


def insert(g: Space, t: Tour, v: int, i: int, cost: int) -> None:
    """Insert v at index i, which makes the tour longer by ``cost``."""
    put(t, v, i)
    note(t, INSERT, v, i)
    t.s[LENGTH] += cost
    t.s[PRIZE] += g.prize[v]
    t.s[BASE] += g.base[v]


def saving(g: Space, t: Tour, u: int) -> int:
    """By how much the tour gets shorter without u."""
    p, q = predecessor(t, u), successor(t, u)
    joined = 0 if p == q else distance(g, p, q)
    return distance(g, p, u) + distance(g, u, q) - joined


def remove(g: Space, t: Tour, u: int) -> None:
    """Remove u."""
    t.s[LENGTH] -= saving(g, t, u)
    t.s[PRIZE] -= g.prize[u]
    t.s[BASE] -= g.base[u]
    i = t.at[POS, u]
    note(t, REMOVE, u, i)
    take(t, i)


def undo(t: Tour) -> None:
    """Take all logged steps back; the caller restores the sums."""
    while t.s[LOGGED] > 0:
        t.s[LOGGED] -= 1
        at = t.s[LOGGED]
        kind, a, b = t.log[at, 0], t.log[at, 1], t.log[at, 2]
        if kind == REVERSE:
            reverse(t, a, b)
        elif kind == INSERT:
            take(t, b)
        else:
            put(t, a, b)


def cheapest(g: Space, t: Tour, v: int) -> tuple[int, int]:
    """Least cost of inserting v beside a near node, and the index for it; index -1 if no near node is visited."""
    best, index = 1 << 60, -1
    k = t.s[K]
    short = k <= SHORT
    for q in range(k if short else g.near.shape[1]):
        if short:
            c = t.at[ORDER, q]
            far = distance(g, v, c)
        else:
            c = g.near[v, q]
            if t.at[POS, c] < 0:
                continue
            far = g.far[v, q]
        after, before = successor(t, c), predecessor(t, c)
        cost = far + distance(g, v, after) - (distance(g, c, after) if after != c else 0)
        if cost < best:
            best, index = cost, t.at[POS, c] + 1
        cost = far + distance(g, v, before) - (distance(g, before, c) if before != c else 0)
        if cost < best:
            best, index = cost, t.at[POS, c] if t.at[POS, c] > 0 else k
    return best, index


def two_opt(g: Space, t: Tour, u: int) -> bool:
    """Make the first improving 2-opt move that gives u a nearer neighbour."""
    for direction in range(2):
        b = successor(t, u) if direction == 0 else predecessor(t, u)
        old = distance(g, u, b)
        for q in range(g.near.shape[1]):
            new = g.far[u, q]
            if new >= old:
                break
            c = g.near[u, q]
            if t.at[POS, c] < 0:
                continue
            d = successor(t, c) if direction == 0 else predecessor(t, c)
            delta = new + distance(g, b, d) - old - distance(g, c, d)
            if delta < 0 and d != u and c != b:
                flip(t, u, b, c, d)
                t.s[LENGTH] += delta
                push_around(g, t, u)
                push_around(g, t, b)
                push_around(g, t, c)
                push_around(g, t, d)
                return True
    return False


def move_segment(
    g: Space, t: Tour, u: int, e: int, p: int, n: int, c: int, far: int, gain: int, direction: int
) -> bool:
    """Put the segment u..e, now between p and n, beside c with u next to it, if that makes the tour shorter."""
    for side in range(2):
        f = successor(t, c) if side == 0 else predecessor(t, c)
        if (f == u and c == p) or (f == e and c == n):
            continue
        delta = far + distance(g, e, f) - distance(g, c, f) - gain
        if delta >= 0:
            continue
        # In the direction in which e follows u: p u..e n ... x y ... with the edge x-y = c-f or f-c.
        forward = side == direction
        x, y = (c, f) if forward else (f, c)
        flip(t, p, u, x, y)
        if x != n:
            flip(t, p, x, n, e)
        # Now x e..u y; with x = c the segment has to be turned for u to be next to c.
        if forward:
            flip(t, x, e, u, y)
        t.s[LENGTH] += delta
        push_around(g, t, p)
        push_around(g, t, n)
        push_around(g, t, c)
        push_around(g, t, f)
        push_around(g, t, u)
        push_around(g, t, e)
        return True
    return False


def or_opt(g: Space, t: Tour, u: int) -> bool:
    """Move a segment of up to three nodes that ends at u to a near edge, if that makes the tour shorter."""
    if t.s[K] < 5:
        return False
    for direction in range(2):
        e = u
        for size in range(1, 4):
            if size > 1:
                e = successor(t, e) if direction == 0 else predecessor(t, e)
            p = predecessor(t, u) if direction == 0 else successor(t, u)
            n = successor(t, e) if direction == 0 else predecessor(t, e)
            if p in (n, e) or n == u or t.s[K] < size + 3:
                break
            gain = distance(g, p, u) + distance(g, e, n) - distance(g, p, n)
            first = t.at[POS, u] if direction == 0 else t.at[POS, e]
            for q in range(g.near.shape[1]):
                far = g.far[u, q]
                if far >= gain:
                    break
                c = g.near[u, q]
                if t.at[POS, c] < 0 or (t.at[POS, c] - first) % t.s[K] < size:
                    continue
                if move_segment(g, t, u, e, p, n, c, far, gain, direction):
                    return True
    return False


def worth(g: Space, v: int, rate: float) -> float:
    return g.base[v] + rate * g.prize[v]


def drop(g: Space, t: Tour, u: int, rate: float) -> bool:
    """Leave u out if it costs more than it is worth."""
    if u in (0, g.end) or t.s[K] < 2 or saving(g, t, u) <= worth(g, u, rate):
        return False
    p, q = predecessor(t, u), successor(t, u)
    remove(g, t, u)
    push_around(g, t, p)
    push_around(g, t, q)
    return True


def add(g: Space, t: Tour, v: int, rate: float) -> bool:
    """Visit v if it is worth its cost."""
    cost, index = cheapest(g, t, v)
    if index < 0 or cost >= worth(g, v, rate):
        return False
    insert(g, t, v, index, cost)
    push_around(g, t, v)
    push_around(g, t, predecessor(t, v))
    push_around(g, t, successor(t, v))
    return True


def swap(g: Space, t: Tour, v: int, rate: float) -> bool:
    """Visit v in the place of a near node, if that is better."""
    if t.s[K] < 3:
        return False
    for q in range(min(2 * WIDE, g.near.shape[1])):
        c = g.near[v, q]
        if t.at[POS, c] < 0 or c in (0, g.end):
            continue
        a, b = predecessor(t, c), successor(t, c)
        delta = distance(g, a, v) + distance(g, v, b) - distance(g, a, c) - distance(g, c, b)
        if delta < worth(g, v, rate) - worth(g, c, rate) - 1e-7:
            i = t.at[POS, c]
            joined = distance(g, a, b) if a != b else 0
            remove(g, t, c)
            insert(g, t, v, i, distance(g, a, v) + distance(g, v, b) - joined)
            push_around(g, t, v)
            push_around(g, t, c)
            push_around(g, t, a)
            push_around(g, t, b)
            return True
    return False


def descend(g: Space, t: Tour, rate: float, undoable: bool) -> None:
    """Local search from the nodes in the queue until none of them can be improved, or the log is full.

    Unless the steps must stay ``undoable``, a full log is thrown away.
    """
    room = len(t.log) - 8
    while t.s[WAITING] > 0:
        if t.s[LOGGED] >= room:
            if undoable:
                break
            t.s[LOGGED] = 0
        u = pop(t)
        if t.at[POS, u] < 0:
            changed = add(g, t, u, rate) or swap(g, t, u, rate)
        else:
            changed = two_opt(g, t, u) or or_opt(g, t, u) or drop(g, t, u, rate)
        if changed:
            push(t, u)
    while t.s[WAITING] > 0:
        pop(t)


def draw(h: Hunt, below: int) -> int:
    """A random number from 0 to ``below`` - 1: xorshift of 32 bits, the same on every machine."""
    x = h.random[0]
    x ^= (x << 13) & 0xFFFFFFFF
    x ^= x >> 17
    x ^= (x << 5) & 0xFFFFFFFF
    h.random[0] = x
    return (x >> 1) % below


def keep(h: Hunt, t: Tour) -> None:
    """Keep the tour if it is feasible and the best so far; ties go to the shorter one."""
    length = t.s[LENGTH]
    if length > h.budget or t.s[PRIZE] < h.quota:
        return
    value = t.s[PRIZE] if h.orienteering else t.s[BASE] - length
    if value > h.f[LOCAL]:
        h.f[LOCAL], h.f[SINCE] = value, 0
    if value > h.f[BEST] or (value == h.f[BEST] and length < h.f[BEST_LENGTH]):
        h.f[BEST], h.f[BEST_LENGTH] = value, length
        for i in range(t.s[K]):  # loops take numba far less time than slices
            h.best[i] = t.at[ORDER, i]
        h.best[len(h.best) - 1] = t.s[K]


def swap_stretches(g: Space, h: Hunt, t: Tour, longest: int) -> None:
    """Double bridge: swap two neighbouring stretches of up to ``longest`` nodes, at most a quarter of the tour."""
    k = t.s[K]
    i, a, b = draw(h, k), 1 + draw(h, longest), 1 + draw(h, longest)
    m, j = (i + a) % k, (i + a + b - 1) % k
    p, q = t.at[ORDER, (i - 1) % k], t.at[ORDER, (j + 1) % k]
    a1, a2, b1, b2 = t.at[ORDER, i], t.at[ORDER, (m - 1) % k], t.at[ORDER, m], t.at[ORDER, j]
    delta = distance(g, p, b1) + distance(g, b2, a1) + distance(g, a2, q)
    t.s[LENGTH] += delta - distance(g, p, a1) - distance(g, a2, b1) - distance(g, b2, q)
    reverse(t, i, (m - 1) % k)
    reverse(t, m, j)
    reverse(t, i, j)
    note(t, REVERSE, i, (m - 1) % k)
    note(t, REVERSE, m, j)
    note(t, REVERSE, i, j)
    push_around(g, t, p)
    push_around(g, t, q)
    push_around(g, t, a1)
    push_around(g, t, a2)
    push_around(g, t, b1)
    push_around(g, t, b2)


def leave_out(g: Space, h: Hunt, t: Tour, longest: int) -> None:
    """Leave out a stretch of up to ``longest`` nodes."""
    u = t.at[ORDER, draw(h, t.s[K])]
    for _ in range(1 + draw(h, longest)):
        following = successor(t, u)
        if u not in (0, g.end) and t.s[K] > 2:
            remove(g, t, u)
            push(t, u)
        u = following
    push_around(g, t, u)
    push_around(g, t, predecessor(t, u))


def force_in(g: Space, h: Hunt, t: Tour) -> None:
    """Visit up to three nodes left out near a random place, whatever they cost."""
    c = t.at[ORDER, draw(h, t.s[K])]
    wanted = 1 + draw(h, 3)
    m = g.near.shape[1]
    first = draw(h, m)
    for q in range(m):
        v = g.near[c, (first + q) % m]
        if t.at[POS, v] >= 0:
            continue
        cost, index = cheapest(g, t, v)
        if index >= 0:
            insert(g, t, v, index, cost)
            push_around(g, t, predecessor(t, v))
            push_around(g, t, successor(t, v))
            wanted -= 1
            if wanted == 0:
                return


def next_out(g: Space, h: Hunt, t: Tour) -> int:
    """The node to leave out next, -1 for none: over budget, that of the least prize per length saved; else one that
    costs more than its penalty and is not needed for the quota."""
    most, worst = -math.inf if h.orienteering else 0.0, -1
    over = t.s[LENGTH] - h.budget
    for i in range(t.s[K]):
        u = t.at[ORDER, i]
        if u in (0, g.end) or t.s[PRIZE] - g.prize[u] < h.quota:
            continue
        saved = saving(g, t, u)
        if h.orienteering:
            value = -g.prize[u] / min(saved, over) if saved > 0 else -math.inf
        else:
            value = float(saved - g.base[u])
        if value > most:
            most, worst = value, u
    return worst


def next_in(g: Space, h: Hunt, t: Tour) -> tuple[int, int, int]:
    """The node to visit next with its index and cost, -1 for none: of the most prize per cost within the budget, or
    of the least net cost for each unit of prize that the quota lacks."""
    most, best, place, price = -math.inf, -1, 0, 0
    room, short = h.budget - t.s[LENGTH], h.quota - t.s[PRIZE]
    for v in range(t.at.shape[1]):
        if t.at[POS, v] >= 0 or g.prize[v] == 0:
            continue
        cost, index = cheapest(g, t, v)
        if index < 0 or cost > room:
            continue
        if h.orienteering:
            value = g.prize[v] / max(cost, 0.5)
        else:
            value = (g.base[v] - cost) / min(g.prize[v], short)
        if value > most:
            most, best, place, price = value, v, index, cost
    return best, place, price


def mend(g: Space, h: Hunt, t: Tour) -> None:
    """Make a copy of the tour feasible, use up what is left, and keep it if it is the best."""
    s = h.spare
    for i in range(t.at.shape[1]):
        s.at[ORDER, i], s.at[POS, i] = t.at[ORDER, i], t.at[POS, i]
    for i in range(LOGGED):
        s.s[i] = t.s[i]
    for part in range(2):
        outward = (part == 0) == h.orienteering
        while True:
            s.s[LOGGED] = 0
            if outward:
                if h.orienteering and s.s[LENGTH] <= h.budget:
                    break
                u = next_out(g, h, s)
                if u < 0:
                    break
                remove(g, s, u)
            else:
                if not h.orienteering and s.s[PRIZE] >= h.quota:
                    break
                v, index, cost = next_in(g, h, s)
                if v < 0:
                    break
                insert(g, s, v, index, cost)
    keep(h, s)


def rounds(g: Space, h: Hunt, t: Tour, count: int, mending: int, patience: int) -> None:
    """``count`` rounds of a kick, local search, and acceptance as in simulated annealing; undone unless accepted.

    A kick swaps two stretches, leaves out a stretch, or visits nodes left out.  After each round the worth of a prize
    is raised while there is room (or too little is collected), and lowered otherwise.  Every ``mending`` rounds a
    copy is mended.  Ends early after ``patience`` rounds without a better tour.
    """
    for _ in range(count):
        if h.f[SINCE] > patience:
            return
        rate = h.f[RATE]
        t.s[LOGGED] = 0
        length, prize, base, k = t.s[LENGTH], t.s[PRIZE], t.s[BASE], t.s[K]
        kind = draw(h, 4)
        if kind <= 1 and k >= 4:
            swap_stretches(g, h, t, min(30, k // 4))
        elif kind == 2 and k >= 4:
            leave_out(g, h, t, min(10, k // 3))
        else:
            force_in(g, h, t)
        descend(g, t, rate, True)
        delta = (t.s[LENGTH] - length) - rate * (t.s[PRIZE] - prize) - (t.s[BASE] - base)
        h.f[SINCE] += 1
        if delta <= -h.f[HEAT] * math.log((1 + draw(h, 1 << 30)) / (1 << 30)):
            keep(h, t)
        else:
            undo(t)
            t.s[LENGTH], t.s[PRIZE], t.s[BASE] = length, prize, base
        lack = (h.budget - t.s[LENGTH]) / max(1, h.budget)
        if not h.orienteering:
            lack = (h.quota - t.s[PRIZE]) / max(1, h.quota)
        h.f[RATE] *= math.exp(max(-1.0, min(1.0, 50.0 * lack)) * 0.5 / max(20, t.s[K]))
        h.f[ROUNDS] += 1
        if h.f[ROUNDS] % mending == 0:
            mend(g, h, t)
