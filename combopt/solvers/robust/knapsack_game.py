"""The game behind a robust knapsack: what a first stage, decided in part, is worth in the worst case.

Let ``g = outsourcing - profit`` be what accepting an item costs before recourse.  With x relaxed to [0, 1] where it is
undecided, x = y there, so an undecided item earns ``profit`` when produced, one that is accepted earns ``outsourcing``
and has cost ``g`` already, and one that is left out cannot be produced.  What remains is a game between the scenario
and a mixture of recourse plans (minimax; Arslan and Detienne 2022, section 3).  Its value is the exact worst case
where all is decided, and an upper bound otherwise: the linear relaxation of their decomposition, with the linking rows
solved for x.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.errors import InputError
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.solutions import RobustPlan
from combopt.model import Floats, Ints
from combopt.solvers.base import Session
from combopt.solvers.compiled import compiled

KERNELS = "combopt.solvers.robust.knapsack_kernels"
ENTRIES = ("respond", "worst", "mixture", "game")
ROOM = 400
"""New recourse plans of one game at most."""
PATIENCE = 5.0
"""Seconds after which the user is told why nothing happens."""
CUTS = 48
"""Plans kept to start similar games from."""
OUT, FREE, IN = -1, 0, 1
"""Status of an item: left out, undecided, accepted."""


def kernels() -> Any:
    """The compiled loops; the first call of an installation compiles them."""
    return compiled(KERNELS, entries=ENTRIES)


def kernels_within(session: Session) -> Any:
    """The compiled loops, or ``None`` if the session is to stop before they are there.

    In a thread, so that a stop is heard; what is compiled then is ready for the next run.
    """
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(kernels()), name="combopt-compile", daemon=True)
    thread.start()
    patience: float | None = time.monotonic() + PATIENCE
    while thread.is_alive() and not session.stopping:
        thread.join(0.02)
        if patience is not None and time.monotonic() > patience and thread.is_alive():
            session.say("the search loops are compiled, which takes a while once after an installation")
            patience = None
    return found[0] if found else None


@dataclass(frozen=True)
class Play:
    """The outcome of a game.

    Parameters
    ----------
    lower, upper
        Bounds of its value; equal up to rounding unless it was cut off or stopped.  Where items are undecided,
        ``upper`` bounds every plan that the status allows.
    plans
        ``int64[k, n]``: the recourse plans of the best mixture, 0 left, 1 produced, 2 produced and repaired.
    weights
        ``float64[k]``: their shares.
    scenario
        ``float64[n]``: where the upper bound was found.
    cuts
        ``int8[c, n]``: the plans that are best in that scenario or nearly so, to start a similar game from.
    """

    lower: float
    upper: float
    plans: Ints
    weights: Floats
    scenario: Floats
    cuts: npt.NDArray[np.int8]

    def produced(self) -> Floats:
        """``float64[n]``: the share in which every item is produced."""
        share: Floats = self.weights @ (self.plans > 0)
        return share


@dataclass
class Game:
    """Games of one instance; ``calls`` and ``rounds`` count them and their best responses.

    ``stop`` has one entry; once another thread sets it to 1, games end after their current round.
    """

    instance: RobustKnapsack
    loops: Any = field(default_factory=kernels)
    calls: int = 0
    rounds: int = 0

    def __post_init__(self) -> None:
        data = self.instance
        self.items = data.items
        self.light = data.weight.copy()
        self.heavy = data.weight + data.repair
        self.price = data.outsourcing - data.profit
        self.stop = np.zeros(1, dtype=np.int64)
        self.none = np.zeros((0, self.items), dtype=np.int8)
        self.nowhere = np.zeros(self.items)

    def play(
        self, status: Ints, near: Play | None = None, scenario: Floats | None = None, cutoff: float = -np.inf
    ) -> Play:
        """The game with items decided as in ``status`` (:data:`OUT`, :data:`FREE`, :data:`IN`).

        Parameters
        ----------
        near
            A similar game, to start from its cuts and its scenario; plans lose the items that are left out.
        scenario
            Another scenario to start from.
        cutoff
            The game may end once its value is known not to be above it.
        """
        data = self.instance
        plans = self.none if near is None else near.cuts
        if scenario is None:
            scenario = self.nowhere if near is None else near.scenario
        index = np.flatnonzero(status >= FREE)
        if not len(index):
            return Play(0.0, 0.0, np.zeros((1, self.items), dtype=np.int64), np.ones(1), self.nowhere, self.none)
        accepted = status[index] == IN
        gain = np.where(accepted, data.outsourcing[index], data.profit[index])
        paid = -float(self.price[index][accepted].sum())
        book = np.zeros((len(plans) + ROOM, len(index)), dtype=np.int64)
        book[: len(plans)] = plans[:, index]
        weights = np.zeros(len(book))
        at = scenario[index]
        lower, upper, count, rounds = self.loops.game(
            self.light[index], self.heavy[index], gain, data.deviation[index], data.capacity, data.budget,
            cutoff - paid, self.stop, book, len(plans), at, weights,
        )  # fmt: skip
        self.calls += 1
        self.rounds += rounds
        used = np.flatnonzero(weights[:count] > 0)
        mixed = np.zeros((len(used), self.items), dtype=np.int64)
        mixed[:, index] = book[used]
        where = np.zeros(self.items)
        where[index] = at
        value = (book[:count] > 0) @ gain - (book[:count] == 1) @ (data.deviation[index] * at)
        best = np.argsort(-value, kind="stable")[:CUTS]
        cuts = np.zeros((len(best), self.items), dtype=np.int8)
        cuts[:, index] = book[best]
        return Play(lower + paid, upper + paid, mixed, weights[used], where, cuts)

    def decided(
        self, x: Any, near: Play | None = None, scenario: Floats | None = None, cutoff: float = -np.inf
    ) -> Play:
        """The game with exactly the items of ``x: bool[n]`` accepted."""
        return self.play(np.where(x, IN, OUT), near, scenario, cutoff)

    def plan(self, x: Any, play: Play) -> RobustPlan:
        """The plan of a first stage and the mixture of a game."""
        x = np.asarray(x, dtype=bool)
        plans, weights = play.plans, play.weights
        if not len(plans):  # stopped before the first response: everything is outsourced
            plans, weights = np.zeros((1, self.items), dtype=np.int64), np.ones(1)
        plans = plans * x
        recourse = np.hstack([plans > 0, plans == 2]).astype(np.float64)
        return RobustPlan(x.astype(np.float64), recourse, weights / weights.sum(), play.scenario * x)


@dataclass(frozen=True)
class Completion:
    """A first stage with its certificate: ``plan`` guarantees ``lower``; ``upper`` is what its scenario allows.

    They are equal up to rounding unless the evaluation was stopped early.
    """

    plan: RobustPlan
    lower: float
    upper: float


def complete(instance: RobustKnapsack, first: Any, game: Game | None = None) -> Completion:
    """The exact worst case of a first stage, with the recourse plans, their mixture and the scenario that prove it.

    Parameters
    ----------
    first
        0 or 1 for every item.
    game
        The games of the instance, where there are some already.

    Raises
    ------
    InputError
        With code E302 if ``first`` has another length or other entries.
    """
    x = np.asarray(first, dtype=np.float64)
    if x.shape != (instance.items,) or not np.isin(x, (0.0, 1.0)).all():
        expected = f"0 or 1 for each of {instance.items}"
        raise InputError("E302", "a first stage that is no selection of the items", expected=expected)
    game = game or Game(instance)
    play = game.decided(x > 0.5)
    plan = game.plan(x > 0.5, play)
    return Completion(plan, float(instance.evaluate(plan).objective), play.upper)
