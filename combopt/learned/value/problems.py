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
    """Columns of items on either side, and the unit of values.

    ``items`` and ``numbers`` name what :data:`Data` holds of an instance: arrays over its items, and single numbers.
    ``by_item`` says that a scenario has an entry for each item.
    """

    kind: ClassVar[str]
    items: ClassVar[tuple[str, ...]]
    numbers: ClassVar[tuple[str, ...]]
    by_item: ClassVar[bool] = True
    first_columns: ClassVar[int]
    scenario_columns: ClassVar[int]

    @abstractmethod
    def first(self, data: Data, x: Tensor) -> Tensor:
        """``float32[B, F, n, first_columns]`` from ``x: float32[B, F, n]``."""

    @abstractmethod
    def scenario(self, data: Data, xi: Tensor) -> Tensor:
        """``float32[B, S, n, scenario_columns]`` from ``xi: float32[B, S, q]``."""

    @abstractmethod
    def scale(self, data: Data) -> Tensor:
        """``float32[B]``: what values are divided by."""


def mean(values: Tensor, real: Tensor) -> Tensor:
    """Mean over the items, ``float32[B, 1]``, never 0."""
    share = real.to(values.dtype)
    total = (values * share).sum(dim=1, keepdim=True) / share.sum(dim=1, keepdim=True).clamp_min(1.0)
    return torch.where(total > 0, total, torch.ones_like(total))


def beside(decided: Tensor, columns: Tensor) -> Tensor:
    """``float32[B, K, n, 1 + c]``: what was decided of each item, ``float32[B, K, n]``, before its data."""
    rows = columns.unsqueeze(1).expand(-1, decided.shape[1], -1, -1)
    return torch.cat([decided.unsqueeze(-1), rows], dim=-1)


class KnapsackValue(ValueProblem):
    """The robust knapsack: what production, repair and outsourcing of the accepted items earn.

    Columns on both sides: the decision (accepted, or the scenario's entry), profit, deviation, outsourcing, weight,
    repair, and the capacity as a share of all weights.
    """

    kind = "robust_knapsack"
    items = ("profit", "deviation", "outsourcing", "weight", "repair")
    numbers = ("capacity",)
    first_columns = scenario_columns = 7

    def columns(self, data: Data) -> Tensor:
        """``float32[B, n, 6]``: an item whatever is decided."""
        real = data["real"]
        money, heavy = mean(data["outsourcing"], real), mean(data["weight"], real)
        room = data["capacity"].unsqueeze(1) / (heavy * real.sum(dim=1, keepdim=True).clamp_min(1))
        found = [data[name] / money for name in ("profit", "deviation", "outsourcing")]
        found += [data[name] / heavy for name in ("weight", "repair")]
        return torch.stack([*found, room.expand_as(found[0])], dim=-1)

    def first(self, data: Data, x: Tensor) -> Tensor:
        return beside(x, self.columns(data))

    def scenario(self, data: Data, xi: Tensor) -> Tensor:
        return beside(xi, self.columns(data))

    def scale(self, data: Data) -> Tensor:
        return mean(data["outsourcing"], data["real"]).squeeze(1) * data["real"].sum(dim=1)


PROBLEMS: dict[str, ValueProblem] = {problem.kind: problem for problem in (KnapsackValue(),)}


def find(kind: str) -> ValueProblem:
    """The problem of a kind; UsageError E201 if there is none."""
    if kind not in PROBLEMS:
        raise UsageError("E201", f"no value network for {kind!r}", expected=", ".join(PROBLEMS))
    return PROBLEMS[kind]
