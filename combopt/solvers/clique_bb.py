"""Exact maximum (weight) cliques by branch and bound on bitsets, with colourings as bounds.

Without weights it is MCS (Tomita et al. 2010, WALCOM) in the bitset form BBMCR (San Segundo et al. 2013, Optim.
Lett. 7): greedy sequential colouring with recolouring.  With weights a vertex may have several colours, each with a
share of its weight (Held, Cook and Sewell 2012; Tavares 2016).  Independent sets are cliques of the complement.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from combopt.instances.clique import Clique
from combopt.instances.cliques import best_greedy_clique, degeneracy
from combopt.instances.graph import Graph
from combopt.instances.mis import Mis
from combopt.instances.solutions import Selection
from combopt.model import Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.compiled import compiled
from combopt.solvers.graph_search import make_search, opening, promising, too_heavy

WHOLE = 4000
"""Vertices up to which the graph is searched in one piece; beyond, one neighbourhood at a time."""
INDEPENDENT = 2000
"""Vertices up to which independent sets are looked for, in the complement."""
FIRST_NODES = 20_000
"""Nodes after which, if they were not enough, a better clique is looked for before going on."""
SEARCH_STEPS = 200_000
"""Steps of that local search."""
SLICE = 0.05
"""Seconds between two looks at the clock."""
KERNELS = "combopt.solvers.clique_kernels"


@dataclass(frozen=True)
class CliqueBB(Solver):
    """A short try, then a local search, then the proof.

    Large sparse graphs are cut into the later neighbourhoods of their vertices in a degeneracy order.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="clique_bb",
        title="exact clique search: bitset branch and bound with colouring bounds",
        kinds=("clique", "mis"),
        capabilities=frozenset(
            {
                Capability.PROOF,
                Capability.BOUND,
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
                Capability.WARM_START,
            }
        ),
    )

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Mis, Clique))
        if isinstance(instance, Mis) and instance.graph.nodes > INDEPENDENT:
            return f"it looks for independent sets among at most {INDEPENDENT} vertices, not {instance.graph.nodes}"
        return too_heavy(instance.graph)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Mis, Clique))
        best = opening(instance, session.start)
        session.emit(Selection(best))
        graph = instance.graph
        if isinstance(instance, Mis):
            graph = graph.complement()
        return _Run(graph, best, session).solve()


