"""``combopt train``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combopt.cli.training_progress import TrainingDisplay, tensorboard
from combopt.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import torch

    from combopt.learned.problems.base import Labels
    from combopt.learned.schedule import Plan
    from combopt.learned.training import Trainer

METRICS = "metrics.jsonl"
HELD_OUT_SEED = 1_000_003
"""Added to the seed for labels that are made to judge on."""


def train_command(options: argparse.Namespace) -> int:
    """Train a policy, or go on with a run that was cut; exit code 0, also if the run is not over yet."""
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
    from combopt.learned.training import Trainer, plan_of
    from combopt.learned.weights import store

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
    if latest is None:
        plan, changes = new_plan(options, device), {}
    else:
        plan = plan_of(checkpoint.read_account(latest), latest)
        changes = changed(options, plan)
    labels, held_out = examples(options, plan, device)
    if latest is None:
        first = store.load(store.choose("", plan.began)) if plan.began else None
        trainer = Trainer(plan, labels, held_out, ranks, compiled=not options.eager, first=first)
    else:
        trainer = Trainer.resume(latest, labels, held_out, ranks, compiled=not options.eager, **changes)
    if ranks.first:
        forget_after(folder / METRICS, trainer.step)
    told = ranks.first
    events = tensorboard(folder / "tensorboard", trainer.step) if options.tensorboard and told else None
    with TrainingDisplay(
        folder / METRICS if told else None, quiet=options.quiet or not told, events=events
    ) as display:
        done = trainer.run(
            folder,
            report=display,
            stop_after=60.0 * options.stop_after if options.stop_after else math.inf,
            save_every=options.save_every,
            judge_every=options.judge_every,
        )
    if ranks.first:
        _tell(options, trainer, folder, done)
    return 0


def new_plan(options: argparse.Namespace, device: torch.device) -> Plan:
    """The plan of a fresh run."""
    from combopt.learned.network import preset
    from combopt.learned.schedule import Plan

    if options.size is None:
        raise UsageError("E201", "a run without a size", expected="--size N")
    cuda = device.type == "cuda"
    if options.steps is None and options.minutes is None:
        options.minutes = 2.0
    given = {
        "seed": options.seed,
        "tokens": options.tokens or (131_072 if cuda else 2048),
        "rate": options.rate or 1e-3,
        "precision": options.precision or ("bfloat16" if cuda else "float32"),
        "steps": options.steps,
        "seconds": None if options.steps is not None else 60.0 * options.minutes,
        "buckets": cuda,
        "view": options.view or 0,
        "began": options.begin or "",
    }
    name = options.network or ("full" if cuda else "tiny")
    return Plan(problem=options.problem, size=options.size, network=preset(name), **given)


def changed(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Fields of the plan of a resumed run that the command line changes; its problem, size and network are fixed."""
    fixed = {"size": (options.size, plan.size), "problem": (options.problem, plan.problem)}
    for name, (given, held) in fixed.items():
        if given is not None and given != held:
            raise UsageError("E201", f"--{name} {given} with --resume", expected=f"{held}, as the run was begun")
    changes: dict[str, Any] = {}
    for name in ("tokens", "rate", "precision", "view"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.steps is not None:
        changes |= {"steps": options.steps, "seconds": None}
    elif options.minutes is not None:
        changes |= {"steps": None, "seconds": 60.0 * options.minutes}
    return changes


def examples(options: argparse.Namespace, plan: Plan, device: torch.device) -> tuple[Labels[Any], Labels[Any]]:
    """Labels to learn from, and others to be judged on."""
    import torch

    from combopt.learned import labels
    from combopt.learned.problems import find

    problem = find(plan.problem)
    judged = options.judged or (1000 if device.type == "cuda" else 100)
    if options.labels is None:
        held_out = labels.made(problem, plan.size, judged, plan.seed + HELD_OUT_SEED, device)
        return labels.made(problem, plan.size, plan.made, plan.seed, device), held_out
    files = labels.read_files(options.labels)
    train = labels.load(problem, files, plan.size, device, held_out=False)
    held = labels.load(problem, files, plan.size, device, held_out=True)
    for what, found in (("to train on", train), (f"below {labels.HELD_OUT}, to be judged on", held)):
        if found is None:
            raise UsageError("E201", f"{options.labels} has no chunks of {plan.size} nodes {what}")
    assert train is not None
    assert held is not None
    return train, held.take(torch.arange(min(judged, len(held)), device=device))


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


def _tell(options: argparse.Namespace, trainer: Trainer, folder: Path, done: bool) -> None:
    from combopt.learned.network import PRESETS
    from combopt.learned.run import device_name
    from combopt.learned.weights import store

    plan = trainer.plan
    size = next((name for name, config in PRESETS.items() if config == plan.network), "own")
    count = len(trainer.source.labels)
    source = f"labels of {count:,} instances" if options.labels else f"{count:,} instances solved by its own search"
    began = f"; begun with the weights {Path(plan.began).stem}" if plan.began else ""
    facts = {
        "name": f"bq-{plan.problem}-{size}",
        "data": f"{plan.problem} with {plan.size} nodes, uniform; {source}{began}",
        "view": plan.view,
        "seed": plan.seed,
        "hours": round(trainer.seconds / 3600, 3),
        "hardware": device_name(trainer.device),
        "steps": trainer.step,
        "samples": trainer.samples,
        "gaps": {f"greedy, {len(trainer.held_out)} uniform instances of {plan.size} nodes": trainer.gaps[-1]["gap"]},
        "licence": "Apache-2.0",
    }
    card = store.write(folder, trainer.average, facts)
    gap = trainer.gaps[-1]["gap"]
    if options.json:
        data = {"schema": "combopt.train/1", "done": done, "step": trainer.step, "samples": trainer.samples}
        print(json.dumps({**data, "seconds": trainer.seconds, "gap": gap, "weights": str(card)}))
        return
    print(f"network    {size}, {trainer.network.size:,} parameters")
    print(f"trained    {trainer.step} steps, {trainer.samples:,} examples, {trainer.seconds:.0f} s")
    print(f"gap        {100 * gap:.2f} % above the labels, greedy, on {len(trainer.held_out)} instances held out")
    print(f"weights    {card}")
    if not done:
        share = 100 * trainer.progress
        print(f"the run is {share:.0f} % done; the same command with --resume goes on with it", file=sys.stderr)
