"""Column-and-constraint generation against brute force, and what it must keep when it is stopped."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.budget import Budget
from combopt.errors import InputError, UnsupportedError
from combopt.instances.mip import CONTINUOUS, INTEGER, Mip, MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import RobustPlan
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Sense
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.base import Event, Session
from combopt.solvers.robust.adversary import Adversary
from combopt.solvers.robust.ccg import Ccg
from combopt.solvers.robust.complete import complete, worst_case
from combopt.solvers.robust.main import Main
from combopt.solvers.robust.relaxed import add_relaxed
from tests.brute import robust as brute


def solve(instance: TwoStageRobust, limit: float = 30.0, options: dict[str, Any] | None = None, **more: Any) -> Result:
    return api.solve(instance, "ccg", isolate=False, time_limit=limit, threads=1, options=options, **more)


def agrees(result: Result, best: float | None) -> bool:
    if best is None:
        return result.status is Status.INFEASIBLE
    assert result.objective is not None
    assert not result.rejected
    assert not result.contradicted
    return result.status is Status.OPTIMAL and abs(result.objective - best) <= 1e-6 * max(1.0, abs(best))


@pytest.mark.parametrize(
    ("form", "options", "count"),
    [
        ("objective", {"relaxed_start": False}, 15),
        ("objective", {"solver": "scip"}, 10),
        ("rows", {"solver": "scip"}, 10),
        ("scenarios", {"solver": "scip"}, 10),
    ],
)
def test_other_options_give_the_same_optimum(form: str, options: dict[str, Any], count: int) -> None:
    for number in range(count):
        instance = brute.small(np.random.default_rng([11, number]), form)
        result = solve(instance, options=options)
        assert agrees(result, brute.best(instance)), f"{form} #{number}: {result.to_json()}"


def shuffled(mip: Mip, rng: np.random.Generator) -> tuple[Mip, np.ndarray, np.ndarray]:
    """The program with columns and rows in another order, and where the old ones are now."""
    columns, rows = rng.permutation(len(mip.columns)), rng.permutation(len(mip.rows))
    place, line = np.argsort(columns), np.argsort(rows)
    matrix = brute.dense(mip)[rows][:, columns]
    builder = MipBuilder(mip.name, mip.sense, mip.offset)
    for j in columns.tolist():
        builder.column(mip.columns[j], mip.cost[j], mip.lower[j], mip.upper[j], int(mip.domain[j]))
    for i, row in zip(rows.tolist(), matrix, strict=True):
        builder.row(enumerate(row.tolist()), mip.row_lower[i], mip.row_upper[i], mip.rows[i])
    return builder.build(), place, line


def permuted(instance: TwoStageRobust, rng: np.random.Generator) -> TwoStageRobust:
    """The same instance with everything in another order."""
    first, _, _ = shuffled(instance.first, rng)
    second, place, line = shuffled(instance.second, rng)
    old = instance.uncertainty
    order = rng.permutation(old.dimension)
    where = np.argsort(order)
    uncertainty = replace(
        old, lower=old.lower[order] if old.lower.size else old.lower,
        upper=old.upper[order] if old.upper.size else old.upper, matrix=old.matrix[:, order],
        scenarios=rng.permutation(old.scenarios[:, order]), factors=tuple(old.factors[i] for i in order),
    )  # fmt: skip
    turn = rng.permutation(len(instance.term_row))
    rows, columns = instance.term_row[turn], instance.term_column[turn]
    return TwoStageRobust(
        first=first, second=second, uncertainty=uncertainty, term_row=np.where(rows < 0, -1, line[rows]),
        term_column=np.where(columns < 0, -1, place[columns]), term_factor=where[instance.term_factor[turn]],
        term_value=instance.term_value[turn],
    )  # fmt: skip


@pytest.mark.parametrize("form", brute.FORMS)
def test_order_does_not_matter(form: str) -> None:
    for number in range(10):
        rng = np.random.default_rng([13, number])
        instance = brute.small(rng, form)
        one, two = solve(instance), solve(permuted(instance, rng))
        assert one.status is two.status
        if one.objective is not None:
            assert two.objective == pytest.approx(one.objective, rel=1e-6, abs=1e-6)


def test_the_other_sense_gives_the_negative() -> None:
    for number in range(10):
        instance = brute.small(np.random.default_rng([14, number]))
        other = Sense.MAX if instance.sense is Sense.MIN else Sense.MIN
        first, second = (
            replace(mip, sense=other, cost=-mip.cost, offset=-mip.offset) for mip in (instance.first, instance.second)
        )
        values = np.where(instance.term_row < 0, -instance.term_value, instance.term_value)
        turned = replace(instance, first=first, second=second, term_value=values)
        one, two = solve(instance), solve(turned)
        assert one.status is two.status
        if one.objective is not None:
            assert two.objective == pytest.approx(-one.objective, rel=1e-6, abs=1e-6)


def test_the_vertices_as_scenarios_give_the_same_optimum() -> None:
    for number in range(10):
        instance = brute.small(np.random.default_rng([15, number]), "rows")
        listed = replace(instance, uncertainty=Uncertainty.finite(instance.uncertainty.vertices()))
        one, two = solve(instance), solve(listed)
        assert one.status is two.status
        if one.objective is not None:
            assert two.objective == pytest.approx(one.objective, rel=1e-6, abs=1e-6)


def bound_of_relaxed(instance: TwoStageRobust) -> float:
    main = Main(instance)
    add_relaxed(main)
    session = Session(Budget(time_limit=20.0, threads=1), time.monotonic() + 20.0, lambda event: None)
    return main.sign * main.solve(session, "highs", 0.0, None, lambda bound: None).bound


def test_the_relaxed_recourse_bounds_the_optimum_and_is_exact_where_recourse_is_continuous() -> None:
    gaps = []
    for number in range(16):
        instance = brute.small(np.random.default_rng([16, number]), "objective")
        best = brute.best(instance)
        if best is None:
            continue
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        gaps.append(sign * (best - bound_of_relaxed(instance)))
        assert gaps[-1] >= -1e-6
        own = instance.layout.own
        domain = instance.second.domain.copy()
        domain[own] = CONTINUOUS
        loose = replace(instance, second=replace(instance.second, domain=domain))
        assert solve(loose).objective == pytest.approx(bound_of_relaxed(loose), rel=1e-6, abs=1e-6)
    assert max(gaps) > 0.01  # some recourse is whole in earnest


@pytest.mark.parametrize("form", brute.FORMS)
def test_completed_plans_guarantee_the_worst_case(form: str) -> None:
    compared = 0
    for number in range(16):
        instance = brute.small(np.random.default_rng([17, number]), form)
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        first = instance.first
        for x in brute.grid(first.lower, first.upper)[:3]:
            activity = brute.dense(first) @ x
            if (activity < first.row_lower - 1e-9).any() or (activity > first.row_upper + 1e-9).any():
                continue
            worst = brute.worst(instance, x, sign)
            if math.isinf(worst):
                with pytest.raises(InputError, match="leaves no recourse in scenario"):
                    complete(instance, x)
                continue
            expected = sign * worst + float(first.cost @ x + first.offset)
            verdict = worst_case(instance, x)
            assert verdict.plan is not None
            assert verdict.guarantee == pytest.approx(expected, abs=1e-6)
            assert verdict.worst == pytest.approx(expected, abs=1e-6)
            evaluation = instance.evaluate(complete(instance, x))
            assert evaluation.feasible
            assert evaluation.objective == pytest.approx(expected, abs=1e-6)
            compared += 1
    assert compared > 8


def test_groups_of_vertices_are_served_at_the_worst_cost() -> None:
    """The worst vertex by a linear program at each, against the adversary, which solves far fewer."""
    instance = TwoStageRobust.generate(np.random.default_rng(2), n=9)
    x = np.array([1.0, 0, 1, 0, 1, 0, 0, 1, 0])
    session = Session(Budget(), time.monotonic() + 60.0, lambda event: None)
    adversary = Adversary(instance, session)
    verdict = adversary.judge(x)
    assert verdict.plan is not None
    by_vertex = [brute_lp(instance, x, xi) for xi in instance.scenarios]
    assert verdict.worst == pytest.approx(max(by_vertex), rel=1e-9)
    assert instance.evaluate(verdict.plan).objective == pytest.approx(max(by_vertex), rel=1e-8)
    assert adversary.recourse.solved < len(by_vertex)
    assert len(verdict.plan.recourse) < len(by_vertex) / 2


def brute_lp(instance: TwoStageRobust, x: np.ndarray, xi: np.ndarray) -> float:
    from scipy.optimize import linprog

    second, own = instance.second, instance.layout.own
    matrix, low, high = brute.dense(second), second.row_lower.copy(), second.row_upper.copy()
    for row, _, factor, value in brute.terms(instance):
        low[row] += value * xi[factor]
        high[row] += value * xi[factor]
    known = np.zeros(len(second.columns))
    known[instance.layout.shared] = x[instance.layout.first]
    moved = matrix @ known
    rows = np.vstack([matrix[:, own], -matrix[:, own]])
    sides = np.concatenate([high - moved, moved - low])
    keep = np.isfinite(sides)
    found = linprog(second.cost[own], A_ub=rows[keep], b_ub=sides[keep], method="highs")
    return float(found.fun + instance.first.cost @ x)


def test_worst_case_of_a_first_stage_that_is_none() -> None:
    instance = TwoStageRobust.generate(np.random.default_rng(2), n=3)
    for wrong in ([1.0], [0.5, 1.0, 1.0], [2.0, 0.0, 0.0]):
        with pytest.raises(InputError) as caught:
            worst_case(instance, wrong)
        assert caught.value.code == "E302"


def without_end(form: str, *, feasible: bool) -> TwoStageRobust:
    """A recourse that earns without limit, or none at all."""
    first, second = MipBuilder("first"), MipBuilder("second")
    first.binary("x", 1.0)
    second.binary("x")
    domain = INTEGER if form == "objective" else CONTINUOUS
    second.column("y", -1.0, 0.0, math.inf, domain)
    second.column("z", 1.0, 0.0, 3.0, domain)
    second.row([(2, 2.0)], lower=1.0 if feasible else 7.0, name="need")
    uncertainty = Uncertainty.finite([[0.0], [1.0]]) if form == "scenarios" else Uncertainty.box([0.0], [1.0])
    term = ("objective", "z", 0, 1.0) if form == "objective" else ("need", "rhs", 0, 0.5)
    return TwoStageRobust.build(first.build(), second.build(), uncertainty, [term])


@pytest.mark.parametrize("relaxed", [True, False])
@pytest.mark.parametrize("form", brute.FORMS)
def test_no_end_and_no_recourse_are_told(form: str, relaxed: bool) -> None:
    options = {"relaxed_start": relaxed}
    assert solve(without_end(form, feasible=True), options=options).status is Status.UNBOUNDED
    assert solve(without_end(form, feasible=False), options=options).status is Status.INFEASIBLE


def test_a_recourse_without_end_in_one_scenario_alone_is_no_harm() -> None:
    first, second = MipBuilder("first"), MipBuilder("second")
    first.binary("x", 1.0)
    second.column("y", 0.0, 0.0, math.inf)
    instance = TwoStageRobust.build(
        first.build(), second.build(), Uncertainty.finite([[1.0], [-1.0]]), [("objective", "y", 0, 1.0)]
    )
    result = solve(instance)
    assert (result.status, result.objective) == (Status.OPTIMAL, 0.0)


@pytest.mark.parametrize("family", ["facility", "projects"])
def test_a_stopped_run_keeps_plan_and_bound(family: str) -> None:
    instance = TwoStageRobust.generate(np.random.default_rng(4), n=5, family=family)
    full = solve(instance)
    assert full.status is Status.OPTIMAL
    assert full.objective is not None
    part = solve(instance, iterations=1)
    assert part.stopped_by in (StoppedBy.ITERATIONS, StoppedBy.PROOF)
    assert part.objective is not None
    assert part.bound is not None
    assert not instance.sense.better(part.objective, full.objective + (-1e-6 if instance.sense is Sense.MIN else 1e-6))
    assert not instance.sense.better(full.objective, part.bound + (-1e-6 if instance.sense is Sense.MIN else 1e-6))
    near = solve(instance, gap=0.2)
    assert near.gap is not None
    assert near.gap <= 0.2


@pytest.mark.parametrize("family", ["facility", "projects"])
def test_an_interrupt_ends_the_run_soon(family: str) -> None:
    instance = TwoStageRobust.generate(np.random.default_rng(4), n=14, family=family)
    found: list[Event] = []

    def sink(event: Event) -> None:
        found.append(event)
        if event.bound is not None:
            session.request_stop()

    session = Session(Budget(threads=1), time.monotonic() + 60.0, sink)
    started = time.process_time()
    outcome = Ccg().run(instance, session)
    assert outcome.bound is not None
    assert outcome.status is Status.UNKNOWN
    assert time.process_time() - started < 5.0


def test_a_start_is_judged_first_and_its_scenario_kept() -> None:
    instance = TwoStageRobust.generate(np.random.default_rng(4), n=6)
    full = solve(instance)
    assert isinstance(full.solution, RobustPlan)
    plans: list[RobustPlan] = []

    def sink(event: Event) -> None:
        if isinstance(event.solution, RobustPlan):
            plans.append(event.solution)

    session = Session(Budget(threads=1), time.monotonic() + 60.0, sink, full.solution)
    outcome = Ccg().run(instance, session)
    assert outcome.status is Status.OPTIMAL
    assert plans[0].first.tolist() == full.solution.first.tolist()
    assert len(solve(instance, start=full.solution).steps) <= len(full.steps)


def test_a_start_of_the_main_problem_does_not_move_its_bound() -> None:
    """HiGHS tells the bound of the search that completes a start: here -196.6, where the optimum is -206.2."""
    instance = TwoStageRobust.generate(np.random.default_rng(7), n=8, family="projects")
    session = Session(Budget(time_limit=60.0, threads=1), time.monotonic() + 60.0, lambda event: None)
    main = Main(instance)
    add_relaxed(main)
    first = main.solve(session, "highs", 0.0, None, lambda bound: None)
    assert first.values is not None
    x = instance.rounded(first.values[:8])
    scenario = Adversary(instance, session).judge(x).scenario
    assert scenario is not None
    main.add(scenario)
    told: list[float] = []
    final: list[float] = []
    for start in (None, x):
        for solver in ("highs", "scip"):
            final.append(main.solve(session, solver, 0.0, start, told.append).bound)
    assert max(told) <= final[0] + 1e-4
    assert final == pytest.approx([final[0]] * 4, abs=1e-4)


def test_a_main_problem_that_its_solver_does_not_take() -> None:
    first, second = MipBuilder("first"), MipBuilder("second")
    first.column("x", 1e21, 0.0, 1.0)
    second.column("y", 1.0, 0.0, math.inf)
    second.row([(0, 1.0)], lower=0.0, name="need")
    instance = TwoStageRobust.build(
        first.build(), second.build(), Uncertainty.box([0.0], [1.0]), [("need", "rhs", 0, 1.0)]
    )
    with pytest.raises(UnsupportedError, match="highs cannot solve the main problem: it takes no costs"):
        solve(instance)
