"""Greedy covering, the part shared by the named baseline and the Lagrangian heuristic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from combopt.instances.setcover import SetCover
from combopt.instances.solutions import Selection
from combopt.model import Floats, Instance, Ints
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class Incidence:
    """Which column covers which row, by columns (``start``, ``row``) and by rows (``row_start``, ``column``)."""

    rows: int
    start: Ints
    row: Ints
    row_start: Ints
    column: Ints

    @classmethod
    def of(cls, instance: SetCover) -> Incidence:
        return cls(instance.rows, instance.column_start, instance.column_row, *instance.by_row())

    @property
    def columns(self) -> int:
        return len(self.start) - 1

    def restricted(self, columns: Ints, rows: npt.NDArray[np.bool_]) -> Incidence:
        """The incidence of some columns with the rows for which ``rows`` holds, both numbered anew."""
        counts = np.diff(self.start)[columns]
        where = np.arange(int(counts.sum())) + np.repeat(self.start[columns] - np.cumsum(counts) + counts, counts)
        row, owner = self.row[where], np.repeat(np.arange(len(columns)), counts)
        keep = rows[row]
        number = np.cumsum(rows) - 1
        return from_entries(int(rows.sum()), len(columns), number[row[keep]], owner[keep])

    def sums(self, values: Floats) -> Floats:
        """For every column the sum of ``values[m]`` over the rows it covers."""
        total = np.concatenate([[0.0], np.cumsum(values[self.row])])
        return total[self.start[1:]] - total[self.start[:-1]]

    def covered(self, columns: Ints) -> Ints:
        """How often each row is covered by ``columns``."""
        pick = np.zeros(self.columns, dtype=bool)
        pick[columns] = True
        return np.bincount(self.row[np.repeat(pick, np.diff(self.start))], minlength=self.rows)


def from_entries(rows: int, columns: int, row: Ints, column: Ints) -> Incidence:
    """The incidence with ``column[k]`` covering ``row[k]``, entries ordered by column."""
    start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=columns))])
    row_start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
    return Incidence(rows, start, row, row_start, column[np.argsort(row, kind="stable")])


def greedy_cover(incidence: Incidence, reduced: Floats, dual: Floats) -> Ints:
    """Columns chosen one by one, the least ``reduced cost / rows newly covered`` first, until all rows are covered.

    ``reduced`` is the cost less the ``dual`` values of the rows that a column covers; as rows get covered, their
    values are given back.  With ``dual = 0`` this is the rule of Chvatal, Mathematics of Operations Research 4
    (1979); with Lagrangian multipliers that of Caprara, Fischetti and Toth, Operations Research 47 (1999), section 3.
    Columns of negative reduced cost have the score ``reduced * rows``.
    """
    fresh = np.diff(incidence.start).astype(np.int64)
    price = reduced.copy()
    open_rows = np.ones(incidence.rows, dtype=bool)
    score = np.full(incidence.columns, np.inf)
    _rate(score, price, fresh, np.arange(incidence.columns))
    chosen = []
    left = incidence.rows
    start, row, row_start = incidence.start, incidence.row, incidence.row_start
    while left:
        j = int(np.argmin(score))
        if not np.isfinite(score[j]):
            break  # rows that no column covers
        chosen.append(j)
        hit = row[start[j] : start[j + 1]]
        hit = hit[open_rows[hit]]
        open_rows[hit] = False
        left -= len(hit)
        touched = [incidence.column[row_start[i] : row_start[i + 1]] for i in hit.tolist()]
        for i, columns in zip(hit.tolist(), touched, strict=True):
            fresh[columns] -= 1
            price[columns] += dual[i]
        _rate(score, price, fresh, np.concatenate(touched))
    return np.array(chosen, dtype=np.int64)


def _rate(score: Floats, price: Floats, fresh: Ints, columns: Ints) -> None:
    cost, count = price[columns], fresh[columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        score[columns] = np.where(count == 0, np.inf, np.where(cost > 0, cost / count, cost * count))


def without_redundant(incidence: Incidence, cost: Floats, columns: Ints) -> Ints:
    """The columns without those whose rows the others cover as well, the most expensive taken out first."""
    times = incidence.covered(columns)
    kept = []
    for j in columns[np.argsort(-cost[columns], kind="stable")].tolist():
        rows = incidence.row[incidence.start[j] : incidence.start[j + 1]]
        if (times[rows] > 1).all():
            times[rows] -= 1
        else:
            kept.append(j)
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True)
class GreedyCover(Solver):
    """Chvatal's greedy rule, then redundant columns are taken out."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="greedy_cover",
        title="greedy covering by cost per row",
        kinds=("setcover",),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, SetCover)
        if instance.uncoverable().size:
            return Outcome.infeasible()
        incidence, cost = Incidence.of(instance), instance.cost.astype(np.float64)
        columns = greedy_cover(incidence, cost, np.zeros(instance.rows))
        session.emit(Selection(without_redundant(incidence, cost, columns)))
        return Outcome()
