"""The second stage of a robust program with the first stage fixed: sides of the rows and costs, affine in ``xi``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from combopt.instances.exact import ABSOLUTE, INTEGRALITY, RELATIVE
from combopt.model import Floats, Ints, Sense

if TYPE_CHECKING:
    from combopt.instances.robust import TwoStageRobust


@dataclass(frozen=True)
class Layout:
    """How the columns of the second stage split, and its uncertain terms by where they are.

    Parameters
    ----------
    shared, first
        Columns of the second stage that are first-stage columns, and their places in the first stage.
    own
        The recourse columns.
    place
        For every column of the second stage its place among the recourse columns, or -1.
    side, linked, matrix
        Terms (indices into the term arrays) on sides of rows, on first-stage columns in rows, and on recourse
        columns in rows.
    offset, cost_first, cost_own
        Terms of the objective: its offset, first-stage and recourse columns.
    """

    shared: Ints
    first: Ints
    own: Ints
    place: Ints
    side: Ints
    linked: Ints
    matrix: Ints
    offset: Ints
    cost_first: Ints
    cost_own: Ints

    @classmethod
    def of(cls, instance: TwoStageRobust) -> Layout:
        names = {name: i for i, name in enumerate(instance.first.columns)}
        belongs = np.array([names.get(name, -1) for name in instance.second.columns], dtype=np.int64)
        shared, own = np.flatnonzero(belongs >= 0), np.flatnonzero(belongs < 0)
        place = np.full(len(belongs), -1, dtype=np.int64)
        place[own] = np.arange(len(own))
        row, column = instance.term_row, instance.term_column
        is_shared = np.zeros(len(column), dtype=bool)
        is_shared[column >= 0] = belongs[column[column >= 0]] >= 0
        constant, objective = column < 0, row < 0
        return cls(
            shared=shared, first=belongs[shared], own=own, place=place,
            side=np.flatnonzero(constant & ~objective), linked=np.flatnonzero(is_shared & ~objective),
            matrix=np.flatnonzero(~constant & ~is_shared & ~objective), offset=np.flatnonzero(constant & objective),
            cost_first=np.flatnonzero(is_shared & objective),
            cost_own=np.flatnonzero(~constant & ~is_shared & objective),
        )  # fmt: skip


@dataclass(frozen=True)
class SecondStage:
    """The second stage for one first stage ``x``, in the recourse columns alone.

    In scenario ``xi`` the recourse ``y`` obeys ``low + slope xi <= W y <= high + slope xi`` and the whole plan costs
    ``constant + drift xi + (cost + rate xi) y``, first stage included, in the sense of the instance.

    Parameters
    ----------
    low, high
        ``float64[rows]``.
    slope
        ``float64[rows, q]``.
    cost, rate
        ``float64[m]`` and ``float64[m, q]``.
    constant, drift
        A number and ``float64[q]``.
    """

    instance: TwoStageRobust
    low: Floats
    high: Floats
    slope: Floats
    cost: Floats
    rate: Floats
    constant: float
    drift: Floats

    @classmethod
    def at(cls, instance: TwoStageRobust, x: Floats) -> SecondStage:
        """The second stage once the first stage is ``x: float64[n]``."""
        layout, second = instance.layout, instance.second
        q = instance.uncertainty.dimension
        value, factor = instance.term_value, instance.term_factor
        known = np.zeros(len(second.columns))
        known[layout.shared] = x[layout.first]
        fixed = instance.matrix @ known
        slope = np.zeros((len(second.rows), q))
        np.add.at(slope, (instance.term_row[layout.side], factor[layout.side]), value[layout.side])
        linked = layout.linked
        np.add.at(
            slope, (instance.term_row[linked], factor[linked]), -value[linked] * known[instance.term_column[linked]]
        )
        drift = np.zeros(q)
        np.add.at(drift, factor[layout.offset], value[layout.offset])
        mine = layout.cost_first
        np.add.at(drift, factor[mine], value[mine] * known[instance.term_column[mine]])
        return cls(
            instance=instance, low=second.row_lower - fixed, high=second.row_upper - fixed, slope=slope,
            cost=second.cost[layout.own], rate=instance.rate,
            constant=float(instance.first.cost @ x + instance.first.offset + second.cost @ known + second.offset),
            drift=drift,
        )  # fmt: skip

    def sides(self, xi: Floats) -> tuple[Floats, Floats]:
        """Lower and upper sides of the rows in a scenario."""
        move = self.slope @ xi
        return self.low + move, self.high + move

    def costs_at(self, xi: Floats) -> Floats:
        """Costs of the recourse columns in a scenario."""
        return np.asarray(self.cost + self.rate @ xi)

    def constant_at(self, xi: Floats) -> float:
        """What the plan costs in a scenario besides its recourse."""
        return self.constant + float(self.drift @ xi)

    def affine(self, recourse: Floats) -> tuple[Floats, Floats]:
        """Cost of the whole plan with each decision, ``base + slope xi``: ``float64[k]`` and ``float64[k, q]``."""
        return self.constant + recourse @ self.cost, self.drift + recourse @ self.rate

    def serves(self, recourse: Floats, scenarios: Floats, tolerance: float = ABSOLUTE) -> npt.NDArray[np.bool_]:
        """``bool[k, s]``: which decision obeys the rows in which scenario, up to the tolerance."""
        return Reach.of(self, scenarios, tolerance).serves(recourse)

    def excess(self, recourse: Floats, xi: Floats) -> Floats:
        """``float64[k, rows]``: by how much each decision breaks each row in a scenario; at most 0 where it holds."""
        low, high = self.sides(xi)
        activity = activities(self.instance, recourse, xi)
        return np.asarray(np.maximum(low - activity, activity - high))


@dataclass(frozen=True)
class Reach:
    """Which decisions obey the rows of a second stage in which of some scenarios: sides with their tolerance, those
    that are finite alone, of rows that move with the scenario (``*_moving``, by scenario) and of those that do not.
    """

    stage: SecondStage
    scenarios: Floats
    tolerance: float
    low_rows: Ints
    high_rows: Ints
    low_moving: Floats
    high_moving: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, stage: SecondStage, scenarios: Floats, tolerance: float) -> Reach:
        moving = np.abs(stage.slope).any(axis=1)
        low_rows, high_rows = (np.flatnonzero(moving & np.isfinite(side)) for side in (stage.low, stage.high))
        low = stage.low[low_rows] + scenarios @ stage.slope[low_rows].T
        high = stage.high[high_rows] + scenarios @ stage.slope[high_rows].T
        return cls(
            stage=stage, scenarios=scenarios, tolerance=tolerance, low_rows=low_rows, high_rows=high_rows,
            low_moving=_looser(low, -tolerance), high_moving=_looser(high, tolerance),
            low=_looser(np.where(moving, -np.inf, stage.low), -tolerance),
            high=_looser(np.where(moving, np.inf, stage.high), tolerance),
        )  # fmt: skip

    def serves(self, recourse: Floats) -> npt.NDArray[np.bool_]:
        """``bool[k, s]``."""
        instance = self.stage.instance
        if len(instance.layout.matrix):
            columns = [self._in_scenario(recourse, xi) for xi in self.scenarios]
            return np.array(columns, dtype=bool).reshape(len(self.scenarios), len(recourse)).T
        activity = activities(instance, recourse)
        still = np.array(((activity >= self.low) & (activity <= self.high)).all(axis=1))
        fits = np.repeat(still[:, None], len(self.scenarios), axis=1)
        for k in np.flatnonzero(still).tolist():  # one by one, so that no table of three dimensions is made
            if self.low_rows.size:
                fits[k] &= (activity[k, self.low_rows] >= self.low_moving).all(axis=1)
            if self.high_rows.size:
                fits[k] &= (activity[k, self.high_rows] <= self.high_moving).all(axis=1)
        return fits

    def _in_scenario(self, recourse: Floats, xi: Floats) -> npt.NDArray[np.bool_]:
        low, high = self.stage.sides(xi)
        activity = activities(self.stage.instance, recourse, xi)
        low, high = _looser(low, -self.tolerance), _looser(high, self.tolerance)
        return np.asarray(((activity >= low) & (activity <= high)).all(axis=1))


def activities(instance: TwoStageRobust, recourse: Floats, xi: Floats | None = None) -> Floats:
    """``W y`` of each decision, ``float64[k, rows]``; in scenario ``xi`` where the matrix is uncertain."""
    layout = instance.layout
    found = np.asarray((instance.own_matrix @ recourse.T).T)
    if xi is not None and len(layout.matrix):
        terms = layout.matrix
        extra = instance.term_value[terms] * xi[instance.term_factor[terms]]
        column = layout.place[instance.term_column[terms]]
        for row, value, place in zip(instance.term_row[terms], extra, column, strict=True):
            found[:, row] += value * recourse[:, place]
    return found


def cleaned(instance: TwoStageRobust, recourse: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The decisions with whole columns rounded and all within their bounds, and which were so up to the tolerance."""
    own, second = instance.layout.own, instance.second
    lower, upper, whole = second.lower[own], second.upper[own], second.integral[own]
    nearest = np.where(whole, np.rint(recourse), recourse)
    within = np.clip(nearest, lower, upper)
    ok = (np.abs(nearest - recourse) <= INTEGRALITY).all(axis=1)
    ok &= (np.abs(within - nearest) <= ABSOLUTE + RELATIVE * np.abs(nearest)).all(axis=1)
    ok &= (within == np.rint(within))[:, whole].all(axis=1)
    return within, ok


def best_per_scenario(costs: Floats, serves: npt.NDArray[np.bool_], sense: Sense) -> Floats:
    """``float64[s]``: the best cost of the decisions that serve a scenario, infinite (and bad) where none does."""
    bad = np.inf if sense is Sense.MIN else -np.inf
    table = np.where(serves, costs, bad)
    if not len(table):
        return np.full(serves.shape[1], bad)
    return np.asarray(table.min(axis=0) if sense is Sense.MIN else table.max(axis=0))


def _looser(side: Floats, tolerance: float) -> Floats:
    """Sides moved outwards by the tolerance and what it is relative to them: down if it is negative."""
    return np.asarray(side + np.sign(tolerance) * (abs(tolerance) + RELATIVE * np.abs(side)))
