"""The solver ``robust_knapsack``: exact worst cases throughout, and a bound at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.budget import Budget
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.solutions import Point, RobustPlan
from combopt.model import Floats, Instance
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.robust.knapsack_game import FREE, IN, Game, Play, kernels_within
from combopt.solvers.robust.knapsack_relaxed import relaxed, start
from combopt.solvers.robust.knapsack_search import Best, Tree, dive, expand, improve, shake, slope

LARGEST = 1000
"""Items up to which the dense linear programs of the games are quick enough."""
ROUNDED = (1e-7, 0.3, 0.5, 0.7, 1 - 1e-7)
"""Shares of production from which on an item is accepted, to turn the root relaxation into first stages."""
SHAKEN = 0.05
"""Share of the time left for iterated local search, before the program with relaxed recourse."""
OPEN = 0.25
"""Share of the gap of the root: with more of it open, the program with relaxed recourse takes over."""
MET = 5
"""First stages of the program with relaxed recourse that give cuts, the last ones it found."""
SMALL = 30
"""Items up to which branch and bound is left to it, as it ends within seconds."""
MIP_GAP = 5e-5
"""Relative gap at which the program with relaxed recourse counts as solved; its bound is no better than that."""


@dataclass(frozen=True)
class RobustKnapsackSolver(Solver):
    """Local search over first stages with exact evaluation, then branch and bound, then the relaxed recourse.

    ``iterations`` and ``nodes`` of the budget count nodes.

    Parameters
    ----------
    tree
        Share of the time after which, if the branch and bound has left more than a quarter of the gap open (and there
        are more than 30 items), the program with relaxed recourse takes over as the source of the bound; 1 to leave it
        out.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="robust_knapsack",
        title="robust knapsack: exact evaluation by dynamic programming, local search, branch and price",
        kinds=("robust_knapsack",),
        capabilities=frozenset(Capability) - {Capability.THREADS},
    )
    tree: float = 0.25

    def __post_init__(self) -> None:
        if not 0 <= self.tree <= 1:
            raise ValueError(f"tree = {self.tree}: a share from 0 to 1 is needed")

    def refuses(self, instance: Instance) -> str | None:
        items = instance.size()["items"]
        return f"its linear programs get too large with {items} items" if items > LARGEST else None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, RobustKnapsack)
        n = instance.items
        nothing = np.zeros((1, 2 * n))
        session.emit(RobustPlan(np.zeros(n), nothing, np.ones(1)))
        loops = kernels_within(session)
        if loops is None:
            return Outcome(stopped_by=StoppedBy.TIME)
        game = Game(instance, loops)
        session.on_stop(lambda: game.stop.fill(1))
        watch = threading.Timer(min(session.remaining(0.0), threading.TIMEOUT_MAX), game.stop.fill, (1,))
        watch.daemon = True
        watch.start()
        try:
            return _Run(game, session, self.tree).solve()
        finally:
            watch.cancel()


