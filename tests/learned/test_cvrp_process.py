"""The theory: what is left of routes is an instance of its own, and good routes teach what is best in it."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from combopt import api
from combopt.errors import InputError
from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes
from combopt.learned import labels
from combopt.learned.decoding import Decoded, Decoder, beam, greedy, sample
from combopt.learned.examples import Source
from combopt.learned.network import NetworkConfig, Policy, imitation_loss
from combopt.learned.problems import find
from combopt.learned.problems.base import Labels
from combopt.learned.problems.cvrp import CvrpProcess, CvrpState, usual_capacity
from combopt.learned.reconstruct import Round, reconstruct
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer
from combopt.learned.weights import store
from combopt.solvers.bq import KINDS, Bq
from tests.brute import cvrp as brute
from tests.learned.conftest import CPU, TOY

ROLLOUTS = int(os.environ.get("COMBOPT_ROLLOUTS", "10000"))
CUSTOMERS = 8
PROCESS = CvrpProcess()


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def solved() -> Labels[CvrpState]:
    """256 instances of eight customers with their best routes."""
    return labels.made(PROCESS, CUSTOMERS, 256, 5, CPU)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """A policy with random weights, large enough for logits to differ clearly."""
    torch.manual_seed(3)
    policy = Policy(NetworkConfig(width=32, layers=2, heads=2, hidden=48), PROCESS)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return policy.eval()


def random_rollout(state: CvrpState, seed: int) -> Decoded:
    """Any feasible action at each step."""
    draws, codes, total = dice(seed), [], torch.zeros(len(state))
    while bool(PROCESS.feasible(state).any()):
        open_ = PROCESS.feasible(state)
        action = (open_ * torch.rand(open_.shape, generator=draws)).argmax(dim=1)
        codes.append(PROCESS.code(state, action))
        state, cost = PROCESS.step(state, action)
        total += cost
    return Decoded(torch.stack(codes, dim=1), total)


def random_codes(instances: CvrpState, seed: int = 0) -> Tensor:
    return random_rollout(instances, seed).codes


def routes_of(codes: Tensor) -> set[tuple[int, ...]]:
    """The routes behind codes, whatever their order and directions."""
    solution = PROCESS.solution(Cvrp.generate(np.random.default_rng(0), n=1), codes.numpy())
    assert isinstance(solution, Routes)
    return {min(route, route[::-1]) for route in solution.routes}


def by_node(state: CvrpState, values: Tensor) -> list[dict[int, tuple[float, ...]]]:
    """Both values of the customers, by number; minus infinity where that is not feasible."""
    values = values.masked_fill(~PROCESS.feasible(state), -torch.inf).unflatten(1, (-1, 2))
    rows = zip(state.node[:, 1:-1].tolist(), values[:, 1:-1].tolist(), strict=True)
    return [dict(zip(nodes, map(tuple, row), strict=True)) for nodes, row in rows]


def alike(one: list[dict[int, tuple[float, ...]]], two: list[dict[int, tuple[float, ...]]]) -> bool:
    return all(
        a.keys() == b.keys() and all(a[c] == pytest.approx(b[c], abs=2e-4) for c in a)
        for a, b in zip(one, two, strict=True)
    )


def instance_of(state: CvrpState, row: int) -> Cvrp:
    """The instance of the kind that a fresh state stands for."""
    points = state.points[row, :-1].to(torch.float64).numpy()
    return Cvrp(metric=Metric(rule="EXACT_2D", coordinates=points), demand=state.demand[row, :-1].numpy(),
                capacity=int(state.capacity[row]))  # fmt: skip


# --- states ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 7, 8])
def test_the_tail_is_the_state_that_the_steps_reach(policy: Policy, size: int) -> None:
    instances = PROCESS.uniform(8, 40, dice(1))
    codes = random_codes(instances)
    tail, state = PROCESS.tail(instances, codes, size), instances
    for step in range(8 - size):
        match = (state.node * 2 == codes[:, step : step + 1] // 2 * 2) & (state.node > 0)
        match[:, 0] = False
        action = 2 * match.to(torch.int64).argmax(dim=1) + codes[:, step] % 2
        assert torch.equal(PROCESS.code(state, action), codes[:, step])
        state, _ = PROCESS.step(state, action)
    assert torch.equal(tail.node[:, [0, -1]], state.node[:, [0, -1]])
    assert torch.equal(tail.left, state.left)
    assert torch.equal(tail.node[:, 1:-1], codes[:, 8 - size :] // 2)  # in the order of the codes
    one, two = (by_node(s, policy(PROCESS.tokens(s))) for s in (tail, state))
    assert alike(one, two)
    spread = [max(v[1] for v in row.values()) - min(v[1] for v in row.values()) for row in one]
    assert size == 1 or max(spread) > 1e-2  # the comparison would notice


def test_a_tail_drawn_elsewhere_at_other_scales_gets_the_same_logits(policy: Policy) -> None:
    instances = PROCESS.uniform(9, 100, dice(2))
    tail = PROCESS.tail(instances, random_codes(instances), 6)
    other = CvrpState(17.0 + 0.125 * tail.points, tail.node * 3, 7 * tail.demand, 7 * tail.left, 7 * tail.capacity)
    assert torch.equal(PROCESS.feasible(tail), PROCESS.feasible(other))
    assert torch.allclose(policy(PROCESS.tokens(tail)), policy(PROCESS.tokens(other)), atol=2e-3)


def test_behind_a_full_vehicle_stands_a_fresh_instance(policy: Policy) -> None:
    """Where nobody else fits, what is left reads as the instance of the customers that are left."""
    instances = PROCESS.uniform(9, 300, dice(2))
    instances = replace(instances, capacity=torch.full((300,), 10))
    tail = PROCESS.tail(instances, random_codes(instances), 5)
    full = ~tail.direct.any(dim=1)
    assert 20 < int(full.sum()) < 280
    tail = tail.take(full)
    points = torch.cat([tail.points[:, -1:], tail.points[:, 1:-1]], dim=1)
    fresh = CvrpState.fresh(points, tail.demand[:, 1:-1], tail.capacity)
    assert torch.equal(PROCESS.feasible(tail), PROCESS.feasible(fresh))
    one, two = policy(PROCESS.tokens(tail)), policy(PROCESS.tokens(fresh))
    assert torch.allclose(one, two, atol=1e-4)


def test_the_prefix_does_not_matter(policy: Policy) -> None:
    """The same customers served, the same last one, the same load on its route: the same tail."""
    instances = PROCESS.uniform(7, 1, dice(1))
    one = torch.tensor([[3, 4, 7, 8, 11, 12, 15]])  # 1-2, 3-4, then 5-6 and 7
    two = torch.tensor([[5, 2, 7, 8, 11, 12, 15]])  # 2-1, 3-4
    tails = [PROCESS.tail(instances, codes, 3) for codes in (one, two)]
    assert PROCESS.signature(tails[0]).equal(PROCESS.signature(tails[1]))
    assert alike(*[by_node(tail, policy(PROCESS.tokens(tail))) for tail in tails])


def test_signatures_tell_tails_apart() -> None:
    """Equal for equal sets, last customers and room, where that still matters; else different."""
    instances = PROCESS.uniform(6, 1, dice(3)).take(torch.zeros(6000, dtype=torch.int64))
    codes = random_codes(instances)
    for size in (2, 3, 4):
        tail = PROCESS.tail(instances, codes, size)
        room = torch.where(tail.direct.any(dim=1), tail.left, -1).tolist()
        rows = zip(tail.node.tolist(), room, strict=True)
        tails = [(node[0], frozenset(node[1:-1]), left) for node, left in rows]
        signs = PROCESS.signature(tail).tolist()
        assert len(set(tails)) > 20
        assert len(set(signs)) == len(set(tails)) == len(set(zip(signs, tails, strict=True)))


def test_the_order_of_customers_does_not_matter(policy: Policy) -> None:
    instances = PROCESS.uniform(8, 30, dice(4))
    tail = PROCESS.tail(instances, random_codes(instances), 6)
    shuffled = tail.at(torch.tensor([0, 4, 2, 6, 1, 5, 3, 7]).expand(30, -1), tail.left)
    one, two = (by_node(state, policy(PROCESS.tokens(state))) for state in (tail, shuffled))
    assert alike(one, two)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_best_completion_of_a_state_is_that_of_brute_force(size: int) -> None:
    instances = PROCESS.uniform(7, 6, dice(5))
    codes = random_codes(instances, 6)
    tail = PROCESS.tail(instances, codes, size)
    for row in range(6):
        one = tail.take(torch.tensor([row]))
        assert enumerated(one) == pytest.approx(best_by_hand(instances, codes, row, size), abs=1e-5)


def test_the_best_rollout_of_an_instance_is_its_optimum() -> None:
    for seed in range(3):
        instance = Cvrp.generate(np.random.default_rng(seed), n=4)
        points = instance.metric.coordinates
        assert points is not None
        best = brute.best(instance)
        assert best is not None
        assert np.ptp(points, axis=0).max() * enumerated(PROCESS.start(instance)) == pytest.approx(best, abs=1e-5)


def enumerated(state: CvrpState) -> float:
    """Least cost of all ways from a state to its end, step by step."""
    actions = PROCESS.feasible(state)[0].nonzero().flatten()
    if len(actions) == 0:
        return 0.0
    after, cost = PROCESS.step(state.take(torch.zeros(len(actions), dtype=torch.int64)), actions)
    return min(float(c) + enumerated(after.take(torch.tensor([i]))) for i, c in enumerate(cost))


def best_by_hand(instances: CvrpState, codes: Tensor, row: int, size: int) -> float:
    """The same from the definition: any order of the customers left, by the depot or not before each."""
    points = instances.points[row].to(torch.float64).numpy()
    demand, capacity = instances.demand[row].tolist(), int(instances.capacity[row])
    done = codes[row, : codes.shape[1] - size].tolist()
    route = done[max(i for i, c in enumerate(done) if c % 2) :]
    start, load = done[-1] // 2, sum(demand[c // 2] for c in route)
    best = np.inf
    for order in itertools.permutations((codes[row, codes.shape[1] - size :] // 2).tolist()):
        for ways in itertools.product((0, 1), repeat=size):
            place, room, length = start, capacity - load, 0.0
            for customer, by_depot in zip(order, ways, strict=True):
                for stop in (0, customer) if by_depot else (customer,):
                    length += float(np.linalg.norm(points[place] - points[stop]))
                    place = stop
                    room = capacity if stop == 0 else room - demand[stop]
                if room < 0:
                    break
            else:
                best = min(best, length + float(np.linalg.norm(points[place] - points[0])))
    return best


def test_every_rollout_is_feasible_and_costs_what_the_instance_says() -> None:
    """10,000 random rollouts; COMBOPT_ROLLOUTS=100000 in the environment makes it 100,000 (half a minute)."""
    kinds, n = 20, 9
    instances = PROCESS.uniform(n, kinds, dice(7))
    instances = replace(instances, capacity=torch.randint(9, 40, (kinds,), generator=dice(8)))
    several = instances.take(torch.arange(ROLLOUTS) % kinds)
    found = random_rollout(several, 9)
    assert torch.allclose(found.cost, PROCESS.cost(several, found.codes).to(torch.float32), atol=1e-4)
    whole = [instance_of(instances, row) for row in range(kinds)]
    used = set()
    for number, (codes, cost) in enumerate(zip(found.codes.numpy(), found.cost.tolist(), strict=True)):
        evaluation = whole[number % kinds].evaluate(PROCESS.solution(whole[0], codes))
        assert evaluation.feasible
        assert evaluation.objective == pytest.approx(cost, abs=1e-4)
        used.add(int((codes % 2).sum()))
    assert used >= set(range(3, n + 1))  # few routes and many


# --- solutions -------------------------------------------------------------------------------------------------------


def test_solutions_and_codes() -> None:
    instance = Cvrp.generate(np.random.default_rng(1), n=12, family="x")
    solution = KINDS["cvrp"].first(instance)
    codes = PROCESS.codes(instance, solution)
    assert PROCESS.solution(instance, codes) == solution
    points = instance.metric.coordinates
    assert points is not None
    exact = replace(instance, metric=Metric(rule="EXACT_2D", coordinates=points))
    cost = float(PROCESS.cost(PROCESS.start(exact), torch.from_numpy(codes)[None]))
    extent = (points.max(axis=0) - points.min(axis=0)).max()
    assert extent * cost == pytest.approx(exact.evaluate(solution).objective, rel=1e-5)
    with_empty = Routes(((), (2, 1), (), (3,)))
    assert PROCESS.codes(instance, with_empty).tolist() == [5, 2, 7]


def test_routes_that_are_rearranged_are_the_same_routes(solved: Labels[CvrpState]) -> None:
    codes, rows = solved.codes.to(torch.int64), torch.arange(256)
    other = PROCESS.rearrange(solved.instances, codes, dice(7))
    again = PROCESS.lined_up(solved.instances, codes, dice(8))
    for changed in (other, again):
        assert torch.allclose(PROCESS.cost(solved.instances, codes), PROCESS.cost(solved.instances, changed))
        assert not torch.equal(codes, changed)
        assert all(routes_of(codes[row]) == routes_of(changed[row]) for row in rows)
        assert bool((changed[:, 0] % 2 == 1).all())
    loads: list[list[int]] = []
    for row in other:
        solution = PROCESS.solution(instance_of(solved.instances, 0), row.numpy())
        assert isinstance(solution, Routes)
        number = len(loads)
        loads.append([int(solved.instances.demand[number, list(route)].sum()) for route in solution.routes])
    assert all(row[-1] == min(row) for row in loads)  # the slackest comes last
    assert any(row != sorted(row, reverse=True) for row in loads)
    copies = torch.zeros(400, dtype=torch.int64)
    many = PROCESS.rearrange(solved.instances.take(copies), codes[copies], dice(9))
    routes = routes_of(codes[0])
    ways = 2 ** sum(len(route) > 1 for route in routes)
    assert len({tuple(row) for row in many.tolist()}) >= ways  # all directions, whatever the order


def test_routes_that_are_lined_up_lie_side_by_side() -> None:
    angle = torch.linspace(0, 2 * torch.pi, 13)[:12]
    ring = torch.stack([angle.cos(), angle.sin()], dim=1)
    points = torch.cat([torch.zeros(1, 2), ring])[None]
    instances = CvrpState.fresh(points, torch.ones(1, 12, dtype=torch.int64), torch.tensor([2]))
    codes = torch.tensor([[3, 4, 11, 12, 19, 20, 7, 8, 15, 16, 23, 24]])
    for seed in range(10):
        found = PROCESS.lined_up(instances, codes, dice(seed))[0]
        routes = [(c // 2 - 1) // 2 for c in found[::2].tolist()]
        assert {(b - a) % 6 for a, b in itertools.pairwise(routes)} in ({1}, {5})


def test_the_teacher_of_a_tail_goes_on_along_the_route(solved: Labels[CvrpState]) -> None:
    codes = PROCESS.rearrange(solved.instances, solved.codes.to(torch.int64), dice(8))
    assert list(PROCESS.sizes(8)) == list(range(1, 9))
    seen = set()
    for size in PROCESS.sizes(8):
        tail = PROCESS.tail(solved.instances, codes, size)
        target = PROCESS.target(tail, codes[:, 8 - size :])
        assert torch.allclose(target.sum(dim=1), torch.ones(256))
        assert bool((PROCESS.feasible(tail) | (target == 0)).all())
        for row in range(256):
            rest = codes[row, 8 - size :].tolist()
            wanted: dict[int, float] = {}
            if rest[0] % 2 == 0:
                wanted[rest[0]] = 1.0
            else:
                solution = PROCESS.solution(instance_of(solved.instances, row), np.array(rest))
                assert isinstance(solution, Routes)
                routes = solution.routes[:-1] or solution.routes
                for route, end in itertools.product(routes, (0, -1)):
                    code = 2 * route[end] + 1
                    wanted[code] = wanted.get(code, 0.0) + 0.5 / len(routes)
            actions = target[row].nonzero().flatten()
            told = PROCESS.code(tail.take(torch.full((len(actions),), row)), actions).tolist()
            assert dict(zip(told, target[row, actions].tolist(), strict=True)) == pytest.approx(wanted)
            seen.add(len(wanted))
    assert seen >= {1, 2, 4}


def test_symmetries_keep_distances(solved: Labels[CvrpState]) -> None:
    tail = PROCESS.tail(solved.instances, solved.codes.to(torch.int64), 6)
    turned = PROCESS.symmetric(tail, dice(9))
    assert torch.equal(tail.node, turned.node)
    assert torch.equal(PROCESS.feasible(tail), PROCESS.feasible(turned))
    one, two = PROCESS.tokens(tail), PROCESS.tokens(turned)
    assert one.edges is not None
    assert two.edges is not None
    assert torch.allclose(one.edges, two.edges, atol=1e-4)
    assert torch.allclose(one.nodes[..., 6:], two.nodes[..., 6:], atol=1e-4)  # all but vectors
    shapes = PROCESS.symmetric(tail.take(torch.zeros(200, dtype=torch.int64)), dice(10)).points
    assert len({tuple(torch.round(row, decimals=3).flatten().tolist()) for row in shapes - 0.0}) == 8


def test_views(policy: Policy) -> None:
    instances = PROCESS.uniform(30, 40, dice(11))
    state = PROCESS.tail(instances, random_codes(instances), 20)
    assert PROCESS.view(state, 20) == (state, None)
    seen, tokens = PROCESS.view(state, 7)
    assert tokens is not None
    assert torch.equal(seen.node, state.node.gather(1, tokens))
    assert seen.node.shape == (40, 9)
    away, near = ((s.points[:, 1:-1] - s.points[:, :1]).norm(dim=-1).sort(dim=1).values for s in (state, seen))
    assert torch.equal(near, away[:, :7])
    whole = PROCESS.feasible(state).unflatten(1, (-1, 2)).gather(1, tokens.unsqueeze(2).expand(-1, -1, 2))
    assert torch.equal(PROCESS.feasible(seen), whole.flatten(1))
    low, high = seen.points[:, :-1].amin(dim=1), seen.points[:, :-1].amax(dim=1)
    side = (high - low).amax(dim=1, keepdim=True) + 1e-6
    assert bool(((seen.points[:, -1] >= low - side) & (seen.points[:, -1] <= high + side)).all())
    inside = ((state.points[:, -1] >= low - side) & (state.points[:, -1] <= high + side)).all(dim=1)
    assert torch.equal(seen.points[inside, -1], state.points[inside, -1])
    assert 0 < int(inside.sum()) < 40
    for decode in (greedy, lambda d, s: beam(d, s, 3)):
        found = decode(Decoder(policy, PROCESS, view=4), instances)
        assert found is not None
        assert torch.allclose(found.cost, PROCESS.cost(instances, found.codes).to(torch.float32), atol=1e-4)
        for row in range(40):
            instance = instance_of(instances, row)
            assert instance.evaluate(PROCESS.solution(instance, found.codes[row].numpy())).feasible


@pytest.mark.parametrize("size", [1, 3, 6, 13, 22, 40])
def test_pieces_can_be_built_again_all_at_once(size: int) -> None:
    """Whatever is built in the pieces, the whole stays feasible and its cost changes by what the pieces say."""
    instances = PROCESS.uniform(23, 3, dice(12))
    codes = PROCESS.lined_up(instances, random_codes(instances), dice(13))
    pieces = PROCESS.pieces(codes, size, 99, dice(14))
    count = pieces.rows.shape[1]
    size = min(size, 22)
    assert pieces.place.shape == (3, count, size)
    assert count >= (2 if size <= 6 else 1)
    new, change = pieces.base.clone(), torch.zeros(3, dtype=torch.float64)
    for p in range(count):
        rows, place = pieces.rows[:, p], pieces.place[:, p]
        assert torch.equal(rows[:, 23 - size :], pieces.base.gather(1, place))
        assert all(routes_of(rows[b]) == routes_of(codes[b]) for b in range(3))
        built = random_rollout(PROCESS.tail(instances, rows, size), 20 + p).codes
        again = torch.cat([rows[:, : 23 - size], built], dim=1)
        change += PROCESS.cost(instances, again) - PROCESS.cost(instances, rows)
        new.scatter_(1, place, built)
    for b in range(3):
        flat = pieces.place[b].flatten().tolist()
        assert len(set(flat)) == len(flat)
        assert 0 not in flat
        instance = instance_of(instances, b)
        assert instance.evaluate(PROCESS.solution(instance, new[b].numpy())).feasible
    assert not torch.equal(new, pieces.base) or size == 1
    assert torch.allclose(PROCESS.cost(instances, new), PROCESS.cost(instances, codes) + change, atol=1e-4)
    assert PROCESS.pieces(codes, 2, 3, dice()).rows.shape == (3, 3, 23)


def test_pieces_leave_the_first_customer_where_it_is() -> None:
    codes = torch.tensor([[3, 4, 7, 8, 10, 13]])
    found = {size: PROCESS.pieces(codes, size, 99, dice()).place[0].tolist() for size in range(1, 8)}
    assert found[1] == [[5], [1]]  # the route of three ends beside the last one
    assert found[2] == [[4, 5]]
    assert found[3] == [[3, 4, 5]]
    assert found[5] == found[6] == found[7] == [[1, 2, 3, 4, 5]]


def test_degenerate_instances_have_finite_logits(policy: Policy) -> None:
    line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    for points, demand, capacity in (
        (np.zeros((4, 2)), [0, 1, 2, 3], 4),
        (line, [0, 0, 0, 0], 0),
        (line, [0, 0, 5, 5], 5),
        (line[:2], [0, 2**53], 2**53),
    ):
        given = np.array(demand[: len(points)])
        instance = Cvrp(metric=Metric(rule="EUC_2D", coordinates=points), demand=given, capacity=capacity)
        state = PROCESS.start(instance)
        assert not bool(state.direct.any())  # a route begins by the depot, even to a customer who wants nothing
        assert bool(policy(PROCESS.tokens(state)).isfinite().all())
        found = greedy(Decoder(policy, PROCESS), state)
        assert found is not None
        assert instance.evaluate(PROCESS.solution(instance, found.codes[0].numpy())).feasible


# --- labels ----------------------------------------------------------------------------------------------------------


def test_the_teacher_finds_the_best_routes() -> None:
    instances = PROCESS.uniform(6, 12, dice(1))
    codes = PROCESS.teach(instances)
    assert codes is not None
    for row in range(12):
        instance = instance_of(instances, row)
        evaluation = instance.evaluate(PROCESS.solution(instance, codes[row].numpy()))
        assert evaluation.feasible
        assert evaluation.objective == pytest.approx(brute.best(instance), abs=1e-6)
    assert PROCESS.teach(PROCESS.uniform(11, 1, dice())) is None
    assert PROCESS.teaches == 10


def write(path: Path, n: int, chunk: int, count: int) -> Tensor:
    """A file with one chunk of savings routes; their codes."""
    instances = PROCESS.chunk_instances(n, chunk, count)
    codes = [PROCESS.codes(instance, KINDS["cvrp"].first(instance)) for instance in instances]
    arrays: dict[str, Any] = PROCESS.chunk_arrays(n, chunk, codes)
    np.savez(path, chunk=np.array([chunk], dtype=np.int32), **arrays)
    return torch.from_numpy(np.stack(codes))


def test_routes_survive_being_stored_as_ranks(tmp_path: Path) -> None:
    wanted = [write(tmp_path / f"{chunk}.npz", 20, chunk, 30) for chunk in (3, 40)]
    files = labels.read_files(tmp_path)
    held = labels.load(PROCESS, files, 20, CPU, held_out=True)
    train = labels.load(PROCESS, files, 20, CPU, held_out=False)
    assert held is not None
    assert train is not None
    assert torch.equal(held.codes.to(torch.int64), wanted[0])
    assert torch.equal(train.codes.to(torch.int64), wanted[1])
    generator = np.random.default_rng([20, 40])
    points = generator.integers(0, 10**6, (30, 21, 2))
    assert np.allclose(train.instances.points[:, :21].numpy(), points / 1e6)
    assert np.array_equal(train.instances.demand[:, 1:21].numpy(), generator.integers(1, 10, (30, 20)))
    for row, instance in enumerate(PROCESS.chunk_instances(20, 40, 30)):
        assert isinstance(instance, Cvrp)
        assert instance.evaluate(PROCESS.solution(instance, wanted[1][row].numpy())).feasible
        cost = 1e6 * float(PROCESS.cost(train.instances, train.codes)[row])
        assert cost == pytest.approx(
            float(instance.evaluate(PROCESS.solution(instance, wanted[1][row].numpy())).objective), abs=20
        )
    assert labels.load(PROCESS, files, 19, CPU, held_out=False) is None
    stored = np.load(tmp_path / "40.npz")
    assert (stored["visit"] == 0).mean() > 0.5
    assert stored["begin"].shape == (1, 30, 3)
    assert stored["capacity"].tolist() == [usual_capacity(20)] == [30]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"visit": None}, "E118", "no arrays of routes"),
        ({"begin": np.zeros((1, 5, 2), dtype=np.uint8)}, "E115", "one bit for each"),
        ({"begin": np.zeros((1, 5, 3), dtype=np.uint8)}, "E120", "do not serve"),
        ({"begin": np.full((1, 5, 3), 128, dtype=np.uint8)}, "E120", "above the capacity 30"),
        ({"visit": np.full((1, 5, 20), 99, dtype=np.uint8)}, "E120", "do not serve"),
        ({"capacity": np.array([10])}, "E120", "above the capacity 10"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, changes: dict[str, Any], code: str, words: str) -> None:
    path = tmp_path / "bad.npz"
    write(path, 20, 12, 5)
    with np.load(path) as archive:
        arrays = {name: array for name, array in (dict(archive) | changes).items() if array is not None}
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=words) as caught:
        labels.load(PROCESS, labels.read_files(path), 20, CPU, held_out=False)
    assert caught.value.code == code
    assert caught.value.place is not None


def test_capacities_are_those_of_the_literature() -> None:
    assert [usual_capacity(n) for n in (10, 20, 50, 100, 200, 500, 1000)] == [20, 30, 40, 50, 80, 100, 250]
    state = PROCESS.uniform(100, 3, dice())
    assert state.capacity.tolist() == [50] * 3
    assert (int(state.demand[:, 1:-1].min()), int(state.demand.max())) == (1, 9)


# --- learning --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(solved: Labels[CvrpState], tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    plan = Plan(problem="cvrp", size=CUSTOMERS, network=TOY, steps=150, tokens=1024, warm_up=20, rate=3e-3,
                average=0.95, made=1024)  # fmt: skip
    trainer = Trainer(plan, labels.made(PROCESS, CUSTOMERS, plan.made, 0, CPU), solved)
    assert trainer.run(tmp_path_factory.mktemp("toy"))
    return trainer


def test_a_toy_learns(solved: Labels[CvrpState], trained: Trainer) -> None:
    assert find("cvrp").kind == trained.network.kind == "cvrp"
    best = float(PROCESS.cost(solved.instances, solved.codes).mean())
    torch.manual_seed(0)
    fresh = Policy(TOY, PROCESS)
    learned, untrained = (greedy(Decoder(p, PROCESS), solved.instances) for p in (trained.average, fresh))
    assert learned is not None
    assert untrained is not None
    drawn = random_rollout(solved.instances, 1)
    assert float(learned.cost.mean()) / best < 1.15
    assert float(learned.cost.mean()) < float(untrained.cost.mean()) - 0.2 * best
    assert float(learned.cost.mean()) < float(drawn.cost.mean()) - 0.4 * best
    wide = beam(Decoder(trained.average, PROCESS), solved.instances, 8)
    assert wide is not None
    assert bool((wide.cost <= learned.cost + 1e-5).all())
    assert float(wide.cost.mean()) / best < 1.06
    several = sample(Decoder(trained.average, PROCESS), solved.instances, dice(2))
    assert several is not None
    assert torch.allclose(several.cost, PROCESS.cost(solved.instances, several.codes).to(torch.float32), atol=1e-4)


def test_reconstruction_improves_and_never_spoils(solved: Labels[CvrpState], trained: Trainer) -> None:
    decoder, instances = Decoder(trained.average, PROCESS), solved.instances
    codes = random_codes(instances, 5)
    costs = [PROCESS.cost(instances, codes)]

    def told(state: Round) -> None:
        cost = PROCESS.cost(instances, state.codes)
        assert bool((cost <= costs[-1] + 1e-6).all())
        assert bool((state.improved == (cost < costs[-1] - 1e-6)).all())
        costs.append(cost)

    found = reconstruct(decoder, instances, codes, dice(2), rounds=30, told=told)
    best = float(PROCESS.cost(instances, solved.codes).mean())
    plain = greedy(decoder, instances)
    assert plain is not None
    assert float(costs[-1].mean()) < float(plain.cost.mean())
    assert float(costs[-1].mean()) / best < 1.05 < float(costs[0].mean()) / best
    for row in range(50):
        instance = instance_of(instances, row)
        assert instance.evaluate(PROCESS.solution(instance, found[row].numpy())).feasible


def test_examples_of_a_view(solved: Labels[CvrpState], trained: Trainer) -> None:
    process, hidden = find("cvrp"), 0
    source = Source(process, solved, seed=1, tokens=300, buckets=False, view=3)
    for step in range(30):
        batch = source.batch(step)
        assert batch.tokens <= 5
        feasible = process.feasible(batch.state)
        assert bool((feasible | (batch.target == 0)).all())
        hidden += int((batch.target.sum(dim=1) == 0).sum())
        loss = imitation_loss(trained.network(process.tokens(batch.state)), feasible, batch.target)
        assert bool(loss.isfinite().all())
    assert hidden > 0


def test_the_solver_answers(trained: Trainer, tmp_path: Path) -> None:
    facts = {"name": "toy", "data": "", "seed": 0, "hours": 0, "hardware": "", "steps": 0, "samples": 0, "gaps": {},
             "licence": ""}  # fmt: skip
    card = str(store.write(tmp_path, trained.average, facts))
    instance = Cvrp.generate(np.random.default_rng(4), n=8)
    for decode in ("greedy", "beam", "sample", "reconstruct"):
        solver = Bq(weights=card, decode=decode)
        result = api.solve(instance, solver, isolate=False, time_limit=10, threads=1, iterations=10)
        assert result.solution is not None
        assert instance.evaluate(result.solution).feasible
    assert float(result.objective or 0) <= instance.evaluate(KINDS["cvrp"].first(instance)).objective


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": Metric(rule="EXPLICIT", matrix=np.ones((4, 4), dtype=np.int64))}, "explicit matrix"),
        ({"metric": Metric(rule="EUC_3D", coordinates=np.ones((4, 3)))}, "in space"),
        ({"max_length": 9.0}, "longest length"),
        ({"vehicles": 2}, "number of vehicles"),
        ({"capacity": 3}, "exceeds the capacity"),
        ({"vehicles": 3}, None),
    ],
)
def test_what_the_solver_does_not_take(changes: dict[str, Any], words: str | None) -> None:
    given: dict[str, Any] = {"metric": Metric(rule="EUC_2D", coordinates=np.eye(4, 2)), "capacity": 9}
    instance = Cvrp(**{**given, "demand": np.array([0, 1, 2, 4]), **changes})
    clause = KINDS["cvrp"].refuses(instance)
    assert clause is None if words is None else clause is not None and words in clause
