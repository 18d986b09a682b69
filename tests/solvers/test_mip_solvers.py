"""What holds for every solver of mixed-integer programs."""

from __future__ import annotations

import math
import os
import signal
import threading
import time

import numpy as np
import pytest

from combopt import api, registry
from combopt.errors import UsageError
from combopt.instances.mip import INTEGER, Mip, MipBuilder
from combopt.instances.solutions import Point, Tour
from combopt.model import Sense
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.base import Event
from tests.solvers import programs
from tests.solvers.programs import INF

ALL = ("scip", "highs", "cpsat")
FLOATING = ("scip", "highs")

every = pytest.mark.parametrize("name", ALL)
floating = pytest.mark.parametrize("name", FLOATING)


def solve(program: object, name: str, limit: float = 20.0, **more: object) -> Result:
    return api.solve(program, name, isolate=False, time_limit=limit, **{"threads": 1, **more})  # type: ignore[arg-type]


@every
def test_known_optimum(name: str) -> None:
    result = solve(programs.knapsack(), name)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 23, 23)


@every
@pytest.mark.parametrize("sense", Sense)
def test_bound_is_in_the_sense_of_the_instance_with_offset(name: str, sense: Sense) -> None:
    result = solve(programs.integer(sense, offset=100.5), name)
    assert result.status is Status.OPTIMAL
    assert result.objective == (111.5 if sense is Sense.MIN else 89.5)
    assert result.bound == pytest.approx(result.objective)


@every
def test_whole_objectives_have_whole_bounds(name: str) -> None:
    result = solve(programs.integer(), name)
    assert isinstance(result.objective, int)
    assert isinstance(result.bound, int)


@every
def test_infeasible(name: str) -> None:
    result = solve(programs.infeasible(), name)
    assert (result.status, result.stopped_by) == (Status.INFEASIBLE, StoppedBy.PROOF)


@floating
def test_unbounded(name: str) -> None:
    assert solve(programs.unbounded(), name).status is Status.UNBOUNDED


@floating
def test_unbounded_relaxation_of_an_infeasible_program(name: str) -> None:
    assert solve(programs.unbounded_but_infeasible(), name).status is Status.INFEASIBLE


@floating
def test_unbounded_linear_program(name: str) -> None:
    program = MipBuilder(sense=Sense.MAX)
    x, y = program.column("x", 1), program.column("y", 1)
    program.row({x: 1, y: -1}, -1, 1)
    assert solve(program.build(), name).status is Status.UNBOUNDED


@every
def test_no_columns_and_no_rows(name: str) -> None:
    result = solve(MipBuilder(offset=4).build(), name)
    assert (result.status, result.objective) == (Status.OPTIMAL, 4)


@every
@pytest.mark.parametrize(("lower", "status"), [(-1, Status.OPTIMAL), (1, Status.INFEASIBLE)])
def test_rows_without_entries(name: str, lower: float, status: Status) -> None:
    empty = MipBuilder()
    empty.row({}, lower, 2)
    assert solve(empty.build(), name).status is status
    program = MipBuilder()
    program.column("x", 1, 1, 3, INTEGER)
    program.row({}, lower, 2)
    assert solve(program.build(), name).status is status


@every
def test_no_rows(name: str) -> None:
    result = solve(programs.integer(Sense.MAX, offset=2, rows=False), name)
    assert (result.status, result.objective) == (Status.OPTIMAL, 2)


@every
def test_constant_objective(name: str) -> None:
    program = MipBuilder(offset=5)
    x, y = program.column("x", 0, 0, 9, INTEGER), program.column("y", 0, 0, 9, INTEGER)
    program.row({x: 2, y: 3}, 7, 7)
    result = solve(program.build(), name)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 5, 5)


@every
@pytest.mark.parametrize(("lower", "upper"), [(3, 2), (0.2, 0.8)])
def test_bounds_that_leave_no_value(name: str, lower: float, upper: float) -> None:
    program = MipBuilder()
    program.column("x", 1, lower, upper, INTEGER)
    assert solve(program.build(), name).status is Status.INFEASIBLE


@every
def test_row_whose_sides_cross(name: str) -> None:
    program = MipBuilder()
    program.row({program.column("x", 1, 0, 5, INTEGER): 1}, 4, 3)
    assert solve(program.build(), name).status is Status.INFEASIBLE


