"""Tabu search with a pool of elite solutions for job shops and flexible job shops."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import Operations, as_start
from combopt.model import Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers import job_tabu_kernels as K
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.compiled import available, compiled
from combopt.solvers.dispatching import best_dispatch
from combopt.solvers.scheduling_bounds import lower_bound

_TABLE = 1 << 16
_WORK_PER_CALL = 2_000_000
"""Moves times operations of one call of the compiled loop, a few hundredths of a second: the time to react."""


@dataclass(frozen=True)
class JobTabu(Solver):
    """Every round starts from a mixture of two elite solutions and improves it by tabu search (as TS/PR of Peng, Lü
    and Cheng 2015, and i-TSAB of Nowicki and Smutnicki 2005).

    Moves: the neighbourhood N7 of Zhang et al. (2007) on one random critical path, judged by the estimate of Balas
    and Vazacopoulos (1998); tabu is what restores an order of two operations that was given up lately.  Operations
    with a choice also move to other machines.

    ``iterations`` of the budget are rounds.

    Parameters
    ----------
    pool
        Elite solutions; 0: by size.
    patience
        Moves without a better solution that end a round.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="job_tabu",
        title="tabu search and elite solutions for job shops",
        kinds=("jobshop", "fjsp"),
        capabilities=frozenset(
            {
                Capability.BOUND,
                Capability.WARM_START,
                Capability.INCUMBENTS,
                Capability.INTERRUPT,
                Capability.SEED,
                Capability.THREADS,
            }
        ),
    )
    pool: int = 0
    patience: int = 12_500

    def __post_init__(self) -> None:
        if self.pool < 0 or self.patience < 1:
            raise ValueError(f"pool = {self.pool}, patience = {self.patience}: 0 and 1 or more are needed")

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (JobShop, Fjsp))
        ops = instance.operations
        pool = _Pool(ops, session, self.pool or _pool_size(len(ops)))
        pool.begin()
        session.bound(pool.goal)
        if pool.best > pool.goal and not session.stopping:
            _search(pool, session, self.patience)
        pool.hand_over()
        if pool.best <= pool.goal:
            return Outcome.optimal(pool.goal)
        return Outcome(stopped_by=StoppedBy.TIME if session.stopping else StoppedBy.ITERATIONS)


