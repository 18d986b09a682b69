"""Graph colouring: as few colours as possible, joined vertices having different ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.errors import InputError, UnsupportedError
from combopt.instances.cliques import best_greedy_clique, dsatur, edge_cliques
from combopt.instances.graph import Graph
from combopt.instances.graph_families import make
from combopt.instances.mip import INTEGER, MipBuilder
from combopt.instances.solutions import Assignment, Point
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation

MIP_ENTRIES = 2_000_000
"""Pairs of an edge and a colour up to which the instance is rewritten as a mixed-integer program."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Coloring(Instance):
    """Colouring of ``graph``, which has no weights.

    A solution gives every vertex a colour, any number from 0 on; the objective is the number of different ones.
    """

    kind: ClassVar[str] = "coloring"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Assignment
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "coloring"
    graph: Graph

    def __post_init__(self) -> None:
        if self.graph.weights is not None:
            raise InputError("E119", "vertex weights in a colouring instance", expected="a graph without weights")

    def size(self) -> dict[str, int]:
        return self.graph.size()

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Assignment)
        colour = solution.groups
        if len(colour) != self.graph.nodes:
            raise InputError("E302", f"colours for {len(colour)} vertices", expected=f"{self.graph.nodes} colours")
        missing = np.flatnonzero(colour < 0).tolist()
        violations = [Violation(f"vertex {v + 1}", 1, f"has no colour ({colour[v]})") for v in missing]
        u, v = self.graph.edges.T
        clash = self.graph.edges[(colour[u] == colour[v]) & (colour[u] >= 0)]
        for a, b in clash.tolist():
            violations.append(Violation(f"edge {a + 1}-{b + 1}", 1, f"both ends have the colour {colour[a]}"))
        return Evaluation(len(np.unique(colour[colour >= 0])), tuple(violations))

    def to_mip(self) -> View:
        """The assignment formulation with clique rows; the vertices of a greedy clique have their colours fixed."""
        start = dsatur(self.graph)
        colours = int(start.max()) + 1
        if colours * (len(self.graph.edges) + self.graph.nodes) > MIP_ENTRIES:
            raise UnsupportedError(
                "E202", f"{len(self.graph.edges)} edges with {colours} colours are too many for a mixed-integer "
                "program", expected=f"a product of at most {MIP_ENTRIES}",
            )  # fmt: skip
        return _assignment_program(self.name, self.graph, start, best_greedy_clique(self.graph).tolist())

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 100,
        family: str = "erdos-renyi",
        density: float | None = None,
    ) -> Coloring:
        """A random instance of a family of :mod:`combopt.instances.graph_families` (``erdos-renyi`` is that of
        the DSJC graphs; ``queen``, ``mycielski`` and ``geometric`` are in the DIMACS set too)."""
        return cls(name=f"coloring-{family}-{n}", graph=make(rng, family, n, density))


def _assignment_program(name: str, graph: Graph, start: Ints, clique: list[int]) -> View:
    """``x[v, c]`` in column ``v k + c``, then ``y[c]``: colour ``c`` is used; colours in use come first."""
    n, k = graph.nodes, int(start.max()) + 1
    rank = {v: c for c, v in enumerate(clique)}
    builder = MipBuilder(name=name, sense=Sense.MIN)
    for v in range(n):
        for c in range(k):
            fixed = float(rank.get(v) == c)
            builder.column(f"x{v + 1}_{c + 1}", 0.0, fixed, 1.0, INTEGER)
    used = [builder.column(f"y{c + 1}", 1.0, float(c < len(clique)), 1.0, INTEGER) for c in range(k)]
    for v in range(n):
        builder.row([(v * k + c, 1.0) for c in range(k)], 1.0, 1.0)
    lonely = [[v] for v in np.flatnonzero(graph.degrees == 0).tolist()]
    for members in edge_cliques(graph) + lonely:
        for c in range(k):
            builder.row([*((v * k + c, 1.0) for v in members), (used[c], -1.0)], upper=0.0)
    for c in range(k - 1):
        builder.row([(used[c], 1.0), (used[c + 1], -1.0)], lower=0.0)
    mip = builder.build()

    def to_original(point: Any) -> Solution:
        assert isinstance(point, Point)
        index = {column: i for i, column in enumerate(mip.columns)}
        values = np.zeros(len(mip.columns))
        values[[index[column] for column in point.names]] = point.values
        return Assignment(values[: n * k].reshape(n, k).argmax(axis=1))

    def from_original(assignment: Any) -> Solution:
        assert isinstance(assignment, Assignment)
        colour = ranked(assignment.groups, clique)
        if len(colour) != n or colour.max() >= k:
            colour = ranked(start, clique)  # a start that is worse than the greedy one
        values = np.zeros(len(mip.columns))
        values[np.arange(n) * k + colour] = 1.0
        values[n * k + np.unique(colour)] = 1.0
        return Point(mip.columns, values)

    return View(mip, to_original, from_original)


def ranked(colour: Ints, clique: list[int]) -> Ints:
    """The same classes with the colours renamed: 0, 1, ... for the vertices of ``clique``, then as they come."""
    names: dict[int, int] = {}
    for v in [*clique, *range(len(colour))]:
        if v < len(colour):
            names.setdefault(int(colour[v]), len(names))
    return np.array([names[c] for c in colour.tolist()], dtype=np.int64)
