"""The theory: what is left of a tour through a matrix is an instance of its own, and good tours teach what is best."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from combopt import api
from combopt.errors import InputError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.learned import labels
from combopt.learned.decoding import Decoder, beam, greedy, sample
from combopt.learned.network import NetworkConfig, Policy
from combopt.learned.problems import find
from combopt.learned.problems.atsp import AtspProcess, AtspState, closed
from combopt.learned.problems.base import Labels
from combopt.learned.reconstruct import Round, reconstruct
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer
from combopt.learned.weights import store
from combopt.solvers.bq import KINDS, Bq
from tests.learned.conftest import CPU, TOY

ROLLOUTS = int(os.environ.get("COMBOPT_ROLLOUTS", "10000"))
PROCESS = AtspProcess()
N = 9


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_tours(count: int, n: int, seed: int = 0) -> Tensor:
    return torch.rand(count, n, generator=dice(seed)).argsort(dim=1)


def wild(count: int, n: int, seed: int = 0) -> AtspState:
    """Instances without the triangle inequality, with many equal entries and some prohibitive ones."""
    matrix = torch.randint(1, 9, (count, n, n), generator=dice(seed)).to(torch.float32)
    matrix[torch.rand(matrix.shape, generator=dice(seed + 1)) < 0.05] = 1e6
    matrix.diagonal(dim1=1, dim2=2).zero_()
    return AtspState.fresh(matrix)


@pytest.fixture(scope="module")
def solved() -> Labels[AtspState]:
    return labels.made(PROCESS, N, 256, 5, CPU)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """A policy with random weights, large enough for logits to differ clearly."""
    torch.manual_seed(3)
    policy = Policy(NetworkConfig(width=32, layers=2, heads=2, hidden=48), PROCESS)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape))
    return policy.eval().requires_grad_(False)


def by_node(policy: Policy, state: AtspState) -> list[dict[int, float]]:
    """Logits of the nodes that can be visited, by number of the node."""
    logits = policy(PROCESS.tokens(state))
    return [
        dict(zip(nodes, row, strict=True))
        for nodes, row in zip(state.node[:, 1:-1].tolist(), logits[:, 1:-1].tolist(), strict=True)
    ]


def same(one: list[dict[int, float]], two: list[dict[int, float]]) -> None:
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    assert min(max(row.values()) - min(row.values()) for row in one) > 1e-2  # the comparison would notice


def arcs(tour: list[int]) -> set[tuple[int, int]]:
    return set(zip(tour, tour[1:] + tour[:1], strict=True))


# --- states --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 5, 7, 8])
def test_the_tail_is_the_state_that_the_steps_reach(policy: Policy, size: int) -> None:
    instances = wild(6, N)
    codes = random_tours(6, N)
    tail = PROCESS.tail(instances, codes, size)
    reached = PROCESS.tail(instances, codes, N - 1)
    for step in range(1, N - size):
        action = (reached.node[:, 1:-1] == codes[:, step : step + 1]).to(torch.int64).argmax(dim=1) + 1
        assert torch.equal(PROCESS.code(reached, action), codes[:, step])
        reached, _ = PROCESS.step(reached, action)
    assert torch.equal(tail.node[:, [0, -1]], reached.node[:, [0, -1]])
    assert torch.equal(tail.node.sort(dim=1).values, reached.node.sort(dim=1).values)
    same(by_node(policy, tail), by_node(policy, reached))


def test_a_tail_is_an_instance_of_its_own(policy: Policy) -> None:
    """Neither the rest of the matrix, nor its unit, nor arcs that no path can take make a difference."""
    tail = PROCESS.tail(wild(50, N), random_tours(50, N), 5)
    matrix = 0.125 * tail.matrix
    matrix[:, :, 0] = torch.rand(50, 7, generator=dice(2)) * 100
    matrix[:, -1] = torch.rand(50, 7, generator=dice(3)) * 100
    matrix[:, 0, -1] = 0.5
    same(by_node(policy, tail), by_node(policy, AtspState(matrix, tail.node)))
    matrix[:, 1, 2] += 0.5
    changed = policy(PROCESS.tokens(AtspState(matrix, tail.node)))
    differs = (changed - policy(PROCESS.tokens(tail))).abs().amax(dim=1) > 1e-4
    assert int(differs.sum()) > 40  # all but those where the arc is a prohibitive one


def test_the_names_of_the_nodes_do_not_matter(policy: Policy) -> None:
    instances = wild(20, N, seed=4)
    shuffled = torch.cat([torch.zeros(20, 1, dtype=torch.int64), 1 + random_tours(20, N - 1, seed=5)], dim=1)
    order = torch.cat([shuffled, torch.full((20, 1), N)], dim=1)
    same(by_node(policy, instances), by_node(policy, instances.at(order)))
    # Relabelled for good: node k is called shuffled[k].
    back = shuffled.argsort(dim=1)
    renamed = AtspState.fresh(instances.at(back).matrix)
    one, two = by_node(policy, instances), by_node(policy, renamed)
    same(one, [{int(back[row, v]): x for v, x in found.items()} for row, found in enumerate(two)])
    codes = random_tours(20, N, seed=6)
    assert torch.allclose(PROCESS.cost(instances, codes), PROCESS.cost(renamed, shuffled.gather(1, codes)))


def test_the_direction_of_arcs_matters(policy: Policy) -> None:
    instances = PROCESS.uniform(N, 20, dice(7))
    turned = AtspState(instances.matrix.transpose(1, 2), instances.node)
    one, two = policy(PROCESS.tokens(instances)), policy(PROCESS.tokens(turned))
    assert float((one - two).abs().amax(dim=1).min()) > 1e-3


def test_the_prefix_does_not_matter(policy: Policy) -> None:
    instances = PROCESS.uniform(7, 1, dice(1))
    one, two = torch.tensor([[0, 1, 2, 3, 4, 5, 6]]), torch.tensor([[0, 2, 1, 3, 6, 4, 5]])
    tails = [PROCESS.tail(instances, codes, 3) for codes in (one, two)]
    assert PROCESS.signature(tails[0]).equal(PROCESS.signature(tails[1]))
    same(by_node(policy, tails[0]), by_node(policy, tails[1]))


def test_signatures_tell_tails_apart() -> None:
    codes = torch.tensor([(0, *rest) for rest in itertools.permutations(range(1, 6))])
    instances = PROCESS.uniform(6, 1, dice(1)).take(torch.zeros(len(codes), dtype=torch.int64))
    for size in (2, 3):
        signs = PROCESS.signature(PROCESS.tail(instances, codes, size)).tolist()
        tails = [(row[5 - size], frozenset(row[6 - size :])) for row in codes.tolist()]
        assert len(set(signs)) == len(set(tails)) == len(set(zip(signs, tails, strict=True)))


def enumerated(state: AtspState) -> float:
    """Least cost of all ways from a state to its end, step by step."""
    actions = PROCESS.feasible(state)[0].nonzero().flatten()
    if len(actions) == 0:
        return 0.0
    after, cost = PROCESS.step(state.take(torch.zeros(len(actions), dtype=torch.int64)), actions)
    return min(float(c) + enumerated(after.take(torch.tensor([i]))) for i, c in enumerate(cost))


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_the_best_completion_of_a_state_is_that_of_brute_force(size: int) -> None:
    instances, codes = wild(5, 6, seed=8), random_tours(5, 6, seed=4)
    tail = PROCESS.tail(instances, codes, size)
    for row in range(5):
        matrix = instances.matrix[row].tolist()
        origin, last = int(codes[row, 5 - size]), int(codes[row, 0])
        left = codes[row, 6 - size :].tolist()
        paths = [[origin, *middle, last] for middle in itertools.permutations(left)]
        best = min(sum(matrix[a][b] for a, b in itertools.pairwise(p)) for p in paths)
        assert enumerated(tail.take(torch.tensor([row]))) == pytest.approx(best)


def test_every_rollout_is_a_tour() -> None:
    """COMBOPT_ROLLOUTS=100000 for more of them."""
    instances = PROCESS.uniform(6, 50, dice(3)).take(torch.arange(ROLLOUTS) % 50)
    state, codes, total, draws = instances, [PROCESS.opening(instances)], torch.zeros(ROLLOUTS), dice(4)
    while bool(PROCESS.feasible(state).any()):
        odds = PROCESS.feasible(state) * torch.rand(ROLLOUTS, state.node.shape[1], generator=draws)
        action = odds.argmax(dim=1)
        codes.append(PROCESS.code(state, action).unsqueeze(1))
        state, cost = PROCESS.step(state, action)
        total += cost
    tours = torch.cat(codes, dim=1)
    assert torch.equal(tours.sort(dim=1).values, torch.arange(6).expand(ROLLOUTS, 6))
    assert torch.allclose(total, PROCESS.cost(instances, tours).to(torch.float32), atol=1e-5)
    assert len({tuple(t) for t in tours.tolist()}) == 120  # all of them


def test_costs_are_those_of_the_instance() -> None:
    matrix = np.random.default_rng(1).integers(1, 5000, (12, 12))
    instance = Atsp(metric=Metric(rule="EXPLICIT", matrix=matrix))
    state = PROCESS.start(instance)
    codes = random_tours(1, 12)
    solution = PROCESS.solution(instance, codes[0].numpy())
    assert PROCESS.codes(instance, solution).tolist() == codes[0].tolist()
    largest = instance.metric.full().max()
    length = instance.evaluate(solution).objective
    assert largest * float(PROCESS.cost(state, codes)) == pytest.approx(length, rel=1e-6)
    assert largest * float(PROCESS.cost(state, codes.flip(1))) != pytest.approx(length, rel=1e-3)


def test_views() -> None:
    state = PROCESS.tail(PROCESS.uniform(30, 4, dice(11)), random_tours(4, 30), 20)
    assert PROCESS.view(state, 20) == (state, None)
    seen, tokens = PROCESS.view(state, 7)
    assert tokens is not None
    assert torch.equal(seen.node, state.node.gather(1, tokens))
    assert torch.equal(seen.node[:, [0, -1]], state.node[:, [0, -1]])
    nearest = state.matrix[:, 0, 1:-1].sort(dim=1).values[:, :7]
    assert torch.equal(seen.matrix[:, 0, 1:-1].sort(dim=1).values, nearest)
    for a, b in itertools.product(range(9), repeat=2):
        assert seen.matrix[0, a, b] == state.matrix[0, tokens[0, a], tokens[0, b]]


def test_degenerate_matrices_have_finite_logits(policy: Policy) -> None:
    matrices: list[Any] = [np.zeros((5, 5)), np.full((4, 4), -3), np.diag([1, 2, 3]), [[0, 1], [2, 0]]]
    matrices.append(np.full((6, 6), 10**15) * (np.arange(6) == 2))
    for matrix in matrices:
        state = PROCESS.start(Atsp(metric=Metric(rule="EXPLICIT", matrix=np.array(matrix, dtype=np.int64))))
        while True:
            assert bool(policy(PROCESS.tokens(state)).isfinite().all())
            if not bool(PROCESS.feasible(state).any()):
                break
            state, _ = PROCESS.step(state, PROCESS.feasible(state).to(torch.int8).argmax(dim=1))


# --- teachers ------------------------------------------------------------------------------------------------------


def test_the_teacher_finds_shortest_tours() -> None:
    for n in (1, 2, 3, 7):
        instances = wild(20, n, seed=n)
        codes = PROCESS.teach(instances)
        assert codes is not None
        every = torch.tensor([(0, *rest) for rest in itertools.permutations(range(1, n))])
        for row in range(20):
            one = instances.take(torch.full((len(every),), row))
            best = PROCESS.cost(one, every).min()
            assert float(PROCESS.cost(instances, codes)[row]) == float(best)
    assert PROCESS.teach(wild(1, PROCESS.teaches + 1)) is None


def test_a_tour_that_is_rearranged_is_the_same_tour(solved: Labels[Any]) -> None:
    codes = solved.codes.to(torch.int64)
    other = PROCESS.rearrange(solved.instances, codes, dice(7))
    for one, two in zip(codes.tolist(), other.tolist(), strict=True):
        assert arcs(one) == arcs(two)
    assert int(other[:, 0].bincount(minlength=N).min()) > 10  # from anywhere


def test_the_teacher_of_a_tail_goes_on_along_the_tour(solved: Labels[Any]) -> None:
    codes = PROCESS.rearrange(solved.instances, solved.codes.to(torch.int64), dice(8))
    for size in PROCESS.sizes(N):
        tail = PROCESS.tail(solved.instances, codes, size)
        action = PROCESS.target(tail, codes[:, N - size :])
        assert torch.equal(PROCESS.code(tail, action), codes[:, N - size])
    whole = PROCESS.tail(solved.instances, codes, N - 1)
    assert torch.equal(whole.node[:, 0], whole.node[:, -1])


def test_pieces_stand_where_they_say() -> None:
    codes = random_tours(3, 23)
    for size in (2, 5, 11, 22):
        pieces = PROCESS.pieces(codes, size, 99, dice(size))
        assert pieces.rows.shape == (3, 23 // (size + 1), 23)
        for b in range(3):
            taken: set[int] = set()
            for row, place in zip(pieces.rows[b], pieces.place[b], strict=True):
                assert torch.equal(row[23 - size :], codes[b, place])
                assert not taken & set(place.tolist())
                taken |= set(place.tolist())
                assert arcs(row.tolist()) == arcs(codes[b].tolist())
    assert PROCESS.pieces(codes, 2, 3, dice()).rows.shape == (3, 3, 23)


# --- labels --------------------------------------------------------------------------------------------------------


def test_matrices_are_closed() -> None:
    matrix = PROCESS.uniform(12, 5, dice(1)).matrix[:, :12, :12]
    by_third = matrix.unsqueeze(3) + matrix.unsqueeze(1)  # from i by k to j
    assert bool((matrix <= by_third.amin(dim=2) + 1e-6).all())
    entries = torch.randint(1, 1000, (3, 12, 12), generator=dice(2), dtype=torch.int32)
    entries.diagonal(dim1=1, dim2=2).zero_()
    ways = entries
    for _ in range(11):  # by one more arc each time (Bellman and Ford)
        ways = (ways.unsqueeze(3) + entries.unsqueeze(1)).amin(dim=2)
    assert torch.equal(closed(entries), ways)
    assert int((ways < entries).sum()) > 200


def test_labels_in_files(tmp_path: Path) -> None:
    instances = PROCESS.chunk_instances(N, 40, 30)
    tours = random_tours(30, N, seed=2).numpy()
    np.savez(tmp_path / "a.npz", chunk=np.array([40]), **PROCESS.chunk_arrays(N, 40, list(tours)))
    found = labels.load(PROCESS, labels.read_files(tmp_path), N, CPU, held_out=False)
    assert found is not None
    assert bool((found.codes[:, 0] == 0).all())
    cost = labels.GRID * PROCESS.cost(found.instances, found.codes)
    for row, (instance, tour) in enumerate(zip(instances, tours, strict=True)):
        assert arcs(found.codes[row].tolist()) == arcs(tour.tolist())
        length = instance.evaluate(PROCESS.solution(instance, tour)).objective
        assert float(cost[row]) == pytest.approx(length, rel=1e-6)
    other = PROCESS.chunk_instances(N, 41, 1)[0]
    assert isinstance(other, Atsp)
    assert not np.array_equal(other.metric.full(), instances[0].metric.full())  # type: ignore[attr-defined]


def test_bad_files(tmp_path: Path) -> None:
    tours = np.stack([np.arange(N)] * 2)[None].astype(np.uint8)
    for arrays, words in (({"tour": tours}, "no array of cycles"), ({"cycle": tours * 0}, "no permutation")):
        np.savez(tmp_path / "a.npz", chunk=np.array([40]), **arrays)
        with pytest.raises(InputError, match=words):
            labels.load(PROCESS, labels.read_files(tmp_path), N, CPU, held_out=False)


# --- a policy ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(solved: Labels[AtspState], tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    plan = Plan(
        problem="atsp", size=N, network=TOY, steps=150, tokens=1024, warm_up=20, rate=3e-3, average=0.95, made=512
    )
    trainer = Trainer(plan, labels.made(PROCESS, N, plan.made, 0, CPU), solved)
    assert trainer.run(tmp_path_factory.mktemp("toy"))
    return trainer


def test_a_toy_learns(solved: Labels[AtspState], trained: Trainer) -> None:
    assert find("atsp").kind == trained.network.kind == "atsp"
    assert trained.gap() < 0.2
    untrained = Decoder(Policy(TOY, PROCESS), PROCESS)
    random = sample(untrained, solved.instances, dice(1))
    learned = greedy(Decoder(trained.average, PROCESS), solved.instances)
    wide = beam(Decoder(trained.average, PROCESS), solved.instances, 16)
    assert random is not None
    assert learned is not None
    assert wide is not None
    best = float(PROCESS.cost(solved.instances, solved.codes).mean())
    assert float(random.cost.mean()) > 1.5 * best
    assert best - 1e-5 < float(wide.cost.mean()) < float(learned.cost.mean()) < 1.2 * best


def test_reconstruction_improves_and_never_spoils(solved: Labels[AtspState], trained: Trainer) -> None:
    decoder, instances = Decoder(trained.average, PROCESS), solved.instances.take(torch.arange(40))
    codes = random_tours(40, N, seed=9)
    costs = [PROCESS.cost(instances, codes)]

    def told(state: Round) -> None:
        costs.append(PROCESS.cost(instances, state.codes))
        assert bool((costs[-1] <= costs[-2] + 1e-9).all())

    found = reconstruct(decoder, instances, codes, dice(3), rounds=20, told=told)
    assert torch.equal(found.sort(dim=1).values, torch.arange(N).expand(40, N))
    assert float(costs[-1].mean()) < 0.7 * float(costs[0].mean())


def test_as_a_solver(trained: Trainer, tmp_path: Path) -> None:
    card = store.write(tmp_path, trained.average, {
        "name": "toy", "data": "", "seed": 0, "hours": 0.0, "hardware": "", "steps": 1, "samples": 1, "gaps": {},
        "licence": "Apache-2.0",
    })  # fmt: skip
    instance = Atsp.generate(np.random.default_rng(4), n=25)
    for decode in ("greedy", "reconstruct"):
        solver = Bq(weights=str(card), decode=decode, device="cpu")
        result = api.solve(instance, solver, time_limit=60, iterations=10, isolate=False, threads=1)
        assert result.solution is not None
        found = instance.evaluate(result.solution)
        assert found.feasible
        assert found.objective == result.objective
    first = instance.evaluate(KINDS["atsp"].first(instance))
    assert first.feasible
    fixed = Atsp(metric=instance.metric, fixed_edges=np.array([[0, 1]]))
    assert "fixed arcs" in str(Bq(weights=str(card)).refuses(fixed))
