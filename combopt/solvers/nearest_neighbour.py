"""Nearest neighbour: the plainest tour construction, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from combopt.errors import UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.tours import keep_fixed, nearest_neighbour_order


@dataclass(frozen=True)
class NearestNeighbour(Solver):
    """Always go to the nearest node not yet visited; quadratic time, linear memory.  A path of fixed edges is walked
    whole when its first node comes up.

    Parameters
    ----------
    first
        The node to start at, from 0.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="nearest_neighbour",
        title="nearest neighbour tour",
        kinds=("tsp", "atsp"),
        capabilities=frozenset({Capability.SEED, Capability.INTERRUPT}),
    )
    first: int = 0

    def __post_init__(self) -> None:
        if self.first < 0:
            raise UsageError("E201", f"first = {self.first}", expected="a node, 0 or more")

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Tsp, Atsp))

        def late() -> bool:
            return session.stopping or session.remaining(reserve=0.1) <= 1e-3

        order = nearest_neighbour_order(instance.metric, self.first % instance.nodes, late)
        session.emit(Tour(keep_fixed(instance, order)))
        return Outcome()
