"""SISR: the moves and their undoing, and the whole search."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.instances.cvrp import Cvrp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes
from combopt.solvers import string_removal_kernels as kernels
from combopt.solvers.savings import savings_routes
from combopt.solvers.string_removal import StringRemoval, make_plan, problem_of, read_routes
from tests.brute import cvrp as brute_cvrp
from tests.brute import ovrp as brute_ovrp
from tests.solvers.routing import alone, here, medium

SETTINGS = kernels.Settings(removals=10, longest=10, split=0.5, deeper=0.01, blink=0.01, places=20)


def prepared(kind: str = "cvrp", **change: Any) -> tuple[Any, kernels.Problem, kernels.Plan]:
    instance = medium(kind, n=40)
    instance = type(instance).from_dict(instance.to_dict() | change)
    routes = savings_routes(instance)
    assert routes is not None
    problem = problem_of(instance, 20)
    return instance, problem, make_plan(problem, [tuple(route) for route in routes], 40, 12345)


def arrays(plan: kernels.Plan) -> list[Any]:
    rows = [kernels.AFTER, kernels.BEFORE, kernels.ROUTE]
    return [*plan.at[rows].tolist(), plan.of[[kernels.LOAD, kernels.SIZE]].tolist(), int(plan.info[kernels.FREE])]


@pytest.mark.parametrize("kind", ["cvrp", "ovrp"])
def test_undoing_restores_everything(kind: str) -> None:
    _, problem, plan = prepared(kind)
    for iteration in range(1, 200):
        before, cost = arrays(plan), float(plan.value[kernels.COST])
        kernels.ruin(problem, SETTINGS, plan, iteration)
        kernels.sort_removed(problem, plan)
        inserted = kernels.recreate(problem, SETTINGS, plan)
        kernels.undo(problem, plan, inserted)
        assert arrays(plan) == before
        assert plan.value[kernels.COST] == pytest.approx(cost, abs=1e-3)


@pytest.mark.parametrize("kind", ["cvrp", "ovrp"])
def test_cost_and_loads_are_kept_up_to_date(kind: str) -> None:
    instance, problem, plan = prepared(kind)
    kernels.search(problem, SETTINGS, plan, 1, 300, 20.0)
    routes = read_routes(plan, best=False)
    assert instance.evaluate(Routes(tuple(routes))).objective == pytest.approx(plan.value[kernels.COST], abs=1e-2)
    best = read_routes(plan, best=True)
    evaluation = instance.evaluate(Routes(tuple(best)))
    assert evaluation.feasible
    assert evaluation.objective == pytest.approx(plan.value[kernels.BEST], abs=1e-2)
    for route in routes:
        label = plan.at[kernels.ROUTE, route[0]]
        assert plan.of[kernels.LOAD, label] == instance.demand[list(route)].sum()
        assert plan.of[kernels.SIZE, label] == len(route)


def test_strings_hold_the_customer_and_no_more_than_their_length() -> None:
    _, problem, plan = prepared()
    longest = max(read_routes(plan, best=False), key=len)
    for length in range(1, len(longest) + 1):
        for customer in longest:
            plan.info[kernels.REMOVED] = 0
            kernels.remove_string(problem, plan, customer, length, 0)
            removed = plan.at[kernels.MOVED, :length].tolist()
            assert plan.info[kernels.REMOVED] == length
            first = longest.index(removed[0])
            assert tuple(removed) == longest[first : first + length]
            assert customer in removed
            kernels.undo(problem, plan, 0)


def test_computed_distances_are_those_of_the_metric() -> None:
    points = np.random.default_rng(0).uniform(0, 50, size=(6, 2))
    for rule, code in (("EUC_2D", 1), ("EXACT_2D", 2), ("DIMACS_2D", 3), ("CEIL_2D", 4)):
        metric = Metric(rule=rule, coordinates=points)
        instance = Cvrp(metric=metric, demand=np.array([0, 1, 1, 1, 1, 1]), capacity=3)
        problem = problem_of(instance, 3)._replace(rule=code, points=points)
        full = metric.full()
        for i in range(6):
            for j in range(6):
                assert kernels.distance(problem, i, j) == pytest.approx(float(full[i, j]))
                assert kernels.distance_from(problem, j, i) == pytest.approx(float(full[i, j]))


@pytest.mark.parametrize("brute", [brute_cvrp, brute_ovrp])
def test_tiny_instances_are_solved(brute: Any) -> None:
    missed = 0
    for seed in range(25):
        instance = brute.small(np.random.default_rng([seed, 9]))
        best = brute.best(instance)
        found = here(instance, "sisr", iterations=1000).objective
        if best is None:
            assert found is None
        else:
            missed += found is None or found > best + 1e-6
    assert missed <= 1


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ["cvrp", "ovrp"])
def test_it_improves_on_savings(kind: str, threads: int) -> None:
    instance = medium(kind, n=150)
    start, found = here(instance, "savings"), here(instance, "sisr", iterations=20_000, threads=threads)
    assert start.objective is not None
    assert found.objective is not None
    assert found.objective < 0.99 * start.objective
    assert found.messages == ()


def test_few_routes_on_two_threads() -> None:
    instance = Cvrp.from_dict(medium("cvrp", n=60).to_dict() | {"capacity": 10_000})
    assert here(instance, "sisr", iterations=5000, threads=2).objective is not None


def test_limits_on_length_and_fleet_are_kept() -> None:
    instance = medium("cvrp", n=50)
    reach = float(np.max(instance.metric.full()[0]))
    limited = Cvrp.from_dict(instance.to_dict() | {"max_length": 2.5 * reach, "vehicles": 50})
    result = here(limited, "sisr", iterations=5000)
    assert result.objective is not None
    assert result.messages == ()


def test_a_start_is_not_lost() -> None:
    instance = medium("cvrp")
    first = here(instance, "sisr", iterations=20_000)
    again = here(instance, "sisr", iterations=200, start=first.solution)
    assert first.objective is not None
    assert again.objective is not None
    assert again.objective <= first.objective


def test_it_stops_at_the_target() -> None:
    instance = medium("cvrp", n=100)
    result = api.solve(instance, "sisr", time_limit=30.0, target=1e9)
    assert result.seconds < 15.0
    assert result.stopped_by == "target"


def test_the_time_limit_is_kept() -> None:
    began = time.monotonic()
    result = api.solve(medium("cvrp", n=100), "sisr", time_limit=1.5, threads=2)
    assert time.monotonic() - began < 2.2
    assert result.objective is not None


@pytest.mark.parametrize("customers", [0, 1, 2, 3])
def test_hardly_any_customers(customers: int) -> None:
    assert here(alone(customers), "sisr", iterations=50).objective == (10 if customers else 0)


def test_a_matrix_too_large_is_refused() -> None:
    points = np.random.default_rng(0).uniform(0, 80, size=(5100, 2))
    demand = np.append(0, np.ones(5099, dtype=np.int64))
    refused = Cvrp(metric=Metric(rule="GEO", coordinates=points), demand=demand, capacity=9)
    taken = Cvrp(metric=Metric(rule="EUC_2D", coordinates=points), demand=demand, capacity=9)
    assert "matrix" in str(StringRemoval().why_not(refused))
    assert StringRemoval().why_not(taken) is None
