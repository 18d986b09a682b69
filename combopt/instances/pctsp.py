"""The prize-collecting travelling salesman problem.

Balas (1989), The prize collecting traveling salesman problem.  Networks 19, 621-636.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.prizes import LARGEST, amounts, check_metric, exact_sum, inside, visit_violations
from combopt.instances.solutions import Tour
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, Violation


@dataclass(frozen=True, eq=False, kw_only=True)
class Pctsp(Instance):
    """Prize-collecting salesman: a tour through the depot that collects enough prizes, such that its length and the
    penalties of the nodes left out are least.

    Parameters
    ----------
    metric
        Symmetric distances between the nodes 0..n-1, none negative; node 0 is the depot.
    prize
        ``int64[n]``: what a visit to each node brings, 0 or more; that of the depot counts too.
    penalty
        ``int64[n]``: what leaving out each node costs, in the unit of length of ``metric``.
    min_prize
        The tour has to bring at least this.
    """

    kind: ClassVar[str] = "pctsp"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Tour
    name: str = "pctsp"
    metric: Metric
    prize: Ints
    penalty: Ints
    min_prize: int

    def __post_init__(self) -> None:
        check_metric(self.metric)
        object.__setattr__(self, "prize", amounts(self.prize, self.nodes, "prize"))
        object.__setattr__(self, "penalty", amounts(self.penalty, self.nodes, "penalty"))
        if isinstance(self.min_prize, bool) or int(self.min_prize) != self.min_prize:
            raise InputError("E113", f"the minimum prize is {self.min_prize}", expected="a whole number")
        if not 0 <= self.min_prize <= LARGEST * self.nodes:
            raise InputError("E114", f"the minimum prize is {self.min_prize}", expected="0 or more")
        object.__setattr__(self, "min_prize", int(self.min_prize))

    @property
    def nodes(self) -> int:
        return len(self.metric)

    def size(self) -> dict[str, int]:
        return {"nodes": self.nodes}

    def conventions(self) -> tuple[str, ...]:
        return (
            f"distances {self.metric.words}",
            "closed tour through node 1; length and penalties of the nodes left out are minimised",
            f"minimum prize {self.min_prize} of {exact_sum(self.prize)}",
        )

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Tour)
        order = inside(solution.order, self.nodes)
        violations = visit_violations(solution.order, self.nodes)
        if 0 not in order:
            violations.append(Violation("depot", 1, "node 1 is not visited"))
        visited = np.unique(order)
        prize = exact_sum(self.prize[visited])
        if prize < self.min_prize:
            message = f"{prize} is collected, {self.min_prize} at least is required"
            violations.append(Violation("minimum prize", self.min_prize - prize, message))
        length = self.metric.in_length(self.metric.cycle(order))
        penalties = exact_sum(np.delete(self.penalty, visited))
        notes = (f"length {length}, penalties {penalties}, prize {prize}",)
        return Evaluation(length + penalties, tuple(violations), notes=notes)

    @classmethod
    def generate(cls, rng: np.random.Generator, *, n: int = 100, family: str = "random") -> Pctsp:
        """A random instance of the distributions in use.

        ``random`` has prizes 0..100, penalties 1..100, symmetric distances 1..1000 at random, and half of all prizes
        as minimum, like the files ``problem_n_100_100_1000.pctsp``.
        ``euclidean`` is that of Kool, van Hoof and Welling (2019), all lengths and prizes times 10^6: uniform points
        in the unit square, prizes uniform in [0, 4/n], minimum prize 1, penalties uniform in [0, 3 K / n], where K,
        about half the length of a tour through all nodes, is given for some n and interpolated between them.
        """
        if family == "euclidean":
            metric = Metric(rule="EUC_2D", coordinates=rng.integers(0, 1_000_000, size=(n, 2)).astype(np.float64))
            half = np.interp(n, [20, 50, 100, 500, 1000, 2000, 5000, 10_000], [2, 3, 4, 9, 12, 15, 20, 38])
            prize = rng.integers(0, 4_000_000 // max(n, 1) + 1, size=n)
            penalty = rng.integers(0, int(3e6 * half / max(n, 1)) + 1, size=n)
            minimum = 1_000_000
        elif family == "random":
            upper = np.triu(rng.integers(1, 1001, size=(n, n)), 1)
            metric = Metric(rule="EXPLICIT", matrix=upper + upper.T)
            prize = rng.integers(0, 101, size=n)
            penalty = rng.integers(1, 101, size=n)
            minimum = 0
        else:
            raise UsageError("E201", f"family {family!r}", expected="random or euclidean")
        prize[:1] = penalty[:1] = 0
        total = exact_sum(prize)
        # prizes of a small instance may fall short of the minimum: then all that there are
        minimum = min(minimum, total) if family == "euclidean" else -(-total // 2)
        return cls(name=f"pctsp-{family}-{n}", metric=metric, prize=prize, penalty=penalty, min_prize=minimum)
