"""Decoders, examples and the loss on problems of other shapes than a tour: two ways to a node, rows that end apart."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from combopt.instances.solutions import Selection
from combopt.learned.decoding import Decoder, beam, best_of, greedy, repeated, sample
from combopt.learned.examples import Source
from combopt.learned.network import NetworkConfig, Policy, imitation_loss
from combopt.learned.problems.base import Labels, Problem, State, Tokens
from combopt.learned.problems.tsp import TspProcess, TspState
from combopt.model import Instance, Ints, Solution

SHAPE = NetworkConfig(width=32, layers=2, heads=2, hidden=48)


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True)
class Items(State):
    """Values and weights ``int64[B, T]``, which are open, and the capacity left, ``int64[B]``."""

    value: Tensor
    weight: Tensor
    open: Tensor
    left: Tensor


class ToyKnapsack(Problem[Items]):
    """Rows end when nothing fits; any chosen item is as good as another; tokens are masked, not removed."""

    kind = "toy"
    node_features = 3
    ends = False

    def start(self, instance: Instance) -> Items:
        raise NotImplementedError

    def solution(self, instance: Instance, codes: Ints) -> Solution:
        return Selection(codes)

    def codes(self, instance: Instance, solution: Solution) -> Ints:
        assert isinstance(solution, Selection)
        return solution.items

    def cost(self, instances: Items, codes: Tensor) -> Tensor:
        worth = instances.value.gather(1, codes.clamp_min(0)) * (codes >= 0)
        return -worth.sum(dim=1).to(torch.float64)

    def tokens(self, state: Items) -> Tokens:
        columns = [state.value, state.weight, state.left.unsqueeze(1).expand_as(state.value)]
        return Tokens(torch.stack(columns, dim=-1).to(torch.float32) / 20, None, state.open)

    def feasible(self, state: Items) -> Tensor:
        return state.open & (state.weight <= state.left.unsqueeze(1))

    def step(self, state: Items, action: Tensor) -> tuple[Items, Tensor]:
        goes, item = action >= 0, action.clamp_min(0).unsqueeze(1)
        shut = torch.zeros_like(state.open).scatter(1, item, goes.unsqueeze(1))
        left = state.left - torch.where(goes, state.weight.gather(1, item).squeeze(1), 0)
        worth = torch.where(goes, state.value.gather(1, item).squeeze(1), 0)
        return Items(state.value, state.weight, state.open & ~shut, left), -worth.to(torch.float32)

    def code(self, state: Items, action: Tensor) -> Tensor:
        return action

    def sizes(self, length: int) -> range:
        return range(1, length + 1)

    def room(self, instances: Items, size: int) -> int:
        return instances.value.shape[1]

    def rearrange(self, instances: Items, codes: Tensor, generator: torch.Generator) -> Tensor:
        keys = torch.rand(codes.shape, generator=generator).masked_fill(codes < 0, -1.0)
        return codes.gather(1, keys.argsort(dim=1))

    def tail(self, instances: Items, codes: Tensor, size: int) -> Items:
        state = instances
        for column in codes[:, : codes.shape[1] - size].unbind(1):
            state, _ = self.step(state, column)
        return state

    def target(self, state: Items, codes: Tensor) -> Tensor:
        wanted = torch.zeros(state.value.shape).scatter_add(1, codes.clamp_min(0), (codes >= 0).to(torch.float32))
        return wanted / wanted.sum(dim=1, keepdim=True)

    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[Items]:
        raise NotImplementedError

    def uniform(self, size: int, count: int, generator: torch.Generator) -> Items:
        value, weight = torch.randint(1, 20, (2, count, size), generator=generator)
        left = torch.randint(5, 15 * size // 2, (count,), generator=generator)
        return Items(value, weight, torch.ones(count, size, dtype=torch.bool), left)


class TwoWays(TspProcess):
    """A tour whose every step can go by the destination; codes are twice the node, plus one if so."""

    outputs = 2

    def feasible(self, state: TspState) -> Tensor:
        return super().feasible(state).repeat_interleave(2, dim=1)

    def step(self, state: TspState, action: Tensor) -> tuple[TspState, Tensor]:
        after, cost = super().step(state, action // 2)
        home = state.points[:, -1]
        by_home = (state.points[:, 0] - home).norm(dim=-1) + (home - after.points[:, 0]).norm(dim=-1)
        direct = (state.points[:, 0] - after.points[:, 0]).norm(dim=-1)
        return after, torch.where(action % 2 == 1, cost - direct + by_home, cost)

    def code(self, state: TspState, action: Tensor) -> Tensor:
        return 2 * super().code(state, action // 2) + action % 2


@pytest.fixture
def knapsack() -> tuple[ToyKnapsack, Decoder[Items], Items]:
    process = ToyKnapsack()
    torch.manual_seed(1)
    return process, Decoder(Policy(SHAPE, process), process), process.uniform(6, 40, dice())


def best_values(instances: Items) -> Tensor:
    subsets = torch.tensor(list(itertools.product((0, 1), repeat=6)))
    value, weight = instances.value @ subsets.T, instances.weight @ subsets.T
    return value.masked_fill(weight > instances.left.unsqueeze(1), 0).amax(dim=1).to(torch.float32)


def test_rows_that_end_apart(knapsack: tuple[ToyKnapsack, Decoder[Items], Items]) -> None:
    process, decoder, instances = knapsack
    several = sample(decoder, repeated(instances, 8), dice(3))
    assert several is not None
    for found in (greedy(decoder, instances), beam(decoder, instances, 4), best_of(several, 8)):
        assert found is not None
        assert torch.equal(process.cost(instances, found.codes).to(torch.float32), found.cost)
        lengths = (found.codes >= 0).sum(dim=1)
        assert lengths.unique().numel() > 2
        for row, length in zip(found.codes.tolist(), lengths.tolist(), strict=True):
            assert all(code >= 0 for code in row[:length])
            assert all(code < 0 for code in row[length:])
            assert len(set(row[:length])) == length
        taken = instances.weight.gather(1, found.codes.clamp_min(0)) * (found.codes >= 0)
        assert bool((taken.sum(dim=1) <= instances.left).all())
    plain, wide = greedy(decoder, instances), beam(decoder, instances, 4)
    assert plain is not None
    assert wide is not None
    assert bool((wide.cost <= plain.cost).all())


def test_a_beam_of_all_orders_is_exact(knapsack: tuple[ToyKnapsack, Decoder[Items], Items]) -> None:
    _, decoder, instances = knapsack
    wide = beam(decoder, instances, 800)
    assert wide is not None
    assert torch.equal(-wide.cost, best_values(instances))


def test_teachers_with_several_good_actions(knapsack: tuple[ToyKnapsack, Decoder[Items], Items]) -> None:
    process, decoder, instances = knapsack
    wide = beam(decoder, instances, 800)
    assert wide is not None
    length = wide.codes.shape[1]
    order = torch.where(wide.codes >= 0, torch.arange(length), -1).argsort(dim=1, stable=True)
    labels = Labels(instances, wide.codes.gather(1, order))  # the filling in front
    rows = (labels.codes >= 0).any(dim=1)
    source = Source(process, labels.take(rows), seed=0, tokens=200, buckets=False)
    for step in range(10):
        batch = source.batch(step)
        assert batch.tokens == 6
        assert torch.allclose(batch.target.sum(dim=1), torch.ones(len(batch)))
        feasible = process.feasible(batch.state)
        assert bool((feasible | (batch.target == 0)).all())
        loss = imitation_loss(decoder.policy(process.tokens(batch.state)), feasible, batch.target)
        assert bool(loss.isfinite().all())


@pytest.mark.parametrize("view", [0, 3])
def test_two_ways_to_a_node(view: int) -> None:
    process = TwoWays()
    torch.manual_seed(2)
    policy = Policy(SHAPE, process)
    with torch.no_grad():
        policy.adapter.score.weight.mul_(4)
    decoder = Decoder(policy, process, view)
    instances = process.uniform(8, 30, dice(5))
    plain, wide = greedy(decoder, instances), beam(decoder, instances, 6)
    for found in (plain, wide):
        assert found is not None
        nodes, ways = found.codes // 2, found.codes % 2
        assert torch.equal(nodes.sort(dim=1).values, torch.arange(1, 8).expand(30, 7))
        assert 0 < int(ways.sum()) < ways.numel()
        points = instances.points
        path = torch.cat([torch.zeros(30, 1, dtype=torch.int64), nodes], dim=1)
        for row in range(30):
            at, total = points[row, path[row]], 0.0
            for k in range(7):
                a, b, home = at[k], at[k + 1], points[row, 0]
                total += float((a - home).norm() + (home - b).norm()) if ways[row, k] else float((a - b).norm())
            assert total + float((at[7] - at[0]).norm()) == pytest.approx(float(found.cost[row]), abs=1e-4)
    assert plain is not None
    assert wide is not None
    assert bool((wide.cost <= plain.cost + 1e-5).all())


def test_probabilities_of_a_view(monkeypatch: pytest.MonkeyPatch, knapsack: tuple[ToyKnapsack, Any, Items]) -> None:
    process, _, instances = knapsack
    target = torch.zeros(40, 6)
    target[:, [1, 2]] = 0.5
    view = torch.tensor([[1, 4, 5], [0, 2, 1], [0, 3, 4], *[[0, 1, 2]] * 37])
    monkeypatch.setattr(process, "view", lambda state, k: (state, view))
    source = Source(process, Labels(instances, torch.zeros(40, 6)), 0, 1, False, view=3)
    _, found = source._seen(instances, target)
    assert found[:4].tolist() == [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 0], [0, 0.5, 0.5]]
