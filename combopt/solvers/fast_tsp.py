"""The package fast-tsp: Lin-Kernighan moves over alpha-near candidates, written in Rust."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from combopt.errors import UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Ints, Number
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.tours import first_tour, keep_fixed, shortest_by_enumeration

NODE_LIMIT = 20_000
"""Nodes above which the matrix of 2 n^2 bytes, and the copy that the package makes, are too much."""
UINT16 = 65535
"""Largest distance that the package can hold."""
SHARES = (0.02, 0.1, 1.0)
"""Of the time left, for one run after the other: the package reports nothing before a run is over."""
ENUMERATED = 8
"""Nodes up to which all tours are looked at instead."""

BLOCK, SQUARE = 1 << 18, 512
"""Distances worked on at a time, and the side of the squares that are mirrored: what the caches hold."""

Compact = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class FastTsp(Solver):
    """Runs of growing length, so that a good tour is there early: the package cannot be interrupted.

    Distances above 65535 are scaled down for the search; the answer is judged in the true metric.  Fixed edges are
    made so short that the search keeps them.  An asymmetric instance becomes a symmetric one with two nodes for each
    (Jonker and Volgenant 1983).

    Parameters
    ----------
    candidates
        ``auto``, ``nearest`` or ``alpha``: which neighbour lists the package works with.
    patient
        Use up the time even after two runs that converged to the same length.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="fast_tsp",
        title="fast-tsp: Lin-Kernighan local search",
        kinds=("tsp", "atsp"),
        capabilities=frozenset({Capability.INCUMBENTS, Capability.THREADS}),
        package="fast_tsp",
        licence="MIT",
    )
    candidates: str = "auto"
    patient: bool = False

    def __post_init__(self) -> None:
        if self.candidates not in ("auto", "nearest", "alpha"):
            raise UsageError("E201", f"candidates = {self.candidates!r}", expected="auto, nearest or alpha")

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Tsp, Atsp))
        doubled = 2 if isinstance(instance, Atsp) else 1
        if doubled * instance.nodes > NODE_LIMIT:
            return f"it needs the full distance matrix, too large for {instance.nodes} nodes"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Tsp, Atsp))
        first = first_tour(instance)
        session.emit(Tour(first))
        if instance.nodes <= ENUMERATED:
            session.emit(Tour(shortest_by_enumeration(instance)))
            return Outcome()
        matrix = compact(instance, first, session) if isinstance(instance, Tsp) else doubled(instance, first)
        if matrix is None:
            return Outcome(stopped_by=StoppedBy.TIME)
        return self._rounds(instance, matrix, session)

    def _rounds(self, instance: Tsp | Atsp, matrix: Compact, session: Session) -> Outcome:
        shortest: Number = math.inf
        settled: Number = math.inf
        shares = list(SHARES)
        while not session.stopping:
            # The package overruns its time by what it takes to copy the matrix.
            left = session.remaining(reserve=0.1 + 2e-5 * len(matrix))
            # Less than this would not even build the neighbour lists.
            seconds = max(left * (shares.pop(0) if shares else 1.0), 1e-4 * len(matrix))
            if seconds > left / 2:
                shares, seconds = [], left
            began = time.monotonic()
            order = self._find(instance, matrix, seconds, session.budget.cores)
            converged = time.monotonic() - began < 0.9 * seconds and not self.patient
            length = instance.metric.cycle(order)
            if length < shortest:
                session.emit(Tour(order))
                shortest = length
            if converged and length >= settled:
                return Outcome()
            if seconds == left and not converged:
                break
            settled = min(settled, length) if converged else settled
        return Outcome(stopped_by=StoppedBy.TIME)

    def _find(self, instance: Tsp | Atsp, matrix: Compact, seconds: float, threads: int) -> Ints:
        import fast_tsp

        found: Any = fast_tsp.find_tour(
            matrix, seconds, max_threads=threads, candidates=self.candidates, stop_when_converged=not self.patient
        )
        order = np.array(found, dtype=np.int64)
        if isinstance(instance, Tsp):
            return keep_fixed(instance, order)
        order = order[order < instance.nodes]
        ways = (keep_fixed(instance, order), keep_fixed(instance, order[::-1]))
        return min(ways, key=instance.metric.cycle)


