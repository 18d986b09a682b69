"""The travelling salesman problem as a path that is to be completed."""

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
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.learned.improve import short_tours
from combopt.learned.labels import GRID, orders_of_ranks, ranks_of_tours, uniform_points
from combopt.learned.problems.base import Labels, Pieces, Problem, State, Tokens, in_unit_box
from combopt.model import Instance, Ints, Solution

STARTS = 8
"""Random tours that the teacher of small instances improves, the best of which is the label."""


@dataclass(frozen=True)
class TspState(State):
    """A path from the origin, through all nodes not yet visited, to the destination.

    ``points: float32[B, T, 2]`` and ``node: int64[B, T]``, the numbers of the nodes in the whole instance; first the
    origin (the node visited last), last the destination (the first node of the tour), the others in any order between
    them.  A fresh instance is a path from node 0 to node 0, and its token i is node i.
    """

    points: Tensor
    node: Tensor

    def at(self, tokens: Tensor) -> TspState:
        """The state whose tokens are the given ones, ``int64[B, t]``."""
        pairs = tokens.unsqueeze(-1).expand(-1, -1, 2)
        return TspState(self.points.gather(1, pairs), self.node.gather(1, tokens))

    @classmethod
    def fresh(cls, points: Tensor) -> TspState:
        """Whole instances from ``float32[B, n, 2]``."""
        count, n = points.shape[:2]
        node = torch.arange(n + 1, device=points.device) % n
        return cls(torch.cat([points, points[:, :1]], dim=1), node.expand(count, -1))


