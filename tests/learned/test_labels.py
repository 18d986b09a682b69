"""Files of labels, and labels that are made on the spot."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from combopt.errors import InputError, UsageError
from combopt.learned import labels
from combopt.learned.examples import BUCKETS, Source
from combopt.learned.improve import local_optima, short_tours
from combopt.learned.problems.base import Labels
from combopt.learned.problems.tsp import TspProcess

CPU = torch.device("cpu")


def tours(n: int, chunks: list[int], count: int) -> np.ndarray[Any, Any]:
    """Short tours of chunks, in the form that files have: from node 0, the second smaller than the last."""
    found = []
    for chunk in chunks:
        grid = torch.from_numpy(labels.uniform_points(n, chunk, count)).to(torch.float32)
        codes = short_tours(grid / labels.GRID, 2)
        at = codes.argmin(dim=1, keepdim=True)
        codes = codes.gather(1, (at + torch.arange(n)) % n)
        back = codes[:, [0, *range(n - 1, 0, -1)]]
        found.append(torch.where(codes[:, 1:2] < codes[:, -1:], codes, back).numpy())
    return np.stack(found)


def test_tours_survive_being_stored_as_ranks(tmp_path: Path, process: TspProcess) -> None:
    wanted = tours(12, [3, 40, 41], 30)
    labels.write_tours(tmp_path / "a.npz", [3, 40, 41], wanted)
    np.savez(tmp_path / "b.npz", chunk=np.array([40, 50]), tour=wanted[[1, 2]].astype(np.uint8))
    files = labels.read_files(tmp_path)
    held = labels.load(process, files, 12, CPU, held_out=True)
    train = labels.load(process, files, 12, CPU, held_out=False)
    assert held is not None
    assert train is not None
    assert held.codes.tolist() == wanted[0].tolist()
    assert train.codes.tolist() == wanted[[1, 2, 2]].reshape(90, 12).tolist()  # chunk 40 is in both files
    points = np.random.default_rng([12, 40]).integers(0, 10**6, (30, 12, 2)) / 1e6
    assert np.allclose(train.instances.points[:30, :12].numpy(), points)
    assert labels.load(process, files, 13, CPU, held_out=False) is None
    stored = np.load(tmp_path / "a.npz")["rank"]
    assert stored.dtype == np.uint8
    assert stored.shape == (3, 30, 11)
    assert (stored == 0).mean() > 0.6


def test_ranks_with_equal_distances_and_equal_points() -> None:
    grid = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1], [1, 1], [2, 0]]).expand(120, 6, 2)
    orders = torch.tensor([(0, *rest) for rest in itertools.permutations(range(1, 6))])
    ranks = labels.ranks_of_orders(grid, orders)
    assert torch.equal(labels.orders_of_ranks(grid, ranks), orders)
    assert len(set(map(tuple, ranks.tolist()))) == 120


@pytest.mark.parametrize(
    ("arrays", "code", "words"),
    [
        ({"tour": np.zeros((1, 2, 5))}, "E118", "chunk"),
        ({"chunk": np.array([-1]), "tour": np.zeros((1, 2, 5))}, "E118", "chunk"),
        ({"chunk": np.array([11, 12]), "tour": np.zeros((1, 2, 5))}, "E115", "tour"),
        ({"chunk": np.array([11])}, "E118", "no array of tours"),
        ({"chunk": np.array([11]), "tour": np.zeros((1, 2, 5))}, "E120", "chunk 11 holds a tour that is no"),
    ],
)
def test_files_that_hold_something_else(
    tmp_path: Path, process: TspProcess, arrays: dict[str, Any], code: str, words: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(InputError, match=words) as caught:
        labels.load(process, labels.read_files(tmp_path), 5, CPU, held_out=False)
    assert caught.value.code == code
    assert caught.value.place is not None
    assert caught.value.place.path.endswith("bad.npz")


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no label files"):
        labels.read_files(tmp_path)
    (tmp_path / "bad.npz").write_bytes(b"\x80\x04 no archive")
    with pytest.raises(InputError, match=r"bad\.npz"):
        labels.read_files(tmp_path)
    np.savez(tmp_path / "bad.npz", chunk=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"bad\.npz"):  # it would have to be unpickled
        labels.read_files(tmp_path)


def test_the_teacher_finds_shortest_tours(process: TspProcess) -> None:
    instances = process.uniform(8, 100, torch.Generator().manual_seed(1))
    orders = torch.tensor([(0, *rest) for rest in itertools.permutations(range(1, 8))])
    found = process.cost(instances, process.teach(instances))
    best = [float(process.cost(instances.take(torch.full((5040,), i)), orders).min()) for i in range(100)]
    assert (found / torch.tensor(best)).mean() < 1.0001
    assert bool((found >= torch.tensor(best) - 1e-5).all())


def test_local_optima_have_no_better_neighbour_of_two_edges() -> None:
    points = torch.rand(20, 11, 2, generator=torch.Generator().manual_seed(2))
    between = (points.unsqueeze(1) - points.unsqueeze(2)).norm(dim=-1)
    found = local_optima(between, torch.arange(11).expand(20, 11)).tolist()
    for row, tour in enumerate(found):
        assert sorted(tour) == list(range(11))

        def length(order: list[int], row: int = row) -> float:
            return sum(float(between[row, a, b]) for a, b in zip(order, order[1:] + order[:1], strict=True))

        now = length(tour)
        for i, j in itertools.combinations(range(11), 2):
            assert length(tour[:i] + tour[i : j + 1][::-1] + tour[j + 1 :]) > now - 1e-5
            moved = tour[:i] + tour[i + 1 :]
            assert length([*moved[:j], tour[i], *moved[j:]]) > now - 1e-5


def test_labels_that_cannot_be_made(process: TspProcess) -> None:
    with pytest.raises(UsageError, match="--labels"):
        labels.made(process, process.teaches + 1, 10, 0, CPU)


def test_batches_are_functions_of_seed_step_and_rank(process: TspProcess, solved: Labels[Any]) -> None:
    source = Source(process, solved, seed=1, tokens=200, buckets=False)
    one, two = source.batch(17), source.batch(17)
    assert torch.equal(one.state.points, two.state.points)
    others = [source.batch(18), Source(process, solved, 2, 200, False).batch(17)]
    neighbour = Source(process, solved, 1, 200, False, rank=1).batch(17)
    assert all(not torch.equal(one.state.points, o.state.points) for o in others if o.tokens == one.tokens)
    assert neighbour.tokens == one.tokens
    assert not torch.equal(one.state.points, neighbour.state.points)
    sizes = [source.batch(step).tokens for step in range(300)]
    assert set(sizes) == set(range(4, 12))  # the whole instance is among them
    assert all(150 < len(b) * b.tokens <= 200 for b in map(source.batch, range(20)))
    few = Source(process, solved, 1, 200, True).sizes()[0]
    assert [size + 2 for size in few] == [b for b in BUCKETS if b <= 8] + [11]


def test_a_batch_in_parts_is_the_same_batch(process: TspProcess, solved: Labels[Any]) -> None:
    batch = Source(process, solved, seed=1, tokens=200, buckets=False).batch(3)
    parts = batch.split(3)
    assert len(parts) == 3
    assert torch.equal(torch.cat([p.state.points for p in parts]), batch.state.points)
    assert torch.equal(torch.cat([p.target for p in parts]), batch.target)


def test_examples_of_a_view(process: TspProcess, solved: Labels[Any]) -> None:
    whole = Source(process, solved, seed=1, tokens=500, buckets=False)
    source = Source(process, solved, seed=1, tokens=500, buckets=False, view=3)
    hidden = 0
    for step in range(30):
        batch = source.batch(step)
        assert batch.tokens <= 5
        assert len(batch) >= 100
        rows = batch.target >= 0
        hidden += int((~rows).sum())
        feasible = process.feasible(batch.state.take(rows))
        assert bool(feasible.gather(1, batch.target[rows].unsqueeze(1)).all())
        if batch.tokens == 5:
            assert int(rows.sum()) > 0.8 * len(rows)  # the next node of a good tour is mostly near
    assert hidden > 0
    # Behind the same seed stands the same example: the node that is chosen is the same.
    plain = Source(process, solved, 1, 500, False, view=50).batch(4)
    assert torch.equal(plain.state.points, whole.batch(4).state.points)
    tail = process.tail(solved.instances, solved.codes.to(torch.int64), 8)
    target = process.target(tail, solved.codes[:, 2:].to(torch.int64))
    seen, action = source._seen(tail, target)
    found = action >= 0
    nodes = process.code(seen.take(found), action[found])
    assert torch.equal(nodes, solved.codes[found, 2].to(torch.int64))
