"""SCIP."""

from __future__ import annotations

import math

import numpy as np
import pytest

from combopt import api
from combopt.instances.mip import CONTINUOUS, INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Mip, MipBuilder, Sos
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.result import Result, Status
from combopt.solvers.scip import Scip, _Search
from tests.solvers import programs


def solve(program: Mip, **more: object) -> Result:
    return api.solve(program, "scip", isolate=False, time_limit=20, threads=1, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lower", "upper", "domain", "demand", "best"),
    [
        (2, 3, SEMICONTINUOUS, 1.5, 2),  # 2 of x for 1 each beats 1.5 of y for 1.5 each
        (2, 3, SEMICONTINUOUS, 1.0, 1.5),  # 1 of y beats 2 of x
        (2, math.inf, SEMICONTINUOUS, 10.5, 10.5),
        (2, 3, SEMIINTEGER, 2.75, 3),
        (2, math.inf, SEMIINTEGER, 10.5, 10.75),  # 10 of x, half of y
        (0, 3, SEMICONTINUOUS, 0.5, 0.5),
    ],
)
def test_semicontinuous(lower: float, upper: float, domain: int, demand: float, best: float) -> None:
    program = MipBuilder()
    x, y = program.column("x", 1, lower, upper, domain), program.column("y", 1.5, 0, 9)
    program.row({x: 1, y: 1}, lower=demand)
    result = solve(program.build())
    assert (result.status, result.objective) == (Status.OPTIMAL, pytest.approx(best))


def test_semicontinuous_below_zero() -> None:
    program = MipBuilder()
    x = program.column("x", 1, -math.inf, -3, SEMICONTINUOUS)
    program.row({x: 1}, lower=-2)
    assert solve(program.build()).objective == pytest.approx(0)


@pytest.mark.parametrize(("kind", "best"), [(1, 12), (2, 15)])
def test_special_ordered_sets_in_the_order_given(kind: int, best: float) -> None:
    # By weights the neighbours would be others: the order of the columns counts.
    program = MipBuilder(sense=Sense.MAX)
    for i, cost in enumerate((3, 1, 4)):
        program.column(f"x{i}", cost, 0, 3)
    mip = program.build(sos=(Sos(type=kind, columns=(0, 1, 2), weights=(1.0, 2.0, 3.0)),))
    assert solve(mip).objective == pytest.approx(best)


@pytest.mark.parametrize("active", [0, 1])
@pytest.mark.parametrize(("lower", "upper", "best"), [(5, math.inf, 5), (-math.inf, 4, 0), (6, 7, 6), (5, 5, 5)])
def test_indicator(active: int, lower: float, upper: float, best: float) -> None:
    program = MipBuilder()
    x, z = program.column("x", 1, 0, 10, INTEGER), program.column("z", 0, active, active, INTEGER)
    row = program.row({x: 1}, lower, upper)
    mip = program.build(indicators=(Indicator(row=row, column=z, active=active),))
    assert solve(mip).objective == best
    other = program.build(indicators=(Indicator(row=row, column=z, active=1 - active),))
    assert solve(other).objective == 0


def test_solutions_come_in_the_order_of_the_columns() -> None:
    # SCIP sorts its variables by type.
    program = MipBuilder()
    for j, domain in enumerate((CONTINUOUS, INTEGER, CONTINUOUS, INTEGER)):
        program.column(f"x{j}", 1, j + 1, 9, domain)
    result = solve(program.build())
    assert isinstance(result.solution, Point)
    assert result.solution.values.tolist() == [1, 2, 3, 4]


def test_settings_reach_scip() -> None:
    program = programs.market_split()
    limited, _ = programs.handed_over(Scip(settings="limits/nodes=1, separating/maxrounds=0"), program)
    assert limited.status is Status.UNKNOWN


def test_seed_changes_the_run() -> None:
    program = programs.market_split(4, 30)
    runs = [
        [e.solution for e in programs.handed_over(Scip(), program, seed=seed, nodes=20)[1] if e.solution]
        for seed in (0, 0, 1)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_point_that_holds_only_within_a_relative_tolerance_is_not_the_answer() -> None:
    # SCIP allows a row to be off by 10^-6 times its side, here by more than a thousand.
    program = MipBuilder(sense=Sense.MAX, offset=38.0)
    columns = [
        program.column(f"x{j}", cost, low, high, INTEGER)
        for j, (cost, low, high) in enumerate(((-3, 0, 9e5), (-7, -6e5, 0), (2, 0, 8e5), (1, 0, 9e5), (6, -5e5, 0)))
    ]
    program.row(dict(zip(columns[1:], (8442, -3364, 8426, 241), strict=True)), 1459148764, 1459148764)
    result = solve(program.build())
    if result.solution is not None:
        assert result.exactness == "exact"
        assert isinstance(result.solution, Point)
        weights = np.array([0, 8442, -3364, 8426, 241])
        assert int(weights @ result.solution.values) == 1459148764


def test_limits_are_known_after_the_tree_is_gone() -> None:
    # While SCIP gives its tree back, it reports the bound of an empty one.
    result = solve(programs.market_split(), nodes=1)
    assert result.bound is not None
    assert result.objective is not None
    assert result.bound < result.objective


def test_scip_refusing_an_interrupt_is_no_error() -> None:
    class Busy:
        def interruptSolve(self) -> None:
            raise Exception("SCIP: method cannot be called at this time in solution process!")

    run, _ = programs.session()
    search = _Search(programs.knapsack(), run, [("emphasis", "default")], programs.knapsack().cost)
    search.model = Busy()  # type: ignore[assignment]
    search.interrupt()
