"""Batches of examples, drawn from solved instances on the device where these are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from combopt.learned.problems.base import Labels, Problem, State

BUCKETS = (8, 12, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256)
"""Tokens of tails where only some sizes are used; the whole instance is one more."""


@dataclass(frozen=True)
class Batch:
    """States of one size and what the teacher does in them; see :meth:`.base.Problem.target`."""

    state: State
    target: Tensor

    def __len__(self) -> int:
        return len(self.target)

    @property
    def tokens(self) -> int:
        """Tokens of one state."""
        return int(getattr(self.state, fields(self.state)[0].name).shape[1])

    def split(self, parts: int) -> list[Batch]:
        """The same examples in so many parts of nearly equal length."""
        rows = torch.arange(len(self), device=self.target.device).tensor_split(parts)
        return [Batch(self.state.take(r), self.target[r]) for r in rows if len(r)]


@dataclass(frozen=True)
class Source:
    """Draws batches; what it draws is a function of seed, step and rank alone, so that a run can be taken up anywhere.

    All ranks draw tails of the same size in a step, of different instances.  With a ``view`` the network learns from
    what it would see of the tail; where the teacher's action is out of sight, the target is -1, or 0 throughout.
    """

    problem: Problem[Any]
    labels: Labels[Any]
    seed: int
    tokens: int
    buckets: bool
    rank: int = 0
    view: int = 0

    @cached_property
    def longest(self) -> int:
        """Codes of the longest label, without filling."""
        return int((self.labels.codes >= 0).any(dim=0).sum())

    def sizes(self) -> tuple[list[int], np.ndarray[tuple[int], np.dtype[np.float64]]]:
        """Sizes of tails, and how often each is drawn: as the square root, for small tails are soon learned."""
        allowed = self.problem.sizes(self.longest)
        shapes = {*BUCKETS, self._shape(allowed[-1])}
        sizes = [s for s in allowed if not self.buckets or self._shape(s) in shapes]
        weight = np.sqrt(np.array(sizes, dtype=np.float64))
        return sizes, weight / weight.sum()

    def _shape(self, size: int) -> int:
        return self.problem.room(self.labels.instances, size)

    def _room(self, size: int) -> int:
        return min(self._shape(size), self.view + 2) if self.view else self._shape(size)

    def _seen(self, state: Any, target: Tensor) -> tuple[Any, Tensor]:
        """The view of states, and the targets in terms of it."""
        seen, tokens = self.problem.view(state, self.view) if self.view else (state, None)
        if tokens is None:
            return state, target
        ways = self.problem.outputs
        if target.dtype == torch.int64:
            match = tokens == (target // ways).unsqueeze(1)
            action = match.to(torch.int8).argmax(dim=1) * ways + target % ways
            return seen, torch.where(match.any(dim=1), action, -1)
        columns = (tokens.unsqueeze(2) * ways + torch.arange(ways, device=tokens.device)).flatten(1)
        share = target.gather(1, columns)
        return seen, share / share.sum(dim=1, keepdim=True).clamp_min(1e-9)

    def batch(self, step: int) -> Batch:
        """The examples of a step."""
        sizes, share = self.sizes()
        size = int(np.random.default_rng([self.seed, step]).choice(sizes, p=share))
        state = np.random.SeedSequence([self.seed, step, self.rank]).generate_state(1, np.uint64)
        device = self.labels.codes.device
        dice = torch.Generator(device).manual_seed(int(state[0]) >> 1)
        count = max(1, self.tokens // self._room(size))
        chosen = self.labels.take(torch.randint(len(self.labels), (count,), generator=dice, device=device))
        codes = self.problem.rearrange(chosen.instances, chosen.codes.to(torch.int64), dice)
        tail = self.problem.tail(chosen.instances, codes, size)
        target = self.problem.target(tail, codes[:, codes.shape[1] - size :])
        return Batch(*self._seen(self.problem.symmetric(tail, dice), target))
