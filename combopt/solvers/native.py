"""What all adapters of native solvers share: calls that signals can reach, callbacks that keep their exceptions."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from combopt.model import Number
from combopt.solvers.base import Session
from combopt.solvers.interrupts import SIGNALS

T = TypeVar("T")
EXACT_FLOAT = 2**53
"""Up to here every whole float is the whole number it stands for."""


def number(value: float) -> Number:
    """A float from a solver as an ``int`` where it is whole, so that it compares exactly with exact objectives."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < EXACT_FLOAT
    return int(value) if whole else value


def reachable(call: Callable[[], T], session: Session) -> T:
    """Run a native ``call``, which must release the interpreter lock, so that signal handlers act meanwhile.

    Python runs signal handlers in the main thread alone, and only between two of its own instructions: a native
    call there would hold them off until it ends.  So the main thread waits while another one makes the call.  An
    exception out of a handler (a second Ctrl-C) stops the solver and goes on its way.

    Where no handler waits, as in the solver's own process, the call is made at once: memory is dearer in a second
    thread (SCIP takes 3 % longer there).
    """
    if threading.current_thread() is not threading.main_thread() or not _handled():
        return call()
    result: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            result.append(call())
        except BaseException as error:  # re-raised in the waiting thread
            errors.append(error)

    thread = threading.Thread(target=target, name="combopt-native", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        session.request_stop()
        thread.join(1.0)
        raise
    if errors:
        raise errors[0]
    return result[0]


def _handled() -> bool:
    """Whether a Python function waits for one of the signals that end a run."""
    return any(callable(signal.getsignal(number)) for number in SIGNALS)


@dataclass
class Guard:
    """Wraps callbacks: the first exception stops the solver and is kept for :meth:`check`.

    Native code must never see a Python exception: it would lose it, or end the process.
    """

    stop: Callable[[], object]
    error: BaseException | None = field(default=None, init=False)

    def __call__(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call ``callback(*args)`` unless an earlier one failed."""
        if self.error is not None:
            return
        try:
            callback(*args)
        except BaseException as error:  # kept and raised by check()
            self.error = error
            self.stop()

    def check(self) -> None:
        """Raise what a callback raised."""
        if self.error is not None:
            raise self.error
