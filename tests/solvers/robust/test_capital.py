"""The solver of capital budgeting: exact worst cases, exact optima, bounds that hold when it is stopped."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from combopt import api
from combopt.errors import UsageError
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.solutions import RobustPlan
from combopt.result import Result, Status
from combopt.solvers.robust.capital import CapitalBudgetingSolver
from combopt.solvers.robust.capital_recourse import Scenarios, complete
from tests.brute import capital_budgeting as brute


def solve(instance: CapitalBudgeting, limit: float = 20.0, **options: object) -> Result:
    return api.solve(instance, "capital_budgeting", isolate=False, time_limit=limit, threads=1, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Compile everything before time limits count."""
    solve(CapitalBudgeting.generate(np.random.default_rng(0), n=8), 60.0)


@pytest.mark.parametrize("solver", ["highs", "scip"])
def test_optima_of_small_instances(solver: str) -> None:
    for seed in range(25):
        instance = brute.small(np.random.default_rng([2, seed]))
        best = brute.best(instance)
        result = solve(instance, options={"solver": solver})
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(best, abs=1e-6), seed


def test_completions_are_exact() -> None:
    for seed in range(150):
        rng = np.random.default_rng([3, seed])
        instance = brute.small(rng)
        first = (rng.random(instance.projects) < 0.5).astype(float)
        found = complete(instance, first)
        if instance.worst_cost(first)[0] > instance.limit:
            assert not instance.evaluate(found.plan).feasible
            continue
        value = brute.worst(instance, first)
        assert found.lower == pytest.approx(value, abs=1e-6), seed
        assert found.upper == pytest.approx(value, abs=1e-6), seed
        assert instance.evaluate(found.plan).objective == pytest.approx(found.lower, abs=1e-9)


def test_a_completion_proves_a_worst_case_of_twenty_projects() -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(4), n=20)
    first = np.zeros(20)
    first[[2, 5]] = 1
    found = complete(instance, first)
    assert found.lower <= found.upper <= found.lower * (1 + 1e-6)
    # The best recourse in the scenario of the plan is worth no more: an upper bound of the worst case.
    value, top, _ = Scenarios(instance, found.plan.scenario).best(0, first.astype(np.int64))
    assert value <= top <= found.upper + 1e-9


def test_a_completion_stopped_early_gives_bounds() -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(4), n=20)
    first = np.zeros(20)
    first[2] = 1
    exact = complete(instance, first)
    calls = itertools.count()
    early = complete(instance, first, stopping=lambda: next(calls) > 15)
    assert early.lower <= exact.lower + 1e-7
    assert early.upper >= exact.upper - 1e-6
    assert early.lower < early.upper - 0.01
    assert instance.evaluate(early.plan).feasible
    cut = complete(instance, first, cutoff=exact.upper * 1.5)
    assert cut.upper < exact.upper * 1.5
    assert len(cut.met) < len(exact.met)


def test_the_recourse_is_a_knapsack_solved_exactly() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        instance = CapitalBudgeting.generate(rng, n=9, factors=2)
        xi = rng.uniform(-1, 1, 2)
        cost, profit = instance.costs(xi), instance.profits(xi)
        x = np.zeros(9, dtype=np.int64)
        x[rng.integers(0, 9)] = 1
        if cost @ x > instance.limit:
            continue
        value, top, y = Scenarios(instance, xi).best(0, x)
        rows = np.array(list(itertools.product((0, 1), repeat=9)))
        rows = rows[(rows @ x == 0) & ((rows + x) @ cost <= instance.limit)]
        best = (profit @ x + 0.8 * rows @ profit).max()
        assert value == pytest.approx(best, rel=1e-8)
        assert value <= top <= value * (1 + 1e-8)
        assert profit @ x + 0.8 * y @ profit == pytest.approx(value)
        assert cost @ (x + y) <= instance.limit


def test_an_upper_bound_of_the_pool_holds_for_every_first_stage() -> None:
    rng = np.random.default_rng(6)
    instance = CapitalBudgeting.generate(rng, n=12, factors=3)
    pool = Scenarios(instance, rng.uniform(-1, 1, (8, 3)))
    for _ in range(20):
        x = (rng.random(12) < 0.2).astype(np.int64)
        if instance.worst_cost(x)[0] <= instance.limit:
            value, scenario = pool.worth(x)
            assert value == pytest.approx(min(pool.best(s, x)[1] for s in range(8)))
            assert pool.best(scenario, x)[1] == pytest.approx(value)
            assert complete(instance, x).lower <= value + 1e-6


def test_ten_projects_are_solved_to_proof_and_a_start_is_used() -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(7), n=10)
    result = solve(instance, 60.0)
    assert result.status is Status.OPTIMAL
    assert result.objective is not None
    assert isinstance(result.solution, RobustPlan)
    again = solve(instance, 60.0, start=result.solution, target=float(result.objective))
    assert again.objective == result.objective
    assert len(again.trace) == 1
    # No first stage with one project more or less guarantees more.
    for i in range(10):
        other = result.solution.first.copy()
        other[i] = 1 - other[i]
        if instance.worst_cost(other)[0] <= instance.limit:
            assert complete(instance, other).lower <= result.objective + 1e-6


def test_a_run_out_of_time_has_a_plan_and_a_bound() -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(9), n=60)
    result = solve(instance, 6.0)
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert result.objective is not None
    assert result.objective > 0
    assert result.bound is None or result.bound >= result.objective
    assert result.seconds < 8


def test_the_general_kind_agrees_over_some_scenarios() -> None:
    for seed in range(6):
        rng = np.random.default_rng([10, seed])
        instance = brute.small(rng)
        scenarios = rng.uniform(-1, 1, (4, instance.factors))
        result = api.solve(instance.to_robust(scenarios), isolate=False, time_limit=20.0, threads=1)
        pool = Scenarios(instance, scenarios)
        plans = [np.array(x) for x in itertools.product((0, 1), repeat=instance.projects)]
        fits = [x for x in plans if instance.worst_cost(x.astype(float))[0] <= instance.limit]
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(max(pool.worth(x)[0] for x in fits), abs=1e-6), seed
        assert result.objective >= brute.best(instance) - 1e-6


def test_no_budget_and_budget_for_all() -> None:
    data = {"cost": [1, 2], "profit": [1, 1], "cost_factors": [[1], [-1]], "profit_factors": [[1], [1]]}
    nothing = solve(CapitalBudgeting(**data, budget=0))  # type: ignore[arg-type]
    assert (nothing.status, nothing.objective) == (Status.OPTIMAL, 0)
    everything = solve(CapitalBudgeting(**data, budget=9))  # type: ignore[arg-type]
    assert everything.status is Status.OPTIMAL
    assert everything.objective == pytest.approx(1)  # all now, half of the profit where xi = -1


def test_options_are_checked() -> None:
    with pytest.raises(UsageError):
        CapitalBudgetingSolver(solver="gurobi")
    with pytest.raises(UsageError):
        CapitalBudgetingSolver(rounds=-1)
