"""The loops of the exact clique search, for :func:`~combopt.solvers.compiled.compiled`.

Sets of vertices are bits, 64 to a word of type ``int64``, the first vertex the lowest bit of the first word.
The arrays are those of :class:`combopt.solvers.clique_bb.Tree`, and are changed in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

HUGE = 1 << 62
LOW = 128
"""Colours that recolouring tries at most: its time grows with the square."""
BRUIJN = 0x03F79D71B4CB0A89
"""Multiplied by a power of two, its top six bits tell which (Leiserson, Prokop and Randall 1998)."""
INDEX = np.array((
    0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4, 62, 55, 59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18,
    12, 5, 63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19,
    9, 13, 8, 7, 6,
))  # fmt: skip


def position(bit: int) -> int:
    """Which bit of a word the only one is that is set."""
    return INDEX[((bit * BRUIJN) >> 58) & 63]


def expand(
    rows: Any, worth: Any, left: Any, branch: Any, bounds: Any, todo: Any, above: Any, chosen: Any, best: Any,
    free: Any, classes: Any, residual: Any, info: Any, nodes: int,
) -> int:  # fmt: skip
    """Expand up to ``nodes`` nodes; returns how many are left to expand when the arrays are too shallow, else 0.

    ``left[d]`` holds the candidates at depth ``d``; ``branch[d, :todo[d]]`` those still to branch on, in ascending
    order of ``bounds[d]``: no clique among the candidates up to one is heavier.  ``above[d]`` is the weight of
    ``chosen[:d]``.  ``info`` is: depth (-1 when finished), best value, size of the best clique, whether all weights
    are 1, whether the root has still to be coloured.
    """
    if info[4]:
        info[4] = 0
        colour(0, rows, worth, left, branch, bounds, todo, above, free, classes, residual, info)
    while info[0] >= 0:
        depth = info[0]
        if todo[depth] == 0 or bounds[depth, todo[depth] - 1] + above[depth] <= info[1]:
            info[0] -= 1
            continue
        if nodes == 0 or depth + 2 >= len(left):
            return nodes
        nodes -= 1
        todo[depth] -= 1
        v = np.int64(branch[depth, todo[depth]])  # plain numpy shifts in the type of its operands
        chosen[depth] = v
        left[depth, v >> 6] &= ~(1 << (v & 63))
        above[depth + 1] = above[depth] + worth[v]
        if above[depth + 1] > info[1]:
            info[1], info[2] = above[depth + 1], depth + 1
            for i in range(depth + 1):
                best[i] = chosen[i]
        some = 0
        for i in range(rows.shape[1]):
            left[depth + 1, i] = left[depth, i] & rows[v, i]
            some |= left[depth + 1, i]
        if some != 0:
            info[0] = depth + 1
            colour(depth + 1, rows, worth, left, branch, bounds, todo, above, free, classes, residual, info)
    return 0


def colour(
    depth: int, rows: Any, worth: Any, left: Any, branch: Any, bounds: Any, todo: Any, above: Any, free: Any,
    classes: Any, residual: Any, info: Any,
) -> None:  # fmt: skip
    """Fill ``branch`` and ``bounds`` of a node: greedy colours, each vertex bounded by the colours up to its own."""
    spare = info[1] - above[depth]  # candidates within which nothing is heavier need no branching
    words = rows.shape[1]
    for i in range(words):
        free[i] = left[depth, i]
    if not info[3]:
        for i in range(words):
            rest = free[i]
            while rest != 0:
                bit = rest & -rest
                rest ^= bit
                v = (i << 6) + position(bit)
                residual[v] = worth[v]
    total, number, count, first = 0, 0, 0, 0
    while True:
        while first < words and free[first] == 0:
            first += 1
        if first == words:
            break
        independent(rows, free, classes[number], first)
        if info[3]:
            before = count
            count = colour_alike(rows, free, classes, number, first, spare, branch[depth], bounds[depth], count)
            if number < spare or count > before:
                number += 1  # else all of them found another colour, and this one is free again
        else:
            share = least(residual, classes[0], first)
            total += share
            count = colour_spent(
                residual, free, classes[0], first, share, total, spare, branch[depth], bounds[depth], count
            )
    todo[depth] = count


def independent(rows: Any, free: Any, class_: Any, first: int) -> None:
    """Into ``class_`` the candidates ``free`` in turn that are joined to none before; none is before ``first``."""
    words = len(free)
    for i in range(words):
        class_[i] = free[i]
    for i in range(first, words):
        rest = class_[i]
        while rest != 0:
            bit = rest & -rest
            v = (i << 6) + position(bit)
            for j in range(i, words):
                class_[j] &= ~rows[v, j]
            rest = class_[i] & ~(bit | (bit - 1))


def colour_alike(
    rows: Any, free: Any, classes: Any, number: int, first: int, spare: int, branch: Any, bounds: Any, count: int
) -> int:
    """Give colour ``number`` to its class; those that cannot be squeezed into the first ``spare`` are branched on."""
    for i in range(first, len(free)):
        rest = classes[number, i]
        free[i] &= ~rest
        if number < spare:
            continue
        while rest != 0:
            bit = rest & -rest
            rest ^= bit
            v = (i << 6) + position(bit)
            if not recolour(v, rows, classes, min(spare, number, LOW)):
                branch[count] = v
                bounds[count] = number + 1
                count += 1
    return count


def recolour(v: int, rows: Any, classes: Any, low: int) -> bool:
    """Give ``v`` one of the first ``low`` colours, if its only neighbour of that colour can have another."""
    words = rows.shape[1]
    for one in range(low):
        w = -1
        for j in range(words):
            both = classes[one, j] & rows[v, j]
            if both != 0:
                bit = both & -both
                if w >= 0 or both != bit:
                    w = -2
                    break
                w = (j << 6) + position(bit)
        if w == -2:
            continue
        if w == -1:
            classes[one, v >> 6] |= 1 << (v & 63)
            return True
        for two in range(one + 1, low):
            clash = 0
            for j in range(words):
                clash |= classes[two, j] & rows[w, j]
            if clash == 0:
                classes[one, v >> 6] |= 1 << (v & 63)
                classes[one, w >> 6] &= ~(1 << (w & 63))
                classes[two, w >> 6] |= 1 << (w & 63)
                return True
    return False


def least(residual: Any, class_: Any, first: int) -> int:
    """The least weight left in a class."""
    share = HUGE
    for i in range(first, len(class_)):
        rest = class_[i]
        while rest != 0:
            bit = rest & -rest
            rest ^= bit
            share = min(share, residual[(i << 6) + position(bit)])
    return share


def colour_spent(
    residual: Any, free: Any, class_: Any, first: int, share: int, total: int, spare: int, branch: Any, bounds: Any,
    count: int,
) -> int:  # fmt: skip
    """Take ``share`` off the weight of every vertex of the class; those with nothing left are coloured."""
    for i in range(first, len(free)):
        rest = class_[i]
        while rest != 0:
            bit = rest & -rest
            rest ^= bit
            v = (i << 6) + position(bit)
            residual[v] -= share
            if residual[v] == 0:
                free[i] &= ~bit
                if total > spare:
                    branch[count] = v
                    bounds[count] = total
                    count += 1
    return count
