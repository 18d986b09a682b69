"""Random re-construction: parts of known solutions are built again, and what is better is kept.

Luo, Lin, Liu, Zhang and Wang (2023), "Neural combinatorial optimization with heavy decoder", section 4.4, with all
parts of all solutions of a round in one batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from combopt.learned.decoding import Decoder, greedy
from combopt.learned.problems.base import S

SHORTEST = 4
"""Codes of the shortest part."""
GAIN = 1e-9
"""Relative improvement below which nothing is changed: it would be rounding."""
CELLS = 1 << 21
"""Codes that all parts of a round may take, each with the whole solution around it."""


@dataclass(frozen=True)
class Round:
    """The state after a round: ``codes: int64[B, L]``, ``improved: bool[B]``, and the number of the round, from 1."""

    number: int
    codes: Tensor
    improved: Tensor


def reconstruct(
    decoder: Decoder[S],
    instances: S,
    codes: Tensor,
    generator: torch.Generator,
    *,
    rounds: int | None = None,
    longest: int = 100,
    stopping: Callable[[], bool] = lambda: False,
    told: Callable[[Round], None] = lambda state: None,
) -> Tensor:
    """Better codes of the same instances, ``int64[B, L]``; never worse ones.

    Parameters
    ----------
    decoder
        Whose greedy solutions of the parts are tried; its problem ``rebuilds``.
    instances, codes
        Fresh instances, and solutions of them.
    generator
        Draws length and place of the parts; on the device of the codes.
    rounds
        How many; ``None`` to go on until ``stopping()``.
    longest
        Codes of the longest part.  Lengths are drawn evenly on a logarithmic scale: short parts are many and cheap.
    told
        Called after every round.
    """
    problem = decoder.problem
    longest = min(longest, codes.shape[1] - 1)
    number = 0
    while longest >= 2 and not stopping() and (rounds is None or number < rounds):
        shortest = min(SHORTEST, longest)
        share = float(torch.rand((), generator=generator, device=codes.device))
        size = min(longest, int(shortest * ((longest + 1) / shortest) ** share))
        codes = problem.lined_up(instances, codes, generator)
        pieces = problem.pieces(codes, size, max(1, CELLS // codes.numel()), generator)
        count, parts, length = pieces.rows.shape
        size = pieces.place.shape[2]
        rows = pieces.rows.flatten(0, 1)
        owners = torch.arange(count, device=codes.device).repeat_interleave(parts)
        whole = instances.take(owners)
        tails = problem.tail(whole, rows, size)
        built = greedy(decoder, tails, stopping)
        if built is None:
            break
        new = torch.cat([rows[:, : length - size], built.codes], dim=1)
        before, after = problem.cost(whole, rows), problem.cost(whole, new)
        better = (after < before - GAIN * before.abs()).view(count, parts)
        parts_now = pieces.rows[:, :, length - size :]
        chosen = torch.where(better.unsqueeze(2), built.codes.view(count, parts, size), parts_now)
        codes = pieces.base.scatter(1, pieces.place.flatten(1), chosen.flatten(1))
        number += 1
        told(Round(number, codes, better.any(dim=1)))
    return codes
