"""Value networks in numbers and in programs: what a main problem and an adversary need of them.

Both networks of :mod:`combopt.learned.value.network` offer the same: the value of a pair, the value in a program whose
binary columns are the first stage (a scenario given), and the value in one whose columns are the scenario.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from combopt.model import Floats
from combopt.solvers.robust.main import Growing
from combopt.solvers.robust.value_program import (
    Affine,
    Encoder,
    add_relu,
    beside,
    bias_of,
    mean_of_items,
    narrowed,
    plain,
)

if TYPE_CHECKING:
    from combopt.learned.value.network import ValueNetwork

Choices = list[tuple[list[int], Floats]]
"""Groups of binary columns, one for each item, and the entries ``float64[n]`` that scenarios have where they are 1."""


@dataclass(frozen=True)
class ValueModel(ABC):
    """A network and one instance: ``columns: float64[n, c]`` is what it sees of the items."""

    columns: Floats

    @abstractmethod
    def value(self, x: Floats, scenario: Floats) -> float:
        """The predicted value, in units of the instance's scale."""

    @abstractmethod
    def add_first(self, program: Growing, x: list[int], scenarios: list[Floats]) -> list[Affine]:
        """The values of the scenarios, one number each; ``x`` are the binary columns of the first stage."""

    @abstractmethod
    def add_scenario(self, program: Growing, x: Floats, choices: Choices, most: tuple[float, ...]) -> Affine:
        """The value of ``x``, one number; the scenario is what binary columns choose, each group so often at most."""

    @abstractmethod
    def add_anywhere(self, program: Growing, x: Floats, xi: list[int]) -> Affine:
        """The value of ``x``, one number; the scenario is in continuous columns from 0 to 1, one for each item."""


@dataclass(frozen=True)
class Joint(ValueModel):
    """The item map sees decision and scenario together."""

    pair: Encoder

    def _maps(self, x: Floats | float, scenario: Floats) -> Floats:
        return self.pair.items(beside(np.broadcast_to(x, len(scenario)), scenario, self.columns))

    def value(self, x: Floats, scenario: Floats) -> float:
        return float(self.pair.summary(beside(x, scenario, self.columns))[0])

    def add_first(self, program: Growing, x: list[int], scenarios: list[Floats]) -> list[Affine]:
        found = []
        for scenario in scenarios:
            means = mean_of_items(self._maps(0.0, scenario), [(x, self._maps(1.0, scenario))], (math.inf,))
            units = narrowed(self.pair.units(means), (math.inf,))
            found.append(self.pair.behind(add_relu(program, units)))
        return found

    def add_scenario(self, program: Growing, x: Floats, choices: Choices, most: tuple[float, ...]) -> Affine:
        maps = [(where, self._maps(x, entries)) for where, entries in choices]
        means = mean_of_items(self._maps(x, np.zeros(len(x))), maps, most)
        return self.pair.behind(add_relu(program, narrowed(self.pair.units(means), most)))

    def add_anywhere(self, program: Growing, x: Floats, xi: list[int]) -> Affine:
        return self.pair.behind(add_relu(program, self.pair.units(_inside(program, self.pair, x, self.columns, xi))))


@dataclass(frozen=True)
class Published(ValueModel):
    """First stage and scenario are summed up apart, and meet in the head."""

    first: Encoder
    scenario: Encoder
    head_first: Floats
    head_scenario: Floats
    head_bias: Floats
    head_out: Floats
    offset: float

    def _seen(self, scenario: Floats) -> Floats:
        found: Floats = self.head_scenario @ self.scenario.summary(beside(scenario, self.columns)) + self.head_bias
        return found

    def _chosen(self, x: Floats) -> Floats:
        found: Floats = self.head_first @ self.first.summary(beside(x, self.columns))
        return found

    def value(self, x: Floats, scenario: Floats) -> float:
        return float(self.head_out @ np.maximum(self._chosen(x) + self._seen(scenario), 0.0) + self.offset)

    def _head(self, program: Growing, units: Affine) -> Affine:
        return add_relu(program, units).through(self.head_out[None, :], self.offset)

    def add_first(self, program: Growing, x: list[int], scenarios: list[Floats]) -> list[Affine]:
        n = len(x)
        rest, taken = (self.first.items(beside(np.full(n, one), self.columns)) for one in (0.0, 1.0))
        means = mean_of_items(rest, [(x, taken)], (math.inf,))
        inner = add_relu(program, narrowed(self.first.units(means), (math.inf,)))
        chosen = self.first.behind(inner).through(self.head_first)
        return [self._head(program, chosen.shifted(self._seen(scenario))) for scenario in scenarios]

    def _under(self, program: Growing, x: Floats, units: Affine) -> Affine:
        summary = self.scenario.behind(add_relu(program, units))
        return self._head(program, summary.through(self.head_scenario, self.head_bias + self._chosen(x)))

    def add_scenario(self, program: Growing, x: Floats, choices: Choices, most: tuple[float, ...]) -> Affine:
        maps = [(where, self.scenario.items(beside(entries, self.columns))) for where, entries in choices]
        means = mean_of_items(self.scenario.items(beside(np.zeros(len(x)), self.columns)), maps, most)
        return self._under(program, x, narrowed(self.scenario.units(means), most))

    def add_anywhere(self, program: Growing, x: Floats, xi: list[int]) -> Affine:
        means = _inside(program, self.scenario, None, self.columns, xi)
        return self._under(program, x, self.scenario.units(means))


def model(network: ValueNetwork, columns: Floats) -> ValueModel:
    """The network, looking at items of these columns."""
    if network.config.joint:
        return Joint(columns, Encoder.of(network.pair))
    inner, outer = network.head[0], network.head[2]
    half = network.config.summary
    into = plain(inner.weight)
    return Published(
        columns, Encoder.of(network.first), Encoder.of(network.scenario), into[:, :half], into[:, half:],
        bias_of(inner), plain(outer.weight)[0], float(outer.bias),
    )  # fmt: skip


def _inside(program: Growing, encoder: Encoder, x: Floats | None, columns: Floats, xi: list[int]) -> Affine:
    """The mean of the item maps with the units of every item in the program: its scenario may be anything."""
    places: list[int] = []
    parts, low, high = [], np.zeros(len(encoder.item_out)), np.zeros(len(encoder.item_out))
    at = 0 if x is None else 1
    for i, place in enumerate(xi):
        fixed = columns[i] if x is None else np.append(x[i], columns[i])
        offset = np.delete(encoder.item_in, at, axis=1) @ fixed
        rise = encoder.item_in[:, at : at + 1]
        below, above = np.minimum(rise[:, 0], 0.0), np.maximum(rise[:, 0], 0.0)
        units = Affine([place], rise, offset, offset + below, offset + above)
        item = add_relu(program, units).through(encoder.item_out / len(xi))
        places += item.columns
        parts.append(item.matrix)
        low, high = low + item.lower, high + item.upper
    return Affine(places, np.hstack(parts), np.zeros(len(low)), low, high)
