"""Local search for large independent sets, and for cliques as independent sets of the complement.

Without weights it is NuMVC (Cai, Su, Luo and Sattar, 2013, JAIR 46), which looks for ever smaller vertex covers;
with weights a tabu search over adding, swapping and dropping a vertex, as in MN/TS (Wu, Hao and Glover, 2012,
Annals of OR 196).  The loops of both are compiled by numba: they make a million steps a second and more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from combopt.instances.clique import Clique
from combopt.instances.cliques import (
    MANY_EDGES,
    clique_bound,
    degeneracy,
    greedy_clique,
    greedy_independent,
    independent_bound,
    quick_independent,
)
from combopt.instances.graph import Graph
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from combopt.model import Instance, Ints, Solution
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.compiled import compiled

COMPLEMENT = 5000
"""Vertices of a clique instance that are searched at most; beyond, those in the densest core."""
SLICE = 0.05
"""Seconds between two looks at the clock."""
KERNELS = "combopt.solvers.graph_kernels"


class Search(Protocol):
    """A search for a heavy independent set that is advanced step by step; it never ends by itself."""

    value: int

    def advance(self, steps: int) -> None:
        """Make so many steps; afterwards ``value`` is the best weight so far."""

    def best(self) -> Ints:
        """The vertices of the best independent set so far, sorted."""


@dataclass(frozen=True)
class VertexSearch(Solver):
    """NuMVC, or a tabu search where vertices have weights; ends early if a greedy clique cover proves the answer.

    Parameters
    ----------
    method
        ``numvc``, ``tabu``, or ``auto``: NuMVC where vertices have no weights, which it cannot take.
    depth
        Steps without improvement after which the tabu search begins anew.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="vertex_search",
        title="local search for independent sets and cliques (NuMVC, tabu search with weights)",
        kinds=("mis", "clique"),
        capabilities=frozenset(
            {
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
                Capability.WARM_START,
                Capability.BOUND,
            }
        ),
    )
    method: Literal["auto", "numvc", "tabu"] = "auto"
    depth: int = 2000

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError("depth must be at least 1")

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Mis, Clique))
        if self.method == "numvc" and instance.graph.weights is not None:
            return "NuMVC takes no weights of vertices"
        return too_heavy(instance.graph)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Mis, Clique))
        graph = instance.graph
        best = opening(instance, session.start)
        session.emit(Selection(best))
        bound = independent_bound(graph) if isinstance(instance, Mis) else clique_bound(graph)
        session.bound(bound)
        value = graph.weight(best)
        if value == bound:
            return Outcome.optimal(bound)
        if session.stopping:
            return Outcome(stopped_by=StoppedBy.TIME)
        items, space = np.arange(graph.nodes), graph
        if isinstance(instance, Clique):
            items, complete = promising(graph, best, COMPLEMENT)
            space = graph.induced(items).complement()
            if not len(space.edges):
                session.emit(Selection(items))
                return Outcome.optimal(graph.weight(items)) if complete else Outcome()
        inside = np.flatnonzero(np.isin(items, best))
        search = make_search(space, inside, session.budget.seed, self.method, self.depth)
        return drive(search, items, session, value, bound)


def drive(search: Search, items: Ints, session: Session, value: int, bound: int) -> Outcome:
    """Advance the search until told to stop, handing over what is better than ``value``; stop at ``bound``."""
    limit, done, steps = session.budget.iterations, 0, 1
    while not session.stopping:
        if limit is not None:
            steps = min(steps, limit - done)
            if steps <= 0:
                return Outcome(stopped_by=StoppedBy.ITERATIONS)
        began = time.monotonic()
        search.advance(steps)
        done += steps
        if search.value > value:
            value = search.value
            session.emit(Selection(items[search.best()]))
            if value >= bound:
                return Outcome.optimal(bound)
        if done > 1 and time.monotonic() - began < SLICE:  # the first step waits for the compiler
            steps *= 2
        steps = max(steps, 16)
    return Outcome(stopped_by=StoppedBy.TIME)


def opening(instance: Mis | Clique, start: Solution | None) -> Ints:
    """The start if it is feasible and as good as the greedy answer, else that."""
    if isinstance(instance, Clique):
        best = greedy_clique(instance.graph)
    elif len(instance.graph.edges) <= MANY_EDGES:
        best = greedy_independent(instance.graph)
    else:
        best = quick_independent(instance.graph)
    if isinstance(start, Selection):
        judged = instance.evaluate(start)
        if judged.feasible and judged.objective >= instance.graph.weight(best):
            return start.items
    return best


