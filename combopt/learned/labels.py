"""Solved instances in compact files, and their tensors on a device.

A file is a ``.npz`` (read without pickle) of some *chunks* of instances of one size.  Instances are not stored: chunk
``k`` of a problem with ``n`` nodes has the coordinates ``default_rng([n, k]).integers(0, 10**6, (m, n, 2))`` of numpy,
``int64``, divided by 10^6.  For TSP the arrays are

``chunk: int32[c]``
    numbers of the chunks;
``tour: uint8[c, m, n]`` (``uint16`` from 257 nodes on)
    nodes in order, from node 0, the second with a lower number than the last; or, in its place,
``rank: uint8[c, m, n - 1]`` (or ``uint16``)
    the same tours, for each step the rank of the next node among those not yet visited, by integer squared distance
    from the current node, ties by number.  Most ranks of a good tour are 0, so that a compressed file takes some 15
    bytes for a tour of 100 nodes.

For CVRP chunk ``k`` of instances with ``n`` customers has the points ``dice.integers(0, 10**6, (m, n + 1, 2))``, the
depot first, and then the demands ``dice.integers(1, 10, (m, n))``, from one generator ``dice = default_rng([n, k])``.
The arrays beside ``chunk`` are

``visit: uint8[c, m, n]`` (``uint16`` from 257 customers on)
    for each step the rank of the next customer among those not yet served, by integer squared distance from the
    customer before, or from the depot where a route begins; ties by number;
``begin: uint8[c, m, ceil(n / 8)]``
    bits, the highest of a byte first: where a route begins;
``capacity: int32[c]``
    that of the vehicles.

For ATSP the matrices of chunk ``k`` are ``default_rng([n, k]).integers(0, 10**6, (m, n, n))``, with 0 on the diagonal
and closed under the triangle inequality, and the array is

``cycle: uint8[c, m, n]`` (``uint16`` from 257 nodes on)
    nodes in order, from node 0.

For OP with ``n`` nodes besides the depot the points of chunk ``k`` are those of TSP with ``n + 1`` nodes, the depot
first; prizes and limit follow from them (:func:`combopt.learned.problems.op.fresh`).  The array is

``route: uint8[c, m, n]`` (``uint16`` from 256 nodes on)
    the nodes visited, in order, with as many zeros in front as there are nodes left out.

Knapsacks have no files: their labels are made on the spot.

Chunks with numbers below ten are for validation and tests, in every file of every problem; nothing is trained on them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from combopt.errors import InputError, Place, UsageError

if TYPE_CHECKING:
    from combopt.learned.problems.base import Labels, Problem, State

GRID = 1_000_000
"""Steps of the grid to a side of the unit square."""
HELD_OUT = 10
"""Chunks with lower numbers are never trained on."""


def uniform_points(n: int, chunk: int, count: int) -> npt.NDArray[np.int64]:
    """``int64[count, n, 2]``: the points of a chunk of instances, on the grid."""
    return np.random.default_rng([n, chunk]).integers(0, GRID, (count, n, 2))


# --- tours as ranks ------------------------------------------------------------------------------------------------


def _by_distance(grid: Tensor) -> Tensor:
    """``int64[B, n, n]``: for each node all nodes, nearest first, ties by number; exact on every machine."""
    squares = (grid.unsqueeze(1) - grid.unsqueeze(2)).square().sum(dim=-1)
    return squares.sort(dim=2, stable=True).indices


def ranks_of_orders(grid: Tensor, orders: Tensor) -> Tensor:
    """``int64[B, n - 1]``: the tours ``orders: int[B, n]``, which start at node 0, as ranks; see the module."""
    orders = orders.to(torch.int64)
    near = _by_distance(grid)
    rows = torch.arange(len(orders), device=orders.device)
    open_ = torch.ones(orders.shape, dtype=torch.bool, device=orders.device)
    out = torch.empty(len(orders), orders.shape[1] - 1, dtype=torch.int64, device=orders.device)
    for step in range(orders.shape[1] - 1):
        open_[rows, orders[:, step]] = False
        listed = near[rows, orders[:, step]]
        before = open_.gather(1, listed).cumsum(dim=1)
        at = (listed == orders[:, step + 1 : step + 2]).to(torch.int8).argmax(dim=1)
        out[:, step] = before[rows, at] - 1
    return out


def orders_of_ranks(grid: Tensor, ranks: Tensor) -> Tensor:
    """The inverse of :func:`ranks_of_orders`: ``int64[B, n]``."""
    ranks = ranks.to(torch.int64)
    count, steps = ranks.shape
    near = _by_distance(grid)
    rows = torch.arange(count, device=ranks.device)
    open_ = torch.ones(count, steps + 1, dtype=torch.bool, device=ranks.device)
    out = torch.zeros(count, steps + 1, dtype=torch.int64, device=ranks.device)
    for step in range(steps):
        open_[rows, out[:, step]] = False
        listed = near[rows, out[:, step]]
        reached = open_.gather(1, listed).cumsum(dim=1) > ranks[:, step : step + 1]
        out[:, step + 1] = listed[rows, reached.to(torch.int8).argmax(dim=1)]
    return out


def write_tours(path: str | Path, chunks: list[int], tours: npt.NDArray[Any]) -> None:
    """Write tours ``int[c, m, n]`` of the given chunks as ranks."""
    ranks = ranks_of_tours(tours.shape[2], chunks, tours)
    np.savez_compressed(path, chunk=np.array(chunks, dtype=np.int32), rank=ranks)


def ranks_of_tours(n: int, chunks: list[int], tours: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``uint8[c, m, n - 1]`` (or ``uint16``): the tours ``int[c, m, n]`` of the given chunks as ranks."""
    ranks = []
    for chunk, orders in zip(chunks, tours, strict=True):
        grid = torch.from_numpy(uniform_points(n, chunk, len(orders)))
        ranks.append(ranks_of_orders(grid, torch.from_numpy(orders.astype(np.int64))).numpy())
    return np.stack(ranks).astype(small(n))


