"""``combopt train``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combopt.cli import train_policy, train_value
from combopt.cli.training_progress import TrainingDisplay, tensorboard
from combopt.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import torch

    from combopt.learned.run import Run

METRICS = "metrics.jsonl"
METHODS = {"bq": train_policy, "neur2ro": train_value}
"""By name: a module that begins and resumes runs, and says what the card of the weights tells."""


def train_command(options: argparse.Namespace) -> int:
    """Train a network, or go on with a run that was cut; exit code 0, also if the run is not over yet."""
    for package in ("torch", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "learn")
    import torch

    from combopt.learned.parallel import Ranks
    from combopt.learned.run import device_named

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    device = device_named(options.device)
    ranks = Ranks.join(device)
    try:
        return _train(options, ranks, ranks.device or device)
    finally:
        ranks.leave()


def _train(options: argparse.Namespace, ranks: Any, device: torch.device) -> int:
    from combopt.learned import checkpoint

    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("E205", f"cannot make {folder}: {error.strerror}") from None
    latest = checkpoint.latest(folder)
    if latest is not None and not options.resume:
        raise UsageError(
            "E205", f"{folder} holds a run already", remedy="Go on with it by --resume, or choose another folder."
        )
    method = METHODS[options.method]
    if latest is None:
        run: Run = method.begin(options, device, ranks)
    else:
        run = method.resume(options, latest, device, ranks)
    told = ranks.first
    if told:
        forget_after(folder / METRICS, run.step)
    events = tensorboard(folder / "tensorboard", run.step) if options.tensorboard and told else None
    metrics = folder / METRICS if told else None
    with TrainingDisplay(metrics, quiet=options.quiet or not told, events=events) as display:
        done = run.run(
            folder,
            report=display,
            stop_after=60.0 * options.stop_after if options.stop_after else math.inf,
            save_every=options.save_every,
            judge_every=options.judge_every,
        )
    if told:
        _tell(options, run, folder, done)
    return 0


def forget_after(path: Path, step: int) -> None:
    """Remove rows of steps that a killed run did after its last checkpoint: they are done again."""
    from combopt.learned.checkpoint import write_atomically

    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # the line that the kill cut
    write_atomically(path, "".join(kept).encode())


def _tell(options: argparse.Namespace, run: Run, folder: Path, done: bool) -> None:
    from combopt.learned.run import device_name
    from combopt.learned.weights import store

    method = METHODS[options.method]
    facts = {
        "seed": run.plan.seed,
        "hours": round(run.seconds / 3600, 3),
        "hardware": device_name(run.device),
        "steps": run.step,
        "samples": run.samples,
        "licence": "Apache-2.0",
        **method.facts(options, run),
    }
    card = store.write(folder, run.average, facts)
    gap = run.gaps[-1]["gap"]
    if options.json:
        data = {"schema": "combopt.train/1", "done": done, "step": run.step, "samples": run.samples}
        print(json.dumps({**data, "seconds": run.seconds, "gap": gap, "weights": str(card)}))
        return
    print(f"network    {facts['name']}, {run.size:,} parameters")
    print(f"trained    {run.step} steps, {run.samples:,} examples, {run.seconds:.0f} s")
    print(f"gap        {100 * gap:.2f} % {method.judged(run)}")
    print(f"weights    {card}")
    if not done:
        share = 100 * run.progress
        print(f"the run is {share:.0f} % done; the same command with --resume goes on with it", file=sys.stderr)
