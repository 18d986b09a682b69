"""The loops of :mod:`combopt.solvers.job_tabu`, written to be compiled by numba and to run without it.

A solution is a disjunctive graph: every operation has a predecessor and a successor in its job and on its machine
(-1 for none).  The head of an operation is the length of the longest path to it, the tail of the longest one after
it, so that the makespan is the maximum of head + time + tail.

All data are rows of few large arrays, because numba takes long to compile functions of many arguments:

``shop[row, operation]``
    ``BEFORE`` and ``AFTER``: predecessor and successor in the job; ``FIRST_ALTERNATIVE`` (one entry more); in row
    ``LAST`` the last operations of the jobs, then -1.
``alternatives[row, alternative]``
    ``MACHINE`` and ``TIME``.
``s[row, operation]``, a solution
    ``MACHINE``, ``TIME`` and ``CHOSEN`` (the alternative); ``PREVIOUS`` and ``FOLLOWING`` on the machine; ``RANK``,
    the position there; ``HEAD``, ``TAIL``; ``PLACE``, the position in the topological order.  By position:
    ``ORDER``, that order, and ``PATH``, a critical path, last operation first.  By machine: ``FIRST``.  Work space:
    ``MARK``, all 0 between calls, and ``ROOM``.
``numbers[index]``
    Counters and settings, see :data:`NUMBERS`.
``tabu[row, slot]``
    A hash table of what is forbidden: ``KEY``, and until which iteration, ``UNTIL``.
``best[row, operation]``
    The best solution: ``BEST_ORDER`` and ``BEST_CHOSEN``.
"""

from __future__ import annotations

import numpy as np

from combopt.model import Ints

Table = Ints
"""``int64[rows, columns]``."""
BEFORE, AFTER, FIRST_ALTERNATIVE, LAST = 0, 1, 2, 3
MACHINE, TIME, CHOSEN, PREVIOUS, FOLLOWING, RANK, HEAD, TAIL, PLACE, ORDER, PATH, FIRST, MARK, ROOM = range(14)
ROWS = 14
KEY, UNTIL = 0, 1
BEST_ORDER, BEST_CHOSEN = 0, 1
ITERATION, BEST, IMPROVED, RANDOM, TENURE, SPREAD = 0, 1, 2, 3, 4, 5
NUMBERS = 6
"""Length of ``numbers``: moves made, best makespan (-1: none yet), the move that found it, the state of the random
generator, least time that something is tabu, and how much longer that may be."""
NONE, FORWARD, BACKWARD, REASSIGN = 0, 1, 2, 3
"""Kinds of moves: ``u`` right after ``v``; ``v`` right before ``u``; ``u`` to alternative ``a`` right after ``v``."""
REACH = 50
"""Operations of a long block, counted from either end, that moves are tried with."""
PRIME = 2147483647


def draw(numbers: Ints, count: int) -> int:
    """A random whole number from 0 to ``count - 1`` (Park and Miller's generator)."""
    numbers[RANDOM] = numbers[RANDOM] * 48271 % PRIME
    return numbers[RANDOM] % count


def head_of(shop: Table, s: Table, o: int) -> int:
    """Length of the longest path to ``o``, from the heads of its predecessors."""
    value = 0
    p = shop[BEFORE, o]
    if p >= 0:
        value = s[HEAD, p] + s[TIME, p]
    p = s[PREVIOUS, o]
    if p >= 0:
        value = max(value, s[HEAD, p] + s[TIME, p])
    return value


def tail_of(shop: Table, s: Table, o: int) -> int:
    """Length of the longest path after ``o``, from the tails of its successors."""
    value = 0
    n = shop[AFTER, o]
    if n >= 0:
        value = s[TAIL, n] + s[TIME, n]
    n = s[FOLLOWING, o]
    if n >= 0:
        value = max(value, s[TAIL, n] + s[TIME, n])
    return value


def makespan(shop: Table, s: Table) -> int:
    """Latest end of a job."""
    value = 0
    for o in shop[LAST]:
        if o < 0:
            break
        value = max(value, s[HEAD, o] + s[TIME, o])
    return value


