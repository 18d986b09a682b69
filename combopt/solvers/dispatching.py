"""Dispatching rules: schedules built in one pass, as baselines and as first incumbents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import Operations
from combopt.model import Instance, Ints
from combopt.solvers import dispatching_kernels
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.compiled import compiled

Rule = Literal["spt", "lpt", "mwr", "lwr", "mor", "fifo", "best"]
RULES: tuple[Rule, ...] = ("mwr", "mor", "fifo", "spt", "lpt", "lwr")
_PLAIN = 20_000
"""Product of operations and jobs up to which compiling, or loading what was compiled, does not pay."""


@dataclass(frozen=True)
class Dispatching(Solver):
    """Non-delay schedules by a priority rule (Panwalkar and Iskander 1977).

    Whenever a machine could start something, it starts the waiting operation that the rule puts first.  With a choice
    of machines an operation takes the one that finishes it first.

    Parameters
    ----------
    rule
        ``spt`` and ``lpt``: the shortest and longest operation, ``mwr`` and ``lwr``: the job with most and least work
        remaining, ``mor``: the job with most operations remaining, ``fifo``: the one that arrived first; ``best``
        tries all rules.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="dispatching",
        title="dispatching rules for job shops",
        kinds=("jobshop", "fjsp"),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS}),
    )
    rule: Rule = "best"

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, (JobShop, Fjsp))
        ops = instance.operations
        shortest: int | None = None
        for rule in RULES if self.rule == "best" else (self.rule,):
            start, alternative = dispatch(ops, rule)
            makespan = int((start + ops.duration[alternative]).max())
            if shortest is None or makespan < shortest:
                shortest = makespan
                session.emit(ops.schedule(start, ops.machine[alternative]))
            if session.stopping:
                break
        return Outcome()


def dispatch(ops: Operations, rule: Rule) -> tuple[Ints, Ints]:
    """Start time and alternative of each operation, ``int64[operations]``, under a rule other than ``best``."""
    plain = len(ops) * ops.jobs <= _PLAIN
    kernels = dispatching_kernels if plain else compiled(dispatching_kernels.__name__)
    codes = {"spt": kernels.SHORTEST, "lpt": kernels.LONGEST, "fifo": kernels.ARRIVAL}
    arrays = [a.copy() for a in (ops.first_operation, ops.first_alternative, ops.machine, ops.duration)]
    found: tuple[Ints, Ints] = kernels.dispatch(
        codes.get(rule, kernels.FIXED), _priority(ops, rule), *arrays, ops.machines
    )
    return found


def best_dispatch(ops: Operations) -> tuple[Ints, Ints]:
    """The shortest of the schedules of all rules."""
    found = [dispatch(ops, rule) for rule in RULES]
    return min(found, key=lambda pair: int((pair[0] + ops.duration[pair[1]]).max()))


def _priority(ops: Operations, rule: Rule) -> Ints:
    """Rank of each operation under the rules that look at the rest of the job, least first."""
    if rule == "mor":
        return np.arange(len(ops)) - ops.first_operation[1:][ops.job]
    remaining = ops.tails() + ops.shortest
    return -remaining if rule == "mwr" else remaining
