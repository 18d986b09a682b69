"""The package fast-tsp: Lin-Kernighan moves over alpha-near candidates, written in Rust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.metric import MATRIX_LIMIT, Distances
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.nearest_neighbour import nearest_neighbour_order

UINT16 = 65535
"""Largest distance that the package can hold."""


@dataclass(frozen=True)
class FastTsp(Solver):
    """Distances above 65535 are scaled down for the search; the answer is judged in the true metric.

    The package cannot be interrupted and reports nothing while it runs, so a first short run hands over a good
    tour early; ``opening`` is its share of the time.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="fast_tsp",
        title="fast-tsp: Lin-Kernighan local search",
        kinds=("tsp",),
        capabilities=frozenset({Capability.INCUMBENTS, Capability.THREADS}),
        package="fast_tsp",
        licence="MIT",
    )
    opening: float = 0.05

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, Tsp)
        if len(instance.fixed_edges):
            return "it does not keep fixed edges"
        if instance.nodes > 4 * MATRIX_LIMIT:
            return f"it needs the full distance matrix, too large for {instance.nodes} nodes"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        import fast_tsp

        assert isinstance(instance, Tsp)
        if instance.nodes < 4:
            session.emit(Tour(np.arange(instance.nodes)))
            return Outcome()
        session.emit(Tour(nearest_neighbour_order(instance.metric, 0)))
        matrix = scaled(instance.metric.full())
        for share in (self.opening, 1.0):
            seconds = share * session.remaining(reserve=0.1)
            order = fast_tsp.find_tour(matrix, seconds, max_threads=session.budget.cores)
            session.emit(Tour(np.array(order, dtype=np.int64)))
        return Outcome(stopped_by=StoppedBy.TIME)


def scaled(matrix: Distances) -> Distances:
    """Distances shifted to start at 0 and, if need be, scaled to fit into 16 bits."""
    shifted = matrix - min(0, matrix.min())
    largest = shifted.max()
    if largest <= UINT16 and np.issubdtype(shifted.dtype, np.integer):
        return shifted
    return np.rint(shifted * (UINT16 / max(largest, 1))).astype(np.int64)