def build(shop: Table, alternatives: Table, s: Table) -> int:
    """Fill in everything that follows from ``order`` and ``chosen``; returns the makespan."""
    s[FIRST, :] = -1
    latest = s[ROOM]
    latest[:] = -1
    for k in range(shop.shape[1] - 1):
        o = s[ORDER, k]
        s[PLACE, o] = k
        a = s[CHOSEN, o]
        m = alternatives[MACHINE, a]
        s[MACHINE, o], s[TIME, o] = m, alternatives[TIME, a]
        s[PREVIOUS, o], s[FOLLOWING, o] = latest[m], -1
        if latest[m] < 0:
            s[FIRST, m], s[RANK, o] = o, 0
        else:
            s[FOLLOWING, latest[m]], s[RANK, o] = o, s[RANK, latest[m]] + 1
        latest[m] = o
    for k in range(shop.shape[1] - 1):
        o = s[ORDER, k]
        s[HEAD, o] = head_of(shop, s, o)
    for k in range(shop.shape[1] - 2, -1, -1):
        o = s[ORDER, k]
        s[TAIL, o] = tail_of(shop, s, o)
    return makespan(shop, s)


def critical_path(shop: Table, s: Table, numbers: Ints, length: int) -> int:
    """Put a random longest path into ``path``, last operation first; returns the number of operations."""
    o, ties = -1, 0
    for end in shop[LAST]:
        if end >= 0 and s[HEAD, end] + s[TIME, end] == length:
            ties += 1
            if draw(numbers, ties) == 0:
                o = end
    count = 0
    while o >= 0:
        s[PATH, count] = o
        count += 1
        p, m = shop[BEFORE, o], s[PREVIOUS, o]
        if p >= 0 and s[HEAD, p] + s[TIME, p] < s[HEAD, o]:
            p = -1
        if m >= 0 and s[HEAD, m] + s[TIME, m] < s[HEAD, o]:
            m = -1
        if p >= 0 and m >= 0 and draw(numbers, 2) == 0:
            p = -1
        o = p if p >= 0 else m
    return count


def after_allowed(shop: Table, s: Table, u: int, v: int) -> bool:
    """Whether ``u`` may go right after ``v``: no path leads from its job successor to ``v``.

    Sufficient (Balas and Vazacopoulos 1998, proposition 2.2), and made strict where durations are 0.
    """
    n = shop[AFTER, u]
    if n < 0:
        return True
    difference = s[TAIL, v] + s[TIME, v] - s[TAIL, n] - s[TIME, n]
    return difference > 0 or (difference == 0 and s[TIME, n] > 0 and n != v)


def before_allowed(shop: Table, s: Table, u: int, v: int) -> bool:
    """Whether ``v`` may go right before ``u``: no path leads from ``u`` to its job predecessor (proposition 2.3)."""
    p = shop[BEFORE, v]
    if p < 0:
        return True
    difference = s[HEAD, u] + s[TIME, u] - s[HEAD, p] - s[TIME, p]
    return difference > 0 or (difference == 0 and s[TIME, p] > 0 and p != u)


def estimate_forward(shop: Table, s: Table, u: int, v: int) -> int:
    """Longest path through the operations ``u..v`` of a machine after ``u`` goes behind ``v``, as by Balas and
    Vazacopoulos (1998): heads and tails of all others are taken to stay."""
    heads = s[ROOM]
    p = s[PREVIOUS, u]
    ready = s[HEAD, p] + s[TIME, p] if p >= 0 else 0
    w, k = s[FOLLOWING, u], 0
    while True:
        p = shop[BEFORE, w]
        if p >= 0:
            ready = max(ready, s[HEAD, p] + s[TIME, p])
        heads[k] = ready
        k += 1
        ready += s[TIME, w]
        if w == v:
            break
        w = s[FOLLOWING, w]
    p, n = shop[BEFORE, u], shop[AFTER, u]
    if p >= 0:
        ready = max(ready, s[HEAD, p] + s[TIME, p])
    rest = s[TAIL, n] + s[TIME, n] if n >= 0 else 0
    n = s[FOLLOWING, v]
    if n >= 0:
        rest = max(rest, s[TAIL, n] + s[TIME, n])
    rest += s[TIME, u]
    longest = ready + rest
    w = v
    while k > 0:
        k -= 1
        n = shop[AFTER, w]
        if n >= 0:
            rest = max(rest, s[TAIL, n] + s[TIME, n])
        rest += s[TIME, w]
        longest = max(longest, heads[k] + rest)
        w = s[PREVIOUS, w]
    return longest


