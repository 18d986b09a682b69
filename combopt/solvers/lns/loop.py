"""What runs around the engine for every kind: options, incumbent, solvers inside, and the loop over steps."""

from __future__ import annotations

import dataclasses
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from combopt import serial
from combopt.errors import UsageError
from combopt.model import Instance, Solution
from combopt.result import StoppedBy
from combopt.solvers.base import Event, Outcome, Session, Solver
from combopt.solvers.lns.acceptance import make_acceptance
from combopt.solvers.lns.bandits import make_bandit
from combopt.solvers.lns.engine import Engine, Found, Operator, Searcher, State
from combopt.solvers.lns.rewards import Gain
from combopt.solvers.lns.sizes import Sizes
from combopt.solvers.native import number

S = TypeVar("S")
N = TypeVar("N")


@dataclass(frozen=True)
class NeighbourhoodSolver(Solver):
    """The options that large neighbourhood search has for every kind.

    Parameters
    ----------
    operators, searchers
        Names from :attr:`KNOWN_OPERATORS` and :attr:`KNOWN_SEARCHERS`, separated by commas.
    policy, discount
        The bandits; see :mod:`combopt.solvers.lns.bandits`.
    acceptance
        See :mod:`combopt.solvers.lns.acceptance`.
    """

    KNOWN_OPERATORS: ClassVar[tuple[str, ...]] = ()
    KNOWN_SEARCHERS: ClassVar[tuple[str, ...]] = ()
    operators: str = ""
    searchers: str = ""
    policy: str = "thompson"
    discount: float = 0.95
    acceptance: str = "hill_climbing"

    def __post_init__(self) -> None:
        for field_name, known in (("operators", self.KNOWN_OPERATORS), ("searchers", self.KNOWN_SEARCHERS)):
            names = listed(getattr(self, field_name))
            if unknown := [name for name in names if name not in known]:
                raise UsageError("E201", f"{field_name}: {unknown[0]!r}", expected=", ".join(known))
            if not names:
                raise UsageError("E201", f"{field_name}: none", expected=", ".join(known))
        make_bandit(self.policy, 1, self.discount)
        make_acceptance(self.acceptance)

    @abstractmethod
    def run(self, instance: Instance, session: Session) -> Outcome:
        """See :class:`Solver`."""

    def engine(
        self, operators: Sequence[Operator[N]], searchers: Sequence[Searcher[S, N]], sizes: Sizes, session: Session
    ) -> Engine[S, N]:
        """The engine with these options.  Solutions are the same if ``==`` says so."""
        return Engine(
            operators=operators,
            searchers=searchers,
            chooser=make_bandit(self.policy, len(operators), self.discount),
            assigner=make_bandit(self.policy, len(searchers), self.discount),
            acceptance=make_acceptance(self.acceptance),
            reward=Gain(),
            sizes=sizes,
            rng=np.random.default_rng(session.budget.seed),
            same=lambda a, b: bool(a == b),
        )


def listed(names: str) -> list[str]:
    """The names of a list with commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


@dataclass
class Incumbent(Generic[S]):
    """The best solution of a minimisation; what improves on it is checked and handed over at once."""

    instance: Instance
    session: Session
    encode: Callable[[S], Solution]
    best: Found[S] | None = None

    def offer(self, solution: S) -> Found[S] | None:
        """The solution with its value, or ``None`` if it does not stand up to the check."""
        encoded = self.encode(solution)
        evaluation = self.instance.evaluate(encoded)
        if not evaluation.feasible:
            return None
        found = Found(solution, float(evaluation.objective))
        if self.best is None or found.value < self.best.value:
            self.best = found
            self.session.emit(encoded)
        return found


@dataclass
class Inside:
    """Runs solvers within a run: they end with it, and what they find goes to a sink of our own."""

    session: Session
    _stop: Callable[[], object] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.session.on_stop(self.stop)

    def stop(self) -> None:
        """End the run that is going on, if any."""
        if self._stop is not None:
            self._stop()

    def run(
        self, solver: Solver, instance: Instance, limit: float, seed: int, start: Solution | None,
        sink: Callable[[Event], None], *, iterations: int | None = None, nodes: int | None = None,
        reserve: float = 0.0,
    ) -> Outcome:  # fmt: skip
        """Run ``solver`` on one thread for at most ``limit`` seconds of the time that is left.

        ``reserve`` is what the solver itself keeps back of its time; it is added to the limit.
        """
        until = min(time.monotonic() + limit + reserve, self.session.deadline)
        budget = dataclasses.replace(
            self.session.budget, time_limit=max(1e-3, until - time.monotonic()), iterations=iterations, nodes=nodes,
            seed=seed, threads=1, target=None, gap=0.0,
        )  # fmt: skip
        inner = Session(budget, until, sink, start)
        self._stop = inner.request_stop
        if self.session.stopping:
            inner.request_stop()
        try:
            return solver.run(instance, inner)
        finally:
            self._stop = None


@dataclass(frozen=True)
class Pace:
    """How far a run has come, and how long a search within it may take.

    Where the budget counts iterations, these are steps, and searches have no limit in seconds, so that runs can be
    repeated.

    Parameters
    ----------
    slices
        A search takes at most this part of the time limit,
    shortest, longest
        but no less and no more seconds than these,
    share
        nor more than this part of the time since the beginning, unless that is less than ``shortest``: what a long
        run may spend on a search would cost a short one its first seconds.
    """

    session: Session
    slices: int
    shortest: float
    longest: float
    share: float = math.inf
    began: float = field(default_factory=time.monotonic)

    @property
    def counted(self) -> bool:
        return self.session.budget.iterations is not None

    @property
    def seconds(self) -> float:
        if self.counted:
            return math.inf
        return max(self.shortest, min(self.most, self.share * self.elapsed))

    @property
    def most(self) -> float:
        """What ``seconds`` may come to."""
        total = self.session.deadline - self.began
        return self.longest if math.isinf(total) else min(self.longest, max(self.shortest, total / self.slices))

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def progress(self, steps: int) -> float:
        """Share of the budget that is spent, from 0 to 1."""
        if self.session.budget.iterations is not None:
            return min(1.0, steps / self.session.budget.iterations)
        total = self.session.deadline - self.began
        return 0.0 if math.isinf(total) else min(1.0, self.elapsed / max(total, 1e-9))


def drive(
    engine: Engine[S, N],
    first: Found[S],
    pace: Pace,
    after: Callable[[State[S]], Outcome | None] = lambda state: None,
    told: Callable[[dict[str, Any]], None] = lambda account: None,
) -> Outcome:
    """Step until the budget is spent, nothing is left to search, or the best solution is known to be optimal.

    ``after`` is called after every step; what it returns, if anything, is the outcome.  ``told`` takes the account of
    every step, as the session does.
    """
    session = pace.session
    state = engine.start(first)
    while not session.stopping:
        if pace.counted and engine.steps >= (session.budget.iterations or 0):
            return Outcome(stopped_by=StoppedBy.ITERATIONS)
        step = engine.step(state, pace.seconds, pace.progress(engine.steps))
        if step is None:
            return Outcome()
        account = _account(step)
        session.step(**account)
        told(account)
        if (ended := after(state)) is not None:
            return ended
        if engine.closed:
            return Outcome.optimal(number(state.best.value))
    return Outcome(stopped_by=StoppedBy.TIME)


def _account(step: Any) -> dict[str, Any]:
    return {key: serial.encode(value) for key, value in dataclasses.asdict(step).items()}
