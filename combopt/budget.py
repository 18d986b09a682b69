"""What a solver may spend, with one meaning for all of them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from combopt.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one solve.

    Parameters
    ----------
    time_limit
        Wall-clock seconds from the call to the return, start-up and checking included; ``math.inf`` for none.
    gap
        Stop once the relative gap ``|objective - bound| / max(|objective|, 1e-9)`` is at most this; 0 asks for
        a proof.
    target
        Stop as soon as a checked solution has this objective or a better one.
    iterations
        Limit on the solver's own iterations (restarts, generations, rounds, ...) where it has such a count.
    nodes
        Limit on branch-and-bound nodes where the solver has such a count.
    seed
        Seed of everything random; the same seed with ``threads=1`` gives the same answer from solvers that
        declare the capability ``seed``, as long as no time limit cuts in.
    threads
        Threads the solver may use; ``None`` means all cores of this process.
    memory
        Megabytes that the solver's process may hold; ``None`` for no limit.
    device
        ``"cpu"``, ``"cuda"`` or ``"auto"``; only learned solvers look at it.
    """

    time_limit: float = 60.0
    gap: float = 0.0
    target: float | None = None
    iterations: int | None = None
    nodes: int | None = None
    seed: int = 0
    threads: int | None = None
    memory: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        self._require(self.time_limit > 0, "time_limit", "a positive number of seconds")
        self._require(0 <= self.gap < math.inf, "gap", "a finite number, 0 or more")
        self._require(self.target is None or math.isfinite(self.target), "target", "a finite number")
        for name in ("iterations", "nodes", "threads", "memory"):
            value = getattr(self, name)
            self._require(value is None or value >= 1, name, "a whole number, 1 or more")
        self._require(0 <= self.seed < 2**31, "seed", "a whole number from 0 to 2147483647")
        self._require(self.device in ("auto", "cpu", "cuda"), "device", "auto, cpu or cuda")

    def _require(self, holds: bool, name: str, expected: str) -> None:
        if not holds:
            raise UsageError("E201", f"{name} = {getattr(self, name)!r}", expected=expected)

    @property
    def cores(self) -> int:
        """The number of threads to use: ``threads``, or all cores that this process may run on."""
        if self.threads is not None:
            return self.threads
        try:
            return len(os.sched_getaffinity(0))
        except AttributeError:  # not on this platform
            return os.cpu_count() or 1
