"""The engine: choose a neighbourhood and who searches it, search, accept, learn; for any kind of problem.

A kind plugs in operators, which build neighbourhoods of a solution, and searchers, which look for a better solution
in one.  The engine always minimises.  Two bandits choose, one among the operators and one among the searchers, so
that what is learned of a searcher serves every operator (Balans, Cai, Kadioglu and Dilkina 2025, has one bandit over
operators alone and one searcher).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from combopt.solvers.lns.acceptance import Acceptance
from combopt.solvers.lns.bandits import Bandit
from combopt.solvers.lns.rewards import Outcome, Reward
from combopt.solvers.lns.sizes import Sizes

S = TypeVar("S")
N = TypeVar("N")
N_co = TypeVar("N_co", covariant=True)
N_contra = TypeVar("N_contra", contravariant=True)

CHEAP = 0.1
"""Share of the dearest step below which all steps count as equally cheap."""
POOL = 10
"""Solutions remembered, the best ones."""


@dataclass(frozen=True, slots=True)
class Found(Generic[S]):
    """A solution and its value, to be minimised."""

    solution: S
    value: float


class Ending(StrEnum):
    """How the search of a neighbourhood ended."""

    CLOSED = "closed"
    """Searched to the end: it holds nothing better."""
    LIMIT = "limit"
    """A limit came first."""
    EMPTY = "empty"
    """There was nothing to search."""
    FAILED = "failed"
    """The searcher failed."""


@dataclass(frozen=True, slots=True)
class Attempt(Generic[S]):
    """What a searcher brought: its best solution, if it found any, and what it cost in seconds (or other units, if
    the run counts those).  ``complete`` says that a closed neighbourhood was the whole space."""

    ending: Ending
    found: Found[S] | None = None
    cost: float = 0.0
    complete: bool = False


@dataclass
class State(Generic[S]):
    """Where the search stands; ``pool`` holds the best solutions, best first, without doubles."""

    current: Found[S]
    best: Found[S]
    pool: list[Found[S]] = field(default_factory=list)


class Operator(Protocol[N_co]):
    """Builds neighbourhoods; ``size`` from 0 to 1 is the share of the decisions that are freed."""

    @property
    def name(self) -> str: ...

    def build(self, state: State[Any], size: float, rng: np.random.Generator) -> N_co | None:
        """A neighbourhood of ``state.current``, or ``None`` if this operator has none there."""


class Searcher(Protocol[S, N_contra]):
    """Looks for a better solution in a neighbourhood."""

    @property
    def name(self) -> str: ...

    def takes(self, operator: str) -> bool:
        """Whether it can search the neighbourhoods of that operator."""

    def search(self, neighbourhood: N_contra, state: State[S], limit: float, seed: int) -> Attempt[S]:
        """Search for at most ``limit`` seconds, or units of whatever the run counts."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the trace of a search."""

    number: int
    operator: str
    searcher: str
    size: float
    ending: Ending
    outcome: Outcome
    value: float | None
    cost: float
    reward: float


