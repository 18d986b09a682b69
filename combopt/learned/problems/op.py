"""Orienteering as a path that is to collect what it can on its way to the destination."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from combopt.errors import InputError
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.solutions import Tour
from combopt.learned.labels import GRID, small, uniform_points
from combopt.learned.problems.base import Labels, Problem, State, Tokens
from combopt.learned.problems.tsp import scatter
from combopt.learned.subsets import MOST, parts, path_lengths, walked_back
from combopt.model import Instance, Ints, Solution

RULES = {
    "EUC_2D": (1.0, 1.0, 0.5, 1.0),
    "CEIL_2D": (1.0, 1.0, 0.0, -1.0),
    "FLOOR_2D": (1.0, 1.0, 0.0, 1.0),
    "EXACT_2D": (1.0, 1.0, 0.0, 0.0),
    "DIMACS_2D": (1.0, 10.0, 1e-9, 1.0),
    "ATT": (10.0, 1.0, 0.0, -1.0),
}
"""Rules whose distances the process computes as the instance does: what the square is divided by, then the root times
a factor plus an addend, rounded down (1), up (-1) or not (0)."""
ROOM = 8
"""Training examples are cut to a multiple of so many tokens, so that a compiled network sees few shapes."""


@dataclass(frozen=True)
class OpState(State):
    """A path from the origin to the destination with so much length left, and the nodes it may visit on its way.

    Lengths are exact, in the steps of the instance: double precision holds its whole numbers, and whether a node is
    within reach must not hang on rounding.

    Parameters
    ----------
    points
        ``float64[B, T, 2]``: first the origin (the node visited last), last the destination (the depot, or the end of
        an open path), the others in any order between them.
    prize
        ``float64[B, T]``, 0 for the two ends.
    node
        ``int64[B, T]``, the numbers in the whole instance.
    left
        ``float64[B]``: the longest that the path may be.
    rule
        ``float64[B, 4]``, of :data:`RULES`.
    """

    points: Tensor
    prize: Tensor
    node: Tensor
    left: Tensor
    rule: Tensor

    def at(self, tokens: Tensor) -> OpState:
        """The state whose tokens are the given ones, ``int64[B, t]``."""
        pairs = tokens.unsqueeze(-1).expand(-1, -1, 2)
        points, prize, node = self.points.gather(1, pairs), self.prize.gather(1, tokens), self.node.gather(1, tokens)
        return replace(self, points=points, prize=prize, node=node)

    @property
    def away(self) -> tuple[Tensor, Tensor]:
        """``float64[B, T]`` each: distances from the origin and to the destination."""
        rule = self.rule.unsqueeze(1)
        return distances(self.points[:, :1], self.points, rule), distances(self.points, self.points[:, -1:], rule)

    @property
    def reachable(self) -> Tensor:
        """``bool[B, T]``: nodes with a prize that can be visited on the way; false for both ends."""
        there, onward = self.away
        within = (there + onward <= self.left.unsqueeze(1)) & (self.prize > 0)
        within[:, 0] = within[:, -1] = False
        return within

    def after(self, visited: Tensor, origin: Tensor, spent: Tensor, multiple: int = 1) -> OpState:
        """The state after a walk of length ``spent: float64[B]`` by the tokens ``visited: int64[B, k]`` to ``origin:
        int64[B, 1]``; see :meth:`compact`."""
        order = torch.arange(self.node.shape[1], device=self.device).repeat(len(self), 1)
        order[:, :1] = origin
        # What was visited has no prize any more, which puts it out of reach.
        prize = self.prize.scatter(1, visited, 0.0)
        return replace(self, prize=prize, left=self.left - spent).at(order).compact(multiple)

    def compact(self, multiple: int = 1) -> OpState:
        """The same without tokens that are out of reach, as far as all rows can do without so many.

        Where distances keep the triangle inequality, what is out of reach once is so for ever.
        """
        reachable = self.reachable
        kept = int(reachable.sum(dim=1).amax()) if len(reachable) else 0
        kept += -(kept + 2) % multiple
        count = reachable.shape[1]
        if kept >= count - 2:
            return self
        inner = (~reachable[:, 1:-1]).to(torch.int8).argsort(dim=1, stable=True)[:, :kept] + 1
        first = torch.zeros_like(self.node[:, :1])
        return self.at(torch.cat([first, inner, first + count - 1], dim=1))


class OpProcess(Problem[OpState]):
    """Tours built node by node until nothing is within reach; codes are the nodes without the ends.

    The objective is the prize of these nodes; that of the depot, and of the end of an open path, is a constant and
    left out.  Parts of a solution cannot be built again by themselves, for they need not keep their number of nodes.
    """

    kind = "op"
    node_features = 15
    edge_features = 1
    teaches = MOST

    # --- instances and solutions ---------------------------------------------------------------------------------

    def start(self, instance: Instance) -> OpState:
        assert isinstance(instance, Op)
        metric, last = instance.metric, instance.depot if instance.end is None else instance.end
        assert metric.coordinates is not None
        limit = Fraction(instance.limit) * metric.unit
        # Sums of unrounded distances may be off by some last digits.
        left = float(math.floor(limit)) if metric.integral else float(limit) * (1 - 1e-12)
        others = [v for v in range(instance.nodes) if v not in (instance.depot, last)]
        node = torch.tensor([[instance.depot, *others, last]])
        prize = torch.from_numpy(instance.prize.astype(np.float64))[node]
        prize[:, 0] = prize[:, -1] = 0.0
        points = torch.from_numpy(metric.coordinates.copy())[node]
        left_of = torch.tensor([left], dtype=torch.float64)
        return OpState(points, prize, node, left_of, torch.tensor([RULES[metric.rule]], dtype=torch.float64)).compact()

    def solution(self, instance: Instance, codes: Ints) -> Solution:
        assert isinstance(instance, Op)
        ends = [] if instance.end is None else [instance.end]
        return Tour(np.concatenate([[instance.depot], codes, ends]).astype(np.int64))

    def codes(self, instance: Instance, solution: Solution) -> Ints:
        assert isinstance(instance, Op)
        assert isinstance(solution, Tour)
        order = np.roll(solution.order, -int(np.flatnonzero(solution.order == instance.depot)[0]))
        return order[(order != instance.depot) & (order != instance.end)]

    def cost(self, instances: OpState, codes: Tensor) -> Tensor:
        codes = codes.to(torch.int64)
        prizes = instances.prize.gather(1, _tokens_of(instances, codes.clamp_min(0)))
        return -torch.where(codes >= 0, prizes, 0.0).sum(dim=1)

    # --- the process ---------------------------------------------------------------------------------------------

    def tokens(self, state: OpState) -> Tokens:
        """Points centred in the bounding box of what is within reach, and divided by its longer side.

        What is out of reach is not seen at all.  Columns: the point, its offsets from origin and destination, both
        distances, both and their sum as a share of the length left, the prize as a share of the largest, the length
        left in sides of the box and in lengths of a tour through all that is seen, as Beardwood, Halton and
        Hammersley (1959) estimate it (both as logarithms of one plus that), and the logarithm of one plus the
        distance from the origin in units of the mean spacing.  Edges: distances times log2 of the number of tokens
        that are seen.
        """
        reachable = state.reachable
        seen = reachable.clone()
        seen[:, 0] = seen[:, -1] = True
        inside = seen.unsqueeze(2)
        low = state.points.masked_fill(~inside, torch.inf).amin(dim=1, keepdim=True)
        high = state.points.masked_fill(~inside, -torch.inf).amax(dim=1, keepdim=True)
        side = (high - low).amax(dim=2, keepdim=True)
        side = torch.where(side > 0, side, torch.ones_like(side))
        points = torch.where(inside, (state.points - (low + high) / 2) / side, 0.0).to(torch.float32)
        # The length left in the same unit: steps of the rule to a unit of its coordinates, without rounding.
        steps = state.rule[:, 1] / state.rule[:, 0].sqrt()
        left = (state.left / steps / side.flatten()).to(torch.float32).view(-1, 1)
        count = seen.sum(dim=1, keepdim=True).to(torch.float32)
        from_origin, to_destination = points - points[:, :1], points - points[:, -1:]
        near, far = from_origin.norm(dim=-1), to_destination.norm(dim=-1)
        share = left.clamp_min(1e-6)
        largest = state.prize.masked_fill(~reachable, 0.0).amax(dim=1, keepdim=True)
        worth = (state.prize / torch.where(largest > 0, largest, 1.0)).to(torch.float32)
        columns = [
            near,
            far,
            (near / share).clamp(max=1.5),
            (far / share).clamp(max=1.5),
            ((near + far) / share).clamp(max=1.5),
            worth,
            left.log1p().expand_as(near),
            (left / (0.7124 * count.sqrt())).log1p().expand_as(near),
            torch.log1p(count.sqrt() * near),
        ]
        nodes = torch.cat([points, from_origin, to_destination], dim=-1)
        nodes = torch.cat([nodes, torch.stack(columns, dim=-1)], dim=-1).masked_fill(~inside, 0.0)
        between = (points.unsqueeze(1) - points.unsqueeze(2)).norm(dim=-1) * count.log2().unsqueeze(2)
        return Tokens(nodes, between.unsqueeze(3), seen)

    def feasible(self, state: OpState) -> Tensor:
        return state.reachable

    def step(self, state: OpState, action: Tensor) -> tuple[OpState, Tensor]:
        chosen = action.clamp_min(0).unsqueeze(1)  # a finished row goes from its origin to its origin
        spent = state.away[0].gather(1, chosen).squeeze(1)
        cost = -state.prize.gather(1, chosen).squeeze(1).to(torch.float32)
        return state.after(chosen, chosen, spent), cost

    def code(self, state: OpState, action: Tensor) -> Tensor:
        return state.node.gather(1, action.unsqueeze(1)).squeeze(1)

    def view(self, state: OpState, k: int) -> tuple[OpState, Tensor | None]:
        """Of what is within reach the nearest nodes, half of ``k``, and the most valuable of the others."""
        count = state.node.shape[1]
        if count - 2 <= k:
            return state, None
        reachable = state.reachable
        near = (-state.away[0]).masked_fill(~reachable, -torch.inf)[:, 1:-1].topk(k - k // 2, dim=1).indices + 1
        worth = state.prize.masked_fill(~reachable, -1.0).scatter(1, near, -2.0)
        dear = worth[:, 1:-1].topk(k // 2, dim=1).indices + 1
        inner = torch.cat([near, dear], dim=1).sort(dim=1).values
        tokens = torch.cat([torch.zeros_like(inner[:, :1]), inner, torch.full_like(inner[:, :1], count - 1)], dim=1)
        return state.at(tokens), tokens

    def signature(self, state: OpState) -> Tensor:
        """Of the nodes within reach, the origin and the length left."""
        within = torch.where(state.reachable, scatter(state.node), 0).sum(dim=1)
        return within + scatter(3 * state.node[:, 0] + 1_000_003) + scatter(state.left.view(torch.int64))

    # --- solutions as teachers -----------------------------------------------------------------------------------

    def sizes(self, length: int) -> range:
        return range(1, length + 1)

    def room(self, instances: OpState, size: int) -> int:
        return instances.node.shape[1]

    def rearrange(self, instances: OpState, codes: Tensor, generator: torch.Generator) -> Tensor:
        """A closed tour in a random direction."""
        count, length = codes.shape
        turned = torch.randint(2, (count, 1), generator=generator, device=codes.device) == 1
        turned &= instances.node[:, :1] == instances.node[:, -1:]
        place = torch.arange(length, device=codes.device)
        back = (length - 1 - place + (codes < 0).sum(dim=1, keepdim=True)).clamp_max(length - 1)
        return torch.where(turned & (codes >= 0), codes.gather(1, back), codes)

    def tail(self, instances: OpState, codes: Tensor, size: int) -> OpState:
        codes = codes.to(torch.int64)
        before = codes[:, : max(0, codes.shape[1] - size)]
        tokens = torch.where(before >= 0, _tokens_of(instances, before.clamp_min(0)), 0)
        walked = torch.cat([torch.zeros_like(instances.node[:, :1]), tokens], dim=1)
        path = instances.at(walked).points
        steps = distances(path[:, :-1], path[:, 1:], instances.rule.unsqueeze(1)).sum(dim=1)
        return instances.after(tokens, walked[:, -1:], steps, ROOM)

    def target(self, state: OpState, codes: Tensor) -> Tensor:
        codes = codes.to(torch.int64)
        first = (codes >= 0).to(torch.int8).argmax(dim=1, keepdim=True)
        match = (state.node == codes.gather(1, first)) & state.reachable
        return torch.where(match.any(dim=1), match.to(torch.int8).argmax(dim=1), -1)

    def symmetric(self, state: OpState, generator: torch.Generator) -> OpState:
        """Reflections and quarter turns: the eight symmetries of the square."""
        drawn = torch.randint(8, (len(state), 1, 1), generator=generator, device=state.device)
        signs = torch.cat([1 - 2 * (drawn % 2), 1 - 2 * (drawn // 2 % 2)], dim=-1)
        points = torch.where(drawn >= 4, state.points.flip(-1), state.points) * signs
        return replace(state, points=points)

    # --- labels --------------------------------------------------------------------------------------------------

    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[OpState]:
        """Labels from ``route: uint8[c, m, n]`` (``uint16`` from 256 nodes on), 0 in front of the nodes visited.

        Points are those of chunk ``k`` for ``n + 1`` nodes, of which the first is the depot.
        """
        coded = arrays.get("route")
        if coded is None or coded.ndim != 3:
            raise InputError("E118", "no array of routes", expected="'route', uint8 or uint16[c, m, n]")
        count, n = coded.shape[1:]
        number = int(arrays["chunk"][row])
        codes = torch.from_numpy(coded[row].astype(np.int64)).to(device)
        visited = torch.zeros(count, n + 1, dtype=torch.int64, device=device)
        if bool((codes > n).any()) or bool((visited.scatter_add(1, codes, torch.ones_like(codes))[:, 1:] > 1).any()):
            raise InputError("E120", f"chunk {number} holds a route that visits a node twice, or none of its nodes")
        instances = fresh(torch.from_numpy(uniform_points(n + 1, number, count)).to(device))
        codes = torch.where(codes == 0, -1, codes)
        whole = self.tail(instances, codes, 0)
        if bool((whole.left < whole.away[1][:, 0]).any()):
            raise InputError("E120", f"chunk {number} holds a route that is too long")
        return Labels(instances, codes.to(torch.int16))

    def chunk_instances(self, size: int, chunk: int, count: int) -> list[Instance]:
        state = fresh(torch.from_numpy(uniform_points(size + 1, chunk, count)))
        return [
            Op(
                metric=Metric(rule="CEIL_2D", coordinates=state.points[row, :-1].numpy()),
                prize=state.prize[row, :-1].numpy().astype(np.int64),
                limit=int(state.left[row]),
            )
            for row in range(count)
        ]

    def chunk_arrays(self, size: int, chunk: int, codes: list[Ints]) -> dict[str, npt.NDArray[Any]]:
        routes = np.zeros((1, len(codes), size), dtype=small(size + 1))
        for row, nodes in enumerate(codes):
            routes[0, row, size - len(nodes) :] = nodes
        return {"route": routes}

    def uniform(self, size: int, count: int, generator: torch.Generator) -> OpState:
        """The instances of Kool, van Hoof and Welling (2019) with prizes by distance: ``size`` nodes and a depot."""
        shape = (count, size + 1, 2)
        return fresh(torch.randint(GRID, shape, generator=generator, device=generator.device))

    def teach(self, instances: OpState) -> Tensor | None:
        """Best tours, of these the shortest, of up to twelve nodes and the depot."""
        m = instances.node.shape[1] - 2
        if m > self.teaches:
            return None
        found = [torch.zeros(0, m, dtype=torch.int64, device=instances.device)]
        begin = 0
        bits = torch.arange(m, device=instances.device)
        inside = ((torch.arange(1 << m, device=instances.device).unsqueeze(1) >> bits) & 1).to(torch.float64)
        points, rule = instances.points, instances.rule.view(-1, 1, 1, 4)
        for between in parts(distances(points.unsqueeze(2), points.unsqueeze(1), rule)[:, :-1, :-1]):
            part = instances.take(torch.arange(begin, begin + len(between), device=instances.device))
            begin += len(between)
            length = path_lengths(between)
            back, last = (length + part.away[1][:, 1:-1].unsqueeze(1)).min(dim=2)
            back[:, 0] = 0.0
            worth = part.prize[:, 1:-1] @ inside.T
            worth = worth.masked_fill(back > part.left.unsqueeze(1), -1.0)
            best = worth.amax(dim=1, keepdim=True)
            subset = back.masked_fill(worth < best, torch.inf).argmin(dim=1)
            path = walked_back(between, length, subset, last.gather(1, subset.unsqueeze(1)).squeeze(1))
            found.append(torch.where(path >= 0, part.node.gather(1, path.clamp_min(0)), -1))
        return torch.cat(found)


def distances(a: Tensor, b: Tensor, rule: Tensor) -> Tensor:
    """Distances between points ``float64[..., 2]`` under rules ``float64[..., 4]``, as :class:`Metric` has them."""
    square = (a[..., 0] - b[..., 0]) ** 2 + (a[..., 1] - b[..., 1]) ** 2
    root = _root(square / rule[..., 0]) * rule[..., 1]
    way = rule[..., 3]
    rounded = way * torch.floor(way * root + rule[..., 2])
    return torch.where(way == 0, root, rounded)


def _root(square: Tensor) -> Tensor:
    """The correctly rounded root, as numpy and GPUs have it; torch's on CPUs may be wrong in the last digit."""
    return torch.from_numpy(np.sqrt(square.numpy())) if square.device.type == "cpu" else square.sqrt()


