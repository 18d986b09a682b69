"""What the problems with prizes have in common: orienteering and the prize-collecting salesman."""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.errors import InputError
from combopt.instances.metric import Metric
from combopt.model import Ints, Violation, frozen_array

LARGEST = 2**53
"""Largest prize or penalty: up to here every solver's floats are exact."""


def amounts(values: Any, nodes: int, what: str) -> Ints:
    """One whole number, 0 or more, for each node, as a read-only array.

    Raises
    ------
    InputError
        E114 if one is negative or above ``LARGEST``, E115 if there are not ``nodes`` of them.
    """
    array = frozen_array(values, np.int64, (nodes,), what)
    if array.size and (array.min() < 0 or array.max() > LARGEST):
        worst = int(np.flatnonzero((array < 0) | (array > LARGEST))[0])
        raise InputError("E114", f"{what} {array[worst]} of node {worst + 1}", expected=f"0 to {LARGEST}")
    return array


def check_metric(metric: Metric) -> None:
    """Raise unless distances are symmetric and not negative."""
    if not metric.symmetric:
        raise InputError("E120", "the distance matrix is not symmetric")
    if metric.matrix is not None and metric.matrix.min() < 0:
        raise InputError("E114", f"a distance is {metric.matrix.min()}", expected="0 or more")


def visit_violations(order: Ints, nodes: int) -> list[Violation]:
    """A violation for every visit to a node that does not exist and for every node visited twice, named from 1."""
    found = [Violation(f"node {v + 1}", 1, "does not exist") for v in order.tolist() if not 0 <= v < nodes]
    counts = np.bincount(inside(order, nodes), minlength=nodes)
    for v in np.flatnonzero(counts > 1).tolist():
        found.append(Violation(f"node {v + 1}", int(counts[v]) - 1, f"is visited {counts[v]} times"))
    return found


def inside(order: Ints, nodes: int) -> Ints:
    """The entries of ``order`` that are nodes."""
    return order[(order >= 0) & (order < nodes)]


def exact_sum(values: Ints) -> int:
    """The sum, without overflow."""
    return sum(values.tolist())
