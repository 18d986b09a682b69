"""LKH (Helsgaun 2000) through the package elkai: the best tours there are, but not free for commercial use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import MATRIX_LIMIT
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Number
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.pyvrp.tour import search_distances
from combopt.solvers.tours import first_tour, keep_fixed

LARGEST = 5_000_000
"""Largest distance handed over: LKH multiplies by 100 and doubles asymmetric instances, within 32 bits."""


@dataclass(frozen=True)
class Lkh(Solver):
    """One run of LKH after another, the best tour handed over after each.

    A run cannot be interrupted and has no time limit of its own; from some 500 nodes on it takes 10 seconds and more,
    and until the first is over there is only a simple tour.  Distances above five million are scaled down for the
    search; the answer is judged in the true metric.

    Parameters
    ----------
    runs
        Stop after this many runs; ``None`` to go on until the time is over.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="lkh",
        title="LKH 2 through elkai (academic and non-commercial use only)",
        kinds=("tsp", "atsp"),
        capabilities=frozenset({Capability.INCUMBENTS}),
        package="elkai",
        extra="lkh",
        licence="LKH: academic and non-commercial use only",
    )
    runs: int | None = 10

    def __post_init__(self) -> None:
        if self.runs is not None and self.runs < 1:
            raise UsageError("E201", f"runs = {self.runs}", expected="1 or more, or None")

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Tsp, Atsp))
        if instance.nodes > MATRIX_LIMIT:
            return f"it needs the full distance matrix, too large for {instance.nodes} nodes"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        import elkai

        assert isinstance(instance, (Tsp, Atsp))
        order = first_tour(instance)
        session.emit(Tour(order))
        if instance.nodes < 4 and isinstance(instance, Tsp):
            return Outcome()
        if instance.nodes < 3:
            return Outcome()
        problem = elkai.DistanceMatrix(search_distances(instance, LARGEST).tolist())
        shortest: Number = instance.evaluate(Tour(order)).objective
        limit = self.runs if session.budget.iterations is None else session.budget.iterations
        done = 0
        while not session.stopping:
            if limit is not None and done >= limit:
                ours = session.budget.iterations is None
                return Outcome(stopped_by=StoppedBy.FINISHED if ours else StoppedBy.ITERATIONS)
            began = time.monotonic()
            found = problem.solve_tsp(runs=1)
            order = keep_fixed(instance, np.array(found[:-1], dtype=np.int64))
            length = instance.evaluate(Tour(order)).objective
            if length < shortest:
                session.emit(Tour(order))
                shortest = length
            done += 1
            if session.remaining() < 0.7 * (time.monotonic() - began):
                break
        return Outcome(stopped_by=StoppedBy.TIME)
