"""Exact 0/1 knapsack by dynamic programming over an expanding core.

After Pisinger, A minimal algorithm for the 0-1 knapsack problem, Operations Research 45 (1997): items are ordered by
efficiency; starting from the break solution, the states are extended by the next item to the right (put in) and to the
left (taken out) in turn.  A state is a total weight and profit; dominated ones and those whose upper bound does not
beat the best solution are dropped, and so is every item whose own bound shows that it keeps its value.  When no state
is left, the best solution is optimal.

Profits and weights are exact 64-bit integers.  Bounds are floats with a margin above their rounding error, so that an
optimum is never cut off.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from combopt.model import Ints

MARGIN = 1e-14
"""Relative error allowed for in a bound; double precision makes about 1e-15."""
WORD = 63
"""Steps that a state remembers before its history is written away."""
LARGEST = float(2**62)
IMPOSSIBLE = 1e30
SAMPLE = 256
COMPILED = 40_000_000
"""States handled with numpy before the compiled step is worth its compilation of about two seconds."""


@dataclass
class States:
    """Partial solutions by increasing weight and profit: ``made`` holds the last decisions as bits (1: the item of the
    step changed sides), ``origin`` the state at the last time that the history was written away."""

    weight: Ints
    profit: Ints
    made: Ints
    origin: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, index: Any) -> States:
        return States(self.weight[index], self.profit[index], self.made[index], self.origin[index])


@dataclass
class Core:
    """The search.  Call :meth:`step` until it returns ``False``; then :attr:`best` is optimal.

    Parameters
    ----------
    profit, weight, capacity
        As in :class:`~combopt.instances.knapsack.Knapsack`.
    merge
        The compiled step (:func:`combopt.solvers.knapsack_step.compiled`) once it pays, else ``None``.
    """

    profit: Ints
    weight: Ints
    capacity: int
    merge: Callable[..., Any] | None = None
    best: int = field(init=False, default=-1)
    handled: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._divide()
        useful = (self.weight <= self.capacity) & (self.profit > 0)
        free = useful & (self.weight == 0)
        self._fixed = np.flatnonzero(free)
        items = np.flatnonzero(useful & ~free)
        ratio = self.profit[items] / self.weight[items]
        order = np.argsort(-ratio, kind="stable")
        self.items, self.ratio = items[order], ratio[order]
        self.p, self.w = self.profit[self.items], self.weight[self.items]
        self._start()

    def _divide(self) -> None:
        """Divide by common factors: they would blur the bounds."""
        self._unit = int(np.gcd.reduce(self.profit)) or 1
        factor = int(np.gcd.reduce(self.weight)) or 1
        self.profit, self.weight = self.profit // self._unit, self.weight // factor
        self.capacity //= factor

    def _start(self) -> None:
        self._base = int(self.profit[self._fixed].sum())
        total = np.cumsum(self.w)
        self.break_item = b = int(np.searchsorted(total, self.capacity, side="right"))
        weight = int(total[b - 1]) if b else 0
        profit = int(self.p[:b].sum())
        self.left, self.right = b - 1, b
        self.steps: list[int] = []
        self._history: list[tuple[Ints, npt.NDArray[np.int32]]] = []
        self.states = States(np.array([weight]), np.array([profit]), np.zeros(1, np.int64), np.zeros(1, np.int32))
        self._state: tuple[int, int, int] | None = None
        slope = float(self.ratio[b]) if b < len(self.p) else 0.0
        size = self.p + slope * self.w
        # Lagrangian bound of the break item's slope, above all rounding errors, also those of the order of the items
        relaxed = profit + (self.capacity - weight) * slope
        self._relaxed = relaxed + MARGIN * abs(relaxed) + 4e-16 * float(size.sum()) + 1e-9
        self._loss = np.abs(self.p - slope * self.w) - MARGIN * size
        self.bound = profit if b == len(self.p) else math.floor(self._relaxed)
        self._note(profit, np.arange(b))
        self._greedy(weight, profit)

    def _greedy(self, weight: int, profit: int) -> None:
        """The break solution and whatever still fits, in order."""
        b, room = self.break_item, self.capacity - weight
        more = []
        for j in range(b, len(self.p)):
            if self.w[j] <= room:
                room -= int(self.w[j])
                more.append(j)
        self._note(profit + int(self.p[more].sum()), np.concatenate([np.arange(b), np.array(more, np.int64)]))

    def _note(self, profit: int, positions: Ints) -> None:
        if profit > self.best:
            self.best, self._chosen = profit, positions
            self._state = None

    def offer(self, items: Ints) -> None:
        """Take over a solution, given by items as numbered in the data, if it is feasible and better."""
        where = np.full(len(self.profit), -1, dtype=np.int64)
        where[self.items] = np.arange(len(self.items))
        inside = np.unique(items[(items >= 0) & (items < len(where))])
        positions = where[inside]
        positions = positions[positions >= 0]
        if int(self.w[positions].sum()) <= self.capacity:
            self._note(int(self.p[positions].sum()), positions)

    @property
    def value(self) -> int:
        """Profit of the best solution in the units of the data."""
        return (self.best + self._base) * self._unit

    @property
    def upper(self) -> int:
        """An upper bound on every solution, in the units of the data."""
        return (max(self.bound, self.best) + self._base) * self._unit

    def _live(self, j: int) -> bool:
        """Whether a better solution may have item ``j`` on the other side than the break solution."""
        return bool(self._relaxed - self._loss[j] >= self.best + 1)

    def _borders(self) -> tuple[float, float]:
        """Pass over the items that keep their value; then the most that a unit of room can gain from the items left,
        and the least that a unit of excess costs."""
        while self.right < len(self.p) and not self._live(self.right):
            self.right += 1
        while self.left >= 0 and not self._live(self.left):
            self.left -= 1
        gain = float(self.ratio[self.right]) if self.right < len(self.p) else 0.0
        return gain, float(self.ratio[self.left]) if self.left >= 0 else IMPOSSIBLE

    def step(self) -> bool:
        """Extend the states by one item; ``False`` when nothing is left to do."""
        self._borders()
        n = len(self.p)
        if not len(self.states) or (self.right >= n and self.left < 0):
            self.bound = self.best
            return False
        put_in = self.right < n and (len(self.steps) % 2 == 0 or self.left < 0)
        j = self.right if put_in else self.left
        self.right, self.left = (j + 1, self.left) if put_in else (self.right, j - 1)
        if len(self.steps) % WORD == 0 and self.steps:
            self._history.append((self.states.made, self.states.origin))
            count = len(self.states)
            self.states.made, self.states.origin = np.zeros(count, np.int64), np.arange(count, dtype=np.int32)
        sign = 1 if put_in else -1
        bit = 1 << (len(self.steps) % WORD)
        self.steps.append(j)
        self.handled += 2 * len(self.states)
        extend = self._extend if self.merge is None else self._extend_compiled
        extend(sign * int(self.w[j]), sign * int(self.p[j]), bit)
        if len(self.steps) % 8 == 0 and len(self.states) > 400 * SAMPLE:
            self._complete()
        return True

    def _extend(self, weight: int, profit: int, bit: int) -> None:
        """The states and each of them changed by an item, without the dominated and the hopeless."""
        states = extended(self.states, weight, profit, bit)
        last = int(np.searchsorted(states.weight, self.capacity, side="right")) - 1
        if last >= 0:
            self._harvest(states, last)
        room = self.capacity - states.weight
        gain, loss = self._borders()
        change = np.clip(np.where(room >= 0, gain, loss) * room, -LARGEST, LARGEST)
        bounds = states.profit + np.floor(change + MARGIN * np.abs(change) + 1e-9).astype(np.int64)
        self.bound = min(self.bound, int(bounds.max(initial=self.best)))
        keep = bounds > self.best
        self.states = states if keep.all() else states.take(keep)

    def _extend_compiled(self, weight: int, profit: int, bit: int) -> None:
        """The same in one pass of compiled code."""
        assert self.merge is not None
        old = self.states
        size = 2 * len(old)
        weights, profits, decisions = np.empty((3, size), np.int64)
        new = States(weights, profits, decisions, np.empty(size, np.int32))
        fields = (old.weight, old.profit, old.made, old.origin, new.weight, new.profit, new.made, new.origin)
        limits = (self.capacity, *self._borders(), self.best, MARGIN)
        count, bound, best, made, origin = self.merge(*fields, weight, profit, bit, *limits)
        if best > self.best:
            self.best, self._state = best, (len(self.steps), made, origin)
        self.bound = min(self.bound, max(self.best, bound))
        self.states = new.take(slice(0, count))

    def _harvest(self, states: States, last: int) -> None:
        """Take over a state within the capacity if it beats the best solution."""
        if states.profit[last] > self.best:
            self.best = int(states.profit[last])
            self._state = (len(self.steps), int(states.made[last]), int(states.origin[last]))

    def _complete(self) -> None:
        """Fill a sample of the states greedily from the next items; they may reach a better solution long before
        the search does, and every better solution shortens it."""
        pick = np.linspace(0, len(self.states) - 1, SAMPLE).astype(np.int64)
        room = self.capacity - self.states.weight[pick]
        profit = self.states.profit[pick].copy()
        out = range(self.left, max(-1, self.left - SAMPLE), -1)
        for j in out:
            change = room < 0
            room += np.where(change, self.w[j], 0)
            profit -= np.where(change, self.p[j], 0)
        into = range(self.right, min(len(self.p), self.right + SAMPLE))
        for j in into:
            change = room >= self.w[j]
            room -= np.where(change, self.w[j], 0)
            profit += np.where(change, self.p[j], 0)
        profit[room < 0] = -1
        k = int(np.argmax(profit))
        if profit[k] > self.best:
            self._note(int(profit[k]), self._completed(int(pick[k]), out, into))

    def _completed(self, k: int, out: range, into: range) -> Ints:
        """The items of state ``k`` completed in the same way."""
        inside = np.zeros(len(self.p), dtype=bool)
        inside[self._positions(len(self.steps), int(self.states.made[k]), int(self.states.origin[k]))] = True
        room = self.capacity - int(self.states.weight[k])
        for j in out:
            if room < 0:
                inside[j], room = False, room + int(self.w[j])
        for j in into:
            if room >= self.w[j]:
                inside[j], room = True, room - int(self.w[j])
        return np.flatnonzero(inside)

    def solution(self) -> Ints:
        """Items of the best solution, numbered as in the data."""
        positions = self._chosen if self._state is None else self._positions(*self._state)
        return np.sort(np.concatenate([self._fixed, self.items[positions]]))

    def _positions(self, count: int, made: int, origin: int) -> Ints:
        """What a state of step ``count`` holds."""
        inside = np.zeros(len(self.p), dtype=bool)
        inside[: self.break_item] = True
        for block in range((count - 1) // WORD, -1, -1):
            steps = self.steps[block * WORD : min(count, (block + 1) * WORD)]
            for k, j in enumerate(steps):
                if made >> k & 1:
                    inside[j] = ~inside[j]
            if block:
                stored, origins = self._history[block - 1]
                made, origin = int(stored[origin]), int(origins[origin])
        return np.flatnonzero(inside)


def extended(states: States, weight: int, profit: int, bit: int) -> States:
    """The states and each of them changed by an item, without the dominated."""
    w = np.concatenate([states.weight, states.weight + weight])
    p = np.concatenate([states.profit, states.profit + profit])
    order = np.argsort(w, kind="stable")  # merges two sorted runs in linear time
    w, p = w[order], p[order]
    leads = np.empty(len(p), dtype=bool)
    leads[0] = True
    np.greater(p[1:], np.maximum.accumulate(p)[:-1], out=leads[1:])
    index = np.flatnonzero(leads)
    last = np.append(np.diff(w[index]) > 0, True)  # of equal weights the last has the highest profit
    index = index[last]
    source = order[index]
    n = len(states)
    changed = source >= n
    parent = np.where(changed, source - n, source)
    made = states.made[parent] | np.where(changed, bit, 0)
    return States(w[index], p[index], made, states.origin[parent])
