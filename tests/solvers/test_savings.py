"""Savings and the near pairs that they look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.ovrp import Ovrp
from combopt.instances.solutions import Routes
from combopt.solvers import route_neighbours
from combopt.solvers.route_neighbours import near_pairs
from combopt.solvers.savings import fit_to_fleet, savings_routes
from tests.brute import cvrp as brute_cvrp
from tests.brute import ovrp as brute_ovrp
from tests.solvers.routing import alone, medium


def as_routes(routes: list[list[int]]) -> Routes:
    return Routes(tuple(map(tuple, routes)))


@pytest.mark.parametrize("brute", [brute_cvrp, brute_ovrp])
def test_tiny_instances_are_served_whenever_they_can_be(brute: Any) -> None:
    unserved = 0
    for seed in range(80):
        instance = brute.small(np.random.default_rng(seed))
        best, routes = brute.best(instance), savings_routes(instance)
        if routes is None:
            unserved += best is not None
            continue
        evaluation = instance.evaluate(as_routes(routes))
        if best is not None:
            assert evaluation.feasible
            assert evaluation.objective >= best - 1e-9
    assert unserved <= 2  # tight fleets may be missed


def test_the_example_of_a_single_route() -> None:
    assert savings_routes(alone(4)) is not None
    assert len(savings_routes(alone(4)) or []) == 1


def test_links_with_the_largest_saving_come_first() -> None:
    points = np.array([[0.0, 0], [10, 1], [10, -1], [-10, 1], [-10, -1]])
    instance = Cvrp(metric=Metric(rule="EUC_2D", coordinates=points), demand=np.array([0, 1, 1, 1, 1]), capacity=2)
    routes = savings_routes(instance)
    assert sorted(map(sorted, routes or [])) == [[1, 2], [3, 4]]


def test_open_routes_have_a_direction() -> None:
    points = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
    instance = Ovrp(metric=Metric(rule="EUC_2D", coordinates=points), demand=np.array([0, 1, 1, 1]), capacity=3)
    routes = savings_routes(instance)
    assert routes == [[1, 2, 3]]


def test_limit_on_length_is_kept() -> None:
    instance = medium("cvrp")
    reach = float(np.max(instance.metric.full()[0]))
    limited = Cvrp.from_dict(instance.to_dict() | {"max_length": 2.2 * reach, "service": [0.0, *[5.0] * 60]})
    if savings_routes(limited) is None:
        limited = Cvrp.from_dict(limited.to_dict() | {"max_length": 2.2 * reach + 5.0})
    routes = savings_routes(limited)
    assert routes is not None
    assert limited.evaluate(as_routes(routes)).feasible


def test_routes_are_fitted_to_a_fleet() -> None:
    instance = medium("cvrp", n=40, seed=1)
    tight = Cvrp.from_dict(instance.to_dict() | {"vehicles": instance.fewest + 1})
    routes = fit_to_fleet(tight, [[c] for c in range(1, 41)], instance.fewest + 1)
    assert routes is not None
    assert tight.evaluate(as_routes(routes)).feasible


def test_a_customer_that_no_vehicle_holds() -> None:
    instance = Cvrp.from_dict(alone(2).to_dict() | {"demand": [0, 1, 9]})
    assert savings_routes(instance) is None


def test_near_pairs_through_the_grid_are_nearly_all_near(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = Metric(rule="EUC_2D", coordinates=np.random.default_rng(0).integers(0, 1000, size=(801, 2)).astype(float))
    exact = {tuple(pair) for pair in near_pairs(metric, 8).tolist()}
    monkeypatch.setattr(route_neighbours, "WHOLE", 10)
    found = near_pairs(metric, 8)
    assert len(found) == 800 * 8
    assert (found[:, 0] != found[:, 1]).all()
    assert len(exact - {tuple(pair) for pair in found.tolist()}) < 0.03 * len(exact)


def test_near_pairs_of_points_that_are_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_neighbours, "WHOLE", 10)
    assert len(near_pairs(Metric(rule="EUC_2D", coordinates=np.zeros((101, 2))), 5)) == 500


@pytest.mark.parametrize("customers", [0, 1, 2])
def test_near_pairs_of_hardly_any_customers(customers: int) -> None:
    metric = Metric(rule="EUC_2D", coordinates=np.zeros((customers + 1, 2)))
    assert len(near_pairs(metric, 5)) == (2 if customers == 2 else 0)


def test_a_large_instance_takes_no_matrix() -> None:
    instance = Cvrp.generate(np.random.default_rng(0), n=6000, family="x")
    routes = savings_routes(instance, 20)
    assert routes is not None
    assert instance.evaluate(as_routes(routes)).feasible
