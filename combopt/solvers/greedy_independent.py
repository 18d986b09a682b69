"""Minimum-degree greedy for independent sets and, on the complement that is never built, for cliques."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from combopt.instances.clique import Clique
from combopt.instances.cliques import greedy_clique, greedy_independent
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from combopt.model import Instance
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class GreedyGraph(Solver):
    """Always the vertex of most weight per vertex that it rules out (Sakai, Togasaki and Yamazaki 2003)."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="greedy_graph",
        title="minimum-degree greedy for independent sets and cliques",
        kinds=("mis", "clique"),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Mis, Clique))
        greedy = greedy_independent if isinstance(instance, Mis) else greedy_clique
        session.emit(Selection(greedy(instance.graph)))
        return Outcome()
