"""Worker processes on this machine: each carries out one run at a time and sends back what came out.

A worker outlives its runs, so that neither its start nor that of the solver processes which it keeps is paid for
again.  Workers die with the process that started them, and their solver processes with the worker: on Linux the
kernel sees to it, whatever kills whom.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import IO, Any, Self

from combopt.bench.execute import Task
from combopt.bench.executor import Broken, Died, Finished, Outcome
from combopt.errors import SolverError
from combopt.solvers.child import die_with_parent
from combopt.solvers.isolate import POOL

EXECUTE = "combopt.bench.execute:execute"
GRACE = 1.5
"""Seconds that a running solve has to stop its solver process when the sweep ends before it."""
START_SECONDS = 120.0
"""Seconds that a worker may take to start."""
MAX_START_FAILURES = 10
"""Workers in a row that may end before they have started; something is broken then."""
_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from combopt.bench.workers import main; main()"
_READY = "ready"


def hang_seconds(time_limit: float) -> float:
    """Seconds after which a worker that has not answered is given up: the run keeps its limit by itself, so this is
    far above it, and leaves time to read the instance."""
    return time_limit + max(30.0, 0.5 * time_limit)


def main() -> None:
    """Serve tasks from the pipe whose descriptor is the last argument but one, until the driver is gone."""
    connection: Connection[Any, Any] = Connection(int(sys.argv[-2]))
    os.set_inheritable(connection.fileno(), False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    module, _, name = sys.argv[-1].partition(":")
    execute = getattr(importlib.import_module(module), name)
    POOL.prepare()
    with contextlib.suppress(EOFError, OSError):  # the driver is gone
        connection.send(_READY)
        while (task := connection.recv()) is not None:
            connection.send(_answer(execute, task))


def _answer(execute: Callable[[Task], Any], task: Task) -> Any:
    try:
        return execute(task)
    except Exception as error:  # process boundary: a bug must not cost more than its run
        return "".join(traceback.format_exception(error))


class _Worker:
    """The driver's side of one worker process; ``ticket`` is that of the run it holds, if any."""

    def __init__(self, execute: str) -> None:
        here, there = Pipe()
        self.connection: Connection[Any, Any] = here
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path), str(there.fileno()), execute],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=[there.fileno()],
            start_new_session=True,  # Ctrl-C is for the driver
        )
        there.close()
        self.ready = False
        self.ticket: int | None = None
        self.origin = ""
        self.until = time.monotonic() + START_SECONDS

    def give(self, ticket: int, task: Task) -> None:
        self.ticket, self.origin = ticket, task.origin
        self.until = time.monotonic() + hang_seconds(task.budget.time_limit)
        with contextlib.suppress(OSError):  # it is dead; the next look at its pipe says so
            self.connection.send(task)

    def dismiss(self) -> None:
        """Ask it to stop: at once if it waits for work, else when its solver process is stopped."""
        if self.ready and self.ticket is None:
            with contextlib.suppress(OSError):
                self.connection.send(None)
        else:
            self.process.terminate()
        self.connection.close()

    def end(self, until: float) -> None:
        """Wait for its end until that moment, then kill it."""
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
        self.connection.close()
        self.log.close()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def epitaph(self) -> str:
        """How it died."""
        code = self.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, self.log.tell() - 500))
        tail = self.log.read().decode("utf-8", "replace").strip()
        return how + (f": {tail}" if tail else "")


class LocalWorkers:
    """An executor on this machine; a context manager.

    Parameters
    ----------
    jobs
        The number of worker processes.
    execute
        What a worker calls with each task, as ``module:function``.

    Raises
    ------
    SolverError
        E301 from :meth:`next` if workers end again and again before they have started.
    """

    def __init__(self, jobs: int, *, execute: str = EXECUTE) -> None:
        self._jobs, self._execute = jobs, execute
        self._workers: list[_Worker] = []
        self._pending: deque[tuple[int, Task]] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._start_failures = 0

    @property
    def room(self) -> int:
        """As many runs wait as are carried out, so that no worker waits for the driver."""
        return 2 * self._jobs

    def running(self) -> tuple[int, ...]:
        return tuple(w.ticket for w in self._workers if w.ticket is not None)

    def submit(self, ticket: int, task: Task) -> None:
        self._pending.append((ticket, task))
        self._feed()

    def next(self, seconds: float) -> Outcome | None:
        """The next outcome; ``None`` if there is none within that time."""
        until = time.monotonic() + seconds
        while not self._outcomes:
            now = time.monotonic()
            first = min((w.until for w in self._workers), default=math.inf)
            by_pipe: dict[Any, _Worker] = {w.connection: w for w in self._workers}
            for pipe in wait(by_pipe, max(0.0, min(until, first) - now)):
                self._hear(by_pipe[pipe])
            self._watch(time.monotonic())
            self._feed()
            if now >= until and not self._outcomes:
                return None
        return self._outcomes.popleft()

    def _hear(self, worker: _Worker) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self._bury(worker)
            return
        if message == _READY:
            worker.ready, self._start_failures = True, 0
        else:
            assert worker.ticket is not None
            if isinstance(message, str):
                self._outcomes.append(Broken(worker.ticket, message))
            else:
                self._outcomes.append(Finished(worker.ticket, *message))
            worker.ticket = None
        worker.until = math.inf

    def _watch(self, now: float) -> None:
        for worker in [w for w in self._workers if now >= w.until]:
            self._bury(worker, "it did not answer in time and was killed")

    def _bury(self, worker: _Worker, reason: str = "") -> None:
        """Take a dead or hanging worker out; its run is reported, and what it did is on nobody's conscience."""
        self._workers.remove(worker)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.process.wait(0.0 if reason else 1.0)
        worker.kill()
        how = reason or worker.epitaph()
        worker.end(0.0)
        if worker.ticket is not None:
            self._outcomes.append(Died(worker.ticket, how))
        elif not worker.ready:
            self._start_failures += 1
            if self._start_failures >= MAX_START_FAILURES:
                raise SolverError(
                    "E301", f"a worker process ended before it had started ({how})",
                    remedy="combopt doctor shows what is broken; fewer --jobs need less memory.",
                )  # fmt: skip

    def _feed(self) -> None:
        """Hand what is pending to workers that wait, to one that holds the instance already if there is one."""
        for worker in self._workers:
            if not self._pending:
                return
            if worker.ready and worker.ticket is None:
                index = next((i for i, (_, t) in enumerate(self._pending) if t.origin == worker.origin), 0)
                ticket, task = self._pending[index]
                del self._pending[index]
                worker.give(ticket, task)
        starting = sum(not w.ready for w in self._workers)
        for _ in range(min(len(self._pending) - starting, self._jobs - len(self._workers))):
            self._workers.append(_Worker(self._execute))

    def close(self) -> None:
        """End all workers, and with them the runs that they hold."""
        _end_all(self._workers)
        self._workers.clear()
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _end_all(workers: Iterable[_Worker]) -> None:
    """Dismiss all, then wait for all, so that they stop side by side."""
    workers = list(workers)
    for worker in workers:
        worker.dismiss()
    until = time.monotonic() + GRACE
    for worker in workers:
        worker.end(until)