def estimate_backward(shop: Table, s: Table, u: int, v: int) -> int:
    """As :func:`estimate_forward` for ``v`` going before ``u``."""
    tails = s[ROOM]
    n = s[FOLLOWING, v]
    rest = s[TAIL, n] + s[TIME, n] if n >= 0 else 0
    w, k = s[PREVIOUS, v], 0
    while True:
        n = shop[AFTER, w]
        if n >= 0:
            rest = max(rest, s[TAIL, n] + s[TIME, n])
        tails[k] = rest
        k += 1
        rest += s[TIME, w]
        if w == u:
            break
        w = s[PREVIOUS, w]
    p, n = shop[BEFORE, v], shop[AFTER, v]
    if n >= 0:
        rest = max(rest, s[TAIL, n] + s[TIME, n])
    ready = s[HEAD, p] + s[TIME, p] if p >= 0 else 0
    p = s[PREVIOUS, u]
    if p >= 0:
        ready = max(ready, s[HEAD, p] + s[TIME, p])
    ready += s[TIME, v]
    longest = ready + rest
    w = u
    while k > 0:
        k -= 1
        p = shop[BEFORE, w]
        if p >= 0:
            ready = max(ready, s[HEAD, p] + s[TIME, p])
        ready += s[TIME, w]
        longest = max(longest, ready + tails[k])
        w = s[FOLLOWING, w]
    return longest


def cell(o: int, rank: int) -> int:
    """A hash of an operation at a position of its machine, or of its alternative (as a negative position)."""
    return ((o * 1000003 + rank * 7919 + 12345) % PRIME) * 48271 % PRIME


def is_tabu(numbers: Ints, tabu: Table, key: int) -> bool:
    slot = key % tabu.shape[1]
    return tabu[KEY, slot] == key and tabu[UNTIL, slot] >= numbers[ITERATION]


def forbid(tabu: Table, key: int, until: int) -> None:
    """Make ``key`` tabu."""
    slot = key % tabu.shape[1]
    tabu[KEY, slot], tabu[UNTIL, slot] = key, until


def order_tabu(s: Table, numbers: Ints, tabu: Table, kind: int, u: int, v: int) -> bool:
    """Whether a move would restore an order of two operations that is forbidden."""
    if kind == FORWARD:
        w = u
        while w != v:
            w = s[FOLLOWING, w]
            if is_tabu(numbers, tabu, cell(w, u)):
                return True
    else:
        w = v
        while w != u:
            w = s[PREVIOUS, w]
            if is_tabu(numbers, tabu, cell(v, w)):
                return True
    return False


def forbid_order(s: Table, numbers: Ints, tabu: Table, kind: int, u: int, v: int) -> None:
    """Forbid the orders that a move, about to be made, undoes."""
    until = numbers[ITERATION] + numbers[TENURE] + draw(numbers, numbers[SPREAD] + 1)
    w = u
    while w != v:
        if kind == FORWARD:
            w = s[FOLLOWING, w]
            forbid(tabu, cell(u, w), until)
        else:
            forbid(tabu, cell(w, v), until)
            w = s[FOLLOWING, w]


def consider(
    numbers: Ints, tabu: Table, pick: Ints, kind: int, u: int, v: int, a: int, value: int, forbidden: bool
) -> None:
    """Compare a move with the best so far.

    ``pick`` holds kind, u, v, a, value and the number of ties of the best move that is allowed, then the same of a
    random forbidden one for when nothing is allowed.
    """
    if forbidden and value >= numbers[BEST]:
        pick[11] += 1
        if draw(numbers, pick[11]) == 0:
            pick[6], pick[7], pick[8], pick[9], pick[10] = kind, u, v, a, value
        return
    if pick[0] != NONE and value > pick[4]:
        return
    if pick[0] == NONE or value < pick[4]:
        pick[5] = 0
    pick[5] += 1
    if draw(numbers, pick[5]) == 0:
        pick[0], pick[1], pick[2], pick[3], pick[4] = kind, u, v, a, value


def consider_order(shop: Table, s: Table, numbers: Ints, tabu: Table, pick: Ints, kind: int, u: int, v: int) -> None:
    """Look at a move within a block, if it leads to no circle."""
    if kind == FORWARD:
        if after_allowed(shop, s, u, v):
            value = estimate_forward(shop, s, u, v)
            consider(numbers, tabu, pick, kind, u, v, 0, value, order_tabu(s, numbers, tabu, kind, u, v))
    elif before_allowed(shop, s, u, v):
        value = estimate_backward(shop, s, u, v)
        consider(numbers, tabu, pick, kind, u, v, 0, value, order_tabu(s, numbers, tabu, kind, u, v))


