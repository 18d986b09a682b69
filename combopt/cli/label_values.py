"""``combopt label`` for kinds with a second stage: what it is worth, in files that ``combopt train neur2ro`` reads,
and which it makes itself where it is given none."""

from __future__ import annotations

import argparse
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from combopt.budget import Budget
from combopt.cli.label_pool import workers
from combopt.cli.label_progress import LabelDisplay
from combopt.cli.value_source import Source, Usual, source
from combopt.errors import UsageError

DRAWS = 60
"""Draws that training makes where it is not told how many."""


@dataclass(frozen=True)
class Task:
    """A file of ``count`` draws from ``source``; ``name``, ``seed`` and ``number`` tell it from others."""

    kind: str
    source: Source
    name: str
    count: int
    seed: int
    number: int
    folder: str

    @property
    def path(self) -> Path:
        return Path(self.folder) / f"{self.name}-{self.count}-s{self.seed}-{self.number}.npz"


@dataclass(frozen=True)
class Labelled:
    """Files of values, all there: ``made`` of the ``total`` draws were missing, and took ``seconds``."""

    files: tuple[Path, ...]
    what: str
    total: int
    made: int
    seconds: float


def values_command(options: argparse.Namespace) -> int:
    """Make the files that are not yet in the folder; exit code 0 when all are there."""
    for name in ("solver", "time_limit", "iterations"):
        if getattr(options, name) is not None:
            raise UsageError("E201", f"--{name.replace('_', '-')} with {options.kind}", expected="no such option",
                             remedy="Second stages are solved exactly.")  # fmt: skip
    found = labelled(options, options.kind, Path(options.output), chunk=options.chunk, jobs=options.jobs)
    if options.json:
        data = {"schema": "combopt.label/1", "kind": options.kind, "size": options.size, "chunks": len(found.files)}
        print(json.dumps({**data, "instances": found.total, "made": found.made, "seconds": found.seconds}))
        return 0
    print(f"values     {found.total:,} {found.what}, in {len(found.files)} files")
    print(f"made       {found.made:,} in {found.seconds:.0f} s")
    print(f"folder     {options.output}")
    return 0


def labelled(
    options: argparse.Namespace, kind: str, folder: Path, *, chunk: int | None = None, jobs: int | None = None
) -> Labelled:
    """The values of the instances that the arguments name; those that the folder lacks are made.

    Raises
    ------
    UsageError
        E201 if the arguments do not say which instances; E205 if the folder cannot be made.
    InputError
        If an instance cannot be read, or the instances are not of one shape where they have to be.
    """
    from combopt.solvers.robust.samples import SAMPLERS

    draw, name, what = source(options, kind)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("E205", f"cannot make {folder}: {error.strerror}") from None
    wanted = options.count or DRAWS
    count = chunk or SAMPLERS[kind].chunk
    tasks = [Task(kind, draw, name, count, options.seed, k, str(folder)) for k in range(-(-wanted // count))]
    missing = [task for task in tasks if not task.path.exists()]
    began = time.monotonic()
    if missing:
        unit = "instances" if isinstance(draw, Usual) else "draws"
        number = max(1, min(jobs or Budget().cores, len(missing)))
        with LabelDisplay(count * len(missing), quiet=options.quiet, unit=unit) as display, workers(number) as submit:
            for future in [submit(make, task) for task in missing]:
                future.result()
                display.add(count)
    seconds = time.monotonic() - began
    return Labelled(tuple(task.path for task in tasks), what, count * len(tasks), count * len(missing), seconds)


def make(task: Task) -> None:
    """Make a file, whole or not at all."""
    from combopt.learned.checkpoint import write_atomically
    from combopt.solvers.robust.samples import SAMPLERS

    buffer = io.BytesIO()
    rng = np.random.default_rng([task.seed, task.number, getattr(task.source, "size", 0)])
    arrays: dict[str, Any] = SAMPLERS[task.kind].values(rng, task.source, task.count)
    np.savez_compressed(buffer, **arrays)
    write_atomically(task.path, buffer.getvalue())
