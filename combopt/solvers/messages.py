"""What parent and child say to each other; events and the outcome are in :mod:`combopt.solvers.base`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from combopt.budget import Budget
from combopt.errors import CombOptError
from combopt.model import Instance, Solution
from combopt.solvers.base import Event, Solver


def here() -> str:
    """The working folder; empty if it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""


@dataclass(frozen=True)
class Task:
    """What a child is asked to do.

    ``deadline`` is in :func:`time.monotonic`; ``advised`` says that :class:`Advice` may come.  ``folder`` is where the
    parent is: a child that has served before was started elsewhere, perhaps, and options may name files.
    """

    number: int
    solver: Solver
    instance: Instance
    budget: Budget
    deadline: float
    start: Solution | None
    advised: bool = False
    folder: str = field(default_factory=here)


@dataclass(frozen=True)
class Up:
    """The child's first word: from now on it ends with its parent, whatever is done to it."""


@dataclass(frozen=True)
class Stop:
    """Stop the task with this number; a stop that comes after its end means nothing."""

    number: int


@dataclass(frozen=True)
class Advice:
    """What others know of the instance of the task with this number."""

    number: int
    event: Event


@dataclass(frozen=True)
class Failure:
    """An exception that ended a run in the child: combopt's own, or the traceback of any other."""

    error: CombOptError | None
    text: str
