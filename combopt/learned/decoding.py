"""Solutions from a policy: greedy, by beam search, or drawn; many instances at once, on any device.

Every decoder takes states (whole instances or tails) and gives the codes of the steps to their ends and what they
cost.  ``view`` restricts what the network sees to that many nodes (:meth:`.base.Problem.view`); 0 shows all.  A
decoder whose ``stopping()`` turns true gives ``None``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor

from combopt.learned.network import Policy, masked
from combopt.learned.problems.base import Problem, S

TOKENS = 1 << 18
"""Tokens that one call of the network may hold; more rows are worked on in parts."""
Stopping = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Decoded:
    """``codes: int64[B, L]``, -1 behind the end of shorter rows, and ``cost: float32[B]``."""

    codes: Tensor
    cost: Tensor


@dataclass(frozen=True)
class Decoder(Generic[S]):
    """A policy on one problem.

    Parameters
    ----------
    policy, problem
        The network and the decision process it was trained for.
    view
        Nodes to choose from that the network sees at most; 0 for all.
    """

    policy: Policy
    problem: Problem[S]
    view: int = 0

    def log_probabilities(self, state: S) -> tuple[Tensor, Tensor | None]:
        """``float32[B, A]`` of the actions, minus infinity where not feasible, and the map of the view's tokens.

        A finished row is minus infinity throughout.
        """
        seen, tokens = (state, None) if self.view == 0 else self.problem.view(state, self.view)
        feasible = self.problem.feasible(seen)
        share = max(1, TOKENS // max(1, feasible.shape[1] // self.problem.outputs))
        logits = [self._logits(seen, rows) for rows in torch.arange(len(seen)).split(share)]
        scores = masked(torch.cat(logits) if len(logits) > 1 else logits[0], feasible)
        return scores.log_softmax(dim=1).masked_fill(~feasible, -torch.inf), tokens

    def _logits(self, state: S, rows: Tensor) -> Tensor:
        part = state if len(rows) == len(state) else state.take(rows)
        return self.policy(self.problem.tokens(part))

    def action(self, choice: Tensor, tokens: Tensor | None) -> Tensor:
        """Actions of the whole state from actions of the view, ``int64[B]``."""
        if tokens is None:
            return choice
        ways = self.problem.outputs
        token = tokens.gather(1, (choice // ways).unsqueeze(1)).squeeze(1)
        return token * ways + choice % ways


def greedy(decoder: Decoder[S], state: S, stopping: Stopping = _never) -> Decoded | None:
    """The most probable action at every step."""
    return _rollout(decoder, state, lambda scores: scores.argmax(dim=1), stopping)


def sample(
    decoder: Decoder[S], state: S, generator: torch.Generator, *, temperature: float = 1.0,
    stopping: Stopping = _never,
) -> Decoded | None:  # fmt: skip
    """Actions drawn with the policy's probabilities, flattened by a ``temperature`` above 1."""

    def draw(scores: Tensor) -> Tensor:
        # The largest of independently shifted scores is a draw (Gumbel 1954); finished rows have nothing to draw.
        noise = torch.rand(scores.shape, generator=generator, device=scores.device).clamp_min(1e-20)
        return (scores / temperature - torch.log(-torch.log(noise))).argmax(dim=1)

    return _rollout(decoder, state, draw, stopping)


def best_of(decoded: Decoded, copies: int) -> Decoded:
    """The cheapest of ``copies`` rows in a row for each instance."""
    cost, which = decoded.cost.view(-1, copies).min(dim=1)
    rows = torch.arange(len(which), device=which.device) * copies + which
    return Decoded(decoded.codes[rows], cost)


def repeated(state: S, copies: int) -> S:
    """Every row ``copies`` times in a row."""
    return state.take(torch.arange(len(state)).repeat_interleave(copies).to(state.device))


def _rollout(decoder: Decoder[S], state: S, choose: Callable[[Tensor], Tensor], stopping: Stopping) -> Decoded | None:
    problem = decoder.problem
    cost = torch.zeros(len(state), device=state.device)
    codes = []
    with torch.no_grad():
        while True:
            if stopping():
                return None
            scores, tokens = decoder.log_probabilities(state)
            going = scores.isfinite().any(dim=1)
            if not bool(going.any()):
                break
            action = torch.where(going, decoder.action(choose(scores), tokens), -1)
            codes.append(torch.where(going, problem.code(state, action.clamp_min(0)), -1))
            state, spent = problem.step(state, action)
            cost = cost + spent
    return Decoded(_stacked(codes, len(cost), cost.device), cost)


