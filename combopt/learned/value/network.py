"""The value network of Neur2RO: first stage and scenario as sets, each summed up in a few numbers.

Dumouchelle, Julien, Kurtz and Khalil, *Neur2RO: neural two-stage robust optimization*, ICLR 2024, section 4.1.  First
stage and scenario meet in the small head alone, so that inside a mixed-integer program another scenario costs no more
than the units of the head.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from combopt.errors import InputError


@dataclass(frozen=True)
class ValueConfig:
    """Shape of the network; the defaults are those published for the knapsack.

    Parameters
    ----------
    first, scenario
        Columns that an item has on either side.
    hidden, item
        Units and outputs of the map of one item.
    gathered, summary
        Units and outputs of the map of the mean over all items.
    head
        Units of the head.
    """

    first: int
    scenario: int
    hidden: int = 32
    item: int = 16
    gathered: int = 64
    summary: int = 8
    head: int = 8

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise InputError("E114", f"value network: {name} = {value!r}", expected="a whole number, 1 or more")


class SetEncoder(nn.Module):  # type: ignore[misc]
    """A set of items as ``summary`` numbers (Zaheer et al. 2017, "Deep sets", theorem 2): an item map, the mean over
    the items, and a map of that; two linear maps with a ReLU between them each, without biases.

    The paper takes the sum; the mean of many items looks like that of few, so that one network serves all sizes.
    """

    def __init__(self, columns: int, config: ValueConfig) -> None:
        super().__init__()
        self.item = nn.Sequential(
            nn.Linear(columns, config.hidden, bias=False), nn.ReLU(), nn.Linear(config.hidden, config.item, bias=False)
        )
        self.gather = nn.Sequential(
            nn.Linear(config.item, config.gathered, bias=False),
            nn.ReLU(),
            nn.Linear(config.gathered, config.summary, bias=False),
        )

    def forward(self, items: Tensor, real: Tensor) -> Tensor:
        """``float32[..., summary]`` from ``float32[..., n, columns]``; ``real: bool[..., n]`` tells items from
        filling."""
        share = real.to(items.dtype)
        mean = (self.item(items) * share.unsqueeze(-1)).sum(dim=-2) / share.sum(dim=-1, keepdim=True).clamp_min(1.0)
        return self.gather(mean)


class ValueNetwork(nn.Module):  # type: ignore[misc]
    """The value of the second stage, in units of the instance's own scale.

    Parameters
    ----------
    config
        Its shape.
    kind
        Kind of the instances.
    """

    def __init__(self, config: ValueConfig, kind: str) -> None:
        super().__init__()
        self.config, self.kind = config, kind
        self.first = SetEncoder(config.first, config)
        self.scenario = SetEncoder(config.scenario, config)
        self.head = nn.Sequential(nn.Linear(2 * config.summary, config.head), nn.ReLU(), nn.Linear(config.head, 1))

    def forward(self, first: Tensor, scenarios: Tensor, real: Tensor) -> Tensor:
        """All pairs of first stages and scenarios, ``float32[B, F, S]``.

        Parameters
        ----------
        first, scenarios
            ``float32[B, F, n, columns]`` and ``float32[B, S, n, columns]``.
        real
            ``bool[B, n]``.
        """
        rows = real.unsqueeze(1)
        one, other = self.first(first, rows), self.scenario(scenarios, rows)
        count, options = one.shape[1], other.shape[1]
        pairs = torch.cat(
            [one.unsqueeze(2).expand(-1, -1, options, -1), other.unsqueeze(1).expand(-1, count, -1, -1)], dim=-1
        )
        return self.head(pairs).squeeze(-1)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters())
