"""The network: sets of nodes, padding, several kinds of adapters, the loss."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from combopt.errors import InputError, UsageError
from combopt.learned.network import PRESETS, NetworkConfig, Policy, imitation_loss, preset
from combopt.learned.problems.base import Labels, Tokens
from combopt.learned.problems.tsp import TspProcess

SHAPE = NetworkConfig(width=32, layers=2, heads=2, hidden=48)


class TwoWays(TspProcess):
    """Shaped like a problem with two ways to a node and three columns of edges (CVRP, ATSP)."""

    outputs = 2
    edge_features = 3


class NoEnds(TspProcess):
    """Shaped like a knapsack."""

    ends = False
    edge_features = 0


def tokens(process: TspProcess, solved: Labels[Any], size: int = 6) -> Tokens:
    return process.tokens(process.tail(solved.instances.take(torch.arange(8)), solved.codes[:8].to(torch.int64), size))


def test_the_order_of_the_nodes_does_not_matter(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    given = tokens(process, solved)
    order = torch.tensor([0, 4, 2, 6, 1, 3, 5, 7])
    assert given.edges is not None
    mixed = Tokens(given.nodes[:, order], given.edges[:, order][:, :, order])
    assert torch.allclose(policy(given)[:, order], policy(mixed), atol=1e-4)


def test_origin_and_destination_are_told_apart(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    given = tokens(process, solved)
    assert given.edges is not None
    order = torch.arange(7, -1, -1)
    mixed = Tokens(given.nodes[:, order], given.edges[:, order][:, :, order])
    assert not torch.allclose(policy(given)[:, order], policy(mixed), atol=1e-2)


def test_padding_changes_nothing(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    given = tokens(process, solved)
    assert given.edges is not None
    rows, count = given.nodes.shape[:2]
    nodes = torch.cat([given.nodes, torch.randn(rows, 3, given.nodes.shape[2])], dim=1)
    edges = torch.randn(rows, count + 3, count + 3, 1)
    edges[:, :count, :count] = given.edges
    real = torch.arange(count + 3).expand(rows, -1) < count
    assert torch.allclose(policy(Tokens(nodes, edges, real))[:, :count], policy(given), atol=1e-4)


def test_rows_of_a_batch_do_not_see_one_another(process: TspProcess, solved: Labels[Any], policy: Policy) -> None:
    given = tokens(process, solved)
    assert given.edges is not None
    alone = policy(Tokens(given.nodes[3:4], given.edges[3:4]))
    assert torch.allclose(policy(given)[3:4], alone, atol=1e-4)


@pytest.mark.parametrize("kind", [TwoWays, NoEnds])
def test_adapters_of_other_shapes(kind: type[TspProcess], solved: Labels[Any]) -> None:
    process = kind()
    torch.manual_seed(0)
    policy = Policy(SHAPE, process)
    given = tokens(TspProcess(), solved)
    assert given.edges is not None
    edges = torch.cat([given.edges, given.edges.flip(1), torch.rand_like(given.edges)], dim=-1)
    shaped = Tokens(given.nodes, edges if process.edge_features else None)
    logits = policy(shaped)
    assert logits.shape == (8, 8 * process.outputs)
    if not process.ends:  # nothing marks a token: all orders are alike
        order = torch.tensor([7, 4, 2, 6, 1, 3, 5, 0])
        assert torch.allclose(logits[:, order], policy(Tokens(given.nodes[:, order])), atol=1e-4)
    else:  # every column of the edges can matter
        with torch.no_grad():
            policy.layers[0].slope[:, 2] = 3.0
        assert not torch.allclose(logits, policy(shaped), atol=1e-3)


def test_presets_have_the_sizes_they_promise(process: TspProcess) -> None:
    sizes = {name: Policy(config, process).size for name, config in PRESETS.items()}
    assert sizes["full"] == pytest.approx(3.1e6, rel=0.05)
    assert sizes["small"] == pytest.approx(1.2e6, rel=0.05)
    assert sizes["tiny"] == pytest.approx(0.2e6, rel=0.05)
    with pytest.raises(UsageError, match="huge"):
        preset("huge")
    with pytest.raises(InputError, match="do not divide"):
        NetworkConfig(width=30, heads=4)


def test_the_loss_of_a_label_and_of_probabilities() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 9.0]])
    feasible = torch.tensor([[True, True, True, False], [True, True, False, False]])
    odds = [math.exp(v) for v in (1, 2, 3)]
    single = imitation_loss(logits, feasible, torch.tensor([2, 0]))
    assert single.tolist() == pytest.approx([-math.log(odds[2] / sum(odds)), math.log(2)], abs=1e-5)
    soft: Tensor = torch.tensor([[0.5, 0.0, 0.5, 0.0], [0.5, 0.5, 0.0, 0.0]])
    mean = imitation_loss(logits, feasible, soft)
    expected = -0.5 * (math.log(odds[0] / sum(odds)) + math.log(odds[2] / sum(odds)))
    assert mean.tolist() == pytest.approx([expected, math.log(2)], abs=1e-5)
    assert imitation_loss(logits, feasible, torch.tensor([-1, 0])).tolist() == pytest.approx([0, math.log(2)])
    assert imitation_loss(logits, feasible, torch.zeros(2, 4)).tolist() == [0, 0]
