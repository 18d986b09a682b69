"""Bin packing as a mixed-integer program: arc-flow where it is small enough, else item by bin.

Arc-flow after Valerio de Carvalho, Annals of Operations Research 86 (1999): a unit of flow from 0 to the capacity is
a bin, an arc of length ``s`` an item of size ``s``; sizes decrease along a path.  Its relaxation is as strong as that
of column generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.binpacking_bounds import fit_decreasing, lower_bound
from combopt.instances.mip import INTEGER, Mip, MipBuilder
from combopt.instances.packing import point_at, representable, values_of
from combopt.instances.solutions import Assignment, Point
from combopt.model import Ints, View

if TYPE_CHECKING:
    from combopt.instances.binpacking import BinPacking

ARC_LIMIT = 100_000
ARC_RATIO = 5
"""More arcs than this, or this many times the variables of the item-by-bin model, and the latter is taken."""
NODE_LIMIT = 1_000_000


def view(instance: BinPacking) -> View:
    """The smaller of the two models, with maps between the solutions."""
    representable(instance.item_size, "sizes")
    if not instance.oversized().size:
        bins = int(fit_decreasing(instance.item_size, instance.capacity).max()) + 1
        graph = ArcFlow.of(instance, min(ARC_LIMIT, ARC_RATIO * bins * instance.items))
        if graph is not None:
            return graph.view()
    return _item_by_bin(instance)


@dataclass(frozen=True)
class ArcFlow:
    """The graph: ``arcs`` of ``(tail, size)`` by distinct size, largest first; ``nodes`` are the fills of a bin that
    occur."""

    instance: BinPacking
    sizes: tuple[int, ...]
    demand: tuple[int, ...]
    tails: tuple[Ints, ...]
    nodes: Ints

    @classmethod
    def of(cls, instance: BinPacking, limit: int = ARC_LIMIT) -> ArcFlow | None:
        """The graph of the instance; ``None`` if it has more arcs than ``limit``."""
        capacity = instance.capacity
        if capacity > NODE_LIMIT or instance.item_size.min() < 1:
            return None
        sizes, demand = np.unique(instance.item_size, return_counts=True)
        reached = np.zeros(capacity + 1, dtype=bool)
        reached[0] = True
        tails = []
        arcs = 0
        for size, count in zip(sizes[::-1].tolist(), demand[::-1].tolist(), strict=True):
            front = np.flatnonzero(reached)
            out = np.zeros(capacity + 1, dtype=bool)
            for _ in range(count):
                front = front[front + size <= capacity]
                front = front[~out[front]]
                if not front.size:
                    break
                out[front] = True
                front = front + size
                reached[front] = True
            tails.append(np.flatnonzero(out))
            arcs += len(tails[-1])
            if arcs > limit:
                return None
        return cls(
            instance, tuple(sizes[::-1].tolist()), tuple(demand[::-1].tolist()), tuple(tails), np.flatnonzero(reached)
        )

    def view(self) -> View:
        """Column 0 is the number of bins; then the arcs by size; then the unused rest of a bin, by node."""
        builder = MipBuilder(self.instance.name, self.instance.sense)
        bins = builder.column("bins", 1.0, 0, len(self.instance.item_size), INTEGER)
        capacity = self.instance.capacity
        flow: dict[int, list[tuple[int, float]]] = {int(v): [] for v in self.nodes}
        flow.setdefault(capacity, [])
        flow[0].append((bins, 1.0))
        flow[capacity].append((bins, -1.0))
        arcs: dict[tuple[int, int], int] = {}
        for size, count, tails in zip(self.sizes, self.demand, self.tails, strict=True):
            for tail in tails.tolist():
                arcs[tail, size] = column = builder.column(f"a{tail}_{tail + size}", 0.0, 0, count, INTEGER)
                flow[tail].append((column, -1.0))
                flow[tail + size].append((column, 1.0))
        for node in self.nodes.tolist():
            if node != capacity:
                arcs[node, 0] = column = builder.column(f"rest{node}", 0.0, 0, len(self.instance.item_size), INTEGER)
                flow[node].append((column, -1.0))
                flow[capacity].append((column, 1.0))
        for node, terms in flow.items():
            builder.row(terms, 0.0, 0.0, f"node{node}")
        for size, count, tails in zip(self.sizes, self.demand, self.tails, strict=True):
            builder.row([(arcs[t, size], 1.0) for t in tails.tolist()], count, count, f"size{size}")
        bound = lower_bound(self.instance.item_size, capacity)
        builder.row([(bins, 1.0)], lower=bound, name="bound")
        mip = builder.build()
        return View(mip, lambda p: self.assignment(p, mip, arcs), lambda s: self.point(s, mip, arcs))

    def assignment(self, point: Point, mip: Mip, arcs: dict[tuple[int, int], int]) -> Assignment:
        """The flow taken apart into paths, each a bin."""
        left = np.rint(values_of(point, mip)).astype(np.int64)
        out: dict[int, list[tuple[int, int]]] = {}
        for (tail, size), column in arcs.items():
            if size and left[column] > 0:
                out.setdefault(tail, []).append((size, column))
        items = {size: np.flatnonzero(self.instance.item_size == size).tolist() for size in self.sizes}
        groups = np.full(self.instance.items, -1, dtype=np.int64)
        bin_ = 0
        while True:
            node = 0
            while arc := next(((s, c) for s, c in out.get(node, ()) if left[c] > 0 and items[s]), None):
                left[arc[1]] -= 1
                groups[items[arc[0]].pop()] = bin_
                node += arc[0]
            if node == 0:
                return Assignment(groups)
            bin_ += 1

    def point(self, solution: Assignment, mip: Mip, arcs: dict[tuple[int, int], int]) -> Point:
        """A bin as the path of its items, largest first."""
        values = np.zeros(len(mip.columns))
        for bin_ in np.unique(solution.groups).tolist():
            node = 0
            for size in np.sort(self.instance.item_size[solution.groups == bin_])[::-1].tolist():
                values[arcs[node, size]] += 1
                node += size
            values[0] += 1
            if node < self.instance.capacity:
                values[arcs[node, 0]] += 1
        return Point(mip.columns, values)


def _item_by_bin(instance: BinPacking) -> View:
    """``x[i, j]``: item ``i``, counted from the largest, is in bin ``j <= i``; ``y[j]``: bin ``j`` is used."""
    order = np.argsort(-instance.item_size, kind="stable")
    size = instance.item_size[order].tolist()
    start = fit_decreasing(instance.item_size, instance.capacity)
    count = int(start.max()) + 1
    builder = MipBuilder(instance.name, instance.sense)
    bins = [builder.binary(f"y{j + 1}", 1.0) for j in range(count)]
    x = {
        (i, j): builder.binary(f"x{order[i] + 1}_{j + 1}") for i in range(len(size)) for j in range(min(i + 1, count))
    }
    for i in range(len(size)):
        builder.row([(x[i, j], 1.0) for j in range(min(i + 1, count))], 1.0, 1.0, f"item{order[i] + 1}")
    for j in range(count):
        terms = [(x[i, j], size[i]) for i in range(j, len(size))]
        builder.row([*terms, (bins[j], -instance.capacity)], upper=0.0, name=f"bin{j + 1}")
    for j in range(1, count):
        builder.row([(bins[j - 1], 1.0), (bins[j], -1.0)], lower=0.0, name=f"order{j}")
    if not instance.oversized().size:
        bound = lower_bound(instance.item_size, instance.capacity)
        builder.row([(y, 1.0) for y in bins], lower=bound, name="bound")
    mip = builder.build()

    def assignment(point: Point) -> Assignment:
        values = values_of(point, mip)
        groups = np.full(instance.items, -1, dtype=np.int64)
        for (i, j), column in x.items():
            if values[column] > 0.5:
                groups[order[i]] = j
        return Assignment(groups)

    def point(solution: Assignment) -> Point:
        groups = solution.groups if len(np.unique(solution.groups)) <= count else start
        number: dict[int, int] = {}
        ones = []
        for i, bin_ in enumerate(groups[order].tolist()):
            j = number.setdefault(bin_, len(number))
            ones.append(x[i, j])
        return point_at(mip, np.array([*bins[: len(number)], *ones]))

    return View(mip, assignment, point)
