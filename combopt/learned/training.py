"""Imitation of good solutions: the training of policies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from combopt.errors import UsageError
from combopt.learned import checkpoint
from combopt.learned.decoding import Decoder, greedy
from combopt.learned.examples import Batch, Source
from combopt.learned.network import Policy, imitation_loss
from combopt.learned.parallel import Ranks
from combopt.learned.problems import find
from combopt.learned.problems.base import Labels
from combopt.learned.run import Run, plan_of
from combopt.learned.schedule import Plan


class Trainer(Run):
    """The training of one policy.

    Parameters
    ----------
    plan
        What to do.
    labels, held_out
        Solved instances to learn from, and others to be judged on; on the device.
    ranks, compiled
        See :class:`~combopt.learned.run.Run`.
    first
        Another policy, maybe of another kind: its weights are where the run begins, as far as they fit (the layers
        are the same for all kinds, the adapters are not).
    """

    plan: Plan
    network: Policy
    average: Policy

    def __init__(
        self,
        plan: Plan,
        labels: Labels[Any],
        held_out: Labels[Any],
        ranks: Ranks | None = None,
        *,
        compiled: bool = True,
        first: Policy | None = None,
    ) -> None:
        self.problem, self.held_out, self.first = find(plan.problem), held_out, first
        ranks = ranks or Ranks()
        share = max(1, plan.tokens // ranks.count)
        self.source = Source(self.problem, labels, plan.seed, share, plan.buckets, ranks.rank, plan.view)
        super().__init__(plan, labels.codes.device, ranks, compiled=compiled)

    def first_network(self) -> Policy:
        policy = Policy(self.plan.network, self.problem)
        if self.first is not None:
            take_over(policy, self.first)
        return policy

    def batch(self, step: int) -> Batch:
        return self.source.batch(step)

    def losses(self, part: Batch) -> Tensor:
        with torch.no_grad():
            tokens, feasible = self.problem.tokens(part.state), self.problem.feasible(part.state)
        with self.precision():
            logits = self.network(tokens)
        return imitation_loss(logits, feasible, part.target)

    def gap(self) -> float:
        """Relative excess of the mean cost of greedy solutions over that of the labels held out; averaged weights."""
        labels = self.held_out
        with self.precision():
            found = greedy(Decoder(self.average, self.problem, self.plan.view), labels.instances)
        assert found is not None
        best = self.problem.cost(labels.instances, labels.codes.to(torch.int64))
        return float((found.cost.to(torch.float64).mean() - best.mean()) / best.mean().abs())

    @classmethod
    def resume(
        cls, path: Path, labels: Labels[Any], held_out: Labels[Any], ranks: Ranks | None = None, *,
        compiled: bool = True, **changes: Any,
    ) -> Trainer:  # fmt: skip
        """The run that wrote the checkpoint ``path`` (its JSON file), with fields of its plan changed by ``changes``.

        Raises
        ------
        InputError
            If the checkpoint is damaged or of another make.
        """
        tensors, account = checkpoint.read(path)
        plan = plan_of(Plan, account, path)
        plan = replace(plan, **changes) if changes else plan
        trainer = cls(plan, labels, held_out, ranks, compiled=compiled)
        trainer.restore(tensors, account, path)
        return trainer


def take_over(policy: Policy, other: Policy) -> None:
    """Copy the weights of ``other`` that have the same name and shape in ``policy``.

    Raises
    ------
    UsageError
        E201 if the two networks differ in width or depth.
    """
    if policy.config != other.config:
        raise UsageError("E201", f"weights to begin with of {other.config}", expected=f"{policy.config}")
    mine, theirs = policy.state_dict(), other.state_dict()
    fitting = {name: tensor for name, tensor in theirs.items() if name in mine and mine[name].shape == tensor.shape}
    policy.load_state_dict(mine | fitting)