def fresh(grid: Tensor) -> OpState:
    """Instances of the literature from points ``int64[B, n + 1, 2]`` on the grid, the first of them the depot.

    The prize is ``1 + floor(99 d / max d)`` with d the distance from the depot; distances are rounded up, and the
    limit is that of :func:`limit`.
    """
    count, nodes = grid.shape[:2]
    node = torch.arange(nodes + 1, device=grid.device) % nodes
    points = grid.to(torch.float64)[:, node]
    rule = torch.tensor(RULES["CEIL_2D"], dtype=torch.float64, device=grid.device).expand(count, -1)
    away = distances(points[:, :1], points, rule.unsqueeze(1)).to(torch.int64)
    prize = (1 + 99 * away // away.amax(dim=1, keepdim=True).clamp_min(1)).to(torch.float64)
    prize[:, 0] = prize[:, -1] = 0.0
    left = torch.full((count,), float(limit(nodes - 1)), dtype=torch.float64, device=grid.device)
    return OpState(points, prize, node.expand(count, -1), left, rule)


def limit(size: int) -> int:
    """The limit in steps of the grid: 2, 3 and 4 sides of the square for 20, 50 and 100 nodes, as in the literature.

    In between along straight lines, below 20 down to 1, and 4 above 100.
    """
    return round(GRID * float(np.interp(size, [0, 20, 50, 100], [1.0, 2.0, 3.0, 4.0])))


def _tokens_of(state: OpState, nodes: Tensor) -> Tensor:
    """``int64[B, k]``: the tokens of nodes, by number; 0, the origin, for those that there are not."""
    most = 1 + max(int(state.node.amax()), int(nodes.amax()) if nodes.numel() else 0)
    place = torch.arange(state.node.shape[1] - 1, device=nodes.device).expand(len(nodes), -1)
    table = torch.zeros(len(nodes), most, dtype=torch.int64, device=nodes.device)
    return table.scatter(1, state.node[:, :-1], place).gather(1, nodes)
