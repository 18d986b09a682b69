"""The loops of the searches for independent sets, for :func:`~combopt.solvers.compiled.compiled`.

The arrays are those of :mod:`combopt.solvers.graph_search`, and are changed in place.
"""

from __future__ import annotations

from typing import Any

LARGE = 4096
"""Cover size above which only a sample of it is looked at for the vertex to leave."""
SAMPLE = 128
LOOK = 256
"""Candidates of each kind that a step of the search with weights looks at."""
REST = 7
"""Steps for which a vertex that left may not come back, at least."""


def draw(info: Any, count: int) -> int:
    """A random number from 0 to ``count - 1`` (below 2^31); the state is ``info[0]``, 48 bits as in drand48."""
    info[0] = (int(info[0]) * 25214903917 + 11) & 281474976710655
    return int((info[0] >> 17) % count)


def cover_steps(
    start: Any, target: Any, edge_of: Any, ends: Any, weight: Any, score: Any, stamp: Any, changed: Any,
    covered: Any, cover: Any, place: Any, open_: Any, slot: Any, best: Any, info: Any, steps: int,
) -> None:  # fmt: skip
    """``steps`` steps of NuMVC (Cai et al. 2013, Algorithm 3): one vertex leaves the cover, another enters it.

    ``info`` is: generator, steps done, open edges, size of the cover, size of the best, weight of all edges, the
    vertex that entered last.  ``score[v]`` is by how much the weight of the open edges falls when ``v`` changes
    sides; ``changed[v]``, whether a neighbour did since ``v`` left.
    """
    until = info[1] + steps
    while info[1] < until:
        info[1] += 1
        shrink = info[2] == 0
        if shrink and info[3] < info[4]:
            info[4] = info[3]
            for v in range(len(covered)):
                best[v] = not covered[v]
        if info[3] == 0:
            break
        u = leaving(score, stamp, cover, info, -1 if shrink else info[6])
        leave_cover(u, start, target, edge_of, weight, score, stamp, changed, covered, cover, place, open_, slot, info)
        if shrink:
            continue
        e = open_[draw(info, info[2])]
        a, b = ends[e, 0], ends[e, 1]
        first = changed[a] and (
            not changed[b] or score[a] > score[b] or (score[a] == score[b] and stamp[a] < stamp[b])
        )
        v = a if first else b
        enter_cover(v, start, target, edge_of, weight, score, stamp, changed, covered, cover, place, open_, slot, info)
        for i in range(info[2]):
            e = open_[i]
            weight[e] += 1
            score[ends[e, 0]] += 1
            score[ends[e, 1]] += 1
        info[5] += info[2]
        if 2 * info[5] > len(score) * len(ends):
            forget(ends, weight, score, covered, info)


def leaving(score: Any, stamp: Any, cover: Any, info: Any, barred: int) -> int:
    """The vertex of the cover, other than ``barred``, that opens least; the oldest of equals."""
    size = info[3]
    u = -1
    for i in range(size if size <= LARGE else SAMPLE):
        v = cover[i] if size <= LARGE else cover[draw(info, size)]
        if v != barred and (u < 0 or score[v] > score[u] or (score[v] == score[u] and stamp[v] < stamp[u])):
            u = v
    return u if u >= 0 else cover[0]


def leave_cover(
    u: int, start: Any, target: Any, edge_of: Any, weight: Any, score: Any, stamp: Any, changed: Any, covered: Any,
    cover: Any, place: Any, open_: Any, slot: Any, info: Any,
) -> None:  # fmt: skip
    covered[u] = False
    changed[u] = False
    score[u] = -score[u]
    stamp[u] = info[1]
    info[3] -= 1
    last = cover[info[3]]
    cover[place[u]] = last
    place[last] = place[u]
    place[u] = -1
    for k in range(start[u], start[u + 1]):
        x, e = target[k], edge_of[k]
        if covered[x]:
            score[x] -= weight[e]
        else:
            score[x] += weight[e]
            changed[x] = True
            open_[info[2]] = e
            slot[e] = info[2]
            info[2] += 1


def enter_cover(
    v: int, start: Any, target: Any, edge_of: Any, weight: Any, score: Any, stamp: Any, changed: Any, covered: Any,
    cover: Any, place: Any, open_: Any, slot: Any, info: Any,
) -> None:  # fmt: skip
    covered[v] = True
    score[v] = -score[v]
    stamp[v] = info[1]
    info[6] = v
    cover[info[3]] = v
    place[v] = info[3]
    info[3] += 1
    for k in range(start[v], start[v + 1]):
        x, e = target[k], edge_of[k]
        if covered[x]:
            score[x] += weight[e]
        else:
            score[x] -= weight[e]
            changed[x] = True
            info[2] -= 1
            moved = open_[info[2]]
            open_[slot[e]] = moved
            slot[moved] = slot[e]
            slot[e] = -1


