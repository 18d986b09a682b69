"""CP-SAT: the solver, and its model of integer programs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import SolverError, UsageError
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Mip, MipBuilder, Sos
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.cpsat import solver as module
from combopt.solvers.cpsat.solver import CpSat
from combopt.solvers.cpsat.view import CpView
from tests.solvers import programs


def solve(program: Mip, **more: object) -> Result:
    return api.solve(program, "cpsat", isolate=False, time_limit=20, threads=1, **more)  # type: ignore[arg-type]


def one_column(cost: float = 1, lower: float = 0, upper: float = 9, domain: int = INTEGER) -> MipBuilder:
    program = MipBuilder()
    program.column("x", cost, lower, upper, domain)
    return program


def test_decimals_are_scaled_exactly() -> None:
    # In floats 0.1 + 0.2 is not 0.3.
    program = MipBuilder(sense=Sense.MAX, offset=0.25)
    x, y = program.column("x", 0.1, 0, 1, INTEGER), program.column("y", 1.25, 0, 1, INTEGER)
    program.row({x: 0.1, y: 0.2}, 0.3, 0.3)
    result = solve(program.build())
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 1.6, 1.6)


def test_sides_are_rounded_inwards() -> None:
    program = one_column()
    program.row({0: 3.5}, 7.1, 14.9)
    assert solve(program.build()).objective == 3
    program.row({0: 2}, 2.5, 3.5)
    assert solve(program.build()).status is Status.INFEASIBLE


def test_sides_beyond_all_activity() -> None:
    program = one_column()
    program.row({0: 1}, -1e300, 1e19)
    assert solve(program.build()).objective == 0
    program.row({0: 1}, 1e19, math.inf)
    assert solve(program.build()).status is Status.INFEASIBLE


def test_bounds_are_deduced_from_rows() -> None:
    program = MipBuilder(sense=Sense.MAX)
    x, y, z = (program.column(name, 1, 0, math.inf, INTEGER) for name in "xyz")
    program.row({x: 3, y: 2}, upper=12)
    program.row({z: 1, x: -1}, upper=2)
    result = solve(program.build())
    assert (result.status, result.objective) == (Status.OPTIMAL, 10)  # x = 4, z = 6


def test_bounds_that_no_row_implies_are_refused() -> None:
    assert "x is not within" in str(CpSat().why_not(programs.unbounded()))


def test_continuous_columns_are_refused() -> None:
    program = MipBuilder()
    program.column("a", 1, 0, 1, INTEGER)
    program.column("b", 1, 0, 1)
    with pytest.raises(UsageError, match="b is continuous"):
        solve(program.build())
    program.column("c", 1, 1, 2, SEMICONTINUOUS)
    assert not CpSat().accepts(program.build())


@pytest.mark.parametrize("value", [1 / 3, 1e16, 0.1 + 0.2])
def test_numbers_it_cannot_hold_are_refused(value: float) -> None:
    program = one_column()
    program.row({0: value}, lower=1)
    assert "common denominator" in str(CpSat().why_not(program.build()))
    assert "common denominator" in str(CpSat().why_not(one_column(cost=value).build()))


def test_sums_it_cannot_hold_are_refused() -> None:
    program = one_column(upper=2.0**39)
    program.column("y", 1, 0, 1, INTEGER)
    program.row({0: 2.0**40 + 1, 1: 1}, lower=1)
    assert "64 bits" in str(CpSat().why_not(program.build()))


@pytest.mark.parametrize(
    ("lower", "upper", "least", "best"), [(2, 3, 1, 2), (2, 3, 0, 0), (1, 3, 0, 0), (-3, -1, -5, -3), (5, 4, 0, 0)]
)
def test_semi_integer(lower: float, upper: float, least: float, best: float) -> None:
    program = one_column(1, lower, upper, SEMIINTEGER)
    program.row({0: 1}, lower=least)
    assert solve(program.build()).objective == best


@pytest.mark.parametrize(("kind", "best"), [(1, 12), (2, 15)])
def test_special_ordered_sets(kind: int, best: int) -> None:
    program = MipBuilder(sense=Sense.MAX)
    for i, cost in enumerate((3, 1, 4)):
        program.column(f"x{i}", cost, -1, 3, INTEGER)
    mip = program.build(sos=(Sos(type=kind, columns=(0, 1, 2), weights=(1.0, 2.0, 3.0)),))
    assert solve(mip).objective == best


@pytest.mark.parametrize("active", [0, 1])
def test_indicator(active: int) -> None:
    program = one_column()
    z = program.column("z", 0, active, active, INTEGER)
    row = program.row({0: 1}, 5, 7)
    assert solve(program.build(indicators=(Indicator(row=row, column=z, active=active),))).objective == 5
    assert solve(program.build(indicators=(Indicator(row=row, column=z, active=1 - active),))).objective == 0


def test_large_objectives_are_exact() -> None:
    program = MipBuilder()
    x, y = program.column("x", 10**12 + 1, 0, 1000, INTEGER), program.column("y", 10**12, 0, 1000, INTEGER)
    program.row({x: 1, y: 1}, 999, 999)
    program.row({x: 1}, lower=1)
    result = solve(program.build())
    assert result.status is Status.OPTIMAL
    assert result.objective == result.bound == 999 * 10**12 + 1


def test_parameters_reach_cpsat() -> None:
    solver = CpSat(parameters="max_number_of_conflicts: 1, cp_model_presolve: false")
    outcome, _ = programs.handed_over(solver, programs.market_split())
    assert (outcome.status, outcome.stopped_by) == (Status.UNKNOWN, StoppedBy.FINISHED)


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(UsageError, match="parameters"):
        solve(programs.knapsack(), options={"parameters": "no_such: 1"})


class Model:
    """Stands in for the module of a kind."""

    def __init__(self, view: CpView) -> None:
        self.view = view

    def build(self, instance: Any) -> CpView:
        return self.view


def small_model(**view: Any) -> tuple[Any, CpView]:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    x = model.new_int_var(0, 9, "x")
    return x, CpView(model, lambda value: Point(("x",), np.array([float(value(x))])), **view)


def test_a_model_that_does_not_prove_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, view = small_model(proves=False)
    view.model.minimize(x)
    monkeypatch.setattr(module, "_module", lambda kind: Model(view))
    outcome, events = programs.handed_over(CpSat(), programs.infeasible())
    assert (outcome.status, outcome.bound) == (Status.UNKNOWN, None)
    assert not [event for event in events if event.bound is not None]


def test_a_model_without_objective_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    _, view = small_model(objective=lambda value: value + 5)
    monkeypatch.setattr(module, "_module", lambda kind: Model(view))
    outcome, events = programs.handed_over(CpSat(), programs.infeasible())
    assert (outcome.status, outcome.bound) == (Status.OPTIMAL, 5)
    assert [event for event in events if event.solution is not None]


def test_an_invalid_model_is_an_error_with_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    x, view = small_model()
    view.model.add(x * 2**62 <= 5)
    monkeypatch.setattr(module, "_module", lambda kind: Model(view))
    with pytest.raises(SolverError, match="overflow"):
        programs.handed_over(CpSat(), programs.infeasible())


def test_a_gap_is_not_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _ = programs.handed_over(CpSat(), programs.market_split(), gap=1e9)
    assert (outcome.status, outcome.stopped_by) == (Status.UNKNOWN, StoppedBy.GAP)


def test_looking_at_what_it_accepts_imports_nothing() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from combopt import api; import tests.solvers.programs as p;"
        "s = api.make_solver('cpsat'); assert s.accepts(p.knapsack()) and not s.accepts(p.unbounded());"
        "assert not any(m.startswith('ortools') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
