"""CP-SAT models of knapsack, multidimensional knapsack, bin packing and set covering."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.instances.binpacking import BinPacking
from combopt.instances.binpacking_bounds import fit_decreasing, lower_bound
from combopt.instances.knapsack import Knapsack
from combopt.instances.mkp import Mkp
from combopt.instances.setcover import SetCover
from combopt.instances.solutions import Assignment, Selection
from combopt.model import Instance, Ints, Number, Solution
from combopt.solvers.cover_greedy import Incidence, greedy_cover, without_redundant
from combopt.solvers.cpsat.view import CpView, Values

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

LARGEST_TOTAL = 2**60
"""CP-SAT adds coefficients in 64 bits; sums stay well below."""
LARGEST_MODEL = 3_000_000
"""Literals of item and bin above which building the model alone takes minutes."""


def refuses(instance: Instance) -> str | None:
    """A clause where the numbers or the model are too large; see :meth:`Solver.refuses`."""
    if isinstance(instance, (Knapsack, Mkp)):
        totals = [instance.profit.sum(), *np.atleast_2d(instance.weight).sum(axis=1), np.max(instance.capacity)]
    elif isinstance(instance, BinPacking):
        # every bin may hold any item: the sums are those of all sizes
        totals = [instance.item_size.sum(), instance.capacity]
        bins = int(fit_decreasing(instance.item_size, instance.capacity).max()) + 1
        if bins * instance.items > LARGEST_MODEL:
            return f"its model has a variable for each of {instance.items} items in each of {bins} bins"
    else:
        assert isinstance(instance, SetCover)
        totals = [instance.cost.sum()]
    return f"numbers add up to {max(map(int, totals))}, beyond its range" if max(totals) > LARGEST_TOTAL else None


def build(instance: Instance) -> CpView:
    """The model of the instance, by kind."""
    if isinstance(instance, (Knapsack, Mkp)):
        return _knapsack(instance)
    if isinstance(instance, BinPacking):
        return _binpacking(instance)
    assert isinstance(instance, SetCover)
    return _setcover(instance)


def _choices(model: cp_model.CpModel, count: int, what: str) -> list[Any]:
    return [model.new_bool_var(f"{what}{i + 1}") for i in range(count)]


def _selection(x: list[Any], values: Values) -> Selection:
    return Selection([i for i, variable in enumerate(x) if values(variable)])  # type: ignore[arg-type]


def _hint(x: list[Any], solution: Solution) -> Iterable[tuple[Any, int]]:
    assert isinstance(solution, Selection)
    chosen = set(solution.items.tolist())
    return [(variable, int(i in chosen)) for i, variable in enumerate(x)]


def _knapsack(instance: Knapsack | Mkp) -> CpView:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = _choices(model, instance.items, "x")
    weight = np.atleast_2d(instance.weight)
    for row, capacity in zip(weight, np.atleast_1d(instance.capacity).tolist(), strict=True):
        model.add(cp_model.LinearExpr.weighted_sum(x, row.tolist()) <= capacity)
    model.maximize(cp_model.LinearExpr.weighted_sum(x, instance.profit.tolist()))
    scale = instance.profit_scale

    def units(value: float) -> Number:
        return value if scale == 1 else value / scale

    return CpView(model, lambda values: _selection(x, values), lambda solution: _hint(x, solution), units)


def _setcover(instance: SetCover) -> CpView:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = _choices(model, instance.columns, "x")
    first, column = instance.by_row()
    for i in range(instance.rows):
        model.add_bool_or([x[j] for j in column[first[i] : first[i + 1]].tolist()])
    model.minimize(cp_model.LinearExpr.weighted_sum(x, instance.cost.tolist()))
    start = None
    if not instance.uncoverable().size:
        incidence, cost = Incidence.of(instance), instance.cost.astype(np.float64)
        columns = greedy_cover(incidence, cost, np.zeros(instance.rows))
        start = Selection(without_redundant(incidence, cost, columns))
    return CpView(
        model,
        lambda values: _selection(x, values),
        lambda solution: _hint(x, solution),
        start=start,
        parameters="linearization_level: 2",  # without the rows in its relaxation CP-SAT has no bound to speak of
    )


def _binpacking(instance: BinPacking) -> CpView:
    """Item ``i``, counted from the largest, goes into a bin ``j <= i`` of as many as first-fit decreasing needs;
    bins are used in order, and their loads do not increase."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    if instance.oversized().size:
        model.add_bool_or([])
        return CpView(model, lambda values: Assignment(np.zeros(instance.items, np.int64)))
    order = np.argsort(-instance.item_size, kind="stable")
    size = instance.item_size[order].tolist()
    start = fit_decreasing(instance.item_size, instance.capacity)
    count = int(start.max()) + 1
    low = lower_bound(instance.item_size, instance.capacity)
    used = [model.new_constant(1) if j < low else model.new_bool_var(f"y{j + 1}") for j in range(count)]
    x = [[model.new_bool_var(f"x{i + 1}_{j + 1}") for j in range(min(i + 1, count))] for i in range(len(size))]
    for row in x:
        model.add_exactly_one(row)
    for j in range(count):
        inside = [row[j] for row in x[j:]]
        model.add(cp_model.LinearExpr.weighted_sum(inside, size[j:]) <= instance.capacity * used[j])
        if j >= low:
            model.add_implication(used[j], used[j - 1])
            for variable in inside:
                model.add_implication(variable, used[j])
    _order_twins(model, x, size)
    model.minimize(sum(used[low:]) + low)

    def decode(values: Values) -> Assignment:
        groups = np.empty(instance.items, dtype=np.int64)
        for i, row in enumerate(x):
            groups[order[i]] = next(j for j, variable in enumerate(row) if values(variable))
        return Assignment(groups)

    def hint(solution: Solution) -> Iterable[tuple[Any, int]]:
        assert isinstance(solution, Assignment)
        groups = solution.groups if len(np.unique(solution.groups)) <= count else start
        bins = canonical(groups[order], size)
        return [(variable, int(bins[i] == j)) for i, row in enumerate(x) for j, variable in enumerate(row)]

    return CpView(model, decode, hint, start=Assignment(start))


def _order_twins(model: cp_model.CpModel, x: list[list[Any]], size: list[int]) -> None:
    """Of two items of the same size the first goes into the same bin as the second or one before it."""
    for i in range(1, len(size)):
        if size[i] == size[i - 1] and len(size) * len(x[i]) <= 50_000:
            before, here = x[i - 1], x[i]
            position = [sum(j * variable for j, variable in enumerate(row)) for row in (before, here)]
            model.add(position[0] <= position[1])


def canonical(groups: Ints, size: list[int]) -> list[int]:
    """Bins renumbered by their first item, items of the same size exchanged so that their bins increase."""
    number: dict[int, int] = {}
    bins = [number.setdefault(bin_, len(number)) for bin_ in groups.tolist()]
    first = 0
    for i in range(1, len(size) + 1):
        if i == len(size) or size[i] != size[first]:
            bins[first:i] = sorted(bins[first:i])
            first = i
    return bins
