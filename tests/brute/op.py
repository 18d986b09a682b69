"""Orienteering by enumeration of all orders of all subsets."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.op import Op


def small(rng: np.random.Generator) -> Op:
    n = int(rng.integers(1, 7))
    kind = int(rng.integers(0, 4))
    if kind == 0:  # any matrix, the triangle inequality broken, zeros and ties likely
        upper = np.triu(rng.integers(0, 8, size=(n, n)), 1)
        metric = Metric(rule="EXPLICIT", matrix=upper + upper.T)
    else:
        rule = ("EUC_2D", "CEIL_2D", "EXACT_2D")[kind - 1]
        metric = Metric(rule=rule, coordinates=rng.integers(0, 12, size=(n, 2)).astype(float))
    prize = rng.integers(0, 6, size=n)
    limit = [0, int(rng.integers(0, 15)), int(rng.integers(0, 40)), 1000][int(rng.integers(0, 4))]
    depot = int(rng.integers(0, n))
    end = None
    if n > 1 and rng.random() < 0.35:
        end = int(rng.choice([v for v in range(n) if v != depot]))
    return Op(name="small", metric=metric, prize=prize, limit=limit, depot=depot, end=end)


def best(instance: Op) -> int | None:
    d = instance.metric.full().tolist()
    last = instance.depot if instance.end is None else instance.end
    others = [v for v in range(len(d)) if v not in (instance.depot, last)]
    value = None
    for count in range(len(others) + 1):
        for chosen in combinations(others, count):
            prize = sum(int(instance.prize[v]) for v in {*chosen, instance.depot, last})
            if value is not None and prize <= value:
                continue
            for order in permutations(chosen):
                stops = [instance.depot, *order, last]
                if sum(d[a][b] for a, b in pairwise(stops)) <= instance.limit:
                    value = prize
                    break
    return value
