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


def _density(size: dict[str, int]) -> float:
    """Share of all pairs of nodes that are joined."""
    return 2 * size["edges"] / max(1, size["nodes"] * (size["nodes"] - 1))


def _clique_is_soon_proved(size: dict[str, int]) -> bool:
    limits = ((0.1, 10**6), (0.3, 1000), (0.5, 500), (0.8, 300), (1.0, 200))
    return any(_density(size) <= density and size["nodes"] <= nodes for density, nodes in limits)


def _independent_set_is_soon_proved(size: dict[str, int]) -> bool:
    limits = ((0.7, 1000), (0.5, 500), (0.2, 300), (0.0, 100))
    return any(_density(size) >= density and size["nodes"] <= nodes for density, nodes in limits)


RULES: tuple[Rule, ...] = (
    Rule("op", "cpsat", "proves these sizes in seconds", lambda size: size["nodes"] <= 25),
    Rule("op", "prize_search", "on OPLib in 10 s as good as the published values or better, on average"),
    Rule("pctsp", "cpsat", "proves these sizes in seconds", lambda size: size["nodes"] <= 50),
    Rule("pctsp", "prize_search", "finds the known optima in a second"),
    Rule("clique", "clique_bb", "proves it in seconds at these sizes and densities", _clique_is_soon_proved),
    Rule("clique", "vertex_search", "finds the largest cliques where a proof is out of reach"),
    Rule("mis", "clique_bb", "proves it in seconds at these sizes and densities", _independent_set_is_soon_proved),
    Rule("mis", "vertex_search", "finds the hidden optima of BHOSLIB graphs in seconds"),
    Rule("coloring", "cpsat", "proves more small graphs optimal", lambda size: size["nodes"] <= 150),
    Rule("coloring", "tabucol", "fewest colours in the same time; proved where a clique is as large"),
    Rule("tsp", "held_karp", "proves the shortest tour at once", lambda size: size["nodes"] <= 18),
    Rule("knapsack", "knapsack", "proves all but a few constructed instances in a second"),
    Rule("mkp", "cpsat", "proves more instances of up to a hundred items", lambda size: size["items"] <= 120),
    Rule("mkp", "scip", "better solutions and bounds in the same time on larger ones"),
    Rule(
        "setcover",
        "cpsat",
        "proves these sizes in seconds",
        lambda size: size["nonzeros"] <= 100_000 and size["columns"] > size["rows"],
    ),
    Rule("setcover", "lagrangian_cover", "best covers in the same time on large or unicost instances"),
    Rule(
        "binpacking",
        "column_generation",
        "proves all of Scholl's and Falkenauer's files tried, in seconds",
        lambda size: size["sizes"] <= 4000,
    ),
    Rule("binpacking", "best_fit_decreasing", "any number of items"),
    Rule("cvrp", "routing_portfolio", "optimal or nearly so at these sizes", lambda size: size["customers"] <= 250),
    Rule("cvrp", "sisr", "shortest routes in the same time, of 300 customers or 15,000"),
    Rule("ovrp", "sisr", "shortest routes in the same time"),
    Rule("vrptw", "pyvrp", "shortest routes in the same time"),
    Rule("tsp", "fast_tsp", "best tours in the same time up to 12,000 nodes", lambda size: size["nodes"] <= 12_000),
    Rule("tsp", "or_opt", "good tours from the first second on, in linear memory"),
    Rule("tsp", "nearest_neighbour", "linear memory, and no other package needed"),
    Rule("atsp", "held_karp", "proves the shortest tour at once", lambda size: size["nodes"] <= 18),
    Rule("atsp", "fast_tsp", "finds almost all optima of TSPLIB in a second", lambda size: size["nodes"] <= 10_000),
    Rule("atsp", "nearest_neighbour", "linear memory"),
    Rule("mip", "highs", "quickest on linear programs", lambda size: size["integers"] == 0),
    Rule("mip", "scip", "as quick as HiGHS in 20 s runs, takes every program, and no answer of it was found wrong"),
    Rule("robust_knapsack", "robust_knapsack", "proves most of up to 40 items, the smallest gaps beyond"),
    Rule("capital_budgeting", "capital_budgeting", "as good as the best published plans in seconds, with a small gap"),
    Rule("robust", "ccg", "exact, with a certified plan at every improvement"),
    Rule("jobshop", "cpsat", "proved within a second or two", lambda size: size["operations"] <= 60),
    Rule("jobshop", "job_hybrid", "proofs up to about 300 operations", lambda size: size["operations"] <= 300),
    Rule("jobshop", "job_tabu", "much better schedules in the same time"),
    Rule("fjsp", "cpsat", "proved within a second or two", lambda size: size["alternatives"] <= 60),
    Rule("fjsp", "job_hybrid", "proofs up to about 300 alternatives", lambda size: size["alternatives"] <= 300),
    Rule("fjsp", "job_tabu", "much better schedules in the same time"),
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
