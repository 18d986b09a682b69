"""Tiny set coverings and their optimum by trying every set of columns."""

from __future__ import annotations

import itertools

import numpy as np

from combopt.instances.setcover import SetCover, from_pairs


def small(rng: np.random.Generator) -> SetCover:
    n = int(rng.integers(2, 10))
    form = rng.integers(0, 3)
    if form == 0:
        family = str(rng.choice(["weighted", "unicost"]))
        return SetCover.generate(rng, n=n, m=int(rng.integers(1, 7)), family=family, density=0.3)
    m = int(rng.integers(1, 7))
    column, row = np.nonzero(rng.random((n, m)) < (0.25 if form == 1 else 0.5))  # at times a row that no column covers
    return from_pairs("small", m, rng.integers(0, 6, n), row, column)


def best(instance: SetCover) -> int | None:
    start, rows = instance.column_start.tolist(), instance.column_row.tolist()
    sets = [set(rows[a:b]) for a, b in itertools.pairwise(start)]
    cost = instance.cost.tolist()
    everything = set(range(instance.rows))
    cheapest = None
    for chosen in itertools.product((0, 1), repeat=len(sets)):
        picked = [j for j, take in enumerate(chosen) if take]
        total = sum(cost[j] for j in picked)
        if (cheapest is None or total < cheapest) and set().union(*(sets[j] for j in picked)) == everything:
            cheapest = total
    return cheapest
