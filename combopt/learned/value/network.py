"""Value networks: what the second stage is worth, from first stage and scenario as sets of items.

``published`` is that of Dumouchelle, Julien, Kurtz and Khalil, *Neur2RO: neural two-stage robust optimization*, ICLR
2024, section 4.1: first stage and scenario are each summed up in a few numbers and meet in a small head alone, so that
another scenario in a program costs no more than the units of the head.  It cannot tell *which* of the accepted items a
scenario hits.  ``joint`` can: the item map sees decision and scenario of its item together.  A scenario then costs the
units of the gathering map, of which there are few.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from combopt.errors import InputError, UsageError


@dataclass(frozen=True)
class ValueConfig:
    """Shape of a network.

    Parameters
    ----------
    scenario, columns
        Numbers that an item has of a scenario, and whatever happens.
    joint
        Whether the item map sees decision and scenario together.
    hidden, item
        Units and outputs of the map of one item.
    gathered, summary
        Units and outputs of the map of the mean over all items.
    head
        Units of the head; without meaning for a joint network, whose summary is the value.
    """

    scenario: int
    columns: int
    joint: bool = True
    hidden: int = 32
    item: int = 16
    gathered: int = 32
    summary: int = 1
    head: int = 8

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "joint" and (type(value) is not int or value < 1):
                raise InputError("E114", f"value network: {name} = {value!r}", expected="a whole number, 1 or more")
        if self.joint and self.summary != 1:
            raise InputError("E114", f"value network: summary = {self.summary}", expected="1 if it is joint")


SHAPES: dict[str, dict[str, Any]] = {"joint": {}, "published": {"joint": False, "gathered": 64, "summary": 8}}
"""By name: what differs from the defaults."""


def shape(name: str, scenario: int, columns: int) -> ValueConfig:
    """The shape called ``name``; UsageError E201 if there is none."""
    if name not in SHAPES:
        raise UsageError("E201", f"network {name!r}", expected=", ".join(SHAPES))
    return ValueConfig(scenario, columns, **SHAPES[name])


class SetEncoder(nn.Module):  # type: ignore[misc]
    """A set of items as ``summary`` numbers (Zaheer et al. 2017, "Deep sets", theorem 2): an item map, the mean over
    the items, and a map of that; two linear maps with a ReLU between them each, the first two without biases.

    The paper takes the sum; the mean of many items looks like that of few, so that one network serves all sizes.
    """

    def __init__(self, columns: int, config: ValueConfig) -> None:
        super().__init__()
        self.item = nn.Sequential(
            nn.Linear(columns, config.hidden, bias=False), nn.ReLU(), nn.Linear(config.hidden, config.item, bias=False)
        )
        self.gather = nn.Sequential(
            nn.Linear(config.item, config.gathered, bias=config.joint),
            nn.ReLU(),
            nn.Linear(config.gathered, config.summary, bias=config.joint),
        )

    def forward(self, items: Tensor, real: Tensor) -> Tensor:
        """``float32[..., summary]`` from ``float32[..., n, columns]``; ``real: bool[..., n]`` tells items from
        filling."""
        share = real.to(items.dtype)
        total = (self.item(items) * share.unsqueeze(-1)).sum(dim=-2)
        return self.gather(total / share.sum(dim=-1, keepdim=True).clamp_min(1.0))


def paired(one: Tensor, other: Tensor) -> Tensor:
    """``[B, F, S, a + b]``: every row of ``one: [B, F, a]`` beside every row of ``other: [B, S, b]``."""
    rows, columns = one.shape[1], other.shape[1]
    parts = [one.unsqueeze(2).expand(-1, -1, columns, -1), other.unsqueeze(1).expand(-1, rows, -1, -1)]
    return torch.cat(parts, dim=-1)


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
        if config.joint:
            self.pair = SetEncoder(1 + config.scenario + config.columns, config)
            return
        self.first = SetEncoder(1 + config.columns, config)
        self.scenario = SetEncoder(config.scenario + config.columns, config)
        self.head = nn.Sequential(nn.Linear(2 * config.summary, config.head), nn.ReLU(), nn.Linear(config.head, 1))

    def forward(self, x: Tensor, scenarios: Tensor, columns: Tensor, real: Tensor) -> Tensor:
        """All pairs of first stages and scenarios, ``float32[B, F, S]``.

        Parameters
        ----------
        x
            ``float32[B, F, n]``, 0 or 1.
        scenarios, columns
            ``float32[B, S, n, scenario]`` and ``float32[B, n, columns]``.
        real
            ``bool[B, n]``.
        """
        aside = columns.unsqueeze(1)
        under = torch.cat([scenarios, aside.expand(-1, scenarios.shape[1], -1, -1)], dim=-1)
        if self.config.joint:
            return self._joint(x, under, real)
        over = torch.cat([x.unsqueeze(-1), aside.expand(-1, x.shape[1], -1, -1)], dim=-1)
        one, other = self.first(over, real.unsqueeze(1)), self.scenario(under, real.unsqueeze(1))
        return self.head(paired(one, other)).squeeze(-1)

    def _joint(self, x: Tensor, under: Tensor, real: Tensor) -> Tensor:
        """The item map is needed twice for each scenario, not once for each pair: decisions are 0 or 1."""
        encoder, share = self.pair, real.to(x.dtype)
        off = encoder.item(torch.cat([torch.zeros_like(under[..., :1]), under], dim=-1)) * share[:, None, :, None]
        on = encoder.item(torch.cat([torch.ones_like(under[..., :1]), under], dim=-1)) * share[:, None, :, None]
        total = off.sum(dim=2).unsqueeze(1) + torch.einsum("bfn,bsnd->bfsd", x, on - off)
        return encoder.gather(total / share.sum(dim=1).clamp_min(1.0)[:, None, None, None]).squeeze(-1)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters())
