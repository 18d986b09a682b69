"""First tours, made in a moment, for solvers to hand over before they begin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.tsp import Tsp, edge_keys, fixed_paths
from combopt.model import Floats, Ints

_BITS = 20
"""Bits of each coordinate on the Hilbert curve."""


def first_tour(instance: Tsp | Atsp) -> Ints:
    """Any tour that keeps the fixed edges, as good as can be had at once.

    Along Hilbert's curve where there are coordinates (some 25 % above the optimum for uniform points, Platzman and
    Bartholdi 1989), else from neighbour to nearest neighbour.
    """
    metric = instance.metric
    if metric.matrix is None and metric.coordinates is not None:
        order = hilbert_order(metric.coordinates)
    else:
        order = nearest_neighbour_order(metric, 0)
    return keep_fixed(instance, order)


def shortest_by_enumeration(instance: Tsp | Atsp) -> Ints:
    """The best of all (n - 1)! tours that keep the fixed edges; for up to 8 nodes or so."""
    from itertools import permutations

    n = instance.nodes
    orders = np.array([(0, *rest) for rest in permutations(range(1, n))], dtype=np.int64)
    following = np.roll(orders, -1, axis=1)
    lengths = instance.metric.between(orders, following)
    directed = isinstance(instance, Atsp)
    taken = edge_keys(orders, following, n, directed)
    kept = np.ones(len(orders), dtype=np.bool_)
    for a, b in instance.fixed_edges:
        kept &= (taken == edge_keys(a, b, n, directed)).any(axis=1)
    orders = orders[kept]
    totals = [sum(row) for row in lengths[kept].tolist()]
    best: Ints = orders[totals.index(min(totals))]
    return best


def keep_fixed(instance: Tsp | Atsp, order: Ints) -> Ints:
    """``order`` if it has the fixed edges; else with them: a path is walked whole when its first node comes up."""
    directed = isinstance(instance, Atsp)
    n, edges = instance.nodes, instance.fixed_edges
    wanted = edge_keys(edges[:, 0], edges[:, 1], n, directed)
    if np.isin(wanted, edge_keys(order, np.roll(order, -1), n, directed)).all():
        return order
    paths = fixed_paths(edges, n, directed=directed)
    path_of = {node: path for path in paths for node in path}
    out: list[int] = []
    done: set[int] = set()
    for node in order.tolist():
        if node not in done:
            path = path_of.get(node, [node])
            out += path[::-1] if not directed and node == path[-1] else path
            done.update(path)
    return np.array(out, dtype=np.int64)


def hilbert_order(coordinates: Floats) -> Ints:
    """Nodes in the order in which Hilbert's curve through the first two coordinates meets them."""
    plane = coordinates[:, :2]
    low = plane.min(axis=0)
    extent = float((plane.max(axis=0) - low).max()) or 1.0
    x, y = ((plane - low) / extent * (2**_BITS - 1)).astype(np.int64).T
    place = np.zeros(len(plane), dtype=np.int64)
    step = 1 << (_BITS - 1)
    while step:
        right, upper = (x & step) > 0, (y & step) > 0
        place += step * step * ((3 * right) ^ upper)
        x, y = x & (step - 1), y & (step - 1)
        flip = right & ~upper
        x, y = np.where(flip, step - 1 - x, x), np.where(flip, step - 1 - y, y)
        x, y = np.where(upper, x, y), np.where(upper, y, x)
        step >>= 1
    return np.argsort(place, kind="stable")


def nearest_neighbour_order(metric: Metric, first: int, stopping: Callable[[], bool] = lambda: False) -> Ints:
    """From ``first`` always on to the nearest node not yet visited; ties go to the lower number.

    Quadratic time, linear memory.  Once ``stopping()`` holds, the nodes left follow as they are.
    """
    left = np.arange(len(metric))
    order = np.empty(len(metric), dtype=np.int64)
    current = first
    for step in range(len(metric)):
        order[step] = current
        left = left[left != current]
        if step % 64 == 63 and stopping():
            order[step + 1 :] = left
            break
        if left.size:
            current = int(left[np.argmin(metric.between(current, left))])
    return order
