"""The theory: what is left of an orienteering tour is an instance of its own, and good tours teach what is best."""

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
from combopt.errors import InputError
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.solutions import Tour
from combopt.learned import labels
from combopt.learned.decoding import Decoded, Decoder, beam, best_of, greedy, repeated, sample
from combopt.learned.examples import Source
from combopt.learned.network import NetworkConfig, Policy, imitation_loss
from combopt.learned.problems import find
from combopt.learned.problems.base import Labels
from combopt.learned.problems.op import ROOM, RULES, OpProcess, OpState, distances, fresh
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer
from combopt.learned.weights import store
from combopt.solvers.bq import KINDS, OP_RULES, Bq
from tests.brute import op as brute
from tests.learned.conftest import CPU, TOY

ROLLOUTS = int(os.environ.get("COMBOPT_ROLLOUTS", "10000"))
PROCESS = OpProcess()
N = 9


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def roomy(count: int, n: int, seed: int = 0) -> OpState:
    """Instances whose limits allow a few nodes to nearly all."""
    state = PROCESS.uniform(n, count, dice(seed))
    share = 0.6 + torch.rand(count, generator=dice(seed + 1), dtype=torch.float64)
    return replace(state, left=(state.left * 1.4 * share).floor())


@pytest.fixture(scope="module")
def solved() -> Labels[OpState]:
    """256 instances of nine nodes with their best tours."""
    instances = roomy(256, N)
    codes = PROCESS.teach(instances)
    assert codes is not None
    return Labels(instances, codes)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """A policy with random weights, large enough for logits to differ clearly."""
    torch.manual_seed(3)
    policy = Policy(NetworkConfig(width=32, layers=2, heads=2, hidden=48), PROCESS)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return policy.eval().requires_grad_(False)


def random_rollout(state: OpState, seed: int) -> Decoded:
    """Any feasible action at each step."""
    draws, total = dice(seed), torch.zeros(len(state))
    codes = [torch.full((len(state),), -1)]
    while bool((open_ := PROCESS.feasible(state)).any()):
        going = open_.any(dim=1)
        action = (open_ * torch.rand(open_.shape, generator=draws)).argmax(dim=1)
        codes.append(torch.where(going, PROCESS.code(state, action), -1))
        state, cost = PROCESS.step(state, torch.where(going, action, -1))
        total += cost
    return Decoded(torch.stack(codes[1:] or codes, dim=1), total)


def filled_in_front(codes: Tensor, columns: int) -> Tensor:
    """Codes with their filling moved from behind to the front."""
    codes = torch.nn.functional.pad(codes, (0, columns - codes.shape[1]), value=-1)
    order = torch.where(codes >= 0, torch.arange(columns), -1).argsort(dim=1, stable=True)
    return codes.gather(1, order)


def by_node(policy: Policy, state: OpState) -> list[dict[int, float]]:
    """Logits of the nodes within reach, by number of the node."""
    logits, open_ = policy(PROCESS.tokens(state)), PROCESS.feasible(state)
    return [
        {int(v): float(x) for v, x, there in zip(*row, strict=True) if there}
        for row in zip(state.node, logits, open_, strict=True)
    ]


