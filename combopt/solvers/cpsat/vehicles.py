"""CP-SAT models of small CVRP, open VRP and VRPTW instances: proofs, where the routing heuristics give none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.cvrp import RouteLength
from combopt.instances.metric import Distances
from combopt.instances.routing import Capacitated
from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.model import Instance, Ints, Number, Solution
from combopt.solvers.cpsat.view import CpView, Values

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

CUSTOMERS = 60
"""Customers up to which a model is made; proofs end at some 30."""
LARGEST = 2**40
"""Largest distance, time or load modelled."""
SCALE = 10**8
"""Largest distance after scaling, where distances are no integers."""


def refuses(instance: Instance) -> str | None:
    """Why no model is made of the instance."""
    assert isinstance(instance, Capacitated)
    if instance.customers > CUSTOMERS:
        return f"it models at most {CUSTOMERS} customers, not {instance.customers}"
    limited = isinstance(instance, Vrptw) or (isinstance(instance, RouteLength) and instance.max_length is not None)
    if limited and not _whole(instance):
        return "limits on lengths or times that are no integers cannot be decided exactly"
    numbers = [float(np.abs(instance.metric.full()).max()), float(instance.capacity), float(instance.demand.sum())]
    if isinstance(instance, Vrptw):
        numbers.append(float(instance.due.max() * instance.metric.unit))
    return f"a number is above {LARGEST}" if max(numbers) > LARGEST else None


def _whole(instance: Capacitated) -> bool:
    """Whether all lengths and times are integers in the steps of the metric."""
    service = instance.service if isinstance(instance, (RouteLength, Vrptw)) else np.zeros(1)
    steps = service * instance.metric.unit
    return instance.metric.integral and np.array_equal(steps, np.rint(steps))


def build(instance: Instance) -> CpView:
    """A literal for every arc, circuits through the depot, and loads and times passed on along chosen arcs."""
    assert isinstance(instance, Capacitated)
    return _Model(instance).view()


class _Model:
    def __init__(self, instance: Capacitated) -> None:
        from ortools.sat.python import cp_model

        self.instance = instance
        self.model = cp_model.CpModel()
        lengths = instance.metric.full()
        self.factor = 1.0 if instance.metric.integral else SCALE / max(float(lengths.max()), 1e-300)
        # rounded down, so that the bound holds; the loss is far below the tolerance of doubles
        self.costs: Ints = np.floor(lengths * self.factor).astype(np.int64) if self.factor != 1.0 else lengths.copy()
        if isinstance(instance, RouteLength) and not instance.closed:
            self.costs[:, 0] = 0
        self.arcs: dict[tuple[int, int], cp_model.IntVar] = {}

    def view(self) -> CpView:
        self._add_arcs()
        if self.instance.customers:
            self._add_loads()
            self._add_times()
        self.model.minimize(sum(int(self.costs[arc]) * chosen for arc, chosen in self.arcs.items()))
        scale = self.factor * self.instance.metric.unit
        return CpView(model=self.model, decode=self._decode, hint=self._hint, objective=_unscaled(scale))

    def _add_arcs(self) -> None:
        instance = self.instance
        demand, n = instance.demand, instance.nodes
        if (demand > instance.capacity).any():  # a customer that no vehicle can hold
            self._contradict()
            return
        for i in range(n):
            for j in range(n):
                if i != j and int(demand[i]) + int(demand[j]) <= instance.capacity:
                    self.arcs[i, j] = self.model.new_bool_var(f"{i}-{j}")
        if n > 1:
            self.model.add_multiple_circuit([(i, j, chosen) for (i, j), chosen in self.arcs.items()])
        leaving = [chosen for (i, _), chosen in self.arcs.items() if i == 0]
        self.model.add(sum(leaving) >= min(instance.fewest, instance.customers))
        if instance.vehicles is not None:
            self.model.add(sum(leaving) <= instance.vehicles)

    def _add_loads(self) -> None:
        instance = self.instance
        demand = instance.demand.tolist()
        if instance.capacity >= sum(demand):
            return
        steps = np.tile(instance.demand, (instance.nodes, 1))  # the demand of the customer arrived at
        steps[:, 0] = 0
        ranges = [(min(d, instance.capacity), instance.capacity) for d in demand]
        self._pass_on(ranges, steps, (0, instance.capacity), "load")

    def _add_times(self) -> None:
        """Arrival times under time windows, or lengths so far under a limit."""
        instance, unit = self.instance, self.instance.metric.unit
        lengths: Distances = instance.metric.full()
        if isinstance(instance, Vrptw):
            ready, due, service = (np.asarray(times) for times in instance.times())
            ranges = list(zip(ready.tolist(), due.tolist(), strict=True))
            steps = np.asarray(service[:, None] + lengths, dtype=np.int64)
            self._pass_on(ranges, steps, ranges[0], "time")
        elif isinstance(instance, RouteLength) and instance.max_length is not None:
            limit = int(np.floor(instance.max_length * unit * (1 + 1e-12)))
            steps = np.rint(instance.service * unit).astype(np.int64)[:, None] + lengths
            if not instance.closed:
                steps[:, 0] -= lengths[:, 0]
            self._pass_on([(0, limit)] * instance.nodes, steps, (0, limit), "length")

    def _pass_on(self, ranges: list[tuple[int, int]], steps: Ints, depot: tuple[int, int], what: str) -> None:
        """A variable in its range for every customer, at least ``steps[i, j]`` more than before along a chosen arc;
        routes begin at ``depot[0]`` and end at ``depot[1]`` at the latest."""
        values = [self.model.new_int_var(low, high, what) for low, high in ranges]
        for (i, j), chosen in self.arcs.items():
            step = int(steps[i, j])
            before, after = values[i] if i else depot[0], values[j] if j else depot[1]
            self.model.add(after >= before + step).only_enforce_if(chosen)

    def _contradict(self) -> None:
        self.model.add_bool_or([self.model.new_constant(0)])

    def _decode(self, value: Values) -> Solution:
        following = {i: j for (i, j), chosen in self.arcs.items() if i and value(chosen)}
        routes = []
        for (i, j), chosen in self.arcs.items():
            if i == 0 and value(chosen):
                route = [j]
                while following[route[-1]]:
                    route.append(following[route[-1]])
                routes.append(tuple(route))
        return Routes(tuple(routes))

    def _hint(self, start: Solution) -> Iterator[tuple[cp_model.IntVar, int]]:
        assert isinstance(start, Routes)
        used = set()
        for route in start.routes:
            stops = [0, *route, 0]
            used |= set(pairwise(stops))
        for arc, chosen in self.arcs.items():
            yield chosen, int(arc in used)


def _unscaled(scale: float) -> Callable[[float], Number]:
    return (lambda value: value) if scale == 1.0 else (lambda value: value / scale)
