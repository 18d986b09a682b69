"""HGS-CVRP: what it is given, what it refuses, and that it never ends the process."""

from __future__ import annotations

import time

import numpy as np
import pytest

from combopt import api
from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.solvers.hgs import Hgs, servable
from tests.solvers.routing import alone, here, medium


def test_it_improves_on_savings() -> None:
    instance = medium("cvrp")
    start, found = here(instance, "savings"), here(instance, "hgs", iterations=300)
    assert start.objective is not None
    assert found.objective is not None
    assert found.objective < start.objective


def test_time_is_kept_with_an_answer_in_between() -> None:
    began = time.monotonic()
    result = api.solve(medium("cvrp", n=120), "hgs", time_limit=2.0)
    assert time.monotonic() - began < 3.0
    assert len(result.trace) >= 1


@pytest.mark.parametrize("customers", [0, 1, 2, 3, 4, 5])
def test_hardly_any_customers(customers: int) -> None:
    result = here(alone(customers), "hgs", iterations=20)
    assert result.objective == (10 if customers else 0)


@pytest.mark.parametrize(
    "change", [{"demand": [0, 1, 1, 1, 9]}, {"vehicles": 0}, {"max_length": 9.0}, {"capacity": 0}]
)
def test_what_cannot_be_served_is_not_handed_to_the_package(change: dict[str, object]) -> None:
    instance = Cvrp.from_dict(alone(4).to_dict() | change)
    assert not servable(instance)
    assert here(instance, "hgs", iterations=20).solution is None


def test_limits_are_kept() -> None:
    instance = medium("cvrp", n=40)
    routes = instance.fewest + 1
    reach = float(np.max(instance.metric.full()[0]))
    limited = Cvrp.from_dict(instance.to_dict() | {"vehicles": routes + 3, "max_length": 2.6 * reach})
    result = here(limited, "hgs", iterations=200)
    assert not [message for message in result.messages if "infeasible" in message]


def test_asymmetric_distances_are_refused() -> None:
    metric = Metric(rule="EXPLICIT", matrix=np.array([[0, 1, 10], [20, 0, 2], [3, 30, 0]]))
    assert Hgs().why_not(Cvrp(metric=metric, demand=np.array([0, 1, 1]), capacity=2))


@pytest.mark.parametrize("factor", [1e-3, 3e7])
def test_amounts_of_any_scale(factor: float) -> None:
    plain = Cvrp.generate(np.random.default_rng(5), n=40)
    points = plain.metric.coordinates
    assert points is not None
    large = max(1, round(factor))
    scaled = Cvrp(
        metric=Metric(rule="EXACT_2D", coordinates=points * factor),
        demand=plain.demand * large,
        capacity=plain.capacity * large,
    )
    found = [api.solve(i, "hgs", iterations=300, time_limit=20, isolate=False) for i in (plain, scaled)]
    assert all(not result.messages for result in found)
    assert found[1].objective == pytest.approx(factor * found[0].objective, rel=0.01)
    assert found[1].objective < 0.99 * api.solve(scaled, "savings", isolate=False).objective
