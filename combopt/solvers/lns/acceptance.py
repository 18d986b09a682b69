"""Acceptance: whether a candidate becomes the current solution, worse than it or not.

Values are those of a minimisation.  Rules that allow a worsening measure it relative to the best value, so that
they mean the same on any scale.  ``progress`` is the share of the budget that is spent, from 0 to 1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

import numpy as np

from combopt.errors import UsageError


class Acceptance(ABC):
    """A rule, with what it remembers of the search."""

    @abstractmethod
    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        """Whether ``candidate`` replaces ``current``; called once for every candidate."""


def worsening(candidate: float, reference: float, best: float) -> float:
    """By how much the candidate is worse than the reference, relative to the best value; below 0 if better."""
    return (candidate - reference) / max(abs(best), 1e-9)


class HillClimbing(Acceptance):
    """Nothing worse."""

    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        return candidate <= current


class SimulatedAnnealing(Acceptance):
    """A worsening ``d`` with probability ``exp(-d / temperature)`` (Kirkpatrick, Gelatt and Vecchi 1983).

    The temperature falls geometrically from ``start`` to ``end``; both are relative worsenings.
    """

    def __init__(self, start: float = 0.01, end: float = 1e-4) -> None:
        self.start, self.end = start, end

    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        worse = worsening(candidate, current, best)
        temperature = self.start * (self.end / self.start) ** progress
        return worse <= 0 or bool(rng.random() < math.exp(-worse / temperature))


class AbsoluteAnnealing(Acceptance):
    """Simulated annealing with a temperature in units of the objective, ``step`` less after each candidate."""

    def __init__(self, start: float = 20.0, end: float = 1.0, step: float = 0.1) -> None:
        self.temperature, self.end, self.step = start, end, step

    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        worse = candidate - current
        accepted = worse <= 0 or bool(rng.random() < math.exp(-worse / self.temperature))
        self.temperature = max(self.end, self.temperature - self.step)
        return accepted


class RecordToRecord(Acceptance):
    """Anything within a margin of the best that shrinks from ``start`` to 0 (Dueck 1993)."""

    def __init__(self, start: float = 0.02) -> None:
        self.start = start

    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        return worsening(candidate, best, best) <= self.start * (1 - progress)


class GreatDeluge(Acceptance):
    """Anything below a water level that falls towards the best (Dueck 1993)."""

    def __init__(self, margin: float = 0.02, rain: float = 0.05) -> None:
        self.margin, self.rain = margin, rain
        self.level: float | None = None

    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        if self.level is None:
            self.level = best + self.margin * max(abs(best), 1e-9)
        accepted = candidate <= max(self.level, current)
        self.level -= self.rain * (self.level - best)
        return accepted


class LateAcceptance(Acceptance):
    """As good as the current value of ``length`` candidates ago (Burke and Bykov 2017)."""

    def __init__(self, length: float = 20) -> None:
        self.history: deque[float] = deque(maxlen=max(1, int(length)))

    def accepts(
        self, candidate: float, current: float, best: float, progress: float, rng: np.random.Generator
    ) -> bool:
        late = self.history[0] if self.history else current
        accepted = candidate <= current or candidate <= late
        self.history.append(candidate if accepted else current)
        return accepted


RULES: dict[str, Callable[..., Acceptance]] = {
    "hill_climbing": HillClimbing,
    "simulated_annealing": SimulatedAnnealing,
    "absolute_annealing": AbsoluteAnnealing,
    "record_to_record": RecordToRecord,
    "great_deluge": GreatDeluge,
    "late_acceptance": LateAcceptance,
}


def make_acceptance(rule: str, **parameters: float) -> Acceptance:
    """The rule of that name; raises :class:`UsageError` for an unknown name or parameter."""
    if rule not in RULES:
        raise UsageError("E204", f"{rule!r} is no acceptance rule", expected=", ".join(RULES))
    try:
        return RULES[rule](**parameters)
    except TypeError as error:
        raise UsageError("E201", f"{rule}: {error}") from None
