"""Second stages of random instances, solved: what value networks learn from.

Dumouchelle et al. (Neur2RO, ICLR 2024, appendix on data) draw first stages at random and scenarios uniformly, scaled
to a random budget.  True worst cases are vertices with few entries, which such scenarios hardly resemble: two thirds
of the scenarios drawn here are vertices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.instances.robust_knapsack import FAMILIES, RobustKnapsack
from combopt.model import Floats
from combopt.solvers.robust.knapsack_game import kernels

FIRSTS, SCENARIOS = 10, 50
"""First stages and scenarios of an instance, as published."""
STEP = 10
"""Sizes are multiples of this."""

Arrays = dict[str, npt.NDArray[Any]]


def knapsack_values(rng: np.random.Generator, largest: int, count: int) -> Arrays:
    """Values of ``count`` robust knapsacks with up to ``largest`` items, as published: sizes, correlations, spreads,
    capacities and budgets are drawn from those of the benchmark.

    The arrays are those of :mod:`combopt.learned.value.samples`.
    """
    sizes = [*range(min(20, largest), largest + 1, STEP)]
    arrays: Arrays = {
        "kind": np.array(RobustKnapsack.kind),
        "items": np.zeros(count, np.int32),
        "capacity": np.zeros(count, np.float32),
        "first": np.zeros((count, FIRSTS, largest), np.uint8),
        "scenario": np.zeros((count, SCENARIOS, largest), np.float32),
        "value": np.zeros((count, FIRSTS, SCENARIOS), np.float32),
    }
    names = ("profit", "deviation", "outsourcing", "weight", "repair")
    arrays |= {name: np.zeros((count, largest), np.float32) for name in names}
    for row in range(count):
        n = int(rng.choice(sizes))
        instance = RobustKnapsack.generate(
            rng, n=n, family=str(rng.choice(FAMILIES)), h=int(rng.choice([40, 80])),
            delta=float(rng.choice([0.1, 0.5, 1.0])), budget_factor=float(rng.choice([0.1, 0.15, 0.2])),
        )  # fmt: skip
        first = rng.random((FIRSTS, n)) < rng.random((FIRSTS, 1))
        scenario = np.array([_scenario(rng, instance, first[k % FIRSTS], k) for k in range(SCENARIOS)])
        arrays["items"][row], arrays["capacity"][row] = n, instance.capacity
        for name in names:
            arrays[name][row, :n] = getattr(instance, name)
        arrays["first"][row, :, :n], arrays["scenario"][row, :, :n] = first, scenario
        arrays["value"][row] = [[knapsack_value(instance, x, xi) for xi in scenario] for x in first]
    return arrays


def knapsack_value(instance: RobustKnapsack, x: npt.NDArray[np.bool_], scenario: Floats) -> float:
    """What the accepted items earn beyond being outsourced, with the best production and repair in the scenario."""
    light = np.ascontiguousarray(instance.weight[x])
    heavy = light + instance.repair[x]
    full = np.ascontiguousarray(instance.outsourcing[x])
    plain = full - instance.deviation[x] * scenario[x]
    if not light.size:
        return 0.0
    plan = np.zeros(len(light), np.int64)
    return float(kernels().respond(light, heavy, plain, full, instance.capacity, 0.0, plan))


def _scenario(rng: np.random.Generator, instance: RobustKnapsack, x: npt.NDArray[np.bool_], number: int) -> Floats:
    """By turns diffuse as published, a vertex at random, and one that costs the accepted items much."""
    n = instance.items
    if number % 3 == 0:
        diffuse = rng.random(n)
        total = rng.uniform(min(1.0, instance.budget), instance.budget)
        return np.minimum(1.0, diffuse * total / max(1e-9, float(diffuse.sum())))
    weight = rng.random(n)
    if number % 3 == 2:
        weight = instance.deviation * x * rng.uniform(0.5, 1.5, n)
    return instance.worst_case(weight)


SAMPLERS: dict[str, Callable[[np.random.Generator, int, int], Arrays]] = {RobustKnapsack.kind: knapsack_values}
"""By kind: random generator, largest size, number of instances."""
