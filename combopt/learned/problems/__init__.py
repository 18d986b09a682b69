"""The problems that policies are made for, one file each, behind the protocol of :mod:`.base`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from combopt.errors import UsageError

if TYPE_CHECKING:
    from combopt.learned.problems.base import Problem

TABLE = {
    "tsp": "combopt.learned.problems.tsp:TspProcess",
    "cvrp": "combopt.learned.problems.cvrp:CvrpProcess",
    "knapsack": "combopt.learned.problems.knapsack:KnapsackProcess",
    "atsp": "combopt.learned.problems.atsp:AtspProcess",
    "op": "combopt.learned.problems.op:OpProcess",
}
"""Where the decision process of each kind is; loading one loads torch."""


def find(kind: str) -> Problem[Any]:
    """The decision process of a kind of instances.

    Raises
    ------
    UsageError
        E204 if there is none.
    """
    target = TABLE.get(kind)
    if target is None:
        raise UsageError("E204", f"there is no policy for {kind!r}", expected="one of " + ", ".join(TABLE))
    module, _, name = target.partition(":")
    process: Problem[Any] = getattr(importlib.import_module(module), name)()
    return process
