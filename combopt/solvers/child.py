"""The child process of a solve: take a task, run it, send events up, obey "stop"."""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any

from combopt.errors import CombOptError
from combopt.solvers.base import Event, Outcome, Session, execute
from combopt.solvers.messages import Advice, Failure, Stop, Task, Up

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve tasks from the pipe whose descriptor is the last argument, until the parent is gone."""
    descriptor = int(sys.argv[-1])
    os.set_inheritable(descriptor, False)
    connection: Connection[Any, Any] = Connection(descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    connection.send(Up())
    control = _Control(connection)
    while True:
        task = control.next_task()
        connection.send(_run(task, control, connection))


def _run(task: Task, control: _Control, connection: Connection[Any, Any]) -> Outcome | Failure:
    lock = threading.Lock()

    def sink(event: Event) -> None:
        with lock:
            connection.send(event)

    session = Session(task.budget, task.deadline, sink, task.start, task.advised)
    control.watch(task.number, session)
    with contextlib.suppress(OSError):  # the folder is gone, or there was none
        os.chdir(task.folder)
    try:
        return execute(task.solver, task.instance, session)
    except CombOptError as error:
        return Failure(error, str(error))
    except BaseException as error:  # process boundary: everything a solver can raise goes up as a failure
        return Failure(None, "".join(traceback.format_exception(error)))


class _Control:
    """Reads the pipe in a thread of its own, so that a stop arrives while a solver runs."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._running = -1
        self._stopped = -1
        threading.Thread(target=self._listen, daemon=True).start()

    def next_task(self) -> Task:
        return self._tasks.get()

    def watch(self, number: int, session: Session) -> None:
        """From now on a stop for task ``number`` goes to ``session``; one that came early goes there now."""
        with self._lock:
            self._running, self._session = number, session
            early = self._stopped == number
        if early:
            _ask(session)

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the parent is gone
            if isinstance(message, Advice):
                with self._lock:
                    session = self._session if self._running == message.number else None
                if session is not None:
                    session.advise(message.event)
            elif isinstance(message, Stop):
                with self._lock:
                    self._stopped = message.number
                    session = self._session if self._running == message.number else None
                if session is not None:
                    _ask(session)
            else:
                self._tasks.put(message)


def _ask(session: Session) -> None:
    """Ask a run to stop.  A solver's interrupt that fails must not cost the thread that hears all later messages; the
    parent goes on up its ladder."""
    try:
        session.request_stop()
    except Exception as error:  # process boundary: whatever native code makes of it
        traceback.print_exception(error)


def die_with_parent() -> None:
    """On Linux, have the kernel end this process with its parent, even while native code holds the interpreter."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
