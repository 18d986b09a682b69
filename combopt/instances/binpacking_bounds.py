"""First-fit and best-fit decreasing, and lower bounds of bin packing that need no search.

Martello and Toth, Discrete Applied Mathematics 28 (1990) for L2; Fekete and Schepers, Mathematical Programming 91
(2001) for the dual feasible functions.
"""

from __future__ import annotations

import numpy as np

from combopt.model import Ints


def fit_decreasing(size: Ints, capacity: int, *, best: bool = False) -> Ints:
    """A bin for every item: largest first, each into the first bin where it fits, or the fullest such (``best``).

    An item larger than the capacity gets a bin of its own.
    """
    n = len(size)
    groups = np.empty(n, dtype=np.int64)
    room = np.empty(n, dtype=np.int64)
    used = 0
    for i in np.argsort(-size, kind="stable").tolist():
        fits = room[:used] >= size[i]
        if best:
            inside = np.flatnonzero(fits)
            bin_ = int(inside[np.argmin(room[inside])]) if inside.size else used
        else:
            bin_ = int(np.argmax(fits)) if fits.any() else used
        if bin_ == used:
            room[used] = capacity
            used += 1
        groups[i] = bin_
        room[bin_] -= size[i]
    return groups


def lower_bound(size: Ints, capacity: int) -> int:
    """The best of L1, L2 and the dual feasible functions u^(1) to u^(100); all items must fit into a bin."""
    volume = sum(size.tolist())
    return max(1, -(-volume // capacity), martello_toth(size, capacity), dual_feasible(size, capacity))


def martello_toth(size: Ints, capacity: int) -> int:
    """L2: for every threshold ``a`` up to half a bin, items above ``C - a`` and ``C / 2`` need bins of their own;
    those of at least ``a`` fill what the latter leave."""
    ordered = np.sort(size)
    total = np.concatenate([[0], np.cumsum(ordered)])
    threshold = np.unique(np.append(ordered[2 * ordered <= capacity], 0))
    half = int(np.searchsorted(ordered, capacity // 2, side="right"))
    above = np.searchsorted(ordered, capacity - threshold, side="right")
    below = np.searchsorted(ordered, threshold, side="left")
    free = (above - half) * capacity - (total[above] - total[half])
    spill = np.maximum(0, total[half] - total[below] - free)
    return int((len(ordered) - half + -(-spill // capacity)).max())


def dual_feasible(size: Ints, capacity: int, largest: int = 100) -> int:
    """``u^(k)(x) = x`` where ``(k + 1) x / C`` is whole, else ``floor((k + 1) x / C) C / k``, for k up to
    ``largest``; the volume of the items after the function, in bins, rounded up."""
    if capacity > 2**52 // (largest + 1):
        return 1  # the products below would overflow; L1 and L2 stand
    best = 1
    for k in range(1, largest + 1):
        whole, rest = np.divmod((k + 1) * size, capacity)
        values = np.where(rest == 0, k * size, whole * capacity)
        best = max(best, -(-sum(values.tolist()) // (k * capacity)))
    return best
