"""Calls of native solvers, their callbacks and their numbers."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from combopt.solvers.native import Guard, number, reachable
from tests.solvers import programs


def test_reachable_returns_and_raises_what_the_call_does() -> None:
    run, _ = programs.session()
    assert reachable(lambda: 7, run) == 7
    with pytest.raises(ZeroDivisionError):
        reachable(lambda: 1 // 0, run)


def test_reachable_stays_in_a_thread_of_its_own() -> None:
    run, _ = programs.session()
    seen: list[str] = []
    thread = threading.Thread(
        target=lambda: seen.append(reachable(lambda: threading.current_thread().name, run)), name="x"
    )
    thread.start()
    thread.join()
    assert seen == ["x"]


def test_interrupt_of_a_call_stops_the_solver_and_is_raised() -> None:
    run, _ = programs.session()
    stopped = threading.Event()
    run.on_stop(stopped.set)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        reachable(lambda: stopped.wait(20), run)
    assert time.monotonic() - started < 2
    assert stopped.is_set()


def test_guard_stops_at_the_first_exception_and_keeps_it() -> None:
    calls: list[str] = []
    guard = Guard(lambda: calls.append("stop"))
    guard.check()
    guard(calls.append, "a")
    guard(lambda: 1 // 0)
    guard(calls.append, "b")
    assert calls == ["a", "stop"]
    with pytest.raises(ZeroDivisionError):
        guard.check()


@pytest.mark.parametrize(
    ("value", "kind"), [(3.0, int), (-0.0, int), (3.5, float), (float("inf"), float), (1e17, float)]
)
def test_whole_floats_become_integers(value: float, kind: type) -> None:
    assert number(value) == value
    assert type(number(value)) is kind
