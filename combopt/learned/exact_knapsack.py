"""Best knapsacks, by dynamic programming on what bounds leave open: the teacher, which needs no other package."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Ints = npt.NDArray[np.int64]


def best_items(profit: Tensor, weight: Tensor, capacity: Tensor) -> Tensor:
    """``int64[B, L]``: the items of a most profitable knapsack for each instance, with -1 in front of fewer.

    ``profit, weight: int64[B, n]``, 1 or more, and ``capacity: int64[B]``, of moderate size: time and memory of the
    hard core of an instance grow with its capacity.
    """
    rows = zip(profit.cpu().numpy(), weight.cpu().numpy(), capacity.tolist(), strict=True)
    found = [best_selection(*row) for row in rows]
    codes = np.full((len(found), max(map(len, found), default=0)), -1, dtype=np.int64)
    for row, items in zip(codes, found, strict=True):
        row[len(row) - len(items) :] = items
    return torch.from_numpy(codes).to(profit.device)


def best_selection(profit: Ints, weight: Ints, capacity: int) -> Ints:
    """The items of one most profitable knapsack, ``int64[k]``.

    Dantzig's greedy rule gives a solution.  An item that would have to be forced in or out against the linear
    relaxation at a loss which that solution excludes is as the relaxation has it (Dembo and Hammer 1980); the others
    are settled by dynamic programming.
    """
    order = np.argsort(-profit / weight, kind="stable")
    profit, weight = profit[order], weight[order]
    taken = np.zeros(len(order), dtype=bool)
    room = capacity
    for i, w in enumerate(weight.tolist()):
        if w <= room:
            taken[i] = True
            room -= w
    if taken.all():
        return np.sort(order)
    known = int(profit[taken].sum())
    broken = int(np.argmin(taken))  # all before it were taken: the break item
    rest = capacity - int(weight[:broken].sum())
    before = np.arange(len(order)) < broken
    # Upper bounds when the item is not as the relaxation has it.
    sign = np.where(before, -1, 1)
    bound = int(profit[:broken].sum()) + sign * profit + (rest - sign * weight) * (profit[broken] / weight[broken])
    free = bound > known + 1 - 1e-6  # profits are whole numbers
    best = _by_room(profit[free], weight[free], capacity - int(weight[before & ~free].sum()))
    core = np.flatnonzero(free)[best]
    chosen = np.concatenate([np.flatnonzero(before & ~free), core])
    if int(profit[chosen].sum()) <= known:
        chosen = np.flatnonzero(taken)
    return np.sort(order[chosen])


def _by_room(profit: Ints, weight: Ints, capacity: int) -> Ints:
    """A most profitable selection by dynamic programming over the room (Bellman 1957)."""
    best = np.zeros(capacity + 1, dtype=np.int64)
    took = np.zeros((len(profit), capacity + 1), dtype=bool)
    for i, (p, w) in enumerate(zip(profit.tolist(), weight.tolist(), strict=True)):
        if w <= capacity:
            with_item = best[: capacity + 1 - w] + p
            took[i, w:] = with_item > best[w:]
            best[w:] = np.maximum(best[w:], with_item)
    items, room = [], capacity
    for i in reversed(range(len(profit))):
        if took[i, room]:
            items.append(i)
            room -= int(weight[i])
    return np.array(items, dtype=np.int64)
