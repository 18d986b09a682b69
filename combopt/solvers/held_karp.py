"""Dynamic programming over sets of nodes: the shortest tour with a proof, for a handful of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from combopt.instances.atsp import Atsp
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.tours import first_tour

NODE_LIMIT = 20
"""Nodes up to which the table, 8 n 2^n bytes, and the time, some 10^-9 n^2 2^n seconds, are bearable."""
LARGEST = 2**50
"""Sums of distances beyond this are refused."""


@dataclass(frozen=True)
class HeldKarp(Solver):
    """The recursion of Bellman (1962) and of Held and Karp (1962): shortest paths from node 0 through a set of nodes
    to one of them, for all sets by size."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="held_karp",
        title="dynamic programming for up to 20 nodes, with proof",
        kinds=("tsp", "atsp"),
        capabilities=frozenset(
            {
                Capability.PROOF,
                Capability.BOUND,
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
            }
        ),
    )

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Tsp, Atsp))
        if instance.nodes > NODE_LIMIT:
            return f"its table grows with 2^n and holds at most {NODE_LIMIT} nodes, not {instance.nodes}"
        if 3.0 * instance.nodes**2 * float(np.abs(instance.metric.full()).max()) > LARGEST:
            return "its distances are too large"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Tsp, Atsp))
        session.emit(Tour(first_tour(instance)))
        order = shortest_order(instance, session)
        if order is None:
            return Outcome(stopped_by=StoppedBy.TIME)
        best = Tour(order)
        session.emit(best)
        return Outcome.optimal(instance.evaluate(best).objective)


def shortest_order(instance: Tsp | Atsp, session: Session | None = None) -> Ints | None:
    """The nodes of a shortest tour, 0 first; ``None`` if told to stop."""
    n = instance.nodes
    if n <= 3 and isinstance(instance, Tsp):
        return np.arange(n)
    costs = preferring_fixed(instance)
    m = n - 1  # node v is bit v - 1 of a set
    worst = np.inf if costs.dtype.kind == "f" else LARGEST
    table = np.full((1 << m, m), worst, dtype=costs.dtype)
    table[1 << np.arange(m), np.arange(m)] = costs[0, 1:]
    sets = np.arange(1 << m)
    sizes = np.bitwise_count(sets)
    for size in range(1, m):
        layer = sets[sizes == size]
        for node in range(m):
            if session is not None and session.stopping:
                return None
            without = layer[(layer >> node) & 1 == 0]
            table[without | (1 << node), node] = (table[without] + costs[1:, node + 1]).min(axis=1)
    return _walk_back(table, costs, m)


def _walk_back(table: npt.NDArray[Any], costs: npt.NDArray[Any], m: int) -> Ints:
    """A shortest tour from the table, last node first."""
    order, rest, onward = [], (1 << m) - 1, 0
    while rest:
        node = int(np.argmin(table[rest] + costs[1:, onward]))
        order.append(node + 1)
        rest, onward = rest & ~(1 << node), node + 1
    return np.array([0, *reversed(order)], dtype=np.int64)


def preferring_fixed(instance: Tsp | Atsp) -> npt.NDArray[Any]:
    """Distances in which a fixed edge is worth more than all other differences between tours."""
    costs: npt.NDArray[Any] = np.array(instance.metric.full())
    if len(instance.fixed_edges):
        a, b = instance.fixed_edges.T
        costs[a, b] = -(2 * instance.nodes * np.abs(costs).max() + 1)
        if isinstance(instance, Tsp):
            costs[b, a] = costs[a, b]
    return costs
