"""Greedy insertion."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.solutions import Tour
from combopt.solvers.greedy_prize import Insertion, greedy

LINE = Metric(rule="EUC_2D", coordinates=np.array([[0.0, 0], [1, 0], [5, 0], [9, 0]]))


def test_the_best_ratio_goes_first() -> None:
    tour = greedy(Op(metric=LINE, prize=[0, 1, 100, 1], limit=12))
    assert tour is not None
    assert sorted(tour.order.tolist()) == [0, 1, 2]


def test_an_open_path_ends_at_its_end() -> None:
    tour = greedy(Op(metric=LINE, prize=[1, 1, 1, 1], limit=9, end=3))
    assert tour == Tour([0, 1, 2, 3])


def test_an_end_out_of_reach_gives_nothing() -> None:
    assert greedy(Op(metric=LINE, prize=[1, 1, 1, 1], limit=8, end=3)) is None


@pytest.mark.parametrize("kind", ["op", "pctsp"])
@pytest.mark.parametrize("n", [1, 2, 3, 80])
def test_generated_instances_get_a_feasible_tour(kind: str, n: int) -> None:
    instance = api.generate(kind, seed=n, n=n)
    tour = greedy(instance)
    assert tour is not None
    assert instance.evaluate(tour).feasible


def test_a_stop_leaves_a_feasible_tour() -> None:
    tour = greedy(api.generate("op", n=50), lambda: True)
    assert tour == Tour([0])


def test_costs_are_those_of_the_cheapest_edge() -> None:
    """After every insertion the cost of each node left out is the least over all edges."""
    metric = api.generate("op", seed=3, n=25).metric  # type: ignore[attr-defined]
    insertion = Insertion(metric, 0, None)
    d = metric.full()
    while insertion.step(lambda left, cost: -cost):
        order = insertion.order()
        edges = list(zip(order, np.roll(order, -1), strict=True))
        for node, cost in zip(insertion.left, insertion.cost, strict=True):
            assert cost == min(d[a, node] + d[node, b] - d[a, b] for a, b in edges)
        assert insertion.length == metric.cycle(order)
