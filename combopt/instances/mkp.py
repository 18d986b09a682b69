"""The multidimensional 0/1 knapsack problem: the most profitable items within several capacities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.mip import MipBuilder
from combopt.instances.packing import (
    check_amounts,
    check_scale,
    chosen,
    in_units,
    representable,
    selection_view,
)
from combopt.instances.solutions import Selection
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class Mkp(Instance):
    """Multidimensional 0/1 knapsack.

    Parameters
    ----------
    profit
        ``int64[n]``, 0 or more.
    weight
        ``int64[m, n]``, 0 or more: what item ``j`` takes of resource ``i``.
    capacity
        ``int64[m]``, 0 or more.
    profit_scale, weight_scale
        Powers of ten, above 1 where the data have decimals, as in :class:`~combopt.instances.knapsack.Knapsack`.
    """

    kind: ClassVar[str] = "mkp"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Selection
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "mkp"
    profit: Ints
    weight: Ints
    capacity: Ints
    profit_scale: int = 1
    weight_scale: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "profit", frozen_array(self.profit, np.int64, (None,), "profit"))
        object.__setattr__(self, "capacity", frozen_array(self.capacity, np.int64, (None,), "capacity"))
        shape = (len(self.capacity), len(self.profit))
        if not len(self.profit):
            raise InputError("E118", "there are no items")
        if not len(self.capacity):
            raise InputError("E118", "there are no capacities")
        object.__setattr__(self, "weight", frozen_array(self.weight, np.int64, shape, "weight"))
        check_amounts(self.profit, "profit")
        check_amounts(self.weight, "weight")
        check_amounts(self.capacity, "capacity")
        check_scale(self.profit_scale, "profit_scale")
        check_scale(self.weight_scale, "weight_scale")

    @property
    def items(self) -> int:
        return len(self.profit)

    def size(self) -> dict[str, int]:
        return {"items": self.items, "resources": len(self.capacity)}

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Selection)
        items, violations = chosen(solution.items, self.items, "item")
        excess = self.weight[:, items].sum(axis=1) - self.capacity
        for i in np.flatnonzero(excess > 0).tolist():
            amount = in_units(int(excess[i]), self.weight_scale)
            violations.append(Violation(f"capacity {i + 1}", float(amount), f"is exceeded by {amount}"))
        profit = int(self.profit[items].sum())
        return Evaluation(in_units(profit, self.profit_scale), tuple(violations))

    def to_mip(self) -> View:
        representable(np.concatenate([self.profit, self.weight.ravel(), self.capacity]), "profits or weights")
        builder = MipBuilder(self.name, self.sense)
        for j, profit in enumerate(self.profit.tolist()):
            builder.binary(f"x{j + 1}", in_units(profit, self.profit_scale))
        for i, capacity in enumerate(self.capacity.tolist()):
            uses = np.flatnonzero(self.weight[i])
            terms = zip(uses.tolist(), self.weight[i][uses].tolist(), strict=True)
            builder.row(terms, upper=capacity, name=f"capacity{i + 1}")
        return selection_view(builder.build())

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 100,
        family: str = "chu_beasley",
        m: int = 5,
        tightness: float = 0.5,
    ) -> Mkp:
        """A random instance: ``chu_beasley`` (Chu and Beasley, Journal of Heuristics 4, 1998, section 4.1: weights
        uniform up to 1000, profits correlated with them) or ``uncorrelated`` (profits uniform up to 1000); the
        capacities are the share ``tightness`` of the weights."""
        if n < 1 or m < 1 or not 0 <= tightness <= 1:
            raise UsageError("E201", f"n={n}, m={m}, tightness={tightness}", expected="n, m from 1, a share of 1")
        weight = rng.integers(0, 1001, size=(m, n))
        if family == "chu_beasley":
            profit = (weight.sum(axis=0) / m + 500 * rng.random(n)).astype(np.int64)
        elif family == "uncorrelated":
            profit = rng.integers(1, 1001, size=n)
        else:
            raise UsageError("E201", f"family {family!r}", expected="chu_beasley or uncorrelated")
        capacity = (tightness * weight.sum(axis=1)).astype(np.int64)
        return cls(name=f"mkp-{family}-{m}-{n}", profit=profit, weight=weight, capacity=capacity)
