"""Random knapsack data as the literature draws them.

Pisinger, Where are the hard knapsack problems? Computers & Operations Research 32 (2005), sections 3 and 5;
Jooken, Leyman and De Causmaecker, A new class of hard problem instances for the 0-1 knapsack problem, European
Journal of Operational Research 301 (2022).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from combopt.errors import UsageError
from combopt.model import Ints

Pair = tuple[Ints, Ints]
"""Profits and weights."""
Generator = np.random.Generator


def _uncorrelated(rng: Generator, n: int, r: int) -> Pair:
    return rng.integers(1, r + 1, n), rng.integers(1, r + 1, n)


def _weakly(rng: Generator, n: int, r: int) -> Pair:
    weight = rng.integers(1, r + 1, n)
    return np.maximum(1, weight + rng.integers(-(r // 10), r // 10 + 1, n)), weight


def _strongly(rng: Generator, n: int, r: int) -> Pair:
    weight = rng.integers(1, r + 1, n)
    return weight + r // 10, weight


def _inverse_strongly(rng: Generator, n: int, r: int) -> Pair:
    profit = rng.integers(1, r + 1, n)
    return profit, profit + r // 10


def _almost_strongly(rng: Generator, n: int, r: int) -> Pair:
    weight = rng.integers(1, r + 1, n)
    return weight + r // 10 + rng.integers(-(r // 500), r // 500 + 1, n), weight


def _subset_sum(rng: Generator, n: int, r: int) -> Pair:
    weight = rng.integers(1, r + 1, n)
    return weight.copy(), weight


def _similar_weights(rng: Generator, n: int, r: int) -> Pair:
    return rng.integers(1, r + 1, n), rng.integers(100 * r, 100 * r + r // 10 + 1, n)


def _spanner(base: Callable[[Generator, int, int], Pair]) -> Callable[[Generator, int, int], Pair]:
    """span(2, 10): multiples 1 to 10 of two items drawn as ``base`` does and shrunk by 11."""

    def family(rng: Generator, n: int, r: int) -> Pair:
        profit, weight = base(rng, 2, r)
        pick, factor = rng.integers(0, 2, n), rng.integers(1, 11, n)
        return factor * -(-profit // 11)[pick], factor * -(-weight // 11)[pick]

    return family


def _multiple_strongly(rng: Generator, n: int, r: int) -> Pair:
    """mstr(3R/10, 2R/10, 6)."""
    weight = rng.integers(1, r + 1, n)
    return weight + np.where(weight % 6 == 0, 3 * r // 10, 2 * r // 10), weight


def _profit_ceiling(rng: Generator, n: int, r: int) -> Pair:
    """pceil(3)."""
    weight = rng.integers(1, r + 1, n)
    return 3 * -(-weight // 3), weight


def _circle(rng: Generator, n: int, r: int) -> Pair:
    """circle(2/3)."""
    weight = rng.integers(1, r + 1, n)
    return np.rint(2 / 3 * np.sqrt(4.0 * r * r - (weight - 2.0 * r) ** 2)).astype(np.int64), weight


_PISINGER: dict[str, Callable[[Generator, int, int], Pair]] = {
    "uncorrelated": _uncorrelated,
    "weakly": _weakly,
    "strongly": _strongly,
    "inverse_strongly": _inverse_strongly,
    "almost_strongly": _almost_strongly,
    "subset_sum": _subset_sum,
    "similar_weights": _similar_weights,
    "spanner_uncorrelated": _spanner(_uncorrelated),
    "spanner_weakly": _spanner(_weakly),
    "spanner_strongly": _spanner(_strongly),
    "multiple_strongly": _multiple_strongly,
    "profit_ceiling": _profit_ceiling,
    "circle": _circle,
}
FAMILIES: tuple[str, ...] = (*_PISINGER, "jooken")
"""Names of the families."""


def draw(rng: Generator, n: int, family: str, r: int, fill: float) -> tuple[Ints, Ints, int]:
    """Profits, weights and capacity of ``n`` items of a family; see :meth:`Knapsack.generate`."""
    if n < 1 or r < 1 or not 0 <= fill <= 1:
        raise UsageError("E201", f"n={n}, largest={r}, fill={fill}", expected="n and largest from 1, fill from 0 to 1")
    if family == "jooken":
        return jooken(rng, n)
    if family not in _PISINGER:
        raise UsageError("E201", f"family {family!r}", expected=", ".join(FAMILIES))
    profit, weight = _PISINGER[family](rng, n, r)
    return profit, weight, int(fill * int(weight.sum()))


def jooken(
    rng: Generator, n: int, c: int = 1_000_000, g: int = 6, f: float = 0.3, eps: float = 0.01, s: int = 100
) -> tuple[Ints, Ints, int]:
    """Groups 1 to g-1 of equal size weigh about ``(1/2^i + eps) c`` each, plus noise 1 to s in profit and weight
    independently; the last group, a share ``f`` and what the division leaves, is noise alone.  Capacity ``c``."""
    each = int((1 - f) * n) // (g - 1)
    base = np.zeros(n, dtype=np.int64)
    for i in range(1, g):
        base[(i - 1) * each : i * each] = int((1 / 2**i + eps) * c)
    return base + rng.integers(1, s + 1, n), base + rng.integers(1, s + 1, n), c
