"""PyVRP models of the symmetric and asymmetric TSP: one vehicle that must visit all clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.atsp import Atsp
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.model import Instance, Ints, Solution
from combopt.solvers.pyvrp.view import PyvrpView
from combopt.solvers.tours import keep_fixed, nearest_neighbour_order

if TYPE_CHECKING:
    import pyvrp

LARGEST = 2**30
"""Largest distance handed over as it is; larger ones, and those that are no integers, are scaled to this."""


def first(instance: Instance) -> Solution | None:
    """A nearest neighbour tour."""
    assert isinstance(instance, (Tsp, Atsp))
    return Tour(keep_fixed(instance, nearest_neighbour_order(instance.metric, 0)))


def build(instance: Instance) -> PyvrpView:
    """Node 0 is the depot and node v the client v - 1.

    Distances are exact where they are integers up to ``LARGEST``.  Fixed edges are made so short that the search
    keeps them, and a tour that lost one all the same is mended.
    """
    assert isinstance(instance, (Tsp, Atsp))
    data = _data(instance)

    def decode(found: pyvrp.Solution) -> Solution:
        order = [0, *(step.idx + 1 for route in found.routes() for step in route if step.is_client())]
        return Tour(keep_fixed(instance, np.array(order, dtype=np.int64)))

    def encode(start: Solution) -> pyvrp.Solution | None:
        import pyvrp

        assert isinstance(start, Tour)
        if not instance.evaluate(start).feasible or instance.nodes < 2:
            return None
        turned = np.roll(start.order, -int(np.flatnonzero(start.order == 0)[0]))
        return pyvrp.Solution(data, [(turned[1:] - 1).tolist()])

    return PyvrpView(data=data, decode=decode, encode=encode)


def _data(instance: Tsp | Atsp) -> pyvrp.ProblemData:
    import pyvrp

    distances = search_distances(instance, LARGEST)
    points = instance.metric.coordinates
    points = np.zeros((instance.nodes, 2)) if points is None else points
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(float(row[0]), float(row[1])) for row in points],
        clients=[pyvrp.Client(node) for node in range(1, instance.nodes)],
        depots=[pyvrp.Depot(0)],
        vehicle_types=[pyvrp.VehicleType(1)],
        distance_matrices=[distances],
        duration_matrices=[np.zeros_like(distances)],
    )


def search_distances(instance: Tsp | Atsp, largest: int) -> Ints:
    """``int64[n, n]`` of distances from 0 to about ``largest`` that rank tours as the instance's own do.

    They are shifted if any is negative, scaled if they are too large or no integers, and fixed edges get 0 while all
    others get twice the largest difference more.
    """
    raw = instance.metric.full()
    low = min(0, raw.min().item())
    span = raw.max().item() - low
    shift = 2 * span if len(instance.fixed_edges) else 0
    out = raw - low + shift
    if not instance.metric.integral or span + shift > largest:
        out = np.rint(out * (largest / (span + shift))).astype(np.int64) if span else np.zeros(out.shape, np.int64)
    a, b = instance.fixed_edges.T
    out[a, b] = 0
    if isinstance(instance, Tsp):
        out[b, a] = 0
    np.fill_diagonal(out, 0)
    return out
