"""Tiny knapsacks and their optimum by trying every subset."""

from __future__ import annotations

import itertools

import numpy as np

from combopt.instances.knapsack import FAMILIES, Knapsack


def small(rng: np.random.Generator) -> Knapsack:
    n = int(rng.integers(1, 10))
    form = rng.integers(0, 4)
    if form == 0:
        return Knapsack.generate(rng, n=n, family=str(rng.choice(FAMILIES)), largest=int(rng.choice([5, 30, 1000])))
    weight = rng.integers(0, 12, n)
    profit = [rng.integers(0, 12, n), weight, weight + 3][form - 1]
    capacity = int(rng.choice([0, weight.sum(), rng.integers(0, weight.sum() + 2)]))
    decimals = int(rng.choice([1, 1, 10]))
    return Knapsack(profit=profit, weight=weight, capacity=capacity, profit_scale=decimals, weight_scale=decimals)


def best(instance: Knapsack) -> float:
    items = list(zip(instance.profit.tolist(), instance.weight.tolist(), strict=True))
    top = 0
    for chosen in itertools.product((0, 1), repeat=len(items)):
        profit = weight = 0
        for take, (p, w) in zip(chosen, items, strict=True):
            if take:
                profit += p
                weight += w
        if weight <= instance.capacity:
            top = max(top, profit)
    return top if instance.profit_scale == 1 else top / instance.profit_scale
