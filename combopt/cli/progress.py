"""Progress on stderr: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from combopt.model import show
from combopt.result import percent
from combopt.solvers.gate import Progress

HEADER = f"{'time':>9}  {'incumbent':>16}  {'bound':>16}  {'gap':>9}"


def line(seconds: float, progress: Progress | None) -> str:
    """One line of the table of improvements."""
    objective = "-" if progress is None or progress.objective is None else show(progress.objective)
    bound = "-" if progress is None or progress.bound is None else show(progress.bound)
    gap = "-" if progress is None or progress.gap is None else percent(progress.gap, 3)
    return f"{seconds:8.1f}s  {objective:>16}  {bound:>16}  {gap:>9}"


class Shares:
    """Which neighbourhoods a search spends its time on, and how often each has found a new incumbent."""

    MOST = 6
    """Neighbourhoods that are named; the rest are summed up."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._found: Counter[str] = Counter()

    def add(self, step: Mapping[str, Any]) -> None:
        """Count a step; one that says nothing of an operator counts for nothing."""
        if "operator" in step:
            self._spent[step["operator"]] += step.get("cost", 0.0)
            self._found[step["operator"]] += step.get("outcome") == "best"

    def __str__(self) -> str:
        total = sum(self._spent.values())
        if not total:
            return ""
        named = [name for name, _ in self._spent.most_common(self.MOST)]
        parts = [f"{name} {100 * self._spent[name] / total:.0f} % ({self._found[name]})" for name in named]
        rest = set(self._spent) - set(named)
        if rest:
            share = 100 * sum(self._spent[name] for name in rest) / total
            parts.append(f"others {share:.0f} % ({sum(self._found[name] for name in rest)})")
        return "share of time (new incumbents): " + ", ".join(parts)


class Display:
    """Shows improvements while a solver runs.

    On a terminal the last line ticks with the clock, and a second one tells what a neighbourhood search spends its
    time on, which elsewhere is told once at the end; elsewhere a line is printed at most every ``interval``
    seconds, so that a log stays short.  ``quiet`` shows nothing, ``verbose`` every improvement.
    """

    def __init__(self, *, quiet: bool, verbose: bool, started: float, interval: float = 2.0) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._quiet, self._verbose, self._started = quiet, verbose, started
        self._interval = 0.0 if verbose else (0.5 if self._console.is_terminal else interval)
        self._last: Progress | None = None
        self._printed: Progress | None = None
        self._next = 0.0
        self._live: Live | None = None
        self._shares = Shares()

    def __enter__(self) -> Display:
        if not self._quiet:
            self._console.print(HEADER, style="bold")
            if self._console.is_terminal:
                self._live = Live(self, console=self._console, transient=True, refresh_per_second=4)
                self._live.start()
        return self

    def __rich__(self) -> Text:
        text = Text(line(time.monotonic() - self._started, self._last), style="cyan")
        shares = str(self._shares)
        return text.append(f"\n{shares}", style="dim") if shares else text

    def __call__(self, progress: Progress) -> None:
        if progress.message is not None:
            if self._verbose:
                self._console.print(progress.message, markup=False)
            return
        if progress.step is not None:
            self._shares.add(progress.step)
            return
        self._last = progress
        if not self._quiet and progress.seconds >= self._next:
            self._print(progress)

    def _print(self, progress: Progress) -> None:
        self._next = progress.seconds + self._interval
        self._printed = progress
        self._console.print(line(progress.seconds, progress), markup=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if not self._quiet and self._last is not None and self._last is not self._printed:
            self._print(self._last)
        shares = str(self._shares)
        if not self._quiet and shares:
            self._console.print(shares, markup=False, style="dim")
