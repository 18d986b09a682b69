"""Objective and all violations of a solution, against the arithmetic that is needed at least, in plain numpy."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from operator import mul
from typing import Any

import numpy as np

from benchmarks.micro.conftest import Pair
from combopt import api
from combopt.instances.solutions import Point, Routes, Selection, Tour


@cache
def answered(kind: str, solver: str, **parameters: Any) -> tuple[Any, Any]:
    """A random instance and the solution of a quick heuristic."""
    instance = api.generate(kind, seed=1, **parameters)
    return instance, api.solve(instance, solver, isolate=False, threads=1).solution


def test_tour(pair: Pair) -> None:
    """10,000 nodes, distances rounded up."""
    instance = api.generate("tsp", seed=1, n=10_000)
    tour = Tour(np.random.default_rng(1).permutation(10_000))
    points = instance.metric.coordinates

    def numpy() -> float:
        there = points[tour.order]
        return np.ceil(np.sqrt(((there - np.roll(there, -1, axis=0)) ** 2).sum(axis=1))).sum()

    found, length = pair(lambda: instance.evaluate(tour), numpy, "numpy: sum of distances")
    assert found.feasible
    assert found.objective == length


def test_routes(pair: Pair) -> None:
    """1,000 customers, distances rounded to nearest."""
    instance, solution = answered("cvrp", "savings", n=1000, family="x")
    assert isinstance(solution, Routes)
    points, demand = instance.metric.coordinates, instance.demand

    def numpy() -> tuple[float, bool]:
        length, fits = 0.0, True
        for route in solution.routes:
            stops = np.array((0, *route, 0))
            steps = points[stops[1:]] - points[stops[:-1]]
            length += np.floor(np.sqrt((steps**2).sum(axis=1)) + 0.5).sum()
            fits = fits and demand[stops].sum() <= instance.capacity
        return length, fits

    found, (length, fits) = pair(lambda: instance.evaluate(solution), numpy, "numpy: lengths and loads by route")
    assert found.feasible
    assert fits
    assert found.objective == length


def test_schedule(pair: Pair) -> None:
    """100 jobs on 20 machines."""
    instance, solution = answered("jobshop", "dispatching", n=100, m=20)

    def numpy() -> tuple[int, bool]:
        start = np.array(solution.start)
        end = start + instance.duration
        order = np.lexsort((start.ravel(), instance.machine.ravel()))
        same = np.diff(instance.machine.ravel()[order]) == 0
        apart = start.ravel()[order][1:] >= end.ravel()[order][:-1]
        return end.max(), bool((start[:, 1:] >= end[:, :-1]).all() and apart[same].all())

    found, (makespan, feasible) = pair(lambda: instance.evaluate(solution), numpy, "numpy: ends, one sort by machine")
    assert found.feasible
    assert feasible
    assert found.objective == makespan


def test_selection(pair: Pair) -> None:
    """An independent set of 10,000 vertices with 40,000 edges."""
    instance, solution = answered("mis", "greedy_graph", n=10_000, family="barabasi-albert")
    assert isinstance(solution, Selection)
    edges = instance.graph.edges

    def numpy() -> tuple[int, bool]:
        chosen = np.zeros(instance.graph.nodes, dtype=bool)
        chosen[solution.items] = True
        return len(solution.items), bool((chosen[edges[:, 0]] & chosen[edges[:, 1]]).any())

    found, (size, clash) = pair(lambda: instance.evaluate(solution), numpy, "numpy: a mask over the edges")
    assert found.feasible
    assert not clash
    assert found.objective == size


def test_mip_whole(pair: Pair) -> None:
    """100,000 entries, whole values: exact arithmetic is that of 64-bit floats."""
    from scipy.sparse import csr_array

    instance: Any = api.generate("mip", seed=1, n=2000, family="set_cover")
    point = Point(instance.columns, np.ones(len(instance.columns)))
    shape = len(instance.rows), len(instance.columns)
    matrix = csr_array((instance.row_value, instance.row_column, instance.row_start), shape=shape)

    def scipy() -> tuple[float, bool]:
        activity = matrix @ point.values
        outside = (activity < instance.row_lower - 1e-6) | (activity > instance.row_upper + 1e-6)
        return float(instance.cost @ point.values), bool(outside.any())

    found, (cost, outside) = pair(lambda: instance.evaluate(point), scipy, "scipy.sparse A @ x")
    assert found.feasible
    assert not outside
    assert found.objective == cost


def test_mip_fractions(pair: Pair) -> None:
    """20,000 entries, values of 16 digits (1/49): sums of long decimals."""
    instance: Any = api.generate("mip", seed=1, n=98, family="facility")
    sites = int(instance.integral.sum())
    point = Point(instance.columns, np.where(instance.integral, 1.0, 1.0 / sites))
    bounds = instance.row_start.tolist()
    columns, coefficients = instance.row_column.tolist(), instance.row_value.tolist()
    sides = list(zip(instance.row_lower.tolist(), instance.row_upper.tolist(), strict=True))

    def fractions() -> tuple[Fraction, int]:
        x = list(map(Fraction, point.values.tolist()))
        outside, tolerance = 0, Fraction(1, 10**6)
        for first, last, (low, high) in zip(bounds, bounds[1:], sides, strict=False):
            activity = sum(Fraction(coefficients[k]) * x[columns[k]] for k in range(first, last))
            outside += not low - tolerance <= activity <= high + tolerance
        return sum(map(mul, map(Fraction, instance.cost.tolist()), x)), outside

    found, (cost, outside) = pair(lambda: instance.evaluate(point), fractions, "fractions.Fraction, all sums")
    assert len(found.violations) == outside
    assert abs(found.objective - cost) <= 1e-12 * cost