def same(one: list[dict[int, float]], two: list[dict[int, float]]) -> None:
    assert any(len(row) > 2 for row in one)
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, abs=2e-4)
    spread = sorted(max(row.values()) - min(row.values()) for row in one if len(row) > 1)
    assert spread[len(spread) // 2] > 1e-2  # the comparison would notice


def instance_of(state: OpState, row: int) -> Op:
    """A fresh closed instance, or a tail as an open path, of the project's own kind."""
    last = None if state.node[row, 0] == state.node[row, -1] else len(state.node[row]) - 1
    keep = slice(None) if last is not None else slice(-1)
    return Op(
        metric=Metric(rule="CEIL_2D", coordinates=state.points[row, keep].numpy()),
        prize=state.prize[row, keep].numpy().astype(np.int64),
        limit=float(state.left[row]),
        end=last,
    )


# --- states --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_tail_is_the_state_that_the_steps_reach(policy: Policy, solved: Labels[OpState], size: int) -> None:
    tail = PROCESS.tail(solved.instances, solved.codes, size)
    reached, done = solved.instances, solved.codes[:, : N - size]
    for column in done.unbind(1):
        match = reached.node == column.unsqueeze(1)
        match[:, 0] = match[:, -1] = False
        action = torch.where(column >= 0, match.to(torch.int64).argmax(dim=1), -1)
        reached, _ = PROCESS.step(reached, action)
    assert torch.equal(tail.left, reached.left)
    assert torch.equal(tail.node[:, [0, -1]], reached.node[:, [0, -1]])
    same(by_node(policy, tail), by_node(policy, reached))


def test_a_tail_is_an_instance_of_its_own(policy: Policy, solved: Labels[OpState]) -> None:
    """Where and how large it is drawn, the unit of prizes, and what is out of reach do not matter."""
    tail = PROCESS.tail(solved.instances, solved.codes, 2)
    out = ~tail.reachable
    out[:, 0] = out[:, -1] = False
    assert int(out.sum()) > 50
    points = torch.where(out.unsqueeze(2), tail.points.flip(1) + 5e6, tail.points)
    prize = torch.where(out, 77.0 * tail.prize + 100, 3.0 * tail.prize)
    drawn = replace(tail, points=0.5 * points + 1000, prize=prize, left=0.5 * tail.left)
    drawn = replace(drawn, rule=torch.tensor(RULES["EXACT_2D"], dtype=torch.float64).expand(len(tail), -1))
    drawn = replace(drawn, left=drawn.left + 2)  # no rounding, so nothing gets out of reach
    same(by_node(policy, tail), by_node(policy, drawn))
    longer = by_node(policy, replace(tail, left=1.1 * tail.left))
    moved = [max(abs(b[v] - x) for v, x in a.items()) for a, b in zip(by_node(policy, tail), longer, strict=True) if a]
    assert min(moved) > 1e-4


def test_the_order_of_tokens_does_not_matter(policy: Policy, solved: Labels[OpState]) -> None:
    inner = torch.rand(256, N, generator=dice(4)).argsort(dim=1) + 1
    order = torch.cat([torch.zeros(256, 1, dtype=torch.int64), inner, torch.full((256, 1), N + 1)], dim=1)
    same(by_node(policy, solved.instances), by_node(policy, solved.instances.at(order)))


def test_tails_tell_what_is_left_but_not_how_it_came(policy: Policy) -> None:
    """Two ways of the same length through the same nodes leave the same tail; another length leaves another."""
    points = torch.tensor([[0, 0], [10, 0], [0, 10], [10, 10], [30, 5], [-9, 20], [25, 25], [12, 9]]) * 1000
    instances = replace(fresh(points[None]), left=torch.tensor([100_000.0], dtype=torch.float64))
    # From (0, 0) by (10, 0) and (0, 10) to (10, 10), or by (0, 10) and (10, 0).
    ways = [torch.tensor([[*way, 4, 5]]) for way in ((1, 2, 3), (2, 1, 3), (3,))]
    tails = [PROCESS.tail(instances, codes, 2) for codes in ways]
    signs = [int(PROCESS.signature(tail)) for tail in tails]
    assert signs[0] == signs[1] != signs[2]
    same(by_node(policy, tails[0]), by_node(policy, tails[1]))


def test_distances_are_those_of_the_instance() -> None:
    assert set(OP_RULES) == set(RULES)
    dice_of = np.random.default_rng(3)
    for rule, numbers in RULES.items():
        points = dice_of.integers(0, 100, (60, 2)) / (1 if rule != "EXACT_2D" else 7)
        metric = Metric(rule=rule, coordinates=points)
        where = torch.from_numpy(points)
        found = distances(where.unsqueeze(1), where, torch.tensor(numbers, dtype=torch.float64))
        assert np.array_equal(found.numpy(), metric.full().astype(np.float64)), rule


@pytest.mark.parametrize("rule", OP_RULES)
def test_every_rollout_is_feasible(rule: str) -> None:
    """Judged by the instance itself; all of them without tolerance.  COMBOPT_ROLLOUTS=100000 for more of them."""
    points = np.random.default_rng(5).integers(0, 60, (12, 2)).astype(np.float64)
    prize = np.array([4, *range(1, 12)])
    for end, limit in ((None, 150), (11, 137.5), (None, 40), (3, 100)):
        instance = Op(metric=Metric(rule=rule, coordinates=points), prize=prize, limit=limit, end=end)
        state = PROCESS.start(instance)
        found = random_rollout(repeated(state, ROLLOUTS // 24), 1)
        assert torch.equal(found.cost.to(torch.float64), PROCESS.cost(repeated(state, len(found.cost)), found.codes))
        constant = int(prize[0]) + (0 if end is None else int(prize[end]))
        for row in {tuple(row) for row in found.codes.tolist()}:
            codes = np.array([v for v in row if v >= 0], dtype=np.int64)
            solution = PROCESS.solution(instance, codes)
            judged = instance.evaluate(solution)
            assert judged.feasible
            assert judged.objective == constant - float(PROCESS.cost(state, torch.tensor([row])))
            assert PROCESS.codes(instance, solution).tolist() == codes.tolist()
            # There is no action to stop: nothing with a prize could have been put at the end.
            for v in set(range(1, 12)) - {end, *codes.tolist()}:
                assert not instance.evaluate(PROCESS.solution(instance, np.append(codes, v))).feasible


def test_rollouts_of_a_batch_are_feasible_and_end_apart() -> None:
    instances = roomy(40, N, seed=2)
    found = random_rollout(repeated(instances, ROLLOUTS // 40), 3)
    owner = torch.arange(40).repeat_interleave(ROLLOUTS // 40)
    lengths = (found.codes >= 0).sum(dim=1)
    assert lengths.unique().numel() > 4
    for row in range(0, len(owner), 7):
        instance = instance_of(instances, int(owner[row]))
        judged = instance.evaluate(PROCESS.solution(instance, found.codes[row, : lengths[row]].numpy()))
        assert judged.feasible
        assert judged.objective == -float(found.cost[row])


def enumerated(state: OpState) -> float:
    """Most prize of all ways from a state to its end, step by step."""
    actions = PROCESS.feasible(state)[0].nonzero().flatten()
    if len(actions) == 0:
        return 0.0
    after, cost = PROCESS.step(state.take(torch.zeros(len(actions), dtype=torch.int64)), actions)
    return max(enumerated(after.take(torch.tensor([i]))) - float(c) for i, c in enumerate(cost))


def test_the_best_completion_of_a_state_is_that_of_brute_force() -> None:
    instances = roomy(8, 6, seed=6)
    codes = PROCESS.teach(instances)
    assert codes is not None
    for size in (1, 2, 6):
        tail = PROCESS.tail(instances, codes, size)
        for row in range(8):
            best = brute.best(instance_of(tail, row))
            assert enumerated(tail.take(torch.tensor([row]))) == best


def test_views() -> None:
    state = replace(PROCESS.uniform(40, 6, dice(11)), left=torch.linspace(5e5, 3e6, 6, dtype=torch.float64))
    assert PROCESS.view(state, 40) == (state, None)
    seen, tokens = PROCESS.view(state, 11)
    assert tokens is not None
    assert torch.equal(seen.node, state.node.gather(1, tokens))
    assert seen.node.shape == (6, 13)
    assert torch.equal(PROCESS.feasible(seen).any(dim=1), PROCESS.feasible(state).any(dim=1))
    assert torch.equal(PROCESS.feasible(seen), PROCESS.feasible(state).gather(1, tokens))
    row = 5  # all is within reach
    chosen = set(tokens[row, 1:-1].tolist())
    near = state.away[0][row, 1:-1].topk(6, largest=False).indices + 1
    assert set(near.tolist()) <= chosen
    others = [v for v in range(1, 41) if v not in near.tolist()]
    dear = sorted(others, key=lambda v: -float(state.prize[row, v]))[:5]
    assert sorted(state.prize[row, list(chosen - set(near.tolist()))]) == sorted(state.prize[row, dear])
    assert len(chosen) == 11
    one, _ = PROCESS.view(state, 1)
    assert torch.equal(PROCESS.feasible(one).any(dim=1), PROCESS.feasible(state).any(dim=1))


def test_degenerate_instances_have_finite_logits(policy: Policy) -> None:
    for points in (np.zeros((5, 2)), np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])):
        for limit in (0, 2, 10**9):
            instance = Op(metric=Metric(rule="EUC_2D", coordinates=points), prize=np.arange(len(points)), limit=limit)
            state = PROCESS.start(instance)
            assert bool(policy(PROCESS.tokens(state)).isfinite().all())
            found = greedy(Decoder(policy, PROCESS), state)
            assert found is not None
            everything = limit == 10**9 or not points.any()
            assert -float(found.cost) == (sum(range(len(points))) if everything else 0 if limit == 0 else 1)


# --- teachers ------------------------------------------------------------------------------------------------------


def test_the_teacher_finds_best_tours(solved: Labels[OpState]) -> None:
    cost = PROCESS.cost(solved.instances, solved.codes)
    lengths = []
    for row in range(40):
        codes = solved.codes[row][solved.codes[row] >= 0].numpy()
        instance = instance_of(solved.instances, row)
        judged = instance.evaluate(PROCESS.solution(instance, codes))
        assert judged.feasible
        assert judged.objective == -float(cost[row])
        lengths.append(len(codes))
        if len(codes) <= 5:  # the shortest way through these nodes
            ways = [instance.length(np.array([0, *way])) for way in itertools.permutations(codes)]
            assert instance.length(np.array([0, *codes])) == min(ways)
    small = roomy(20, 6, seed=8)
    codes_of = PROCESS.teach(small)
    assert codes_of is not None
    for row, worth in enumerate((-PROCESS.cost(small, codes_of)).tolist()):
        assert worth == brute.best(instance_of(small, row))
    assert len(set(lengths)) > 3
    assert PROCESS.teach(PROCESS.uniform(PROCESS.teaches + 1, 1, dice())) is None


def test_a_tour_that_is_rearranged_is_the_same_tour(solved: Labels[OpState]) -> None:
    other = PROCESS.rearrange(solved.instances, solved.codes, dice(7))
    turned = 0
    for one, two in zip(solved.codes.tolist(), other.tolist(), strict=True):
        a, b = [v for v in one if v >= 0], [v for v in two if v >= 0]
        assert two[: N - len(b)] == [-1] * (N - len(b))
        assert b in (a, a[::-1])
        turned += a != b
    assert 80 < turned < 176
    open_path = replace(solved.instances, node=solved.instances.node.clone())
    open_path.node[:, -1] = 99
    assert torch.equal(PROCESS.rearrange(open_path, solved.codes, dice(7)), solved.codes)


def test_the_teacher_of_a_tail_goes_on_along_the_tour(solved: Labels[OpState]) -> None:
    codes = PROCESS.rearrange(solved.instances, solved.codes, dice(8))
    for size in PROCESS.sizes(N):
        tail = PROCESS.tail(solved.instances, codes, size)
        assert tail.node.shape[1] in (N + 2, *range(ROOM, N + 2, ROOM))
        action = PROCESS.target(tail, codes[:, N - size :])
        left = codes[:, N - size :]
        first = left.gather(1, (left >= 0).to(torch.int64).argmax(dim=1, keepdim=True)).squeeze(1)
        assert torch.equal(first >= 0, action >= 0)
        assert torch.equal(PROCESS.code(tail, action.clamp_min(0))[action >= 0], first[action >= 0])
        assert bool(PROCESS.feasible(tail).gather(1, action.clamp_min(0).unsqueeze(1)).squeeze(1)[action >= 0].all())
    nothing = torch.full((256, N), -1)
    assert bool((PROCESS.target(PROCESS.tail(solved.instances, nothing, 3), nothing[:, :3]) == -1).all())


def test_a_step_out_of_reach_teaches_nothing(solved: Labels[OpState]) -> None:
    tight = replace(solved.instances, left=0.3 * solved.instances.left)
    action = PROCESS.target(tight, solved.codes)
    first = solved.codes.gather(1, (solved.codes >= 0).to(torch.int64).argmax(dim=1, keepdim=True))
    within = PROCESS.feasible(tight).gather(1, first.clamp_min(0)).squeeze(1) & (first.squeeze(1) >= 0)
    assert torch.equal(action >= 0, within)
    assert 0 < int(within.sum()) < 256


def test_symmetries_keep_what_is_best(solved: Labels[OpState]) -> None:
    tail = PROCESS.tail(solved.instances, solved.codes, 3)
    turned = PROCESS.symmetric(tail, dice(9))
    assert torch.equal(tail.away[0], turned.away[0])
    assert torch.equal(PROCESS.feasible(tail), PROCESS.feasible(turned))
    repeated_ = PROCESS.symmetric(tail.take(torch.zeros(200, dtype=torch.int64)), dice(10))
    assert len({tuple(row.flatten().tolist()) for row in repeated_.points - 0.0}) == 8


@pytest.mark.parametrize("view", [0, 4])
@pytest.mark.parametrize("buckets", [False, True])
def test_batches_have_losses(solved: Labels[OpState], policy: Policy, view: int, buckets: bool) -> None:
    source = Source(PROCESS, solved, 0, 300, buckets, view=view)
    sizes = source.sizes()[0]
    assert sizes == list(range(1, 1 + int((solved.codes >= 0).sum(dim=1).max())))
    for step in range(12):
        batch = source.batch(step)
        feasible = PROCESS.feasible(batch.state)
        loss = imitation_loss(policy(PROCESS.tokens(batch.state)), feasible, batch.target)
        assert bool(loss.isfinite().all())
        assert float(loss.sum()) > 0


# --- labels --------------------------------------------------------------------------------------------------------


def test_the_distribution_is_that_of_the_literature() -> None:
    state = PROCESS.uniform(100, 20, dice(1))
    assert state.left.tolist() == [4e6] * 20
    assert PROCESS.uniform(50, 1, dice()).left.tolist() == [3e6]
    assert PROCESS.uniform(20, 1, dice()).left.tolist() == [2e6]
    away = state.away[0]
    assert torch.equal(state.prize[:, 1:-1], 1 + (99 * away[:, 1:-1] / away.amax(dim=1, keepdim=True)).floor())
    assert bool((state.prize.amax(dim=1) == 100).all())
    assert bool((state.prize[:, [0, -1]] == 0).all())


def test_labels_in_files(tmp_path: Path) -> None:
    instances = PROCESS.chunk_instances(N, 40, 30)
    state = torch.cat([PROCESS.start(instance).left for instance in instances])
    taught = []
    for instance in instances:
        codes = PROCESS.teach(PROCESS.start(instance))
        assert codes is not None
        taught.append(codes[0][codes[0] >= 0].numpy())
    np.savez(tmp_path / "a.npz", chunk=np.array([40]), **PROCESS.chunk_arrays(N, 40, taught))
    found = labels.load(PROCESS, labels.read_files(tmp_path), N, CPU, held_out=False)
    assert found is not None
    assert found.codes.shape == (30, N)
    assert torch.equal(found.instances.left, state)
    for row, (instance, codes) in enumerate(zip(instances, taught, strict=True)):
        assert found.codes[row].tolist() == [-1] * (N - len(codes)) + codes.tolist()
        judged = instance.evaluate(PROCESS.solution(instance, codes))
        assert judged.feasible
        assert judged.objective == -float(PROCESS.cost(found.instances, found.codes)[row])
    assert int((found.codes >= 0).sum()) > 30


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ([[1, 1]], "visits a node twice"),
        ([[0, 12]], "none of its nodes"),
        ([list(range(1, 10))], "too long"),
        ([1, 2], "no array of routes"),
    ],
)
def test_bad_files(tmp_path: Path, route: list[object], words: str) -> None:
    coded = np.array(route, dtype=np.uint8)
    if coded.ndim == 2:
        coded = np.pad(coded, ((0, 0), (N - coded.shape[1], 0)))
    np.savez(tmp_path / "a.npz", chunk=np.array([40]), route=coded[None])
    with pytest.raises(InputError, match=words):
        labels.load(PROCESS, labels.read_files(tmp_path), N, CPU, held_out=False)


# --- a policy ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(solved: Labels[OpState], tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    plan = Plan(problem="op", size=N, network=TOY, steps=150, tokens=1024, warm_up=20, rate=3e-3, average=0.95)
    instances = roomy(512, N, seed=50)
    codes = PROCESS.teach(instances)
    assert codes is not None
    trainer = Trainer(plan, Labels(instances, codes.to(torch.int16)), solved)
    assert trainer.run(tmp_path_factory.mktemp("toy"))
    return trainer


def test_a_toy_learns(solved: Labels[OpState], trained: Trainer) -> None:
    assert find("op").kind == trained.network.kind == "op"
    best = -float(PROCESS.cost(solved.instances, solved.codes).mean())
    drawn = -float(random_rollout(solved.instances, 1).cost.mean())
    decoder = Decoder(trained.average, PROCESS)
    learned, wide = greedy(decoder, solved.instances), beam(decoder, solved.instances, 8)
    several = sample(decoder, repeated(solved.instances, 8), dice(2))
    assert learned is not None
    assert wide is not None
    assert several is not None
    assert trained.gap() == pytest.approx((best + float(learned.cost.mean())) / best, abs=1e-4)
    assert drawn < 0.8 * best
    assert -float(learned.cost.mean()) > 0.9 * best
    for found in (wide, best_of(several, 8)):
        assert -float(learned.cost.mean()) < -float(found.cost.mean()) <= best


def test_as_a_solver(trained: Trainer, tmp_path: Path) -> None:
    card = store.write(tmp_path, trained.average, {
        "name": "toy", "data": "", "seed": 0, "hours": 0.0, "hardware": "", "steps": 1, "samples": 1, "gaps": {},
        "licence": "Apache-2.0",
    })  # fmt: skip
    closed = Op.generate(np.random.default_rng(4), n=30)
    path = Op(metric=closed.metric, prize=closed.prize, limit=closed.limit, end=7, depot=3)
    for instance in (closed, path):
        assert instance.evaluate(KINDS["op"].first(instance)).feasible
        for decode in ("greedy", "beam", "reconstruct"):
            solver = Bq(weights=str(card), decode=decode, device="cpu", width=4, view=0 if decode == "beam" else 12)
            result = api.solve(instance, solver, time_limit=60, iterations=2, isolate=False, threads=1)
            assert result.solution is not None
            found = instance.evaluate(result.solution)
            assert found.feasible
            assert found.objective == result.objective > 0


def test_what_the_solver_refuses() -> None:
    points = np.random.default_rng(1).random((6, 2)) * 10
    prize = np.ones(6, dtype=np.int64)
    refuses = KINDS["op"].refuses
    geo = Op(metric=Metric(rule="GEO", coordinates=points), prize=prize, limit=5)
    assert "GEO" in str(refuses(geo))
    far = Op(metric=Metric(rule="EUC_2D", coordinates=points * 100), prize=prize, limit=5, end=2)
    assert "too far apart" in str(refuses(far))
    alone = Op(metric=Metric(rule="EUC_2D", coordinates=points[:1]), prize=prize[:1], limit=5)
    assert refuses(alone) is None
    assert KINDS["op"].settled(alone)
    first = KINDS["op"].first(alone)
    assert isinstance(first, Tour)
    assert first.order.tolist() == [0]
