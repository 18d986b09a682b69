"""Capacitated vehicle routing as a path through all customers that comes by the depot now and then."""

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
from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.routing import uniform_customers
from combopt.instances.solutions import Routes
from combopt.learned.exact_routes import MOST, best_routes
from combopt.learned.labels import GRID, ranks_of_routes, routes_of_ranks, small, uniform_customers_of
from combopt.learned.problems.base import Labels, Pieces, Problem, State, Tokens, in_unit_box
from combopt.learned.problems.tsp import scatter
from combopt.model import Instance, Ints, Solution


@dataclass(frozen=True)
class CvrpState(State):
    """A vehicle at the origin, customers that are not yet served, and the depot, where all routes end.

    ``points: float32[B, T, 2]``, ``node: int64[B, T]`` (0 is the depot) and ``demand: int64[B, T]``; first the origin
    (the customer served last), last the depot, the customers in any order between them.  ``left: int64[B]`` is the
    room in the vehicle, ``capacity: int64[B]`` that of an empty one.  A fresh instance stands at the depot with no
    room, so that every route begins by the depot; its token i is node i.
    """

    points: Tensor
    node: Tensor
    demand: Tensor
    left: Tensor
    capacity: Tensor

    def at(self, tokens: Tensor, left: Tensor) -> CvrpState:
        """The state whose tokens are the given ones, ``int64[B, t]``, with ``left`` in the vehicle."""
        points = self.points.gather(1, tokens.unsqueeze(-1).expand(-1, -1, 2))
        return CvrpState(points, self.node.gather(1, tokens), self.demand.gather(1, tokens), left, self.capacity)

    @classmethod
    def fresh(cls, points: Tensor, demand: Tensor, capacity: Tensor) -> CvrpState:
        """Whole instances from ``float32[B, n + 1, 2]``, the depot first, ``int64[B, n]`` and ``int64[B]``."""
        count, nodes = points.shape[:2]
        node = (torch.arange(nodes + 1, device=points.device) % nodes).expand(count, -1)
        nothing = torch.zeros_like(capacity)
        demand = torch.cat([nothing.unsqueeze(1), demand, nothing.unsqueeze(1)], dim=1)
        return cls(torch.cat([points, points[:, :1]], dim=1), node, demand, nothing, capacity)

    @property
    def direct(self) -> Tensor:
        """``bool[B, T]``: customers that the vehicle can go to without coming by the depot."""
        fits = (self.demand <= self.left.unsqueeze(1)) & (self.node[:, :1] != 0)
        fits[:, 0] = fits[:, -1] = False
        return fits


