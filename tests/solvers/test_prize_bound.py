"""The knapsack bound for orienteering."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from combopt.instances.op import Op
from combopt.solvers.prize_bound import op_bound
from tests.brute import op as brute


def two_nearest(instance: Op, scale: int) -> np.ndarray:
    matrix = np.floor(instance.metric.full() * (scale if not instance.metric.integral else 1)).astype(np.int64)
    far = np.where(np.eye(len(matrix), dtype=bool), 10**6, matrix)
    return np.sort(far, axis=1)[:, :2]


def test_the_bound_holds() -> None:
    tight = tried = 0
    for seed in range(400):
        instance = brute.small(np.random.default_rng([77, seed]))
        best = brute.best(instance)
        if best is None or instance.nodes < 3:
            continue
        scale = 1 if instance.metric.integral else 64
        near = two_nearest(instance, scale)
        bound = op_bound(instance, near[:, 0], near[:, 1], Fraction(scale))
        assert best <= bound, seed
        tried += 1
        tight += bound == best
    assert tight > tried // 3


def test_the_last_node_counts_in_part() -> None:
    instance = brute.small(np.random.default_rng(0))
    metric = type(instance.metric)(rule="EUC_2D", coordinates=np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]]))
    square = Op(metric=metric, prize=[0, 4, 4, 4], limit=25)
    ten = np.full(4, 10)
    # 25 less 10 for the depot leave room for one node and a half
    assert op_bound(square, ten, ten, Fraction(1)) == 6
