"""Our own anytime local search for tours of up to a million nodes, in linear memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from combopt.errors import UsageError
from combopt.instances.metric import MATRIX_LIMIT, Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp, fixed_paths
from combopt.model import Floats, Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers import tour_search
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.tour_search import Kernels, Search
from combopt.solvers.tours import first_tour, keep_fixed, shortest_by_enumeration

_CODES = {
    "EXPLICIT": tour_search.EXPLICIT,
    "EUC_2D": tour_search.NINT,
    "EUC_3D": tour_search.NINT,
    "CEIL_2D": tour_search.CEIL,
    "FLOOR_2D": tour_search.FLOOR,
    "EXACT_2D": tour_search.EXACT,
    "DIMACS_2D": tour_search.TENTHS,
    "MAN_2D": tour_search.MANHATTAN,
    "MAN_3D": tour_search.MANHATTAN,
    "MAX_2D": tour_search.MAXIMUM,
    "MAX_3D": tour_search.MAXIMUM,
    "ATT": tour_search.ATT,
    "GEO": tour_search.GEO,
}
SMALLEST = 9
"""Below this all tours are looked at instead; a kick needs 8 nodes."""
EXACT_FLOAT = 2**53
SHARE = 0.1
"""Seconds of work between two looks at the clock."""
LOG = 1 << 16
"""Reversals that one kick and its repair may need."""


@dataclass(frozen=True)
class OrOpt(Solver):
    """2-opt, Or-opt and 3-opt moves over neighbour lists from a tour along Hilbert's curve, then local kicks.

    One thread.  The moves and kicks are described in :mod:`combopt.solvers.tour_search`; numba compiles them in some
    seconds when they are first used on a machine.

    Parameters
    ----------
    neighbours
        Length of the neighbour lists.
    segment
        Longest segment that a kick moves.
    reach
        Most nodes that a move may shift; bounds the time of a move on very long tours.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="or_opt",
        title="local search with 3-opt moves and kicks, for very large instances",
        kinds=("tsp",),
        capabilities=frozenset({Capability.WARM_START, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED}),
        package="numba",
        licence="BSD-2-Clause",
    )
    neighbours: int = 8
    segment: int = 30
    reach: int = 30_000

    def __post_init__(self) -> None:
        for name in ("neighbours", "segment", "reach"):
            if getattr(self, name) < 1:
                raise UsageError("E201", f"{name} = {getattr(self, name)}", expected="1 or more")

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, Tsp)
        matrix = instance.metric.matrix
        if matrix is not None and np.abs(matrix).max() * float(instance.nodes) >= EXACT_FLOAT:
            return "its distances are too large for floating-point arithmetic"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Tsp)
        order = first_tour(instance)
        if isinstance(session.start, Tour) and instance.evaluate(session.start).feasible:
            order = session.start.order
        session.emit(Tour(order))
        if instance.nodes < SMALLEST:
            session.emit(Tour(shortest_by_enumeration(instance)))
            return Outcome()
        kernels = tour_search.compiled()
        if session.stopping:
            return Outcome(stopped_by=StoppedBy.TIME)
        search = self._prepare(instance, order, kernels, session.budget.seed)
        return self._improve(instance, search, kernels, session)

    def _prepare(self, instance: Tsp, order: Ints, kernels: Kernels, seed: int) -> Search:
        metric, n = instance.metric, instance.nodes
        near = neighbour_lists(metric, min(self.neighbours, n - 1), kernels)
        reach = np.stack([metric.between(np.arange(n), near[:, k]) for k in range(near.shape[1])], axis=1)
        tour = order.astype(np.int64)
        pos = np.empty(n, dtype=np.int64)
        pos[tour] = np.arange(n, dtype=np.int64)
        # The generator wants a state from 1 to 2^31 - 2.
        state = np.array([0, n, 0, 1 + (seed * 69621 + 12345) % 2147483646], dtype=np.int64)
        return Search(
            points=search_points(metric),
            matrix=np.zeros((1, 1)) if metric.matrix is None else metric.matrix.astype(np.float64),
            rule=_CODES[metric.rule],
            tour=tour,
            pos=pos,
            near=near,
            reach=np.ascontiguousarray(reach, dtype=np.float64),
            mates=mates(instance),
            queue=tour.copy(),
            queued=np.ones(n, dtype=np.bool_),
            log=np.zeros((LOG, 2), dtype=np.int64),
            state=state,
            scratch=np.zeros(16, dtype=np.int64),
        )

    def _improve(self, instance: Tsp, search: Search, kernels: Kernels, session: Session) -> Outcome:
        n = instance.nodes
        segment = max(1, min(self.segment, (n - 2) // 3))
        limit = session.budget.iterations
        # A kick and its repair take some hundred times as long as a node of the queue.
        nodes, batch, kicks = 10_000, 20, 0
        gain, emitted = 0.0, time.monotonic()
        pause = max(0.2, 2e-6 * n)  # handing over and checking a tour takes the other process some time
        reason = StoppedBy.TIME
        while session.remaining(reserve=0.1 + 3e-6 * n) > 1e-3 and not session.stopping:
            began = time.monotonic()
            kicking = search.state[tour_search.COUNT] == 0
            share = 0 if not kicking else batch if limit is None else min(batch, limit - kicks)
            gain += kernels.explore(search, self.reach, nodes, segment, share)
            kicks += share
            now = time.monotonic()
            factor = min(2.0, max(0.5, SHARE / max(1e-4, now - began)))
            if kicking:
                batch = max(1, int(batch * factor))
            else:
                nodes = max(100, int(nodes * factor))
            if gain > 0 and now - emitted > pause:
                session.emit(Tour(search.tour.astype(np.int64)))
                gain, emitted = 0.0, now
                pause *= 1.1
            if limit is not None and kicks >= limit:
                reason = StoppedBy.ITERATIONS
                break
        session.emit(Tour(keep_fixed(instance, search.tour.astype(np.int64))))
        return Outcome(stopped_by=reason)


def mates(instance: Tsp) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """``int64[n, 2]``: the nodes that fixed edges join to each node, -1 for none."""
    out = np.full((instance.nodes, 2), -1, dtype=np.int64)
    paths = fixed_paths(instance.fixed_edges, instance.nodes, directed=False)
    for path in paths:
        for a, b in pairwise(path):
            out[a, 1], out[b, 0] = b, a
    return out


def search_points(metric: Metric) -> Floats:
    """Coordinates as the search wants them: ``float64[n, 3]``, radians for GEO."""
    out = np.zeros((len(metric), 3))
    if metric.matrix is None and metric.coordinates is not None:
        out[:, : metric.coordinates.shape[1]] = metric.coordinates
    if metric.rule == "GEO":
        whole = np.trunc(out)
        out = 3.141592 * (whole + 5.0 * (out - whole) / 3.0) / 180.0
    return out


def neighbour_lists(metric: Metric, k: int, kernels: Kernels) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """``int64[n, k]``: the nearest nodes of each, nearest first.

    From the distances themselves up to ``MATRIX_LIMIT`` nodes, beyond it from straight-line distances (on the sphere
    for GEO), which give the same or all but the same neighbours.
    """
    n = len(metric)
    if metric.matrix is not None or n <= MATRIX_LIMIT:
        return _nearest_by_rows(metric, k)
    points = search_points(metric)
    if metric.rule == "GEO":
        latitude, longitude = points[:, 0], points[:, 1]
        across = np.cos(latitude)
        points = np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=1)
    low = points.min(axis=0)
    extent = points.max(axis=0) - low
    wide = extent > 1e-9 * max(1e-300, float(extent.max()))
    # Cells that hold two nodes on average.
    side = float(np.prod(extent[wide] * (2.0 / n) ** (1 / max(1, wide.sum())))) ** (1 / max(1, wide.sum()))
    side = side if side > 0 else 1.0
    cell = np.floor((points - low) / side).astype(np.int64)
    shape = cell.max(axis=0).astype(np.int64) + 1
    key = (cell[:, 0].astype(np.int64) * shape[1] + cell[:, 1]) * shape[2] + cell[:, 2]
    order = np.argsort(key, kind="stable").astype(np.int64)
    start = np.searchsorted(key[order], np.arange(int(shape.prod()) + 1)).astype(np.int64)
    near = np.empty((n, k), dtype=np.int64)
    kernels.nearest(points, order, start, shape, cell, side, near, np.empty(k))
    # Nearest by the metric first, which rounding may order differently.
    reach = np.stack([metric.between(np.arange(n), near[:, column]) for column in range(k)], axis=1)
    return np.take_along_axis(near, np.argsort(reach, axis=1, kind="stable"), axis=1)


def _nearest_by_rows(metric: Metric, k: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    n = len(metric)
    nodes = np.arange(n)
    out = np.empty((n, k), dtype=np.int64)
    step = max(1, (1 << 20) // n)
    for begin in range(0, n, step):
        block = nodes[begin : begin + step]
        steps = metric.between(block[:, None], nodes[None, :]).astype(np.float64)
        steps[np.arange(len(block)), block] = np.inf
        some = np.argpartition(steps, k - 1, axis=1)[:, :k]
        ranks = np.argsort(np.take_along_axis(steps, some, axis=1), axis=1, kind="stable")
        out[block] = np.take_along_axis(some, ranks, axis=1)
    return out
