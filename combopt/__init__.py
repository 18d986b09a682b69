"""combopt: any instance file in, a checked answer out.

The public names are loaded when they are first used, so that ``import combopt`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from combopt.api import check as check
    from combopt.api import generate as generate
    from combopt.api import read as read
    from combopt.api import read_solution as read_solution
    from combopt.api import solve as solve
    from combopt.api import write as write
    from combopt.api import write_solution as write_solution
    from combopt.budget import Budget as Budget
    from combopt.errors import CombOptError as CombOptError
    from combopt.errors import InputError as InputError
    from combopt.errors import UsageError as UsageError
    from combopt.instances.atsp import Atsp as Atsp
    from combopt.instances.clique import Clique as Clique
    from combopt.instances.coloring import Coloring as Coloring
    from combopt.instances.cvrp import Cvrp as Cvrp
    from combopt.instances.fjsp import Fjsp as Fjsp
    from combopt.instances.graph import Graph as Graph
    from combopt.instances.jobshop import JobShop as JobShop
    from combopt.instances.metric import Metric as Metric
    from combopt.instances.mis import Mis as Mis
    from combopt.instances.op import Op as Op
    from combopt.instances.ovrp import Ovrp as Ovrp
    from combopt.instances.pctsp import Pctsp as Pctsp
    from combopt.instances.solutions import Assignment as Assignment
    from combopt.instances.solutions import Point as Point
    from combopt.instances.solutions import Routes as Routes
    from combopt.instances.solutions import Schedule as Schedule
    from combopt.instances.solutions import Selection as Selection
    from combopt.instances.solutions import Tour as Tour
    from combopt.instances.tsp import Tsp as Tsp
    from combopt.instances.vrptw import Vrptw as Vrptw
    from combopt.result import Result as Result
    from combopt.result import Status as Status
    from combopt.result import StoppedBy as StoppedBy

__version__ = "0.1.0"

_HOMES = {
    "combopt.api": "check generate read read_solution solve write write_solution",
    "combopt.budget": "Budget",
    "combopt.errors": "CombOptError InputError UsageError",
    "combopt.instances.atsp": "Atsp",
    "combopt.instances.cvrp": "Cvrp",
    "combopt.instances.clique": "Clique",
    "combopt.instances.coloring": "Coloring",
    "combopt.instances.graph": "Graph",
    "combopt.instances.fjsp": "Fjsp",
    "combopt.instances.jobshop": "JobShop",
    "combopt.instances.metric": "Metric",
    "combopt.instances.op": "Op",
    "combopt.instances.pctsp": "Pctsp",
    "combopt.instances.ovrp": "Ovrp",
    "combopt.instances.mis": "Mis",
    "combopt.instances.solutions": "Assignment Point Routes Schedule Selection Tour",
    "combopt.instances.tsp": "Tsp",
    "combopt.instances.vrptw": "Vrptw",
    "combopt.result": "Result Status StoppedBy",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'combopt' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
