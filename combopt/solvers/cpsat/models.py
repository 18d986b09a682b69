"""Which file models which kind: ``build(instance) -> CpView``, loaded when needed."""

from __future__ import annotations

MODELS: dict[str, str] = {
    "op": "combopt.solvers.cpsat.prizes:build",
    "pctsp": "combopt.solvers.cpsat.prizes:build",
    "tsp": "combopt.solvers.cpsat.tour:build",
    "atsp": "combopt.solvers.cpsat.tour:build",
    "cvrp": "combopt.solvers.cpsat.vehicles:build",
    "ovrp": "combopt.solvers.cpsat.vehicles:build",
    "vrptw": "combopt.solvers.cpsat.vehicles:build",
    "mip": "combopt.solvers.cpsat.mip:build",
    "knapsack": "combopt.solvers.cpsat.packing:build",
    "mkp": "combopt.solvers.cpsat.packing:build",
    "binpacking": "combopt.solvers.cpsat.packing:build",
    "setcover": "combopt.solvers.cpsat.packing:build",
    "coloring": "combopt.solvers.cpsat.graphs:build",
    "clique": "combopt.solvers.cpsat.graphs:build",
    "mis": "combopt.solvers.cpsat.graphs:build",
    "jobshop": "combopt.solvers.cpsat.scheduling:build",
    "fjsp": "combopt.solvers.cpsat.scheduling:build",
}
