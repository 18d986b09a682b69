"""Named baselines for packing: Dantzig's greedy rule, first-fit and best-fit decreasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.binpacking import BinPacking
from combopt.instances.binpacking_bounds import fit_decreasing, lower_bound
from combopt.instances.knapsack import Knapsack
from combopt.instances.mkp import Mkp
from combopt.instances.solutions import Assignment, Selection
from combopt.model import Instance, Ints
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class Dantzig(Solver):
    """Items by profit per weight, each taken if it still fits.  With several capacities the weight of an item is the
    sum of its shares of them (Toyoda's idea without the updates)."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="dantzig",
        title="greedy by profit per weight",
        kinds=("knapsack", "mkp"),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Knapsack, Mkp))
        weight = np.atleast_2d(instance.weight)
        session.emit(Selection(greedy_by_ratio(instance.profit, weight, np.atleast_1d(instance.capacity))))
        return Outcome()


def greedy_by_ratio(profit: Ints, weight: Ints, capacity: Ints) -> Ints:
    """Items in decreasing order of profit per share of the capacities ``int64[m]``, each taken if it still fits."""
    share = (weight / np.maximum(capacity, 1)[:, None]).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(profit > 0, profit / share, 0.0)
    room = np.array(capacity)
    taken = []
    for j in np.argsort(-ratio, kind="stable").tolist():
        if profit[j] > 0 and (weight[:, j] <= room).all():
            room -= weight[:, j]
            taken.append(j)
    return np.array(taken, dtype=np.int64)


@dataclass(frozen=True)
class FirstFitDecreasing(Solver):
    """Largest item first, each into the first bin where it fits; with the bound of Martello and Toth."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="first_fit_decreasing",
        title="first-fit decreasing, with the bound L2",
        kinds=("binpacking",),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS, Capability.BOUND}),
    )
    best: ClassVar[bool] = False

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, BinPacking)
        if instance.oversized().size:
            return Outcome.infeasible()
        session.bound(lower_bound(instance.item_size, instance.capacity))
        session.emit(Assignment(fit_decreasing(instance.item_size, instance.capacity, best=self.best)))
        return Outcome()


@dataclass(frozen=True)
class BestFitDecreasing(FirstFitDecreasing):
    """Largest item first, each into the fullest bin where it fits; with the bound of Martello and Toth."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="best_fit_decreasing",
        title="best-fit decreasing, with the bound L2",
        kinds=("binpacking",),
        capabilities=FirstFitDecreasing.info.capabilities,
    )
    best: ClassVar[bool] = True
