"""The solver ``pyvrp``: limits, seeds, what it hands over."""

from __future__ import annotations

import importlib
import time

import pytest

from combopt import api
from combopt.result import StoppedBy
from combopt.solvers.pyvrp.models import MODELS
from tests.solvers.routing import here, medium


def test_iterations_are_a_limit() -> None:
    result = here(medium("cvrp"), "pyvrp", iterations=50)
    assert result.stopped_by is StoppedBy.ITERATIONS
    assert result.seconds < 15.0


def test_the_seed_decides() -> None:
    instance = medium("cvrp")
    one, two = (here(instance, "pyvrp", iterations=200, seed=4) for _ in range(2))
    assert one.solution == two.solution


def test_improvements_arrive_while_it_runs() -> None:
    result = here(medium("cvrp", n=150), "pyvrp", time_limit=2.0)
    assert len(result.trace) >= 2
    assert result.trace[0].seconds < 1.5
    assert result.stopped_by is StoppedBy.TIME


def test_it_stops_at_the_target_at_once() -> None:
    began = time.monotonic()
    result = api.solve(medium("vrptw"), "pyvrp", time_limit=30.0, target=1e9)
    assert result.stopped_by is StoppedBy.TARGET
    assert time.monotonic() - began < 10.0


def test_too_many_nodes_are_refused() -> None:
    from combopt.solvers.pyvrp.solver import NODE_LIMIT, Pyvrp

    class Large:
        kind = "cvrp"

        def size(self) -> dict[str, int]:
            return {"customers": NODE_LIMIT + 1}

    assert "matrix" in str(Pyvrp().refuses(Large()))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_quick_solution_comes_before_the_search(kind: str) -> None:
    instance = api.generate(kind, seed=3, n=60)
    quick = importlib.import_module(MODELS[kind]).first(instance)
    assert instance.evaluate(quick).feasible
    result = here(instance, "pyvrp", iterations=1)
    assert result.trace[0].objective == instance.evaluate(quick).objective
