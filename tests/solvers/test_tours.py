"""First tours, nearest neighbour, and dynamic programming."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import Status, api
from combopt.errors import UnsupportedError, UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.solvers.held_karp import HeldKarp
from combopt.solvers.tours import (
    first_tour,
    hilbert_order,
    keep_fixed,
    nearest_neighbour_order,
    shortest_by_enumeration,
)
from tests.brute import atsp as brute_atsp
from tests.brute import tsp as brute_tsp

TINY = [brute.small(np.random.default_rng(number)) for brute in (brute_tsp, brute_atsp) for number in range(60)]
OPTIMA = [(brute_tsp if instance.kind == "tsp" else brute_atsp).best(instance) for instance in TINY]


def test_first_tours_are_feasible() -> None:
    assert all(instance.evaluate(Tour(first_tour(instance))).feasible for instance in TINY)


def test_hilberts_curve_walks_to_neighbouring_cells() -> None:
    grid = np.array([(x, y) for x in range(8) for y in range(8)], dtype=float)
    order = hilbert_order(grid)
    steps = np.abs(np.diff(grid[order], axis=0)).sum(axis=1)
    assert sorted(order.tolist()) == list(range(64))
    assert (steps == 1).mean() > 0.8


def test_hilberts_curve_takes_equal_points() -> None:
    assert sorted(hilbert_order(np.ones((5, 2))).tolist()) == [0, 1, 2, 3, 4]


def test_nearest_neighbour_prefers_the_lower_number() -> None:
    metric = Metric(rule="EUC_2D", coordinates=np.array([[0, 0], [1, 0], [-1, 0], [5, 0.0]]))
    assert nearest_neighbour_order(metric, 0).tolist() == [0, 1, 2, 3]
    assert nearest_neighbour_order(metric, 3).tolist() == [3, 1, 0, 2]


def test_nearest_neighbour_ends_with_what_is_left_when_told_to_stop() -> None:
    metric = Tsp.generate(np.random.default_rng(1), n=300).metric
    order = nearest_neighbour_order(metric, 0, lambda: True)
    assert sorted(order.tolist()) == list(range(300))
    assert np.array_equal(order[:60], nearest_neighbour_order(metric, 0)[:60])


def test_a_tour_with_the_fixed_edges_stays_as_it_is() -> None:
    instance = Tsp(metric=Tsp.generate(np.random.default_rng(1), n=6).metric, fixed_edges=np.array([[2, 5]]))
    order = np.array([5, 0, 1, 3, 4, 2])
    assert keep_fixed(instance, order).tolist() == order.tolist()
    assert keep_fixed(instance, np.arange(6)).tolist() == [0, 1, 2, 5, 3, 4]


def test_enumeration_finds_the_optimum() -> None:
    for instance, best in zip(TINY, OPTIMA, strict=True):
        found = instance.evaluate(Tour(shortest_by_enumeration(instance)))
        assert found.feasible
        assert found.objective == pytest.approx(best, rel=1e-12)


def test_dynamic_programming_proves_the_optimum() -> None:
    for instance, best in zip(TINY, OPTIMA, strict=True):
        result = api.solve(instance, "held_karp", isolate=False)
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(best, rel=1e-12)


def test_dynamic_programming_refuses_what_its_table_cannot_hold() -> None:
    with pytest.raises(UnsupportedError, match="at most 20 nodes"):
        api.solve(Tsp.generate(np.random.default_rng(1), n=21), "held_karp")
    assert HeldKarp().refuses(Atsp(metric=Metric(rule="EXPLICIT", matrix=np.full((3, 3), 2**50)))) is not None


def test_dynamic_programming_stops_in_time() -> None:
    result = api.solve(Tsp.generate(np.random.default_rng(1), n=20), "held_karp", time_limit=0.2, isolate=False)
    assert result.solution is not None
    assert result.seconds < 1.0


@pytest.mark.parametrize("kind", [Tsp, Atsp])
def test_auto_proves_tiny_instances(kind: type[Tsp] | type[Atsp]) -> None:
    result = api.solve(kind.generate(np.random.default_rng(1), n=9), time_limit=10)
    assert (result.solver, result.status) == ("held_karp", Status.OPTIMAL)


def test_nearest_neighbour_keeps_fixed_edges() -> None:
    for instance in TINY:
        result = api.solve(instance, "nearest_neighbour", isolate=False)
        assert result.solution is not None
        assert result.messages == ()


def test_nearest_neighbour_refuses_a_negative_start() -> None:
    with pytest.raises(UsageError):
        api.make_solver("nearest_neighbour", {"first": -1})
