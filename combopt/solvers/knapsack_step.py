"""The step of :mod:`combopt.solvers.knapsack_core` compiled: one pass, about eight times as fast."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from combopt.solvers.base import Session
from combopt.solvers.compiled import available, jit

LARGEST = float(2**62)


@cache
def compiled() -> Callable[..., Any]:
    """The compiled step; the compilation takes about two seconds unless a former one was kept on disk."""
    import numpy as np

    step: Callable[..., Any] = jit(merge)
    longs, ints = np.zeros(1, np.int64), np.zeros(1, np.int32)
    step(*(longs, longs, longs, ints) * 2, 0, 0, 0, 0, 0.0, 0.0, 0, 0.0)  # compiles for these types
    return step


def compiled_within(session: Session) -> Callable[..., Any] | None:
    """The compiled step; ``None`` if there is no compiler, or the run is to stop before it is done."""
    if not available():
        return None
    found: list[Callable[..., Any]] = []
    thread = threading.Thread(target=lambda: found.append(compiled()), daemon=True)
    thread.start()
    while thread.is_alive() and not session.stopping:
        thread.join(0.02)
    return found[0] if found else None


def merge(  # type: ignore[no-untyped-def]
    weight, profit, made, origin, new_weight, new_profit, new_made, new_origin,
    add_weight, add_profit, bit, capacity, gain, loss, best, margin,
):  # fmt: skip
    """Merge the states (by increasing weight and profit) with the same changed by an item.

    Writes what is neither dominated nor hopeless to the ``new_`` arrays.  Returns their count, the highest bound, and
    profit, decisions and origin of the best state within the capacity if it beats ``best``.
    """
    n = len(weight)
    i = j = count = 0
    lead = highest = found = -1
    found_made = found_origin = 0
    while i < n or j < n:
        stay = j >= n or (i < n and weight[i] <= weight[j] + add_weight)
        if stay:
            w, p, m, o = weight[i], profit[i], made[i], origin[i]
            i += 1
        else:
            w, p, m, o = weight[j] + add_weight, profit[j] + add_profit, made[j] | bit, origin[j]
            j += 1
        if p <= lead:
            continue
        lead = p
        room = capacity - w
        if room >= 0 and p > best:
            best = p
            found, found_made, found_origin = p, m, o
        change = min(max(room * (gain if room >= 0 else loss), -LARGEST), LARGEST)
        bound = p + math.floor(change + margin * abs(change) + 1e-9)
        highest = max(highest, bound)
        if bound <= best:
            continue
        if count and new_weight[count - 1] == w:
            count -= 1
        new_weight[count], new_profit[count], new_made[count], new_origin[count] = w, p, m, o
        count += 1
    return count, highest, found, found_made, found_origin