def _stacked(codes: list[Tensor], rows: int, device: torch.device) -> Tensor:
    if codes:
        return torch.stack(codes, dim=1)
    return torch.zeros(rows, 0, dtype=torch.int64, device=device)


def beam(decoder: Decoder[S], state: S, width: int, stopping: Stopping = _never) -> Decoded | None:
    """Beam search: of all continuations of ``width`` partial solutions the ``width`` most probable go on.

    The greedy solution is always among them, so that the answer is never worse.  Two partial solutions that leave the
    same tail differ only in what they cost so far: the cheaper one is kept, at the place of the first.
    """
    problem, count = decoder.problem, len(state)
    device = state.device
    owner = torch.arange(count, device=device).unsqueeze(1)
    score = torch.zeros(count, 1, device=device)
    cost = torch.zeros(count, 1, device=device)
    codes = torch.zeros(count, 1, 0, dtype=torch.int64, device=device)
    with torch.no_grad():
        while True:
            if stopping():
                return None
            held = score.shape[1]
            scores, tokens = decoder.log_probabilities(state)
            going = scores.isfinite().any(dim=1)
            if not bool((going & score.flatten().isfinite()).any()):
                break
            # One more column: a finished row stays as it is.
            stay = torch.where(going, -torch.inf, 0.0).unsqueeze(1)
            options = torch.cat([scores, stay], dim=1)
            width_of = options.shape[1]
            totals = score.unsqueeze(2) + options.view(count, held, width_of)
            forced = totals[:, 0].argmax(dim=1)  # the greedy row is the first
            ranked = totals.flatten(1).scatter(1, forced.unsqueeze(1), torch.inf)
            best = ranked.topk(min(width, ranked.shape[1]), dim=1).indices
            score = totals.flatten(1).gather(1, best)
            # Where there are fewer continuations than that, the greedy row stands in; it counts once.
            best = torch.where(score.isfinite(), best, forced.unsqueeze(1))
            parent, choice = best // width_of, (best % width_of).flatten()
            from_row = (owner * held + parent).flatten()
            state, goes = state.take(from_row), choice < width_of - 1
            kept = None if tokens is None else tokens[from_row]
            action = torch.where(goes, decoder.action(choice.clamp_max(width_of - 2), kept), -1)
            code = torch.where(goes, problem.code(state, action.clamp_min(0)), -1)
            state, spent = problem.step(state, action)
            cost = cost.flatten()[from_row].add(spent).view(count, -1)
            codes = torch.cat([codes.flatten(0, 1)[from_row], code.unsqueeze(1)], dim=1).view(count, best.shape[1], -1)
            score, cost, codes = _merged(problem, state, score, cost, codes)
    usable = cost.masked_fill(~score.isfinite(), torch.inf)
    lowest, which = usable.min(dim=1)
    return Decoded(codes[owner.squeeze(1), which], lowest)


def _merged(
    problem: Problem[S], state: S, score: Tensor, cost: Tensor, codes: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of rows that leave the same tail all but the cheapest lose their score, and that one takes the first's place."""
    signature = problem.signature(state)
    if signature is None or score.shape[1] == 1:
        return score, cost, codes
    signs = signature.view(score.shape)
    alive = score.isfinite()
    same = (signs.unsqueeze(1) == signs.unsqueeze(2)) & alive.unsqueeze(1) & alive.unsqueeze(2)
    rivals = cost.unsqueeze(1).expand_as(same).masked_fill(~same, torch.inf)
    cheapest = torch.where(alive, rivals.argmin(dim=2), torch.arange(score.shape[1], device=score.device))
    first = same.to(torch.int8).argmax(dim=2) == torch.arange(score.shape[1], device=score.device)
    top = torch.where(same, score.unsqueeze(1), -torch.inf).amax(dim=2)
    return (
        torch.where(first & alive, top, -torch.inf),
        cost.gather(1, cheapest),
        codes.gather(1, cheapest.unsqueeze(2).expand_as(codes)),
    )
