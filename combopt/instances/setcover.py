"""The set covering problem: the cheapest columns that together cover every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.mip import MipBuilder
from combopt.instances.packing import check_amounts, chosen, representable, selection_view
from combopt.instances.solutions import Selection
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class SetCover(Instance):
    """Set covering.

    Parameters
    ----------
    rows
        Number of rows to be covered.
    cost
        ``int64[n]`` of the columns, 0 or more.
    column_start, column_row
        Column ``j`` covers the rows ``column_row[column_start[j]:column_start[j + 1]]``, counted from 0, in
        increasing order and without duplicates (the constructor sorts them).
    """

    kind: ClassVar[str] = "setcover"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Selection
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "setcover"
    rows: int
    cost: Ints
    column_start: Ints
    column_row: Ints

    def __post_init__(self) -> None:
        object.__setattr__(self, "cost", frozen_array(self.cost, np.int64, (None,), "cost"))
        start = frozen_array(self.column_start, np.int64, (len(self.cost) + 1,), "column_start")
        object.__setattr__(self, "column_start", start)
        row = frozen_array(self.column_row, np.int64, (None,), "column_row")
        if self.rows < 1 or not len(self.cost):
            raise InputError("E118", "there are no rows or no columns")
        check_amounts(self.cost, "cost")
        if start[0] != 0 or start[-1] != len(row) or (np.diff(start) < 0).any():
            raise InputError("E120", "column_start does not cut column_row into columns")
        if row.size and (row.min() < 0 or row.max() >= self.rows):
            raise InputError(
                "E117", "a column covers a row that does not exist", expected=f"rows 0 to {self.rows - 1}"
            )
        column = np.repeat(np.arange(self.columns), np.diff(start))
        ordered = row[np.lexsort((row, column))]
        if ((np.diff(ordered) == 0) & (np.diff(column) == 0)).any():
            raise InputError("E116", "a column covers the same row twice")
        object.__setattr__(self, "column_row", frozen_array(ordered, np.int64, (None,), "column_row"))

    @property
    def columns(self) -> int:
        return len(self.cost)

    def by_row(self) -> tuple[Ints, Ints]:
        """The same incidence by rows: ``row_start[m + 1]`` and ``row_column``, columns in increasing order."""
        column = np.repeat(np.arange(self.columns), np.diff(self.column_start))
        order = np.argsort(self.column_row, kind="stable")
        counts = np.bincount(self.column_row, minlength=self.rows)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), column[order]

    def uncoverable(self) -> Ints:
        """Rows that no column covers; the instance is infeasible if there is one."""
        return np.flatnonzero(np.bincount(self.column_row, minlength=self.rows) == 0)

    def size(self) -> dict[str, int]:
        return {"rows": self.rows, "columns": self.columns, "nonzeros": len(self.column_row)}

    def evaluate(self, solution: Solution) -> Evaluation:
        self.own(solution)
        assert isinstance(solution, Selection)
        columns, violations = chosen(solution.items, self.columns, "column")
        pick = np.zeros(self.columns, dtype=bool)
        pick[columns] = True
        covered = np.zeros(self.rows, dtype=bool)
        covered[self.column_row[np.repeat(pick, np.diff(self.column_start))]] = True
        violations += [Violation(f"row {i + 1}", 1, "is not covered") for i in np.flatnonzero(~covered).tolist()]
        return Evaluation(int(self.cost[columns].sum()), tuple(violations))

    def to_mip(self) -> View:
        representable(self.cost, "costs")
        builder = MipBuilder(self.name, self.sense)
        for j, cost in enumerate(self.cost.tolist()):
            builder.binary(f"x{j + 1}", cost)
        start, column = self.by_row()
        for i in range(self.rows):
            builder.row([(j, 1.0) for j in column[start[i] : start[i + 1]].tolist()], lower=1.0, name=f"row{i + 1}")
        return selection_view(builder.build())

    @classmethod
    def generate(
        cls,
        rng: np.random.Generator,
        *,
        n: int = 1000,
        family: str = "weighted",
        m: int | None = None,
        density: float = 0.02,
    ) -> SetCover:
        """A random instance with ``n`` columns and ``m`` rows (a fifth of ``n`` by default) as in Beasley, Naval
        Research Logistics 37 (1990), after Balas and Ho: a share ``density`` of ones, every column covers a row and
        every row is covered twice; costs uniform from 1 to 100 (``weighted``) or all 1 (``unicost``)."""
        m = max(2, n // 5) if m is None else m
        if n < 2 or m < 1 or not 0 <= density <= 1:
            raise UsageError("E201", f"n={n}, m={m}, density={density}", expected="n from 2, m from 1, a share of 1")
        if family not in ("weighted", "unicost"):
            raise UsageError("E201", f"family {family!r}", expected="weighted or unicost")
        ones = round(density * n * m)
        twice = np.array([rng.choice(n, size=2, replace=False) for _ in range(m)])
        cells = [np.arange(m) * n + twice[:, 0], np.arange(m) * n + twice[:, 1]]
        cells += [rng.integers(0, m, size=n) * n + np.arange(n), rng.integers(0, n * m, size=max(0, ones - n - 2 * m))]
        cell = np.unique(np.concatenate(cells))
        cost = rng.integers(1, 101, size=n) if family == "weighted" else np.ones(n, dtype=np.int64)
        return from_pairs(f"setcover-{family}-{m}x{n}", m, cost, cell // n, cell % n)


def from_pairs(name: str, rows: int, cost: Ints, row: Ints, column: Ints) -> SetCover:
    """The instance in which column ``column[k]`` covers row ``row[k]`` for every ``k``, counted from 0."""
    order = np.lexsort((row, column))
    counts = np.bincount(column, minlength=len(cost))
    start = np.concatenate([[0], np.cumsum(counts)])
    return SetCover(name=name, rows=rows, cost=cost, column_start=start, column_row=row[order])
