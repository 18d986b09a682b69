"""How far the making of labels is: a line on stderr."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from combopt.cli.sweep_progress import clock

OFTEN = 10.0
"""Seconds between two lines of a log."""


class LabelDisplay:
    """How many of ``total`` instances, or other ``unit``, are solved, on stderr; ``quiet`` shows nothing.  A context
    manager."""

    def __init__(self, total: int, *, quiet: bool, unit: str = "instances") -> None:
        self._console = Console(stderr=True, highlight=False)
        self._total, self._quiet, self._unit = total, quiet, unit
        self._live: Live | None = None
        self._done = 0
        self._began = time.monotonic()
        self._next = self._began + OFTEN

    def line(self) -> str:
        """The state in one line."""
        seconds = time.monotonic() - self._began
        speed = self._done / max(1e-9, seconds)
        left = f"  left about {clock((self._total - self._done) / speed)}" if self._done else ""
        share = 100 * self._done // max(1, self._total)
        return (
            f"{self._done:,}/{self._total:,} {self._unit}  {share} %  {speed:,.1f}/s  elapsed {clock(seconds)}{left}"
        )

    def add(self, count: int) -> None:
        """So many more are solved; may be called from any thread."""
        self._done += count
        now = time.monotonic()
        if not self._quiet and self._live is None and now >= self._next:
            self._next = now + OFTEN
            self._console.print(self.line(), markup=False, soft_wrap=True)

    def __enter__(self) -> LabelDisplay:
        if not self._quiet and self._total and self._console.is_terminal:
            self._live = Live(self, console=self._console, transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __rich__(self) -> Table:
        row = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=max(1, self._total), completed=self._done, width=30)
        row.add_row(bar, Text(self.line(), style="cyan"))
        return row

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._quiet and self._total:
            self._console.print(self.line(), markup=False, soft_wrap=True)