def compact(instance: Tsp, tour: Ints, session: Session | None = None) -> Compact | None:
    """The distance matrix in 16 bits: shifted to start at 0 and, if need be, scaled; ``None`` if told to stop.

    With fixed edges these get 0, and all others twice the largest difference more than they would have.
    """
    metric, n = instance.metric, instance.nodes
    low, span = limits(metric, tour)
    shift = 2.0 * span if len(instance.fixed_edges) else 0.0
    whole = (metric.integral and span + shift <= UINT16) or span == 0
    factor = 1.0 if whole else UINT16 / (span + shift)
    nodes = np.arange(n)
    out = np.zeros((n, n), dtype=np.uint16)
    step = max(1, BLOCK // n)
    for start in range(0, n, step):
        if session is not None and session.stopping:
            return None
        steps = metric.between(nodes[start : start + step, None], nodes[None, start:])
        if not whole or shift or metric.matrix is not None:
            steps = np.floor(np.minimum(steps - low, span) * factor + (shift * factor + 0.5))
        out[start : start + step, start:] = steps
    for start in range(0, n, SQUARE):
        rows = slice(start, start + SQUARE)
        for across in range(start, n, SQUARE):
            columns = slice(across, across + SQUARE)
            part = out[rows, columns] if across > start else np.triu(out[rows, columns])
            out[columns, rows] = part.T if across > start else part | part.T
    out[instance.fixed_edges[:, 0], instance.fixed_edges[:, 1]] = 0
    out[instance.fixed_edges[:, 1], instance.fixed_edges[:, 0]] = 0
    np.fill_diagonal(out, 0)
    return out


def doubled(instance: Atsp, tour: Ints) -> Compact:
    """The symmetric matrix over the nodes v and n + v, where arcs enter and leave: an arc i-j joins n + i and j.

    The two of a node are at distance 0, arcs at their lengths plus a third of the range, so that a tour does not pass
    the two separately, and all else so far apart that it is avoided.  Lengths fill their third of the range: with
    small numbers left as they are, the search is far worse (rbg323: 1.6 % above the optimum in 3 s instead of 0.1 %).
    """
    n = instance.nodes
    low, span = limits(instance.metric, tour)
    third = UINT16 // 3
    factor = third / span if span else 1.0
    if instance.metric.integral and factor >= 1:
        factor = float(int(factor))  # nothing is lost to rounding
    lengths = np.rint(np.minimum(instance.metric.full() - low, span) * factor)
    arcs = (lengths + third).astype(np.uint16)
    arcs[instance.fixed_edges[:, 0], instance.fixed_edges[:, 1]] = 0
    np.fill_diagonal(arcs, 0)
    out = np.full((2 * n, 2 * n), UINT16, dtype=np.uint16)
    out[n:, :n] = arcs
    out[:n, n:] = arcs.T
    np.fill_diagonal(out, 0)
    return out


def limits(metric: Metric, tour: Ints) -> tuple[Number, Number]:
    """A lower bound on all distances, and a bound on how far above it those of a shortest tour can be.

    No edge of a tour shorter than ``tour`` exceeds the lower bound by more than all edges of ``tour`` do together.
    """
    if metric.matrix is not None:
        low = min(0, int(metric.matrix.min()))
        return low, max(0, min(int(metric.matrix.max()) - low, int(metric.cycle(tour)) - low * len(tour)))
    assert metric.coordinates is not None
    if metric.rule == "GEO":
        return 0, 20_040  # half the equator
    corners = np.stack([metric.coordinates.min(axis=0), metric.coordinates.max(axis=0)])
    # No two points of a box are further apart than its corners, under every rule but GEO.
    return 0, Metric(rule=metric.rule, coordinates=corners).between(0, 1).item()
