"""One run, from the origin of its instance to what came out; whatever happens inside, it returns a :class:`Run`."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
import traceback
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import combopt
from combopt import api
from combopt.bench import origin as origins
from combopt.bench.runs import Configuration, Failure, InstanceRow, Key, Run, budget_text, canonical
from combopt.budget import Budget
from combopt.errors import CombOptError, UnsupportedError, UsageError
from combopt.model import Instance, Sense
from combopt.result import Result, StoppedBy
from combopt.solvers.interrupts import Interrupts


@dataclass(frozen=True, slots=True)
class Task:
    """One run to be done.  It is small and can be sent to another process or machine.

    Parameters
    ----------
    origin
        How to get the instance (see :mod:`combopt.bench.origin`).
    configuration
        The solver with its options.
    seed
        Seed of the run; that of ``budget`` is not looked at.
    budget
        The limits of the run.
    machine
        The kind of machine, for the key (see :func:`machine_name`).
    suite
        Name of the suite.
    """

    origin: str
    configuration: Configuration
    seed: int
    budget: Budget
    machine: str
    suite: str = ""


def machine_name() -> str:
    """The kind of machine this is: processor, usable cores and memory; the same for all hosts of one kind."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    name = f"{model}, {Budget().cores} cores"
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told on this platform
        return name
    return f"{name}, {size / 2**30:.0f} GB"


def key_of(task: Task, digest: str) -> Key:
    """The key of the run on the instance with that digest; nothing is run for it, and no package is loaded.

    Raises
    ------
    UsageError
        If there is no such solver (E204), or an option does not fit (E201).
    MissingExtraError
        If its package is not installed.
    """
    configuration = task.configuration
    version, options = _known(configuration.solver, canonical(configuration.options))
    return _key(task, digest, version, options)


@lru_cache(maxsize=1024)
def _known(solver: str, options: str) -> tuple[str, str]:
    """Version of the solver, and its options with those that were left out, as canonical text."""
    if solver == "auto":
        return combopt.__version__, options
    made = api.make_solver(solver, json.loads(options))
    if (error := made.missing()) is not None:
        raise error
    return made.info.version() or "", canonical(made.options())


def _key(task: Task, digest: str, version: str, options: str) -> Key:
    limit = float(task.budget.time_limit)  # 10 and 10.0 are the same limit, and are to be the same text
    return Key(
        instance=digest,
        solver=task.configuration.solver,
        version=version,
        options=options,
        seed=task.seed,
        budget=budget_text(replace(task.budget, time_limit=limit, gap=float(task.budget.gap))),
        machine=task.machine,
    )


def unread(origin: str) -> InstanceRow:
    """The row that stands for an instance that could not be read."""
    digest = f"unreadable:{hashlib.sha256(origin.encode()).hexdigest()}"
    return InstanceRow(
        digest=digest, name=origins.name(origin), kind="unknown", sense=Sense.MIN, size={}, origin=origin
    )


def lost(task: Task, digest: str | None, message: str = "the worker died") -> tuple[Run, InstanceRow]:
    """The run of a task whose worker died; ``digest`` is that of its instance, where it is known."""
    row = unread(task.origin)
    if digest is not None:
        row = InstanceRow(digest=digest, name=row.name, kind=row.kind, sense=row.sense, size={}, origin=task.origin)
    return _failed(task, row.digest, Failure.LOST, message, time.time(), time.monotonic()), row


class Memory:
    """The instance that was loaded last, so that several solvers on one instance read it once."""

    def __init__(self) -> None:
        self._origin: str | None = None
        self._instance: Instance | None = None

    def load(self, origin: str) -> Instance:
        """As :func:`combopt.bench.origin.load`."""
        if self._instance is None or self._origin != origin:
            self._instance = None  # two large ones need not be there at once
            self._instance, self._origin = origins.load(origin), origin
        return self._instance


LAST = Memory()
"""That of this process."""


def execute(task: Task, memory: Memory = LAST, interrupts: Interrupts | None = None) -> tuple[Run, InstanceRow]:
    """Do the run.  What goes wrong in it makes a failed run; it raises nothing.

    Parameters
    ----------
    memory
        Keeps the instance for the next task.
    interrupts
        Signals that the caller is catching already, as in :func:`combopt.solve`.  A run that a signal cut short has
        ``stopped_by`` ``interrupt``; it is for the caller to throw it away.
    """
    clock, started = time.time(), time.monotonic()
    try:
        instance = memory.load(task.origin)
        row = InstanceRow.of(instance, task.origin)
    except Exception as error:  # process boundary: one bad file must not end a sweep
        row = unread(task.origin)
        return _failed(task, row.digest, Failure.ERROR, _text(error), clock, started), row
    started = time.monotonic()
    try:
        key = key_of(task, row.digest)
        result = _solve(task, instance, started, interrupts)
    except UnsupportedError as error:
        return _failed(task, row.digest, Failure.UNSUPPORTED, str(error), clock, started), row
    except Exception as error:  # process boundary: whatever a solver raises is the outcome of its run
        return _failed(task, row.digest, Failure.ERROR, _text(error), clock, started), row
    return Run.of(key, task.configuration.label, result, **_place(task, clock)), row


def _solve(task: Task, instance: Instance, started: float, interrupts: Interrupts | None) -> Result:
    budget = {f.name: getattr(task.budget, f.name) for f in fields(Budget)} | {"seed": task.seed}
    configuration = task.configuration
    result = api.solve(
        instance, configuration.solver, options=configuration.options, interrupts=interrupts, started=started, **budget
    )
    if configuration.solver != "auto":
        return result
    return replace(result, messages=(f"auto took {result.solver} {result.version}", *result.messages))


def _text(error: Exception) -> str:
    if isinstance(error, CombOptError):
        return str(error)
    return "".join(traceback.format_exception(error)).strip()


def _place(task: Task, started: float) -> dict[str, Any]:
    return {"suite": task.suite, "host": platform.node(), "started": started}


def _failed(task: Task, digest: str, failure: Failure, message: str, clock: float, started: float) -> Run:
    """A run without a result, that began at ``clock`` (:func:`time.time`) and ``started`` (:func:`time.monotonic`)."""
    try:
        key = key_of(task, digest)
    except UsageError:  # a worker without the solver's package, or with another version of its options
        key = _key(task, digest, "not installed", canonical(task.configuration.options))
    return Run(
        key=key,
        label=task.configuration.label,
        seconds=round(time.monotonic() - started, 4),
        stopped_by=StoppedBy.CRASH if failure is Failure.LOST else StoppedBy.FINISHED,
        failure=failure,
        messages=(message,),
        **_place(task, clock),
    )
