"""Whole solvers in processes of their own that are paused and go on, so that several share one core by turns."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable

from combopt.budget import Budget
from combopt.model import Instance, Solution
from combopt.solvers.base import Event, Outcome, Solver
from combopt.solvers.isolate import Worker
from combopt.solvers.messages import Failure, Task

POLL = 0.05
"""Seconds between two looks at whether to stop."""


class Background:
    """A solver that works only while :meth:`run` lasts, or all the time if it is ``free``.

    Paused means stopped by the system in mid-step (SIGSTOP), so nothing of its search is lost.  The process dies
    with the one that started it.

    Parameters
    ----------
    sink
        Takes what the solver hands over, in the thread that calls :meth:`run` or :meth:`poll`.
    """

    def __init__(
        self,
        solver: Solver,
        instance: Instance,
        budget: Budget,
        start: Solution | None,
        sink: Callable[[Event], None],
        *,
        free: bool = False,
    ) -> None:
        self.name = solver.info.name
        self.outcome: Outcome | None = None
        self.failed = False
        self.reason = ""
        """Why it failed."""
        self.free = free
        self._sink = sink
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._worker = Worker()
        task = Task(0, solver, instance, budget, float("inf"), start)
        self._worker.reader = threading.Thread(target=self._read, args=(task,), daemon=True)
        self._worker.reader.start()
        if not free:
            self._signal(signal.SIGSTOP)

    @property
    def over(self) -> bool:
        """Whether the solver has ended, well or badly."""
        return self.outcome is not None or self.failed

    def run(self, seconds: float, stopping: Callable[[], bool]) -> None:
        """Let the solver work for so long, or until it ends or ``stopping`` says so."""
        until = time.monotonic() + seconds
        if not self.free:
            self._signal(signal.SIGCONT)
        while not self.over and not stopping() and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                self._take(self._inbox.get(timeout=min(left, POLL)))
        if not self.free and not self.over:
            self._signal(signal.SIGSTOP)
        self.poll()

    def poll(self) -> None:
        """Take what has come."""
        while not self._inbox.empty():
            self._take(self._inbox.get())

    def close(self) -> None:
        """End the process."""
        self._worker.kill()

    def _take(self, message: object) -> None:
        if isinstance(message, Event):
            self._sink(message)
        elif isinstance(message, Outcome):
            self.outcome = message
        else:
            self.failed = True
            self.reason = message.text.strip() if isinstance(message, Failure) else f"its process ended: {message!r}"

    def _read(self, task: Task) -> None:
        connection = self._worker.connection
        try:
            connection.send(task)
            while True:
                message = connection.recv()
                self._inbox.put(message)
                if isinstance(message, (Outcome, Failure)):
                    return
        except Exception as error:  # process boundary: whatever a dying child leaves in the pipe
            self._inbox.put(error)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._worker.process.pid, number)
