"""Which solver ``auto`` takes: one table, read from the top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from combopt import registry
from combopt.errors import UnsupportedError
from combopt.model import Instance
from combopt.solvers.base import Solver


@dataclass(frozen=True)
class Rule:
    """For instances of ``kind`` that ``when`` holds for, take ``solver``; ``why`` is told by ``combopt list``."""

    kind: str
    solver: str
    why: str
    when: Callable[[dict[str, int]], bool] = lambda size: True


RULES: tuple[Rule, ...] = (
    Rule("tsp", "fast_tsp", "best tours in the same time up to 20,000 nodes", lambda size: size["nodes"] <= 20_000),
    Rule("tsp", "nearest_neighbour", "linear memory"),
    Rule("atsp", "nearest_neighbour", "stub"),
)


def choose(instance: Instance) -> str:
    """Name of the solver for an instance: the first rule whose solver takes it and is installed, else any such."""
    size = instance.size()
    names = [rule.solver for rule in RULES if rule.kind == instance.kind and rule.when(size)]
    for name in [*names, *registry.SOLVERS.names()]:
        solver = registry.SOLVERS.load(name)()
        if solver.info.version() is not None and solver.accepts(instance):
            return name
    raise UnsupportedError("E202", f"no installed solver takes {instance.kind} instances")


def able(instance: Instance) -> list[str]:
    """Names of all solvers that take the instance."""
    return [name for name, solver in registry.SOLVERS.items() if solver().accepts(instance)]


def insist(solver: Solver, instance: Instance) -> None:
    """Raise unless the solver takes the instance, with the list of those that do."""
    reason = solver.why_not(instance)
    if reason is not None:
        raise UnsupportedError(
            "E202",
            f"{solver.info.name} cannot solve {instance.name}: {reason}",
            expected="one of " + (", ".join(able(instance)) or "no solver at all"),
        )
