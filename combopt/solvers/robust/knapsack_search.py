"""Search over the first stages of a robust knapsack: local search, and branch and bound on the game.

Branch and price on x (Arslan and Detienne 2022, section 4) where the linear program of a node is the game of
:mod:`combopt.solvers.robust.knapsack_game`; every bound is an exact best response, valid even if a node is stopped.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from combopt.instances.solutions import RobustPlan
from combopt.model import Floats, Ints
from combopt.solvers.base import Session
from combopt.solvers.robust.knapsack_game import FREE, IN, OUT, Game, Play

CLOSED = 1e-7
"""Relative difference below which a bound is no better than the best plan."""
KICKS = (2, 6)
"""Exchanges of a perturbation: from, and below."""
WIDTH = 80
"""Exchanges tried after a perturbation before the local search is given up."""
ALWAYS, NEVER = 0.95, 0.02
"""Shares of production from which on, and up to which, a dive decides an item at once."""
WHOLE = 1e-7
"""A share of a mixture this close to 0 or 1 counts as that."""


@dataclass
class Best:
    """The best first stage so far, handed over as it improves; ``value`` is what its plan guarantees."""

    game: Game
    session: Session
    value: float = -np.inf
    x: Any = None
    play: Play | None = None
    seen: set[bytes] = field(default_factory=set)

    @property
    def cutoff(self) -> float:
        """What a bound must exceed to be of interest."""
        if self.x is None:
            return -np.inf
        return self.value + CLOSED * max(1.0, abs(self.value))

    def offer(self, x: Any, near: Play | None = None, scenario: Floats | None = None) -> Play | None:
        """Evaluate a first stage, unless it was before; its game if it is the best now.

        ``near`` and ``scenario`` are where the evaluation starts.
        """
        key = np.packbits(x).tobytes()
        if key in self.seen:
            return None
        self.seen.add(key)
        play = self.game.decided(x, near, scenario, self.cutoff)
        if play.upper <= self.cutoff or play.lower <= self.value:
            return None
        self.take(x, play)
        return play

    def take(self, x: Any, play: Play) -> None:
        """Make a first stage the best."""
        self.value, self.x, self.play = play.lower, x.copy(), play
        self.session.emit(self.game.plan(x, play))

    def start(self, plan: RobustPlan) -> None:
        """Evaluate the first stage of a plan given from outside."""
        if len(plan.first) == self.game.items:
            self.offer(plan.first > 0.5)


def slope(gain: Floats, plain: Floats, light: Ints, heavy: Ints, capacity: int) -> tuple[float, float]:
    """The price of a unit of capacity at which the Lagrangian bound of a best response is least, and that bound."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.concatenate([plain / light, gain / heavy, (gain - plain) / (heavy - light), [0.0]])
    prices = np.unique(steps[np.isfinite(steps) & (steps >= 0)])
    bounds = prices * capacity
    for k, price in enumerate(prices.tolist()):
        bounds[k] += np.maximum(np.maximum(plain - price * light, gain - price * heavy), 0.0).sum()
    best = int(np.argmin(bounds))
    return float(prices[best]), float(bounds[best])


@dataclass(frozen=True)
class _Move:
    """A neighbour of a first stage, ``bound`` on its value, and a scenario to start from."""

    bound: float
    leaves: int
    enters: int


def neighbours(best: Best) -> list[_Move]:
    """All exchanges of one item, entering, leaving or both, that a Lagrangian bound does not rule out, best first.

    The bound is taken at the worst scenario of the first stage, an entering item bearing what the leaving one bore.
    """
    game, play, x = best.game, best.play, best.x
    assert play is not None
    data = game.instance
    inside, outside = np.flatnonzero(x), np.flatnonzero(~x)
    at = play.scenario
    light, heavy = game.light.astype(np.float64), game.heavy.astype(np.float64)
    gain, loss = data.outsourcing, data.deviation
    price, bound = slope(
        gain[inside], (gain - loss * at)[inside], game.light[inside], game.heavy[inside], data.capacity
    )
    bound -= game.price[inside].sum()

    def worth(items: Ints, borne: Floats) -> Floats:
        """What items add to the bound, by the scenario entry that each bears."""
        plain = gain[items] - loss[items] * borne - price * light[items]
        full = gain[items] - price * heavy[items]
        total: Floats = np.maximum(np.maximum(plain, full), 0.0) - game.price[items]
        return total

    lost = worth(inside, at[inside])
    spare = min(1.0, max(0.0, data.budget - float(at.sum())))
    moves = [(bound - lost[k], i, -1) for k, i in enumerate(inside.tolist())]
    added = worth(outside, np.full(len(outside), spare))
    moves += [(bound + added[k], -1, j) for k, j in enumerate(outside.tolist())]
    if len(inside) and len(outside):
        table = np.array([worth(outside, np.full(len(outside), e)) for e in at[inside]]) + (bound - lost)[:, None]
        for a, b in np.argwhere(table > best.cutoff).tolist():
            moves.append((table[a, b], int(inside[a]), int(outside[b])))
    moves = [m for m in moves if m[0] > best.cutoff]
    return [_Move(float(b), i, j) for b, i, j in sorted(moves, key=lambda m: (-m[0], m[1], m[2]))]


