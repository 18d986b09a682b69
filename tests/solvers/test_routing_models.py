"""PyVRP, OR-Tools and CP-SAT on vehicle routing: values, limits and what they cannot do."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.vrptw import Vrptw
from combopt.model import Instance
from combopt.solvers.cpsat.vehicles import refuses
from combopt.solvers.pyvrp.vehicles import build, scale
from combopt.solvers.rounding import rounded_down, rounded_up
from tests.brute import cvrp as brute_cvrp
from tests.brute import ovrp as brute_ovrp
from tests.brute import vrptw as brute_vrptw
from tests.solvers.routing import alone, here, medium

BRUTE = {"cvrp": brute_cvrp, "ovrp": brute_ovrp, "vrptw": brute_vrptw}


@pytest.mark.parametrize("solver", ["pyvrp", "ortools_routing"])
@pytest.mark.parametrize("kind", ["cvrp", "ovrp", "vrptw"])
def test_tiny_instances_are_solved(solver: str, kind: str) -> None:
    missed = 0
    for seed in range(12):
        instance: Instance = BRUTE[kind].small(np.random.default_rng([seed, 4]))  # type: ignore[attr-defined]
        best = BRUTE[kind].best(instance)  # type: ignore[attr-defined]
        result = here(instance, solver, iterations=100)
        assert result.messages == ()
        if best is None:
            assert result.objective is None
        else:
            missed += result.objective is None or result.objective > best + 1e-6
    assert missed <= 1


@pytest.mark.parametrize("kind", ["cvrp", "ovrp", "vrptw"])
def test_cpsat_proves_small_instances(kind: str) -> None:
    instance = medium(kind, n=7)
    result = here(instance, "cpsat")
    assert result.status == "optimal"
    best = BRUTE[kind].best(instance)  # type: ignore[attr-defined]
    assert result.objective == best


def test_cpsat_proves_infeasibility() -> None:
    assert here(Cvrp.from_dict(alone(3).to_dict() | {"demand": [0, 1, 1, 9]}), "cpsat").status == "infeasible"
    assert here(Cvrp.from_dict(alone(3).to_dict() | {"vehicles": 0}), "cpsat").status == "infeasible"
    assert here(Cvrp.from_dict(alone(3).to_dict() | {"max_length": 9.0}), "cpsat").status == "infeasible"


def test_cpsat_reaches_a_customer_sooner_through_another() -> None:
    matrix = np.array([[0, 1, 20], [9, 0, 1], [1, 9, 0]])
    instance = Cvrp(
        metric=Metric(rule="EXPLICIT", matrix=matrix), demand=np.array([0, 1, 1]), capacity=2, max_length=3.0
    )
    result = here(instance, "cpsat")
    assert (result.status, result.objective) == ("optimal", 3)


def test_cpsat_refuses_what_it_cannot_decide() -> None:
    exact = Metric(rule="EXACT_2D", coordinates=np.array([[0.0, 0], [1, 1]]))
    assert refuses(Cvrp(metric=exact, demand=np.array([0, 1]), capacity=1)) is None
    assert refuses(Cvrp(metric=exact, demand=np.array([0, 1]), capacity=1, max_length=9.0)) is not None
    assert refuses(medium("cvrp", n=100)) is not None


@pytest.mark.parametrize("solver", ["pyvrp", "ortools_routing", "cpsat"])
@pytest.mark.parametrize("kind", ["cvrp", "ovrp", "vrptw"])
def test_a_start_is_taken_over(solver: str, kind: str) -> None:
    instance = medium(kind, n=20)
    first = here(instance, "pyvrp", iterations=300)
    seen: list[Any] = []
    here(instance, solver, time_limit=1.0, start=first.solution, report=lambda p: seen.append(p.objective))
    assert seen
    assert seen[0] == first.objective


@pytest.mark.parametrize("solver", ["pyvrp", "ortools_routing"])
@pytest.mark.parametrize("kind", ["cvrp", "ovrp", "vrptw"])
def test_the_depot_alone(solver: str, kind: str) -> None:
    result = here(medium(kind, n=0) if kind != "vrptw" else _no_customers(), solver, iterations=5)
    assert result.objective == 0


def _no_customers() -> Vrptw:
    metric = Metric(rule="EUC_2D", coordinates=np.zeros((1, 2)))
    none = np.zeros(1)
    return Vrptw(metric=metric, demand=np.zeros(1, int), capacity=1, ready=none, due=none + 9, service=none)


def test_distances_are_scaled_only_if_need_be() -> None:
    whole, exact = alone(3), dataclasses.replace(alone(3), metric=_exact())
    assert scale(whole, whole.metric.full()) == 1.0
    factor = scale(exact, exact.metric.full())
    assert 1e5 <= factor * 5 <= 1e6
    assert np.log10(factor).is_integer()


def _exact() -> Metric:
    return Metric(rule="EXACT_2D", coordinates=np.array([[0.0, 0], *[[3.0, 4]] * 3]))


def test_pyvrp_gets_no_return_arcs_for_open_routes() -> None:
    data = build(medium("ovrp", n=5)).data
    assert not np.asarray(data.distance_matrix(0))[:, 0].any()


def test_large_demands_do_not_overflow() -> None:
    big = 2**50
    instance = Cvrp.from_dict(alone(3).to_dict() | {"demand": [0, big, big, big], "capacity": 3 * big})
    assert here(instance, "pyvrp", iterations=50).objective == 10


def test_rounding_ignores_the_errors_of_doubles() -> None:
    assert rounded_up(np.array([0.1 + 0.2, 3.0, 2.5]) * 10).tolist() == [3, 30, 25]
    assert rounded_up([3.0000000000000004, 2.1]).tolist() == [3, 3]
    assert rounded_down([2.9999999999999996, 2.9]).tolist() == [3, 2]
