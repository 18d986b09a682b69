"""Nearest neighbour: the plainest tour construction, as a baseline and as a first incumbent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Ints
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class NearestNeighbour(Solver):
    """Start at ``first`` and always go to the nearest node not yet visited; O(n^2) time, O(n) memory."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="nearest_neighbour",
        title="nearest neighbour tour",
        kinds=("tsp", "atsp"),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )
    first: int = 0

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Tsp, Atsp))
        return "it does not keep fixed edges" if len(instance.fixed_edges) else None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Tsp, Atsp))
        session.emit(Tour(nearest_neighbour_order(instance.metric, self.first % instance.nodes)))
        return Outcome()


def nearest_neighbour_order(metric: Metric, first: int) -> Ints:
    """Nodes in the order of visit; ties go to the lower number."""
    left = np.arange(len(metric))
    order = np.empty(len(metric), dtype=np.int64)
    current = first
    for step in range(len(metric)):
        order[step] = current
        left = left[left != current]
        if left.size:
            current = int(left[np.argmin(metric.between(current, left))])
    return order
