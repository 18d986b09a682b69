"""How long a training run is to be, and how large its steps are along the way."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from combopt.errors import UsageError
from combopt.learned.network import NetworkConfig


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Length of a training run, and its steps.

    Parameters
    ----------
    steps, seconds
        Length of the whole run, however many pieces it is cut into: optimiser steps, or seconds of training.  One of
        them is given.  With ``steps`` a run is repeatable to the last bit on a CPU with one thread.
    seed
        Seed of the first weights and of everything drawn.
    rate
        Largest step size.
    warm_up
        Steps in which it is reached.
    decay
        Share of the run at its end in which the step size falls to 0.
    weight_decay, clip, average
        Of AdamW, on matrices; largest norm of a gradient; decay of the running mean of the weights, which is what is
        validated and kept.
    precision
        ``float32``, or ``bfloat16`` for products of matrices.
    """

    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    rate: float = 1e-3
    warm_up: int = 200
    decay: float = 0.2
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    precision: str = "float32"

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.seconds is None):
            raise UsageError("E201", "a run without a length", expected="a number of steps, or minutes")
        self._positive("warm_up", "steps", "seconds", "rate", "clip")
        if self.precision not in ("float32", "bfloat16"):
            raise UsageError("E201", f"precision {self.precision!r}", expected="float32 or bfloat16")
        if not 0 < self.decay <= 1 or not 0 <= self.average < 1:
            raise UsageError("E201", f"decay {self.decay}, average {self.average}", expected="shares between 0 and 1")

    def _positive(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError("E201", f"{name.replace('_', '-')} = {value!r}", expected="a positive number")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        return cls(**data)

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is over, from 0 to 1, after ``step`` steps and ``seconds`` seconds of training."""
        share = step / self.steps if self.steps is not None else seconds / (self.seconds or math.inf)
        return min(1.0, share)

    def step_size(self, step: int, progress: float) -> float:
        """Warm up, stay, decay (Hu et al. 2024, "MiniCPM"): ``step`` counts from 0.

        It does not depend on the length of the run before the decay sets in, so that a run can be made longer.
        """
        rising = min(1.0, (step + 1) / self.warm_up)
        falling = min(1.0, (1.0 - progress) / self.decay)
        return self.rate * rising * falling


@dataclass(frozen=True, kw_only=True)
class Plan(Schedule):
    """All that decides what the training of a policy computes; a checkpoint holds it.

    Parameters
    ----------
    problem, size
        Kind of the instances, and their number of nodes.
    network
        Shape of the network.
    tokens
        Tokens in a step, of all devices together; the number of examples follows from the size of the tail.
    buckets
        Tails of a dozen sizes only, so that a compiled network sees few shapes; else of every size.
    view
        Nodes to choose from that the network sees, as in :class:`~combopt.learned.decoding.Decoder`; 0 for all.
    made
        Labels that are made on the spot where none are given.
    began
        Name of the weights that the run began with; empty for random ones.
    """

    problem: str
    size: int
    network: NetworkConfig
    tokens: int = 4096
    buckets: bool = False
    view: int = 0
    made: int = 4096
    began: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._positive("size", "tokens", "made")
        if self.view < 0:
            raise UsageError("E201", f"view = {self.view}", expected="a number of nodes, or 0 for all")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "network": NetworkConfig(**data["network"])})
