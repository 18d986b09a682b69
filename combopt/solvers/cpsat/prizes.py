"""CP-SAT models of orienteering and the prize-collecting salesman: a circuit that may pass nodes by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.instances.solutions import Tour
from combopt.model import Instance, Ints, Number, Solution
from combopt.solvers.cpsat.view import CpView, Values
from combopt.solvers.greedy_prize import greedy
from combopt.solvers.prize_problem import fine, span

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

NODES = 250
"""Nodes up to which a model is made; it has a Boolean for every pair, and proofs end long before."""
SPAN = 2**30
"""Distances that are no integers are scaled to whole numbers up to this, and rounded down, so that bounds hold."""
SUM = 2**60
"""All distances, prizes and penalties together must stay below."""


def refuses(instance: Instance) -> str | None:
    assert isinstance(instance, (Op, Pctsp))
    if instance.nodes > NODES:
        return f"it models at most {NODES} nodes, not {instance.nodes}"
    amounts = float(span(instance.metric)) * instance.nodes**2 + float(instance.prize.astype(float).sum())
    if isinstance(instance, Pctsp):
        amounts += float(instance.penalty.astype(float).sum()) * instance.metric.unit
    return "its distances, prizes or penalties are too large" if amounts > SUM else None


def build(instance: Instance) -> CpView:
    if isinstance(instance, Op):
        return build_op(instance)
    assert isinstance(instance, Pctsp)
    return build_pctsp(instance)


def build_op(instance: Op) -> CpView:
    """Maximise the prize under the limit, without the arcs that no tour within the limit can contain."""
    scale, lengths = scaled(instance)
    steps = Fraction(instance.limit) * scale
    limit = min(int(lengths.sum()), math.floor(steps) if instance.metric.integral else math.ceil(steps))
    end = instance.depot if instance.end is None else instance.end
    there, back = shortest(lengths, instance.depot), shortest(lengths, end)
    allowed = there[:, None] + lengths + back[None, :] <= limit
    np.fill_diagonal(allowed, False)
    circuit = Circuit.of(allowed, instance.depot, instance.end)
    model = circuit.model
    model.add(circuit.length(lengths) <= limit)
    model.maximize(sum(int(p) * circuit.visit(v) for v, p in enumerate(instance.prize)))

    def decode(values: Values) -> Solution:
        return within_limit(instance, circuit.order(values))

    return CpView(model=model, decode=decode, hint=circuit.hint, start=greedy(instance))


def build_pctsp(instance: Pctsp) -> CpView:
    """Minimise length and penalties with the minimum prize as a constraint."""
    scale, lengths = scaled(instance)
    allowed = ~np.eye(instance.nodes, dtype=bool)
    circuit = Circuit.of(allowed, 0, None)
    model = circuit.model
    model.add(sum(int(p) * circuit.visit(v) for v, p in enumerate(instance.prize)) >= instance.min_prize)
    penalties = sum(math.floor(int(p) * scale) * (1 - circuit.visit(v)) for v, p in enumerate(instance.penalty))
    model.minimize(circuit.length(lengths) + penalties)

    def objective(value: float) -> Number:
        return value if scale == 1 else value / float(scale)

    def decode(values: Values) -> Solution:
        return Tour(circuit.order(values))

    return CpView(model=model, decode=decode, hint=circuit.hint, objective=objective, start=greedy(instance))


def scaled(instance: Op | Pctsp) -> tuple[Fraction, Ints]:
    """Steps per unit of length, and the distances in steps, rounded down where they are not whole."""
    metric = instance.metric
    if metric.integral:
        return Fraction(metric.unit), metric.full()
    scale = fine(metric, SPAN)
    return scale, np.floor(metric.full() * float(scale)).astype(np.int64)


def shortest(lengths: Ints, source: int) -> Ints:
    """Lengths of shortest paths from ``source`` to all nodes (Dijkstra); symmetric, so from them as well."""
    far = lengths[source].copy()
    far[source] = 0
    left = np.arange(len(lengths))
    while left.size:
        at = int(np.argmin(far[left]))
        node = left[at]
        left = np.delete(left, at)
        far = np.minimum(far, far[node] + lengths[node])
    return far


def within_limit(instance: Op, order: Ints) -> Tour:
    """The tour without the nodes that rounding let in: those of the least prize, until the limit is kept."""
    while len(order) > 1 and not instance.evaluate(Tour(order)).feasible:
        inner = [i for i, v in enumerate(order.tolist()) if v not in (instance.depot, instance.end)]
        if not inner:
            break
        order = np.delete(order, min(inner, key=lambda i: int(instance.prize[order[i]])))
    return Tour(order)


@dataclass(frozen=True)
class Circuit:
    """A model with a circuit through ``depot``; an open path is closed by an arc from its end to the depot.

    ``arcs`` has a literal for every allowed arc, ``skipped`` one for every node that may be passed by.
    """

    model: cp_model.CpModel
    depot: int
    end: int | None
    arcs: dict[tuple[int, int], cp_model.IntVar]
    skipped: dict[int, cp_model.IntVar]

    @classmethod
    def of(cls, allowed: np.ndarray[tuple[int, int], np.dtype[np.bool_]], depot: int, end: int | None) -> Circuit:
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        nodes = range(len(allowed))
        if end is not None:
            allowed = allowed.copy()
            allowed[end, :] = allowed[:, depot] = False
            allowed[end, depot] = True
        arcs = {
            (i, j): model.new_bool_var(f"{i}-{j}")
            for i, j in zip(*(side.tolist() for side in np.nonzero(allowed)), strict=True)
        }
        skipped = {v: model.new_bool_var(f"without {v}") for v in nodes if end is None or v not in (depot, end)}
        loops = [(v, v, literal) for v, literal in skipped.items()]
        model.add_circuit([(i, j, literal) for (i, j), literal in arcs.items()] + loops)
        if end is None:  # the depot alone is a tour as well; passed by in the circuit, all others must be
            for v, literal in skipped.items():
                if v != depot:
                    model.add_implication(skipped[depot], literal)
        return cls(model, depot, end, arcs, skipped)

    def visit(self, node: int) -> cp_model.LinearExpr | int:
        """1 if the node is visited."""
        if node == self.depot or node not in self.skipped:
            return 1
        return 1 - self.skipped[node]

    def length(self, lengths: Ints) -> cp_model.LinearExpr:
        from ortools.sat.python import cp_model

        arcs = [(arc, literal) for arc, literal in self.arcs.items() if arc != (self.end, self.depot)]
        weights = [int(lengths[arc]) for arc, _ in arcs]
        return cp_model.LinearExpr.weighted_sum([literal for _, literal in arcs], weights)

    def order(self, values: Values) -> Ints:
        """The nodes in the order of visit, from the depot."""
        follower = {i: j for (i, j), literal in self.arcs.items() if values(literal)}
        order = [self.depot]
        while (node := follower.get(order[-1], self.depot)) != self.depot:
            order.append(node)
        return np.array(order, dtype=np.int64)

    def hint(self, start: Solution) -> Iterator[tuple[cp_model.IntVar, int]]:
        """The values of all literals for a tour."""
        assert isinstance(start, Tour)
        order = start.order.tolist()
        if self.depot not in order:
            return
        at = order.index(self.depot)
        order = order[at:] + order[:at]
        used = set(zip(order, [*order[1:], order[0]], strict=True)) if len(order) > 1 else set()
        for arc, literal in self.arcs.items():
            yield literal, int(arc in used)
        for v, literal in self.skipped.items():
            yield literal, int(len(order) == 1 or v not in order)