def dive(best: Best, status: Ints, play: Play, over: Callable[[], bool]) -> None:
    """Turn a relaxation into a first stage: decide the items that it produces almost always or never, and the
    clearest of the others, solve what is left, and so on."""
    status = status.copy()
    while (status == FREE).any() and not over():
        share = np.where(status == FREE, play.produced(), -1.0)
        status[(status == FREE) & (share <= NEVER)] = OUT
        status[share >= ALWAYS] = IN
        if (status == FREE).any():
            status[int(np.argmax(np.where(status == FREE, share, -1.0)))] = IN
        play = best.game.play(status, play, cutoff=best.cutoff)
        if play.upper <= best.cutoff:
            return
    best.offer(status == IN, play)


def improve(best: Best, over: Callable[[], bool], most: int | None = None) -> bool:
    """Exchange items as long as that makes the best first stage better, trying the ``most`` exchanges of the highest
    bounds; whether no exchange is left."""
    while True:
        play = best.play
        assert play is not None
        for move in neighbours(best)[:most]:
            if over():
                return False
            x, at = best.x.copy(), play.scenario.copy()
            if move.leaves >= 0:
                x[move.leaves] = False
            if move.enters >= 0:
                x[move.enters] = True
                at[move.enters] = at[move.leaves] if move.leaves >= 0 else min(1.0, _spare(best, at))
            if best.offer(x, play, at) is not None:
                break
        else:
            return True


def _spare(best: Best, at: Floats) -> float:
    return max(0.0, best.game.instance.budget - float(at.sum()))


def shake(best: Best, rng: np.random.Generator, over: Callable[[], bool]) -> None:
    """Iterated local search: exchange a few items at random, improve, keep what is better."""
    quiet = Session(best.session.budget, best.session.deadline, lambda event: None)
    while not over():
        x = best.x.copy()
        for _ in range(int(rng.integers(*KICKS))):
            inside, outside = np.flatnonzero(x), np.flatnonzero(~x)
            if len(inside):
                x[rng.choice(inside)] = False
            if len(outside):
                x[rng.choice(outside)] = True
        trial = Best(best.game, quiet)
        if trial.offer(x, best.play) is None:
            continue
        improve(trial, over, most=WIDTH)
        if trial.play is not None and trial.value > best.value:
            best.take(trial.x, trial.play)
            improve(best, over)


@dataclass(order=True)
class _Node:
    rank: tuple[float, int]
    status: Ints = field(compare=False)
    play: Play = field(compare=False)


class Tree:
    """Best-first branch and bound; ``bound`` holds for all plans at any time."""

    def __init__(self, best: Best, root: Play, status: Ints) -> None:
        self.best, self.game = best, best.game
        self.heap: list[_Node] = []
        self.nodes = 0
        self.made = 0
        self._push(root.upper, status, root)

    @property
    def bound(self) -> float:
        """Upper bound of the optimum."""
        return max(-self.heap[0].rank[0] if self.heap else -np.inf, self.best.cutoff)

    @property
    def closed(self) -> bool:
        """Whether nothing is left that could be better than the best plan."""
        return not self.heap or -self.heap[0].rank[0] <= self.best.cutoff

    def _push(self, upper: float, status: Ints, play: Play) -> None:
        heapq.heappush(self.heap, _Node((-upper, self.made), status, play))
        self.made += 1

    def step(self) -> None:
        """Branch on the open node of the highest bound."""
        node = heapq.heappop(self.heap)
        upper = -node.rank[0]
        self.nodes += 1
        share = node.play.produced()
        free = (node.status == FREE) & (share > WHOLE) & (share < 1 - WHOLE)
        if not free.any():
            # the relaxation is attained: every undecided item is produced always or never
            self._round(node, 0.5)
            if node.play.upper > self.best.cutoff and not self._settled(node):
                self._split(node, int(np.argmax(node.status == FREE)), upper)
            return
        before = self.best.value
        self._round(node, (WHOLE, 0.5)[self.nodes % 2])
        if self.best.value > before and upper <= self.best.cutoff:
            return
        score = np.where(free, self.game.instance.outsourcing * share * (1 - share), -np.inf)
        self._split(node, int(np.argmax(score)), upper)

    def _round(self, node: _Node, least: float) -> None:
        share = node.play.produced()
        x = (node.status == IN) | ((node.status == FREE) & (share >= least))
        self.best.offer(x, node.play)

    def _settled(self, node: _Node) -> bool:
        """Whether the node has no undecided item, or was left because the run is to stop."""
        return not (node.status == FREE).any()

    def _split(self, node: _Node, item: int, upper: float) -> None:
        for decision in (IN, OUT):
            status = node.status.copy()
            status[item] = decision
            play = self.game.play(status, node.play, cutoff=self.best.cutoff)
            bound = min(play.upper, upper)
            if bound > self.best.cutoff:
                self._push(bound, status, play)


def expand(tree: Tree, over: Callable[[], bool], told: Callable[[float], None], limit: int | None) -> None:
    """Branch until the tree is closed, ``over()``, or ``limit`` nodes; ``told`` hears of better bounds."""
    last = 0.0
    value = tree.best.value
    while not tree.closed and not over():
        if limit is not None and tree.nodes >= limit:
            return
        tree.step()
        if tree.best.value > value:
            improve(tree.best, over)
            value = tree.best.value
        now = time.monotonic()
        if now - last > 0.1:
            last = now
            told(tree.bound)
