"""The asymmetric travelling salesman problem: a shortest closed tour, distances depending on direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import UsageError
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import evaluate_tour, fixed_paths, tour_conventions
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class Atsp(Instance):
    """Asymmetric TSP; fields as of :class:`~combopt.instances.tsp.Tsp`, but ``fixed_edges`` are arcs."""

    kind: ClassVar[str] = "atsp"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Tour
    name: str = "atsp"
    metric: Metric
    fixed_edges: Ints = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        edges = np.zeros((0, 2)) if self.fixed_edges is None else self.fixed_edges
        object.__setattr__(self, "fixed_edges", frozen_array(edges, np.int64, (None, 2), "fixed_edges"))
        fixed_paths(self.fixed_edges, self.nodes, directed=True)

    @property
    def nodes(self) -> int:
        return len(self.metric)

    def size(self) -> dict[str, int]:
        return {"nodes": self.nodes}

    def conventions(self) -> tuple[str, ...]:
        return tour_conventions(self.metric, self.fixed_edges)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Tour)
        return evaluate_tour(self.metric, solution.order, self.fixed_edges, directed=True)

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 100, family: str = "tmat") -> Atsp:
        """A random instance: ``uniform`` entries below 10^6, or ``tmat``, the same closed under the triangle
        inequality (Cirasella et al. 2001; the distribution of MatNet, Kwon et al. 2021)."""
        if family not in ("uniform", "tmat"):
            raise UsageError("E201", f"family {family!r}", expected="uniform or tmat")
        matrix = rng.integers(0, 1_000_000, size=(n, n))
        np.fill_diagonal(matrix, 0)
        if family == "tmat":
            for k in range(n):  # Floyd and Warshall; one pass closes the matrix
                np.minimum(matrix, matrix[:, k : k + 1] + matrix[k : k + 1, :], out=matrix)
        return cls(name=f"atsp-{family}-{n}", metric=Metric(rule="EXPLICIT", matrix=matrix))
