"""How far a sweep is, on stderr: a bar and the runs in progress on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from combopt.bench import origin
from combopt.bench.execute import Task
from combopt.bench.runner import Progress

SHOWN = 8
"""Runs in progress that are named."""
OFTEN, SELDOM, LONG = 10.0, 60.0, 600.0
"""Seconds between two lines of a log, those after the first ten minutes, and these ten minutes."""


def clock(seconds: float) -> str:
    """``h:mm:ss``."""
    return str(timedelta(seconds=round(seconds)))


def line(progress: Progress) -> str:
    """The state of the sweep in one line."""
    done = progress.held + progress.ran
    share = 100 * done // max(1, progress.total)
    left = "" if progress.left is None else f"  left about {clock(progress.left)}"
    failed = f"  {progress.failed} failed" if progress.failed else ""
    return f"{done}/{progress.total} runs  {share} %{failed}  elapsed {clock(progress.seconds)}{left}"


def name(task: Task) -> str:
    """A run in progress."""
    return f"{task.configuration.label}  {origin.name(task.origin)}  seed {task.seed}"


class SweepDisplay:
    """Takes the reports of a sweep; ``quiet`` shows nothing.  A context manager."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._live: Live | None = None
        self._last: Progress | None = None
        self._next = OFTEN

    def __enter__(self) -> SweepDisplay:
        if not self._quiet and self._console.is_terminal:
            self._live = Live(self, console=self._console, transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __rich__(self) -> Group | Text:
        if self._last is None:
            return Text("starting", style="cyan")
        progress = self._last
        head = Table.grid(padding=(0, 2))
        head.add_row(
            ProgressBar(total=max(1, progress.total), completed=progress.held + progress.ran, width=30),
            Text(line(progress), style="cyan"),
        )
        names = [Text(f"  {name(task)}", overflow="ellipsis", no_wrap=True) for task in progress.running[:SHOWN]]
        more = len(progress.running) - SHOWN
        return Group(head, *names, *([Text(f"  and {more} more")] if more > 0 else []))

    def __call__(self, progress: Progress) -> None:
        self._last = progress
        if not self._quiet and self._live is None and progress.seconds >= self._next:
            self._next = progress.seconds + (OFTEN if progress.seconds < LONG else SELDOM)
            self._print(progress)

    def _print(self, progress: Progress) -> None:
        self._console.print(line(progress), markup=False, soft_wrap=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._quiet and self._last is not None:
            self._print(self._last)
