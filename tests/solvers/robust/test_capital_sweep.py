"""The proof by enumeration: valid bounds, nothing passed over."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.solvers.robust.capital_recourse import Scenarios
from combopt.solvers.robust.capital_sweep import Sweep, bound_of
from tests.brute import capital_budgeting as brute


def affordable(instance: CapitalBudgeting) -> list[np.ndarray]:
    plans = [np.array(x) for x in itertools.product((0, 1), repeat=instance.projects)]
    return [x for x in plans if instance.worst_cost(x.astype(float))[0] <= instance.limit]


@pytest.mark.parametrize("seed", range(30))
def test_bounds_hold_for_every_first_stage(seed: int) -> None:
    rng = np.random.default_rng([20, seed])
    instance = brute.small(rng) if seed % 2 else CapitalBudgeting.generate(rng, n=7, factors=2)
    pool = Scenarios(instance, rng.uniform(-1, 1, (3, instance.factors)))
    for s in range(3):
        bound = bound_of(pool, s)
        for x in affordable(instance):
            own = bound.total + float(np.where(x == 1, bound.now, bound.later).sum())
            assert pool.best(s, x)[0] <= own + 1e-9
            assert own <= bound.value + 1e-9


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("nodes", [7, 100_000])
def test_all_first_stages_above_a_value_are_found(seed: int, nodes: int) -> None:
    rng = np.random.default_rng([21, seed])
    instance = CapitalBudgeting.generate(rng, n=8, factors=3)
    pool = Scenarios(instance, rng.uniform(-1, 1, (4, 3)))
    worths = {tuple(x.tolist()): pool.worth(x)[0] for x in affordable(instance)}
    least = float(np.quantile(list(worths.values()), 0.8))
    sweep = Sweep(pool, [bound_of(pool, s) for s in range(4)], least)
    found = []
    while not sweep.done:
        x, used = sweep.walk(nodes)
        assert used <= nodes
        if x is not None:
            found.append(tuple(x.tolist()))
    assert sorted(found) == sorted(x for x, worth in worths.items() if worth > least)


def test_a_bound_below_the_value_needs_no_walk() -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(3), n=8)
    pool = Scenarios(instance, np.zeros((1, 4)))
    bound = bound_of(pool, 0)
    assert Sweep(pool, [bound], bound.value).done
    assert not Sweep(pool, [bound], bound.value * 0.9).done
