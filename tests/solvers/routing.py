"""Instances and checks that the tests of routing solvers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt import api
from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.ovrp import Ovrp
from combopt.instances.vrptw import Vrptw
from combopt.model import Instance
from combopt.result import Result


def medium(kind: str, n: int = 60, seed: int = 3) -> Any:
    """A random instance of some size."""
    family = "r1" if kind == "vrptw" else "x"
    classes: dict[str, Any] = {"cvrp": Cvrp, "ovrp": Ovrp, "vrptw": Vrptw}
    return classes[kind].generate(np.random.default_rng(seed), n=n, family=family)


def here(instance: Instance, solver: str, **budget: Any) -> Result:
    """Solve in this process, on one thread unless told otherwise."""
    return api.solve(instance, solver, isolate=False, **({"threads": 1, "time_limit": 20.0} | budget))


def alone(n: int = 1) -> Cvrp:
    """``n`` customers at one place, 5 away from the depot."""
    points = np.array([[0.0, 0], *[[3.0, 4]] * n])
    return Cvrp(metric=Metric(rule="EUC_2D", coordinates=points), demand=np.array([0, *[1] * n]), capacity=max(n, 1))
