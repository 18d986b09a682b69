"""Solvers that misbehave, for the tests of the harness.  They live in a module so that a child can import them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import SolverError
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo

SQUARE = [[0, 0], [0, 10], [10, 10], [10, 0], [5, 0]]
GOOD = [0, 1, 2, 3, 4]
"""The best tour of the five points, of length 40."""
BAD = [0, 2, 1, 3, 4]


def five_points() -> Tsp:
    from combopt.instances.metric import Metric

    return Tsp(name="five", metric=Metric(rule="EUC_2D", coordinates=np.array(SQUARE, dtype=float)))


def info(name: str, *capabilities: Capability) -> SolverInfo:
    return SolverInfo(name=name, title=name, kinds=("tsp",), capabilities=frozenset(capabilities))


def tour(order: list[int]) -> Tour:
    return Tour(np.array(order))


@dataclass(frozen=True)
class Script(Solver):
    """Emits the bad tour, then does ``act``; ``first`` seconds pass before, and the good tour may follow."""

    info: ClassVar[SolverInfo] = info("script", Capability.INTERRUPT)
    act: str = "finish"
    first: float = 0.0

    def run(self, instance: Instance, session: Session) -> Outcome:
        time.sleep(self.first)
        session.emit(tour(BAD))
        ACTS[self.act](session)
        session.emit(tour(GOOD))
        return Outcome.optimal(40) if self.act == "prove" else Outcome()


def hang(session: Session) -> None:
    """Hold the interpreter lock in native code, deaf to everything."""
    ctypes.PyDLL(None).sleep(60)


def sleep(session: Session) -> None:
    time.sleep(60)


def stop_oneself(session: Session) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def obey(session: Session) -> None:
    while not session.stopping:
        time.sleep(0.005)


def fail_to_stop(session: Session) -> None:
    """Obey, but with an interrupt that fails, as SCIP's does while it sets up its search."""

    def interrupt() -> None:
        raise ValueError("not now")

    with contextlib.suppress(ValueError):  # the request may have come already
        session.on_stop(interrupt)
    obey(session)


def die(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)


def eat(session: Session) -> None:
    hoard = []
    while True:
        hoard.append(np.ones(4 << 20))
        time.sleep(0.01)


def explode(session: Session) -> None:
    raise ZeroDivisionError("a bug in the solver")


def refuse(session: Session) -> None:
    raise SolverError("E301", "the solver gave up")


def lie(session: Session) -> None:
    session.emit(tour([0, 0, 1, 2, 3]))
    session.emit(tour([0, 1, 2, 3, 99]))
    session.bound(41)


def shout(session: Session) -> None:
    print("noise on stdout")
    print("noise on stderr", file=sys.stderr)
    os.write(1, b"native noise\n")


ACTS = {
    "finish": lambda session: None,
    "prove": lambda session: None,
    "hang": hang,
    "sleep": sleep,
    "sigstop": stop_oneself,
    "obey": obey,
    "fail_to_stop": fail_to_stop,
    "sigkill": lambda session: die(signal.SIGKILL),
    "sigsegv": lambda session: die(signal.SIGSEGV),
    "sigabrt": lambda session: os.abort(),
    "exit": lambda session: os._exit(3),
    "eat": eat,
    "explode": explode,
    "refuse": refuse,
    "lie": lie,
    "shout": shout,
    "locate": lambda session: session.say(os.getcwd()),
}


@dataclass(frozen=True)
class Silent(Solver):
    """Fails before it has found anything."""

    info: ClassVar[SolverInfo] = info("silent")
    act: str = "explode"

    def run(self, instance: Instance, session: Session) -> Outcome:
        ACTS[self.act](session)
        return Outcome()


@dataclass(frozen=True)
class FromStart(Solver):
    """Hands the start back."""

    info: ClassVar[SolverInfo] = info("from_start", Capability.WARM_START)

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert session.start is not None
        session.emit(session.start)
        return Outcome()
