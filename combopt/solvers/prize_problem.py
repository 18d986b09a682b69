"""Instances with prizes in the terms of the kernels of :mod:`~combopt.solvers.prize_search`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.model import Instance, Ints
from combopt.solvers import prize_kernels as kernels

RULES = {
    "EUC_2D": (kernels.DOWN, 1.0, 0.5),
    "CEIL_2D": (kernels.UP, 1.0, 0.0),
    "FLOOR_2D": (kernels.DOWN, 1.0, 0.0),
    "EXACT_2D": (kernels.UP, 1.0, 0.0),
    "DIMACS_2D": (kernels.DOWN, 10.0, 1e-9),
}
"""Rules that the kernels compute themselves, with factor and shift before rounding; the others need the matrix."""
SMALL = 1500
"""Nodes up to which the matrix is made in any case: looking up is faster than computing."""
LARGEST_MATRIX = 8000
"""Nodes above which no matrix is made."""
SPAN = 2**42
"""Distances and prizes must stay below; the kernels add them up in 64 bits."""
NONE = 2.0**62
"""Beyond any score or length."""
FINE = 2**28
"""Unrounded distances are scaled to whole numbers up to this, and rounded up."""


@dataclass(frozen=True)
class PrizeProblem:
    """The part of an instance that matters, renumbered: the depot is 0.

    ``nodes`` are the original numbers.  Lengths are multiplied by ``scale`` steps per unit of length; where the
    metric is not integral they are rounded up, so that what keeps the budget here does so in truth.
    """

    instance: Op | Pctsp
    nodes: Ints
    end: int
    scale: Fraction

    @classmethod
    def of(cls, instance: Instance) -> PrizeProblem:
        assert isinstance(instance, (Op, Pctsp))
        scale = Fraction(instance.metric.unit)
        if not instance.metric.integral:
            scale = fine(instance.metric, FINE)
        nodes = useful(instance)
        end = -1
        if isinstance(instance, Op) and instance.end is not None:
            end = int(np.flatnonzero(nodes == instance.end)[0])
        return cls(instance, nodes, end, scale)

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def tie(self) -> int:
        """The distance between both ends of an open path, which keeps them beside each other; else 0."""
        return -SPAN if self.end > 0 else 0

    def space(self, near: int) -> kernels.Space:
        """The arrays of the search, the table of the ``near`` nearest nodes left to be filled."""
        metric, n = self.instance.metric, len(self)
        matrix, points = np.zeros((1, 1), dtype=np.int64), np.zeros((1, 2))
        rule, factor, shift = RULES.get(metric.rule, (kernels.MATRIX, 1.0, 0.0))
        if n <= SMALL or rule == kernels.MATRIX:
            rule, matrix = kernels.MATRIX, self._matrix()
        else:
            assert metric.coordinates is not None
            points = np.ascontiguousarray(metric.coordinates[self.nodes])
            factor = float(self.scale) if not metric.integral else factor
        penalty = np.zeros(n, dtype=np.int64)
        if isinstance(self.instance, Pctsp):
            penalty = np.rint(self.instance.penalty[self.nodes] * float(self.scale)).astype(np.int64)
        m = min(near, n - 1)
        return kernels.Space(
            matrix=matrix,
            points=points,
            rule=rule,
            scale=factor,
            shift=shift,
            end=self.end,
            tie=self.tie,
            near=np.zeros((n, m), dtype=np.int64),
            far=np.zeros((n, m), dtype=np.int64),
            prize=self.instance.prize[self.nodes],
            base=penalty,
        )

    def _matrix(self) -> Ints:
        out = np.empty((len(self), len(self)), dtype=np.int64)
        for start in range(0, len(self), 256):
            rows = np.arange(start, min(start + 256, len(self)))
            out[rows] = self.steps(rows[:, None], np.arange(len(self)))
        return out

    def steps(self, i: Ints, j: Ints) -> Ints:
        """Distances as the kernels have them, of nodes in the numbers of the search."""
        metric = self.instance.metric
        distances = metric.between(self.nodes[i], self.nodes[j])
        if not metric.integral:
            distances = np.ceil(distances * float(self.scale)).astype(np.int64)
        ends = (i != j) & (i * j == 0) & (i + j == self.end)
        return np.where(ends, self.tie, distances)

    def hunt(self, seed: int, capacity: int) -> kernels.Hunt:
        """The limits of the search, and room for its best and its spare tour."""
        budget, quota = 2**60, 0
        if isinstance(self.instance, Op):
            budget = min(budget, math.floor(Fraction(self.instance.limit) * self.scale)) + self.tie
        else:
            quota = self.instance.min_prize
        f = np.zeros(7)
        f[[kernels.RATE, kernels.BEST, kernels.BEST_LENGTH, kernels.LOCAL]] = 1.0, -NONE, NONE, -NONE
        return kernels.Hunt(
            orienteering=isinstance(self.instance, Op),
            budget=budget,
            quota=quota,
            f=f,
            random=np.array([(seed * 2654435761 + 97) % 2**32 or 1], dtype=np.int64),
            best=np.zeros(len(self) + 1, dtype=np.int64),
            spare=self.tour(capacity),
        )

    def tour(self, capacity: int) -> kernels.Tour:
        """An empty tour whose log holds ``capacity`` steps."""
        at = np.zeros((4, len(self)), dtype=np.int64)
        at[kernels.POS] = -1
        return kernels.Tour(at=at, s=np.zeros(7, dtype=np.int64), log=np.zeros((capacity, 3), dtype=np.int64))

    def load(self, space: kernels.Space, tour: kernels.Tour, order: Ints) -> None:
        """Make ``order`` the tour and put all nodes into its queue."""
        k, n = len(order), len(self)
        tour.at[kernels.ORDER, :k] = order
        tour.at[kernels.POS] = -1
        tour.at[kernels.POS, order] = np.arange(k)
        length = int(self.steps(order, np.roll(order, -1)).sum()) if k > 1 else 0
        prize, base = int(space.prize[order].sum()), int(space.base[order].sum())
        tour.s[:] = k, length, prize, base, 0, 0, 0
        self.queue_all(tour, np.arange(n))

    def queue_all(self, tour: kernels.Tour, nodes: Ints) -> None:
        """Put ``nodes`` into the empty queue."""
        tour.at[kernels.QUEUE, : len(nodes)] = nodes
        tour.at[kernels.QUEUED] = 0
        tour.at[kernels.QUEUED, nodes] = 1
        tour.s[kernels.HEAD], tour.s[kernels.WAITING] = 0, len(nodes)

    def everywhere(self) -> Ints:
        """A nearest-neighbour tour through all nodes, from 0 to ``end`` if there is an end."""
        left = np.arange(1, len(self))
        left = left[left != self.end]
        order = [0]
        while left.size:
            at = int(np.argmin(self.steps(np.array(order[-1]), left)))
            order.append(int(left[at]))
            left[at] = left[-1]
            left = left[:-1]
        return np.array(order + ([self.end] if self.end > 0 else []), dtype=np.int64)

    def decode(self, order: Ints) -> Ints:
        """A tour of the search in the original numbers, from the depot, to the end if there is one."""
        order = np.roll(order, -int(np.flatnonzero(order == 0)[0]))
        if self.end > 0 and order[-1] != self.end:
            order = np.roll(order[::-1], 1)
        return self.nodes[order]

    def encode(self, order: Ints) -> Ints:
        """The useful nodes of a tour in the numbers of the search."""
        place = np.full(len(self.instance.metric), -1, dtype=np.int64)
        place[self.nodes] = np.arange(len(self), dtype=np.int64)
        inner = place[order]
        return inner[inner >= 0]


def span(metric: Metric) -> float:
    """An upper bound on all distances, in steps."""
    if metric.matrix is not None:
        return float(metric.matrix.max())
    assert metric.coordinates is not None
    if metric.rule == "GEO":
        return 30_000.0
    extent = metric.coordinates.max(axis=0) - metric.coordinates.min(axis=0)
    return (float(np.abs(extent).sum()) + metric.integral) * metric.unit


def fine(metric: Metric, target: int) -> Fraction:
    """The power of two that brings distances to at most ``target``, and above a quarter of it."""
    size = span(metric)
    return Fraction(2) ** math.floor(math.log2(target / size)) if size > 0 else Fraction(1)


def useful(instance: Op | Pctsp) -> Ints:
    """The nodes that a tour may want to visit, the depot first.

    With an explicit matrix, which may break the triangle inequality, those are all nodes; otherwise not those
    without any worth, and for orienteering not those out of reach.
    """
    n = instance.nodes
    nodes = np.arange(n)
    depot = instance.depot if isinstance(instance, Op) else 0
    wanted = instance.prize > 0
    if instance.metric.rule == "EXPLICIT":
        wanted = np.ones(n, dtype=bool)
    elif isinstance(instance, Op):
        end = depot if instance.end is None else instance.end
        there_and_back = instance.metric.between(depot, nodes) + instance.metric.between(nodes, end)
        wanted &= there_and_back <= instance.limit * instance.metric.unit
    else:
        wanted |= instance.penalty > 0
    wanted[depot] = True
    if isinstance(instance, Op) and instance.end is not None:
        wanted[instance.end] = True
    return np.concatenate([[depot], nodes[wanted & (nodes != depot)]])