@dataclass
class Engine(Generic[S, N]):
    """The parts of a search; :meth:`step` makes one move.

    Parameters
    ----------
    same
        Whether two solutions are equal; the pool keeps no doubles.
    tolerance
        Relative improvement below which two values are the same.
    priced
        Whether the bandits weigh rewards against costs.
    """

    operators: Sequence[Operator[N]]
    searchers: Sequence[Searcher[S, N]]
    chooser: Bandit
    assigner: Bandit
    acceptance: Acceptance
    reward: Reward
    sizes: Sizes
    rng: np.random.Generator
    same: Callable[[S, S], bool]
    tolerance: float = 1e-9
    priced: bool = True
    steps: int = 0
    closed: bool = False
    """Whether a search of the whole space came to its end: the best solution is optimal."""
    _dearest: float = 0.0
    _idle: set[tuple[int, int]] = field(default_factory=set)
    """Pairs without a neighbourhood around the current solution, passed over until there is another."""

    def start(self, found: Found[S]) -> State[S]:
        """The state of a search that begins at ``found``."""
        return State(found, found, [found])

    def step(self, state: State[S], limit: float, progress: float) -> Step | None:
        """Choose, search, accept, learn; ``None`` if no operator has anything left to search.

        ``progress`` is the share of the budget that is spent.
        """
        pairs = [
            (o, s)
            for o in range(len(self.operators))
            for s in range(len(self.searchers))
            if (o, s) not in self._idle and self.searchers[s].takes(self.operators[o].name)
        ]
        if not pairs:
            return None
        chosen = self.chooser.select(self.rng, sorted({o for o, _ in pairs}))
        assigned = self.assigner.select(self.rng, [s for o, s in pairs if o == chosen])
        operator, searcher = self.operators[chosen], self.searchers[assigned]
        size = self.sizes.of(operator.name)
        neighbourhood = operator.build(state, size, self.rng)
        if neighbourhood is None:
            attempt: Attempt[S] = Attempt(Ending.EMPTY)
        else:
            attempt = searcher.search(neighbourhood, state, limit, int(self.rng.integers(2**31)))
        return self._learn(state, (chosen, assigned), size, attempt, limit, progress)

    def _learn(
        self, state: State[S], arm: tuple[int, int], size: float, attempt: Attempt[S], limit: float, progress: float
    ) -> Step:
        before = state.best.value
        outcome = self.take(state, attempt.found, progress)
        self.closed = self.closed or (attempt.complete and attempt.ending is Ending.CLOSED)
        reward = self.note(arm, outcome, before, state.best.value, attempt.cost)
        operator, searcher = self.operators[arm[0]].name, self.searchers[arm[1]].name
        improved = outcome in (Outcome.BEST, Outcome.BETTER)
        spent = 1.0 if math.isinf(limit) else attempt.cost / limit
        self.sizes.learn(operator, attempt.ending, improved, spent)
        if outcome in (Outcome.BEST, Outcome.BETTER, Outcome.ACCEPTED):
            self._idle.clear()
        elif attempt.ending is Ending.EMPTY or (attempt.ending is Ending.CLOSED and self.sizes.largest(size)):
            self._idle.add(arm)
        self.steps += 1
        value = None if attempt.found is None else attempt.found.value
        return Step(self.steps, operator, searcher, size, attempt.ending, outcome, value, attempt.cost, reward)

    def note(self, arm: tuple[int, int], outcome: Outcome, before: float, after: float, cost: float) -> float:
        """Tell the bandits what operator and searcher ``arm`` brought, and what it cost; the reward."""
        reward = self.reward.of(outcome, before, after)
        self._update(arm, reward, cost)
        return reward

    def hear(self, operator: str, searcher: str, reward: float, cost: float) -> None:
        """Tell the bandits of a step that another search has made; names unknown here mean nothing."""
        operators, searchers = [o.name for o in self.operators], [s.name for s in self.searchers]
        if operator in operators and searcher in searchers:
            self._update((operators.index(operator), searchers.index(searcher)), reward, cost)

    def _update(self, arm: tuple[int, int], reward: float, cost: float) -> None:
        self._dearest = max(self._dearest, cost)
        price = max(CHEAP, cost / self._dearest) if self.priced and self._dearest > 0 else 1.0
        self.chooser.update(arm[0], reward, price)
        self.assigner.update(arm[1], reward, price)

    def take(self, state: State[S], found: Found[S] | None, progress: float) -> Outcome:
        """Let a solution into the state, and say what it was worth."""
        if found is None:
            return Outcome.NOTHING
        margin = self.tolerance * max(1.0, abs(state.best.value))
        if self.same(found.solution, state.current.solution):
            return Outcome.NOTHING
        self._remember(state, found)
        if found.value < state.best.value - margin:
            state.best = state.current = found
            return Outcome.BEST
        if not self.acceptance.accepts(found.value, state.current.value, state.best.value, progress, self.rng):
            return Outcome.REJECTED
        better = found.value < state.current.value - margin
        state.current = found
        return Outcome.BETTER if better else Outcome.ACCEPTED

    def _remember(self, state: State[S], found: Found[S]) -> None:
        if len(state.pool) == POOL and found.value >= state.pool[-1].value:
            return
        if any(found.value == old.value and self.same(found.solution, old.solution) for old in state.pool):
            return
        state.pool.append(found)
        state.pool.sort(key=lambda entry: entry.value)
        del state.pool[POOL:]
