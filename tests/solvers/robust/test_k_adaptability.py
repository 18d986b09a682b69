"""K-adaptability against all choices of k decisions, and what it must keep when it is stopped."""

from __future__ import annotations

import itertools
import math
import time
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.budget import Budget
from combopt.errors import UnsupportedError, UsageError
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.robust import TwoStageRobust
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.robust_stage import SecondStage
from combopt.instances.solutions import RobustPlan
from combopt.model import Instance, Sense
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.base import Event, Session
from combopt.solvers.robust import capital_recourse
from combopt.solvers.robust.k_adaptability import KAdaptability
from tests.brute import capital_budgeting as brute_capital
from tests.brute import robust as brute
from tests.brute import robust_knapsack as brute_knapsack

MANY = 400
"""Choices of k decisions that are enumerated at most for one first stage."""


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Compile everything before time limits count."""
    capital_recourse.kernels()


def solve(instance: Instance, k: int, limit: float = 60.0, **more: Any) -> Result:
    options = {"k": k, "complete": False, **more.pop("options", {})}
    result = api.solve(instance, "k_adaptability", isolate=False, time_limit=limit, threads=1, options=options, **more)
    assert not result.rejected, result.messages
    assert not result.contradicted, result.messages
    return result


def best_of(instance: TwoStageRobust, k: int) -> float | None:
    """The best guarantee of k decisions, by enumeration of first stages and of k decisions; costs to minimise.

    ``nan`` if there are too many choices.
    """
    sign = 1.0 if instance.sense is Sense.MIN else -1.0
    first, own = instance.first, instance.layout.own
    decisions = brute.grid(instance.second.lower[own], instance.second.upper[own])
    if math.comb(len(decisions), min(k, len(decisions))) > MANY:
        return math.nan
    least = math.inf
    for x in brute.grid(first.lower, first.upper):
        activity = brute.dense(first) @ x
        if ((activity < first.row_lower - 1e-7) | (activity > first.row_upper + 1e-7)).any():
            continue
        stage = SecondStage.at(instance, x)
        base, slope = stage.affine(decisions)
        for chosen in itertools.combinations(range(len(decisions)), min(k, len(decisions))):
            some = list(chosen)
            if instance.form == "scenarios":
                costs = sign * (base[some, None] + slope[some] @ instance.scenarios.T)
                costs[~stage.serves(decisions[some], instance.scenarios)] = math.inf
                least = min(least, float(costs.min(axis=0).max()))
            else:
                fits = stage.serves(decisions[some], instance.uncertainty.centre()[None])[:, 0]
                if fits.any():
                    use = np.array(some)[fits]
                    least = min(least, highest(instance, sign * base[use], sign * slope[use]))
    return sign * least if math.isfinite(least) else None


def highest(instance: TwoStageRobust, base: np.ndarray, slope: np.ndarray) -> float:
    """The largest over xi of the least of some affine costs."""
    from scipy.optimize import linprog

    uncertainty = instance.uncertainty
    rows = [np.column_stack([-slope, np.ones(len(base))])]
    rows.append(np.column_stack([uncertainty.matrix, np.zeros(len(uncertainty.rhs))]))
    bounds = [*zip(uncertainty.lower, uncertainty.upper, strict=True), (None, None)]
    objective = np.append(np.zeros(uncertainty.dimension), -1.0)
    sides = np.concatenate([base, uncertainty.rhs])
    return -float(linprog(objective, A_ub=np.vstack(rows), b_ub=sides, bounds=bounds, method="highs").fun)


def whole(instance: TwoStageRobust) -> bool:
    """Whether all recourse is whole, so that it can be enumerated."""
    return bool(instance.second.integral[instance.layout.own].all())


@pytest.mark.parametrize("form", ["scenarios", "objective"])
@pytest.mark.parametrize("k", [1, 2])
def test_the_best_k_decisions_of_a_general_program(form: str, k: int) -> None:
    compared = 0
    for number in range(40):
        instance = brute.small(np.random.default_rng([31, number]), form)
        if not whole(instance) or ((best := best_of(instance, k)) is not None and math.isnan(best)):
            continue
        result = solve(instance, k, options={"method": "tree"})
        assert result.stopped_by in (StoppedBy.FINISHED, StoppedBy.PROOF), number
        if best is None:
            assert result.solution is None, number
            continue
        assert isinstance(result.solution, RobustPlan)
        assert len(result.solution.recourse) <= k
        assert result.objective == pytest.approx(best, rel=1e-5, abs=1e-5), number
        compared += 1
        if compared == 10:
            return
    pytest.fail(f"{compared} instances compared")


@pytest.mark.parametrize("method", ["program", "tree"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_best_k_decisions_of_a_knapsack(method: str, k: int) -> None:
    compared = 0
    for number in range(30):
        instance = brute_knapsack.small(np.random.default_rng([32, number]))
        if instance.items > (3 if k < 3 else 2):
            continue
        best = best_knapsack(instance, k)
        result = solve(instance, k, options={"method": method})
        assert isinstance(result.solution, RobustPlan)
        assert len(result.solution.recourse) <= k
        assert result.objective == pytest.approx(best, rel=1e-5, abs=1e-5), number
        compared += 1
        if compared == 5:
            return
    pytest.fail(f"{compared} instances compared")


def best_knapsack(instance: RobustKnapsack, k: int) -> float:
    """By enumeration of the accepted items and of k decisions for them."""
    view = instance.to_robust()
    most = -math.inf
    for x in itertools.product((0.0, 1.0), repeat=instance.items):
        stage = SecondStage.at(view, np.array(x))
        table = brute.grid(np.zeros(2 * instance.items), np.ones(2 * instance.items))
        table = table[stage.serves(table, np.zeros((1, instance.items)))[:, 0]]
        base, slope = stage.affine(table)
        for chosen in itertools.combinations(range(len(table)), min(k, len(table))):
            most = max(most, -highest(view, -base[list(chosen)], -slope[list(chosen)]))
    return most


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_best_k_decisions_of_a_capital_budget(k: int) -> None:
    compared = 0
    for number in range(40):
        instance = brute_capital.small(np.random.default_rng([33, number]))
        if instance.projects > 3:
            continue
        result = solve(instance, k)
        assert isinstance(result.solution, RobustPlan)
        assert len(result.solution.recourse) <= k
        assert result.objective == pytest.approx(best_capital(instance, k), rel=1e-5, abs=1e-5), number
        compared += 1
        if compared == 8:
            return
    pytest.fail(f"{compared} instances compared")


def best_capital(instance: CapitalBudgeting, k: int) -> float:
    """By enumeration of first stages and of k decisions, those aside that no scenario is left without."""
    most = -math.inf
    rows = [np.array(row, dtype=float) for row in itertools.product((0, 1), repeat=instance.projects)]
    for x in rows:
        if instance.worst_cost(x)[0] > instance.limit:
            continue
        held = np.array([row for row in rows if not (row * x).any()])
        for chosen in itertools.combinations(range(len(held)), min(k, len(held))):
            some = held[list(chosen)]
            value = brute_capital.least(instance, x, np.vstack([some, np.zeros(instance.projects)]))
            alone = brute_capital.least(instance, x, some)
            most = max(most, alone if math.isfinite(alone) else -math.inf)
            assert alone <= value
    return most


def test_more_decisions_are_never_worse_and_enough_of_them_are_the_optimum() -> None:
    for number in range(6):
        instance = brute_capital.small(np.random.default_rng([34, number]))
        best = brute_capital.best(instance)
        values = [solve(instance, k).objective for k in (1, 2, 3, 8)]
        assert all(value is not None for value in values)
        assert all(b >= a - 1e-6 for a, b in itertools.pairwise(values))  # type: ignore[operator]
        assert all(value <= best + 1e-6 for value in values)  # type: ignore[operator]
        assert values[-1] == pytest.approx(best, rel=1e-5, abs=1e-6)
    knapsack = brute_knapsack.small(np.random.default_rng(3))
    best = brute_knapsack.best(knapsack)
    values = [solve(knapsack, k).objective for k in (1, 2, 3)]
    assert values == sorted(values)  # type: ignore[type-var]
    assert values[-1] <= best + 1e-6  # type: ignore[operator]


def test_enough_decisions_prove_the_optimum() -> None:
    """With a policy for every scenario the nodes are main problems of column-and-constraint generation."""
    proved = 0
    for number in range(12):
        instance = brute.small(np.random.default_rng([35, number]), "scenarios")
        best = brute.best(instance)
        result = solve(instance, 6)
        if best is None:
            assert result.status is Status.INFEASIBLE
            continue
        assert result.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
        assert result.bound is not None
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        assert sign * (result.bound - best) <= 1e-5
        proved += result.status is Status.OPTIMAL
    assert proved >= 5


def test_a_completed_first_stage_has_its_exact_worst_case() -> None:
    for number in range(6):
        instance = brute_capital.small(np.random.default_rng([36, number]))
        few, result = solve(instance, 1), solve(instance, 1, options={"complete": True})
        assert isinstance(few.solution, RobustPlan)
        assert isinstance(result.solution, RobustPlan)
        assert few.objective is not None
        worst = brute_capital.worst(instance, few.solution.first)
        assert result.objective is not None
        assert result.objective >= worst - 1e-6 >= few.objective - 2e-6
        assert result.objective == pytest.approx(brute_capital.worst(instance, result.solution.first), abs=1e-6)


def test_limits_are_kept_and_runs_repeat() -> None:
    instance = CapitalBudgeting.generate(np.random.default_rng(5), n=8)
    one, two = (solve(instance, 3, iterations=12, seed=4) for _ in range(2))
    assert one.stopped_by is StoppedBy.ITERATIONS
    assert one.steps[-1]["nodes"] == 12
    assert one.solution == two.solution
    assert one.bound == two.bound
    assert [{**s, "seconds": 0} for s in one.steps] == [{**s, "seconds": 0} for s in two.steps]
    last = one.steps[-1]
    assert last["value"] == pytest.approx(one.objective)
    assert last["limit"] >= last["value"]


@pytest.mark.parametrize("kind", ["capital", "knapsack", "projects"])
def test_an_interrupt_ends_the_run_soon_with_a_plan(kind: str) -> None:
    rng = np.random.default_rng(6)
    instance: Instance = {
        "capital": lambda: CapitalBudgeting.generate(rng, n=30),
        "knapsack": lambda: RobustKnapsack.generate(rng, n=60),
        "projects": lambda: TwoStageRobust.generate(rng, n=14, family="projects"),
    }[kind]()
    plans: list[RobustPlan] = []

    def sink(event: Event) -> None:
        if isinstance(event.solution, RobustPlan):
            plans.append(event.solution)
            if len(plans) == 3:
                session.request_stop()

    session = Session(Budget(threads=1), time.monotonic() + 120.0, sink)
    started = time.process_time()
    outcome = KAdaptability(k=3).run(instance, session)
    assert outcome.status is Status.UNKNOWN
    assert time.process_time() - started < 5.0
    assert len(plans) >= 3
    assert all(instance.evaluate(plan).feasible for plan in plans)


def test_what_it_does_not_take() -> None:
    with pytest.raises(UsageError, match="k = 0"):
        KAdaptability(k=0)
    rows = TwoStageRobust.generate(np.random.default_rng(2), n=3)
    with pytest.raises(UnsupportedError, match="take a list of scenarios"):
        solve(rows, 2)
    capital = CapitalBudgeting.generate(np.random.default_rng(2), n=3)
    with pytest.raises(UnsupportedError, match="program"):
        solve(capital, 2, options={"method": "program"})