@every
def test_fractional_bounds_of_integers_are_rounded_inwards(name: str) -> None:
    program = MipBuilder()
    program.column("x", 1, -2.5, 7.5, INTEGER)
    program.column("y", -1, -2.5, 7.5, INTEGER)
    assert solve(program.build(), name).objective == -2 - 7


@floating
def test_infinite_bounds_and_sides(name: str) -> None:
    program = MipBuilder()
    x = program.column("x", 1, -1e30, INF, INTEGER)
    y = program.column("y", 1, -INF, 1e25)
    program.row({x: 1}, -7.5, 1e30)
    program.row({y: 2}, -3, INF)
    program.row({x: 1, y: 1}, -INF, INF)
    assert solve(program.build(), name).objective == pytest.approx(-8.5)


@every
def test_start_is_never_made_worse(name: str) -> None:
    program = programs.market_split()
    start = programs.far_start(program)
    result = solve(program, name, 0.4, start=start)
    assert result.objective is not None
    assert result.objective <= program.evaluate(start).objective


@every
def test_solver_uses_the_start(name: str) -> None:
    program = programs.knapsack()
    best = solve(program, name).solution
    _, events = programs.handed_over(api.make_solver(name), program, start=best)
    first = next(e.solution for e in events if e.solution is not None)
    assert program.evaluate(first).objective == 23


@every
def test_partial_start_is_taken(name: str) -> None:
    partial = Point(("x1", "nothing"), np.array([1.0, 7.0]))
    outcome, _ = programs.handed_over(api.make_solver(name), programs.knapsack(), start=partial)
    assert outcome.status is Status.OPTIMAL


