"""Who searches a neighbourhood: SCIP, HiGHS and CP-SAT on the reduced program, or the plain solver left running."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from combopt.instances.mip import CONTINUOUS
from combopt.instances.solutions import Point
from combopt.model import Floats
from combopt.result import Status
from combopt.solvers.background import Background
from combopt.solvers.balans.reduced import Reduced, reduced
from combopt.solvers.balans.space import MipNeighbourhood, MipSpace, RunOn
from combopt.solvers.base import Event, Solver
from combopt.solvers.cpsat.solver import CpSat
from combopt.solvers.highs import Highs
from combopt.solvers.linear import start_values
from combopt.solvers.lns.engine import Attempt, Ending, Found, State
from combopt.solvers.lns.loop import Inside
from combopt.solvers.scip import Scip

NO_SUBSEARCH = ", ".join(
    f"heuristics/{name}/freq=-1"
    for name in ("alns", "rins", "rens", "crossover", "gins", "lpface", "localbranching", "mutation", "dins", "dps")
)
"""SCIP's own large neighbourhood searches off: they would search neighbourhoods of a neighbourhood."""
QUICK = f"{NO_SUBSEARCH}, misc/usesymmetry=0, presolving/maxrestarts=0, separating/maxroundsroot=8"

INSIDE: dict[str, Solver] = {
    "scip": Scip(settings=QUICK),
    "highs": Highs(settings="mip_heuristic_run_rins=false, mip_heuristic_run_rens=false"),
    "cpsat": CpSat(),
}
"""What searches a neighbourhood."""
AS_IT_COMES: dict[str, Solver] = {"scip": Scip(), "highs": Highs(), "cpsat": CpSat()}
"""The same with nothing turned off."""
PLAIN: dict[str, Solver] = {"scip": Scip(emphasis="feasibility"), "highs": Highs(), "cpsat": CpSat()}
"""What is left running on the whole program."""
LISTENS = ("scip", "highs")
"""Those of them that take solutions of others while they run."""


@dataclass
class MipSearcher:
    """One back end.

    Parameters
    ----------
    offer
        Told of every point that is better than the incumbent; says whether it stands up to the check.
    launch
        Starts the plain solver of this back end in a process of its own.
    background
        That process, once it is there: paused, but for the turns that it gets.
    beside
        Whether the plain solver works beside the search, on a core of its own.
    solvers
        What searches a neighbourhood, by name of the back end.
    nodes
        Limit on nodes; with it the cost of a search is 1, whatever time it takes, so that runs can be repeated.
    """

    name: str
    space: MipSpace
    inside: Inside
    offer: Callable[[Floats], bool]
    launch: Callable[[MipSearcher], Background]
    background: Background | None = None
    beside: bool = False
    nodes: int | None = None
    solvers: dict[str, Solver] = field(default_factory=lambda: INSIDE)
    latest: Found[Floats] | None = None
    """The best point that the plain solver has handed over."""
    worked: float = 0.0
    """Seconds that the plain solver has had."""
    told: Found[Floats] | None = None
    """The last point that it was told of."""

    @property
    def proves(self) -> bool:
        """Whether its word on the whole program is a proof; CP-SAT's on continuous columns would be none."""
        return self.name != "cpsat" or bool((self.space.mip.domain != CONTINUOUS).all())

    @property
    def over(self) -> bool:
        """Whether the plain solver has been started and has ended."""
        return self.background is not None and self.background.over

    def takes(self, operator: str) -> bool:
        if not operator.startswith("run_"):
            return True
        return operator == f"run_{self.name}" and not (self.beside or self.over)

    def search(
        self, neighbourhood: MipNeighbourhood | RunOn, state: State[Floats], limit: float, seed: int
    ) -> Attempt[Floats]:
        began = time.monotonic()
        if isinstance(neighbourhood, RunOn):
            attempt = self._run_on(limit, state)
        else:
            attempt = self._search(neighbourhood, state, limit, seed)
        cost = time.monotonic() - began if self.nodes is None else 1.0
        return dataclasses.replace(attempt, cost=cost)

    def prepare(self) -> Background:
        """The plain solver; its process is started now if it was not before, and waits for its first turn."""
        if self.background is None:
            self.background = self.launch(self)
        return self.background

    def go_on(self, seconds: float, best: Found[Floats] | None) -> None:
        """Let the plain solver work, told of the incumbent if others have found that."""
        background = self.prepare()
        news = best is not None and best is not self.told and (self.latest is None or best.value < self.latest.value)
        if best is not None and news and self.name in LISTENS:
            self.told = best
            point = Point(self.space.mip.columns, best.solution)
            background.tell(Event(time.monotonic(), solution=point))
        began = time.monotonic()
        background.run(seconds, lambda: self.inside.session.stopping)
        self.worked += time.monotonic() - began

    def _run_on(self, limit: float, state: State[Floats]) -> Attempt[Floats]:
        self.go_on(limit, state.best)
        assert self.background is not None
        ending = Ending.FAILED if self.background.failed else Ending.LIMIT
        found = self.latest
        if found is not None and found.value >= state.best.value:
            found = None
        return Attempt(ending, found)

    def _search(
        self, neighbourhood: MipNeighbourhood, state: State[Floats], limit: float, seed: int
    ) -> Attempt[Floats]:
        small = reduced(self.space, neighbourhood)
        if small is None or not (small.mip.domain != CONTINUOUS).any():
            return Attempt(Ending.EMPTY)
        solver = self.solvers[self.name]
        if solver.why_not(small.mip) is not None:
            return Attempt(Ending.FAILED)
        catch = _Catch(self, small, state.best.value)
        start = small.point() if neighbourhood.holds_values and neighbourhood.cost is None else None
        seconds = limit * neighbourhood.patience
        outcome = self.inside.run(solver, small.mip, seconds, seed, start, catch, nodes=self.nodes)
        whole = bool(neighbourhood.free.all()) and neighbourhood.row is None and neighbourhood.cost is None
        if outcome.status is Status.OPTIMAL and whole and self.proves and outcome.bound is not None:
            self.inside.session.bound(outcome.bound)
        closed = outcome.status in (Status.OPTIMAL, Status.INFEASIBLE)
        ending = Ending.CLOSED if closed else Ending.LIMIT
        return Attempt(ending, catch.best, complete=closed and whole and self.proves)


@dataclass
class _Catch:
    """Takes the points of a search: the best one, and at once what beats the incumbent."""

    searcher: MipSearcher
    small: Reduced
    incumbent: float
    best: Found[Floats] | None = None

    def __call__(self, event: Event) -> None:
        if not isinstance(event.solution, Point):
            return
        values = self.small.lifted(event.solution)
        whole = self.searcher.space.mip.integral
        values[whole] = np.rint(values[whole])
        value = self.searcher.space.value(values)
        if self.best is not None and value >= self.best.value:
            return
        if value < self.incumbent and not self.searcher.offer(values):
            return
        self.best = Found(values, value)


def from_point(space: MipSpace, point: Point) -> Found[Floats] | None:
    """A point of the whole program with its value; ``None`` if it lacks a column."""
    values = start_values(space.mip, point)
    if values is None or np.isnan(values).any():
        return None
    return Found(values, space.value(values))
