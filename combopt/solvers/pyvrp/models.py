"""Which file models which kind: ``build(instance) -> PyvrpView``, loaded when needed."""

from __future__ import annotations

MODELS: dict[str, str] = {
    "tsp": "combopt.solvers.pyvrp.tour:build",
    "atsp": "combopt.solvers.pyvrp.tour:build",
    "op": "combopt.solvers.pyvrp.prizes:build",
    "pctsp": "combopt.solvers.pyvrp.prizes:build",
    "cvrp": "combopt.solvers.pyvrp.vehicles:build",
    "ovrp": "combopt.solvers.pyvrp.vehicles:build",
    "vrptw": "combopt.solvers.pyvrp.vehicles:build",
}
