"""Names to things, loaded when asked for: problems, solutions, formats and solvers.

Built-in entries and those of other packages (entry-point groups ``combopt.problems``, ``combopt.solutions``,
``combopt.formats``, ``combopt.solution_formats``, ``combopt.solvers``) are the same kind of string,
``"module:attribute"``, and take the same path.  Looking at the names imports nothing.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from combopt.errors import UsageError


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a registry: ``target`` is ``"module:attribute"``, ``origin`` the package that declares it."""

    name: str
    target: str
    origin: str = "combopt"

    def load(self) -> Any:
        """Import the module and return the attribute."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


@dataclass(frozen=True)
class Registry:
    """A table of names; ``group`` is the entry-point group that extends it."""

    group: str
    builtin: dict[str, str] = field(repr=False)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """All entries by name, built-in ones first; a built-in name cannot be taken by another package."""
        table = {name: Entry(name, target) for name, target in self.builtin.items()}
        for point in importlib.metadata.entry_points(group=self.group):
            origin = point.dist.name if point.dist else "unknown"
            table.setdefault(point.name, Entry(point.name, point.value, origin))
        return table

    def names(self) -> tuple[str, ...]:
        return tuple(self.entries)

    def load(self, name: str) -> Any:
        """The thing called ``name``.

        Raises
        ------
        UsageError
            With code E204 and the nearest names, if there is none.
        """
        entry = self.entries.get(name)
        if entry is None:
            near = difflib.get_close_matches(name, self.entries, n=3, cutoff=0.5)
            raise UsageError(
                "E204",
                f"{name!r} is not among the {self.group.removeprefix('combopt.').replace('_', ' ')}",
                expected="one of " + ", ".join(self.entries),
                remedy=f"Maybe {' or '.join(near)}?" if near else "",
            )
        return entry.load()

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and loaded things, in order; an entry of another package that does not import is passed over."""
        for name, entry in self.entries.items():
            try:
                yield name, entry.load()
            except ImportError:
                if entry.origin == "combopt":
                    raise


PROBLEMS = Registry(
    "combopt.problems",
    {
        "tsp": "combopt.instances.tsp:Tsp",
        "atsp": "combopt.instances.atsp:Atsp",
        "cvrp": "combopt.instances.cvrp:Cvrp",
        "ovrp": "combopt.instances.ovrp:Ovrp",
        "vrptw": "combopt.instances.vrptw:Vrptw",
        "mis": "combopt.instances.mis:Mis",
        "clique": "combopt.instances.clique:Clique",
        "coloring": "combopt.instances.coloring:Coloring",
        "knapsack": "combopt.instances.knapsack:Knapsack",
        "mkp": "combopt.instances.mkp:Mkp",
        "binpacking": "combopt.instances.binpacking:BinPacking",
        "setcover": "combopt.instances.setcover:SetCover",
        "jobshop": "combopt.instances.jobshop:JobShop",
        "fjsp": "combopt.instances.fjsp:Fjsp",
        "mip": "combopt.instances.mip:Mip",
        "op": "combopt.instances.op:Op",
        "pctsp": "combopt.instances.pctsp:Pctsp",
        "robust": "combopt.instances.robust:TwoStageRobust",
        "robust_knapsack": "combopt.instances.robust_knapsack:RobustKnapsack",
        "capital_budgeting": "combopt.instances.capital_budgeting:CapitalBudgeting",
    },
)

SOLUTIONS = Registry(
    "combopt.solutions",
    {
        "tour": "combopt.instances.solutions:Tour",
        "routes": "combopt.instances.solutions:Routes",
        "selection": "combopt.instances.solutions:Selection",
        "assignment": "combopt.instances.solutions:Assignment",
        "schedule": "combopt.instances.solutions:Schedule",
        "point": "combopt.instances.solutions:Point",
        "robust_plan": "combopt.instances.solutions:RobustPlan",
    },
)

# Readers are tried in this order where the extension leaves more than one.
FORMATS = Registry(
    "combopt.formats",
    {
        "tsplib": "combopt.instances.formats.tsplib:TSPLIB",
        "oplib": "combopt.instances.formats.oplib:OPLIB",
        "chao": "combopt.instances.formats.chao:CHAO",
        "pctsp": "combopt.instances.formats.pctsp:PCTSP",
        "vrplib": "combopt.instances.formats.vrplib:VRPLIB",
        "solomon": "combopt.instances.formats.solomon:SOLOMON",
        "dimacs_graph": "combopt.instances.formats.dimacs_graph:DIMACS_GRAPH",
        "edge_list": "combopt.instances.formats.edge_list:EDGE_LIST",
        "binpack": "combopt.instances.formats.binpack:BINPACK",
        "robust_knapsack": "combopt.instances.formats.robust_knapsack:ROBUST_KNAPSACK",
        "mkp": "combopt.instances.formats.mkp:MKP",
        "scp": "combopt.instances.formats.setcover:SCP",
        "rail": "combopt.instances.formats.setcover:RAIL",
        "jooken": "combopt.instances.formats.knapsack_jooken:JOOKEN",
        "pisinger": "combopt.instances.formats.knapsack_pisinger:PISINGER",
        "pisinger_csv": "combopt.instances.formats.knapsack_pisinger:PISINGER_CSV",
        "bpp": "combopt.instances.formats.binpack:BPP",
        "jobshop": "combopt.instances.formats.jobshop:JOBSHOP",
        "taillard_jobshop": "combopt.instances.formats.taillard_jobshop:TAILLARD_JOBSHOP",
        "fjsplib": "combopt.instances.formats.fjsplib:FJSPLIB",
        "capital_budgeting": "combopt.instances.formats.capital_budgeting:CAPITAL_BUDGETING",
        "mps": "combopt.instances.formats.mps:MPS",
        "lp": "combopt.instances.formats.lp:LP",
        "opb": "combopt.instances.formats.opb:OPB",
        "robust_lines": "combopt.instances.formats.robust_lines:ROBUST_LINES",
        "json": "combopt.instances.formats.json_instance:JSON",
    },
)

