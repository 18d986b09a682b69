"""Maximum independent set, with or without vertex weights: no two chosen vertices are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.errors import UnsupportedError
from combopt.instances.cliques import edge_cliques
from combopt.instances.graph import Graph, words_of_weights
from combopt.instances.graph_families import make
from combopt.instances.mip import Mip, MipBuilder
from combopt.instances.packing import chosen
from combopt.instances.solutions import Point, Selection
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation

MIP_EDGES = 500_000
"""Edges up to which the instance is rewritten as a mixed-integer program."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Mis(Instance):
    """Maximum (weight) independent set of ``graph``."""

    kind: ClassVar[str] = "mis"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Selection
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "mis"
    graph: Graph

    def size(self) -> dict[str, int]:
        return self.graph.size()

    def conventions(self) -> tuple[str, ...]:
        return words_of_weights(self.graph)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Selection)
        items, violations = chosen(solution.items, self.graph.nodes, "vertex")
        for u, v in self.graph.inside(items).tolist():
            violations.append(Violation(f"edge {u + 1}-{v + 1}", 1, "has both ends chosen"))
        return Evaluation(self.graph.weight(items), tuple(violations))

    def to_mip(self) -> View:
        """One binary column for every vertex; of every clique of an edge cover at most one vertex is chosen."""
        return packing(self.name, self.graph)

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 100,
        family: str = "erdos-renyi",
        density: float | None = None,
        weighted: bool = False,
    ) -> Mis:
        """A random instance of a family of :mod:`combopt.instances.graph_families` (``rb`` is that of BHOSLIB)."""
        return cls(name=f"mis-{family}-{n}", graph=make(rng, family, n, density, weighted))


def packing(name: str, graph: Graph) -> View:
    """Maximum weight independent set of ``graph`` as a mixed-integer program with clique rows."""
    if len(graph.edges) > MIP_EDGES:
        raise UnsupportedError(
            "E202", f"{len(graph.edges)} edges are too many for a mixed-integer program",
            expected=f"at most {MIP_EDGES}",
        )  # fmt: skip
    builder = MipBuilder(name=name, sense=Sense.MAX)
    for v, weight in enumerate(graph.worth.tolist(), 1):
        builder.binary(f"x{v}", float(weight))
    for clique in edge_cliques(graph):
        builder.row([(v, 1.0) for v in clique], upper=1.0)
    mip = builder.build()
    return View(mip, lambda point: chosen_columns(mip, point), lambda selection: _as_point(mip, selection))


def chosen_columns(mip: Mip, point: Any) -> Selection:
    """The columns of value 1 as a selection of their indices."""
    assert isinstance(point, Point)
    index = {name: i for i, name in enumerate(mip.columns)}
    items = [index[name] for name, value in zip(point.names, point.values.tolist(), strict=True) if value > 0.5]
    return Selection(np.array(items, dtype=np.int64))


def _as_point(mip: Mip, selection: Any) -> Point:
    assert isinstance(selection, Selection)
    items: Ints = selection.items
    values = np.zeros(len(mip.columns))
    values[items[(items >= 0) & (items < len(values))]] = 1.0
    return Point(mip.columns, values)
