"""What a solver is, and what it is given while it runs."""

from __future__ import annotations

import importlib.metadata
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar

from combopt.budget import Budget
from combopt.errors import MissingExtraError, UsageError
from combopt.model import Instance, Number, Solution
from combopt.result import Result, Status, StoppedBy


class Capability(StrEnum):
    """What a solver can do; a conformance suite holds every solver to what it declares."""

    PROOF = "proof"
    """Proves optimality or infeasibility when given time."""
    BOUND = "bound"
    """Reports a dual bound."""
    WARM_START = "warm start"
    """Uses a start solution; its answer is never worse."""
    INCUMBENTS = "incumbents"
    """Reports improving solutions while it runs."""
    INTERRUPT = "interrupt"
    """Stops by itself within a fraction of a second when asked; others are stopped by ending their process."""
    SEED = "seed"
    """Same seed, one thread, no time limit in the way: same answer."""
    THREADS = "threads"
    """Uses more than one thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverInfo:
    """A solver's declaration.

    Parameters
    ----------
    name, title
        Name in the registry, and one line for people.
    kinds
        Kinds of instances it takes as they are.  A solver of kind ``mip`` also takes every kind that has the view.
    capabilities
        See :class:`Capability`.
    package
        The distribution whose version is reported; ``combopt`` for our own code.
    extra
        The extra that installs the package, if a plain install does not.
    licence
        Licence of the package.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    capabilities: frozenset[Capability]
    package: str = "combopt"
    extra: str | None = None
    licence: str = "Apache-2.0"

    def version(self) -> str | None:
        """Version of the package, or ``None`` if it is not installed."""
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, in the solver's own words; the harness checks the claim against the solutions.

    ``status`` is ``OPTIMAL``, ``INFEASIBLE`` or ``UNBOUNDED`` for a proof and ``UNKNOWN`` otherwise.  A claim of
    optimality comes with ``bound``, in the sense of the instance.
    """

    status: Status = Status.UNKNOWN
    stopped_by: StoppedBy = StoppedBy.FINISHED
    bound: Number | None = None

    @classmethod
    def optimal(cls, bound: Number) -> Outcome:
        return cls(status=Status.OPTIMAL, stopped_by=StoppedBy.PROOF, bound=bound)

    @classmethod
    def infeasible(cls) -> Outcome:
        return cls(status=Status.INFEASIBLE, stopped_by=StoppedBy.PROOF)


@dataclass(frozen=True, slots=True)
class Event:
    """Something a running solver has to tell: ``solution``, ``bound``, ``message`` or ``step`` is set.

    ``seconds`` is :func:`time.monotonic`, which all processes of a machine share.
    """

    seconds: float
    solution: Solution | None = None
    bound: Number | None = None
    message: str | None = None
    step: dict[str, Any] | None = None


@dataclass
class Session:
    """One run as the solver sees it: limits, a start, and where to hand over what it finds.

    ``deadline`` is in :func:`time.monotonic`.  ``sink`` takes the events; a solver calls :meth:`emit`.
    ``advised`` says that others may tell what they know while the run goes on (:meth:`advice`).
    """

    budget: Budget
    deadline: float
    sink: Callable[[Event], None]
    start: Solution | None = None
    advised: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)
    _callbacks: list[Callable[[], object]] = field(default_factory=list)
    _advice: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def remaining(self, reserve: float = 0.05) -> float:
        """Seconds that the solver may still use, ``reserve`` kept back for handing over the answer; never below
        a millisecond, so that it can be passed to any solver as its own limit."""
        return max(1e-3, self.deadline - time.monotonic() - reserve)

    @property
    def stopping(self) -> bool:
        """Whether the solver has been asked to stop, or its time is over."""
        return self._stop.is_set() or time.monotonic() >= self.deadline

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` (the solver's own interrupt) from another thread when the run is to stop."""
        self._callbacks.append(callback)
        if self._stop.is_set():
            callback()

    def request_stop(self) -> None:
        """Ask the solver to stop; the harness calls this."""
        self._stop.set()
        for callback in list(self._callbacks):
            callback()

    def advise(self, event: Event) -> None:
        """Tell the run what others know of the same instance; it comes in :meth:`advice`."""
        self._advice.put(event)

    def advice(self) -> list[Event]:
        """What others have told since the last call: solutions, unchecked, and accounts of steps."""
        told: list[Event] = []
        while not self._advice.empty():
            told.append(self._advice.get())
        return told

    def emit(self, solution: Solution) -> None:
        """Hand over a solution.  It is checked on the other side: no harm in handing over a doubtful one."""
        self.sink(Event(time.monotonic(), solution=solution))

    def bound(self, value: Number) -> None:
        """Hand over a dual bound, in the sense of the instance."""
        self.sink(Event(time.monotonic(), bound=value))

    def say(self, message: str) -> None:
        """Hand over a sentence for the user."""
        self.sink(Event(time.monotonic(), message=message))

    def step(self, **account: Any) -> None:
        """Hand over the account of one step of the search (numbers and strings by name), for :attr:`Result.steps`."""
        self.sink(Event(time.monotonic(), step=account))


class Solver(ABC):
    """A solver: final subclasses are frozen dataclasses whose fields are the solver's options."""

    info: ClassVar[SolverInfo]

    @abstractmethod
    def run(self, instance: Instance, session: Session) -> Outcome:
        """Solve ``instance``, one of ``info.kinds``, handing every solution to ``session``.

        Runs in a child process as a rule.  Heavy packages are imported in here, not at the top of the module.
        """

    def missing(self) -> UsageError | None:
        """The error that says what the solver needs and is not installed; ``None`` if all is there."""
        if self.info.version() is None:
            return MissingExtraError(self.info.package, self.info.extra or "all")
        return None

    def refuses(self, instance: Instance) -> str | None:
        """A clause that says why this solver cannot take an instance of one of its kinds; ``None`` if it can."""
        return None

    def accepts(self, instance: Instance) -> bool:
        """Whether :meth:`solve` would take the instance, as it is or through a view."""
        return self.why_not(instance) is None

    def why_not(self, instance: Instance) -> str | None:
        """Why the solver cannot take the instance, or ``None``; the package need not be installed."""
        kinds = self.info.kinds
        if instance.kind not in kinds:
            if "mip" in kinds and "mip" in instance.views:
                return None
            return f"it solves {', '.join(kinds)}, not {instance.kind}"
        return self.refuses(instance)

    def options(self) -> dict[str, Any]:
        """The options by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)} if _is_dataclass(self) else {}  # type: ignore[arg-type]

    def solve(
        self,
        instance: Instance,
        budget: Budget | None = None,
        start: Solution | None = None,
        report: Callable[[Any], None] | None = None,
    ) -> Result:
        """Solve in a child process and return the checked result; see :func:`combopt.solve`."""
        from combopt.solvers.harness import solve

        return solve(self, instance, budget or Budget(), start=start, report=report)


def _is_dataclass(value: object) -> bool:
    return hasattr(value, "__dataclass_fields__")


def execute(solver: Solver, instance: Instance, session: Session) -> Outcome:
    """Run the solver on the instance, through its MIP view where it does not take the kind as it is."""
    if instance.kind in solver.info.kinds:
        return solver.run(instance, session)
    view = instance.to_mip()
    start = session.start
    if start is not None:
        start = view.from_original(start) if view.from_original else None

    def sink(event: Event) -> None:
        if event.solution is not None:
            event = Event(event.seconds, solution=view.to_original(event.solution))
        session.sink(event)

    inner = Session(session.budget, session.deadline, sink, start)
    session.on_stop(inner.request_stop)
    return solver.run(view.instance, inner)
