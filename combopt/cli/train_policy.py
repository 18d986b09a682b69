"""``combopt train bq``: policies."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combopt.cli.options import USUAL_LENGTH, given, run_length
from combopt.errors import UsageError

if TYPE_CHECKING:
    import torch

    from combopt.learned.parallel import Ranks
    from combopt.learned.problems.base import Labels
    from combopt.learned.run import Run
    from combopt.learned.schedule import Plan
    from combopt.learned.training import Trainer

HELD_OUT_SEED = 1_000_003
"""Added to the seed for labels that are made to judge on."""


def begin(options: argparse.Namespace, device: torch.device, ranks: Ranks) -> Trainer:
    """A fresh run."""
    from combopt.learned.training import Trainer
    from combopt.learned.weights import store

    plan = new_plan(options, device)
    labels, held_out = examples(options, plan, device)
    first = store.load(store.choose("", plan.began)) if plan.began else None
    return Trainer(plan, labels, held_out, ranks, compiled=not options.eager, first=first)


def resume(options: argparse.Namespace, latest: Path, device: torch.device, ranks: Ranks) -> Trainer:
    """The run that wrote the checkpoint ``latest``."""
    from combopt.learned import checkpoint
    from combopt.learned.run import plan_of
    from combopt.learned.schedule import Plan
    from combopt.learned.training import Trainer

    plan = plan_of(Plan, checkpoint.read_account(latest), latest)
    changes = changed(options, plan)
    labels, held_out = examples(options, plan, device)
    return Trainer.resume(latest, labels, held_out, ranks, compiled=not options.eager, **changes)


def new_plan(options: argparse.Namespace, device: torch.device) -> Plan:
    """The plan of a fresh run."""
    from combopt.learned.network import preset
    from combopt.learned.schedule import Plan

    if options.size is None:
        raise UsageError("E201", "a run without a size", expected="--size N")
    cuda = device.type == "cuda"
    facts = {
        "seed": options.seed,
        "tokens": options.tokens or (131_072 if cuda else 2048),
        "rate": options.rate or 1e-3,
        "precision": options.precision or ("bfloat16" if cuda else "float32"),
        **(run_length(options) or USUAL_LENGTH),
        "buckets": cuda,
        "view": options.view or 0,
        "began": options.begin or "",
    }
    name = options.network or ("full" if cuda else "tiny")
    return Plan(problem=options.problem, size=options.size, network=preset(name), **facts)


def changed(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Fields of the plan of a resumed run that the command line changes; its problem, size and network are fixed."""
    fixed = {"size": (options.size, plan.size), "problem": (options.problem, plan.problem)}
    for name, (wanted, held) in fixed.items():
        if wanted is not None and wanted != held:
            raise UsageError("E201", f"--{name} {wanted} with --resume", expected=f"{held}, as the run was begun")
    return given(options, "tokens", "rate", "precision", "view") | run_length(options)


def examples(options: argparse.Namespace, plan: Plan, device: torch.device) -> tuple[Labels[Any], Labels[Any]]:
    """Labels to learn from, and others to be judged on."""
    import torch

    from combopt.learned import labels
    from combopt.learned.problems import find

    for name in given(options, "instance", "count"):
        raise UsageError("E201", f"--{name} with bq", expected="no such option", remedy="Give --size N.")
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


def facts(options: argparse.Namespace, run: Run) -> dict[str, Any]:
    """What the card of the weights says."""
    from combopt.learned.network import PRESETS
    from combopt.learned.training import Trainer

    assert isinstance(run, Trainer)
    plan = run.plan
    size = next((name for name, config in PRESETS.items() if config == plan.network), "own")
    count = len(run.source.labels)
    source = f"labels of {count:,} instances" if options.labels else f"{count:,} instances solved by its own search"
    began = f"; begun with the weights {Path(plan.began).stem}" if plan.began else ""
    return {
        "name": f"bq-{plan.problem}-{size}",
        "data": f"{plan.problem} with {plan.size} nodes, uniform; {source}{began}",
        "view": plan.view,
        "gaps": {f"greedy, {len(run.held_out)} uniform instances of {plan.size} nodes": run.gaps[-1]["gap"]},
    }


def judged(run: Run) -> str:
    """What the gap of the run is, for people."""
    from combopt.learned.training import Trainer

    assert isinstance(run, Trainer)
    return f"above the labels, greedy, on {len(run.held_out)} instances held out"
