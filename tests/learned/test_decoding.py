"""Decoders and re-construction, against one another and against brute force."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from combopt.learned import decoding
from combopt.learned.decoding import Decoded, Decoder, beam, best_of, greedy, repeated, sample
from combopt.learned.network import Policy
from combopt.learned.problems.base import Labels
from combopt.learned.problems.tsp import TspProcess, TspState
from combopt.learned.reconstruct import Round, reconstruct
from combopt.learned.training import Trainer


def checked(process: TspProcess, instances: TspState, decoded: Decoded | None) -> torch.Tensor:
    """Costs, after a look at whether the codes are tours that cost as much."""
    assert decoded is not None
    codes = torch.cat([process.opening(instances), decoded.codes], dim=1)
    assert torch.equal(codes.sort(dim=1).values, torch.arange(codes.shape[1]).expand(len(codes), -1))
    assert torch.allclose(process.cost(instances, codes).to(torch.float32), decoded.cost, atol=1e-4)
    return decoded.cost


def test_greedy_takes_the_most_probable_node(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    decoder = Decoder(policy, process)
    instances = solved.instances.take(torch.arange(5))
    found = greedy(decoder, instances)
    checked(process, instances, found)
    assert found is not None
    for row in range(5):
        state = instances.take(torch.tensor([row]))
        for step in range(9):
            logits = policy(process.tokens(state)).masked_fill(~process.feasible(state), -torch.inf)
            action = logits.argmax(dim=1)
            assert int(process.code(state, action)) == int(found.codes[row, step])
            state, _ = process.step(state, action)


@pytest.mark.parametrize("width", [1, 2, 5, 16])
def test_a_beam_is_never_worse_than_greedy(
    process: TspProcess, solved: Labels[Any], policy: Policy, trained: Trainer, width: int
) -> None:
    instances = solved.instances.take(torch.arange(60))
    for network in (policy, trained.average):
        decoder = Decoder(network, process)
        plain = checked(process, instances, greedy(decoder, instances))
        wide = checked(process, instances, beam(decoder, instances, width))
        assert bool((wide <= plain + 1e-5).all())
        if width == 1:
            assert torch.allclose(wide, plain, atol=1e-5)
        if width == 16:
            assert float(wide.mean()) < float(plain.mean()) - 1e-3


def test_a_beam_that_holds_all_tails_is_exact(process: TspProcess, policy: Policy) -> None:
    """With room for every tail, and the cheaper of equal ones kept, a beam is the recursion of Held and Karp."""
    instances = process.uniform(7, 6, torch.Generator().manual_seed(0))
    best = process.cost(instances, process.teach(instances))
    wide = checked(process, instances, beam(Decoder(policy, process), instances, 700))
    assert torch.allclose(wide, best.to(torch.float32), atol=1e-5)


def test_the_cheaper_of_two_equal_tails_is_kept(process: TspProcess, policy: Policy, monkeypatch: Any) -> None:
    instances = process.uniform(7, 40, torch.Generator().manual_seed(1))
    merged = checked(process, instances, beam(Decoder(policy, process), instances, 60))
    monkeypatch.setattr(TspProcess, "signature", lambda self, state: None)
    plain = checked(process, instances, beam(Decoder(policy, process), instances, 60))
    assert float(merged.mean()) < float(plain.mean())


def test_a_view_of_all_nodes_is_the_whole(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    plain = greedy(Decoder(policy, process), solved.instances)
    assert plain is not None
    for view in (9, 10, 50):
        seen = greedy(Decoder(policy, process, view=view), solved.instances)
        assert seen is not None
        assert torch.equal(plain.codes, seen.codes)
    for decode in (greedy, lambda d, s: beam(d, s, 3)):
        checked(process, solved.instances, decode(Decoder(policy, process, view=3), solved.instances))


def test_samples_follow_the_policy(process: TspProcess, policy: Policy) -> None:
    state = process.uniform(4, 1, torch.Generator().manual_seed(0))
    decoder = Decoder(policy, process)
    copies = repeated(state, 4000)
    drawn = sample(decoder, copies, torch.Generator().manual_seed(1))
    checked(process, copies, drawn)
    assert drawn is not None
    odds = policy(process.tokens(state)).masked_fill(~process.feasible(state), -torch.inf).softmax(dim=1)[0]
    share = drawn.codes[:, 0].bincount(minlength=4) / 4000
    assert share[1:].tolist() == pytest.approx(odds[1:4].tolist(), abs=0.03)
    again = sample(decoder, copies, torch.Generator().manual_seed(1))
    assert again is not None
    assert torch.equal(drawn.codes, again.codes)
    one = best_of(drawn, 4000)
    assert float(one.cost) == float(drawn.cost.min())


def test_large_batches_are_worked_on_in_parts(
    process: TspProcess, solved: Labels[Any], policy: Policy, monkeypatch: Any
) -> None:
    whole = greedy(Decoder(policy, process), solved.instances)
    monkeypatch.setattr(decoding, "TOKENS", 200)
    parts = greedy(Decoder(policy, process), solved.instances)
    assert whole is not None
    assert parts is not None
    assert torch.equal(whole.codes, parts.codes)


def test_decoders_stop_when_told(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    decoder, calls = Decoder(policy, process), iter(range(100))
    assert greedy(decoder, solved.instances, lambda: next(calls) == 3) is None
    assert beam(decoder, solved.instances, 2, lambda: True) is None


def test_reconstruction_improves_and_never_spoils(process: TspProcess, solved: Labels[Any], trained: Trainer) -> None:
    decoder, instances = Decoder(trained.average, process), solved.instances
    codes = torch.rand(256, 10, generator=torch.Generator().manual_seed(0)).argsort(dim=1)
    costs, rounds = [process.cost(instances, codes)], []

    def told(state: Round) -> None:
        cost = process.cost(instances, state.codes)
        assert torch.equal(state.codes.sort(dim=1).values, torch.arange(10).expand(256, 10))
        assert torch.equal(cost < costs[-1], state.improved)
        assert torch.equal(cost[~state.improved], costs[-1][~state.improved])
        costs.append(cost)
        rounds.append(state.number)

    dice = torch.Generator().manual_seed(2)
    found = reconstruct(decoder, instances, codes, dice, rounds=25, told=told)
    assert rounds == list(range(1, 26))
    best = process.cost(instances, solved.codes.to(torch.int64)).mean()
    plain = greedy(decoder, instances)
    assert plain is not None
    assert float(process.cost(instances, found).mean() / best) < 1.02 < float(costs[0].mean() / best)
    assert float(process.cost(instances, found).mean()) < float(plain.cost.mean())