class TspProcess(Problem[TspState]):
    """Tours built node by node; codes are the nodes in order."""

    kind = "tsp"
    node_features = 9
    edge_features = 1
    rebuilds = True

    # --- instances and solutions ---------------------------------------------------------------------------------

    def start(self, instance: Instance) -> TspState:
        assert isinstance(instance, Tsp)
        points = instance.metric.coordinates
        assert points is not None
        return TspState.fresh(in_unit_box(points)[None])

    def solution(self, instance: Instance, codes: Ints) -> Solution:
        return Tour(codes)

    def codes(self, instance: Instance, solution: Solution) -> Ints:
        assert isinstance(solution, Tour)
        return solution.order

    def cost(self, instances: TspState, codes: Tensor) -> Tensor:
        points = instances.at(codes.to(torch.int64)).points.to(torch.float64)
        return (points - points.roll(-1, dims=1)).norm(dim=-1).sum(dim=1)

    # --- the process ---------------------------------------------------------------------------------------------

    def tokens(self, state: TspState) -> Tokens:
        """Points centred in their bounding box and divided by its longer side, so that no tail looks large or small.

        Columns: the point, its offsets from origin and destination, both distances, and the logarithm of one plus the
        distance from the origin in units of the mean spacing.  Edges: distances times log2 of the number of tokens,
        which keeps attention as sharp among many nodes as among few (Zhou et al. 2024, "Instance-conditioned
        adaptation for large-scale generalization of neural combinatorial optimization").
        """
        low, high = state.points.amin(dim=1, keepdim=True), state.points.amax(dim=1, keepdim=True)
        side = (high - low).amax(dim=2, keepdim=True)
        side = torch.where(side > 0, side, torch.ones_like(side))
        points = (state.points - (low + high) / 2) / side
        count = points.shape[1]
        from_origin, to_destination = points - points[:, :1], points - points[:, -1:]
        near, far = from_origin.norm(dim=-1, keepdim=True), to_destination.norm(dim=-1, keepdim=True)
        spaced = torch.log1p(math.sqrt(count) * near)
        nodes = torch.cat([points, from_origin, to_destination, near, far, spaced], dim=-1)
        between = (points.unsqueeze(1) - points.unsqueeze(2)).norm(dim=-1, keepdim=True)
        return Tokens(nodes, between * math.log2(count))

    def feasible(self, state: TspState) -> Tensor:
        open_ = torch.ones(state.node.shape, dtype=torch.bool, device=state.node.device)
        open_[:, 0] = open_[:, -1] = False
        return open_

    def step(self, state: TspState, action: Tensor) -> tuple[TspState, Tensor]:
        count = state.node.shape[1]
        chosen = action.unsqueeze(1)
        rest = torch.arange(1, count - 1, device=action.device).unsqueeze(0)
        after = state.at(torch.cat([chosen, rest + (rest >= chosen)], dim=1))
        cost = (after.points[:, 0] - state.points[:, 0]).norm(dim=-1)
        if count == 3:  # nothing is left but the way to the destination
            cost = cost + (after.points[:, 0] - after.points[:, 1]).norm(dim=-1)
        return after, cost

    def code(self, state: TspState, action: Tensor) -> Tensor:
        return state.node.gather(1, action.unsqueeze(1)).squeeze(1)

    def opening(self, state: TspState) -> Tensor:
        return state.node[:, :1]

    def view(self, state: TspState, k: int) -> tuple[TspState, Tensor | None]:
        """The nodes nearest to the origin, with origin and destination.

        A destination outside of their box is moved to the nearest point of it: seen from here its direction matters,
        and the box must not grow, or the near nodes would shrink to a point.
        """
        count = state.node.shape[1]
        if count - 2 <= k:
            return state, None
        away = (state.points[:, 1:-1] - state.points[:, :1]).square().sum(dim=-1)
        near = away.topk(k, dim=1, largest=False).indices.sort(dim=1).values + 1
        tokens = torch.cat([torch.zeros_like(near[:, :1]), near, torch.full_like(near[:, :1], count - 1)], dim=1)
        seen = state.at(tokens)
        here = seen.points[:, :-1]
        last = seen.points[:, -1:].clamp(here.amin(dim=1, keepdim=True), here.amax(dim=1, keepdim=True))
        return TspState(torch.cat([here, last], dim=1), seen.node), tokens

    def signature(self, state: TspState) -> Tensor:
        return scatter(state.node[:, 1:-1]).sum(dim=1) + scatter(3 * state.node[:, 0] + 1_000_003)

    # --- solutions as teachers -----------------------------------------------------------------------------------

    def sizes(self, length: int) -> range:
        return range(2, length)

    def rearrange(self, instances: TspState, codes: Tensor, generator: torch.Generator) -> Tensor:
        count, n = codes.shape
        first = torch.randint(n, (count, 1), generator=generator, device=codes.device)
        turn = 2 * torch.randint(2, (count, 1), generator=generator, device=codes.device) - 1
        places = (first + turn * torch.arange(n, device=codes.device)) % n
        return codes.gather(1, places)

    def tail(self, instances: TspState, codes: Tensor, size: int) -> TspState:
        n = codes.shape[1]
        return instances.at(torch.cat([codes[:, n - size - 1 :], codes[:, :1]], dim=1).to(torch.int64))

    def target(self, state: TspState, codes: Tensor) -> Tensor:
        return torch.ones(len(codes), dtype=torch.int64, device=codes.device)  # tails list the nodes in their order

    def symmetric(self, state: TspState, generator: torch.Generator) -> TspState:
        """Reflections and quarter turns: the eight symmetries of the square."""
        points = state.points
        drawn = torch.randint(8, (len(points), 1, 1), generator=generator, device=points.device)
        signs = torch.cat([1 - 2 * (drawn % 2), 1 - 2 * (drawn // 2 % 2)], dim=-1)
        turned = torch.where(drawn >= 4, points.flip(-1), points) * signs
        return TspState(turned, state.node)

    def pieces(self, codes: Tensor, size: int, most: int, generator: torch.Generator) -> Pieces:
        """Paths of ``size`` nodes one after the other along the tour, each seen in a random direction."""
        count, n = codes.shape
        size = min(size, n - 1)
        pieces = min(most, n // (size + 1))
        first = torch.randint(n, (count, 1), generator=generator, device=codes.device)
        turn = torch.randint(2, (count, pieces), generator=generator, device=codes.device)
        ends = first + (size + 1) * torch.arange(pieces, device=codes.device)  # the fixed node before each piece
        begin = torch.where(turn == 0, ends + size + 1, ends)
        places = (begin.unsqueeze(2) + (1 - 2 * turn).unsqueeze(2) * torch.arange(n, device=codes.device)) % n
        rows = codes.unsqueeze(1).expand(-1, pieces, -1).gather(2, places)
        return Pieces(codes, rows, places[:, :, n - size :])

    # --- labels --------------------------------------------------------------------------------------------------

    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[TspState]:
        coded = arrays.get("tour", arrays.get("rank"))
        if coded is None or coded.ndim != 3:
            raise InputError("E118", "no array of tours", expected="'tour' or 'rank', uint8 or uint16[c, m, n]")
        count, n = coded.shape[1], coded.shape[2] + ("tour" not in arrays)
        grid = torch.from_numpy(uniform_points(n, int(arrays["chunk"][row]), count)).to(device)
        values = torch.from_numpy(coded[row].astype(np.int16)).to(device)
        codes = values if "tour" in arrays else orders_of_ranks(grid, values)
        if not bool((codes.sort(dim=1).values == torch.arange(n, device=device)).all()):
            raise InputError("E120", f"chunk {int(arrays['chunk'][row])} holds a tour that is no permutation")
        return Labels(TspState.fresh((grid.to(torch.float64) / GRID).to(torch.float32)), codes.to(torch.int16))

    def chunk_instances(self, size: int, chunk: int, count: int) -> list[Instance]:
        grid = uniform_points(size, chunk, count).astype(np.float64)
        return [Tsp(metric=Metric(rule="EUC_2D", coordinates=points)) for points in grid]

    def chunk_arrays(self, size: int, chunk: int, codes: list[Ints]) -> dict[str, npt.NDArray[Any]]:
        tours = torch.from_numpy(np.stack(codes))
        tours = tours.gather(1, (tours.argmin(dim=1, keepdim=True) + torch.arange(size)) % size)
        back = torch.cat([tours[:, :1], tours[:, 1:].flip(1)], dim=1)
        tours = torch.where(tours[:, 1:2] <= tours[:, -1:], tours, back)
        return {"rank": ranks_of_tours(size, [chunk], tours.numpy()[None])}

    def uniform(self, size: int, count: int, generator: torch.Generator) -> TspState:
        return TspState.fresh(torch.rand(count, size, 2, generator=generator, device=generator.device))

    def teach(self, instances: TspState) -> Tensor:
        return short_tours(instances.points[:, :-1], STARTS)


def scatter(values: Tensor) -> Tensor:
    """Numbers as pseudo-random ones, so that sums tell sets apart (the finaliser of Steele et al.'s SplitMix64)."""
    mixed = (values + 1) * -7046029254386353131
    mixed = (mixed ^ ((mixed >> 30) & 0x3FFFFFFFF)) * -4658895280553007687
    mixed = (mixed ^ ((mixed >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685
    return mixed ^ ((mixed >> 31) & 0x1FFFFFFFF)
