"""The theory: what is left of a knapsack is an instance of its own, and good knapsacks teach what is best in it."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.knapsack import Knapsack
from combopt.instances.solutions import Selection
from combopt.learned import labels
from combopt.learned.decoding import Decoded, Decoder, beam, greedy, sample
from combopt.learned.exact_knapsack import best_items, best_selection
from combopt.learned.examples import Source
from combopt.learned.network import NetworkConfig, Policy, imitation_loss
from combopt.learned.problems import find
from combopt.learned.problems.base import Labels
from combopt.learned.problems.knapsack import KnapsackProcess, KnapsackState
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer
from combopt.learned.weights import store
from combopt.solvers.bq import KINDS, Bq
from tests.brute import knapsack as brute
from tests.learned.conftest import CPU, TOY

ROLLOUTS = int(os.environ.get("COMBOPT_ROLLOUTS", "10000"))
ITEMS = 20
PROCESS = KnapsackProcess()


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def solved() -> Labels[KnapsackState]:
    """200 best knapsacks of 20 items."""
    return labels.made(PROCESS, ITEMS, 200, 5, CPU)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """A policy with random weights, large enough for logits to differ clearly."""
    torch.manual_seed(3)
    policy = Policy(NetworkConfig(width=32, layers=2, heads=2, hidden=48), PROCESS)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return policy.eval()


def random_rollout(state: KnapsackState, seed: int) -> Decoded:
    """Anything that fits at each step, until nothing does."""
    draws, codes, total = dice(seed), [], torch.zeros(len(state))
    while bool(PROCESS.feasible(state).any()):
        open_ = PROCESS.feasible(state)
        action = (open_ * (0.01 + torch.rand(open_.shape, generator=draws))).argmax(dim=1)
        action = torch.where(open_.any(dim=1), action, -1)
        codes.append(torch.where(action >= 0, PROCESS.code(state, action.clamp_min(0)), -1))
        state, cost = PROCESS.step(state, action)
        total += cost
    return Decoded(torch.stack(codes, dim=1), total)


def in_front(codes: Tensor) -> Tensor:
    """Codes of decoders as codes of labels: -1 in front."""
    return codes.gather(1, (codes >= 0).to(torch.int8).argsort(dim=1, stable=True))


def logits(policy: Policy, state: KnapsackState) -> Tensor:
    return policy(PROCESS.tokens(state)).masked_fill(~PROCESS.feasible(state), 0.0)


def instance_of(state: KnapsackState, row: int) -> Knapsack:
    return Knapsack(profit=state.profit[row].numpy(), weight=state.weight[row].numpy(), capacity=int(state.left[row]))


# --- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 7, 30])
def test_the_tail_is_the_state_that_the_steps_reach(policy: Policy, size: int) -> None:
    instances = PROCESS.uniform(12, 40, dice(1))
    codes = in_front(random_rollout(instances, 2).codes)
    tail, state = PROCESS.tail(instances, codes, size), instances
    for step in range(max(0, codes.shape[1] - size)):
        state, _ = PROCESS.step(state, codes[:, step])
    assert torch.equal(tail.open, state.open)
    assert torch.equal(tail.left, state.left)
    assert torch.equal(logits(policy, tail), logits(policy, state))
    taken = (codes >= 0).sum(dim=1).clamp_max(size)
    assert torch.equal(12 - tail.open.sum(dim=1), (codes >= 0).sum(dim=1) - taken)


def test_a_tail_is_a_fresh_instance_of_what_still_fits_in_any_units(policy: Policy) -> None:
    instances = PROCESS.uniform(12, 60, dice(3))
    tail = PROCESS.tail(instances, in_front(random_rollout(instances, 4).codes), 4)
    dropped = 0
    for row in range(60):
        one = tail.take(torch.tensor([row]))
        real = one.fits[0]
        dropped += int((one.open[0] & ~real).sum())
        fresh = KnapsackState.fresh(7 * one.profit[:, real], 3 * one.weight[:, real], 3 * one.left)
        assert PROCESS.feasible(fresh).all()
        assert torch.allclose(logits(policy, one)[0, real], logits(policy, fresh)[0], atol=1e-3)
    assert dropped > 10
    scores = logits(policy, tail).detach()
    spread = max(float(row[fits].max() - row[fits].min()) for row, fits in zip(scores, tail.fits, strict=True))
    assert spread > 0.1  # the comparison would notice


def test_the_order_of_items_and_of_taking_does_not_matter(policy: Policy) -> None:
    instances = PROCESS.uniform(12, 60, dice(5))
    codes = in_front(random_rollout(instances, 6).codes)
    tail = PROCESS.tail(instances, codes, 3)
    order = torch.rand(60, 12, generator=dice(7)).argsort(dim=1)
    shuffled = tail.at(order, tail.left)
    assert torch.equal(PROCESS.feasible(tail).gather(1, order), PROCESS.feasible(shuffled))
    assert torch.allclose(logits(policy, tail).gather(1, order), logits(policy, shuffled), atol=2e-4)
    assert torch.equal(PROCESS.signature(tail), PROCESS.signature(shuffled))
    length = codes.shape[1]
    reversed_ = torch.cat([codes[:, : length - 3].flip(1), codes[:, length - 3 :]], dim=1)
    again = PROCESS.tail(instances, reversed_, 3)
    assert torch.equal(again.open, tail.open)
    assert torch.equal(PROCESS.signature(tail), PROCESS.signature(again))


def test_signatures_tell_tails_apart() -> None:
    instances = PROCESS.uniform(10, 1, dice(8)).take(torch.zeros(1024, dtype=torch.int64))
    subsets = (torch.arange(1024).unsqueeze(1) >> torch.arange(10)) & 1
    assert len(set(PROCESS.signature(replace(instances, open=subsets > 0)).tolist())) == 1024


def test_the_best_completion_of_a_state_is_that_of_brute_force() -> None:
    instances = PROCESS.uniform(9, 8, dice(9))
    codes = in_front(random_rollout(instances, 10).codes)
    for size in (2, 4, 20):
        tail = PROCESS.tail(instances, codes, size)
        for row in range(8):
            one = tail.take(torch.tensor([row]))
            rest = one.open[0]
            left = Knapsack(profit=one.profit[0, rest].numpy(), weight=one.weight[0, rest].numpy(),
                            capacity=int(one.left))  # fmt: skip
            assert -enumerated(one, {}) == brute.best(left)


def enumerated(state: KnapsackState, known: dict[int, float]) -> float:
    """Least cost of all ways from a state to its end, step by step; states that are the same tail are looked up."""
    key = int(PROCESS.signature(state))
    if key not in known:
        actions = PROCESS.feasible(state)[0].nonzero().flatten()
        known[key] = 0.0
        if len(actions):
            after, cost = PROCESS.step(state.take(torch.zeros(len(actions), dtype=torch.int64)), actions)
            rows = torch.arange(len(actions)).unsqueeze(1)
            known[key] = min(float(c) + enumerated(after.take(i), known) for c, i in zip(cost, rows, strict=True))
    return known[key]


def test_every_rollout_is_feasible_and_worth_what_the_instance_says() -> None:
    """10,000 random rollouts; COMBOPT_ROLLOUTS=100000 in the environment makes it 100,000 (some ten seconds)."""
    rng = np.random.default_rng(11)
    for instance in (*(brute.small(rng) for _ in range(20)), Knapsack.generate(rng, n=30, family="strongly")):
        count = ROLLOUTS // 20
        state = PROCESS.start(instance).take(torch.zeros(count, dtype=torch.int64))
        if not bool(PROCESS.feasible(state).any()):
            continue
        found = random_rollout(state, 12)
        assert torch.equal(PROCESS.cost(state, found.codes).to(torch.float32), found.cost)
        lengths = (found.codes >= 0).sum(dim=1, keepdim=True)
        assert torch.equal(found.codes >= 0, torch.arange(found.codes.shape[1]) < lengths)
        for codes, cost in zip(found.codes.numpy(), found.cost.tolist(), strict=True):
            solution = PROCESS.solution(instance, codes[codes >= 0])
            assert isinstance(solution, Selection)
            evaluation = instance.evaluate(solution)
            assert evaluation.feasible
            assert evaluation.objective == pytest.approx(-cost / instance.profit_scale)
            assert PROCESS.codes(instance, solution).tolist() == sorted(codes[codes >= 0].tolist())
            others = np.setdiff1d(np.arange(instance.items), codes)
            room = instance.capacity - instance.weight[codes[codes >= 0]].sum()
            assert (instance.weight[others] > room).all()  # nothing else fits


# --- solutions -------------------------------------------------------------------------------------------------------


def test_chosen_items_in_another_order_are_the_same(solved: Labels[KnapsackState]) -> None:
    codes = solved.codes.to(torch.int64)
    other = PROCESS.rearrange(solved.instances, codes, dice(7))
    assert torch.equal(codes.sort(dim=1).values, other.sort(dim=1).values)
    assert not torch.equal(codes, other)
    assert torch.equal(codes < 0, other < 0)
    assert torch.equal(PROCESS.cost(solved.instances, codes), PROCESS.cost(solved.instances, other))
    copies = torch.zeros(3000, dtype=torch.int64)
    last = PROCESS.rearrange(solved.instances.take(copies), codes[copies], dice(8))[:, -1]
    share = last.bincount(minlength=ITEMS)[codes[0][codes[0] >= 0]] / 3000
    assert share.tolist() == pytest.approx([1 / len(share)] * len(share), abs=0.03)


def test_any_item_still_to_be_taken_is_as_good_as_another(solved: Labels[KnapsackState]) -> None:
    codes = PROCESS.rearrange(solved.instances, solved.codes.to(torch.int64), dice(9))
    length = codes.shape[1]
    assert list(PROCESS.sizes(length)) == list(range(1, length + 1))
    for size in PROCESS.sizes(length):
        assert PROCESS.room(solved.instances, size) == ITEMS
        tail = PROCESS.tail(solved.instances, codes, size)
        target = PROCESS.target(tail, codes[:, length - size :])
        assert torch.allclose(target.sum(dim=1), torch.ones(200))
        assert bool((PROCESS.feasible(tail) | (target == 0)).all())
        for row in range(0, 200, 16):
            rest = [c for c in codes[row, length - size :].tolist() if c >= 0]
            assert target[row].nonzero().flatten().tolist() == sorted(rest)
            assert target[row, rest].tolist() == pytest.approx([1 / len(rest)] * len(rest))


def test_batches_of_buckets_have_tails_of_all_sizes(solved: Labels[KnapsackState]) -> None:
    plain, buckets = (Source(PROCESS, solved, seed=1, tokens=400, buckets=b).sizes()[0] for b in (False, True))
    assert plain == buckets == list(range(1, solved.codes.shape[1] + 1))


def test_views_are_the_core(policy: Policy) -> None:
    instances = PROCESS.uniform(60, 200, dice(11))
    instances = replace(instances, left=torch.randint(200, 30_000, (200,), generator=dice(12)))
    assert PROCESS.view(instances, 60) == (instances, None)
    for k in (1, 2, 9, 30):
        seen, tokens = PROCESS.view(instances, k)
        assert tokens is not None
        assert seen.item.shape == tokens.shape == (200, k)
        for row in range(200):
            profit, weight, left = (c[row].tolist() for c in (instances.profit, instances.weight, instances.left))
            ranked = sorted((-profit[i] / weight[i], weight[i], i) for i in range(60) if weight[i] <= left)
            order = [i for _, _, i in ranked]
            total = np.cumsum([weight[i] for i in order])
            broken = int((total <= left).sum())
            shown = [i for i, w in zip(tokens[row].tolist(), seen.weight[row].tolist(), strict=True) if w <= left]
            at = order.index(shown[0])
            assert order[at : at + len(shown)] == shown
            assert len(shown) == min(k, len(order))
            assert at < max(1, broken) <= at + max(1, k)
            assert int(seen.left[row]) == left - sum(weight[i] for i in order[:at])
            if k == 9 and broken - 5 > 0 and broken + 5 < len(order):
                assert at == broken - 4
        assert torch.equal(PROCESS.feasible(seen).any(dim=1), PROCESS.feasible(instances).any(dim=1))
        assert bool((PROCESS.feasible(instances).gather(1, tokens) | ~PROCESS.feasible(seen)).all())
    for decode in (greedy, lambda d, s: beam(d, s, 3)):
        found = decode(Decoder(policy, PROCESS, view=6), instances)
        assert found is not None
        for row in range(0, 200, 10):
            codes = found.codes[row][found.codes[row] >= 0].numpy()
            evaluation = instance_of(instances, row).evaluate(Selection(codes))
            assert evaluation.feasible
            assert evaluation.objective == -float(found.cost[row])
        left = instances.left - torch.where(found.codes >= 0, instances.weight.gather(1, found.codes.clamp_min(0)), 0
                                            ).sum(dim=1)  # fmt: skip
        outside = torch.ones(200, 61).scatter(1, torch.where(found.codes >= 0, found.codes, 60), 0.0)[:, :60] > 0
        assert bool((instances.weight > left.unsqueeze(1))[outside].all())  # nothing else fits


def test_degenerate_instances_have_finite_logits(policy: Policy) -> None:
    for profit, weight, capacity in (
        ([0, 0, 0], [0, 0, 0], 0),
        ([0, 5, 0], [3, 0, 9], 5),
        ([1, 2, 3], [7, 7, 7], 5),
        ([2**59, 2**59, 1], [2**59, 2**58, 1], 2**59),
        ([4, 4, 4, 4], [2, 2, 2, 2], 5),
    ):
        instance = Knapsack(profit=np.array(profit), weight=np.array(weight), capacity=capacity)
        state = PROCESS.start(instance)
        assert bool(policy(PROCESS.tokens(state)).isfinite().all())
        for view in (0, 2):
            found = greedy(Decoder(policy, PROCESS, view), state)
            assert found is not None
            codes = found.codes[0][found.codes[0] >= 0].numpy()
            assert instance.evaluate(PROCESS.solution(instance, codes)).feasible


# --- labels ----------------------------------------------------------------------------------------------------------


def test_the_teacher_finds_the_best_knapsacks() -> None:
    rng = np.random.default_rng(13)
    for number in range(150):
        n = int(rng.integers(1, 11))
        high = (12, 1000)[number % 2]
        profit, weight = rng.integers(1, high, (2, n))
        if number % 3 == 0:
            profit = weight + 2  # many items are nearly alike
        instance = Knapsack(profit=profit, weight=weight, capacity=int(rng.integers(0, weight.sum() + 2)))
        items = best_selection(profit, weight, instance.capacity)
        evaluation = instance.evaluate(Selection(items))
        assert evaluation.feasible
        assert evaluation.objective == brute.best(instance)
        assert len(set(items.tolist())) == len(items)


def test_large_knapsacks_have_no_better_exchange() -> None:
    """Against the recursion over the room alone, which fixes nothing before."""
    instances = PROCESS.uniform(60, 5, dice(14))
    found = -PROCESS.cost(instances, best_items(instances.profit, instances.weight, instances.left))
    for row in range(5):
        best = np.zeros(int(instances.left[row]) + 1, dtype=np.int64)
        for p, w in zip(instances.profit[row].tolist(), instances.weight[row].tolist(), strict=True):
            best[w:] = np.maximum(best[w:], best[:-w] + p)
        assert best[-1] == found[row]


def test_labels_are_made_on_the_spot() -> None:
    made = labels.made(PROCESS, 100, 3, 0, CPU)
    assert bool(((made.instances.profit >= 1) & (made.instances.weight <= 998)).all())
    assert made.instances.left.tolist() == [25_000] * 3
    assert PROCESS.uniform(50, 2, dice()).left.tolist() == [12_500] * 2
    assert PROCESS.uniform(500, 1, dice()).left.tolist() == [25_000]
    assert bool(((made.codes[:, 1:] >= 0) | (made.codes[:, :-1] < 0)).all())  # -1 in front alone
    with pytest.raises(UsageError, match="at most 1000"):
        labels.made(PROCESS, 1001, 1, 0, CPU)
    with pytest.raises(InputError, match="on the spot"):
        PROCESS.chunk({}, 0, CPU)
    with pytest.raises(UsageError, match="no label files of knapsack"):
        PROCESS.chunk_instances(10, 10, 1)


# --- learning --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(solved: Labels[KnapsackState], tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    plan = Plan(problem="knapsack", size=ITEMS, network=TOY, steps=150, tokens=1024, warm_up=20, rate=3e-3,
                average=0.95)  # fmt: skip
    trainer = Trainer(plan, labels.made(PROCESS, ITEMS, 1024, 0, CPU), solved)
    assert trainer.run(tmp_path_factory.mktemp("toy"))
    return trainer


def test_a_toy_learns(solved: Labels[KnapsackState], trained: Trainer) -> None:
    assert find("knapsack").kind == trained.network.kind == "knapsack"
    best = float(PROCESS.cost(solved.instances, solved.codes).mean())
    torch.manual_seed(0)
    fresh = Policy(TOY, PROCESS)
    learned, untrained = (greedy(Decoder(p, PROCESS), solved.instances) for p in (trained.average, fresh))
    assert learned is not None
    assert untrained is not None
    drawn = random_rollout(solved.instances, 1)
    plain = [instance_of(solved.instances, row) for row in range(200)]
    dantzig = sum(float(one.evaluate(KINDS["knapsack"].first(one)).objective) for one in plain) / 200
    assert float(learned.cost.mean()) / best > 0.99
    assert -float(learned.cost.mean()) > dantzig
    assert float(learned.cost.mean()) < float(untrained.cost.mean()) + 0.05 * best
    assert float(learned.cost.mean()) < float(drawn.cost.mean()) + 0.15 * best
    wide = beam(Decoder(trained.average, PROCESS), solved.instances, 4)
    assert wide is not None
    assert float(wide.cost.mean()) / best > 0.998
    assert bool((wide.cost.to(torch.float64) >= PROCESS.cost(solved.instances, solved.codes)).all())
    several = sample(Decoder(trained.average, PROCESS), solved.instances, dice(2))
    assert several is not None
    assert float(drawn.cost.mean()) > float(several.cost.mean()) > best


def test_examples_of_a_view(solved: Labels[KnapsackState], trained: Trainer) -> None:
    process, hidden = find("knapsack"), 0
    source = Source(process, solved, seed=1, tokens=300, buckets=False, view=8)
    for step in range(30):
        batch = source.batch(step)
        assert batch.tokens == 8
        feasible = process.feasible(batch.state)
        hidden += int((batch.target.sum(dim=1) == 0).sum())
        loss = imitation_loss(trained.network(process.tokens(batch.state)), feasible, batch.target)
        assert bool(loss.isfinite().all())
        assert bool((feasible | (batch.target == 0)).all())
    assert hidden < 300


def test_the_solver_answers(trained: Trainer, tmp_path: Path) -> None:
    facts = {"name": "toy", "data": "", "seed": 0, "hours": 0, "hardware": "", "steps": 0, "samples": 0, "gaps": {},
             "licence": ""}  # fmt: skip
    card = str(store.write(tmp_path, trained.average, facts))
    instance = Knapsack.generate(np.random.default_rng(4), n=10, family="uncorrelated")
    for decode in ("greedy", "beam", "sample", "reconstruct"):
        solver = Bq(weights=card, decode=decode)
        result = api.solve(instance, solver, isolate=False, time_limit=10, threads=1, iterations=10)
        assert result.solution is not None
        assert instance.evaluate(result.solution).feasible
        assert float(result.objective or 0) >= instance.evaluate(KINDS["knapsack"].first(instance)).objective
    assert result.objective == brute.best(instance)
    everything = replace(instance, capacity=int(instance.weight.sum()))
    assert KINDS["knapsack"].settled(everything)
    assert not KINDS["knapsack"].settled(instance)
    assert list(itertools.chain(PROCESS.codes(everything, KINDS["knapsack"].first(everything)))) == list(range(10))
