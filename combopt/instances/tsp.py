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
        ``int64[k, 2]``: edges that the tour must contain (TSPLIB's FIXED_EDGES_SECTION).  They add nothing to its
        length: so read, linhp318 has its published optimum 41345, which is that of a path from node 1 to 214.  Edges
        that no tour can contain together are refused with E120.
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
        fixed_paths(self.fixed_edges, self.nodes, directed=False)
        if not self.metric.symmetric:
            raise InputError("E120", "the distance matrix is not symmetric", remedy="Read it as an atsp instance.")

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


def tour_conventions(metric: Metric, fixed_edges: Ints) -> tuple[str, ...]:
    """How distances and fixed edges were read."""
    free = ("fixed edges add nothing to the length",) if len(fixed_edges) else ()
    return (f"distances {metric.words}", *free)


def fixed_paths(edges: Ints, nodes: int, *, directed: bool) -> list[list[int]]:
    """The paths that fixed edges (or arcs) form, each as its nodes in order; a tour of fixed edges counts as a path.

    Raises
    ------
    InputError
        E117 for a node that does not exist, E120 if no tour contains all the edges.
    """
    if edges.size and (edges.min() < 0 or edges.max() >= nodes):
        raise InputError("E117", "a fixed edge names a node that does not exist", expected=f"nodes 0 to {nodes - 1}")
    links: dict[int, list[int]] = {}  # to both sides, or forward only
    entered: set[int] = set()
    for a, b in dict.fromkeys((a, b) if directed else (min(a, b), max(a, b)) for a, b in edges.tolist()):
        if a == b:
            raise InputError("E120", f"a fixed edge joins node {a + 1} to itself")
        links.setdefault(a, []).append(b)
        entered.add(b)
        if not directed:
            links.setdefault(b, []).append(a)
            entered.add(a)
    paths = _chains(links, entered, directed)
    if any(len(path) > len(set(path)) for path in paths) and len(paths[0]) != nodes + 1:
        raise InputError("E120", "the fixed edges close a cycle that is no tour")
    return [path[:-1] if path[0] == path[-1] else path for path in paths]


def _chains(links: dict[int, list[int]], entered: set[int], directed: bool) -> list[list[int]]:
    """Maximal paths along ``links``; one that comes back to its start lists it twice."""
    most = 1 if directed else 2
    if over := [v for v, others in links.items() if len(others) > most]:
        raise InputError("E120", f"no tour has all the fixed edges at node {over[0] + 1}")
    if directed and sum(map(len, links.values())) > len(entered):
        raise InputError("E120", "two fixed arcs enter the same node")
    ends = [v for v in links if (v not in entered if directed else len(links[v]) == 1)]
    paths: list[list[int]] = []
    seen: set[int] = set()
    for first in [*ends, *links]:  # what the ends do not reach are cycles
        if first in seen:
            continue
        path, previous = [first], -1
        while path[-1] not in seen:
            seen.add(path[-1])
            onward = [v for v in links.get(path[-1], ()) if directed or v != previous]
            if onward:
                previous = path[-1]
                path.append(onward[0])
        paths.append(path)
    return paths


def evaluate_tour(metric: Metric, order: Ints, fixed_edges: Ints, *, directed: bool) -> Evaluation:
    """Objective and violations of a tour through all nodes of ``metric``; fixed edges add nothing to its length."""
    violations = permutation_violations(order, len(metric))
    inside = order[(order >= 0) & (order < len(metric))]
    following = np.roll(inside, -1)
    steps = metric.between(inside, following)
    if fixed_edges.size:
        wanted = edge_keys(fixed_edges[:, 0], fixed_edges[:, 1], len(metric), directed)
        taken = edge_keys(inside, following, len(metric), directed)
        steps = np.where(np.isin(taken, wanted), 0, steps)
        for a, b in fixed_edges[~np.isin(wanted, taken)].tolist():
            violations.append(Violation(f"fixed edge {a + 1}-{b + 1}", 1, "is not in the tour"))
    return Evaluation(metric.in_length(metric.total(steps)), tuple(violations))


def edge_keys(a: Ints, b: Ints, nodes: int, directed: bool) -> Ints:
    """A number for every edge (or arc) a-b, the same for the same edge."""
    return a * nodes + b if directed else np.minimum(a, b) * nodes + np.maximum(a, b)


def permutation_violations(order: Ints, nodes: int) -> list[Violation]:
    """One violation for every node that is missing, unknown or visited twice; nodes are named from 1."""
    violations = [Violation(f"node {v + 1}", 1, "does not exist") for v in order.tolist() if not 0 <= v < nodes]
    counts = np.bincount(order[(order >= 0) & (order < nodes)], minlength=nodes)
    for v in np.flatnonzero(counts != 1).tolist():
        message = "is not visited" if counts[v] == 0 else f"is visited {counts[v]} times"
        violations.append(Violation(f"node {v + 1}", abs(int(counts[v]) - 1), message))
    return violations
