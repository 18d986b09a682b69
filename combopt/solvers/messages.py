"""What parent and child say to each other; events and the outcome are in :mod:`combopt.solvers.base`."""

from __future__ import annotations

from dataclasses import dataclass

from combopt.budget import Budget
from combopt.errors import CombOptError
from combopt.model import Instance, Solution
from combopt.solvers.base import Event, Solver


@dataclass(frozen=True)
class Task:
    """What a child is asked to do.

    ``deadline`` is in :func:`time.monotonic`; ``advised`` says that :class:`Advice` may come.
    """

    number: int
    solver: Solver
    instance: Instance
    budget: Budget
    deadline: float
    start: Solution | None
    advised: bool = False


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
