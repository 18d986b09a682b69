"""The 0/1 knapsack problem: the most profitable items that fit into one knapsack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError
from combopt.instances.knapsack_families import FAMILIES, draw
from combopt.instances.mip import MipBuilder
from combopt.instances.packing import (
    LARGEST_TOTAL,
    check_amounts,
    check_scale,
    chosen,
    in_units,
    representable,
    selection_view,
)
from combopt.instances.solutions import Selection
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation, frozen_array

__all__ = ["FAMILIES", "Knapsack"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Knapsack(Instance):
    """0/1 knapsack.

    Parameters
    ----------
    profit, weight
        ``int64[n]``, 0 or more.
    capacity
        0 or more.
    profit_scale, weight_scale
        Powers of ten; above 1 where the data have decimals: profits in the units of the file are
        ``profit / profit_scale``, weights and capacity alike.  Objectives are told in those units.
    """

    kind: ClassVar[str] = "knapsack"
    sense: ClassVar[Sense] = Sense.MAX  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Selection
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "knapsack"
    profit: Ints
    weight: Ints
    capacity: int
    profit_scale: int = 1
    weight_scale: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "profit", frozen_array(self.profit, np.int64, (None,), "profit"))
        object.__setattr__(self, "weight", frozen_array(self.weight, np.int64, (len(self.profit),), "weight"))
        object.__setattr__(self, "capacity", int(self.capacity))
        if not len(self.profit):
            raise InputError("E118", "there are no items")
        check_amounts(self.profit, "profit")
        check_amounts(self.weight, "weight")
        if not 0 <= self.capacity <= LARGEST_TOTAL:
            raise InputError("E114", f"the capacity is {self.capacity}", expected=f"0 to {LARGEST_TOTAL}")
        check_scale(self.profit_scale, "profit_scale")
        check_scale(self.weight_scale, "weight_scale")

    @property
    def items(self) -> int:
        return len(self.profit)

    def size(self) -> dict[str, int]:
        return {"items": self.items}

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Selection)
        items, violations = chosen(solution.items, self.items, "item")
        excess = int(self.weight[items].sum()) - self.capacity
        if excess > 0:
            amount = in_units(excess, self.weight_scale)
            violations.append(Violation("capacity", float(amount), f"is exceeded by {amount}"))
        profit = int(self.profit[items].sum())
        return Evaluation(in_units(profit, self.profit_scale), tuple(violations))

    def to_mip(self) -> View:
        representable(np.append(self.profit, self.weight), "profits or weights")
        builder = MipBuilder(self.name, self.sense)
        for i, profit in enumerate(self.profit.tolist()):
            builder.binary(f"x{i + 1}", in_units(profit, self.profit_scale))
        builder.row(enumerate(self.weight.tolist()), upper=self.capacity, name="capacity")
        return selection_view(builder.build())

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 100,
        family: str = "weakly",
        largest: int = 1000,
        fill: float = 0.5,
    ) -> Knapsack:
        """A random instance of one of the :data:`~combopt.instances.knapsack_families.FAMILIES`.

        ``largest`` is Pisinger's R, the largest weight (as a rule); ``fill`` the capacity as a share of the total
        weight.  For ``jooken``, ``largest`` plays no part and the capacity is 10^6.
        """
        profit, weight, capacity = draw(rng, n, family, largest, fill)
        return cls(name=f"knapsack-{family}-{n}", profit=profit, weight=weight, capacity=capacity)
