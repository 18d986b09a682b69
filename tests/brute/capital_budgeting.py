"""Tiny capital budgeting instances and their optimum by trying every first stage, recourse and corner of the regions.

With one or two factors the worst scenario lies where two lines cross: sides of the box, boundaries of a budget, or
places where two recourse decisions are worth the same; or just beside such a point, where a decision is lost.
"""

from __future__ import annotations

import itertools

import numpy as np

from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.model import Floats

ASIDE = 1e-8


def small(rng: np.random.Generator) -> CapitalBudgeting:
    q = int(rng.integers(1, 3))
    n = int(rng.integers(1, 6 - q))
    form = rng.integers(0, 4)
    if form == 0:
        return CapitalBudgeting.generate(rng, n=n, factors=q)
    if form == 1:  # whole numbers, so that budgets are met exactly
        cost, profit = rng.integers(0, 6, n), rng.integers(0, 6, n)
        phi, psi = rng.integers(-1, 2, (n, q)) / q, rng.integers(-1, 2, (n, q)) / q
        budget = int(rng.integers(0, cost.sum() + 3))
    else:
        cost, profit = rng.uniform(0.5, 5, n), rng.uniform(0, 3, n)
        phi, psi = rng.uniform(-1, 1, (n, q)), rng.uniform(-1, 1, (n, q))
        budget = float(rng.uniform(0, 1.2) * cost.sum())
    late = float(rng.choice([0.0, 0.5, 0.8, 1.0]))
    return CapitalBudgeting(
        cost=cost, profit=profit, cost_factors=phi, profit_factors=psi, budget=float(budget), late=late
    )


def best(instance: CapitalBudgeting) -> float:
    plans = [np.array(x, dtype=float) for x in itertools.product((0, 1), repeat=instance.projects)]
    return max(worst(instance, x) for x in plans if instance.worst_cost(x)[0] <= instance.limit)


def worst(instance: CapitalBudgeting, first: Floats) -> float:
    """The least profit of ``first`` with the best of all recourse decisions."""
    free = [(0, 1) if chosen == 0 else (0,) for chosen in first]
    return least(instance, first, np.array(list(itertools.product(*free)), dtype=float))


def least(instance: CapitalBudgeting, first: Floats, recourse: Floats) -> float:
    """The least profit over all scenarios of the best of some decisions, one of which is affordable everywhere."""
    points = scenarios(instance, first, recourse)
    total = first + recourse
    cost = instance.costs(points) @ total.T
    value = instance.profits(points) @ (first + instance.late * recourse).T
    return float(np.where(cost <= instance.limit, value, -np.inf).max(axis=1).min())


def scenarios(instance: CapitalBudgeting, first: Floats, recourse: Floats) -> Floats:
    """All scenarios that can be worst, ``float64[p, q]``."""
    q = instance.factors
    worth = instance.profit * (first + instance.late * recourse)
    price = instance.cost * (first + recourse)
    value = np.column_stack([worth.sum(axis=1), worth @ instance.profit_factors / 2])
    spare = np.column_stack([price.sum(axis=1) - instance.limit, price @ instance.cost_factors / 2])
    pairs = [value[a] - value[b] for a, b in itertools.combinations(range(len(value)), 2)]
    box = [np.r_[s, np.eye(q)[j]] for j in range(q) for s in (1.0, -1.0)]
    lines = np.array([*spare, *pairs, *box])
    lines = lines[np.abs(lines[:, 1:]).max(axis=1) > 1e-12]
    if q == 1:
        points = -lines[:, :1] / lines[:, 1:]
        around = np.array([[0.0], [ASIDE], [-ASIDE]])
    else:
        lines = np.unique((lines / np.linalg.norm(lines[:, 1:], axis=1)[:, None]).round(13), axis=0)
        a, b = (lines[index] for index in np.triu_indices(len(lines), 1))
        det = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
        a, b, det = a[np.abs(det) > 1e-9], b[np.abs(det) > 1e-9], det[np.abs(det) > 1e-9]
        points = np.column_stack([a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2], a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]])
        points /= det[:, None]
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        around = ASIDE * np.column_stack([np.cos(angles), np.sin(angles)])
        # The four cones between the two lines, however thin they are.
        along = np.stack([a[:, [2, 1]] * [-1, 1], b[:, [2, 1]] * [-1, 1]])
        beside = [points + ASIDE * (s * along[0] + t * along[1]) for s in (1, -1) for t in (1, -1)]
        points = np.vstack([points, *beside])
        around = np.vstack([np.zeros((1, 2)), around]) if len(points) < 3000 else np.zeros((1, 2))
    found = (points[:, None, :] + around).reshape(-1, q)
    inside = found[(np.abs(found) <= 1).all(axis=1)]
    return np.vstack([inside, np.array(list(itertools.product((-1.0, 1.0), repeat=q)))])
