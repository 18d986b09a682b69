"""TabuCol (Hertz and de Werra 1987): colour with k colours by repairing clashes, then with k - 1."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.cliques import dsatur, extend, peel
from combopt.instances.coloring import Coloring
from combopt.instances.graph import Graph
from combopt.instances.solutions import Assignment
from combopt.model import Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.clique_bb import short_clique
from combopt.solvers.compiled import compiled
from combopt.solvers.graph_search import mixed

KERNELS = "combopt.solvers.colour_kernels"
ENTRIES = 100_000_000
"""Vertices times colours up to which the tables fit (800 MB)."""
SLICE = 0.05
"""Seconds between two looks at the clock."""


@dataclass(frozen=True)
class TabuCol(Solver):
    """DSATUR, then TabuCol with one colour less each time; ends at the size of a clique.

    Parameters
    ----------
    share
        A vertex may not return to a colour for so many times the number of clashing vertices, and up to 10 steps more
        (Galinier and Hao 1999).
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="tabucol",
        title="TabuCol: tabu search on clashes, one colour less each time",
        kinds=("coloring",),
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
    share: float = 0.6

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 100:
            raise ValueError("share must be from 0 to 100")

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, Coloring)
        colour = dsatur(instance.graph)
        start = session.start
        if isinstance(start, Assignment) and instance.evaluate(start).feasible:
            given = compact(start.groups)
            colour = min(given, colour, key=lambda c: int(c.max()))
        session.emit(Assignment(colour))
        least = len(short_clique(instance.graph))
        session.bound(least)
        return self._descend(instance.graph, colour, least, session)

    def _descend(self, graph: Graph, colour: Ints, least: int, session: Session) -> Outcome:
        descent = Descent(graph, colour, least, session.budget.seed, self.share)
        limit = session.budget.iterations
        left = limit if limit is not None else 2**62
        pace = 1
        while descent.colours > least:
            if descent.too_large:
                session.say(f"{graph.nodes} vertices with {descent.colours} colours are too many for TabuCol")
                return Outcome()
            if session.stopping:
                return Outcome(stopped_by=StoppedBy.TIME)
            if left <= 0:
                return Outcome(stopped_by=StoppedBy.ITERATIONS)
            began, before = time.monotonic(), descent.colours
            left -= descent.advance(min(pace, left))
            if descent.colours < before:
                session.emit(Assignment(descent.colour()))
            if pace == 1:
                pace = 256  # the first step waits for the compiler
            elif time.monotonic() - began < SLICE:
                pace *= 2
            elif pace > 256:
                pace //= 2
        return Outcome.optimal(least)


class Descent:
    """Colourings with fewer and fewer colours, down to ``least``, from the proper colouring ``colour``.

    Vertices of less than ``least`` neighbours are left out, again and again: there is always a colour for them.
    """

    def __init__(self, graph: Graph, colour: Ints, least: int, seed: int, share: float = 0.6) -> None:
        self._graph, self._least, self._share = graph, least, share
        self._items, self._rest = peel(graph, least)
        self._best = compact(colour[self._items])
        self._whole = compact(colour)
        self._generator = np.array([mixed(seed)], dtype=np.int64)
        self._core = graph.induced(self._items) if len(self._items) else None
        self._search: ClashSearch | None = None

    @property
    def colours(self) -> int:
        """Number of colours of the best colouring so far."""
        return max(self._least, int(self._best.max(initial=-1)) + 1)

    @property
    def too_large(self) -> bool:
        return len(self._items) * self.colours > ENTRIES

    def colour(self) -> Ints:
        """The best colouring so far, of the whole graph."""
        whole = self._whole.copy()
        whole[self._items] = self._best
        return extend(self._graph, whole, self._rest)

    def advance(self, steps: int) -> int:
        """Make up to so many steps, fewer if there is a new best colouring; returns their number."""
        assert self._core is not None
        if self._search is None:
            start = merged(self._core, self._best)
            self._search = ClashSearch(self._core, start, int(self._best.max()), self._generator, self._share)
        done = self._search.advance(steps) if self._search.clashes else 0
        if not self._search.clashes:
            self._best = compact(self._search.colour)
            self._search = None
        return done


def short_descent(graph: Graph, colour: Ints, least: int, steps: int = 50_000) -> Ints:
    """The proper colouring ``colour`` improved by so many steps of TabuCol, if it has more than ``least`` colours."""
    descent = Descent(graph, colour, least, seed=0)
    while steps > 0 and descent.colours > least and not descent.too_large:
        steps -= max(1, descent.advance(steps))
    return descent.colour()


class ClashSearch:
    """A colouring with ``colours`` colours whose clashes are repaired step by step; ``clashes`` counts them."""

    def __init__(self, graph: Graph, colour: Ints, colours: int, generator: Ints, share: float) -> None:
        start, target = graph.adjacency
        n = graph.nodes
        self.colour = np.array(colour, dtype=np.int64)
        self._generator, self._share = generator, share
        around = np.zeros((n, colours), dtype=np.int32)  # how many neighbours of each vertex have each colour
        tails = np.repeat(np.arange(n), np.diff(start))
        np.add.at(around, (tails, self.colour[target]), 1)
        own = around[np.arange(n), self.colour]
        clashing = np.flatnonzero(own)
        self.clashes = int(own.sum()) // 2
        queue, place = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        queue[: len(clashing)], place[clashing] = clashing, np.arange(len(clashing))
        # steps, clashes, fewest clashes so far, clashing vertices
        self._info = np.array([0, self.clashes, self.clashes, len(clashing)], dtype=np.int64)
        self._arrays = (
            start, target, self.colour, around, np.zeros((n, colours), dtype=np.int32), queue, place,
        )  # fmt: skip

    def advance(self, steps: int) -> int:
        """Make up to so many steps, fewer if no clash is left; returns their number."""
        before = int(self._info[0])
        compiled(KERNELS, typed=False).clash_steps(*self._arrays, self._generator, self._info, self._share, steps)
        self.clashes = int(self._info[1])
        return int(self._info[0]) - before


def compact(colour: Ints) -> Ints:
    """The same classes with colours 0..k-1."""
    return np.unique(colour, return_inverse=True)[1].astype(np.int64)


def merged(graph: Graph, colour: Ints) -> Ints:
    """The colouring without its smallest class, whose vertices go, in turn, to the colours with fewest clashes."""
    sizes = np.bincount(colour)
    smallest = int(np.argmin(sizes))
    last = len(sizes) - 1
    colour = np.where(colour == last, smallest, np.where(colour == smallest, last, colour))
    for v in np.flatnonzero(colour == last).tolist():
        clashes = np.bincount(colour[graph.neighbours(v)], minlength=last + 1)[:last]
        colour[v] = int(np.argmin(clashes)) if last else 0
    return colour
