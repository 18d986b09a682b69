"""The orienteering problem: the most valuable tour through the depot that is not too long.

Golden, Levy and Vohra (1987), The orienteering problem.  Naval Research Logistics 34, 307-318.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.prizes import amounts, check_metric, exact_sum, inside, visit_violations
from combopt.instances.solutions import Tour
from combopt.model import Evaluation, Instance, Ints, Number, Sense, Solution, Violation


@dataclass(frozen=True, eq=False, kw_only=True)
class Op(Instance):
    """Orienteering.

    Parameters
    ----------
    metric
        Symmetric distances between the nodes 0..n-1, none negative.
    prize
        ``int64[n]``: what a visit to each node is worth, 0 or more; that of the depot counts too.
    limit
        Largest length of the tour, in the unit of length of ``metric``.  Lengths are compared without tolerance.
    depot
        The node where the tour starts, and ends unless there is an ``end``.
    end
        Another node, where an open path has to end; ``None`` for a closed tour.
    """

    kind: ClassVar[str] = "op"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Tour
    name: str = "op"
    metric: Metric
    prize: Ints
    limit: int | float
    depot: int = 0
    end: int | None = None

    def __post_init__(self) -> None:
        check_metric(self.metric)
        object.__setattr__(self, "prize", amounts(self.prize, self.nodes, "prize"))
        object.__setattr__(self, "limit", _plain(self.limit))
        for what, node in (("depot", self.depot), ("end", self.end)):
            if node is not None and not 0 <= node < self.nodes:
                raise InputError("E117", f"the {what} is node {node + 1}", expected=f"a node from 1 to {self.nodes}")
        if self.end == self.depot:
            raise InputError("E120", "the path ends where it starts", remedy="Leave the end out for a closed tour.")

    @property
    def nodes(self) -> int:
        return len(self.metric)

    def size(self) -> dict[str, int]:
        return {"nodes": self.nodes}

    def conventions(self) -> tuple[str, ...]:
        shape = f"closed tour through node {self.depot + 1}"
        if self.end is not None:
            shape = f"open path from node {self.depot + 1} to node {self.end + 1}"
        return (f"distances {self.metric.words}", f"{shape}, length at most {self.limit}")

    def length(self, order: Ints) -> Number:
        """Length of the tour or path through ``order`` in steps of ``metric``."""
        return self.metric.cycle(order) if self.end is None else self.metric.path(order)

    def excess(self, steps: Number) -> Fraction:
        """By how much a length in steps of ``metric`` is above the limit, exactly, in units of length."""
        return Fraction(steps) / self.metric.unit - Fraction(self.limit)

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Tour)
        order = inside(solution.order, self.nodes)
        violations = visit_violations(solution.order, self.nodes)
        if self.end is None and self.depot not in order:
            violations.append(Violation("depot", 1, f"node {self.depot + 1} is not visited"))
        elif self.end is not None:
            for what, node, at in (("start", self.depot, order[:1]), ("end", self.end, order[-1:])):
                if node not in at:
                    violations.append(Violation(what, 1, f"is not at node {node + 1}"))
        steps = self.length(order)
        excess = self.excess(steps)
        length = self.metric.in_length(steps)
        if excess > 0:
            violations.append(Violation("length", float(excess), f"{length} is more than the limit {self.limit}"))
        prize = exact_sum(self.prize[np.unique(order)])
        return Evaluation(prize, tuple(violations), notes=(f"length {length} of at most {self.limit}",))

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 100, family: str = "distance", share: float = 0.5) -> Op:
        """A random instance with uniform points in a square of side 10^6, rounded Euclidean distances.

        ``constant``, ``uniform`` and ``distance`` are the prizes of Fischetti, Salazar Gonzalez and Toth (1998) and
        of Kool, van Hoof and Welling (2019): 1, 1 to 100 at random, and 1 + floor(99 d / max d) with d the distance
        from the depot.  The depot has none.  The limit is ``share`` of the length of a shortest tour through all
        nodes as estimated by Johnson and McGeoch (1996): 0.7124 sqrt(n A) (1 + 0.33 / n).
        """
        if not 0 <= share < math.inf:
            raise UsageError("E201", f"share = {share}", expected="a number, 0 or more")
        points = rng.integers(0, 1_000_000, size=(n, 2)).astype(np.float64)
        metric = Metric(rule="EUC_2D", coordinates=points)
        if family == "constant":
            prize = np.ones(n, dtype=np.int64)
        elif family == "uniform":
            prize = rng.integers(1, 101, size=n)
        elif family == "distance":
            away = metric.between(0, np.arange(n))
            prize = 1 + 99 * away // max(1, int(away.max(initial=0)))
        else:
            raise UsageError("E201", f"family {family!r}", expected="constant, uniform or distance")
        prize[:1] = 0
        limit = math.ceil(share * 0.7124e6 * math.sqrt(n) * (1 + 0.33 / max(n, 1)))
        return cls(name=f"op-{family}-{n}", metric=metric, prize=prize, limit=limit)


def _plain(limit: Number) -> Number:
    """A limit as ``int`` where it is whole, so that equal instances have equal digests."""
    if not math.isfinite(limit) or limit < 0:
        raise InputError("E114", f"the limit is {limit}", expected="a finite number, 0 or more")
    return int(limit) if limit == int(limit) else float(limit)
