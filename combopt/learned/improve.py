"""Local search on many small tours at once: the teacher that needs no other package."""

from __future__ import annotations

import torch
from torch import Tensor

LONGEST = 3
"""Nodes of the longest segment that is moved."""
ROWS = 4096
"""Tours worked on at a time: what the caches hold."""


def short_tours(points: Tensor, starts: int) -> Tensor:
    """Good tours, ``int64[B, n]``, through ``points: float32[B, n, 2]``: the best of local optima of 2-opt and Or-opt.

    For up to some 30 nodes; each round takes time and memory of n^2 for every start.  The random starts are the same
    in every call.
    """
    count, n = points.shape[:2]
    if n <= 3:
        return torch.arange(n, device=points.device).expand(count, n)
    found = []
    for part in points.split(max(1, ROWS // starts)):
        between = (part.unsqueeze(1) - part.unsqueeze(2)).norm(dim=-1).repeat_interleave(starts, dim=0)
        dice = torch.Generator().manual_seed(n)
        tours = torch.rand(len(between), n, generator=dice).argsort(dim=1).to(points.device)
        tours = local_optima(between, tours)
        lengths = between.flatten(1).gather(1, tours * n + tours.roll(-1, dims=1)).sum(dim=1)
        best = lengths.view(len(part), starts).argmin(dim=1)
        found.append(tours.view(len(part), starts, n)[torch.arange(len(part), device=points.device), best])
    return torch.cat(found)


def local_optima(between: Tensor, tours: Tensor) -> Tensor:
    """``tours: int64[R, n]`` after the best 2-opt or Or-opt move, again and again, until no row has one that gains.

    ``between: float32[R, n, n]`` are distances.  Or-opt moves a segment of up to three nodes elsewhere, either way
    round (Or 1976).
    """
    tours = tours.clone()
    active = torch.arange(len(tours), device=tours.device)
    while len(active):
        gain, keys = _best_move(between[active], tours[active])
        better = gain < -1e-6
        active, keys = active[better], keys[better]
        tours[active] = tours[active].gather(1, keys.argsort(dim=1))
    return tours


def _best_move(between: Tensor, tours: Tensor) -> tuple[Tensor, Tensor]:
    """Change of length by the best move of each row, and keys that sort the positions of the tour after it."""
    n = tours.shape[1]
    place = torch.arange(n, device=tours.device)
    # Distances by position in the tour: along[i, j] from the i-th to the j-th node.
    along = between.gather(1, tours.unsqueeze(2).expand(-1, -1, n)).gather(2, tours.unsqueeze(1).expand(-1, n, -1))
    onward = along[:, place, (place + 1) % n]
    both = along + along.roll((-1, -1), (1, 2)) - onward.unsqueeze(1) - onward.unsqueeze(2)
    both[:, place.unsqueeze(1) >= place.unsqueeze(0)] = 0.0
    best, where = both.flatten(1).min(dim=1)
    low, high = (where // n).unsqueeze(1), (where % n).unsqueeze(1)
    inside = (place > low) & (place <= high)
    keys = torch.where(inside, low + high + 1 - place, place).to(torch.float32)
    for length in range(1, min(LONGEST, n - 3) + 1):
        # Segment i .. i + length - 1 to between j and j + 1: rows are i, columns j.
        first, last = along, along[:, (place + length - 1) % n]
        last_onward = last.roll(-1, 2)
        straight = first + last_onward
        turned = last + first.roll(-1, 2)
        closing = along[:, (place - 1) % n, (place + length) % n]
        freed = onward[:, (place - 1) % n] + onward[:, (place + length - 1) % n]
        change = torch.minimum(straight, turned) + (closing - freed).unsqueeze(2) - onward.unsqueeze(1)
        steps = (place.unsqueeze(0) - place.unsqueeze(1)) % n  # from i forward to j
        change[:, (steps < length) | (steps == n - 1)] = 0.0
        gain, where = change.flatten(1).min(dim=1)
        begin, target = (where // n).unsqueeze(1), (where % n).unsqueeze(1)
        flip = (turned < straight).flatten(1).gather(1, where.unsqueeze(1))
        rank = (place - begin) % n
        order = torch.where(flip, length - rank, rank + 1).to(torch.float32) / (length + 1)
        moved = torch.where(rank < length, target + order, place.to(torch.float32))
        better = gain < best
        best = torch.where(better, gain, best)
        keys = torch.where(better.unsqueeze(1), moved, keys)
    return best, keys