class _Run:
    """One proof on the clique instance ``graph``; ``best`` is the heaviest clique known."""

    def __init__(self, graph: Graph, best: Ints, session: Session) -> None:
        self.graph, self.best, self.session = graph, best, session
        self.value = graph.weight(best)
        self.bound = graph.weight(np.arange(graph.nodes))
        self.nodes = 0
        self.pace = 1

    def solve(self) -> Outcome:
        items, _ = promising(self.graph, self.best, self.graph.nodes)
        if len(items) <= WHOLE:
            finished = self._piece(items, base=0, most=FIRST_NODES)
            if not finished and not self.session.stopping:
                self._local_search(items)
                finished = self._piece(items, base=0)
        else:
            finished = self._neighbourhoods(items)
        if finished:
            return Outcome.optimal(self.value)
        limit = self.session.budget.nodes
        spent = limit is not None and self.nodes >= limit
        return Outcome(stopped_by=StoppedBy.ITERATIONS if spent else StoppedBy.TIME)

    def _local_search(self, items: Ints) -> None:
        space = self.graph.induced(items).complement()
        if not len(space.edges):
            return
        search = make_search(space, np.flatnonzero(np.isin(items, self.best)), self.session.budget.seed)
        for _ in range(100):
            search.advance(SEARCH_STEPS // 100)
            if search.value > self.value:
                self._improved(search.value, items[search.best()])
            if self.session.stopping:
                return

    def _improved(self, value: int, clique: Ints) -> None:
        self.value, self.best = value, np.sort(clique)
        self.session.emit(Selection(self.best))

    def _report(self, bound: int) -> None:
        if bound < self.bound:
            self.bound = bound
            self.session.bound(bound)

    def _neighbourhoods(self, items: Ints) -> bool:
        """For every vertex, from the densest core outwards, the cliques in which it comes first in the order."""
        graph = self.graph.induced(items)
        order, core = degeneracy(graph)
        rank = np.empty(graph.nodes, dtype=np.int64)
        rank[order] = np.arange(graph.nodes)
        worth = graph.worth
        for position in range(graph.nodes - 1, -1, -1):
            v = int(order[position])
            near = graph.neighbours(v)
            near = near[rank[near] > position]
            if int(worth[near].sum()) + int(worth[v]) > self.value:
                if graph.weights is None:
                    near = near[core[near] >= self.value]
                if not self._piece(items[near], base=int(items[v]) + 1):
                    return False
            elif self.session.stopping:
                return False
            if graph.weights is None and position:
                # what remains lies in the part of the order before this vertex, whose cores are no larger
                self._report(max(self.value, int(core[order[position - 1]]) + 1))
        return True

    def _piece(self, items: Ints, base: int, most: int | None = None) -> bool:
        """Search the cliques within ``items``, joined to vertex ``base - 1`` unless ``base`` is 0, in ``most`` nodes;
        whether the search was finished."""
        extra = int(self.graph.worth[base - 1]) if base else 0
        if base and extra > self.value:
            self._improved(extra, np.array([base - 1]))
        if not len(items):
            return True
        tree = Tree(self.graph.induced(items), self.value - extra)
        session, limit = self.session, self.session.budget.nodes
        end = min(x for x in (limit, None if most is None else self.nodes + most, 2**62) if x is not None)
        while self.nodes < end and not session.stopping:
            began = time.monotonic()
            pace = min(self.pace, end - self.nodes)
            finished = tree.advance(pace)
            self.nodes += pace
            if tree.value + extra > self.value:
                clique = items[tree.clique()]
                self._improved(tree.value + extra, np.append(clique, base - 1) if base else clique)
            if not base:
                self._report(tree.bound())
            if finished:
                return True
            if time.monotonic() - began < SLICE and self.pace < 1 << 24:
                self.pace *= 2
            elif self.pace > 1:
                self.pace //= 2
        return False


def short_clique(graph: Graph, nodes: int = FIRST_NODES) -> Ints:
    """A large clique, by weight: greedy, improved by so many nodes of the exact search where the graph allows it."""
    best = best_greedy_clique(graph)
    items, _ = promising(graph, best, graph.nodes)
    if len(items) > WHOLE:
        return best
    value = graph.weight(best)
    tree = Tree(graph.induced(items), value)
    tree.advance(nodes)
    return items[tree.clique()] if tree.value > value else best


class Tree:
    """The search tree of one graph, expanded some nodes at a time; ``value`` is the weight of the best clique, or
    the one given to be beaten."""

    def __init__(self, graph: Graph, value: int) -> None:
        order = degeneracy(graph)[0][::-1]
        adjacency = graph.dense()[np.ix_(order, order)]
        n = graph.nodes
        words = (n + 63) // 64
        self._order, self.value, self._given = order, value, value
        self._rows = packed(adjacency, words)
        self._worth = graph.worth[order]
        unit = bool((self._worth == 1).all())
        everything = packed(np.ones((1, n), dtype=bool), words)[0]
        self._levels = 64
        self._depth_arrays(n, words)
        self._left[0] = everything
        self._best = np.zeros(n, dtype=np.int32)
        # depth (-1 when finished), best value, size of the best clique, whether unweighted, root to be coloured
        self._info = np.array([0, value, 0, unit, 1], dtype=np.int64)
        self._free = np.zeros(words, dtype=np.int64)
        self._classes = np.zeros((n + 1, words), dtype=np.int64)
        self._residual = np.zeros(n, dtype=np.int64)

    def _depth_arrays(self, n: int, words: int) -> None:
        levels = self._levels
        self._left = np.zeros((levels, words), dtype=np.int64)
        self._branch = np.zeros((levels, n), dtype=np.int32)
        self._bounds = np.zeros((levels, n), dtype=np.int64)
        self._todo = np.zeros(levels, dtype=np.int64)
        self._above = np.zeros(levels, dtype=np.int64)
        self._chosen = np.zeros(levels, dtype=np.int32)

    def _deepen(self) -> None:
        for name in ("_left", "_branch", "_bounds", "_todo", "_above", "_chosen"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate((array, np.zeros_like(array))))
        self._levels *= 2

    def advance(self, nodes: int) -> bool:
        """Expand so many nodes; whether the tree is finished."""
        while nodes > 0 and self._info[0] >= 0:
            if self._info[0] + 2 >= self._levels:
                self._deepen()
            with np.errstate(over="ignore"):  # where numba is missing, numpy would complain of the bit tricks
                nodes = compiled(KERNELS, typed=False).expand(
                    self._rows, self._worth, self._left, self._branch, self._bounds, self._todo, self._above,
                    self._chosen, self._best, self._free, self._classes, self._residual, self._info, nodes,
                )  # fmt: skip
        self.value = int(self._info[1])
        return bool(self._info[0] < 0)

    def clique(self) -> Ints:
        """The best clique found, as vertices of the graph given."""
        return np.sort(self._order[self._best[: self._info[2]]])

    def bound(self) -> int:
        """No clique is heavier than this, nor than the value to be beaten."""
        if self._info[0] < 0:
            return self.value
        if self._info[4]:
            return int(self._worth.sum())
        # At depth 0 the branches still to do, below also the one being explored; the last is the loosest.
        at = int(self._todo[0]) - (1 if self._info[0] == 0 else 0)
        return max(self.value, int(self._bounds[0, at])) if at >= 0 else self.value


def packed(matrix: npt.NDArray[np.bool_], words: int) -> Ints:
    """The rows of a boolean matrix as bits, 64 to a word, the first the lowest: ``int64[rows, words]``."""
    padded = np.zeros((len(matrix), words * 64), dtype=bool)
    padded[:, : matrix.shape[1]] = matrix
    bits: Ints = np.packbits(padded, axis=1, bitorder="little").view("<i8").astype(np.int64)
    return bits
