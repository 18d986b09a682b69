"""What all measurements share: the machine, the benchmark files, tables."""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the folder of benchmark files."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--instances",
        type=Path,
        default=os.environ.get("COMBOPT_INSTANCES"),
        required="COMBOPT_INSTANCES" not in os.environ,
        help="folder of benchmark files; default: COMBOPT_INSTANCES",
    )
    return parser


def manifest(folder: Path, part: str) -> list[dict[str, str]]:
    """The rows of ``folder/part/MANIFEST.csv``."""
    with (folder / part / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def machine() -> str:
    """One line about where the figures come from."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table as its rows come."""
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(_cell(value) for value in row) + " |", flush=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def gap_percent(objective: float, best: float) -> float:
    """Relative distance to the best known value, in per cent."""
    return 100.0 * abs(objective - best) / abs(best)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