class CvrpProcess(Problem[CvrpState]):
    """Routes built customer by customer.

    Codes are twice the customer, plus one where a route begins, that is where the vehicle comes by the depot; the
    first code is odd.  Routes may stand in any order and run either way.
    """

    kind = "cvrp"
    node_features = 15
    edge_features = 1
    outputs = 2
    rebuilds = True
    teaches = MOST

    # --- instances and solutions ---------------------------------------------------------------------------------

    def start(self, instance: Instance) -> CvrpState:
        assert isinstance(instance, Cvrp)
        points = instance.metric.coordinates
        assert points is not None
        demand = torch.from_numpy(instance.demand[1:].copy())
        return CvrpState.fresh(in_unit_box(points)[None], demand[None], torch.tensor([instance.capacity]))

    def solution(self, instance: Instance, codes: Ints) -> Solution:
        routes: list[list[int]] = []
        for code in codes.tolist():
            if code % 2 or not routes:
                routes.append([])
            routes[-1].append(code // 2)
        return Routes(tuple(map(tuple, routes)))

    def codes(self, instance: Instance, solution: Solution) -> Ints:
        assert isinstance(solution, Routes)
        return np.array([2 * c + (i == 0) for route in solution.routes for i, c in enumerate(route)], dtype=np.int64)

    def cost(self, instances: CvrpState, codes: Tensor) -> Tensor:
        customers, begins = _parted(codes)
        pairs = customers.unsqueeze(-1).expand(-1, -1, 2)
        points = instances.points.gather(1, pairs).to(torch.float64)
        depot = instances.points[:, -1:].to(torch.float64)
        home = (points - depot).norm(dim=-1)
        legs = (points[:, 1:] - points[:, :-1]).norm(dim=-1)
        by_depot = home[:, 1:] + home[:, :-1]
        return home[:, 0] + home[:, -1] + torch.where(begins[:, 1:], by_depot, legs).sum(dim=1)

    # --- the process ---------------------------------------------------------------------------------------------

    def tokens(self, state: CvrpState) -> Tokens:
        """Points centred in their bounding box and divided by its longer side; amounts in units of the capacity.

        Where no customer fits into the vehicle, it has to go by the depot whatever comes next: then it reads as one
        that stands there already, as in a fresh instance.  Columns: the point, its offsets from origin and depot, both
        distances, the detour by the depot, the logarithm of one plus the distance from the origin in units of the mean
        spacing; the demand, the room left, the room left behind the customer, whether that is negative, and the
        logarithm of one plus the sum of all demands.  Edges: distances times log2 of the number of tokens.
        """
        direct = state.direct
        stuck = ~direct.any(dim=1)
        origin = torch.where(stuck[:, None, None], state.points[:, -1:], state.points[:, :1])
        points = torch.cat([origin, state.points[:, 1:]], dim=1)
        low, high = points.amin(dim=1, keepdim=True), points.amax(dim=1, keepdim=True)
        side = (high - low).amax(dim=2, keepdim=True)
        points = (points - (low + high) / 2) / torch.where(side > 0, side, torch.ones_like(side))
        count = points.shape[1]
        from_origin, to_depot = points - points[:, :1], points - points[:, -1:]
        near, far = from_origin.norm(dim=-1, keepdim=True), to_depot.norm(dim=-1, keepdim=True)
        spaced = torch.log1p(math.sqrt(count) * near)
        whole = state.capacity.clamp_min(1).to(torch.float64).unsqueeze(1)
        waits = torch.ones_like(direct)
        waits[:, 0] = waits[:, -1] = False
        demand = torch.where(waits, state.demand, 0) / whole
        room = torch.where(stuck, 0, state.left).unsqueeze(1) / whole
        amounts = [demand, room.expand_as(demand), room - demand, (waits & ~direct).to(torch.float64)]
        amounts.append(torch.log1p(demand.sum(dim=1, keepdim=True)).expand_as(demand))
        columns = [points, from_origin, to_depot, near, far, far[:, :1] + far - near, spaced]
        nodes = torch.cat([*columns, torch.stack(amounts, dim=-1).to(torch.float32)], dim=-1)
        between = (points.unsqueeze(1) - points.unsqueeze(2)).norm(dim=-1, keepdim=True)
        return Tokens(nodes, between * math.log2(count))

    def feasible(self, state: CvrpState) -> Tensor:
        by_depot = torch.ones_like(state.node, dtype=torch.bool)
        by_depot[:, 0] = by_depot[:, -1] = False
        return torch.stack([state.direct, by_depot], dim=-1).flatten(1)

    def step(self, state: CvrpState, action: Tensor) -> tuple[CvrpState, Tensor]:
        count = state.node.shape[1]
        chosen, by_depot = action.unsqueeze(1) // 2, action % 2 == 1
        rest = torch.arange(1, count - 1, device=action.device).unsqueeze(0)
        room = torch.where(by_depot, state.capacity, state.left) - state.demand.gather(1, chosen).squeeze(1)
        after = state.at(torch.cat([chosen, rest + (rest >= chosen)], dim=1), room)
        here, there, depot = state.points[:, 0], after.points[:, 0], state.points[:, -1]
        home = (there - depot).norm(dim=-1)
        cost = torch.where(by_depot, (here - depot).norm(dim=-1) + home, (there - here).norm(dim=-1))
        return after, cost + home if count == 3 else cost

    def code(self, state: CvrpState, action: Tensor) -> Tensor:
        return 2 * state.node.gather(1, (action // 2).unsqueeze(1)).squeeze(1) + action % 2

    def view(self, state: CvrpState, k: int) -> tuple[CvrpState, Tensor | None]:
        """The customers nearest to the origin, with origin and depot.

        A depot farther from their box than the box is long is moved there: its direction matters, and that it is far,
        and the near customers must not shrink to a point.
        """
        count = state.node.shape[1]
        if count - 2 <= k:
            return state, None
        away = (state.points[:, 1:-1] - state.points[:, :1]).square().sum(dim=-1)
        near = away.topk(k, dim=1, largest=False).indices.sort(dim=1).values + 1
        tokens = torch.cat([torch.zeros_like(near[:, :1]), near, torch.full_like(near[:, :1], count - 1)], dim=1)
        seen = state.at(tokens, state.left)
        here = seen.points[:, :-1]
        low, high = here.amin(dim=1, keepdim=True), here.amax(dim=1, keepdim=True)
        side = (high - low).amax(dim=2, keepdim=True)
        depot = seen.points[:, -1:].clamp(low - side, high + side)
        return CvrpState(torch.cat([here, depot], dim=1), seen.node, seen.demand, seen.left, seen.capacity), tokens

    def signature(self, state: CvrpState) -> Tensor:
        room = torch.where(state.direct.any(dim=1), state.left, -1)  # where nobody fits, it does not matter
        place = scatter(3 * state.node[:, 0] + 1_000_003)
        return scatter(state.node[:, 1:-1]).sum(dim=1) + place + scatter(5 * room + 10_000_019)

    # --- solutions as teachers -----------------------------------------------------------------------------------

    def sizes(self, length: int) -> range:
        return range(1, length + 1)

    def rearrange(self, instances: CvrpState, codes: Tensor, generator: torch.Generator) -> Tensor:
        """The route with most room left comes last, so that the others are filled first (as in BQ-NCO).

        The others come at random in one half of the rows and around the depot in the other, and each runs either way.
        """
        customers, begins = _parted(codes)
        route = begins.cumsum(dim=1) - 1
        load = torch.zeros_like(codes).scatter_add(1, route, instances.demand.gather(1, customers))
        drawn = torch.rand(3, *codes.shape, generator=generator, device=codes.device)
        there = torch.arange(codes.shape[1], device=codes.device) <= route[:, -1:]
        slackest = (load + drawn[0].to(torch.float64)).masked_fill(~there, torch.inf).argmin(dim=1, keepdim=True)
        around = _around_depot(instances, customers, route, generator)
        keys = torch.where(drawn[2, :, :1] < 0.5, drawn[1], around).scatter(1, slackest, 2.0)
        return _in_order(customers, route, keys, generator)

    def lined_up(self, instances: CvrpState, codes: Tensor, generator: torch.Generator) -> Tensor:
        """Routes in the order of their centres around the depot, from anywhere, in a random direction each."""
        customers, begins = _parted(codes)
        route = begins.cumsum(dim=1) - 1
        return _in_order(customers, route, _around_depot(instances, customers, route, generator), generator)

    def tail(self, instances: CvrpState, codes: Tensor, size: int) -> CvrpState:
        length = codes.shape[1]
        customers, begins = _parted(codes)
        last = torch.full_like(customers[:, :1], instances.node.shape[1] - 1)
        if size >= length:
            tokens = torch.cat([torch.zeros_like(last), customers, last], dim=1)
            return instances.at(tokens, instances.left)
        done = length - size
        place = torch.arange(done, device=codes.device)
        begin = torch.where(begins[:, :done], place, 0).amax(dim=1, keepdim=True)
        load = torch.where(place >= begin, instances.demand.gather(1, customers[:, :done]), 0).sum(dim=1)
        tokens = torch.cat([customers[:, done - 1 :], last], dim=1)
        return instances.at(tokens, instances.capacity - load)

    def target(self, state: CvrpState, codes: Tensor) -> Tensor:
        """Within a route the next customer; where one begins, the ends of all routes that are left but the last one.

        Any of these can come next in another way to write the tail, and one example tells them all.
        """
        count, size = codes.shape
        _, begins = _parted(codes)
        begins = begins.clone()
        starts = codes[:, 0] % 2 == 1
        begins[:, 0] = starts
        ends = torch.cat([begins[:, 1:], torch.ones_like(begins[:, :1])], dim=1)
        routes = begins.sum(dim=1, keepdim=True)
        counted = begins.cumsum(dim=1) < routes.clamp_min(2)  # all but the last, or the only one
        share = (begins.to(torch.float32) + ends) * counted / (2 * (routes - 1).clamp_min(1))
        wanted = torch.zeros(count, size + 2, 2, device=codes.device)
        wanted[:, 1:-1, 1] = share * starts.unsqueeze(1)
        wanted[:, 1, 0] = (~starts).to(torch.float32)
        return wanted.flatten(1)

    def symmetric(self, state: CvrpState, generator: torch.Generator) -> CvrpState:
        """Reflections and quarter turns: the eight symmetries of the square."""
        points = state.points
        drawn = torch.randint(8, (len(points), 1, 1), generator=generator, device=points.device)
        signs = torch.cat([1 - 2 * (drawn % 2), 1 - 2 * (drawn // 2 % 2)], dim=-1)
        turned = torch.where(drawn >= 4, points.flip(-1), points) * signs
        return CvrpState(turned, state.node, state.demand, state.left, state.capacity)

    def pieces(self, codes: Tensor, size: int, most: int, generator: torch.Generator) -> Pieces:
        """Stretches of ``size`` codes that end with a route: the end of one, and whole ones.

        They are cut from the back.  The first customers of a stretch may become part of the route before it, so at
        least one code between two stretches stays, and the first code of all.
        """
        length = codes.shape[1]
        size = min(size, length - 1)
        _, begins = _parted(codes)
        place = torch.arange(length, device=codes.device)
        ends = torch.cat([begins[:, 1:], torch.ones_like(begins[:, :1])], dim=1)
        last_end = torch.where(ends, place, -1).cummax(dim=1).values
        end = last_end[:, -1:]
        found: list[Tensor] = []
        while len(found) < most and bool((end >= size).all()):
            found.append(end)
            before = end - size - 1
            end = torch.where(before >= 0, last_end.gather(1, before.clamp_min(0)), -1)
        at = torch.stack(found, dim=1)
        places = (at + 1 + place) % length  # after its last code a route ends, so the solution can be turned there
        rows = codes.unsqueeze(1).expand(-1, len(found), -1).gather(2, places)
        return Pieces(codes, rows, places[:, :, length - size :])

    # --- labels --------------------------------------------------------------------------------------------------

    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[CvrpState]:
        visit, begin, capacity = (arrays.get(name) for name in ("visit", "begin", "capacity"))
        if visit is None or visit.ndim != 3 or begin is None or capacity is None:
            raise InputError("E118", "no arrays of routes", expected="'visit', 'begin' and 'capacity'")
        chunk, (count, n) = int(arrays["chunk"][row]), visit.shape[1:]
        if begin.shape[1:] != (count, -(-n // 8)):
            raise InputError("E115", "'begin' has not one bit for each customer")
        points, demands = uniform_customers_of(n, chunk, count)
        grid, demand = torch.from_numpy(points).to(device), torch.from_numpy(demands).to(device)
        ranks = torch.from_numpy(visit[row].astype(np.int64)).to(device)
        begins = np.unpackbits(begin[row].astype(np.uint8), axis=1, count=n)
        codes = routes_of_ranks(grid, ranks, torch.from_numpy(begins.astype(bool)).to(device))
        limit = torch.full((count,), int(capacity[row]), device=device)
        customers, first = _parted(codes)
        once = (customers.sort(dim=1).values == torch.arange(1, n + 1, device=device)).all()
        if not bool(once and (codes[:, 0] % 2 == 1).all()):
            raise InputError("E120", f"chunk {chunk} holds routes that do not serve every customer once")
        load = torch.zeros_like(codes).scatter_add(1, first.cumsum(dim=1) - 1, demand.gather(1, customers - 1))
        if bool((load > limit.unsqueeze(1)).any()):
            raise InputError("E120", f"chunk {chunk} holds a route above the capacity {int(capacity[row])}")
        scaled = (grid.to(torch.float64) / GRID).to(torch.float32)
        return Labels(CvrpState.fresh(scaled, demand, limit), codes.to(torch.int16))

    def chunk_instances(self, size: int, chunk: int, count: int) -> list[Instance]:
        points, demands = uniform_customers_of(size, chunk, count)
        capacity = usual_capacity(size)
        return [
            Cvrp(metric=Metric(rule="EUC_2D", coordinates=where), demand=np.append(0, demand), capacity=capacity)
            for where, demand in zip(points.astype(np.float64), demands, strict=True)
        ]

    def chunk_arrays(self, size: int, chunk: int, codes: list[Ints]) -> dict[str, npt.NDArray[Any]]:
        grid = torch.from_numpy(uniform_customers_of(size, chunk, len(codes))[0])
        stacked = np.stack(codes)
        ranks = ranks_of_routes(grid, torch.from_numpy(stacked)).numpy()
        return {
            "visit": ranks.astype(small(size))[None],
            "begin": np.packbits(stacked % 2 == 1, axis=1)[None],
            "capacity": np.array([usual_capacity(size)], dtype=np.int32),
        }

    def uniform(self, size: int, count: int, generator: torch.Generator) -> CvrpState:
        """The unit square, demands 1 to 9, and the capacity that goes with ``size`` customers: 50 with 100."""
        device = generator.device
        points = torch.rand(count, size + 1, 2, generator=generator, device=device)
        demand = torch.randint(1, 10, (count, size), generator=generator, device=device)
        return CvrpState.fresh(points, demand, torch.full((count,), usual_capacity(size), device=device))

    def teach(self, instances: CvrpState) -> Tensor | None:
        if instances.node.shape[1] - 2 > MOST:
            return None
        return best_routes(instances.points[:, :-1], instances.demand[:, 1:-1], instances.capacity)


def usual_capacity(customers: int) -> int:
    """The capacity of the literature for uniform instances, that of ``combopt generate cvrp``."""
    return uniform_customers(np.random.default_rng(0), customers)[2]


def _parted(codes: Tensor) -> tuple[Tensor, Tensor]:
    """``int64[B, L]``, the customers of codes, and ``bool[B, L]``, where routes begin."""
    codes = codes.to(torch.int64)
    begins = codes % 2 == 1
    return codes // 2, torch.cat([torch.ones_like(begins[:, :1]), begins[:, 1:]], dim=1)


def _around_depot(instances: CvrpState, customers: Tensor, route: Tensor, generator: torch.Generator) -> Tensor:
    """``float32[B, L]``: for each route the angle of its centre around the depot, from 0 to 1 of a turn.

    Angles count from a random direction, either way round.
    """
    away = instances.points.gather(1, customers.unsqueeze(-1).expand(-1, -1, 2)) - instances.points[:, -1:]
    centre = torch.zeros_like(away).scatter_add(1, route.unsqueeze(-1).expand(-1, -1, 2), away)
    turn = torch.atan2(centre[..., 1], centre[..., 0]) / (2 * math.pi)
    drawn = torch.rand(2, len(turn), 1, generator=generator, device=turn.device)
    return (torch.where(drawn[0] < 0.5, turn, -turn) + drawn[1]) % 1.0


def _in_order(customers: Tensor, route: Tensor, keys: Tensor, generator: torch.Generator) -> Tensor:
    """Codes with routes in the order of their ``keys: float[B, L]``, each run in a random direction."""
    length = customers.shape[1]
    place = torch.arange(length, device=customers.device)
    begins = torch.cat([torch.ones_like(route[:, :1]), route[:, 1:] - route[:, :-1]], dim=1) > 0
    offset = place - torch.where(begins, place, 0).cummax(dim=1).values
    flip = torch.rand(route.shape, generator=generator, device=route.device).gather(1, route) < 0.5
    rank = keys.argsort(dim=1).argsort(dim=1).gather(1, route)
    order = (2 * length * rank + torch.where(flip, length - offset, offset)).argsort(dim=1)
    rank = rank.gather(1, order)
    begins = torch.cat([torch.ones_like(begins[:, :1]), rank[:, 1:] != rank[:, :-1]], dim=1)
    return 2 * customers.gather(1, order) + begins
