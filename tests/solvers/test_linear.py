"""Bounds, starts and points of mixed-integer solvers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from combopt.errors import UsageError
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, Indicator, Mip, MipBuilder, Sos
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.solvers.linear import bound_rule, pairs, start_values
from combopt.solvers.repair import Repair, tidied
from tests.solvers import programs


@pytest.mark.parametrize(
    ("sense", "bound", "expected"),
    [
        (Sense.MIN, 6.2, 7),
        (Sense.MIN, 6.9999999, 7),
        (Sense.MIN, 7.0000001, 7),
        (Sense.MAX, 6.8, 6),
        (Sense.MAX, 7.0000001, 7),
        (Sense.MIN, 1e20, None),
        (Sense.MIN, -math.inf, None),
        (Sense.MIN, math.nan, None),
    ],
)
def test_bounds_of_whole_objectives_are_rounded_towards_them(sense: Sense, bound: float, expected: int | None) -> None:
    assert bound_rule(programs.integer(sense))(bound) == expected


def test_bounds_of_other_objectives_are_left_alone() -> None:
    assert bound_rule(programs.integer(offset=0.5))(6.9999999) == 6.9999999


def test_start_values_go_by_name() -> None:
    program = programs.integer()
    assert start_values(program, Point(("y", "x"), np.array([1.0, 2.0]))).tolist() == [2, 1]  # type: ignore[union-attr]
    assert start_values(program, Point(("z",), np.array([1.0]))) is None
    assert start_values(program, None) is None


def test_pairs() -> None:
    assert pairs(" a=1, b/c = 2\n") == [("a", "1"), ("b/c", "2")]
    with pytest.raises(UsageError, match="E201"):
        pairs("a")


def switched(cost: float = 3.0) -> Mip:
    """min -x + cost z with x <= 10^7 z, x <= 500: the relaxation hides x behind a z that is almost 0."""
    program = MipBuilder()
    x, z = program.column("x", -1, 0, 500), program.binary("z", cost)
    program.row({x: 1, z: -1e7}, upper=0)
    return program.build()


def repaired(program: Mip, values: list[float]) -> list[float]:
    run, events = programs.session()
    Repair(program, run).emit(np.array(values))
    assert len(events) == 1
    return events[0].solution.values.tolist()  # type: ignore[union-attr]


def test_nearly_whole_values_become_whole() -> None:
    assert repaired(switched(), [500.0, 0.9999999]) == [500, 1]


def test_what_rounding_breaks_is_solved_anew() -> None:
    program = switched()
    assert not program.evaluate(Point(program.columns, np.array([5.0, 5e-7]))).feasible
    assert repaired(program, [5.0, 5e-7]) == [0, 0]


def test_hopeless_points_are_handed_over_as_they_are() -> None:
    assert repaired(programs.infeasible(), [1.5]) == [1.5]


def test_indicators_and_sets_are_fixed_as_they_are() -> None:
    program = MipBuilder(sense=Sense.MAX)
    x = program.column("x", 1, 0, 9)
    program.column("y", 2, 0, 9)
    z = program.binary("z")
    row = program.row({x: 1}, upper=2)
    mip = program.build(
        sos=(Sos(type=1, columns=(0, 1), weights=(1.0, 2.0)),), indicators=(Indicator(row=row, column=z, active=1),)
    )
    assert repaired(mip, [5.0, 1e-4, 1.0]) == [2, 0, 1]
    assert repaired(mip, [5.0, 1e-4, 0.0]) == [9, 0, 0]


def test_values_just_outside_go_to_the_bound() -> None:
    program = MipBuilder()
    program.column("a", 0, 1, 2)
    program.column("b", 0, 2, 3, SEMICONTINUOUS)
    program.column("c", 0, 2, 3, SEMICONTINUOUS)
    program.column("d", 0, -4, 4, INTEGER)
    mip = program.build()
    assert tidied(mip, np.array([0.9999999, 1.999999, 1e-7, -3.0000001])).tolist() == [1, 2, 0, -3]
    assert tidied(mip, np.array([1.5, 2.5, 0.7, 2.4])).tolist() == [1.5, 2.5, 0.7, 2.4]