def promising(graph: Graph, clique: Ints, most: int) -> tuple[Ints, bool]:
    """The vertices that may be in a clique heavier than ``clique``, and those of ``clique`` itself, sorted.

    Without weights the core of such a vertex has at least as many vertices as ``clique``; with weights its
    neighbourhood is heavier.  If they are more than ``most``, only those of the highest core numbers are kept, and
    the second value is false.
    """
    start, target = graph.adjacency
    worth = graph.worth
    sums = np.concatenate(([0], np.cumsum(worth[target])))
    keep = worth + sums[start[1:]] - sums[start[:-1]] > graph.weight(clique)
    core = degeneracy(graph)[1]
    if graph.weights is None:
        keep &= core >= len(clique)
    keep[clique] = True
    items = np.flatnonzero(keep)
    if len(items) <= most:
        return items, True
    ranking = items[np.argsort(-core[items], kind="stable")]
    return np.unique(np.concatenate((clique[:most], ranking[: max(0, most - len(clique))]))), False


HEAVIEST = 2**62
"""Total weight up to which sums are safe in 64 bits."""


def too_heavy(graph: Graph) -> str | None:
    """Why the compiled loops cannot take the weights, or ``None``."""
    total = graph.weight(np.arange(graph.nodes))
    return f"it needs a total weight below {HEAVIEST}" if total >= HEAVIEST else None


def make_search(graph: Graph, chosen: Ints, seed: int, method: str = "auto", depth: int = 2000) -> Search:
    """The search that fits the graph, or the one asked for, from the independent set ``chosen``."""
    if graph.weights is None and method != "tabu":
        return CoverSearch(graph, chosen, seed)
    return WeightSearch(graph, chosen, seed, depth)


def mixed(seed: int) -> int:
    """A 48-bit state of the generator of the compiled loops; neighbouring seeds give unlike states."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(16))


class CoverSearch:
    """NuMVC: edge weights, configuration checking, and one vertex less in the cover each time one is found."""

    def __init__(self, graph: Graph, chosen: Ints, seed: int) -> None:
        n, m = graph.nodes, len(graph.edges)
        ends = graph.edges.astype(np.int32)
        tail, head = np.concatenate((ends[:, 0], ends[:, 1])), np.concatenate((ends[:, 1], ends[:, 0]))
        by_tail = np.argsort(tail, kind="stable")
        start = graph.adjacency[0]
        covered = np.ones(n, dtype=np.bool_)
        covered[chosen] = False
        cover = np.full(n, -1, dtype=np.int32)
        members = np.flatnonzero(covered)
        cover[: len(members)] = members
        place = np.full(n, -1, dtype=np.int32)
        place[members] = np.arange(len(members))
        score = np.zeros(n, dtype=np.int64)  # by how much the weight of open edges falls when the vertex flips
        for a, b in ((0, 1), (1, 0)):
            np.add.at(score, ends[covered[ends[:, a]] & ~covered[ends[:, b]], a], -1)
        self._best = ~covered
        self.value = len(chosen)
        # generator, steps, open edges, size of the cover, size of the best, weight of all edges, vertex just added
        self._info = np.array([mixed(seed), 0, 0, len(members), len(members), m, -1], dtype=np.int64)
        self._arrays = (
            start, head[by_tail], (by_tail % max(m, 1)).astype(np.int32), ends, np.ones(m, dtype=np.int64), score,
            np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.bool_), covered, cover, place,
            np.full(m, -1, dtype=np.int32), np.full(m, -1, dtype=np.int32), self._best, self._info,
        )  # fmt: skip

    def advance(self, steps: int) -> None:
        compiled(KERNELS, typed=False).cover_steps(*self._arrays, steps)
        self.value = len(self._best) - int(self._info[4])

    def best(self) -> Ints:
        return np.flatnonzero(self._best)


class WeightSearch:
    """Tabu search over add, swap and drop; begins anew after ``depth`` steps without improvement."""

    def __init__(self, graph: Graph, chosen: Ints, seed: int, depth: int) -> None:
        n = graph.nodes
        start, target = graph.adjacency
        self.value = graph.weight(chosen)
        self._best = np.zeros(n, dtype=np.bool_)
        self._best[chosen] = True
        # generator, steps, value, best value, best since the last new beginning, steps since then improved, sizes of
        # the lists of chosen, free and once blocked vertices, and whether the start has still to be put in
        self._info = np.array([mixed(seed), 0, 0, self.value, 0, 0, 0, n, 0, 1], dtype=np.int64)
        self._arrays = (
            start, target, graph.worth, np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64),
            np.ones(n, dtype=np.int8), np.arange(n, dtype=np.int64), np.zeros((3, n), dtype=np.int64),
            np.zeros(n, dtype=np.int64), self._best, self._info, depth,
        )  # fmt: skip
        self._arrays[7][1] = np.arange(n)

    def advance(self, steps: int) -> None:
        compiled(KERNELS, typed=False).weight_steps(*self._arrays, steps)
        self.value = int(self._info[3])

    def best(self) -> Ints:
        return np.flatnonzero(self._best)
