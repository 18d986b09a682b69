"""``combopt label`` for kinds with a second stage: what it is worth, in files that ``combopt train neur2ro`` reads."""

from __future__ import annotations

import argparse
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from combopt.budget import Budget
from combopt.cli.label_pool import workers
from combopt.cli.label_progress import LabelDisplay
from combopt.errors import UsageError

CHUNK = 25
"""Instances in a file."""


def values_command(options: argparse.Namespace) -> int:
    """Make the files that are not yet in the folder; exit code 0 when all are there."""
    folder = Path(options.output)
    if options.size < 3:
        raise UsageError("E201", f"--size {options.size}", expected="3 or more")
    for name in ("solver", "time_limit", "iterations"):
        if getattr(options, name) is not None:
            raise UsageError("E201", f"--{name.replace('_', '-')} with {options.kind}", expected="no such option",
                             remedy="Second stages are solved exactly.")  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("E205", f"cannot make {folder}: {error.strerror}") from None
    count = options.chunk or CHUNK
    chunks = -(-options.count // count)
    tasks = [(options.kind, options.size, count, options.seed, number, str(folder)) for number in range(chunks)]
    missing = [task for task in tasks if not path_of(*task).exists()]
    began = time.monotonic()
    jobs = max(1, min(options.jobs or Budget().cores, len(missing)))
    with LabelDisplay(count * len(missing), quiet=options.quiet) as display, workers(jobs) as submit:
        for future in [submit(make, task) for task in missing]:
            future.result()
            display.add(count)
    seconds, total = time.monotonic() - began, count * chunks
    if options.json:
        data = {"schema": "combopt.label/1", "kind": options.kind, "size": options.size, "chunks": chunks}
        print(json.dumps({**data, "instances": total, "made": count * len(missing), "seconds": seconds}))
        return 0
    print(f"values     {total:,} instances of {options.kind}, up to size {options.size}, in {chunks} files")
    print(f"made       {count * len(missing):,} in {seconds:.0f} s")
    print(f"folder     {folder}")
    return 0


def path_of(kind: str, size: int, count: int, seed: int, number: int, folder: str) -> Path:
    """Where a chunk of so many instances is."""
    return Path(folder) / f"{kind}{size}-{count}-s{seed}-{number}.npz"


def make(task: tuple[str, int, int, int, int, str]) -> None:
    """Make a chunk, whole or not at all."""
    from combopt.learned.checkpoint import write_atomically
    from combopt.solvers.robust.samples import SAMPLERS

    kind, size, count, seed, number, _ = task
    buffer = io.BytesIO()
    arrays: dict[str, Any] = SAMPLERS[kind](np.random.default_rng([seed, number, size]), size, count)
    np.savez_compressed(buffer, **arrays)
    write_atomically(path_of(*task), buffer.getvalue())
