"""Tiny robust knapsacks and their optimum by trying every first stage and every recourse plan."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import linprog

from combopt.instances.robust_knapsack import FAMILIES, RobustKnapsack


def small(rng: np.random.Generator) -> RobustKnapsack:
    n = int(rng.choice([1, 2, 3, 3, 4, 4, 5]))
    if rng.random() < 0.5:
        return RobustKnapsack.generate(
            rng, n=n, family=str(rng.choice(FAMILIES)), h=int(rng.choice([0, 40, 80])),
            delta=float(rng.choice([0.1, 1.0])), budget_factor=float(rng.choice([0.1, 0.35, 0.5, 1.2])),
            largest=int(rng.choice([20, 1000])),
        )  # fmt: skip
    profit = rng.integers(-3, 12, n)
    return RobustKnapsack(
        profit=profit,
        deviation=rng.integers(0, 12, n) + rng.choice([0.0, 0.25]),
        repair=rng.integers(0, 6, n),
        weight=rng.integers(0, 9, n),
        outsourcing=profit + rng.integers(-1, 5, n),
        capacity=int(rng.integers(0, 20)),
        budget=float(rng.choice([0.0, 0.5, 1.0, 1.75, 2.0, 7.0])),
        weight_scale=int(rng.choice([1, 10])),
    )


def worst_case(instance: RobustKnapsack, x: tuple[int, ...]) -> float:
    """The exact worst case of a first stage: a linear program over scenarios with a row for every recourse plan."""
    n = instance.items
    rows: dict[tuple[float, ...], float] = {}
    for modes in itertools.product(*[(0, 1, 2) if accepted else (0,) for accepted in x]):
        used = sum(int(instance.weight[i]) for i in range(n) if modes[i])
        used += sum(int(instance.repair[i]) for i in range(n) if modes[i] == 2)
        if used <= instance.capacity:
            loss = tuple(float(instance.deviation[i]) if modes[i] == 1 else 0.0 for i in range(n))
            gain = sum(float(instance.outsourcing[i]) for i in range(n) if modes[i])
            rows[loss] = max(rows.get(loss, gain), gain)
    accepted = sum(float(instance.profit[i] - instance.outsourcing[i]) for i in range(n) if x[i])
    if len(rows) == 1:
        return accepted + max(rows.values())
    # least theta >= gain - loss xi over the budget set
    matrix = np.array([[-value for value in loss] + [-1.0] for loss in rows] + [[1.0] * n + [0.0]])
    sides = [-gain for gain in rows.values()] + [instance.budget]
    answer = linprog([0.0] * n + [1.0], matrix, sides, bounds=[(0, 1)] * n + [(None, None)], method="highs")
    assert answer.status == 0
    return accepted + float(answer.fun)


def best(instance: RobustKnapsack) -> float:
    return max(worst_case(instance, x) for x in itertools.product((0, 1), repeat=instance.items))
