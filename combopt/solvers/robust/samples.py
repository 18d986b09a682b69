"""Second stages of random instances, solved: what value networks learn from.

Dumouchelle et al. (Neur2RO, ICLR 2024, appendix on data) draw first stages at random and scenarios uniformly, scaled
to a random budget.  True worst cases are vertices with few entries, which such scenarios hardly resemble: two thirds
of the scenarios drawn here are vertices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_knapsack import FAMILIES, RobustKnapsack
from combopt.model import Floats, Instance
from combopt.solvers.robust.knapsack_game import kernels
from combopt.solvers.robust.samples_robust import robust_values

FIRSTS, SCENARIOS = 10, 50
"""First stages and scenarios of an instance, as published."""
STEP = 10
"""Sizes are multiples of this."""

Arrays = dict[str, npt.NDArray[Any]]
Draw = Callable[[np.random.Generator], Instance]
"""Gives an instance, drawn at random."""


def benchmark_knapsack(rng: np.random.Generator, largest: int) -> RobustKnapsack:
    """A robust knapsack with up to ``largest`` items, as published: sizes, correlations, spreads, capacities and
    budgets are drawn from those of the benchmark."""
    n = int(rng.choice([*range(min(20, largest), largest + 1, STEP)]))
    return RobustKnapsack.generate(
        rng, n=n, family=str(rng.choice(FAMILIES)), h=int(rng.choice([40, 80])),
        delta=float(rng.choice([0.1, 0.5, 1.0])), budget_factor=float(rng.choice([0.1, 0.15, 0.2])),
    )  # fmt: skip


def knapsack_values(rng: np.random.Generator, draw: Draw, count: int) -> Arrays:
    """Values of ``count`` robust knapsacks that ``draw`` gives.

    The arrays are those of :mod:`combopt.learned.value.knapsack`.
    """
    names = ("profit", "deviation", "outsourcing", "weight", "repair")
    rows: list[Arrays] = []
    for _ in range(count):
        instance = draw(rng)
        assert isinstance(instance, RobustKnapsack)
        first = rng.random((FIRSTS, instance.items)) < rng.random((FIRSTS, 1))
        scenario = np.array([_scenario(rng, instance, first[k % FIRSTS], k) for k in range(SCENARIOS)])
        value = np.array([[knapsack_value(instance, x, xi) for xi in scenario] for x in first])
        rows.append({name: getattr(instance, name) for name in names} | {
            "first": first, "scenario": scenario, "value": value, "capacity": np.array(instance.capacity),
            "items": np.array(instance.items),
        })  # fmt: skip
    n = max(len(row["profit"]) for row in rows)
    arrays: Arrays = {"kind": np.array(RobustKnapsack.kind)}
    kept = dict.fromkeys((*names, "scenario", "value", "capacity"), "float32") | {"first": "uint8", "items": "int32"}
    for name, dtype in kept.items():
        parts = [row[name] for row in rows]
        if name not in ("value", "capacity", "items"):
            parts = [np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, n - part.shape[-1])]) for part in parts]
        arrays[name] = np.array(parts).astype(dtype)
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


@dataclass(frozen=True)
class Sampler:
    """How second stages of a kind are labelled.

    Parameters
    ----------
    values
        Random generator, what draws an instance from it, and number of draws to the arrays of a file.
    drawn
        A random instance of up to a size, where the user gives none; ``None`` if the kind has no usual ones.
    chunk
        Draws in a file.
    """

    values: Callable[[np.random.Generator, Draw, int], Arrays]
    drawn: Callable[[np.random.Generator, int], Instance] | None
    chunk: int


SAMPLERS = {
    RobustKnapsack.kind: Sampler(knapsack_values, benchmark_knapsack, 25),
    TwoStageRobust.kind: Sampler(robust_values, None, 4),
}
"""By kind."""
