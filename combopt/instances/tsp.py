"""The travelling salesman problem: a shortest closed tour through all nodes, distances symmetric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, Violation, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class Tsp(Instance):
    """Symmetric TSP.

    Parameters
    ----------
    metric
        Distances between the nodes 0..n-1.
    fixed_edges
        ``int64[k, 2]``: edges that the tour must contain (TSPLIB's FIXED_EDGES_SECTION).
    """

    kind: ClassVar[str] = "tsp"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Tour
    name: str = "tsp"
    metric: Metric
    fixed_edges: Ints = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        edges = np.zeros((0, 2)) if self.fixed_edges is None else self.fixed_edges
        object.__setattr__(self, "fixed_edges", frozen_array(edges, np.int64, (None, 2), "fixed_edges"))
        check_edges(self.fixed_edges, self.nodes)
        if not self.metric.symmetric:
            raise InputError("E120", "the distance matrix is not symmetric", remedy="Read it as an atsp instance.")

    @property
    def nodes(self) -> int:
        return len(self.metric)

    def size(self) -> dict[str, int]:
        return {"nodes": self.nodes}

    def conventions(self) -> tuple[str, ...]:
        return (f"distances {self.metric.words}",)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Tour)
        return evaluate_tour(self.metric, solution.order, self.fixed_edges, directed=False)

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 100, family: str = "uniform") -> Tsp:
        """A random instance: ``uniform`` in a square of side 10^6, or ``clustered`` as in the DIMACS challenge
        (Johnson and McGeoch 2002: n/100 centres, normal deviates of deviation 10^6 / sqrt(n)); CEIL_2D."""
        if family == "uniform":
            points = rng.integers(0, 1_000_000, size=(n, 2)).astype(np.float64)
        elif family == "clustered":
            centres = rng.integers(0, 1_000_000, size=(max(1, n // 100), 2))
            spread = rng.normal(0.0, 1_000_000 / np.sqrt(n), size=(n, 2))
            points = np.rint(centres[rng.integers(0, len(centres), size=n)] + spread)
        else:
            raise UsageError("E201", f"family {family!r}", expected="uniform or clustered")
        return cls(name=f"tsp-{family}-{n}", metric=Metric(rule="CEIL_2D", coordinates=points))


def check_edges(edges: Ints, nodes: int) -> None:
    """Raise unless every edge joins two different existing nodes."""
    if edges.size and (edges.min() < 0 or edges.max() >= nodes):
        raise InputError("E117", "a fixed edge names a node that does not exist", expected=f"nodes 0 to {nodes - 1}")
    if edges.size and (edges[:, 0] == edges[:, 1]).any():
        raise InputError("E120", "a fixed edge joins a node to itself")


def evaluate_tour(metric: Metric, order: Ints, fixed_edges: Ints, *, directed: bool) -> Evaluation:
    """Objective and violations of a tour through all nodes of ``metric``."""
    violations = permutation_violations(order, len(metric))
    inside = order[(order >= 0) & (order < len(metric))]
    present = set()
    if fixed_edges.size:
        pairs = zip(inside.tolist(), np.roll(inside, -1).tolist(), strict=True)
        present = {p if directed else (min(p), max(p)) for p in pairs}
    for a, b in fixed_edges.tolist():
        if ((a, b) if directed else (min(a, b), max(a, b))) not in present:
            violations.append(Violation(f"fixed edge {a + 1}-{b + 1}", 1, "is not in the tour"))
    return Evaluation(metric.in_length(metric.cycle(inside)), tuple(violations))


def permutation_violations(order: Ints, nodes: int) -> list[Violation]:
    """One violation for every node that is missing, unknown or visited twice; nodes are named from 1."""
    violations = [Violation(f"node {v + 1}", 1, "does not exist") for v in order.tolist() if not 0 <= v < nodes]
    counts = np.bincount(order[(order >= 0) & (order < nodes)], minlength=nodes)
    for v in np.flatnonzero(counts != 1).tolist():
        message = "is not visited" if counts[v] == 0 else f"is visited {counts[v]} times"
        violations.append(Violation(f"node {v + 1}", abs(int(counts[v]) - 1), message))
    return violations
