"""Tiny multidimensional knapsacks and their optimum by trying every subset."""

from __future__ import annotations

import itertools

import numpy as np

from combopt.instances.mkp import Mkp


def small(rng: np.random.Generator) -> Mkp:
    n, m = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    if rng.random() < 0.4:
        family = str(rng.choice(["chu_beasley", "uncorrelated"]))
        return Mkp.generate(rng, n=n, m=m, family=family, tightness=float(rng.choice([0, 0.25, 0.5, 1])))
    weight = rng.integers(0, 8, size=(m, n))
    capacity = rng.integers(0, weight.sum(axis=1) + 2)
    scale = int(rng.choice([1, 1, 100]))
    return Mkp(profit=rng.integers(0, 9, n), weight=weight, capacity=capacity, profit_scale=scale, weight_scale=scale)


def best(instance: Mkp) -> float:
    profit, weight, capacity = instance.profit.tolist(), instance.weight.tolist(), instance.capacity.tolist()
    top = 0
    for size in range(len(profit) + 1):
        for chosen in itertools.combinations(range(len(profit)), size):
            if all(sum(row[j] for j in chosen) <= limit for row, limit in zip(weight, capacity, strict=True)):
                top = max(top, sum(profit[j] for j in chosen))
    return top if instance.profit_scale == 1 else top / instance.profit_scale
