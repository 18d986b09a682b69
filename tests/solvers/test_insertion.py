"""Solomon's insertion."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.solvers.insertion import insertion_routes
from tests.brute import vrptw as brute_vrptw
from tests.solvers.routing import here, medium


@pytest.mark.parametrize("family", ["r1", "c2", "rc1"])
def test_routes_are_feasible_and_few(family: str) -> None:
    instance = Vrptw.generate(np.random.default_rng(0), n=50, family=family)
    routes = insertion_routes(instance)
    assert routes is not None
    assert len(routes) < 30
    assert instance.evaluate(Routes(tuple(map(tuple, routes)))).feasible


def test_tiny_instances() -> None:
    for seed in range(60):
        instance = brute_vrptw.small(np.random.default_rng(seed))
        routes = insertion_routes(instance)
        best = brute_vrptw.best(instance)
        if routes is None:
            assert best is None or instance.metric.rule == "EXPLICIT"  # elsewhere a detour never saves time
            continue
        free = Vrptw.from_dict(instance.to_dict() | {"vehicles": None})
        evaluation = free.evaluate(Routes(tuple(map(tuple, routes))))
        assert evaluation.feasible
        if best is not None and len(routes) <= (instance.vehicles or 9):
            assert evaluation.objective >= best - 1e-9


def test_too_many_routes_are_not_handed_over() -> None:
    instance = Vrptw.from_dict(medium("vrptw", n=20).to_dict() | {"vehicles": 1})
    result = here(instance, "insertion")
    assert result.solution is None
    assert result.messages == ()
