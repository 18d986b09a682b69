"""Solvers in child processes: a deadline that holds, crashes that cost nothing, incumbents that survive.

The child ignores Ctrl-C and only the parent decides when to stop.  At the deadline, on a signal or when a limit
of the budget is met, the parent climbs the stop ladder: the solver's own interrupt, a short grace, SIGTERM,
SIGKILL.  Children that ended a run in good order are kept for the next one, which hides their start-up.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, Pipe
from typing import IO, Any

from combopt.budget import Budget
from combopt.errors import SolverError, UsageError
from combopt.model import Instance, Solution
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Event, Outcome, Solver
from combopt.solvers.gate import Gate
from combopt.solvers.harness import stopped
from combopt.solvers.interrupts import Interrupts
from combopt.solvers.messages import Failure, Stop, Task, Up

MEMORY_POLL = 0.2
"""Seconds between two looks at the memory of the child."""
SIGNAL_GRACE = 0.35
"""Seconds that a solver has to stop by itself after a signal: the command is to end within a second."""
MAX_USES = 50
"""Runs after which a child is replaced, so that leaks of native code do not add up."""

_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from combopt.solvers.child import main; main()"


class Worker:
    """A child process that runs one task at a time."""

    def __init__(self) -> None:
        here, there = Pipe()
        self.connection: Connection[Any, Any] = here
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self.uses = 0
        self.reader: threading.Thread | None = None
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path), str(there.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=[there.fileno()],
            start_new_session=True,
        )
        there.close()

    def tail(self) -> str:
        """The end of what the child printed."""
        self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, self.log.tell() - 2000))
        return self.log.read().decode("utf-8", "replace").strip()

    def resident(self) -> int:
        """Megabytes that the child holds; 0 where the system does not tell."""
        try:
            with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
        except (OSError, IndexError, ValueError):
            return 0

    def kill(self) -> None:
        """End the child and everything it started, without asking."""
        if self.owner != os.getpid():
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self.process.kill()
        self.process.wait()
        if self.reader is not None:
            self.reader.join()  # sees the end of the pipe; closing it before would free the descriptor under it
        self.connection.close()
        self.log.close()


class _Pool:
    """Idle children, kept for the next run.

    Children die with the thread that started them (that is how the kernel sees a parent), and may outlive the run
    they were started for; so one thread that lasts as long as this process starts them all.
    """

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._starter = ThreadPoolExecutor(1, "combopt-start")
        self._owner = os.getpid()
        atexit.register(self.clear)

    def _start(self) -> Worker:
        if self._owner != os.getpid():  # after a fork the thread is the parent's
            self._starter, self._owner = ThreadPoolExecutor(1, "combopt-start"), os.getpid()
        return self._starter.submit(Worker).result()

    def take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.owner == os.getpid() and worker.process.poll() is None:
                    return worker
                worker.kill()
            return self._start()

    def give_back(self, worker: Worker) -> None:
        worker.uses += 1
        if worker.uses >= MAX_USES:
            worker.kill()
            return
        with self._lock:
            self._idle.append(worker)

    def prepare(self) -> None:
        """Start a child ahead of the run that will need it."""
        with self._lock:
            if not self._idle:
                self._idle.append(self._start())

    def clear(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().kill()


POOL = _Pool()


def run_isolated(
    solver: Solver,
    instance: Instance,
    budget: Budget,
    start: Solution | None,
    gate: Gate,
    interrupts: Interrupts,
) -> Outcome:
    """Run the solver in a child; return within the time limit plus a short grace, whatever the child does.

    Raises
    ------
    CombOptError
        What the solver raised, if it left no solution.
    """
    if type(solver).__module__ == "__main__" or type(instance).__module__ == "__main__":
        raise UsageError(
            "E201", "a class defined in the main script cannot be sent to the solver's process",
            remedy="Define it in a module of its own, or call solve(..., isolate=False).",
        )  # fmt: skip
    worker = POOL.take()
    task = Task(worker.uses, solver, instance, budget, gate.started + budget.time_limit, start)
    run = _Run(worker, task, gate)
    interrupts.subscribe(run.interrupt)
    try:
        outcome = run.follow()
    except BaseException:
        run.abandon()
        raise
    finally:
        interrupts.unsubscribe(run.interrupt)
    return outcome


class _Run:
    """The parent's side of one run."""

    def __init__(self, worker: Worker, task: Task, gate: Gate) -> None:
        self.worker, self.task, self.gate = worker, task, gate
        self.inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.sent = threading.Event()
        self.reason: StoppedBy | None = None
        self.kill_at = task.deadline + self.grace
        worker.reader = threading.Thread(target=self._read, daemon=True, name="combopt-incumbents")

    @property
    def grace(self) -> float:
        """Seconds between the request to stop and the end of the process."""
        return min(5.0, max(0.3, 0.012 * self.task.budget.time_limit))

    def _read(self) -> None:
        connection = self.worker.connection
        try:
            connection.send(self.task)
            self.sent.set()
            while True:
                message = connection.recv()
                if isinstance(message, Up):
                    continue
                self.inbox.put(message)
                if isinstance(message, (Outcome, Failure)):
                    return
        except Exception as error:  # process boundary: whatever a dying child leaves in the pipe
            self.inbox.put(error)

    def interrupt(self) -> None:
        """Called from a signal handler."""
        self.inbox.put(StoppedBy.INTERRUPT)

    def follow(self) -> Outcome:
        assert self.worker.reader is not None
        self.worker.reader.start()
        next_look = time.monotonic() + MEMORY_POLL
        while True:
            message = self._next(next_look)
            if isinstance(message, Event):
                reached = self.gate.take(message)
                if reached is not None:
                    self._stop(reached, 0.5)
            elif isinstance(message, StoppedBy):
                self._stop(message, SIGNAL_GRACE)
            elif isinstance(message, Outcome):
                POOL.give_back(self.worker)
                late = time.monotonic() >= self.task.deadline and self.reason is None
                return stopped(message, StoppedBy.TIME if late else self.reason)
            elif isinstance(message, Failure):
                POOL.give_back(self.worker)
                return self._failed(message)
            elif isinstance(message, BaseException):
                return self._died(message)
            now = time.monotonic()
            if now >= self.task.deadline and self.reason is None:
                self._stop(StoppedBy.TIME, self.grace)
            if now >= self.kill_at:
                return self._end()
            if self.task.budget.memory is not None and now >= next_look:
                next_look = now + MEMORY_POLL
                if self.worker.resident() > self.task.budget.memory:
                    self.reason = StoppedBy.MEMORY
                    return self._end()

    def _next(self, next_look: float) -> object:
        until = self.kill_at if self.reason is not None else min(self.task.deadline, self.kill_at)
        if self.task.budget.memory is not None:
            until = min(until, next_look)
        try:
            return self.inbox.get(timeout=min(max(0.0, until - time.monotonic()), 3600.0))
        except queue.Empty:
            return None

    def _stop(self, reason: StoppedBy, grace: float) -> None:
        """First rung of the ladder: ask the solver to stop."""
        if self.reason is not None:
            return
        self.reason = reason
        if reason is not StoppedBy.TIME and Capability.INTERRUPT not in self.task.solver.info.capabilities:
            grace = 0.05  # it will not stop by itself before its time is over
        self.kill_at = min(self.kill_at, time.monotonic() + grace)
        if self.sent.is_set():
            with contextlib.suppress(OSError):  # it is dead already; the reader says so
                self.worker.connection.send(Stop(self.task.number))

    def _end(self) -> Outcome:
        """Last rungs: SIGTERM, then SIGKILL; what was handed over before is still taken."""
        self.worker.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.worker.process.wait(0.05)
        self.abandon()
        outcome = Outcome(stopped_by=self.reason or StoppedBy.TIME)
        while not self.inbox.empty():
            message = self.inbox.get()
            if isinstance(message, Event):
                self.gate.take(message)
            elif isinstance(message, Outcome):
                outcome = stopped(message, self.reason)
        return outcome

    def _died(self, error: BaseException) -> Outcome:
        try:
            code = self.worker.process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        name, tail = self.task.solver.info.name, self.worker.tail()
        self.abandon()
        if self.reason is not None:
            return Outcome(stopped_by=self.reason)
        text = f"the process of {name} died ({how})" + (f": {tail[-500:]}" if tail else "")
        self.gate.messages.append(text)
        return Outcome(stopped_by=StoppedBy.CRASH)

    def _failed(self, failure: Failure) -> Outcome:
        if self.gate.solution is None:
            raise failure.error or SolverError("E301", f"{self.task.solver.info.name} failed:\n{failure.text}")
        reason = failure.error.found if failure.error else failure.text.strip().splitlines()[-1]
        self.gate.messages.append(f"the solver failed: {reason}")
        return Outcome(stopped_by=StoppedBy.CRASH)

    def abandon(self) -> None:
        """Kill the child, whatever state it is in."""
        self.worker.kill()
