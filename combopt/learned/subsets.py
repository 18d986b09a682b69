"""Exact solutions of many tiny instances at once, by dynamic programming over subsets of nodes.

Held and Karp (1962), A dynamic programming approach to sequencing problems.  Journal of the SIAM 10, 196-210.
"""

from __future__ import annotations

import torch
from torch import Tensor

MOST = 12
"""Nodes apart from the first up to which it is done."""
CELLS = 1 << 24
"""Numbers that one step may hold; more instances are worked on in parts."""


def path_lengths(between: Tensor) -> Tensor:
    """Least lengths of paths from node 0, ``float[B, 2^m, m]``, from ``between: float[B, m + 1, m + 1]``.

    Entry ``[:, s, j]`` is for paths that visit the nodes ``i + 1`` with bit ``i`` in ``s``, node ``j + 1`` last;
    infinity where that bit is not set.
    """
    count, m = len(between), between.shape[1] - 1
    subsets = torch.arange(1 << m, device=between.device)
    bits = torch.arange(m, device=between.device)
    sizes = ((subsets.unsqueeze(1) >> bits) & 1).sum(dim=1)
    length = between.new_full((count, 1 << m, m), torch.inf)
    length[:, 1 << bits, bits] = between[:, 0, 1:]
    for size in range(2, m + 1):
        wanted = subsets[sizes == size]
        inside = ((wanted.unsqueeze(1) >> bits) & 1).bool()
        subset, last = wanted.unsqueeze(1).expand(-1, m)[inside], bits.expand(len(wanted), -1)[inside]
        before = length[:, subset ^ (1 << last)]  # [B, pairs, m]: by the node before the last
        arcs = between[:, 1:, 1:].transpose(1, 2)[:, last]
        length[:, subset, last] = (before + arcs).amin(dim=2)
    return length


def walked_back(between: Tensor, length: Tensor, subset: Tensor, last: Tensor) -> Tensor:
    """The paths behind entries of :func:`path_lengths`, ``int64[B, m]``: nodes, with -1 in front.

    ``subset, last: int64[B]`` say which entry; an empty subset has an empty path.
    """
    count, m = len(between), between.shape[1] - 1
    rows = torch.arange(count, device=between.device)
    out = torch.full((count, m), -1, dtype=torch.int64, device=between.device)
    for place in range(m - 1, -1, -1):
        going = subset > 0
        out[:, place] = torch.where(going, last + 1, -1)
        subset = torch.where(going, subset ^ (1 << last), 0)
        costs = length[rows, subset] + between[rows, 1:, last + 1]
        last = costs.argmin(dim=1)
    return out


def parts(between: Tensor) -> tuple[Tensor, ...]:
    """``between`` in parts that fit into memory."""
    m = between.shape[1] - 1
    return between.split(max(1, CELLS // (m * m << m)))
