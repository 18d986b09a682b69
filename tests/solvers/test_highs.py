"""HiGHS."""

from __future__ import annotations

import math

import pytest

from combopt import api
from combopt.errors import UsageError
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Mip, MipBuilder, Sos
from combopt.model import Sense
from combopt.result import Result, Status
from combopt.solvers.highs import Highs
from tests.solvers import programs


def solve(program: Mip, **more: object) -> Result:
    return api.solve(program, "highs", isolate=False, time_limit=20, **{"threads": 1, **more})  # type: ignore[arg-type]


def test_linear_program_has_a_bound() -> None:
    program = MipBuilder(sense=Sense.MAX, offset=1)
    x, y = program.column("x", 3), program.column("y", 2)
    program.row({x: 1, y: 1}, upper=4)
    program.row({x: 1, y: 3}, upper=6)
    result = solve(program.build())
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 13, 13)


def test_infeasible_linear_program() -> None:
    program = MipBuilder()
    x, y = program.column("x", 1), program.column("y", 1)
    program.row({x: 1, y: 1}, upper=1)
    program.row({x: 1, y: -1}, lower=2)
    assert solve(program.build()).status is Status.INFEASIBLE


def test_semicontinuous_column_is_on_its_bound_exactly() -> None:
    program = MipBuilder()
    x, y = program.column("x", 1, 2, 3, SEMICONTINUOUS), program.column("y", 1.5, 0, 9)
    program.row({x: 1, y: 1}, lower=1.5)
    result = solve(program.build())
    assert (result.status, result.objective) == (Status.OPTIMAL, 2)


def test_semi_integer_column_without_a_whole_number_in_its_bounds_is_zero() -> None:
    program = MipBuilder(sense=Sense.MAX)
    program.column("x", 1, 0.2, 0.8, SEMIINTEGER)
    assert solve(program.build()).objective == 0


@pytest.mark.parametrize(("lower", "upper"), [(-3, -2), (2, math.inf), (2, 1e6)])
def test_semicontinuous_bounds_it_has_not_are_refused(lower: float, upper: float) -> None:
    program = MipBuilder()
    program.column("x", 1, lower, upper, SEMICONTINUOUS)
    with pytest.raises(UsageError, match="semi-continuous"):
        solve(program.build())


def test_sets_and_indicators_are_refused() -> None:
    program = MipBuilder()
    x, z = program.column("x", 1, 0, 5, INTEGER), program.binary("z")
    row = program.row({x: 1}, lower=1)
    assert "ordered" in str(Highs().why_not(program.build(sos=(Sos(type=1, columns=(0, 1), weights=(1.0, 2.0)),))))
    assert "indicator" in str(Highs().why_not(program.build(indicators=(Indicator(row=row, column=z, active=1),))))


def test_number_of_threads_may_change_between_runs() -> None:
    for threads in (1, 2, 1, 2):
        assert solve(programs.knapsack(), threads=threads).objective == 23


def test_settings_reach_highs() -> None:
    limited, events = programs.handed_over(
        Highs(settings="mip_max_nodes=1, mip_heuristic_effort=0"), programs.market_split()
    )
    assert limited.status is Status.UNKNOWN
    assert not [e for e in events if e.bound is not None and e.bound > 0]


def test_tiny_coefficients_are_kept() -> None:
    program = MipBuilder()
    x = program.column("x", 1, 0, 1e12)
    program.row({x: 1e-10}, lower=1)
    assert solve(program.build()).objective == pytest.approx(1e10)


def test_linear_program_on_which_simplex_gives_up_is_solved_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    from highspy import HighsModelStatus

    from combopt.solvers import highs

    tried: list[dict[str, str]] = []
    original = highs._Search.run

    def run(self: highs._Search) -> object:
        tried.append(dict(self.settings))
        return HighsModelStatus.kUnknown if len(tried) == 1 else original(self)

    monkeypatch.setattr(highs._Search, "run", run)
    program = MipBuilder()
    program.row({program.column("x", 1): 1}, lower=2)
    assert solve(program.build()).status is Status.OPTIMAL
    assert tried == [{}, {"solver": "ipm"}]
