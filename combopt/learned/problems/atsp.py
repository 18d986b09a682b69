"""The asymmetric travelling salesman problem: a path through a matrix that is to be completed.

There are no coordinates.  What the network knows of the matrix stands in columns added to its attention scores, as
GOAL does it (Drakulic, Michel and Andreoli, "GOAL: a generalist combinatorial optimization agent learner", ICLR 2025),
and, for the arcs that matter at once, in the features of the nodes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from combopt.errors import InputError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.learned.labels import GRID, small
from combopt.learned.problems.base import Labels, Pieces, Problem, State, Tokens
from combopt.learned.problems.tsp import scatter
from combopt.learned.subsets import MOST, parts, path_lengths, walked_back
from combopt.model import Instance, Ints, Solution

FAR = 4.0
"""Arcs are looked at up to so many times the typical one; longer ones differ by rank alone."""


@dataclass(frozen=True)
class AtspState(State):
    """A path from the origin, through all nodes not yet visited, to the destination.

    ``matrix: float32[B, T, T]``, row to column, and ``node: int64[B, T]``, the numbers of the nodes in the whole
    instance; first the origin (the node visited last), last the destination (the first node of the tour).  A fresh
    instance is a path from node 0 to node 0, and its token i is node i.
    """

    matrix: Tensor
    node: Tensor

    def at(self, tokens: Tensor) -> AtspState:
        """The state whose tokens are the given ones, ``int64[B, t]``."""
        count = tokens.shape[1]
        rows = self.matrix.gather(1, tokens.unsqueeze(2).expand(-1, -1, self.matrix.shape[2]))
        return AtspState(rows.gather(2, tokens.unsqueeze(1).expand(-1, count, -1)), self.node.gather(1, tokens))

    @classmethod
    def fresh(cls, matrix: Tensor) -> AtspState:
        """Whole instances from ``float32[B, n, n]``."""
        count, n = matrix.shape[:2]
        node = torch.arange(n + 1, device=matrix.device) % n
        return cls(matrix[:, node][:, :, node], node.expand(count, -1))


class AtspProcess(Problem[AtspState]):
    """Tours built node by node; codes are the nodes in order."""

    kind = "atsp"
    node_features = 8
    edge_features = 4
    rebuilds = True
    teaches = MOST + 1

    # --- instances and solutions ---------------------------------------------------------------------------------

    def start(self, instance: Instance) -> AtspState:
        assert isinstance(instance, Atsp)
        matrix = instance.metric.full().astype(np.float64)
        largest = float(np.abs(matrix).max()) or 1.0
        return AtspState.fresh(torch.from_numpy((matrix / largest).astype(np.float32))[None])

    def solution(self, instance: Instance, codes: Ints) -> Solution:
        return Tour(codes)

    def codes(self, instance: Instance, solution: Solution) -> Ints:
        assert isinstance(solution, Tour)
        return solution.order

    def cost(self, instances: AtspState, codes: Tensor) -> Tensor:
        codes = codes.to(torch.int64)
        arcs = codes * instances.node.shape[1] + codes.roll(-1, dims=1)
        return instances.matrix.flatten(1).gather(1, arcs).to(torch.float64).sum(dim=1)

    # --- the process ---------------------------------------------------------------------------------------------

    def tokens(self, state: AtspState) -> Tokens:
        """Lengths in units of a typical arc of the tail: the median over rows of the median of the row.

        Only arcs that a path can take count: none into the origin, out of the destination, or from a node to itself.
        A few prohibitive ones do not change the unit, which the largest entry would.

        Columns of nodes: the arc from the origin and the arc to the destination, the logarithm of one plus their ranks
        among those out of the origin and into the destination, the shortest and the mean arc out of the node and into
        it.  Columns of edges: the arc and the one back, times log2 of the number of tokens (as for tours in the
        plane), and the logarithm of one plus the rank of either among the arcs out of the same node.  Equal arcs have
        equal ranks, so the order of the nodes does not matter.
        """
        count = state.matrix.shape[1]
        device = state.matrix.device
        place = torch.arange(count, device=device)
        usable = (place != 0) & (place.unsqueeze(1) != count - 1) & (place.unsqueeze(1) != place)
        usable[0, -1] = count == 2
        arcs = state.matrix.masked_fill(~usable, torch.inf)
        out_of, into = arcs.sort(dim=2).values, arcs.sort(dim=1).values
        scale = _unit(out_of[:, :-1], usable[:-1].sum(dim=1))
        ranks = torch.where(usable, torch.searchsorted(out_of, state.matrix.contiguous()), 0)
        to_last = torch.searchsorted(into[:, :, -1].contiguous(), state.matrix[:, :, -1].contiguous())
        to_last = torch.where(usable[:, -1], to_last, 0)
        ranks, to_last = ranks.to(torch.float32).log1p(), to_last.to(torch.float32).log1p()
        lengths = torch.where(usable, (state.matrix / scale).clamp(-FAR, FAR), 0.0)
        shortest_out, shortest_in = (torch.where(a.isfinite(), a, 0.0) for a in (out_of[:, :, 0], into[:, 0]))
        columns = [
            lengths[:, 0],
            lengths[:, :, -1],
            ranks[:, 0],
            to_last,
            (shortest_out / scale[:, 0]).clamp(-FAR, FAR),
            (shortest_in / scale[:, 0]).clamp(-FAR, FAR),
            lengths.sum(dim=2) / usable.sum(dim=1).clamp_min(1),
            lengths.sum(dim=1) / usable.sum(dim=0).clamp_min(1),
        ]
        sharp = lengths * math.log2(count)
        edges = [sharp, sharp.transpose(1, 2), ranks, ranks.transpose(1, 2)]
        return Tokens(torch.stack(columns, dim=-1), torch.stack(edges, dim=-1))

    def feasible(self, state: AtspState) -> Tensor:
        open_ = torch.ones(state.node.shape, dtype=torch.bool, device=state.node.device)
        open_[:, 0] = open_[:, -1] = False
        return open_

    def step(self, state: AtspState, action: Tensor) -> tuple[AtspState, Tensor]:
        count = state.node.shape[1]
        chosen = action.unsqueeze(1)
        rest = torch.arange(1, count - 1, device=action.device).unsqueeze(0)
        cost = state.matrix[:, 0].gather(1, chosen).squeeze(1)
        after = state.at(torch.cat([chosen, rest + (rest >= chosen)], dim=1))
        if count == 3:  # nothing is left but the way to the destination
            cost = cost + after.matrix[:, 0, 1]
        return after, cost

    def code(self, state: AtspState, action: Tensor) -> Tensor:
        return state.node.gather(1, action.unsqueeze(1)).squeeze(1)

    def opening(self, state: AtspState) -> Tensor:
        return state.node[:, :1]

    def view(self, state: AtspState, k: int) -> tuple[AtspState, Tensor | None]:
        """The nodes to which the arcs from the origin are shortest, with origin and destination."""
        count = state.node.shape[1]
        if count - 2 <= k:
            return state, None
        near = state.matrix[:, 0, 1:-1].topk(k, dim=1, largest=False).indices.sort(dim=1).values + 1
        tokens = torch.cat([torch.zeros_like(near[:, :1]), near, torch.full_like(near[:, :1], count - 1)], dim=1)
        return state.at(tokens), tokens

    def signature(self, state: AtspState) -> Tensor:
        return scatter(state.node[:, 1:-1]).sum(dim=1) + scatter(3 * state.node[:, 0] + 1_000_003)

    # --- solutions as teachers -----------------------------------------------------------------------------------

    def sizes(self, length: int) -> range:
        return range(2, length)

    def rearrange(self, instances: AtspState, codes: Tensor, generator: torch.Generator) -> Tensor:
        """The tour from a random first node."""
        count, n = codes.shape
        first = torch.randint(n, (count, 1), generator=generator, device=codes.device)
        return codes.gather(1, (first + torch.arange(n, device=codes.device)) % n)

    def tail(self, instances: AtspState, codes: Tensor, size: int) -> AtspState:
        n = codes.shape[1]
        return instances.at(torch.cat([codes[:, n - size - 1 :], codes[:, :1]], dim=1).to(torch.int64))

    def target(self, state: AtspState, codes: Tensor) -> Tensor:
        return torch.ones(len(codes), dtype=torch.int64, device=codes.device)  # tails list the nodes in their order

    def pieces(self, codes: Tensor, size: int, most: int, generator: torch.Generator) -> Pieces:
        """Paths of ``size`` nodes one after the other along the tour."""
        count, n = codes.shape
        size = min(size, n - 1)
        pieces = min(most, n // (size + 1))
        first = torch.randint(n, (count, 1), generator=generator, device=codes.device)
        begin = first + (size + 1) * (1 + torch.arange(pieces, device=codes.device))  # the fixed node behind each
        places = (begin.unsqueeze(2) + torch.arange(n, device=codes.device)) % n
        rows = codes.unsqueeze(1).expand(-1, pieces, -1).gather(2, places)
        return Pieces(codes, rows, places[:, :, n - size :])

    # --- labels --------------------------------------------------------------------------------------------------

    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[AtspState]:
        """Labels from ``cycle: uint8[c, m, n]`` (``uint16`` from 257 nodes on): nodes in order, from node 0."""
        coded = arrays.get("cycle")
        if coded is None or coded.ndim != 3:
            raise InputError("E118", "no array of cycles", expected="'cycle', uint8 or uint16[c, m, n]")
        count, n = coded.shape[1:]
        number = int(arrays["chunk"][row])
        codes = torch.from_numpy(coded[row].astype(np.int16)).to(device)
        if not bool((codes.sort(dim=1).values == torch.arange(n, device=device)).all()):
            raise InputError("E120", f"chunk {number} holds a tour that is no permutation")
        matrix = closed(torch.from_numpy(random_entries(n, number, count)).to(device))
        return Labels(AtspState.fresh(matrix.to(torch.float32) / GRID), codes)

    def chunk_instances(self, size: int, chunk: int, count: int) -> list[Instance]:
        matrices = closed(torch.from_numpy(random_entries(size, chunk, count))).numpy().astype(np.int64)
        return [Atsp(metric=Metric(rule="EXPLICIT", matrix=matrix)) for matrix in matrices]

    def chunk_arrays(self, size: int, chunk: int, codes: list[Ints]) -> dict[str, npt.NDArray[Any]]:
        tours = np.stack([np.roll(order, -int(order.argmin())) for order in codes])
        return {"cycle": tours[None].astype(small(size))}

    def uniform(self, size: int, count: int, generator: torch.Generator) -> AtspState:
        """Matrices of MatNet: uniform entries, closed under the triangle inequality."""
        shape = (count, size, size)
        entries = torch.randint(GRID, shape, generator=generator, device=generator.device, dtype=torch.int32)
        return AtspState.fresh(closed(entries).to(torch.float32) / GRID)

    def teach(self, instances: AtspState) -> Tensor | None:
        """Shortest tours of up to thirteen nodes."""
        n = instances.node.shape[1] - 1
        if n > self.teaches:
            return None
        if n == 1:
            return instances.node[:, :1]
        found = []
        for between in parts(instances.matrix[:, :n, :n]):
            lengths = path_lengths(between)
            last = (lengths[:, -1] + between[:, 1:, 0]).argmin(dim=1)
            found.append(walked_back(between, lengths, torch.full_like(last, (1 << (n - 1)) - 1), last))
        tours = torch.cat(found)
        return torch.cat([torch.zeros_like(tours[:, :1]), tours], dim=1)


def _unit(out_of: Tensor, usable: Tensor) -> Tensor:
    """``float32[B, 1, 1]``: the median of the medians of the rows of ``out_of``, each sorted, ``usable`` entries long.

    Where that is not positive the largest entry, and 1 if that is not either.
    """
    middle = ((usable - 1) // 2).clamp_min(0).view(1, -1, 1).expand(len(out_of), -1, 1)
    median = out_of.gather(2, middle).squeeze(2).median(dim=1).values
    largest = torch.where(out_of.isfinite(), out_of, 0.0).amax(dim=(1, 2))
    scale = torch.where(median > 0, median, torch.where(largest > 0, largest, 1.0))
    return scale.view(-1, 1, 1)


def random_entries(n: int, chunk: int, count: int) -> npt.NDArray[np.int32]:
    """``int32[count, n, n]``: what the matrices of a chunk of instances are made of."""
    return np.random.default_rng([n, chunk]).integers(0, GRID, (count, n, n)).astype(np.int32)


def closed(entries: Tensor) -> Tensor:
    """Lengths of shortest ways, ``int32[B, n, n]``, with 0 on the diagonal (Floyd 1962; Warshall 1962)."""
    matrix = entries.clone()
    matrix.diagonal(dim1=1, dim2=2).zero_()
    for k in range(matrix.shape[1]):
        torch.minimum(matrix, matrix[:, :, k : k + 1] + matrix[:, k : k + 1], out=matrix)
    return matrix
