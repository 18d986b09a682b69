"""A solver that hangs; in a module of its own so that a child process can import it."""

from __future__ import annotations

import ctypes
import signal
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.solutions import Tour
from combopt.model import Instance
from combopt.solvers.base import Outcome, Session, Solver, SolverInfo


@dataclass(frozen=True)
class Hanging(Solver):
    """Hands over a tour and then hangs with the interpreter's lock held, deaf to everything but SIGKILL."""

    info: ClassVar[SolverInfo] = SolverInfo(name="hanging", title="hangs", kinds=("tsp",), capabilities=frozenset())

    def run(self, instance: Instance, session: Session) -> Outcome:
        session.emit(Tour(np.arange(instance.size()["nodes"])))
        libc = ctypes.PyDLL(None)  # keeps the lock, unlike CDLL
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        while True:
            libc.pause()
