"""Neighbourhoods of mixed-integer programs.

Continuous columns, and those of special ordered sets and indicators, are always free.  Most operators rank the
discrete columns and free the first of them, so many as the size says; the rest keep their values of the current
solution, which therefore lies in the neighbourhood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from combopt.model import Floats, Ints
from combopt.solvers.balans.space import WHOLE, Bools, MipNeighbourhood, MipSpace, RunOn
from combopt.solvers.linear import rounded_bounds
from combopt.solvers.lns.engine import Operator, State

MipState = State[Floats]
Rank = Callable[[MipSpace, MipState, np.random.Generator], Floats | None]
"""Scores of all columns, the largest of which are freed first; ``None`` where the rule has nothing to go by."""
DENSE = 1000
"""Rows with more entries do not count as links between their columns."""


def chosen(space: MipSpace, scores: Floats, size: float, rng: np.random.Generator) -> Bools:
    """The discrete columns with the largest scores, ``size`` of them all but at least one; ties fall at random."""
    discrete = np.flatnonzero(space.discrete)
    count = min(len(discrete), max(1, round(size * len(discrete))))
    order = np.lexsort((rng.random(len(discrete)), -scores[discrete]))
    picked = np.zeros(len(scores), dtype=bool)
    picked[discrete[order[:count]]] = True
    return picked


@dataclass(frozen=True)
class Ranked:
    """Frees the discrete columns that ``rank`` puts first; a function given from outside plugs in here."""

    name: str
    space: MipSpace
    rank: Rank

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        scores = self.rank(self.space, state, rng)
        if scores is None or not self.space.discrete.any():
            return None
        free = ~self.space.discrete | chosen(self.space, scores, size, rng)
        return MipNeighbourhood(free=free, values=state.current.solution)


def mutation(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    """Any columns (Rothberg 2007, "An evolutionary algorithm for polishing mixed integer programming solutions")."""
    return rng.random(len(space.mip.columns))


def crossover(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats | None:
    """Where the current solution and one or two others of the pool differ (Rothberg 2007, section 2.2)."""
    others = [found.solution for found in state.pool if found is not state.current]
    if not others:
        return None
    picked = rng.choice(len(others), size=min(len(others), 2), replace=False)
    apart = sum((np.abs(others[int(i)] - state.current.solution) > WHOLE).astype(np.float64) for i in picked)
    return np.asarray(apart) if np.any(apart) else None


def objective(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    """Where the objective could gain most if a column went to its better bound, blurred by chance.

    Close to the objective neighbourhood of Lindroth and others; unbounded columns count as one step away.
    """
    lower, upper = rounded_bounds(space.mip)
    values, cost = state.current.solution, space.cost
    room = np.where(cost > 0, values - lower, upper - values)
    gain = np.abs(cost) * np.where(np.isfinite(room), room, 1.0)
    return gain * rng.random(len(values))


def graph(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    """Columns close to a random one, where two that share a row are neighbours (breadth first).

    As the neighbourhood of variable graphs in Rothberg's and others' solvers; rows of more than ``DENSE`` entries
    link nothing.
    """
    mip = space.mip
    start, rows = space.by_column
    widths = np.diff(mip.row_start)
    distance = np.full(len(mip.columns), np.inf)
    frontier = rng.choice(np.flatnonzero(space.discrete), size=1)
    distance[frontier] = level = 0.0
    seen = np.zeros(len(mip.rows), dtype=bool)
    seen[widths > DENSE] = True
    while frontier.size:
        level += 1.0
        near = _gather(start, rows, frontier)
        near = np.unique(near[~seen[near]])
        seen[near] = True
        columns = np.unique(_gather(mip.row_start, mip.row_column, near))
        frontier = columns[np.isinf(distance[columns])]
        distance[frontier] = level
    return -distance


def _gather(start: Ints, items: Ints, of: Ints) -> Ints:
    """All items of the groups ``of`` of a compressed list."""
    counts = start[of + 1] - start[of]
    ends = np.cumsum(counts)
    if not ends.size or ends[-1] == 0:
        return np.zeros(0, dtype=np.int64)
    steps = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    return items[np.repeat(start[of], counts) + steps]


def row(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    """Columns of random rows that are tight, one row after another."""
    mip = space.mip
    activity = np.bincount(
        space.row_of, mip.row_value * state.current.solution[mip.row_column], minlength=len(mip.rows)
    )
    slack = np.minimum(activity - mip.row_lower, mip.row_upper - activity)
    turn = rng.random(len(mip.rows)) + (slack > WHOLE * np.maximum(1.0, np.abs(activity)))
    first = np.full(len(mip.columns), np.inf)
    np.minimum.at(first, mip.row_column, turn[space.row_of])
    return -first


def kind(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    """Columns of the kind of a random one: the same bounds, number of rows and sign of cost."""
    mip = space.mip
    start, _ = space.by_column
    lower, upper = rounded_bounds(mip)
    look = np.stack([lower, upper, np.diff(start).astype(np.float64), np.sign(space.cost)])
    model = int(rng.choice(np.flatnonzero(space.discrete)))
    same = (look == look[:, model : model + 1]).all(axis=0)
    return same + rng.random(len(mip.columns)) / 2


@dataclass(frozen=True)
class Rins:
    """Where the current solution and the relaxation differ (Danna, Rothberg and Le Pape 2005, section 2).

    Columns are freed in the order of their distance, so that the size bites when too many differ.
    """

    space: MipSpace
    relaxation: Callable[[], Floats | None]
    name: str = "rins"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        relaxed = self.relaxation()
        if relaxed is None or not self.space.discrete.any():
            return None
        apart = np.abs(relaxed - state.current.solution)
        apart[apart <= WHOLE] = 0.0
        free = ~self.space.discrete | chosen(self.space, apart, size, rng)
        return MipNeighbourhood(free=free, values=state.current.solution)


@dataclass(frozen=True)
class Rens:
    """Roundings of the relaxation (Berthold 2014, section 3): what is whole there is fixed, the rest is rounded up or
    down.  ``size`` frees so many of the fixed columns besides, where rounding alone is infeasible or too narrow."""

    space: MipSpace
    relaxation: Callable[[], Floats | None]
    name: str = "rens"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        relaxed = self.relaxation()
        if relaxed is None or not self.space.discrete.any():
            return None
        whole = np.abs(relaxed - np.rint(relaxed)) <= WHOLE
        extra = chosen(self.space, whole.astype(np.float64), size, rng)
        values = np.where(self.space.discrete, np.rint(relaxed), state.current.solution)
        fractional = self.space.discrete & ~whole & ~extra
        return MipNeighbourhood(
            free=~self.space.discrete | ~whole | extra,
            values=values,
            lower=np.where(fractional, np.floor(relaxed), -np.inf),
            upper=np.where(fractional, np.ceil(relaxed), np.inf),
        )


@dataclass(frozen=True)
class Dins:
    """Closer to the relaxation than the current solution is (Ghosh 2007, section 3).

    General integers at least half a unit away may move towards it and beyond, no further than they are away now;
    binaries that agree with it and with the whole pool are fixed, the others change in ``size`` of them at most.
    """

    space: MipSpace
    relaxation: Callable[[], Floats | None]
    name: str = "dins"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        relaxed = self.relaxation()
        discrete, binary = self.space.discrete, self.space.binary
        if relaxed is None or not discrete.any():
            return None
        now = state.current.solution
        away = np.abs(relaxed - now)
        general = discrete & ~binary & (away >= 0.5)
        agree = away <= WHOLE
        for found in state.pool:
            agree &= np.abs(found.solution - now) <= WHOLE
        loose = discrete & binary & ~agree
        if not (general.any() or loose.any()):
            return None
        row = None
        if loose.any():
            row = distance_row(np.flatnonzero(loose), now, max(1.0, np.ceil(size * loose.sum())))
        return MipNeighbourhood(
            free=~discrete | general | loose,
            values=now,
            lower=np.where(general, np.ceil(relaxed - away - WHOLE), -np.inf),
            upper=np.where(general, np.floor(relaxed + away + WHOLE), np.inf),
            row=row,
        )


def distance_row(columns: Ints, values: Floats, most: float) -> tuple[Ints, Floats, float]:
    """The row that keeps the Hamming distance of the binary ``columns`` to ``values`` at ``most``."""
    up = values[columns] > 0.5
    return columns, np.where(up, -1.0, 1.0), most - float(up.sum())


@dataclass(frozen=True)
class LocalBranching:
    """At most ``size`` of the binaries change, all else is free (Fischetti and Lodi 2003, section 2).

    As nothing is fixed, its searches may take ``patience`` times as long as others.
    """

    space: MipSpace
    patience: float = 1.0
    name: str = "local_branching"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        columns = np.flatnonzero(self.space.binary & self.space.discrete)
        if not columns.size:
            return None
        row = distance_row(columns, state.current.solution, max(2.0, np.floor(size * len(columns))))
        everything = np.ones(len(self.space.mip.columns), dtype=bool)
        return MipNeighbourhood(free=everything, values=state.current.solution, row=row, patience=self.patience)


@dataclass(frozen=True)
class Proximity:
    """The nearest solution that is better by a margin (Fischetti and Monaci 2014, section 2).

    The margin is a tenth of ``size`` times the objective of the current solution.
    """

    space: MipSpace
    name: str = "proximity"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        space, now = self.space, state.current.solution
        columns = np.flatnonzero(space.binary & space.discrete)
        if not columns.size:
            return None
        value = float(space.cost @ now)
        side = value - 0.1 * size * max(abs(value), 1e-6)
        cost = np.zeros(len(now))
        cost[columns] = np.where(now[columns] > 0.5, -1.0, 1.0)
        paid = np.flatnonzero(space.cost)
        everything = np.ones(len(now), dtype=bool)
        return MipNeighbourhood(free=everything, values=now, row=(paid, space.cost[paid], side), cost=cost)


@dataclass(frozen=True)
class RandomObjective:
    """A random objective over a neighbourhood of the usual kind: moves the current solution elsewhere."""

    space: MipSpace
    name: str = "random_objective"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        space = self.space
        if not space.discrete.any():
            return None
        free = ~space.discrete | chosen(space, rng.random(len(space.mip.columns)), size, rng)
        lower, upper = rounded_bounds(space.mip)
        bounded = np.isfinite(lower) & np.isfinite(upper)
        cost = np.where(bounded, rng.uniform(-1.0, 1.0, len(free)), 0.0)
        return MipNeighbourhood(free=free, values=state.current.solution, cost=cost)


@dataclass(frozen=True)
class Continue:
    """No neighbourhood: the plain solver of one back end goes on with the whole program where it was stopped."""

    name: str

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> RunOn:
        return RunOn()


@dataclass(frozen=True)
class Everything:
    """The whole program, from the incumbent; a search of it that comes to its end is a proof."""

    space: MipSpace
    name: str = "everything"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood:
        return MipNeighbourhood(free=np.ones(len(self.space.mip.columns), dtype=bool), values=state.best.solution)


BACKENDS = ("scip", "cpsat", "highs")
RANKS: dict[str, Rank] = {
    "mutation": mutation,
    "crossover": crossover,
    "objective": objective,
    "graph": graph,
    "row": row,
    "kind": kind,
}


NAMES = (*RANKS, "rins", "rens", "dins", "local_branching", "proximity", "random_objective", "everything")
"""What may be asked for by name; the operators ``run_...`` come by themselves."""


def operators(
    space: MipSpace, relaxation: Callable[[], Floats | None], patience: float = 1.0
) -> dict[str, Operator[Any]]:
    """All operators by name; ``patience`` is that of local branching."""
    every: list[Operator[Any]] = [Ranked(name, space, rank) for name, rank in RANKS.items()]
    every += [Rins(space, relaxation), Rens(space, relaxation), Dins(space, relaxation)]
    every += [LocalBranching(space, patience), Proximity(space), RandomObjective(space), Everything(space)]
    every += [Continue(f"run_{backend}") for backend in BACKENDS]
    return {operator.name: operator for operator in every}
