"""Ctrl-C, SIGTERM and SIGHUP, turned into "stop and return the best"."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupts:
    """While active, the first signal is noted and told to the subscribers; a second one acts as it always does.

    Signals can only be caught in the main thread; elsewhere this does nothing.  ``received`` is the number of
    the signal, or ``None``.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._subscribers: list[Callable[[], None]] = []
        self._previous: dict[int, Any] = {}

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` on the first signal; at once if it has already come."""
        self._subscribers.append(callback)
        if self.received is not None:
            callback()

    def unsubscribe(self, callback: Callable[[], None]) -> None:
        self._subscribers.remove(callback)

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # A signal that is ignored (nohup, a background job) stays ignored.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self._restore()
        for callback in list(self._subscribers):
            callback()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()
