"""What a value network sees of the two benchmark problems.

All columns are free of units: amounts in the mean of their instance, so that a network serves instances of any scale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from combopt.errors import UsageError

Data = Mapping[str, Tensor]
"""Arrays of instances by name: ``float32[B, n]`` over items, else ``float32[B]``; and ``real: bool[B, n]``."""


class ValueProblem(ABC):
    """What the network sees of the items, and the unit of values.

    ``items`` and ``numbers`` name what :data:`Data` holds of an instance: arrays over its items, and single numbers.
    ``by_item`` says that a scenario has an entry for each item.
    """

    kind: ClassVar[str]
    items: ClassVar[tuple[str, ...]]
    numbers: ClassVar[tuple[str, ...]]
    by_item: ClassVar[bool] = True
    scenario_width: ClassVar[int]
    columns_width: ClassVar[int]

    @abstractmethod
    def columns(self, data: Data) -> Tensor:
        """``float32[B, n, columns_width]``: what an item is, whatever happens."""

    @abstractmethod
    def scenario(self, data: Data, xi: Tensor) -> Tensor:
        """``float32[B, S, n, scenario_width]`` from ``xi: float32[B, S, q]``: what a scenario does to each item."""

    @abstractmethod
    def scale(self, data: Data) -> Tensor:
        """``float32[B]``: what values are divided by."""


def mean(values: Tensor, real: Tensor) -> Tensor:
    """Mean over the items, ``float32[B, 1]``, never 0."""
    share = real.to(values.dtype)
    total = (values * share).sum(dim=1, keepdim=True) / share.sum(dim=1, keepdim=True).clamp_min(1.0)
    return torch.where(total > 0, total, torch.ones_like(total))


class KnapsackValue(ValueProblem):
    """The robust knapsack: what production, repair and outsourcing of the accepted items earn.

    Columns: profit, deviation, outsourcing, weight, repair, and the capacity as a share of all weights; of a scenario
    its entry.
    """

    kind = "robust_knapsack"
    items = ("profit", "deviation", "outsourcing", "weight", "repair")
    numbers = ("capacity",)
    scenario_width, columns_width = 1, 6

    def columns(self, data: Data) -> Tensor:
        real = data["real"]
        money, heavy = mean(data["outsourcing"], real), mean(data["weight"], real)
        room = data["capacity"].unsqueeze(1) / (heavy * real.sum(dim=1, keepdim=True).clamp_min(1))
        found = [data[name] / money for name in ("profit", "deviation", "outsourcing")]
        found += [data[name] / heavy for name in ("weight", "repair")]
        return torch.stack([*found, room.expand_as(found[0])], dim=-1)

    def scenario(self, data: Data, xi: Tensor) -> Tensor:
        return xi.unsqueeze(-1)

    def scale(self, data: Data) -> Tensor:
        return mean(data["outsourcing"], data["real"]).squeeze(1) * data["real"].sum(dim=1)


PROBLEMS: dict[str, ValueProblem] = {problem.kind: problem for problem in (KnapsackValue(),)}


def find(kind: str) -> ValueProblem:
    """The problem of a kind; UsageError E201 if there is none."""
    if kind not in PROBLEMS:
        raise UsageError("E201", f"no value network for {kind!r}", expected=", ".join(PROBLEMS))
    return PROBLEMS[kind]
