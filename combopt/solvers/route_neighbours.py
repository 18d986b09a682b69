"""Near pairs of customers, without the n x n matrix."""

from __future__ import annotations

import numpy as np

from combopt.instances.metric import Metric
from combopt.model import Floats, Ints

WHOLE = 4000
"""Nodes up to which all distances are looked at."""
PER_CELL = 12
"""Customers in a cell of the grid on average."""


def near_pairs(metric: Metric, k: int) -> Ints:
    """Ordered pairs ``int64[m, 2]`` of different customers 1..n-1, at least the ``k`` nearest of each (or all).

    Large instances with plane coordinates are searched through a grid, whose rings of cells around a customer
    are taken until they hold ``k`` others; a few pairs that are nearer across the rim may be missed.
    """
    n = len(metric) - 1
    if n < 2:
        return np.zeros((0, 2), dtype=np.int64)
    k = min(k, n - 1)
    points = metric.coordinates
    if n <= WHOLE or points is None or metric.matrix is not None or points.shape[1] != 2:
        return _all_near(metric, k)
    return _grid_near(metric, points[1:], k)


def _all_near(metric: Metric, k: int) -> Ints:
    customers = np.arange(1, len(metric))
    found = []
    for start in range(0, len(customers), 256):
        block = customers[start : start + 256]
        distances = metric.between(block[:, None], customers[None, :]).astype(np.float64)
        distances[np.arange(len(block)), block - 1] = np.inf
        near = np.argpartition(distances, k - 1, axis=1)[:, :k] + 1
        found.append(np.stack([np.repeat(block, k), near.ravel()], axis=1))
    return np.concatenate(found)


def _grid_near(metric: Metric, points: Floats, k: int) -> Ints:
    n = len(points)
    low = points.min(axis=0)
    extent = np.maximum(points.max(axis=0) - low, 1e-9)
    side = max(float(np.sqrt(extent.prod() * PER_CELL / n)), float(extent.max()) / 2000)
    cell = ((points - low) / side).astype(np.int64)
    columns, rows = cell.max(axis=0) + 1
    label = cell[:, 0] * rows + cell[:, 1]
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(columns * rows + 1))
    found = []
    for one in np.unique(label).tolist():
        members = order[starts[one] : starts[one + 1]]
        around = _ring(one // rows, one % rows, int(columns), int(rows), starts, order, k + 1)
        distances = metric.between(members[:, None] + 1, around[None, :] + 1).astype(np.float64)
        distances[members[:, None] == around[None, :]] = np.inf
        near = around[np.argpartition(distances, k - 1, axis=1)[:, :k]]
        found.append(np.stack([np.repeat(members, k), near.ravel()], axis=1) + 1)
    return np.concatenate(found)


def _ring(x: int, y: int, columns: int, rows: int, starts: Ints, order: Ints, wanted: int) -> Ints:
    """Points of the smallest square of cells around (x, y) that holds ``wanted`` of them, and of one ring more."""
    radius, enough = 0, False
    while True:
        left, right = max(0, x - radius), min(columns - 1, x + radius)
        low, high = max(0, y - radius), min(rows - 1, y + radius)
        strips = [(starts[i * rows + low], starts[i * rows + high + 1]) for i in range(left, right + 1)]
        whole = (left, low, right, high) == (0, 0, columns - 1, rows - 1)
        if enough or whole:
            return np.concatenate([order[a:b] for a, b in strips])
        enough = sum(b - a for a, b in strips) >= wanted
        radius += 1 if enough else max(1, radius // 2)
