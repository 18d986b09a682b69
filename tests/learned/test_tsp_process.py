"""The theory: what is left of a tour is an instance of its own, and good tours teach what is best in it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from combopt.instances.metric import Metric
from combopt.instances.tsp import Tsp
from combopt.learned.network import Policy
from combopt.learned.problems.base import Labels
from combopt.learned.problems.tsp import TspProcess, TspState


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_tours(count: int, n: int, seed: int = 0) -> Tensor:
    return torch.rand(count, n, generator=dice(seed)).argsort(dim=1)


def walked(process: TspProcess, codes: Tensor, steps: int, state: TspState) -> TspState:
    """The states after the first ``steps`` codes behind the first node."""
    for step in range(1, steps + 1):
        action = (state.node[:, 1:-1] == codes[:, step : step + 1]).to(torch.int64).argmax(dim=1) + 1
        assert torch.equal(process.code(state, action), codes[:, step])
        state, _ = process.step(state, action)
    return state


def by_node(state: TspState, values: Tensor) -> list[dict[int, float]]:
    """Values of the nodes that can be visited, by number of the node."""
    return [
        dict(zip(nodes, row, strict=True))
        for nodes, row in zip(state.node[:, 1:-1].tolist(), values[:, 1:-1].tolist(), strict=True)
    ]


def from_first_node(process: TspProcess, instances: TspState, codes: Tensor) -> TspState:
    """The whole instances as paths from the first node of the codes to itself."""
    return process.tail(instances, codes, codes.shape[1] - 1)


@pytest.mark.parametrize("size", [2, 5, 8, 9])
def test_the_tail_is_the_state_that_the_steps_reach(
    process: TspProcess, solved: Labels[Any], policy: Policy, size: int
) -> None:
    instances = solved.instances.take(torch.arange(6))
    codes = random_tours(6, 10)
    tail = process.tail(instances, codes, size)
    reached = walked(process, codes, 9 - size, from_first_node(process, instances, codes))
    assert torch.equal(tail.node[:, [0, -1]], reached.node[:, [0, -1]])
    assert torch.equal(tail.node.sort(dim=1).values, reached.node.sort(dim=1).values)
    one, two = (by_node(state, policy(process.tokens(state))) for state in (tail, reached))
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    spread = [max(row.values()) - min(row.values()) for row in one]
    assert min(spread) > 1e-2  # the comparison would notice


def test_a_tail_and_the_path_drawn_elsewhere_at_another_scale_get_the_same_logits(
    process: TspProcess, solved: Labels[Any], policy: Policy
) -> None:
    tail = process.tail(solved.instances, random_tours(256, 10), 6)
    fresh = TspState(17.0 + 0.125 * tail.points, torch.arange(8).expand(256, 8))
    one, two = policy(process.tokens(tail)), policy(process.tokens(fresh))
    # In single precision the shift costs some digits of the coordinates.
    assert torch.allclose(one, two, atol=2e-3)


def test_the_prefix_does_not_matter(process: TspProcess, policy: Policy) -> None:
    """Two tours of the same nodes to the same last one, by different ways, leave the same tail."""
    instances = process.uniform(7, 1, dice(1))
    one, two = torch.tensor([[0, 1, 2, 3, 4, 5, 6]]), torch.tensor([[0, 2, 1, 3, 6, 4, 5]])
    tails = [process.tail(instances, codes, 3) for codes in (one, two)]
    assert process.signature(tails[0]).equal(process.signature(tails[1]))
    logits = [by_node(tail, policy(process.tokens(tail)))[0] for tail in tails]
    assert logits[0] == pytest.approx(logits[1], abs=1e-5)


def test_signatures_tell_tails_apart(process: TspProcess) -> None:
    instances = process.uniform(7, 1, dice(1)).take(torch.zeros(720, dtype=torch.int64))
    codes = torch.tensor([(0, *rest) for rest in itertools.permutations(range(1, 7))])
    for size in (2, 3, 4):
        signs = process.signature(process.tail(instances, codes, size)).tolist()
        tails = [(row[6 - size], frozenset(row[7 - size :])) for row in codes.tolist()]
        assert len(set(signs)) == len(set(tails))
        assert len(set(zip(signs, tails, strict=True))) == len(set(tails))


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_the_best_completion_of_a_state_is_that_of_brute_force(process: TspProcess, size: int) -> None:
    instances = process.uniform(6, 5, dice(2))
    codes = random_tours(5, 6, seed=4)
    tail = process.tail(instances, codes, size)
    for row in range(5):
        points = instances.points[row].to(torch.float64).numpy()
        origin, last = int(codes[row, 5 - size]), int(codes[row, 0])
        left = codes[row, 6 - size :].tolist()
        paths = [[origin, *middle, last] for middle in itertools.permutations(left)]
        best = min(sum(np.linalg.norm(points[a] - points[b]) for a, b in itertools.pairwise(p)) for p in paths)
        assert enumerated(process, tail.take(torch.tensor([row]))) == pytest.approx(best, abs=1e-5)


def enumerated(process: TspProcess, state: TspState) -> float:
    """Least cost of all ways from a state to its end, step by step."""
    actions = process.feasible(state)[0].nonzero().flatten()
    if len(actions) == 0:
        return 0.0
    after, cost = process.step(state.take(torch.zeros(len(actions), dtype=torch.int64)), actions)
    return min(float(c) + enumerated(process, after.take(torch.tensor([i]))) for i, c in enumerate(cost))


def test_every_rollout_is_a_tour(process: TspProcess) -> None:
    count, n = 100_000, 6
    instances = process.uniform(n, 50, dice(3)).take(torch.arange(count) % 50)
    state, codes, total = instances, [process.opening(instances)], torch.zeros(count)
    draws = dice(4)
    while bool(process.feasible(state).any()):
        odds = process.feasible(state).to(torch.float32) * torch.rand(count, state.node.shape[1], generator=draws)
        action = odds.argmax(dim=1)
        codes.append(process.code(state, action).unsqueeze(1))
        state, cost = process.step(state, action)
        total += cost
    tours = torch.cat(codes, dim=1)
    assert torch.equal(tours.sort(dim=1).values, torch.arange(n).expand(count, n))
    assert torch.allclose(total, process.cost(instances, tours).to(torch.float32), atol=1e-5)
    assert len({tuple(t) for t in tours.tolist()}) == 120  # all of them


def test_costs_are_those_of_the_instance(process: TspProcess) -> None:
    points = np.random.default_rng(1).random((12, 2)) * 1000 - 300
    instance = Tsp(metric=Metric(rule="EXACT_2D", coordinates=points))
    state = process.start(instance)
    codes = random_tours(1, 12)
    extent = (points.max(axis=0) - points.min(axis=0)).max()
    solution = process.solution(instance, codes[0].numpy())
    assert process.codes(instance, solution).tolist() == codes[0].tolist()
    length = instance.evaluate(solution).objective
    assert extent * float(process.cost(state, codes)) == pytest.approx(length, rel=1e-5)


def test_a_tour_that_is_rearranged_is_the_same_tour(process: TspProcess, solved: Labels[Any]) -> None:
    codes = solved.codes.to(torch.int64)
    other = process.rearrange(solved.instances, codes, dice(7))
    assert torch.allclose(process.cost(solved.instances, codes), process.cost(solved.instances, other), atol=1e-5)
    assert not torch.equal(codes, other)
    edges = [[{frozenset(e) for e in zip(t, t[1:] + t[:1], strict=True)} for t in c.tolist()] for c in (codes, other)]
    assert edges[0] == edges[1]
    assert int(other[:, 0].bincount(minlength=10).min()) > 5  # from anywhere
    at = (codes == other[:, :1]).to(torch.int64).argmax(dim=1, keepdim=True)
    forward = other[:, 1] == codes.roll(-1, 1).gather(1, at).squeeze(1)
    assert 80 < int(forward.sum()) < 176  # in both directions


def test_the_teacher_of_a_tail_goes_on_along_the_tour(process: TspProcess, solved: Labels[Any]) -> None:
    codes = process.rearrange(solved.instances, solved.codes.to(torch.int64), dice(8))
    for size in process.sizes(10):
        tail = process.tail(solved.instances, codes, size)
        action = process.target(tail, codes[:, 10 - size :])
        assert torch.equal(process.code(tail, action), codes[:, 10 - size])
    assert list(process.sizes(10)) == list(range(2, 10))
    whole = process.tail(solved.instances, codes, 9)
    assert torch.equal(whole.node[:, 0], whole.node[:, -1])  # the full tour is trained too


def test_symmetries_keep_distances_and_the_teacher(process: TspProcess, solved: Labels[Any]) -> None:
    tail = process.tail(solved.instances, solved.codes.to(torch.int64), 6)
    turned = process.symmetric(tail, dice(9))
    assert torch.equal(tail.node, turned.node)
    one, two = process.tokens(tail), process.tokens(turned)
    assert one.edges is not None
    assert two.edges is not None
    assert torch.allclose(one.edges, two.edges, atol=1e-4)
    shapes = {tuple(torch.round(row, decimals=3).flatten().tolist()) for row in
              process.symmetric(tail.take(torch.zeros(200, dtype=torch.int64)), dice(10)).points - 0.0}  # fmt: skip
    assert len(shapes) == 8


def test_views(process: TspProcess, policy: Policy) -> None:
    state = process.tail(process.uniform(30, 4, dice(11)), random_tours(4, 30), 20)
    assert process.view(state, 20) == (state, None)
    seen, tokens = process.view(state, 7)
    assert tokens is not None
    assert torch.equal(seen.node, state.node.gather(1, tokens))
    assert seen.node.shape == (4, 9)
    away = (state.points[:, 1:-1] - state.points[:, :1]).norm(dim=-1)
    assert torch.equal(
        (seen.points[:, 1:-1] - seen.points[:, :1]).norm(dim=-1).sort(dim=1).values, away.sort(dim=1).values[:, :7]
    )
    low, high = seen.points[:, :-1].amin(dim=1), seen.points[:, :-1].amax(dim=1)
    assert bool(((seen.points[:, -1] >= low) & (seen.points[:, -1] <= high)).all())


def test_pieces_stand_where_they_say(process: TspProcess) -> None:
    codes = random_tours(3, 23)
    for size in (2, 5, 11, 22):
        pieces = process.pieces(codes, size, 99, dice(size))
        assert pieces.rows.shape == (3, 23 // (size + 1), 23)
        for b in range(3):
            taken: set[int] = set()
            for p in range(pieces.rows.shape[1]):
                row, place = pieces.rows[b, p], pieces.place[b, p]
                assert torch.equal(row[23 - size :], codes[b, place])
                assert not taken & set(place.tolist())
                taken |= set(place.tolist())
                edges = [{frozenset(e) for e in zip(t, t[1:] + t[:1], strict=True)} for t in
                         (row.tolist(), codes[b].tolist())]  # fmt: skip
                assert edges[0] == edges[1]
    assert process.pieces(codes, 2, 3, dice()).rows.shape == (3, 3, 23)


def test_degenerate_instances_have_finite_logits(process: TspProcess, policy: Policy) -> None:
    for points in (np.zeros((5, 2)), np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])):
        state = process.start(Tsp(metric=Metric(rule="EUC_2D", coordinates=points)))
        assert bool(policy(process.tokens(state)).isfinite().all())