@floating
@pytest.mark.parametrize("family", ["facility", "set_cover", "auction"])
def test_bounds_are_those_of_the_whole_program_whatever_the_start(name: str, family: str) -> None:
    """Starts with columns missing, or held at values that cut the optimum off."""
    for seed in range(3):
        program = api.generate("mip", seed=seed, n=8, family=family)
        assert isinstance(program, Mip)
        best = solve(program, name)
        assert isinstance(best.solution, Point)
        assert best.objective is not None
        sign = 1 if program.sense is Sense.MIN else -1
        other = np.where(program.integral, 1.0 - best.solution.values, best.solution.values)
        for count in (len(other) // 3, len(other)):
            start = Point(program.columns[:count], other[:count])
            outcome, events = programs.handed_over(api.make_solver(name), program, start=start)
            assert outcome.status is Status.OPTIMAL
            bounds = [event.bound for event in events if event.bound is not None] + [outcome.bound]
            assert all(bound is not None and sign * bound <= sign * best.objective + 1e-6 for bound in bounds)


@every
@pytest.mark.parametrize(
    "start", [Tour(np.arange(3)), Point(("a",), np.array([1.0])), Point(("x1",), np.array([math.inf]))]
)
def test_useless_start_does_no_harm(name: str, start: object) -> None:
    outcome, _ = programs.handed_over(api.make_solver(name), programs.knapsack(), start=start)
    assert outcome.status is Status.OPTIMAL


@every
def test_infeasible_start_does_no_harm(name: str) -> None:
    start = Point(tuple(f"x{i}" for i in range(6)), np.ones(6))
    result = solve(programs.knapsack(), name, start=start)
    assert (result.status, result.objective) == (Status.OPTIMAL, 23)


@every
def test_interrupt_ends_the_run_at_once_and_keeps_the_best(name: str) -> None:
    run, events = programs.session()
    threading.Timer(0.7, run.request_stop).start()
    started = time.monotonic()
    api.make_solver(name).run(programs.market_split(), run)
    assert time.monotonic() - started < 1.7
    assert any(event.solution is not None for event in events)


@every
def test_stop_before_the_start_and_after_the_end(name: str) -> None:
    run, _ = programs.session()
    run.request_stop()
    started = time.monotonic()
    api.make_solver(name).run(programs.market_split(), run)
    assert time.monotonic() - started < 1.0
    run.request_stop()


@every
def test_time_limit_without_a_child_process(name: str) -> None:
    started = time.monotonic()
    result = solve(programs.market_split(), name, 1.0)
    assert time.monotonic() - started < 1.6
    assert (result.status, result.stopped_by) == (Status.FEASIBLE, StoppedBy.TIME)


@every
def test_ctrl_c_without_a_child_process(name: str) -> None:
    threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    result = solve(programs.market_split(), name)
    assert time.monotonic() - started < 1.7
    assert result.stopped_by is StoppedBy.INTERRUPT
    assert result.solution is not None


class Boom(Exception):
    """Raised in a callback."""


@every
@pytest.mark.parametrize("on", ["solution", "bound"])
def test_exception_in_a_callback_reaches_the_caller(name: str, on: str) -> None:
    def report(progress: object) -> None:
        if getattr(progress, on) is not None:
            raise Boom

    started = time.monotonic()
    with pytest.raises(Boom):
        solve(programs.market_split(), name, report=report)
    assert time.monotonic() - started < 10


@every
def test_same_seed_same_run(name: str) -> None:
    # Optimal in many ways, so that runs which differ show it.
    rng = np.random.default_rng(5)
    program = MipBuilder(sense=Sense.MAX)
    items = [program.binary(f"x{j}", int(c)) for j, c in enumerate(rng.integers(1, 4, 30))]
    for _ in range(6):
        program.row(dict(zip(items, rng.integers(1, 9, 30).tolist(), strict=True)), upper=40)
    mip = program.build()
    runs = [
        [e.solution for e in programs.handed_over(api.make_solver(name), mip, seed=3)[1] if e.solution] for _ in "12"
    ]
    assert runs[0] == runs[1]


@every
def test_bounds_never_cross_the_optimum(name: str) -> None:
    program = programs.market_split(3, 14)
    _, events = programs.handed_over(api.make_solver(name), program)
    best = min(program.evaluate(event.solution).objective for event in events if event.solution is not None)
    bounds = [event.bound for event in events if event.bound is not None]
    assert all(bound <= best for bound in bounds)


@every
def test_gap_ends_the_run_without_a_claim(name: str) -> None:
    result = solve(programs.market_split(3, 20), name, gap=1e6)
    assert result.gap is not None
    assert result.status is Status.FEASIBLE or result.bound == result.objective


@floating
def test_node_limit(name: str) -> None:
    result = solve(programs.market_split(), name, nodes=5)
    assert result.status is Status.FEASIBLE
    assert result.stopped_by is StoppedBy.ITERATIONS


@floating
@pytest.mark.parametrize("settings", ["no=1", "limits/gap", "time_limit=x"])
def test_wrong_settings_are_refused(name: str, settings: str) -> None:
    with pytest.raises(UsageError, match="settings"):
        solve(programs.knapsack(), name, options={"settings": settings})


@floating
def test_huge_coefficients_are_refused(name: str) -> None:
    program = MipBuilder()
    program.row({program.column("x", 1, 0, 5): 1e21}, lower=1)
    with pytest.raises(UsageError, match="coefficients"):
        solve(program.build(), name)


@every
def test_isolated_run(name: str) -> None:
    result = api.solve(programs.knapsack(), name, time_limit=20, threads=1)
    assert (result.status, result.objective) == (Status.OPTIMAL, 23)


@every
def test_many_runs_in_one_process(name: str) -> None:
    for _ in range(30):
        assert solve(programs.integer(), name).objective == 11


@floating
def test_advice_is_taken_while_a_solver_searches(name: str) -> None:
    rng = np.random.default_rng(3)
    program = MipBuilder(sense=Sense.MAX)
    items = [program.binary(f"x{i}", int(value)) for i, value in enumerate(rng.integers(50, 100, 100))]
    for _ in range(20):
        weights = rng.integers(5, 100, 100)
        program.row(dict(zip(items, weights.tolist(), strict=True)), upper=int(weights.sum() // 2))
    mip = program.build()
    known = api.solve(mip, "highs", time_limit=10.0, threads=1, nodes=300)
    assert isinstance(known.solution, Point)

    def best(*advice: Point) -> float:
        session, events = programs.session(nodes=3)
        session.advised = True
        for point in advice:
            session.advise(Event(0.0, solution=point))
        registry.SOLVERS.load(name)().run(mip, session)
        return max(mip.evaluate(event.solution).objective for event in events if event.solution is not None)

    wrong = Point(mip.columns, np.ones(100))  # breaks every row
    alone = best()
    assert alone < known.objective
    assert best(known.solution) >= known.objective
    assert best(wrong) == alone
