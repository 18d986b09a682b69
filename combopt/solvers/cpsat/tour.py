"""CP-SAT models of the symmetric and asymmetric TSP: a literal for every arc, and one circuit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Ints, Number, Solution
from combopt.solvers.cpsat.view import CpView, Values

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

NODES = 150
"""Nodes up to which a model is made: it has a literal for every arc, since a choice of arcs would prove nothing."""
LARGEST = 2**40
"""Largest distance modelled."""
SCALE = 2**40
"""Largest distance after scaling, where distances are no integers."""


def refuses(instance: Instance) -> str | None:
    """Why no model is made of the instance."""
    assert isinstance(instance, (Tsp, Atsp))
    if instance.nodes > NODES:
        return f"it models at most {NODES} nodes, not {instance.nodes}"
    if instance.metric.integral and float(np.abs(instance.metric.full()).max()) > LARGEST:
        return f"a distance is above {LARGEST}"
    return None


def build(instance: Instance) -> CpView:
    """The circuit model; a fixed edge costs nothing and must be walked, one way or the other if edges have no way."""
    assert isinstance(instance, (Tsp, Atsp))
    return _Model(instance).view()


class _Model:
    def __init__(self, instance: Tsp | Atsp) -> None:
        from ortools.sat.python import cp_model

        self.instance = instance
        self.model = cp_model.CpModel()
        n = instance.nodes
        self.arcs = {(i, j): self.model.new_bool_var(f"{i}-{j}") for i in range(n) for j in range(n) if i != j}

    def view(self) -> CpView:
        costs, factor = whole_costs(self.instance.metric)
        if self.arcs:
            self.model.add_circuit([(i, j, chosen) for (i, j), chosen in self.arcs.items()])
        for a, b in self.instance.fixed_edges.tolist():
            ways = [(a, b), (b, a)] if isinstance(self.instance, Tsp) else [(a, b)]
            self.model.add_bool_or([self.arcs[way] for way in ways])
            for i, j in ways:
                costs[i, j] = 0
        self.model.minimize(sum(int(costs[arc]) * chosen for arc, chosen in self.arcs.items()))
        unit = self.instance.metric.unit

        def objective(value: float) -> Number:
            return value if factor * unit == 1 else value / (factor * unit)

        return CpView(model=self.model, decode=self._decode, hint=self._hint, objective=objective)

    def _decode(self, value: Values) -> Solution:
        following = {i: j for (i, j), chosen in self.arcs.items() if value(chosen)}
        order = [0]
        while len(order) < self.instance.nodes:
            order.append(following[order[-1]])
        return Tour(np.array(order, dtype=np.int64))

    def _hint(self, start: Solution) -> Iterator[tuple[cp_model.IntVar, int]]:
        assert isinstance(start, Tour)
        used = set(zip(start.order.tolist(), np.roll(start.order, -1).tolist(), strict=True))
        for arc, chosen in self.arcs.items():
            yield chosen, int(arc in used)


def whole_costs(metric: Metric) -> tuple[Ints, float]:
    """Distances as integers, and the factor they were multiplied by: 1 if they are integers.

    Others are rounded down, so that a bound on the sum of them holds; with a factor near 2^40 over the largest
    distance, what is lost on a tour is far below the tolerance with which floats are compared.
    """
    full = metric.full()
    if metric.integral:
        return np.array(full, dtype=np.int64), 1.0
    largest = float(full.max())
    factor = SCALE / largest if largest > 0 else 1.0
    return np.floor(full * factor).astype(np.int64), factor
