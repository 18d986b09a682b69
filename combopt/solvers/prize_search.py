"""Iterated local search for orienteering and the prize-collecting salesman.

The constraint (length of the tour, or prize collected) is put into the objective with a multiplier that follows the
search, so that visiting a node can be judged where it lies: is its prize worth the detour?  That makes every round,
a small random change and the local search around it, cost microseconds whatever the size of the instance, and it is
one search for both problems.  Tours at hand are mended to feasible ones all along, and the best of those counts.

Insertion, removal and exchange of nodes are those of Campos et al. (2014) and Kobeaga, Merino and Lozano (2018); the
multiplier is that of Lagrangian relaxation; 2-opt and Or-opt with neighbour lists and a queue follow Bentley (1992),
kicks and their undoing Johnson and McGeoch (1997).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.instances.prizes import exact_sum
from combopt.instances.solutions import Tour
from combopt.model import Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.compiled import compiled
from combopt.solvers.greedy_prize import greedy
from combopt.solvers.prize_bound import op_bound
from combopt.solvers.prize_kernels import BEST, HEAT, LENGTH, LOCAL, ORDER, PRIZE, RATE, ROUNDS, SINCE, K
from combopt.solvers.prize_problem import FINE, LARGEST_MATRIX, NONE, RULES, SPAN, PrizeProblem, fine, span

KERNELS = "combopt.solvers.prize_kernels"
GREEDY_NODES = 1000
"""Nodes up to which a greedy tour is handed over before anything is compiled."""
SLOW = 3.0
"""Seconds of compiling from which on it is worth telling."""
SUM = 2**55
"""Prizes, and penalties in steps, must stay below when added up."""
BLUR = 16
"""Prizes are blurred in parts of this."""
SLICE = 0.05
"""Seconds between two looks at the clock."""


@dataclass(frozen=True)
class PrizeSearch(Solver):
    """Iterated local search with a multiplier for the constraint.

    Parameters
    ----------
    near
        Nearest neighbours of each node that moves look at.
    heat
        Temperature of the acceptance of worse tours, in mean edge lengths; restarts vary it by factors of 0.3 to 10.
    cycle
        Rounds per node without a better tour after which the search restarts from a part of the best one, or anew.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="prize_search",
        title="iterated local search with a multiplier for the constraint, compiled",
        kinds=("op", "pctsp"),
        capabilities=frozenset(
            {Capability.WARM_START, Capability.INCUMBENTS, Capability.INTERRUPT, Capability.SEED, Capability.BOUND}
        ),
    )
    near: int = 16
    heat: float = 0.1
    cycle: int = 30

    def refuses(self, instance: Instance) -> str | None:
        assert isinstance(instance, (Op, Pctsp))
        metric = instance.metric
        if metric.rule not in RULES and metric.matrix is None and instance.nodes > LARGEST_MATRIX:
            return f"it needs the full matrix for {metric.rule}, too large for {instance.nodes} nodes"
        scale = metric.unit if metric.integral else float(fine(metric, FINE))
        amounts = [float(instance.prize.max()) * instance.nodes / SUM, span(metric) / SPAN]
        if isinstance(instance, Pctsp):
            amounts.append(float(instance.penalty.max()) * scale * instance.nodes / SUM)
        return "its distances, prizes or penalties are too large" if max(amounts) > 1 else None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (Op, Pctsp))
        if isinstance(instance, Pctsp) and exact_sum(instance.prize) < instance.min_prize:
            return Outcome.infeasible()
        first = greedy(instance, lambda: session.stopping) if instance.nodes <= GREEDY_NODES else trivial(instance)
        if first is not None:
            session.emit(first)
        problem = PrizeProblem.of(instance)
        if len(problem) < 3:
            whole = Tour(problem.decode(problem.everywhere()))
            if instance.evaluate(whole).feasible:
                session.emit(whole)
            return Outcome()
        run = _Run(self, problem, session)
        run.begin()
        return run.search()


def trivial(instance: Instance) -> Tour | None:
    """The depot (and end) alone or all nodes, whichever is feasible."""
    order = np.arange(instance.size()["nodes"])
    if isinstance(instance, Op):
        order = np.array([instance.depot] if instance.end is None else [instance.depot, instance.end])
    return Tour(order) if instance.evaluate(Tour(order)).feasible else None