class _Run:
    """One run; ``bound`` is the best upper bound of all sources."""

    def __init__(self, game: Game, session: Session, share: float) -> None:
        self.game, self.session, self.share = game, session, share
        self.begun = time.monotonic()
        self.best = Best(game, session)
        self.bound = np.inf
        limits = [k for k in (session.budget.nodes, session.budget.iterations) if k is not None]
        self.limit = min(limits) if limits else None

    def solve(self) -> Outcome:
        status = np.where(self.game.price > 0, FREE, IN)  # accepting at no cost can do no harm
        best = self.best
        if isinstance(self.session.start, RobustPlan):
            best.start(self.session.start)
        root = self.game.play(status)
        self.tell(root.upper)
        share = root.produced()
        for least in ROUNDED:
            best.offer((status == IN) | (share >= least), root)
        dive(best, status, root, self.over)
        if best.x is None:
            return self.outcome(StoppedBy.TIME)
        improve(best, self.over)
        tree = Tree(best, root, status)
        first = self.begun + self.share * (self.session.deadline - self.begun)
        expand(tree, lambda: self.over() or time.monotonic() > first, self.tell, self.limit)
        self.tell(tree.bound)
        if not (tree.closed or self.over() or self.spent(tree)) and self.share < 1:
            if self.game.items > SMALL and tree.bound - best.value > OPEN * (root.upper - best.value):
                rng = np.random.default_rng(self.session.budget.seed)
                shake(best, rng, self.until(SHAKEN))
                self.relax()
                if tree.bound - best.value > 2 * (self.bound - best.value):
                    shake(best, rng, self.until(0.5))  # the tree has far to go
            expand(tree, self.over, self.tell, self.limit)
            self.tell(tree.bound)
        if self.bound <= best.cutoff:
            return Outcome.optimal(self.bound)
        return self.outcome(StoppedBy.ITERATIONS if self.spent(tree) else StoppedBy.TIME)

    def over(self) -> bool:
        return self.session.stopping or self.bound <= self.best.cutoff

    def until(self, share: float) -> Callable[[], bool]:
        """Whether a share of the time that is left now is over; at once where there is no limit."""
        left = self.session.deadline - time.monotonic()
        end = time.monotonic() + (share * left if np.isfinite(left) else 0.0)
        return lambda: self.over() or time.monotonic() > end

    def spent(self, tree: Tree) -> bool:
        return self.limit is not None and tree.nodes >= self.limit

    def outcome(self, reason: StoppedBy) -> Outcome:
        return Outcome(stopped_by=reason, bound=self.bound if np.isfinite(self.bound) else None)

    def tell(self, bound: float) -> None:
        """Take over a bound if it is better."""
        if bound < self.bound:
            self.bound = bound
            self.session.bound(bound)

    def relax(self) -> None:
        """Solve the program with relaxed recourse, again and again as long as that helps: its bound holds, its first
        stages are evaluated, and each gives a cut that leaves it no more than its exact value."""
        best = self.best
        assert best.play is not None
        cuts = [self.cut(best.x, best.play)]
        while not self.over():
            value, bound = best.value, self.bound
            met = self.relaxed(tuple(cuts))
            if best.value > value:
                improve(best, self.over)
            if met is None or self.over() or bound - self.bound <= 1e-5 * abs(bound):
                return
            cuts += [self.cut(x, self.game.decided(x, best.play)) for x in [*met[-MET:], best.x]]

    def relaxed(self, cuts: tuple[tuple[Floats, Floats, float], ...]) -> list[Any] | None:
        """The first stages that HiGHS finds for the program with these cuts; ``None`` if it does not finish."""
        from combopt.solvers.highs import Highs

        session, best = self.session, self.best
        mip = relaxed(self.game.instance, cuts)
        n = self.game.items
        met = []

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                x = event.solution.values[:n] > 0.5
                met.append(x)
                best.offer(x, best.play)
            if event.bound is not None:
                self.tell(float(event.bound))

        inner = Session(
            Budget(gap=MIP_GAP, threads=session.budget.threads, seed=session.budget.seed),
            session.deadline - 0.1,
            sink,
            start(mip, best.x),
        )
        session.on_stop(inner.request_stop)
        outcome = Highs().run(mip, inner)
        if outcome.bound is not None:
            self.tell(float(outcome.bound))
        return met if outcome.stopped_by in (StoppedBy.PROOF, StoppedBy.GAP) else None

    def cut(self, x: Floats, play: Play) -> tuple[Floats, Floats, float]:
        """A valid inequality of the recourse that is tight for a first stage in its worst scenario."""
        data, game = self.game.instance, self.game
        exposed = data.deviation * play.scenario * x
        inside = np.flatnonzero(x)
        price, _ = slope(
            data.outsourcing[inside], (data.outsourcing - exposed)[inside], game.light[inside], game.heavy[inside],
            data.capacity,
        )  # fmt: skip
        gain = np.where(x, data.outsourcing, np.clip(price * game.light, 0.0, np.maximum(data.outsourcing, 0.0)))
        mode = np.zeros(game.items, dtype=np.int64)
        most = game.loops.respond(game.light, game.heavy, gain - exposed, gain, data.capacity, -1.0, mode)
        return gain - exposed, exposed, max(0.0, float(most)) * (1 + 1e-9)
