"""Value networks for one problem: first stage and scenario as vectors of fixed lengths.

The form is that of Dumouchelle, Julien, Kurtz and Khalil (Neur2RO, ICLR 2024, section 4.1) without its maps of single
items: first stage and scenario are each summed up in a few numbers, and meet in a small head alone.  So another
scenario in a program costs no more than the units of the head.  Nothing is shared between columns, whence a network
serves one shape of problem.  Where several instances of the shape were seen, the numbers in which they differ are
inputs too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from combopt.errors import InputError
from combopt.learned.value.network import paired


@dataclass(frozen=True)
class FlatConfig:
    """Shape of a network, and what it is for.

    Parameters
    ----------
    first, scenario, recourse, rows
        First-stage columns, factors, recourse columns and second-stage rows of the instances.
    structure
        Hash of which entries the instances have.
    fixed
        Hash of the numbers that all instances seen have in common.
    numbers
        How many others there are.
    hidden, summary
        Units and outputs of the maps of first stage and scenario.
    head
        Units of the head.
    """

    first: int
    scenario: int
    recourse: int
    rows: int
    structure: str
    fixed: str
    numbers: int = 0
    hidden: int = 32
    summary: int = 16
    head: int = 16

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name in ("structure", "fixed"):
                if not isinstance(value, str):
                    raise InputError("E114", f"value network: {name} = {value!r}", expected="a text")
                continue
            least = 0 if name in ("recourse", "rows", "numbers") else 1
            if type(value) is not int or value < least:
                found = f"value network: {name} = {value!r}"
                raise InputError("E114", found, expected=f"a whole number, {least} or more")

    @property
    def size(self) -> tuple[int, int, int, int]:
        """First-stage columns, factors, recourse columns, rows."""
        return self.first, self.scenario, self.recourse, self.rows


class FlatNetwork(nn.Module):  # type: ignore[misc]
    """The value of the second stage, in units of money.

    Means and spreads of all inputs and of the values belong to the weights.

    Parameters
    ----------
    config
        Its shape.
    kind
        Kind of the instances.
    """

    def __init__(self, config: FlatConfig, kind: str) -> None:
        super().__init__()
        self.config, self.kind = config, kind
        self.first = _two_layers(config.first + config.numbers, config.hidden, config.summary)
        self.scenario = _two_layers(config.scenario + config.numbers, config.hidden, config.summary)
        self.head = _two_layers(2 * config.summary, config.head, 1)
        widths = {"first": config.first, "scenario": config.scenario, "numbers": config.numbers, "value": 1}
        for name, width in widths.items():
            self.register_buffer(f"{name}_mean", torch.zeros(width, dtype=torch.float32))
            self.register_buffer(f"{name}_spread", torch.ones(width, dtype=torch.float32))
        self.register_buffer("varying", torch.zeros(config.numbers, dtype=torch.float32))

    def fit(self, first: Tensor, scenario: Tensor, numbers: Tensor, value: Tensor, varying: Tensor) -> None:
        """Take over means and spreads; the arguments are those of :meth:`forward`, values without NaN.

        ``varying`` are the places of ``numbers`` among all numbers of an instance.
        """
        for name, found in (("first", first), ("scenario", scenario), ("numbers", numbers), ("value", value)):
            table = found.flatten(0, -2 if name != "value" else -1).to(torch.float64)
            table = table.reshape(len(table), -1)
            if not table.shape[1]:
                continue
            spread = table.std(dim=0, correction=0)
            getattr(self, f"{name}_mean").copy_(table.mean(dim=0))
            getattr(self, f"{name}_spread").copy_(torch.where(spread > 0, spread, torch.ones_like(spread)))
        self.varying.copy_(varying)

    def forward(self, first: Tensor, scenario: Tensor, numbers: Tensor) -> Tensor:
        """All pairs of first stages and scenarios, ``float32[B, F, S]``, from ``float32[B, F, n]``,
        ``float32[B, S, q]`` and ``float32[B, k]``."""
        seen = ((numbers - self.numbers_mean) / self.numbers_spread).unsqueeze(1)
        x, xi = (first - self.first_mean) / self.first_spread, (scenario - self.scenario_mean) / self.scenario_spread
        one = self.first(torch.cat([x, seen.expand(-1, x.shape[1], -1)], dim=-1))
        other = self.scenario(torch.cat([xi, seen.expand(-1, xi.shape[1], -1)], dim=-1))
        return self.value_mean + self.value_spread * self.head(paired(one, other)).squeeze(-1)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(p.numel() for p in self.parameters())


def _two_layers(inputs: int, units: int, outputs: int) -> Any:
    return nn.Sequential(nn.Linear(inputs, units), nn.ReLU(), nn.Linear(units, outputs))
