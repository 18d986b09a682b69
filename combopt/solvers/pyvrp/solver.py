"""PyVRP: iterated local search with late acceptance (Wouda, Lan and Kool 2024)."""

from __future__ import annotations

import importlib
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from combopt.model import Instance, Solution
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.pyvrp.models import MODELS
from combopt.solvers.pyvrp.view import PyvrpView

if TYPE_CHECKING:
    import pyvrp

NODE_LIMIT = 8000
"""Nodes above which the two n x n matrices that PyVRP keeps (16 n^2 bytes) are too much: 1 GB at the limit."""
RESERVE = 0.08
"""Seconds kept back at the end for handing over the last solution."""
EMIT_EVERY = 0.05
"""Seconds between two solutions handed over; early in a search there are thousands of improvements."""


@dataclass(frozen=True)
class Pyvrp(Solver):
    """Iterated local search of PyVRP on the problem data of the kind.

    Parameters
    ----------
    neighbours
        Size of the granular neighbourhood of each client, instead of what suits the kind.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="pyvrp",
        title="PyVRP: iterated local search for routing",
        kinds=tuple(MODELS),
        capabilities=frozenset({Capability.WARM_START, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED}),
        package="pyvrp",
        licence="MIT",
    )
    neighbours: int | None = None

    def refuses(self, instance: Instance) -> str | None:
        nodes = next(iter(instance.size().values()))
        if nodes > NODE_LIMIT:
            return f"it needs the full distance matrix, too large for {nodes} nodes"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        model = importlib.import_module(MODELS[instance.kind])
        if session.start is None and (quick := model.first(instance)) is not None:
            session.emit(quick)  # PyVRP has nothing to hand over for the first second or two of a large instance
        view: PyvrpView = model.build(instance)
        watch = Watch(view, session)
        self._search(view, encoded(view, session.start), watch, session)
        watch.flush()
        return Outcome(stopped_by=watch.reason)

    def _search(self, view: PyvrpView, start: pyvrp.Solution | None, watch: Watch, session: Session) -> None:
        """PyVRP's own composition (``pyvrp.solve``) with our callbacks; ends when ``watch`` says so."""
        from pyvrp import IteratedLocalSearchParams, SolveParams, solve
        from pyvrp.exceptions import PenaltyBoundWarning
        from pyvrp.search import NeighbourhoodParams

        params = SolveParams(
            ils=IteratedLocalSearchParams(callbacks=watch),
            neighbourhood=NeighbourhoodParams(num_neighbours=self.neighbours or view.neighbours),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            solve(view.data, watch, session.budget.seed, False, False, params, start)


def encoded(view: PyvrpView, start: Solution | None) -> pyvrp.Solution | None:
    """The start in PyVRP's terms, if there is one that the model can hold."""
    return view.encode(start) if start is not None and view.encode is not None else None


class Watch:
    """Stopping criterion and callbacks of one search (PyVRP asks for objects with these methods).

    Improving solutions are handed over at most every ``EMIT_EVERY`` seconds; :meth:`flush` hands over the last.
    """

    def __init__(self, view: PyvrpView, session: Session) -> None:
        self._view, self._session = view, session
        self._iterations = 0
        self._limit = session.budget.iterations
        self._best: pyvrp.Solution | None = None
        self._waiting = False
        self._emitted = 0.0
        self.reason = StoppedBy.TIME

    def __call__(self, best_cost: float) -> bool:
        """Whether to stop, asked before every iteration."""
        if self._limit is not None and self._iterations >= self._limit:
            self.reason = StoppedBy.ITERATIONS
            return True
        self._iterations += 1
        return self._session.stopping or time.monotonic() >= self._session.deadline - RESERVE

    def on_start(self, search: pyvrp.IteratedLocalSearch) -> None:
        if search.initial_solution.is_feasible():
            self.on_best(search.initial_solution)

    def on_best(self, best: pyvrp.Solution) -> None:
        self._best, self._waiting = best, True
        self._emit_if_due()

    def on_iteration(self, *state: object) -> None:
        if self._waiting:
            self._emit_if_due()

    def on_restart(self, best: pyvrp.Solution) -> None:
        """Nothing to do."""

    def on_end(self, result: pyvrp.Result) -> None:
        """Nothing to do."""

    def _emit_if_due(self) -> None:
        if time.monotonic() - self._emitted >= EMIT_EVERY:
            self.flush()

    def flush(self) -> None:
        """Hand over the best solution unless that was done."""
        if self._waiting and self._best is not None:
            self._session.emit(self._view.decode(self._best))
            self._emitted, self._waiting = time.monotonic(), False