def scan_block(shop: Table, s: Table, numbers: Ints, tabu: Table, pick: Ints, low: int, high: int) -> None:
    """The neighbourhood N7 (Zhang et al. 2007) of a block: ``path[high]`` is its first operation, ``path[low]`` its
    last.  Operations go to its ends, and its ends go inside."""
    size = high - low + 1
    first, last = s[PATH, high], s[PATH, low]
    consider_order(shop, s, numbers, tabu, pick, FORWARD, first, last)
    if size == 2:
        return
    consider_order(shop, s, numbers, tabu, pick, BACKWARD, first, last)
    for i in range(1, size - 1):
        inner = s[PATH, high - i]
        near_first, near_last = i <= REACH, size - 1 - i <= REACH
        if near_last:
            consider_order(shop, s, numbers, tabu, pick, FORWARD, inner, last)
            consider_order(shop, s, numbers, tabu, pick, BACKWARD, inner, last)
        if near_first:
            consider_order(shop, s, numbers, tabu, pick, BACKWARD, first, inner)
            consider_order(shop, s, numbers, tabu, pick, FORWARD, first, inner)


def scan_machines(shop: Table, alternatives: Table, s: Table, numbers: Ints, tabu: Table, pick: Ints, o: int) -> None:
    """Moves of a critical operation to other machines, each to the gap that looks best (Mastrolilli and
    Gambardella 2000, with present heads and tails in place of those without the operation)."""
    p, n = shop[BEFORE, o], shop[AFTER, o]
    ready = s[HEAD, p] + s[TIME, p] if p >= 0 else 0
    rest = s[TAIL, n] + s[TIME, n] if n >= 0 else 0
    for a in range(shop[FIRST_ALTERNATIVE, o], shop[FIRST_ALTERNATIVE, o + 1]):
        m = alternatives[MACHINE, a]
        if m == s[MACHINE, o]:
            continue
        best, best_x = -1, -1
        x, y = -1, s[FIRST, m]
        while True:
            # behind x: no path from the job successor to x; before y: none from y to the job predecessor
            if x >= 0 and n >= 0 and (x == n or s[HEAD, x] >= s[HEAD, n] + s[TIME, n]):
                break
            if y < 0 or p < 0 or (y != p and s[HEAD, p] < s[HEAD, y] + s[TIME, y]):
                begin = max(ready, s[HEAD, x] + s[TIME, x]) if x >= 0 else ready
                end = max(rest, s[TAIL, y] + s[TIME, y]) if y >= 0 else rest
                value = begin + alternatives[TIME, a] + end
                if best < 0 or value < best:
                    best, best_x = value, x
            if y < 0:
                break
            x, y = y, s[FOLLOWING, y]
        if best >= 0:
            consider(numbers, tabu, pick, REASSIGN, o, best_x, a, best, is_tabu(numbers, tabu, cell(o, -1 - m)))


def push_later(shop: Table, s: Table, u: int, v: int) -> None:
    """Mend ``order`` when ``u``, which was before ``v``, must come after it: what follows from ``u`` goes along."""
    low, high = s[PLACE, u], s[PLACE, v]
    s[MARK, u] = 1
    kept, moved = low, 0
    for k in range(low, high + 1):
        w = s[ORDER, k]
        p, m = shop[BEFORE, w], s[PREVIOUS, w]
        if w == u or (p >= 0 and s[MARK, p] == 1) or (m >= 0 and s[MARK, m] == 1):
            s[MARK, w] = 1
            s[ROOM, moved] = w
            moved += 1
        else:
            s[ORDER, kept] = w
            s[PLACE, w] = kept
            kept += 1
    for k in range(moved):
        w = s[ROOM, k]
        s[MARK, w] = 0
        s[ORDER, kept + k] = w
        s[PLACE, w] = kept + k


