"""Training in runs that can be cut anywhere, whatever is learned.

What a step does is a function of the weights, the plan and the number of the step: the examples are drawn from a
generator that is seeded with them.  So a run that is killed and taken up from a checkpoint goes on as if nothing had
happened; on a CPU with one thread, to the last bit.
"""

from __future__ import annotations

import math
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from combopt.errors import InputError, Place, SolverError, UsageError
from combopt.learned import checkpoint
from combopt.learned.parallel import Ranks
from combopt.learned.schedule import Schedule

P = TypeVar("P", bound=Schedule)

LOOK = 20
"""Steps between two looks at the loss on a device, which has to wait for it."""


@dataclass(frozen=True)
class Report:
    """How a run is going.

    ``progress`` is a share of the whole run, ``seconds`` its seconds of training so far; ``loss`` the mean since the
    report before; ``gap`` that of :meth:`Run.gap` when it was just measured, else ``None``.
    """

    step: int
    samples: int
    progress: float
    seconds: float
    loss: float
    rate: float
    samples_per_second: float
    tokens_per_second: float
    gap: float | None = None

    @property
    def left(self) -> float:
        """Seconds that the rest of the run will take, from how it went so far."""
        return math.inf if self.progress == 0 else self.seconds / self.progress * (1 - self.progress)


class Examples(Protocol):
    """The examples of a step: ``len`` of them, of so many tokens each."""

    def __len__(self) -> int: ...

    @property
    def tokens(self) -> int: ...

    def split(self, parts: int) -> Sequence[Any]:
        """The same examples in so many parts of nearly equal length."""


