"""DSATUR (Brelaz 1979): the plainest good colouring, as a baseline and as a first incumbent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from combopt.instances.cliques import best_greedy_clique, dsatur
from combopt.instances.coloring import Coloring
from combopt.instances.solutions import Assignment
from combopt.model import Instance
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class Dsatur(Solver):
    """Colour the vertex next to most colours, ties to the one of most neighbours; bounded by a greedy clique."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="dsatur",
        title="DSATUR colouring, with a greedy clique as its bound",
        kinds=("coloring",),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS, Capability.BOUND}),
    )

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Coloring)
        colour = dsatur(instance.graph)
        session.emit(Assignment(colour))
        size = len(best_greedy_clique(instance.graph))
        session.bound(size)
        return Outcome.optimal(size) if size == int(colour.max()) + 1 else Outcome()
