"""Regression of second-stage values: the training of value networks (Neur2RO, appendix on data and training)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from combopt.learned import checkpoint
from combopt.learned.parallel import Ranks
from combopt.learned.run import Run, plan_of
from combopt.learned.schedule import Schedule
from combopt.learned.value.problems import find
from combopt.learned.value.samples import Samples


@dataclass(frozen=True, kw_only=True)
class ValuePlan(Schedule):
    """All that decides what the training of a value network computes.

    Parameters
    ----------
    problem
        Kind of the instances.
    network
        Shape of the network, as :meth:`~.base.ValueProblem.shape` gives it.
    batch
        Instances in a step, each with all its first stages and scenarios; of all devices together.
    """

    problem: str
    network: Any
    batch: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positive("batch")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "network": find(data["problem"]).config(data["network"])})


class ValueTrainer(Run):
    """The training of one value network.

    Parameters
    ----------
    plan
        What to do.
    samples, held_out
        Values to learn from, and others to be judged on; on the device.
    ranks
        The processes that train together.
    """

    plan: ValuePlan

    def __init__(self, plan: ValuePlan, samples: Samples, held_out: Samples, ranks: Ranks | None = None) -> None:
        self.problem, self.train, self.held_out = find(plan.problem), samples, held_out
        super().__init__(plan, samples.value.device, ranks, compiled=False)

    def first_network(self) -> Any:
        return self.problem.network(self.plan.network, self.train)

    def batch(self, step: int) -> Samples:
        dice = np.random.default_rng([self.plan.seed, step, self.ranks.rank])
        rows = dice.integers(len(self.train), size=max(1, self.plan.batch // self.ranks.count))
        return self.train.take(torch.from_numpy(rows).to(self.device))

    def losses(self, part: Samples) -> Tensor:
        """Mean squared error of the values of each instance."""
        with self.precision():
            error = (self.problem.predicted(self.network, part) - part.value) / self.problem.unit(self.network)
        return error.nan_to_num(0.0).square().flatten(1).mean(dim=1)

    def gap(self) -> float:
        """Mean absolute error of held-out values, relative to their mean size; averaged weights."""
        with torch.no_grad():
            error = (self.problem.predicted(self.average, self.held_out) - self.held_out.value).abs()
        return float(error.nanmean() / self.held_out.value.abs().nanmean())

    @classmethod
    def resume(
        cls, path: Path, samples: Samples, held_out: Samples, ranks: Ranks | None = None, **changes: Any
    ) -> ValueTrainer:
        """The run that wrote the checkpoint ``path``, with fields of its plan changed by ``changes``; see
        :meth:`combopt.learned.training.Trainer.resume`."""
        tensors, account = checkpoint.read(path)
        trainer = cls(replace(plan_of(ValuePlan, account, path), **changes), samples, held_out, ranks)
        trainer.restore(tensors, account, path)
        return trainer
