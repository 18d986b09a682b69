"""``combopt train neur2ro``: networks for the value of a second stage."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combopt.cli.label_values import labelled
from combopt.cli.options import USUAL_LENGTH, given, run_length
from combopt.errors import UsageError

if TYPE_CHECKING:
    import torch

    from combopt.learned.parallel import Ranks
    from combopt.learned.run import Run
    from combopt.learned.value.base import ValueProblem
    from combopt.learned.value.samples import Samples
    from combopt.learned.value.training import ValueTrainer

VALUES = "values"
"""Where values are made, in the folder of the run."""
UNIT = "instances held out"


def begin(options: argparse.Namespace, device: torch.device, ranks: Ranks) -> ValueTrainer:
    """A fresh run."""
    from combopt.learned.value.problems import find
    from combopt.learned.value.training import ValuePlan, ValueTrainer

    problem = find(options.problem)
    samples, held_out = _samples(options, problem, device, ranks)
    plan = ValuePlan(
        problem=problem.kind,
        network=problem.shape(options.network or problem.shapes[0], samples),
        seed=options.seed,
        rate=options.rate or 2e-3,
        precision=options.precision or "float32",
        **(run_length(options) or USUAL_LENGTH),
    )
    return ValueTrainer(plan, samples, held_out, ranks)


def resume(options: argparse.Namespace, latest: Path, device: torch.device, ranks: Ranks) -> ValueTrainer:
    """The run that wrote the checkpoint ``latest``."""
    from combopt.learned import checkpoint
    from combopt.learned.run import plan_of
    from combopt.learned.value.problems import find
    from combopt.learned.value.training import ValuePlan, ValueTrainer

    held = plan_of(ValuePlan, checkpoint.read_account(latest), latest).problem
    if held != options.problem:
        raise UsageError(
            "E201", f"--problem {options.problem} with --resume", expected=f"{held}, as the run was begun"
        )
    changes = given(options, "rate", "precision") | run_length(options)
    return ValueTrainer.resume(latest, *_samples(options, find(held), device, ranks), ranks, **changes)


def _samples(
    options: argparse.Namespace, problem: ValueProblem, device: torch.device, ranks: Ranks
) -> tuple[Samples, Samples]:
    """Values to learn from and values held out: of the folder named, or made in the folder of the run."""
    from combopt.learned.value.samples import load

    for name in given(options, "begin", "tokens", "view", "judged"):
        raise UsageError("E201", f"--{name} with neur2ro", expected="no such option")
    if options.labels is not None:
        for name in given(options, "instance", "size", "count"):
            raise UsageError("E201", f"--{name} with --labels", expected="one of the two")
        return load(problem, options.labels, device)
    if options.instance is None and options.size is None:
        raise UsageError(
            "E201", "a run without values to learn from", expected="--labels DIR, or --instance FILE to make them",
            remedy=f"combopt label {options.problem} makes them as well.",
        )  # fmt: skip
    if ranks.count > 1:
        raise UsageError("E201", "several processes without values to learn from", expected="--labels DIR",
                         remedy=f"combopt label {options.problem} makes them.")  # fmt: skip
    return load(problem, labelled(options, problem.kind, Path(options.output) / VALUES).files, device)


def facts(options: argparse.Namespace, run: Run) -> dict[str, Any]:
    """What the card of the weights says."""
    from combopt.learned.value.training import ValueTrainer

    assert isinstance(run, ValueTrainer)
    name = next((n for n in run.problem.shapes if run.problem.shape(n, run.train) == run.plan.network), "own")
    held = f"mean error of the values of {len(run.held_out)} {UNIT}"
    return {
        "name": f"neur2ro-{run.plan.problem}-{name}",
        "data": f"{run.train.tokens * len(run.train):,} second stages of {run.problem.described(run.train)}",
        "gaps": {held: run.gaps[-1]["gap"]},
    }


def judged(run: Run) -> str:
    """What the gap of the run is, for people."""
    from combopt.learned.value.training import ValueTrainer

    assert isinstance(run, ValueTrainer)
    return f"mean error of the values of {len(run.held_out)} {UNIT}"
