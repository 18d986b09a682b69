"""Which file models which kind; each has ``first(instance)``, a quick solution, and ``build(instance)``, the view."""

from __future__ import annotations

MODELS: dict[str, str] = {
    "tsp": "combopt.solvers.pyvrp.tour",
    "atsp": "combopt.solvers.pyvrp.tour",
    "op": "combopt.solvers.pyvrp.prizes",
    "pctsp": "combopt.solvers.pyvrp.prizes",
    "cvrp": "combopt.solvers.pyvrp.vehicles",
    "ovrp": "combopt.solvers.pyvrp.vehicles",
    "vrptw": "combopt.solvers.pyvrp.vehicles",
}