class Run(ABC):
    """One run of training: its weights, optimiser and counters.

    A subclass says what the network is, where examples come from, what the loss is and how the network is judged; it
    calls this constructor last.

    Parameters
    ----------
    plan
        Length and steps; subclasses have more in it.
    device
        Where the network is.
    ranks
        The processes that train together.
    compiled
        Compile the layers on a GPU: slower for the first minutes, then faster.
    """

    def __init__(self, plan: Schedule, device: torch.device, ranks: Ranks | None, *, compiled: bool) -> None:
        self.plan, self.device, self.ranks = plan, device, ranks or Ranks()
        torch.manual_seed(plan.seed)
        self.network = self.first_network().to(device)
        self.average = self.first_network().to(device)
        self.average.load_state_dict(self.network.state_dict())
        cuda = device.type == "cuda"
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98), fused=cuda)
        if cuda and compiled:
            # One compiled layer serves all layers; every size of examples is a shape of its own.
            torch._dynamo.config.recompile_limit = 64
            for layer in getattr(self.network, "layers", ()):
                layer.compile(dynamic=False)
        self.step = self.samples = self.read = 0
        self.seconds = 0.0
        self.parts = 1
        self.gaps: list[dict[str, float]] = []

    @abstractmethod
    def first_network(self) -> nn.Module:
        """A network as a run begins with it."""

    @abstractmethod
    def batch(self, step: int) -> Examples:
        """The examples of a step: a function of the plan, the number of the step and the rank."""

    @abstractmethod
    def losses(self, part: Any) -> Tensor:
        """The loss of each example, ``float32[B]``."""

    @abstractmethod
    def gap(self) -> float:
        """How far the averaged weights are from what is to be learned, on examples held out; 0 is perfect."""

    @property
    def size(self) -> int:
        """Number of parameters of the network."""
        return sum(p.numel() for p in self.network.parameters())

    # --- steps -----------------------------------------------------------------------------------------------------

    @property
    def progress(self) -> float:
        return self.plan.progress(self.step, self.seconds)

    def advance(self) -> Tensor:
        """One step of the optimiser; the mean loss of its examples, on the device.

        Where the device has not enough memory, the batch is worked on in twice as many parts, from then on.
        """
        batch = self.batch(self.step)
        while True:
            try:
                loss = self._gradients(batch)
                break
            except torch.OutOfMemoryError:
                if self.parts >= len(batch):
                    raise
                self.parts *= 2
            self.optimiser.zero_grad(set_to_none=True)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
        self.ranks.average([p.grad for p in self.network.parameters() if p.grad is not None])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        rate = self.plan.step_size(self.step, self.progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self._follow()
        self.step += 1
        self.samples += len(batch) * self.ranks.count
        self.read += len(batch) * self.ranks.count * batch.tokens
        return loss

    def _gradients(self, batch: Examples) -> Tensor:
        """Add up the gradients of the mean loss over the batch, part by part."""
        total = torch.zeros((), device=self.device)
        for part in batch.split(self.parts) if self.parts > 1 else [batch]:
            loss = self.losses(part).sum() / len(batch)
            loss.backward()
            total += loss.detach()
        return total

    def precision(self) -> Any:
        """The context in which products of matrices are as precise as the plan says."""
        low = self.plan.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low)

    def _follow(self) -> None:
        """Move the running mean; in the first steps it follows more quickly."""
        share = 1.0 - min(self.plan.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            mine, theirs = list(self.average.parameters()), list(self.network.parameters())
            torch._foreach_lerp_(mine, theirs, share)

    # --- the whole run ---------------------------------------------------------------------------------------------

    def run(
        self, folder: Path, *, report: Callable[[Report], None] = lambda report: None, stop_after: float = math.inf,
        save_every: float = 120.0, judge_every: float = 300.0, steps: int | None = None,
    ) -> bool:  # fmt: skip
        """Train until the plan is done; whether it is.

        Parameters
        ----------
        folder
            Where checkpoints go.
        report
            Called every few seconds, by the first rank.
        stop_after
            Seconds after which this piece of the run ends, with a checkpoint.
        save_every, judge_every
            Seconds between checkpoints and between validations; both take place at the end as well.
        steps
            Number of the step after which this piece of the run ends, with a checkpoint.

        Raises
        ------
        SolverError
            E301 if the loss is no longer a number; the last checkpoint is left as it is.
        """
        folder.mkdir(parents=True, exist_ok=True)
        began = last = time.monotonic()
        saved = judged = told = began
        losses, since = torch.zeros((), device=self.device), [self.step, self.samples, self.read, self.seconds]
        while True:
            over = self.progress >= 1 or (steps is not None and self.step >= steps)
            now = time.monotonic()
            ending = self.ranks.agree(over or now - began >= stop_after)
            look = ending or self.device.type == "cpu" or self.step % LOOK == 0
            if look:
                self._check(losses)
                now = time.monotonic()
            judge = ending or self.ranks.agree(look and now - judged >= judge_every)
            if judge or (look and now - told >= 5.0 and self.step > since[0]):
                gap = None
                if judge and self.ranks.first:
                    gap = self.gap()
                    self.gaps.append({"step": self.step, "seconds": round(self.seconds, 1), "gap": gap})
                    judged = time.monotonic()
                judged = judged if self.ranks.first else time.monotonic()
                if self.ranks.first:
                    report(self._report(losses, since, gap))
                losses, since = torch.zeros_like(losses), [self.step, self.samples, self.read, self.seconds]
                told = last = time.monotonic()
            if self.ranks.first and (ending or judge or (look and now - saved >= save_every)):
                self.save(folder)
                saved = last = time.monotonic()
            if ending:
                return self.progress >= 1
            losses += self.advance()
            moment = time.monotonic()
            self.seconds = self.ranks.first_says(self.seconds + moment - last)
            last = moment

    def _check(self, losses: Tensor) -> None:
        if not math.isfinite(float(losses)):
            raise self._lost(f"the loss is {float(losses)}")

    def _lost(self, found: str) -> SolverError:
        return SolverError(
            "E301",
            f"{found} after step {self.step}",
            expected="finite numbers",
            remedy="The last checkpoint is good: --resume it with a smaller --rate, or with --precision float32.",
        )

    def _report(self, losses: Tensor, since: list[Any], gap: float | None) -> Report:
        steps, samples, read = self.step - since[0], self.samples - since[1], self.read - since[2]
        seconds = max(1e-9, self.seconds - since[3])
        return Report(
            step=self.step,
            samples=self.samples,
            progress=self.progress,
            seconds=self.seconds,
            loss=float(losses) / steps if steps else math.nan,
            rate=self.plan.step_size(max(0, self.step - 1), self.progress),
            samples_per_second=samples / seconds,
            tokens_per_second=read / seconds,
            gap=gap,
        )

    # --- checkpoints -------------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write a checkpoint, and remove all but the last two; SolverError E301 if a weight is no number."""
        if not all(bool(weight.isfinite().all()) for weight in self.network.parameters()):
            raise self._lost("a weight is not a number")
        tensors = {f"policy.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": value for name, value in state.items()}
        account = {
            "schema": "combopt.checkpoint/1",
            "plan": self.plan.to_dict(),
            "step": self.step,
            "samples": self.samples,
            "tokens_read": self.read,
            "seconds": self.seconds,
            "parts": self.parts,
            "ranks": self.ranks.count,
            "gaps": self.gaps,
            "versions": {"python": platform.python_version(), "torch": str(torch.__version__)},
            "device": device_name(self.device),
        }
        checkpoint.write(folder / checkpoint.base_name(self.step), tensors, account)
        checkpoint.forget_old(folder)

    def restore(self, tensors: dict[str, Tensor], account: dict[str, Any], path: Path) -> None:
        """Go on from a checkpoint that was read from ``path``; InputError E120 if it does not fit."""
        try:
            self._restore(tensors, account)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise InputError("E120", f"the checkpoint does not fit: {error}", place=Place(str(path))) from None

    def _restore(self, tensors: dict[str, Tensor], account: dict[str, Any]) -> None:
        for name, module in (("policy.", self.network), ("average.", self.average)):
            module.load_state_dict({k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)})
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, number, name = key.split(".", 2)
                state.setdefault(int(number), {})[name] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        self.step, self.samples, self.read = int(account["step"]), int(account["samples"]), int(account["tokens_read"])
        self.seconds, self.parts, self.gaps = float(account["seconds"]), int(account["parts"]), list(account["gaps"])


def plan_of(kind: type[P], account: dict[str, Any], path: Path) -> P:
    """The plan in the account of a checkpoint that was read from ``path``; InputError E118 if there is none."""
    try:
        return kind.from_dict(account["plan"])
    except (KeyError, TypeError) as error:
        raise InputError("E118", f"no plan of a training run: {error}", place=Place(str(path))) from None


def device_named(name: str) -> torch.device:
    """The device ``cpu``, ``cuda`` or ``auto``, the latter a GPU if there is one.

    Raises
    ------
    UsageError
        E201 for another name, or ``cuda`` where there is none.
    """
    if name not in ("cpu", "cuda", "auto"):
        raise UsageError("E201", f"device {name!r}", expected="cpu, cuda or auto")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise UsageError("E201", "device 'cuda', and this torch sees no GPU", expected="cpu")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def device_name(device: torch.device) -> str:
    """The device for people."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"CPU, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"
