"""Rewards: what the bandits are told about a step."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What a step brought."""

    BEST = "best"
    """A better incumbent."""
    BETTER = "better"
    """Better than the current solution."""
    ACCEPTED = "accepted"
    """Not better, but accepted."""
    REJECTED = "rejected"
    NOTHING = "nothing"
    """No solution, or the current one again."""


class Reward(Protocol):
    """Turns the outcome of a step into a number from 0 to 1."""

    def of(self, outcome: Outcome, before: float, after: float) -> float:
        """``before`` and ``after`` are the values of the incumbent, infinite where there was none."""


class Gain:
    """The relative gain of the incumbent, against what a successful step usually brings.

    A gain of the usual size earns ``2/3``, a small one little more than ``1/3``, no gain nothing: ties, empty
    neighbourhoods and failures count as failures.  "Usual" is a geometric mean over the gains so far that forgets,
    since gains shrink as a search goes on.  What a step costs is the bandit's to weigh.
    """

    def __init__(self, forget: float = 0.8) -> None:
        self.forget = forget
        self.usual: float | None = None

    def of(self, outcome: Outcome, before: float, after: float) -> float:
        if outcome is not Outcome.BEST:
            return 0.0
        gain = 1.0 if math.isinf(before) else min(1.0, (before - after) / max(abs(before), abs(after), 1e-9))
        if gain <= 0:
            return 0.0
        usual = gain if self.usual is None else self.usual
        self.usual = usual**self.forget * gain ** (1 - self.forget)
        return float(1 / 3 + 2 / 3 * gain / (gain + usual))


class Scores:
    """A fixed score for each outcome, as in the package ``alns`` and in Balans; divided by the largest.

    ``scores`` are those of a new incumbent, a better current solution, an accepted and a rejected one; a step that
    brought nothing counts as ``idle`` (Balans counts the unchanged solution as accepted).
    """

    def __init__(self, scores: tuple[float, float, float, float], idle: float = 0.0) -> None:
        self.largest = max(*scores, 1e-9)
        self.table = dict(zip(Outcome, (*scores, idle), strict=True))

    def of(self, outcome: Outcome, before: float, after: float) -> float:
        return self.table[outcome] / self.largest