def pull_earlier(shop: Table, s: Table, u: int, v: int) -> None:
    """Mend ``order`` when ``v``, which was after ``u``, must come before it: what leads to ``v`` goes along."""
    low, high = s[PLACE, u], s[PLACE, v]
    s[MARK, v] = 1
    kept, moved = high, 0
    for k in range(high, low - 1, -1):
        w = s[ORDER, k]
        n, m = shop[AFTER, w], s[FOLLOWING, w]
        if w == v or (n >= 0 and s[MARK, n] == 1) or (m >= 0 and s[MARK, m] == 1):
            s[MARK, w] = 1
            s[ROOM, moved] = w
            moved += 1
        else:
            s[ORDER, kept] = w
            s[PLACE, w] = kept
            kept -= 1
    for k in range(moved):
        w = s[ROOM, k]
        s[MARK, w] = 0
        s[ORDER, kept - k] = w
        s[PLACE, w] = kept - k


def unlink(s: Table, o: int) -> None:
    """Take ``o`` off its machine."""
    p, n = s[PREVIOUS, o], s[FOLLOWING, o]
    if p >= 0:
        s[FOLLOWING, p] = n
    else:
        s[FIRST, s[MACHINE, o]] = n
    if n >= 0:
        s[PREVIOUS, n] = p


def link_after(s: Table, o: int, x: int, m: int) -> None:
    """Put ``o`` on machine ``m`` right after ``x`` (-1: first)."""
    n = s[FOLLOWING, x] if x >= 0 else s[FIRST, m]
    s[PREVIOUS, o], s[FOLLOWING, o] = x, n
    if x >= 0:
        s[FOLLOWING, x] = o
    else:
        s[FIRST, m] = o
    if n >= 0:
        s[PREVIOUS, n] = o


def touch(s: Table, o: int) -> int:
    """Mark ``o`` for recomputation; 1 if it was not marked before."""
    if o < 0 or s[MARK, o] == 1:
        return 0
    s[MARK, o] = 1
    return 1


def update_heads(shop: Table, s: Table, start: int, waiting: int) -> None:
    """Recompute the heads of the ``waiting`` marked operations, all from position ``start`` on, and what follows."""
    k = start
    while waiting > 0:
        o = s[ORDER, k]
        k += 1
        if s[MARK, o] == 0:
            continue
        s[MARK, o] = 0
        waiting -= 1
        value = head_of(shop, s, o)
        if value != s[HEAD, o]:
            s[HEAD, o] = value
            waiting += touch(s, shop[AFTER, o]) + touch(s, s[FOLLOWING, o])


def update_tails(shop: Table, s: Table, start: int, waiting: int) -> None:
    """Recompute the tails of the ``waiting`` marked operations, all up to position ``start``, and what leads there."""
    k = start
    while waiting > 0:
        o = s[ORDER, k]
        k -= 1
        if s[MARK, o] == 0:
            continue
        s[MARK, o] = 0
        waiting -= 1
        value = tail_of(shop, s, o)
        if value != s[TAIL, o]:
            s[TAIL, o] = value
            waiting += touch(s, shop[BEFORE, o]) + touch(s, s[PREVIOUS, o])


def leftmost(s: Table, o: int, a: int, b: int) -> int:
    """Least position of up to three operations."""
    k = s[PLACE, o]
    if a >= 0:
        k = min(k, s[PLACE, a])
    return min(k, s[PLACE, b]) if b >= 0 else k


def rightmost(s: Table, o: int, a: int, b: int) -> int:
    """Greatest position of up to three operations."""
    k = s[PLACE, o]
    if a >= 0:
        k = max(k, s[PLACE, a])
    return max(k, s[PLACE, b]) if b >= 0 else k


def reorder(shop: Table, s: Table, numbers: Ints, tabu: Table, kind: int, u: int, v: int) -> None:
    """Carry out a move within a machine."""
    forbid_order(s, numbers, tabu, kind, u, v)
    low, high = s[PLACE, u], s[PLACE, v]
    outer_before, outer_after = s[PREVIOUS, u], s[FOLLOWING, v]
    m = s[MACHINE, u]
    rank = s[RANK, u]
    if kind == FORWARD:
        first = s[FOLLOWING, u]
        unlink(s, u)
        link_after(s, u, v, m)
        push_later(shop, s, u, v)
    else:
        first = v
        unlink(s, v)
        link_after(s, v, outer_before, m)
        pull_earlier(shop, s, u, v)
    waiting, w = 0, first
    while w != outer_after:
        s[RANK, w] = rank
        rank += 1
        waiting += touch(s, w)
        w = s[FOLLOWING, w]
    update_heads(shop, s, low, waiting + touch(s, outer_after))
    waiting, w = 0, first
    while w != outer_after:
        waiting += touch(s, w)
        w = s[FOLLOWING, w]
    update_tails(shop, s, high, waiting + touch(s, outer_before))


