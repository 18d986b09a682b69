"""How far a training run is: a line on stderr, and rows of numbers in a file."""

from __future__ import annotations

import importlib.util
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from combopt.cli.sweep_progress import clock
from combopt.errors import MissingExtraError

if TYPE_CHECKING:
    from combopt.learned.run import Report

OFTEN = 10.0
"""Seconds between two lines of a log."""
CURVES = ("loss", "gap", "rate", "samples_per_second", "tokens_per_second")
"""What TensorBoard is told."""


def line(report: Report) -> str:
    """The state of a run in one line."""
    left = "" if math.isinf(report.left) else f"  left {clock(report.left)}"
    gap = "" if report.gap is None else f"  gap {100 * report.gap:.2f} %"
    loss = "-" if math.isnan(report.loss) else f"{report.loss:.4f}"
    speed = f"{report.samples_per_second:,.0f} examples/s  {report.tokens_per_second:,.0f} tokens/s"
    return f"step {report.step}  {100 * report.progress:.0f} %  loss {loss}  {speed}{left}{gap}"


class TrainingDisplay:
    """Takes the reports of a run; a context manager.

    ``metrics`` is a file that every report is added to as a line of JSON, ``events`` a writer of TensorBoard's;
    ``quiet`` shows nothing.
    """

    def __init__(self, metrics: Path | None, *, quiet: bool, events: Any = None) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._metrics, self._quiet, self._events = metrics, quiet, events
        self._live: Live | None = None
        self._last: Report | None = None
        self._next = 0.0

    def __enter__(self) -> TrainingDisplay:
        if not self._quiet and self._console.is_terminal:
            self._live = Live(self, console=self._console, transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __rich__(self) -> Table | Text:
        if self._last is None:
            return Text("starting", style="cyan")
        row = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=1.0, completed=self._last.progress, width=30)
        row.add_row(bar, Text(line(self._last), style="cyan"))
        return row

    def __call__(self, report: Report) -> None:
        self._last = report
        if self._metrics is not None:
            with self._metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_plain(report), allow_nan=False) + "\n")
        if self._events is not None:
            for name in CURVES:
                if (value := _plain(report)[name]) is not None:
                    self._events.add_scalar(name, value, report.step)
        now = time.monotonic()
        shown = report.gap is not None or (self._live is None and now >= self._next)
        if not self._quiet and shown:
            self._next = now + OFTEN
            self._console.print(line(report), markup=False, soft_wrap=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if self._events is not None:
            self._events.close()


def tensorboard(folder: Path, step: int) -> Any:
    """A writer of TensorBoard's event files; what older files of the folder say of steps after ``step`` is void.

    Raises
    ------
    MissingExtraError
        If TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError("tensorboard", "tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(folder, purge_step=step + 1)


def _plain(report: Report) -> dict[str, float | None]:
    """The report with ``null`` for what is not known."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(report).items()
    }