def small(n: int) -> type[np.unsignedinteger[Any]]:
    """The type for numbers below ``n``."""
    return np.uint8 if n <= 256 else np.uint16


# --- routes as ranks -----------------------------------------------------------------------------------------------


def uniform_customers_of(n: int, chunk: int, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """``int64[count, n + 1, 2]``, the points of a chunk of instances with ``n`` customers, the depot first, on the
    grid, and ``int64[count, n]``, the demands."""
    dice = np.random.default_rng([n, chunk])
    return dice.integers(0, GRID, (count, n + 1, 2)), dice.integers(1, 10, (count, n))


def ranks_of_routes(grid: Tensor, codes: Tensor) -> Tensor:
    """``int64[B, n]``: routes as ranks of the next customer, seen from the one before, or from the depot if a route
    begins; see the module.  ``codes: int[B, n]`` are twice the customer, plus one where a route begins."""
    customers, begins = codes.to(torch.int64) // 2, codes % 2 == 1
    near = _by_distance(grid)
    rows = torch.arange(len(codes), device=codes.device)
    open_ = torch.ones(grid.shape[:2], dtype=torch.bool, device=codes.device)
    open_[:, 0] = False
    here = torch.zeros_like(rows)
    out = torch.empty_like(customers)
    for step in range(codes.shape[1]):
        listed = near[rows, torch.where(begins[:, step], 0, here)]
        before = open_.gather(1, listed).cumsum(dim=1)
        here = customers[:, step]
        at = (listed == here.unsqueeze(1)).to(torch.int8).argmax(dim=1)
        out[:, step] = before[rows, at] - 1
        open_[rows, here] = False
    return out


def routes_of_ranks(grid: Tensor, ranks: Tensor, begins: Tensor) -> Tensor:
    """The inverse of :func:`ranks_of_routes`: ``int64[B, n]``, with ``begins: bool[B, n]``, where routes begin."""
    near = _by_distance(grid)
    rows = torch.arange(len(ranks), device=ranks.device)
    open_ = torch.ones(grid.shape[:2], dtype=torch.bool, device=ranks.device)
    open_[:, 0] = False
    here = torch.zeros_like(rows)
    out = torch.empty(ranks.shape, dtype=torch.int64, device=ranks.device)
    for step in range(ranks.shape[1]):
        listed = near[rows, torch.where(begins[:, step], 0, here)]
        reached = open_.gather(1, listed).cumsum(dim=1) > ranks[:, step : step + 1]
        here = listed[rows, reached.to(torch.int8).argmax(dim=1)]
        out[:, step] = 2 * here + begins[:, step]
        open_[rows, here] = False
    return out


# --- files ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelFile:
    """One file: its path and arrays by name."""

    path: Path
    arrays: dict[str, npt.NDArray[Any]]

    @property
    def chunks(self) -> list[int]:
        return [int(k) for k in self.arrays["chunk"]]


def read_files(folder: str | Path) -> list[LabelFile]:
    """All label files of a folder, or the one file that the path names.

    Raises
    ------
    InputError
        If there is none, or one cannot be read.
    """
    place = Path(folder)
    paths = sorted(place.glob("*.npz")) if place.is_dir() else [place]
    if not paths:
        raise InputError("E101", "no label files", place=Place(str(folder)), expected="files *.npz")
    return [_read(path) for path in paths]


def _read(path: Path) -> LabelFile:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        reason = error.strerror or "it is no .npz file"
        raise InputError("E101", f"cannot be read: {reason}", place=Place(str(path))) from None
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError("E102", f"no label file: {error}", place=Place(str(path)), expected="a .npz file") from None
    chunk = arrays.get("chunk")
    if chunk is None or chunk.ndim != 1 or chunk.dtype.kind not in "iu" or (chunk < 0).any():
        raise InputError("E118", "no numbers of chunks", place=Place(str(path)), expected="'chunk', int32[c]")
    others = [name for name, array in arrays.items() if array.ndim == 0 or len(array) != len(chunk)]
    if others:
        raise InputError("E115", f"{others[0]!r} has not one entry for each chunk", place=Place(str(path)))
    return LabelFile(path, arrays)


def load(
    problem: Problem[Any], files: Iterable[LabelFile], size: int, device: torch.device, *, held_out: bool
) -> Labels[Any] | None:
    """The labels of instances of ``size``, of the held-out chunks or of all others; ``None`` if there are none.

    A chunk that several files hold is taken once.
    """
    parts: dict[int, Labels[Any]] = {}
    for file in files:
        for row, chunk in enumerate(file.chunks):
            if (chunk < HELD_OUT) == held_out and chunk not in parts:
                found = _chunk(problem, file, row, device)
                if found.codes.shape[1] == size:
                    parts[chunk] = found
    return joined(list(parts.values())) if parts else None


def _chunk(problem: Problem[Any], file: LabelFile, row: int, device: torch.device) -> Labels[Any]:
    try:
        return problem.chunk(file.arrays, row, device)
    except InputError as error:
        raise InputError(error.code, error.found, place=Place(str(file.path)), expected=error.expected) from None


def joined(parts: list[Labels[Any]]) -> Labels[Any]:
    """Labels one after the other."""
    from combopt.learned.problems.base import Labels

    return Labels(concatenate([part.instances for part in parts]), torch.cat([part.codes for part in parts]))


def concatenate(states: list[State]) -> Any:
    """Rows of states of one kind and size one after the other."""
    first = states[0]
    columns = {name: torch.cat([getattr(s, name) for s in states]) for name in first.__dataclass_fields__}
    return type(first)(**columns)


def made(problem: Problem[Any], size: int, count: int, seed: int, device: torch.device) -> Labels[Any]:
    """``count`` labels of small random instances, made here and now by :meth:`Problem.teach`.

    Raises
    ------
    UsageError
        E201 if the problem has no such teacher, or the instances are too large for it.
    """
    from combopt.learned.problems.base import Labels

    if size > problem.teaches:
        raise UsageError(
            "E201",
            f"--size {size} without labels",
            expected=f"at most {problem.teaches}",
            remedy="Give a folder of labels with --labels.",
        )
    instances = problem.uniform(size, count, torch.Generator().manual_seed(seed))
    codes = problem.teach(instances)
    if codes is None:
        raise UsageError("E201", f"no labels for {problem.kind}", remedy="Give a folder of labels with --labels.")
    return Labels(instances, codes.to(torch.int16)).to(device)
