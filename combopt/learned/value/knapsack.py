"""What a value network sees of a robust knapsack: its items, as a set.

All columns are free of units: amounts in the mean of their instance, so that a network serves instances of any scale.
A file of values is padded with zeros to ``n`` items, and holds besides what :mod:`.samples` says

``items: int32[c]``
    items of each instance;
a ``float32[c, n]`` for each array over items and a ``float32[c]`` for each number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from combopt.errors import UsageError
from combopt.learned.value.base import Data, ValueProblem
from combopt.learned.value.network import SHAPES, ValueConfig, ValueNetwork, shape
from combopt.learned.value.samples import Samples


def mean(values: Tensor, real: Tensor) -> Tensor:
    """Mean over the items, ``float32[B, 1]``, never 0."""
    share = real.to(values.dtype)
    total = (values * share).sum(dim=1, keepdim=True) / share.sum(dim=1, keepdim=True).clamp_min(1.0)
    return torch.where(total > 0, total, torch.ones_like(total))


class KnapsackValue(ValueProblem):
    """The robust knapsack: what production, repair and outsourcing of the accepted items earn.

    Columns: profit, deviation, outsourcing, weight, repair, and the capacity as a share of all weights; of a scenario
    its entry.  :data:`Data` are ``float32[B, n]`` over items, else ``float32[B]``, and ``real: bool[B, n]``.
    """

    kind = "robust_knapsack"
    items = ("profit", "deviation", "outsourcing", "weight", "repair")
    numbers = ("capacity",)
    arrays = (*items, *numbers, "items")
    shapes = tuple(SHAPES)
    scenario_width, columns_width = 1, 6

    def columns(self, data: Data) -> Tensor:
        """``float32[B, n, columns_width]``: what an item is, whatever happens."""
        real = data["real"]
        money, heavy = mean(data["outsourcing"], real), mean(data["weight"], real)
        room = data["capacity"].unsqueeze(1) / (heavy * real.sum(dim=1, keepdim=True).clamp_min(1))
        found = [data[name] / money for name in ("profit", "deviation", "outsourcing")]
        found += [data[name] / heavy for name in ("weight", "repair")]
        return torch.stack([*found, room.expand_as(found[0])], dim=-1)

    def scenario(self, data: Data, xi: Tensor) -> Tensor:
        """``float32[B, S, n, scenario_width]`` from ``xi: float32[B, S, n]``: what a scenario does to each item."""
        return xi.unsqueeze(-1)

    def scale(self, data: Data) -> Tensor:
        """``float32[B]``: what values are divided by."""
        return mean(data["outsourcing"], data["real"]).squeeze(1) * data["real"].sum(dim=1)

    def joined(self, parts: list[dict[str, Any]]) -> Samples:
        """The instances of several files, all filled up to the largest; values in units of :meth:`scale`."""
        n = max(part["first"].shape[2] for part in parts)

        def whole(name: str, over_items: bool) -> Tensor:
            arrays = [part[name].astype(np.float32) for part in parts]
            if over_items:
                arrays = [np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, n - a.shape[-1])]) for a in arrays]
            return torch.from_numpy(np.concatenate(arrays))

        data = {name: whole(name, True) for name in self.items} | {name: whole(name, False) for name in self.numbers}
        count = torch.from_numpy(np.concatenate([part["items"] for part in parts]).astype(np.int64))
        data["real"] = torch.arange(n) < count.unsqueeze(1)
        value = whole("value", False) / self.scale(data)[:, None, None]
        return Samples(data, whole("first", True), whole("scenario", True), value)

    def shape(self, name: str, samples: Samples) -> ValueConfig:
        return shape(name, self.scenario_width, self.columns_width)

    def config(self, facts: dict[str, Any]) -> ValueConfig:
        return ValueConfig(**facts)

    def network(self, config: Any, samples: Samples | None = None) -> ValueNetwork:
        if not isinstance(config, ValueConfig):
            raise UsageError("E201", f"a network for {self.kind} of another shape", expected="a ValueConfig")
        return ValueNetwork(config, self.kind)

    def predicted(self, network: Any, samples: Samples) -> Tensor:
        data = samples.data
        scenarios = self.scenario(data, samples.scenario)
        found: Tensor = network(samples.first, scenarios, self.columns(data), data["real"])
        return found.to(torch.float32)

    def described(self, samples: Samples) -> str:
        sizes = samples.data["real"].sum(dim=1)
        return f"{len(samples):,} instances of {self.kind} with {int(sizes.min())} to {int(sizes.max())} items"