def forget(ends: Any, weight: Any, score: Any, covered: Any, info: Any) -> None:
    """Scale the weights of the edges by 0.3, once their mean is above n / 2."""
    info[5] = 0
    for v in range(len(score)):
        score[v] = 0
    for e in range(len(ends)):
        weight[e] = (3 * weight[e]) // 10
        info[5] += weight[e]
        a, b = ends[e, 0], ends[e, 1]
        if covered[a] and not covered[b]:
            score[a] -= weight[e]
        elif covered[b] and not covered[a]:
            score[b] -= weight[e]
        elif not covered[a]:
            score[a] += weight[e]
            score[b] += weight[e]


def weight_steps(
    start: Any, target: Any, worth: Any, tight: Any, around: Any, state: Any, place: Any, lists: Any, tabu: Any,
    best: Any, info: Any, depth: int, steps: int,
) -> None:  # fmt: skip
    """``steps`` steps of the tabu search: the best of adding, swapping and dropping a vertex (MN/TS).

    ``info`` is: generator, steps done, value, best value, best value since the last new beginning, steps since that
    improved, sizes of the lists, whether the start has still to be put in.  ``state`` is the list that a vertex is
    in: 0 chosen, 1 free, 2 with one chosen neighbour, 3 none.  ``tight`` counts the chosen neighbours and ``around``
    sums their numbers, so that with one of them it is that one.
    """
    if info[9]:
        info[9] = 0
        for v in range(len(worth)):
            if best[v] and state[v] == 1:
                flip(v, 1, start, target, worth, tight, around, state, place, lists, info)
        info[4] = info[2]
    until = info[1] + steps
    while info[1] < until:
        info[1] += 1
        info[5] += 1
        if info[5] > depth:
            empty(tight, around, state, place, lists, tabu, info)
            while info[7] > 0:
                v = lists[1, draw(info, info[7])]
                flip(v, 1, start, target, worth, tight, around, state, place, lists, info)
        else:
            v, dropped = choose(worth, around, lists, tabu, info)
            u = v if dropped else -1 if v < 0 or state[v] == 1 else around[v]
            if u >= 0:
                tabu[u] = info[1] + REST + (0 if dropped else draw(info, info[8] + 1))
                flip(u, -1, start, target, worth, tight, around, state, place, lists, info)
            if v >= 0 and not dropped:
                flip(v, 1, start, target, worth, tight, around, state, place, lists, info)
        if info[2] > info[4]:
            info[4] = info[2]
            info[5] = 0
        if info[2] > info[3]:
            info[3] = info[2]
            for v in range(len(worth)):
                best[v] = state[v] == 0


def choose(worth: Any, around: Any, lists: Any, tabu: Any, info: Any) -> tuple[int, bool]:
    """The vertex of the best move, equal ones at random, and whether it is to be dropped; -1 if there is none.

    A tabu vertex may come in only if that gives a new best value.
    """
    gain, ties, pick, dropped = -(1 << 62), 0, -1, False
    for kind in (1, 2, 0):
        if kind == 0 and gain >= 0:
            break
        count = info[6 + kind]
        offset = draw(info, count) if count > LOOK else 0
        for i in range(min(count, LOOK)):
            v = lists[kind, (offset + i) % count]
            g = worth[v]
            if kind == 0:
                g = -g
            elif kind == 2:
                g -= worth[around[v]]
            if g < gain or (kind > 0 and tabu[v] > info[1] and info[2] + g <= info[3]):
                continue
            ties = 1 if g > gain else ties + 1
            if draw(info, ties) == 0:
                gain, pick, dropped = g, v, kind == 0
    return pick, dropped


def empty(tight: Any, around: Any, state: Any, place: Any, lists: Any, tabu: Any, info: Any) -> None:
    """Begin anew without any vertex."""
    n = len(state)
    for v in range(n):
        tight[v] = 0
        around[v] = 0
        state[v] = 1
        place[v] = v
        lists[1, v] = v
        tabu[v] = 0
    info[2], info[4], info[5], info[6], info[7], info[8] = 0, 0, 0, 0, n, 0


def flip(
    v: int, change: int, start: Any, target: Any, worth: Any, tight: Any, around: Any, state: Any, place: Any,
    lists: Any, info: Any,
) -> None:  # fmt: skip
    """Add (``change`` 1) the free vertex ``v``, or drop (-1) the chosen one."""
    info[2] += change * worth[v]
    move(v, 0 if change == 1 else 1, state, place, lists, info)
    for k in range(start[v], start[v + 1]):
        x = target[k]
        tight[x] += change
        around[x] += change * v
        move(x, min(tight[x] + 1, 3), state, place, lists, info)


def move(x: int, to: int, state: Any, place: Any, lists: Any, info: Any) -> None:
    """Put vertex ``x`` into list ``to``."""
    old = state[x]
    if old == to:
        return
    if old < 3:
        info[6 + old] -= 1
        last = lists[old, info[6 + old]]
        lists[old, place[x]] = last
        place[last] = place[x]
    if to < 3:
        lists[to, info[6 + to]] = x
        place[x] = info[6 + to]
        info[6 + to] += 1
    state[x] = to
