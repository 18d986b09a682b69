"""Who carries the runs of a sweep out, as the driver sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from combopt.bench.execute import Task
from combopt.bench.runs import InstanceRow, Run


@dataclass(frozen=True, slots=True)
class Finished:
    """A task was carried out."""

    ticket: int
    run: Run
    instance: InstanceRow


@dataclass(frozen=True, slots=True)
class Died:
    """The worker that held a task died, or did not answer in time."""

    ticket: int
    how: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A task ended with an exception: a bug, since what a solver or a file does wrong makes a failed run."""

    ticket: int
    text: str


Outcome = Finished | Died | Broken


class Executor(Protocol):
    """Who carries the tasks out; a ticket is the driver's number for a task."""

    @property
    def room(self) -> int:
        """The number of tasks to hand over before outcomes come back."""

    def submit(self, ticket: int, task: Task) -> None:
        """Take a task over."""

    def next(self, seconds: float) -> Outcome | None:
        """The next outcome; ``None`` if there is none within that time."""

    def running(self) -> tuple[int, ...]:
        """The tickets that are being carried out, as far as that is known."""

    def close(self) -> None:
        """Stop what still runs, and leave nothing behind."""
