"""Several processes that train together, each on a device of its own, started by ``torchrun``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """One process among ``count`` of them; the default is one alone.

    All hold the same weights, draw other examples, and take the mean of their gradients.
    """

    rank: int = 0
    count: int = 1
    device: torch.device | None = None

    @classmethod
    def join(cls, device: torch.device) -> Ranks:
        """Join the others that ``torchrun`` started (it sets RANK, WORLD_SIZE and LOCAL_RANK); alone without it."""
        if "RANK" not in os.environ:
            return cls()
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(device)
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size(), device)

    def leave(self) -> None:
        """End the partnership."""
        if self.count > 1:
            torch.distributed.destroy_process_group()

    @property
    def first(self) -> bool:
        """Whether this process reports, judges and writes."""
        return self.rank == 0

    def average(self, gradients: list[Tensor]) -> None:
        """Replace gradients by their means over all ranks, in one message."""
        if self.count == 1:
            return
        flat = torch.cat([g.flatten() for g in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def first_says(self, value: float) -> float:
        """The first rank's value."""
        if self.count == 1:
            return value
        box: list[Any] = [value]
        torch.distributed.broadcast_object_list(box, src=0)
        return float(box[0])

    def agree(self, value: bool) -> bool:
        """The first rank's verdict, so that all do the same."""
        return bool(self.first_says(float(value))) if self.count > 1 else value
