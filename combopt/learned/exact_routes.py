"""Best routes for a few customers by dynamic programming over their subsets: the teacher of small instances."""

from __future__ import annotations

import torch
from torch import Tensor

from combopt.learned.subsets import path_lengths

MOST = 10
"""Customers; time grows as 3^n."""
ROWS = 512
"""Instances worked on at a time."""


def best_routes(points: Tensor, demand: Tensor, capacity: Tensor) -> Tensor:
    """Shortest routes, ``int64[B, n]``: codes of :class:`~combopt.learned.problems.cvrp.CvrpProcess`.

    ``points: float32[B, n + 1, 2]``, the depot first, ``demand: int64[B, n]``, ``capacity: int64[B]``; every demand
    is within the capacity.  A best partition of the customers into subsets that a vehicle holds, each at the length of
    the shortest tour through it and the depot.
    """
    parts = zip(points.split(ROWS), demand.split(ROWS), capacity.split(ROWS), strict=True)
    return torch.cat([_best(*part) for part in parts])


def _best(points: Tensor, demand: Tensor, capacity: Tensor) -> Tensor:
    count, n = demand.shape
    device = demand.device
    between = (points.unsqueeze(1) - points.unsqueeze(2)).norm(dim=-1)
    paths = path_lengths(between)
    length, last = (paths + between[:, 1:, 0].unsqueeze(1)).min(dim=2)
    bits = torch.arange(n, device=device)
    load = demand @ ((torch.arange(1 << n, device=device) >> bits.unsqueeze(1)) & 1)
    length = length.masked_fill(load > capacity.unsqueeze(1), torch.inf)
    total, choice = torch.zeros_like(length), torch.zeros_like(last)
    for subset in range(1, 1 << n):
        # The route of the first customer of the subset, and the best that can be done with the others.
        routes = torch.tensor([part for part in _inside(subset) if part & subset & -subset], device=device)
        total[:, subset], at = (length[:, routes] + total[:, subset ^ routes]).min(dim=1)
        choice[:, subset] = routes[at]
    # Backwards: from the last customer of the last route to the first of the first.
    rows = torch.arange(count, device=device)
    left = torch.full((count,), (1 << n) - 1, device=device)
    route, customer = torch.zeros_like(left), torch.zeros_like(left)
    codes = torch.zeros(count, n, dtype=torch.int64, device=device)
    for place in reversed(range(n)):
        fresh = route == 0
        route = torch.where(fresh, choice[rows, left], route)
        left = torch.where(fresh, left ^ route, left)
        costs = paths[rows, route] + between[rows, 1:, customer + 1]
        customer = torch.where(fresh, last[rows, route], costs.argmin(dim=1))
        route = route ^ (1 << customer)
        codes[:, place] = 2 * (customer + 1) + (route == 0)
    return codes


def _inside(subset: int) -> list[int]:
    """All subsets of a subset but the empty one."""
    found, part = [], subset
    while part:
        found.append(part)
        part = (part - 1) & subset
    return found
