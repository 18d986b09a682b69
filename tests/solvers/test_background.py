"""Solvers that are paused and go on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from combopt import api
from combopt.budget import Budget
from combopt.solvers.background import Background
from combopt.solvers.base import Event
from combopt.solvers.or_opt import OrOpt

SIZE = 800


def start(events: list[Event]) -> Background:
    instance = api.generate("tsp", seed=1, n=SIZE)
    return Background(OrOpt(), instance, Budget(time_limit=float("inf"), threads=1), None, events.append)


def ticks(background: Background) -> int:
    return sum(int(field) for field in stat(background)[11:13])


def stat(background: Background) -> list[str]:
    """The fields of its process after the name, beginning with its state."""
    return Path(f"/proc/{background._worker.process.pid}/stat").read_text().rpartition(")")[2].split()


def wait_for_pause(background: Background) -> None:
    """A signal to stop is on its way for a moment, and longer on a busy machine."""
    until = time.monotonic() + 10
    while stat(background)[0] != "T" and time.monotonic() < until:
        time.sleep(0.01)
    assert stat(background)[0] == "T"
    time.sleep(0.1)  # the other threads follow the first


def test_it_works_only_while_it_runs() -> None:
    events: list[Event] = []
    background = start(events)
    try:
        assert not events
        until = time.monotonic() + 60
        while not events and time.monotonic() < until:
            background.run(0.5, lambda: False)
        found = len(events)
        assert found
        wait_for_pause(background)
        worked = ticks(background)
        time.sleep(0.3)
        background.poll()
        assert ticks(background) == worked
        background.run(1.0, lambda: False)
        assert ticks(background) > worked
    finally:
        background.close()
    assert background._worker.process.poll() is not None


@pytest.mark.parametrize("wait", [0.0, 0.02, 0.05, 0.5])
def test_a_paused_solver_ends_with_the_one_that_started_it(wait: float) -> None:
    """Also if that is killed before the solver's process knows whom it belongs to."""
    script = (
        "import os, signal, time\n"
        "from tests.solvers.test_background import start\n"
        "print(start([])._worker.process.pid, flush=True)\n"
        f"time.sleep({wait}); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert parent.returncode == -signal.SIGKILL
    child = Path(f"/proc/{int(parent.stdout)}/stat")
    until = time.monotonic() + 10
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until, child.read_text()
        time.sleep(0.02)


def test_stopping_ends_a_slice_early() -> None:
    background = start([])
    try:
        began = time.monotonic()
        background.run(30.0, lambda: time.monotonic() > began + 0.2)
        assert time.monotonic() - began < 5.0
        assert not background.over
    finally:
        background.close()


def test_a_dead_solver_is_noticed() -> None:
    background = start([])
    try:
        background.run(0.2, lambda: False)
        background._worker.process.kill()
        background.run(5.0, lambda: False)
        assert background.failed
        assert background.over
    finally:
        background.close()


def test_an_answer_ends_it() -> None:
    events: list[Event] = []
    instance = api.generate("knapsack", seed=1, n=20)
    solver = api.make_solver("knapsack")
    background = Background(solver, instance, Budget(time_limit=float("inf"), threads=1), None, events.append)
    try:
        background.run(60.0, lambda: False)
        assert background.outcome is not None
        assert background.outcome.status == "optimal"
        assert events[-1].solution is not None or events[-1].bound is not None
    finally:
        background.close()
