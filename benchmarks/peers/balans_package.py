"""The package balans (2.2.0) as an external program: reads a MIP, writes every incumbent that its SCIP solves find.

The package hands a solution over only when a step ends.  This counts what is found within its steps too, with the
true objective, at the moment it is found, which is the comparison most in its favour.  It needs a Python of its own::

    python -m venv .venv-balans && .venv-balans/bin/pip install balans==2.2.0
    .venv-balans/bin/python benchmarks/peers/balans_package.py INSTANCE SOLUTION SECONDS SEED [CONFIG]

It imports nothing of combopt.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from alns.stop import MaxRuntime
from balans import solver_scip
from balans.solver import Balans
from pyscipopt import SCIP_EVENTTYPE


class Incumbents:
    """Follows a SCIP model through all its solves, and writes the best point so far, non-zero columns only."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.best: float | None = None
        self.names: list[str] = []
        self.columns: list[Any] = []
        self.whole: list[int] = []
        self.costs: list[tuple[int, float]] = []

    def watch(self, model: Any) -> None:
        """Called when the package has read the model, and turned it into a minimisation."""
        self.columns = model.getVars()
        self.names = [column.name for column in self.columns]
        self.whole = [place for place, column in enumerate(self.columns) if column.vtype() != "CONTINUOUS"]
        places = {column.getIndex(): place for place, column in enumerate(self.columns)}
        self.costs = [
            (places[key[0].getIndex()], cost) for key, cost in model.getObjective().terms.items() if len(key)
        ]
        model.attachEventHandlerCallback(self._found, [SCIP_EVENTTYPE.BESTSOLFOUND])

    def _found(self, model: Any, event: Any) -> None:
        solution = model.getBestSol()
        values = [model.getSolVal(solution, column) for column in self.columns]
        if any(abs(values[place] - round(values[place])) > 1e-6 for place in self.whole):
            return  # the package solves the linear relaxation in the same model
        objective = sum(cost * values[place] for place, cost in self.costs)
        if self.best is not None and objective >= self.best - 1e-9 * max(1.0, abs(self.best)):
            return
        self.best = objective
        beside = f"{self.path}.new"
        with open(beside, "w", encoding="utf-8") as file:
            file.writelines(f"{name} {value!r}\n" for name, value in zip(self.names, values, strict=True) if value)
        os.replace(beside, self.path)


def main() -> None:
    """Run the package with its default configuration, or the one in a file of its own format."""
    instance, solution, seconds, seed, *config = sys.argv[1:]
    incumbents = Incumbents(solution)
    begin = solver_scip._SCIP.__init__

    def watched(self: Any, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        incumbents.watch(self.model)

    solver_scip._SCIP.__init__ = watched
    given = {"config": config[0]} if config else {}
    search = Balans(stop=MaxRuntime(float(seconds)), seed=int(seed) + 1283, **given)
    search.solve(instance)


if __name__ == "__main__":
    main()