def reassign(shop: Table, alternatives: Table, s: Table, numbers: Ints, tabu: Table, o: int, x: int, a: int) -> None:
    """Carry out a move to another machine."""
    until = numbers[ITERATION] + numbers[TENURE] + draw(numbers, numbers[SPREAD] + 1)
    forbid(tabu, cell(o, -1 - s[MACHINE, o]), until)
    old_before, old_after = s[PREVIOUS, o], s[FOLLOWING, o]
    unlink(s, o)
    w = old_after
    while w >= 0:
        s[RANK, w] -= 1
        w = s[FOLLOWING, w]
    s[CHOSEN, o], s[MACHINE, o], s[TIME, o] = a, alternatives[MACHINE, a], alternatives[TIME, a]
    link_after(s, o, x, s[MACHINE, o])
    s[RANK, o] = s[RANK, x] + 1 if x >= 0 else 0
    y = s[FOLLOWING, o]
    w = y
    while w >= 0:
        s[RANK, w] += 1
        w = s[FOLLOWING, w]
    if x >= 0 and s[PLACE, x] > s[PLACE, o]:
        push_later(shop, s, o, x)
    elif y >= 0 and s[PLACE, y] < s[PLACE, o]:
        pull_earlier(shop, s, y, o)
    waiting = touch(s, o) + touch(s, old_after) + touch(s, y) + touch(s, shop[AFTER, o])
    update_heads(shop, s, leftmost(s, o, old_after, y), waiting)
    waiting = touch(s, o) + touch(s, old_before) + touch(s, x) + touch(s, shop[BEFORE, o])
    update_tails(shop, s, rightmost(s, o, old_before, x), waiting)


def step(shop: Table, alternatives: Table, s: Table, numbers: Ints, tabu: Table, pick: Ints, length: int) -> int:
    """One move from the present solution of makespan ``length``; the new makespan, or -1 if there is no move."""
    count = critical_path(shop, s, numbers, length)
    pick[:] = 0
    low = 0
    while low < count:
        high = low
        while high + 1 < count and s[PREVIOUS, s[PATH, high]] == s[PATH, high + 1]:
            high += 1
        if high > low:
            scan_block(shop, s, numbers, tabu, pick, low, high)
        low = high + 1
    if alternatives.shape[1] > shop.shape[1] - 1:
        for k in range(count):
            scan_machines(shop, alternatives, s, numbers, tabu, pick, s[PATH, k])
    at = 0 if pick[0] != NONE else 6
    kind, u, v, a = pick[at], pick[at + 1], pick[at + 2], pick[at + 3]
    if kind == NONE:
        return -1
    if kind == REASSIGN:
        reassign(shop, alternatives, s, numbers, tabu, u, v, a)
    else:
        reorder(shop, s, numbers, tabu, kind, u, v)
    return makespan(shop, s)


def keep_best(s: Table, numbers: Ints, best: Table, length: int) -> None:
    """Note the present solution as the best."""
    numbers[BEST], numbers[IMPROVED] = length, numbers[ITERATION]
    for k in range(best.shape[1]):
        best[BEST_ORDER, k], best[BEST_CHOSEN, k] = s[ORDER, k], s[CHOSEN, k]


def search(
    shop: Table,
    alternatives: Table,
    s: Table,
    numbers: Ints,
    tabu: Table,
    best: Table,
    iterations: int,
    patience: int,
    goal: int,
) -> bool:
    """Tabu search from the present solution; whether it is over.

    It goes on for ``iterations`` moves at most, and is over when the best makespan has reached ``goal``, when
    ``patience`` moves have brought no better one, or when there is no move.
    """
    pick = np.zeros(12, dtype=np.int64)
    length = makespan(shop, s)
    if numbers[BEST] < 0 or length < numbers[BEST]:
        keep_best(s, numbers, best, length)
    for _ in range(iterations):
        if numbers[BEST] <= goal or numbers[ITERATION] - numbers[IMPROVED] > patience:
            return True
        numbers[ITERATION] += 1
        length = step(shop, alternatives, s, numbers, tabu, pick, length)
        if length < 0:
            return True
        if length < numbers[BEST]:
            keep_best(s, numbers, best, length)
    return False
