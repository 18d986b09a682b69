"""What is stored and compared: how many times as long combopt takes as its baseline, measured in the same run."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.common import machine

SCHEMA = "combopt.ratios/1"
FILE = Path(__file__).parent / "ratios.json"
PAGE = Path(__file__).parents[2] / "docs" / "speed.md"
TOLERANCE = 1.5
"""How many times its stored value a ratio may be, either way, before that is told."""
REPEATS = 3
"""Every ratio is measured so often, a run of all the others apart, and the median counts: a regression is what two of
three repeats show."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One repeat: seconds of combopt and of the baseline called ``against``, the shortest of their rounds."""

    against: str
    combopt: float
    baseline: float

    @property
    def ratio(self) -> float:
        return self.combopt / self.baseline


class Verdict(StrEnum):
    """What became of a ratio."""

    SAME = "same"
    SLOWER = "SLOWER"
    FASTER = "faster"
    NEW = "new"


def typical(timings: Iterable[Timing]) -> Timing:
    """The repeat with the median ratio; of an even number the slower of the two in the middle."""
    ordered = sorted(timings, key=lambda timing: timing.ratio)
    return ordered[len(ordered) // 2]


def judge(ratio: float, stored: float | None, tolerance: float) -> Verdict:
    """Compare a ratio to the one that is stored, if any."""
    if stored is None:
        return Verdict.NEW
    if ratio > stored * tolerance:
        return Verdict.SLOWER
    return Verdict.FASTER if ratio * tolerance < stored else Verdict.SAME


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored timings by name, how much slower a ratio may be, and where and when they were last updated."""

    timings: Mapping[str, Timing]
    tolerance: float = TOLERANCE
    machine: str = ""
    date: str = ""

    @classmethod
    def load(cls, path: Path) -> Stored:
        """The content of a file; nothing if there is no file."""
        if not path.exists():
            return cls({})
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("schema") != SCHEMA:
            raise ValueError(f"{path} is no file of ratios: schema {data.get('schema')!r}, expected {SCHEMA!r}")
        timings = {}
        for name, entry in data["ratios"].items():
            timings[name] = Timing(entry["against"], entry["combopt"], entry["baseline"])
        return cls(timings, data["tolerance"], data["machine"], data["date"])

    def save(self, path: Path) -> None:
        """Write the file; the ratios in it are for people, seconds are what is read."""
        entries = {
            name: {**asdict(timing), "ratio": float(f"{timing.ratio:.4g}")}
            for name, timing in sorted(self.timings.items())
        }
        head = {"schema": SCHEMA, "machine": self.machine, "date": self.date, "tolerance": self.tolerance}
        path.write_text(json.dumps({**head, "ratios": entries}, indent=2) + "\n", encoding="utf-8")

    def updated(self, timings: Mapping[str, Timing]) -> Stored:
        """With new timings in place of the old ones; those that were not measured now are kept."""
        return Stored({**self.timings, **timings}, self.tolerance, machine(), datetime.date.today().isoformat())

    def markdown(self) -> str:
        """The section of the documentation that shows the ratios."""
        lines = [f"Stored on {self.date} ({self.machine}), times in milliseconds.", ""]
        lines += ["| name | against | combopt | baseline | ratio |", "| --- | --- | --- | --- | --- |"]
        for name, timing in sorted(self.timings.items()):
            numbers = (1000 * timing.combopt, 1000 * timing.baseline, timing.ratio)
            cells = (f"`{name}`", timing.against, *(f"{number:.3g}" for number in numbers))
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def compare(self, timings: Mapping[str, Timing]) -> list[Row]:
        """A row for every timing."""
        rows = []
        for name, timing in timings.items():
            old = self.timings.get(name)
            # What was measured against something else cannot be compared.
            stored = old.ratio if old is not None and old.against == timing.against else None
            rows.append(Row(name, timing, stored, judge(timing.ratio, stored, self.tolerance)))
        return rows


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    timing: Timing
    stored: float | None
    verdict: Verdict

    HEADER = ("name", "against", "combopt ms", "baseline ms", "ratio", "stored", "verdict")

    def cells(self) -> tuple[Any, ...]:
        timing, stored = self.timing, "-" if self.stored is None else self.stored
        return (
            self.name, timing.against, 1000 * timing.combopt, 1000 * timing.baseline, timing.ratio, stored,
            self.verdict.value,
        )  # fmt: skip


def slower(rows: Iterable[Row]) -> list[str]:
    """The names of the regressions."""
    return [row.name for row in rows if row.verdict is Verdict.SLOWER]


def document(page: Path, stored: Stored) -> None:
    """Write the ratios into the documentation, in place of what follows its heading ``## Ratios``."""
    text, heading, _ = page.read_text(encoding="utf-8").partition("\n## Ratios\n")
    if not heading:
        raise ValueError(f"{page} has no heading ## Ratios")
    page.write_text(f"{text}{heading}\n{stored.markdown()}", encoding="utf-8")