SOLUTION_FORMATS = Registry(
    "combopt.solution_formats",
    {
        "json": "combopt.instances.formats.json_instance:JSON_SOLUTION",
        "vertices": "combopt.instances.formats.vertices:VERTICES",
        "colors": "combopt.instances.formats.colors:COLORS",
        "selection": "combopt.instances.formats.selection:SELECTION",
        "bins": "combopt.instances.formats.bins:BINS",
        "tour": "combopt.instances.formats.tour:TOUR",
        "route_tour": "combopt.instances.formats.tour:ROUTE_TOUR",
        "node_list": "combopt.instances.formats.tour:NODE_LIST",
        "oplib_solution": "combopt.instances.formats.oplib_solution:OPLIB_SOLUTION",
        "prize_tour": "combopt.instances.formats.oplib_solution:PRIZE_TOUR",
        "routes": "combopt.instances.formats.routes:ROUTES",
        "schedule": "combopt.instances.formats.schedule:SCHEDULE",
        "miplib": "combopt.instances.formats.mip_solutions:MIPLIB",
        "scip": "combopt.instances.formats.mip_solutions:SCIP",
        "highs": "combopt.instances.formats.mip_solutions:HIGHS",
        "cbc": "combopt.instances.formats.mip_solutions:CBC",
        "glpk": "combopt.instances.formats.mip_solutions:GLPK",
    },
)

SOLVERS = Registry(
    "combopt.solvers",
    {
        "nearest_neighbour": "combopt.solvers.nearest_neighbour:NearestNeighbour",
        "knapsack": "combopt.solvers.knapsack:KnapsackSolver",
        "dantzig": "combopt.solvers.greedy_packing:Dantzig",
        "first_fit_decreasing": "combopt.solvers.greedy_packing:FirstFitDecreasing",
        "best_fit_decreasing": "combopt.solvers.greedy_packing:BestFitDecreasing",
        "column_generation": "combopt.solvers.column_generation:ColumnGeneration",
        "robust_knapsack": "combopt.solvers.robust.knapsack:RobustKnapsackSolver",
        "capital_budgeting": "combopt.solvers.robust.capital:CapitalBudgetingSolver",
        "ccg": "combopt.solvers.robust.ccg:Ccg",
        "neur2ro": "combopt.solvers.robust.neur2ro:Neur2ro",
        "k_adaptability": "combopt.solvers.robust.k_adaptability:KAdaptability",
        "greedy_cover": "combopt.solvers.cover_greedy:GreedyCover",
        "lagrangian_cover": "combopt.solvers.lagrangian_cover:LagrangianCover",
        "greedy_graph": "combopt.solvers.greedy_independent:GreedyGraph",
        "dsatur": "combopt.solvers.dsatur:Dsatur",
        "vertex_search": "combopt.solvers.graph_search:VertexSearch",
        "tabucol": "combopt.solvers.tabucol:TabuCol",
        "clique_bb": "combopt.solvers.clique_bb:CliqueBB",
        "fast_tsp": "combopt.solvers.fast_tsp:FastTsp",
        "held_karp": "combopt.solvers.held_karp:HeldKarp",
        "or_opt": "combopt.solvers.or_opt:OrOpt",
        "lkh": "combopt.solvers.lkh:Lkh",
        "pyvrp": "combopt.solvers.pyvrp.solver:Pyvrp",
        "sisr": "combopt.solvers.string_removal:StringRemoval",
        "hgs": "combopt.solvers.hgs:Hgs",
        "routing_portfolio": "combopt.solvers.routing_portfolio:RoutingPortfolio",
        "ortools_routing": "combopt.solvers.ortools_routing:OrToolsRouting",
        "savings": "combopt.solvers.savings:Savings",
        "insertion": "combopt.solvers.insertion:Insertion",
        "prize_search": "combopt.solvers.prize_search:PrizeSearch",
        "greedy_prize": "combopt.solvers.greedy_prize:GreedyPrize",
        "cpsat": "combopt.solvers.cpsat.solver:CpSat",
        "scip": "combopt.solvers.scip:Scip",
        "highs": "combopt.solvers.highs:Highs",
        "balans": "combopt.solvers.balans.solver:Balans",
        "dispatching": "combopt.solvers.dispatching:Dispatching",
        "job_tabu": "combopt.solvers.job_tabu:JobTabu",
        "job_hybrid": "combopt.solvers.job_hybrid:JobHybrid",
        "job_lns": "combopt.solvers.lns.jobshop:JobLns",
        "routing_lns": "combopt.solvers.lns.routing:RoutingLns",
        "bq": "combopt.solvers.bq:Bq",
        "external": "combopt.solvers.external:External",
    },
)
