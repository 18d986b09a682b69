"""``combopt train neur2ro``: networks for the value of a second stage."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combopt.cli.options import USUAL_LENGTH, given, run_length
from combopt.errors import UsageError

if TYPE_CHECKING:
    import torch

    from combopt.learned.parallel import Ranks
    from combopt.learned.run import Run
    from combopt.learned.value.samples import Samples
    from combopt.learned.value.training import ValueTrainer


def begin(options: argparse.Namespace, device: torch.device, ranks: Ranks) -> ValueTrainer:
    """A fresh run."""
    from combopt.learned.value.network import shape
    from combopt.learned.value.problems import find
    from combopt.learned.value.training import ValuePlan, ValueTrainer

    problem = find(options.problem)
    plan = ValuePlan(
        problem=problem.kind,
        network=shape(options.network or "joint", problem.scenario_width, problem.columns_width),
        seed=options.seed,
        rate=options.rate or 2e-3,
        precision=options.precision or "float32",
        **(run_length(options) or USUAL_LENGTH),
    )
    return ValueTrainer(plan, *_samples(options, device), ranks)


def resume(options: argparse.Namespace, latest: Path, device: torch.device, ranks: Ranks) -> ValueTrainer:
    """The run that wrote the checkpoint ``latest``."""
    from combopt.learned.value.training import ValueTrainer

    changes = given(options, "rate", "precision") | run_length(options)
    return ValueTrainer.resume(latest, *_samples(options, device), ranks, **changes)


def _samples(options: argparse.Namespace, device: torch.device) -> tuple[Samples, Samples]:
    from combopt.learned.value.problems import find
    from combopt.learned.value.samples import load

    for name in given(options, "size", "begin", "tokens", "view", "judged"):
        raise UsageError("E201", f"--{name} with neur2ro", expected="no such option")
    if options.labels is None:
        raise UsageError(
            "E201", "a run without values to learn from", expected="--labels DIR",
            remedy=f"combopt label {options.problem} makes them.",
        )  # fmt: skip
    return load(find(options.problem), options.labels, device)


def facts(options: argparse.Namespace, run: Run) -> dict[str, Any]:
    """What the card of the weights says."""
    from combopt.learned.value.training import ValueTrainer

    assert isinstance(run, ValueTrainer)
    sizes = run.train.data["real"].sum(dim=1)
    instances = (
        f"{len(run.train):,} instances of {run.plan.problem} with {int(sizes.min())} to {int(sizes.max())} items"
    )
    name = "joint" if run.plan.network.joint else "published"
    return {
        "name": f"neur2ro-{run.plan.problem}-{name}",
        "data": f"{run.train.tokens * len(run.train):,} second stages of {instances}",
        "gaps": {f"mean error of the values of {len(run.held_out)} instances held out": run.gaps[-1]["gap"]},
    }


def judged(run: Run) -> str:
    """What the gap of the run is, for people."""
    from combopt.learned.value.training import ValueTrainer

    assert isinstance(run, ValueTrainer)
    return f"mean error of the values of {len(run.held_out)} instances held out"
