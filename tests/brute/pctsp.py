"""The prize-collecting salesman by enumeration of all orders of all subsets."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.pctsp import Pctsp


def small(rng: np.random.Generator) -> Pctsp:
    n = int(rng.integers(1, 7))
    if rng.random() < 0.5:
        upper = np.triu(rng.integers(0, 10, size=(n, n)), 1)
        metric = Metric(rule="EXPLICIT", matrix=upper + upper.T)
    else:
        metric = Metric(rule="EUC_2D", coordinates=rng.integers(0, 12, size=(n, 2)).astype(float))
    prize = rng.integers(0, 6, size=n)
    penalty = rng.integers(0, [3, 15, 100][int(rng.integers(0, 3))], size=n)
    total = int(prize.sum())
    least = [0, total // 2, total, total + 1][int(rng.choice(4, p=[0.25, 0.45, 0.2, 0.1]))]
    return Pctsp(name="small", metric=metric, prize=prize, penalty=penalty, min_prize=least)


def best(instance: Pctsp) -> int | None:
    d = instance.metric.full().tolist()
    others = range(1, len(d))
    value = None
    for count in range(len(d)):
        for chosen in combinations(others, count):
            if int(instance.prize[0]) + sum(int(instance.prize[v]) for v in chosen) < instance.min_prize:
                continue
            out = sum(int(instance.penalty[v]) for v in others if v not in chosen)
            for order in permutations(chosen):
                stops = [0, *order, 0]
                cost = out + sum(d[a][b] for a, b in pairwise(stops))
                value = cost if value is None else min(value, cost)
    return value