class _Run:
    """One run: the arrays, and the rounds in slices of time."""

    def __init__(self, solver: PrizeSearch, problem: PrizeProblem, session: Session) -> None:
        self.solver, self.problem, self.session = solver, problem, session
        started = time.monotonic()
        self.machine: Any = compiled(KERNELS, entries=("nearest", "descend", "mend", "rounds"))
        if (seconds := time.monotonic() - started) > SLOW:
            session.say(f"compiling the search took {seconds:.0f} s; from now on it is kept on disk")
        capacity = 2000 + 20 * len(problem)
        self.space = problem.space(solver.near)
        self.tour = problem.tour(capacity)
        self.hunt = problem.hunt(session.budget.seed, capacity)
        self.random = np.random.default_rng(session.budget.seed)
        self.sent = self.hunt.f[BEST]
        self.edge = 1.0
        self.limit: int | None = None

    def begin(self) -> None:
        """The first tour: one of our own, and the start if there is a better one."""
        self.machine.nearest(self.space)
        self.bound()
        self.edge = float(np.median(self.space.far[:, : min(4, self.space.far.shape[1])]))
        self.construct(self.space.prize)
        start = self.session.start
        if isinstance(start, Tour) and self.problem.instance.evaluate(start).feasible:
            order = self.problem.encode(start.order)
            self.problem.load(self.space, self.tour, order)
            self.machine.mend(self.space, self.hunt, self.tour)
            self.resume(order)

    def bound(self) -> None:
        """Hand over an upper bound for orienteering; the nearest nodes are known here."""
        problem, far = self.problem, self.space.far
        instance = problem.instance
        if not isinstance(instance, Op) or problem.end > 0 or len(problem) < instance.nodes or far.shape[1] < 2:
            return
        slack = 0 if instance.metric.integral else 1  # scaled distances were rounded up
        shortest = np.zeros((2, instance.nodes), dtype=np.int64)
        shortest[:, problem.nodes] = np.maximum(far[:, :2].T - slack, 0)
        self.limit = op_bound(instance, shortest[0], shortest[1], problem.scale)
        self.session.bound(self.limit)

    def construct(self, prize: Ints, parts: int = 1) -> None:
        """From a tour through all nodes, change the worth of a prize until the constraint is met.

        ``prize``, in ``parts`` of one, may differ from the prizes of the instance, to come to another tour.
        """
        space, hunt, tour, f = self.space._replace(prize=prize), self.hunt, self.tour, self.hunt.f
        budget, quota = hunt.budget, hunt.quota * parts
        self.problem.load(space, tour, self.problem.everywhere())
        length = max(1, int(tour.s[LENGTH]) - self.problem.tie)
        rate = (8.0 if hunt.orienteering else 0.001) * length / max(1, int(tour.s[PRIZE]))
        self.machine.descend(space, tour, rate, False)
        while (tour.s[LENGTH] > budget or tour.s[PRIZE] < quota) and 1e-12 < rate < 1e15:
            rate *= 0.85 if hunt.orienteering else 1.5
            self.problem.queue_all(tour, np.arange(len(self.problem)))
            self.machine.descend(space, tour, rate, False)
            if self.session.stopping:
                break
        f[RATE] = rate * parts
        self.resume(tour.at[ORDER, : tour.s[K]].copy())

    def resume(self, order: Ints) -> None:
        """Go on from a tour."""
        self.problem.load(self.space, self.tour, order)
        self.machine.descend(self.space, self.tour, self.hunt.f[RATE], False)
        self.hunt.f[[LOCAL, SINCE]] = -NONE, 0
        self.machine.mend(self.space, self.hunt, self.tour)
        self.emit()

    def restart(self) -> None:
        """Go on from the best tour without a large part of it, or from a new one for prizes that are blurred."""
        self.hunt.f[HEAT] = self.solver.heat * self.edge * 10 ** self.random.uniform(-0.5, 1.0)
        k = int(self.hunt.best[-1])
        if k == 0 or self.random.random() < 0.5:
            blur = self.random.uniform(0.5, 1.5, size=len(self.problem))
            self.construct(np.rint(self.space.prize * blur * BLUR).astype(np.int64), BLUR)
            return
        order = np.roll(self.hunt.best[:k], int(self.random.integers(k)))
        gone = int(k * self.random.uniform(0.1, 0.6))
        stay = np.isin(order, [0, self.problem.end])
        stay[gone:] = True
        self.resume(order[stay])

    def search(self) -> Outcome:
        """Rounds, and a restart whenever they have found nothing better for long."""
        f, limit = self.hunt.f, self.session.budget.iterations
        n, count = len(self.problem), 100
        mending, patience = max(10, n // 10), self.solver.cycle * n
        f[HEAT] = self.solver.heat * self.edge
        while not self.session.stopping:
            if self.limit is not None and f[BEST] >= self.limit:
                return Outcome.optimal(self.limit)
            if limit is not None:
                count = min(count, limit - int(f[ROUNDS]))
                if count <= 0:
                    return Outcome(stopped_by=StoppedBy.ITERATIONS)
            started = time.monotonic()
            self.machine.rounds(self.space, self.hunt, self.tour, count, mending, patience)
            self.emit()
            if f[SINCE] > patience:
                self.restart()
            else:
                count = int(np.clip(count * SLICE / max(time.monotonic() - started, 1e-4), 10, 4 * count))
        return Outcome(stopped_by=StoppedBy.TIME)

    def emit(self) -> None:
        """Hand over the best tour unless that was done.  It is checked before, for the distances of the kernels might
        differ from those of the metric in the last digit."""
        if self.hunt.f[BEST] <= self.sent:
            return
        self.sent = self.hunt.f[BEST]
        tour = Tour(self.problem.decode(self.hunt.best[: self.hunt.best[-1]]))
        if self.problem.instance.evaluate(tour).feasible:
            self.session.emit(tour)
