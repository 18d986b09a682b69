"""The loop of TabuCol, for :func:`~combopt.solvers.compiled.compiled`.

The arrays are those of :class:`combopt.solvers.tabucol.ClashSearch`, and are changed in place.
"""

from __future__ import annotations

from typing import Any


def draw(generator: Any, count: int) -> int:
    """A random number from 0 to ``count - 1`` (below 2^31); the state is ``generator[0]``, 48 bits as in drand48."""
    generator[0] = (int(generator[0]) * 25214903917 + 11) & 281474976710655
    return int((generator[0] >> 17) % count)


def clash_steps(
    start: Any, target: Any, colour: Any, around: Any, tabu: Any, queue: Any, place: Any, generator: Any, info: Any,
    share: float, steps: int,
) -> None:  # fmt: skip
    """Up to ``steps`` steps: the best change of colour of a clashing vertex that is not tabu, or gives a new record.

    ``info`` is: steps done, clashes, fewest clashes so far, clashing vertices (``queue``, with their ``place``).
    """
    colours = around.shape[1]
    until = info[0] + steps
    while info[0] < until and info[1] > 0:
        info[0] += 1
        best, ties, vertex, to = 1 << 62, 0, -1, 0
        for i in range(info[3]):
            v = queue[i]
            own = around[v, colour[v]]
            for c in range(colours):
                change = around[v, c] - own
                if change > best or c == colour[v]:
                    continue
                if tabu[v, c] >= info[0] and info[1] + change >= info[2]:
                    continue
                ties = 1 if change < best else ties + 1
                if draw(generator, ties) == 0:
                    best, vertex, to = change, v, c
        if vertex < 0:  # everything is tabu: any change of a clashing vertex
            vertex = queue[draw(generator, info[3])]
            to = draw(generator, colours)
            best = around[vertex, to] - around[vertex, colour[vertex]]
            if to == colour[vertex]:
                continue
        old = colour[vertex]
        tabu[vertex, old] = info[0] + int(share * info[3]) + draw(generator, 10)
        info[1] += best
        info[2] = min(info[1], info[2])
        recolour(vertex, to, start, target, colour, around, queue, place, info)


def recolour(
    v: int, to: int, start: Any, target: Any, colour: Any, around: Any, queue: Any, place: Any, info: Any
) -> None:
    """Give ``v`` the colour ``to``, and keep the counts and the queue of clashing vertices."""
    old = colour[v]
    colour[v] = to
    note(v, around[v, to] > 0, queue, place, info)
    for k in range(start[v], start[v + 1]):
        x = target[k]
        around[x, old] -= 1
        around[x, to] += 1
        if colour[x] == old or colour[x] == to:
            note(x, around[x, colour[x]] > 0, queue, place, info)


def note(v: int, clashes: bool, queue: Any, place: Any, info: Any) -> None:
    """Put ``v`` into the queue if it clashes, take it out if not."""
    if clashes and place[v] < 0:
        queue[info[3]] = v
        place[v] = info[3]
        info[3] += 1
    elif not clashes and place[v] >= 0:
        info[3] -= 1
        last = queue[info[3]]
        queue[place[v]] = last
        place[last] = place[v]
        place[v] = -1