def _pool_size(operations: int) -> int:
    """30 as in TS/PR; less where a round takes long."""
    return max(4, min(30, 15_000 // operations))


def _search(pool: _Pool, session: Session, patience: int) -> None:
    """Run one worker in each thread until the session stops, and raise what any of them raised."""
    if not _compile(session):
        return
    threads = max(1, session.budget.cores)
    workers = [_Worker(pool, session, patience, number) for number in range(threads)]
    if threads == 1:
        workers[0].run()
        return
    with ThreadPoolExecutor(threads) as executor:
        futures = [executor.submit(worker.run) for worker in workers]
        for future in futures:
            future.result()


def _compile(session: Session) -> bool:
    """Compile the loops, which takes a while when it is done for the first time; whether that is over.

    In a thread, so that a stop is heard meanwhile; what is compiled then is ready for the next run.
    """
    thread = threading.Thread(target=compiled, args=(K.__name__,), name="combopt-compile", daemon=True)
    thread.start()
    while thread.is_alive() and not session.stopping:
        thread.join(0.02)
    return not thread.is_alive()


@dataclass
class _Elite:
    """A solution: ``order`` lists all operations by start time, ``chosen`` is the alternative of each."""

    makespan: int
    order: Ints
    chosen: Ints


@dataclass
class _Pool:
    """What the workers share: the elite solutions, the best of all, and the way to the user."""

    ops: Operations
    session: Session
    size: int
    elites: list[_Elite] = field(default_factory=list)
    rounds: int = 0
    failures: int = 0
    closed: bool = False
    lock: Any = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """The first incumbent: the start, or the best of the dispatching rules."""
        ops, self.rng = self.ops, np.random.default_rng(self.session.budget.seed)
        self.job = ops.job
        self.goal = lower_bound(ops)
        start, chosen = best_dispatch(ops)
        makespan = int((start + ops.duration[chosen]).max())
        given = as_start(ops, self.session.start)
        if given is not None:
            own = ops.chosen(given[1])
            end = int((given[0] + ops.duration[own]).max())
            if end < makespan:
                start, chosen, makespan = given[0], own, end
        self.first = self.placed(start, chosen)
        self.best, self.top, self.pending = makespan, self.first, False
        self.emitted = 0.0
        self.session.emit(ops.schedule(start, ops.machine[chosen]))

    def placed(self, start: Ints, chosen: Ints) -> _Elite:
        """An elite solution from start times."""
        step = np.arange(len(self.ops)) - self.ops.first_operation[self.job]
        end = start + self.ops.duration[chosen]
        return _Elite(int(end.max()), np.lexsort((step, end, start)), chosen)

    def next(self) -> _Elite | None:
        """Where the next round begins; ``None`` if there shall be no further one."""
        with self.lock:
            limit = self.session.budget.iterations
            if self.closed or self.session.stopping or (limit is not None and self.rounds >= limit):
                return None
            self.rounds += 1
            if self.rounds == 1:
                return self.first
            if len(self.elites) < self.size:
                return self._shaken(self.first, self.rng.choice([0.05, 0.2, 1.0]))
            a, b = self.rng.choice(len(self.elites), size=2, replace=False).tolist()
            return self._between(self.elites[a], self.elites[b])

    def _shaken(self, elite: _Elite, strength: float) -> _Elite:
        """A random solution near ``elite``: operations change places, those of one job keep their order."""
        count = len(self.ops)
        place = _inverse(elite.order) + strength * count * self.rng.random(count)
        by_job = np.lexsort((place, self.job))  # jobs are contiguous, so this sorts within each job
        order = np.argsort(place[by_job], kind="stable")
        chosen = elite.chosen.copy()
        if len(self.ops.machine) > count:
            first, sizes = self.ops.first_alternative[:-1], np.diff(self.ops.first_alternative)
            anew = self.rng.random(count) < min(0.5, strength)
            chosen[anew] = (first + self.rng.integers(0, sizes))[anew]
        return _Elite(-1, order, chosen)

    def _between(self, a: _Elite, b: _Elite) -> _Elite:
        """A solution on the way from ``a`` to ``b``: both orders keep the jobs' order, so their mean does too, and
        whatever both agree on stays."""
        share = self.rng.uniform(0.3, 0.7)
        place = (1 - share) * _inverse(a.order) + share * _inverse(b.order)
        chosen = np.where(self.rng.random(len(self.ops)) < share, b.chosen, a.chosen)
        return _Elite(-1, np.argsort(place, kind="stable"), chosen)

    def found(self, elite: _Elite) -> None:
        """Take note of a solution better than all before; the user gets it now or soon."""
        with self.lock:
            if elite.makespan < self.best:
                self.best, self.top, self.pending = elite.makespan, elite, True
            # Making a schedule of a million operations and checking it takes seconds.
            if self.pending and time.monotonic() - self.emitted > 1e-5 * len(self.ops):
                self._emit()
            if self.best <= self.goal:
                self.closed = True

    def _emit(self) -> None:
        start, chosen = self._starts(self.top)
        self.session.emit(self.ops.schedule(start, self.ops.machine[chosen]))
        self.pending, self.emitted = False, time.monotonic()

    def hand_over(self) -> None:
        """Hand over the best solution if that has not been done."""
        if self.pending:
            self._emit()

    def _starts(self, elite: _Elite) -> tuple[Ints, Ints]:
        count, state = len(self.ops), _state(self.ops)
        state[K.ORDER, :count], state[K.CHOSEN, :count] = elite.order, elite.chosen
        compiled(K.__name__).build(*_shop(self.ops), state)
        return state[K.HEAD, :count], elite.chosen

    def add(self, elite: _Elite) -> None:
        """Take the result of a round into the pool in place of the worst; begin anew when nothing has helped long."""
        with self.lock:
            worst = max(self.elites, key=lambda e: e.makespan, default=elite)
            twin = any(e.makespan == elite.makespan and np.array_equal(e.order, elite.order) for e in self.elites)
            if len(self.elites) < self.size:
                self.elites.append(elite)
            elif elite.makespan < worst.makespan and not twin:
                self.elites.remove(worst)
                self.elites.append(elite)
                self.failures = 0
            else:
                self.failures += 1
                if self.failures > 2 * self.size:
                    self.elites, self.failures = [self.top], 0


class _Worker:
    """One thread's search."""

    def __init__(self, pool: _Pool, session: Session, patience: int, number: int) -> None:
        self.pool, self.session, self.patience = pool, session, patience
        ops = pool.ops
        self.kernels = compiled(K.__name__)
        self.shop, self.alternatives = _shop(ops)
        self.state = _state(ops)
        self.numbers = np.zeros(K.NUMBERS, dtype=np.int64)
        self.tabu = np.full((2, _TABLE), -1, dtype=np.int64)
        self.top = np.zeros((2, len(ops)), dtype=np.int64)
        # Shorter than the 10 + n/m of Zhang et al. (2007), because a move forbids more here than there.
        machines = len(np.unique(ops.machine))
        self.numbers[K.TENURE] = 6 + ops.jobs // (2 * machines)
        self.numbers[K.SPREAD] = self.numbers[K.TENURE] // 2
        self.numbers[K.RANDOM] = np.random.default_rng([session.budget.seed, number]).integers(1, K.PRIME)
        work = _WORK_PER_CALL if available() else _WORK_PER_CALL // 300
        self.moves = max(1, work // max(200, len(ops)))

    def run(self) -> None:
        try:
            while (begin := self.pool.next()) is not None:
                self._round(begin)
        finally:
            self.pool.closed = self.pool.closed or self.session.stopping

    def _round(self, begin: _Elite) -> None:
        numbers, data = self.numbers, (self.shop, self.alternatives, self.state)
        self._load(begin.order, begin.chosen)
        self.tabu[:] = -1
        numbers[K.ITERATION], numbers[K.BEST], numbers[K.IMPROVED] = 0, -1, 0
        over = False
        while not (over or self.session.stopping or self.pool.closed):
            over = self.kernels.search(*data, numbers, self.tabu, self.top, self.moves, self.patience, self.pool.goal)
            if self.pool.pending or numbers[K.BEST] < self.pool.best:
                self.pool.found(self._best())
        if over:
            best = self._best()
            self._load(best.order, best.chosen)
            count = len(best.order)
            order = np.lexsort((self.state[K.PLACE, :count], self.state[K.HEAD, :count]))
            self.pool.add(_Elite(best.makespan, order, best.chosen))

    def _load(self, order: Ints, chosen: Ints) -> None:
        self.state[K.ORDER, : len(order)], self.state[K.CHOSEN, : len(order)] = order, chosen
        self.kernels.build(self.shop, self.alternatives, self.state)

    def _best(self) -> _Elite:
        order, chosen = self.top.copy()
        return _Elite(int(self.numbers[K.BEST]), order, chosen)


def _inverse(order: Ints) -> Ints:
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place


def _shop(ops: Operations) -> tuple[Ints, Ints]:
    """``shop`` and ``alternatives`` of the kernels."""
    count = len(ops)
    shop = np.full((4, count + 1), -1, dtype=np.int64)
    shop[K.BEFORE, :count] = np.arange(count) - 1
    shop[K.BEFORE, ops.first_operation[:-1]] = -1
    shop[K.AFTER, :count] = np.arange(count) + 1
    shop[K.AFTER, ops.first_operation[1:] - 1] = -1
    shop[K.FIRST_ALTERNATIVE] = ops.first_alternative
    shop[K.LAST, : ops.jobs] = ops.first_operation[1:] - 1
    # Machines that occur nowhere would only cost memory.
    _, machine = np.unique(ops.machine, return_inverse=True)
    return shop, np.stack((machine, ops.duration))


def _state(ops: Operations) -> Ints:
    return np.zeros((K.ROWS, max(len(ops), len(np.unique(ops.machine)))), dtype=np.int64)
