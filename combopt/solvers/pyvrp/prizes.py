"""PyVRP models of orienteering and the prize-collecting salesman: one vehicle, optional clients with prizes.

PyVRP minimises distance plus the prizes of the clients left out.  For orienteering a prize counts so much that no
distance can outweigh it and the limit is the vehicle's.  For the prize-collecting salesman the prize of a client is
its penalty; PyVRP knows no minimum prize, so where it binds, prizes get a share of what they bring on top of their
penalty (Lagrangian relaxation, with a multiplier estimated from a greedy tour), and every tour is mended before it
is handed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.instances.prizes import exact_sum
from combopt.instances.solutions import Tour
from combopt.model import Instance, Ints, Solution
from combopt.solvers.greedy_prize import greedy
from combopt.solvers.prize_problem import fine, span
from combopt.solvers.pyvrp.view import PyvrpView

if TYPE_CHECKING:
    import pyvrp

LARGEST = 2**30
"""Largest distance handed over as it is."""
FINE = 2**20
"""Largest distance after scaling where distances are no integers, or too large."""
BISECTED, BISECTIONS, SHORT = 400, 5, 200
"""Nodes up to which the multiplier is bisected, how often, and the iterations of each run for it."""
WEIGHT = 2**50
"""All prizes together stay below, so that PyVRP's sums hold."""


def first(instance: Instance) -> Solution | None:
    """A greedy tour."""
    return greedy(instance)


def build(instance: Instance) -> PyvrpView:
    assert isinstance(instance, (Op, Pctsp))
    if isinstance(instance, Op):
        depot, end = instance.depot, instance.depot if instance.end is None else instance.end
    else:
        depot = end = 0
    clients = np.setdiff1d(np.arange(instance.nodes), [depot, end])
    data = _data(instance, depot, end, clients)

    def decode(found: pyvrp.Solution) -> Solution:
        visits = [step.idx for route in found.routes() for step in route if step.is_client()]
        order = [depot, *clients[visits].tolist(), *([end] if end != depot else [])]
        tour = Tour(np.array(order, dtype=np.int64))
        return mended(instance, tour) if isinstance(instance, Pctsp) else tour

    def encode(start: Solution) -> pyvrp.Solution | None:
        import pyvrp

        assert isinstance(start, Tour)
        if not instance.evaluate(start).feasible:
            return None
        order = np.roll(start.order, -int(np.flatnonzero(start.order == depot)[0]))
        visits = np.searchsorted(clients, order[~np.isin(order, [depot, end])])
        return pyvrp.Solution(data, [visits.tolist()] if visits.size else [])

    return PyvrpView(data=data, decode=decode, encode=encode)


def _data(instance: Op | Pctsp, depot: int, end: int, clients: Ints) -> pyvrp.ProblemData:
    import pyvrp

    scale, lengths = scaled(instance.metric)
    limit = 2**62
    if isinstance(instance, Op):
        limit = min(limit, math.floor(Fraction(instance.limit) * scale))
        values = _weighted(instance.prize, limit)
    else:
        values = _values(instance, float(scale), 0.0)
    points = np.zeros((instance.nodes, 2)) if instance.metric.coordinates is None else instance.metric.coordinates
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(float(row[0]), float(row[1])) for row in points],
        clients=[pyvrp.Client(i, prize=int(values[i]), required=False) for i in clients.tolist()],
        depots=[pyvrp.Depot(depot), *([pyvrp.Depot(end)] if end != depot else [])],
        vehicle_types=[pyvrp.VehicleType(1, end_depot=int(end != depot), max_distance=limit)],
        distance_matrices=[lengths],
        duration_matrices=[np.zeros_like(lengths)],
    )
    return data if isinstance(instance, Op) else _multiplied(instance, data, float(scale))


def scaled(metric: Metric) -> tuple[Fraction, Ints]:
    """Steps per unit of length, and the distances in steps, rounded up where they are not whole or too large."""
    if metric.integral and span(metric) <= LARGEST:
        return Fraction(metric.unit), metric.full()
    factor = fine(metric, FINE)
    return factor * metric.unit, np.ceil(metric.full() * float(factor)).astype(np.int64)


