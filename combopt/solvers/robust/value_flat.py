"""A flat value network in numbers and in programs, looking at one instance.

The units are exact big-M rows as in :mod:`.value_program`.  First stage and scenario may be any columns with finite
bounds, so the bounds of the first units are exact; those behind come from interval arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.model import Floats
from combopt.solvers.robust.main import Growing
from combopt.solvers.robust.value_program import Affine, add_relu, bias_of, plain

if TYPE_CHECKING:
    from combopt.learned.value.flat import FlatNetwork


@dataclass(frozen=True)
class Layers:
    """Two linear maps with a ReLU between them."""

    inner: Floats
    bias: Floats
    outer: Floats
    offset: Floats

    def __call__(self, table: Floats) -> Floats:
        """``float64[k, outputs]`` from ``float64[k, inputs]``."""
        found: Floats = np.maximum(table @ self.inner.T + self.bias, 0.0) @ self.outer.T + self.offset
        return found

    def add(self, program: Growing, before: Affine) -> Affine:
        """The same in a program."""
        return add_relu(program, before.through(self.inner, self.bias)).through(self.outer, self.offset)


@dataclass(frozen=True)
class Flat:
    """A network in the units of the instance: values are those of its second stage."""

    first: Layers
    scenario: Layers
    head: Layers

    @classmethod
    def of(cls, network: FlatNetwork, numbers: Floats) -> Flat:
        """The network for an instance with these numbers, ``float64[k]`` (those that vary)."""
        standard = (numbers - plain(network.numbers_mean)) / plain(network.numbers_spread)

        def encoder(layers: Any, name: str) -> Layers:
            """Units and means of the inputs, and what the numbers say, are put into the first map."""
            mean, spread = (plain(getattr(network, f"{name}_{what}")) for what in ("mean", "spread"))
            weight = plain(layers[0].weight)
            inner = weight[:, : len(mean)] / spread
            bias = bias_of(layers[0]) - inner @ mean + weight[:, len(mean) :] @ standard
            return Layers(inner, bias, plain(layers[2].weight), bias_of(layers[2]))

        unit, mean = float(network.value_spread[0]), float(network.value_mean[0])
        head = network.head
        out = Layers(
            plain(head[0].weight), bias_of(head[0]), unit * plain(head[2].weight), unit * bias_of(head[2]) + mean
        )
        return cls(encoder(network.first, "first"), encoder(network.scenario, "scenario"), out)

    def values(self, x: Floats, scenarios: Floats) -> Floats:
        """``float64[s]``: the predicted value of ``x: float64[n]`` in each of ``scenarios: float64[s, q]``."""
        other = self.scenario(scenarios)
        one = np.broadcast_to(self.first(x[None]), (len(other), self.first.outer.shape[0]))
        found: Floats = self.head(np.hstack([one, other]))[:, 0]
        return found

    def add_first(self, program: Growing, x: list[int], scenarios: list[Floats]) -> list[Affine]:
        """The values of the scenarios, one number each; ``x`` are the columns of the first stage."""
        half = self.first.outer.shape[0]
        chosen = self.first.add(program, columns_of(program, x)).through(self.head.inner[:, :half], self.head.bias)
        seen = self.scenario(np.array(scenarios)) @ self.head.inner[:, half:].T
        return [add_relu(program, chosen.shifted(s)).through(self.head.outer, self.head.offset) for s in seen]

    def add_scenario(self, program: Growing, x: Floats, xi: list[int]) -> Affine:
        """The value of ``x``, one number; ``xi`` are the columns of the scenario."""
        half = self.first.outer.shape[0]
        chosen = self.head.inner[:, :half] @ self.first(x[None])[0] + self.head.bias
        seen = self.scenario.add(program, columns_of(program, xi))
        return add_relu(program, seen.through(self.head.inner[:, half:], chosen)).through(
            self.head.outer, self.head.offset
        )


def columns_of(program: Growing, places: list[int]) -> Affine:
    """Columns of a program as numbers."""
    lower, upper = (np.array([side[k] for k in places]) for side in (program.lower, program.upper))
    return Affine(places, np.eye(len(places)), np.zeros(len(places)), lower, upper)
