"""Maximum clique, with or without vertex weights: every two chosen vertices are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.graph import Graph, words_of_weights
from combopt.instances.graph_families import make
from combopt.instances.mis import packing
from combopt.instances.packing import chosen
from combopt.instances.solutions import Selection
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation

PAIRS = 2000
"""Chosen vertices up to which every missing edge is a violation of its own; beyond, they are counted by vertex."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Clique(Instance):
    """Maximum (weight) clique of ``graph``."""

    kind: ClassVar[str] = "clique"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Selection
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "clique"
    graph: Graph

    def size(self) -> dict[str, int]:
        return self.graph.size()

    def conventions(self) -> tuple[str, ...]:
        return words_of_weights(self.graph)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Selection)
        items, violations = chosen(solution.items, self.graph.nodes, "vertex")
        violations += missing_edges(self.graph, items)
        return Evaluation(self.graph.weight(items), tuple(violations))

    def to_mip(self) -> View:
        """The independent set program of the complement."""
        return packing(self.name, self.graph.complement())

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 100,
        family: str = "erdos-renyi",
        density: float | None = None,
        weighted: bool = False,
    ) -> Clique:
        """A random instance of a family of :mod:`combopt.instances.graph_families` (``erdos-renyi`` with density
        0.9 is that of the C graphs of DIMACS)."""
        return cls(name=f"clique-{family}-{n}", graph=make(rng, family, n, density, weighted))


def missing_edges(graph: Graph, items: Ints) -> list[Violation]:
    """A violation for every pair of ``items`` (sorted, different) that is not joined.

    Of more than :data:`PAIRS` vertices there may be more pairs than memory holds; then each vertex has one
    violation that counts its missing edges.
    """
    inner = graph.inside(items)
    k = len(items)
    if len(inner) == k * (k - 1) // 2:
        return []
    if k > PAIRS:
        missing = k - 1 - np.bincount(inner.ravel(), minlength=graph.nodes)[items]
        return [
            Violation(f"vertex {v + 1}", count, f"is not joined to {count} of the chosen vertices")
            for v, count in zip(items.tolist(), missing.tolist(), strict=True)
            if count
        ]
    joined = np.zeros((k, k), dtype=bool)
    joined[np.searchsorted(items, inner[:, 0]), np.searchsorted(items, inner[:, 1])] = True
    pairs = items[np.argwhere(np.triu(~joined, 1))]
    return [Violation(f"vertices {u + 1} and {v + 1}", 1, "are not joined") for u, v in pairs.tolist()]