def _weighted(prize: Ints, limit: int) -> Ints:
    """Prizes times more than any length, as far as the numbers allow."""
    total = max(1, exact_sum(prize))
    weight = min(limit + 1, WEIGHT // total)
    if weight >= 1:
        return prize * weight
    return prize // -(-total // WEIGHT)


def _values(instance: Pctsp, scale: float, rate: float) -> Ints:
    """Penalties, raised by ``rate`` for each unit of prize, in steps."""
    values = scale * (instance.penalty + rate * instance.prize)
    return np.rint(np.minimum(values, WEIGHT / instance.nodes)).astype(np.int64)


def _multiplied(instance: Pctsp, data: pyvrp.ProblemData, scale: float) -> pyvrp.ProblemData:
    """The data with the least multiplier, by bisection over short runs, with which the minimum prize is met.

    For large instances, where no run is short, the multiplier of a greedy tour.
    """

    def raised(rate: float) -> pyvrp.ProblemData:
        import pyvrp

        values = _values(instance, scale, rate)
        return data.replace(
            clients=[pyvrp.Client(c.location, prize=int(values[c.location]), required=False) for c in data.clients()]
        )

    guess = multiplier(instance)
    if instance.nodes > BISECTED:
        return raised(guess)
    if _collected(instance, data) >= instance.min_prize:
        return data
    low, high = 0.0, max(guess, 1e-6)
    for _ in range(BISECTIONS):
        rate = (low + high) / 2
        if _collected(instance, raised(rate)) >= instance.min_prize:
            high = rate
        else:
            low = rate
    return raised(high)


def _collected(instance: Pctsp, data: pyvrp.ProblemData) -> int:
    """The prize that a short run collects."""
    import pyvrp
    from pyvrp.stop import MaxIterations

    clients, prize = data.clients(), int(instance.prize[0])
    best = pyvrp.solve(data, MaxIterations(SHORT), collect_stats=False, display=False).best
    for route in best.routes():
        prize += sum(int(instance.prize[clients[step.idx].location]) for step in route if step.is_client())
    return prize


def multiplier(instance: Pctsp) -> float:
    """What a prize is worth at the margin of a greedy tour: the dearest tenth of the nodes that only the minimum
    prize pays for."""
    tour = greedy(instance)
    if tour is None or len(tour.order) < 3:
        return 0.0
    saved = savings(instance.metric, tour.order) / instance.metric.unit - instance.penalty[tour.order]
    prize = instance.prize[tour.order]
    binding = (saved > 0) & (prize > 0)
    binding[tour.order == 0] = False
    return float(np.quantile(saved[binding] / prize[binding], 0.9)) if binding.any() else 0.0


def savings(metric: Metric, order: Ints) -> Ints:
    """By how much the tour gets shorter without each of its nodes."""
    before, after = np.roll(order, 1), np.roll(order, -1)
    joined = metric.between(before, after)
    return metric.between(before, order) + metric.between(order, after) - joined


def mended(instance: Pctsp, tour: Tour) -> Tour:
    """The tour with nodes added until the minimum prize is met, and without those that do not pay."""
    order = tour.order
    collected = exact_sum(instance.prize[order])
    while collected < instance.min_prize:
        left = np.setdiff1d(np.arange(instance.nodes), order)
        left = left[instance.prize[left] > 0]
        if not left.size:
            return Tour(order)
        order = _inserted(instance, order, left, instance.min_prize - collected)
        collected = exact_sum(instance.prize[order])
    while len(order) > 1:
        gain = savings(instance.metric, order) / instance.metric.unit - instance.penalty[order]
        gain[(order == 0) | (collected - instance.prize[order] < instance.min_prize)] = 0
        worst = int(np.argmax(gain))
        if gain[worst] <= 0:
            break
        collected -= int(instance.prize[order[worst]])
        order = np.delete(order, worst)
    return Tour(order)


def _inserted(instance: Pctsp, order: Ints, left: Ints, short: int) -> Ints:
    """The tour with the node of the least net cost per prize, of which no more than ``short`` counts."""
    between: Callable[..., Ints] = instance.metric.between
    after = np.roll(order, -1)
    cost = between(left[:, None], order) + between(left[:, None], after) - between(order, after)
    place = np.argmin(cost, axis=1)
    net = cost[np.arange(len(left)), place] / instance.metric.unit - instance.penalty[left]
    best = int(np.argmin(net / np.minimum(instance.prize[left], short)))
    return np.insert(order, int(place[best]) + 1, left[best])
