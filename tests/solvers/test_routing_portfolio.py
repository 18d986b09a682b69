"""HGS and SISR side by side."""

from __future__ import annotations

import time

import pytest

from combopt import api
from combopt.instances.cvrp import Cvrp
from tests.solvers.routing import alone, here, medium


@pytest.mark.parametrize("threads", [1, 2])
def test_it_is_as_good_as_its_parts(threads: int) -> None:
    instance = medium("cvrp")
    found = here(instance, "routing_portfolio", iterations=500, threads=threads).objective
    part = here(instance, "hgs", iterations=500).objective
    assert found is not None
    assert part is not None
    assert found <= part


def test_the_time_limit_is_kept() -> None:
    began = time.monotonic()
    result = api.solve(medium("cvrp", n=100), "routing_portfolio", time_limit=2.0, threads=2)
    assert time.monotonic() - began < 3.0
    assert result.objective is not None


@pytest.mark.parametrize("threads", [1, 2])
def test_a_start_is_not_lost(threads: int) -> None:
    instance = medium("cvrp")
    first = here(instance, "hgs", iterations=300)
    again = here(instance, "routing_portfolio", iterations=1, threads=threads, start=first.solution)
    assert first.objective is not None
    assert again.objective is not None
    assert again.objective <= first.objective


@pytest.mark.parametrize("customers", [0, 1, 3])
def test_hardly_any_customers(customers: int) -> None:
    assert here(alone(customers), "routing_portfolio", iterations=20, threads=2).objective == (10 if customers else 0)


def test_what_cannot_be_served() -> None:
    instance = Cvrp.from_dict(alone(4).to_dict() | {"demand": [0, 1, 1, 1, 9]})
    result = here(instance, "routing_portfolio", iterations=20, threads=2)
    assert result.solution is None
    assert result.messages == ()
