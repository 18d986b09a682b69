"""The 0/1 knapsack problem as items that are taken one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from combopt.errors import InputError
from combopt.instances.knapsack import Knapsack
from combopt.instances.solutions import Selection
from combopt.learned.exact_knapsack import best_items
from combopt.learned.problems.base import Labels, Problem, State, Tokens
from combopt.learned.problems.tsp import scatter
from combopt.model import Instance, Ints, Solution

SCALE = 1000
"""Of the uniform instances: profits and weights are from 1 to 998, capacities are told in units of this."""


@dataclass(frozen=True)
class KnapsackState(State):
    """Items that can be taken, and the room for them.

    ``item: int64[B, T]``, the numbers of the items in the whole instance, ``profit`` and ``weight: int64[B, T]``,
    ``open: bool[B, T]``, false for items that were taken, and ``left: int64[B]``, what the knapsack still holds.
    Items stay where they are; those that were taken or no longer fit are no part of the tail.
    """

    item: Tensor
    profit: Tensor
    weight: Tensor
    open: Tensor
    left: Tensor

    @classmethod
    def fresh(cls, profit: Tensor, weight: Tensor, capacity: Tensor) -> KnapsackState:
        """Whole instances from ``int64[B, n]``, ``int64[B, n]`` and ``int64[B]``."""
        item = torch.arange(profit.shape[1], device=profit.device).expand(len(profit), -1)
        return cls(item, profit, weight, torch.ones_like(item, dtype=torch.bool), capacity)

    def at(self, tokens: Tensor, left: Tensor) -> KnapsackState:
        """The state whose tokens are the given ones, ``int64[B, t]``, with room for ``left``."""
        item, profit, weight = (column.gather(1, tokens) for column in (self.item, self.profit, self.weight))
        return KnapsackState(item, profit, weight, self.open.gather(1, tokens), left)

    @property
    def fits(self) -> Tensor:
        """``bool[B, T]``: what can be taken."""
        return self.open & (self.weight <= self.left.unsqueeze(1))


@dataclass(frozen=True)
class _Sorted:
    """The items that fit by profit per weight, the best first (Dantzig 1957), of equal ones the lightest, then others.

    ``order: int64[B, T]``, ``before: int64[B, T]``, the weight of each place and all before it, and
    ``broken: int64[B, 1]``, the first place where that is too much: the break item.
    """

    order: Tensor
    before: Tensor
    broken: Tensor

    @classmethod
    def of(cls, state: KnapsackState) -> _Sorted:
        fits = state.fits
        ratio = state.profit.to(torch.float64) / state.weight
        ratio = torch.where(state.profit > 0, ratio, 0.0).masked_fill(~fits, -1.0)
        by_weight = state.weight.argsort(dim=1)
        order = by_weight.gather(1, ratio.gather(1, by_weight).argsort(dim=1, descending=True, stable=True))
        before = torch.where(fits, state.weight, 0).gather(1, order).cumsum(dim=1)
        broken = (before <= state.left.unsqueeze(1)) & fits.gather(1, order)
        return cls(order, before, broken.sum(dim=1, keepdim=True))


class KnapsackProcess(Problem[KnapsackState]):
    """Items taken until no other fits; codes are the items, in any order."""

    kind = "knapsack"
    node_features = 10
    ends = False
    teaches = 1000

    # --- instances and solutions ---------------------------------------------------------------------------------

    def start(self, instance: Instance) -> KnapsackState:
        assert isinstance(instance, Knapsack)
        profit, weight = torch.from_numpy(instance.profit.copy()), torch.from_numpy(instance.weight.copy())
        return KnapsackState.fresh(profit[None], weight[None], torch.tensor([instance.capacity]))

    def solution(self, instance: Instance, codes: Ints) -> Solution:
        return Selection(codes)

    def codes(self, instance: Instance, solution: Solution) -> Ints:
        assert isinstance(solution, Selection)
        return solution.items

    def cost(self, instances: KnapsackState, codes: Tensor) -> Tensor:
        worth = instances.profit.gather(1, codes.clamp_min(0).to(torch.int64))
        return -torch.where(codes >= 0, worth, 0).sum(dim=1).to(torch.float64)

    # --- the process ---------------------------------------------------------------------------------------------

    def tokens(self, state: KnapsackState) -> Tokens:
        """Profits and weights in units of their means over the items that fit, the room in both its units.

        So neither the unit of profits nor that of weights and room matters.  Columns, with the items by profit per
        weight in mind: profit; weight; the share of the room; the logarithm of profit per weight, against the break
        item's; profit above what the weight would bring at the break item's ratio; whether the item is before the
        break; how many places away; the room that is left when all before the break are taken, against the item's
        weight and the mean; the logarithm of the whole room.
        """
        fits = state.fits
        number = fits.sum(dim=1, keepdim=True).clamp_min(1)

        def in_means(values: Tensor) -> tuple[Tensor, Tensor]:
            plain = torch.where(fits, values, 0).to(torch.float64)
            mean = plain.sum(dim=1, keepdim=True) / number
            mean = torch.where(mean > 0, mean, 1.0)
            return plain / mean, mean

        profit, _ = in_means(state.profit)
        weight, unit = in_means(state.weight)
        sorted_ = _Sorted.of(state)
        last = fits.sum(dim=1, keepdim=True) - 1
        at = sorted_.order.gather(1, sorted_.broken.minimum(last).clamp_min(0))
        break_profit, break_weight = profit.gather(1, at), weight.gather(1, at)
        ratio = torch.where(break_weight > 0, break_profit / break_weight.clamp_min(1e-9), 0.0)
        above = profit - ratio * weight
        steep = torch.log((profit + 1e-3) / (weight + 1e-3)) - torch.log((break_profit + 1e-3) / (break_weight + 1e-3))
        place = sorted_.order.argsort(dim=1) - sorted_.broken
        held = torch.where(sorted_.broken > 0, sorted_.before.gather(1, (sorted_.broken - 1).clamp_min(0)), 0)
        left = state.left.unsqueeze(1)
        gap = (left - held) / unit
        share = weight * unit / left.clamp_min(1)
        whole = torch.log1p(left / unit)
        columns = [
            profit, weight, share, steep, above, (place < 0).to(torch.float64), torch.asinh(place / 2.0),
            torch.asinh(gap - weight), gap.clamp(max=10.0).expand_as(weight), whole.expand_as(weight),
        ]  # fmt: skip
        nodes = torch.stack(columns, dim=-1).masked_fill(~fits.unsqueeze(-1), 0.0)
        return Tokens(nodes.to(torch.float32), None, fits)

    def feasible(self, state: KnapsackState) -> Tensor:
        return state.fits

    def step(self, state: KnapsackState, action: Tensor) -> tuple[KnapsackState, Tensor]:
        goes, at = action >= 0, action.clamp_min(0).unsqueeze(1)
        taken = torch.zeros_like(state.open).scatter(1, at, goes.unsqueeze(1))
        left = state.left - torch.where(goes, state.weight.gather(1, at).squeeze(1), 0)
        worth = torch.where(goes, state.profit.gather(1, at).squeeze(1), 0)
        after = KnapsackState(state.item, state.profit, state.weight, state.open & ~taken, left)
        return after, -worth.to(torch.float32)

    def code(self, state: KnapsackState, action: Tensor) -> Tensor:
        return state.item.gather(1, action.unsqueeze(1)).squeeze(1)

    def view(self, state: KnapsackState, k: int) -> tuple[KnapsackState, Tensor | None]:
        """The ``k`` items around the break item by profit per weight: the core (Balas and Zemel 1980).

        Items before the core are as good as taken, so the room is what these leave.  They come into view as the core
        is filled, for the break item is looked for again at each step.
        """
        if state.item.shape[1] <= k:
            return state, None
        sorted_ = _Sorted.of(state)
        number = state.fits.sum(dim=1, keepdim=True)
        first = (sorted_.broken - k // 2).minimum(number - k).clamp_min(0)
        first = first.minimum((sorted_.broken - 1).clamp_min(0))  # at least one that is before the break
        tokens = sorted_.order.gather(1, first + torch.arange(k, device=first.device))
        held = torch.where(first > 0, sorted_.before.gather(1, (first - 1).clamp_min(0)), 0).squeeze(1)
        return state.at(tokens, state.left - held), tokens

    def signature(self, state: KnapsackState) -> Tensor:
        return torch.where(state.open, scatter(state.item), 0).sum(dim=1)

    # --- solutions as teachers -----------------------------------------------------------------------------------

    def sizes(self, length: int) -> range:
        return range(1, length + 1)

    def room(self, instances: KnapsackState, size: int) -> int:
        return instances.item.shape[1]

    def rearrange(self, instances: KnapsackState, codes: Tensor, generator: torch.Generator) -> Tensor:
        keys = torch.rand(codes.shape, generator=generator, device=codes.device).masked_fill(codes < 0, -1.0)
        return codes.gather(1, keys.argsort(dim=1))

    def tail(self, instances: KnapsackState, codes: Tensor, size: int) -> KnapsackState:
        done = codes[:, : max(0, codes.shape[1] - size)].to(torch.int64)
        if not done.shape[1]:
            return instances
        taken = _marked(instances, done)
        left = instances.left - torch.where(taken, instances.weight, 0).sum(dim=1)
        return KnapsackState(instances.item, instances.profit, instances.weight, instances.open & ~taken, left)

    def target(self, state: KnapsackState, codes: Tensor) -> Tensor:
        """Any of the items that are still to be taken is as good as another: equal probabilities."""
        wanted = _marked(state, codes.to(torch.int64)).to(torch.float32)
        return wanted / wanted.sum(dim=1, keepdim=True).clamp_min(1.0)

    # --- labels --------------------------------------------------------------------------------------------------

    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[KnapsackState]:
        raise InputError("E118", "labels of knapsacks are made on the spot", expected="no label files")

    def uniform(self, size: int, count: int, generator: torch.Generator) -> KnapsackState:
        """Profits and weights of 1 to 998, evenly; a capacity of 250 for each item, 25,000 from 100 items on."""
        device = generator.device
        drawn = torch.randint(1, SCALE - 1, (2, count, size), generator=generator, device=device)
        capacity = min(size * SCALE // 4, 25 * SCALE)
        return KnapsackState.fresh(drawn[0], drawn[1], torch.full((count,), capacity, device=device))

    def teach(self, instances: KnapsackState) -> Tensor:
        return best_items(instances.profit, instances.weight, instances.left)


def _marked(state: KnapsackState, codes: Tensor) -> Tensor:
    """``bool[B, T]``: the items that codes name, in a state whose token i is item i."""
    marks = torch.zeros(state.item.shape, dtype=torch.int64, device=codes.device)
    return marks.scatter_add(1, codes.clamp_min(0), (codes >= 0).to(torch.int64)) > 0
