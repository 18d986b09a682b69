"""Whole solvers in processes of their own that are paused and go on, so that several share one core by turns."""

from __future__ import annotations

import contextlib
import math
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
from combopt.solvers.messages import Advice, Failure, Task, Up

POLL = 0.05
"""Seconds between two looks at whether to stop."""


class Background:
    """A solver that works only while :meth:`run` lasts, or all the time if it is ``free``.

    Paused means stopped by the system in mid-step (SIGSTOP), so nothing of its search is lost.  The process dies
    with the one that started it.

    Parameters
    ----------
    sink
        Takes what the solver hands over: in the thread that calls :meth:`run` or :meth:`poll`, or if the solver is
        free, at once and in a thread of its own.
    deadline
        What the solver is told, in :func:`time.monotonic`; nobody here holds it to that.
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
        deadline: float = math.inf,
    ) -> None:
        self.name = solver.info.name
        self.outcome: Outcome | None = None
        self.failed = False
        self.reason = ""
        """Why it failed."""
        self.free = free
        self._sink = sink
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[Task | Advice | None] = queue.SimpleQueue()
        self._worker = Worker()
        self._lock = threading.Lock()
        self._up = threading.Event()
        self._paused = not free
        self._outbox.put(Task(0, solver, instance, budget, deadline, start, advised=True))
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._worker.reader = threading.Thread(target=self._read, daemon=True)
        self._writer.start()
        self._worker.reader.start()

    @property
    def over(self) -> bool:
        """Whether the solver has ended, well or badly."""
        return self.outcome is not None or self.failed

    def run(self, seconds: float, stopping: Callable[[], bool]) -> None:
        """Let the solver work for so long, or until it ends or ``stopping`` says so.

        The start of its process does not count.
        """
        if not self.free:
            self._pause(False)
        while not (self._up.wait(POLL) or self.over or stopping()):
            self.poll()
        until = time.monotonic() + seconds
        while not self.over and not stopping() and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                self._take(self._inbox.get(timeout=min(left, POLL)))
        if not self.free and not self.over:
            self._pause(True)
        self.poll()

    def poll(self) -> None:
        """Take what has come."""
        while not self._inbox.empty():
            self._take(self._inbox.get())

    def tell(self, event: Event) -> None:
        """Advise the solver; see :meth:`Session.advice`.  Returns at once, whether or not the solver listens."""
        self._outbox.put(Advice(0, event))

    def close(self) -> None:
        """End the process."""
        self._outbox.put(None)
        self._worker.kill()
        self._writer.join()

    def _take(self, message: object) -> None:
        if isinstance(message, Event):
            self._sink(message)
        elif isinstance(message, Outcome):
            self.outcome = message
        else:
            self.failed = True
            self.reason = message.text.strip() if isinstance(message, Failure) else f"its process ended: {message!r}"

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # the child is dead; the reader says so
            while (message := self._outbox.get()) is not None:
                self._worker.connection.send(message)

    def _read(self) -> None:
        connection = self._worker.connection
        try:
            while True:
                message = connection.recv()
                if isinstance(message, Up):
                    self._came_up()
                    continue
                self._arrived(message)
                if isinstance(message, (Outcome, Failure)):
                    return
        except Exception as error:  # process boundary: whatever a dying child leaves in the pipe
            self._arrived(error)

    def _arrived(self, message: object) -> None:
        if self.free:
            self._take(message)
        else:
            self._inbox.put(message)

    def _came_up(self) -> None:
        """A child that is stopped before it is bound to its parent would outlive it for ever, so that it is let be
        until now."""
        with self._lock:
            self._up.set()
            if self._paused:
                self._signal(signal.SIGSTOP)

    def _pause(self, paused: bool) -> None:
        with self._lock:
            self._paused = paused
            if self._up.is_set():
                self._signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._worker.process.pid, number)
