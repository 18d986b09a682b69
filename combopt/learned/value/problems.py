"""The kinds whose second stages are learned, one file each, behind the protocol of :mod:`.base`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from combopt.errors import UsageError

if TYPE_CHECKING:
    from combopt.learned.value.base import ValueProblem

TABLE = {
    "robust_knapsack": "combopt.learned.value.knapsack:KnapsackValue",
    "robust": "combopt.learned.value.robust:RobustValue",
}
"""Where the value problem of each kind is; loading one loads torch."""


def find(kind: str) -> ValueProblem:
    """The problem of a kind; UsageError E201 if there is none."""
    target = TABLE.get(kind)
    if target is None:
        raise UsageError("E201", f"no value network for {kind!r}", expected=", ".join(TABLE))
    module, _, name = target.partition(":")
    problem: ValueProblem = getattr(importlib.import_module(module), name)()
    return problem
