"""The exact checker of mixed-integer programs, against hand-made cases and a plain checker in fractions."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from combopt.errors import InputError
from combopt.instances import exact
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Mip, MipBuilder, Sos
from combopt.instances.solutions import Point
from combopt.model import Evaluation, Exactness
from tests.brute.mip import small


def one_row(
    coefficients: list[float], low: float, high: float, *, whole: bool = False, bound: float = math.inf, **extra: Any
) -> Mip:
    builder = MipBuilder()
    columns = [
        builder.column(f"x{j}", 1.0, -bound, bound, INTEGER if whole else 0) for j in range(len(coefficients))
    ]  # fmt: skip
    builder.row(zip(columns, coefficients, strict=True), low, high, "row")
    return builder.build(**extra)


def at(mip: Mip, *values: float) -> Evaluation:
    return mip.evaluate(Point(mip.columns, values))


def test_decimals_are_decimals() -> None:
    """In floats 0.1 + 0.2 is not 0.3; in the decimals that were written it is."""
    evaluation = at(one_row([0.1, 0.2], 0.3, 0.3), 1.0, 1.0)
    assert evaluation.feasible
    assert evaluation.exactness is Exactness.EXACT


def test_decimals_of_values_are_decimals() -> None:
    assert at(one_row([1.0, 1.0, -1.0], 0.0, 0.0), 0.1, 0.2, 0.3).exactness is Exactness.EXACT


def test_long_decimals_are_exact_too() -> None:
    """More than 15 digits take the last path."""
    third = 0.3333333333333333
    assert at(one_row([third, 1.0], 1.0, 1.0), 3.0, 0.0000000000000001).exactness is Exactness.EXACT
    assert at(one_row([third, 1.0], 1.0, 1.0), 3.0, 0.0000000000000002).exactness is Exactness.TOLERANCE


def test_the_least_breach_is_not_exact() -> None:
    row = one_row([1.0, 1.0], 1.0, math.inf)
    assert at(row, 1.0, 0.0).exactness is Exactness.EXACT
    below = at(row, math.nextafter(1.0, 0), 0.0)
    assert below.feasible
    assert below.exactness is Exactness.TOLERANCE
    assert "row row" in below.notes[-1]


@pytest.mark.parametrize(("value", "feasible"), [(1.0000009, True), (1.0000012, False)])
def test_the_absolute_tolerance(value: float, feasible: bool) -> None:
    assert at(one_row([1.0], -math.inf, 1.0), value).feasible is feasible


@pytest.mark.parametrize(("breach", "feasible"), [(0.0009, True), (0.0012, False)])
def test_the_tolerance_grows_with_the_largest_term(breach: float, feasible: bool) -> None:
    assert at(one_row([1e6, -1e6], breach, math.inf), 1.0, 1.0).feasible is feasible


def test_a_violation_says_which_row_and_by_how_much() -> None:
    evaluation = at(one_row([1.0, 1.0], -math.inf, 3.0), 2.0, 2.5)
    (violation,) = evaluation.violations
    assert (violation.constraint, violation.amount) == ("row row", 1.5)
    assert "4.5" in violation.message
    assert "at most 3" in violation.message


def test_all_violations_are_listed() -> None:
    builder = MipBuilder()
    x = builder.column("x", 0.0, 0.0, 1.0, INTEGER)
    y = builder.column("y", 0.0, 2.0, 3.0)
    builder.row([(x, 1.0), (y, 1.0)], upper=1.0)
    builder.row([(y, 1.0)], lower=7.0)
    found = {v.constraint for v in at(builder.build(), 0.5, 4.0).violations}
    assert found == {"column x", "column y", "row r0", "row r1"}


@pytest.mark.parametrize(("value", "feasible"), [(0.999995, True), (1.000009, True), (0.99998, False)])
def test_integers_are_rounded_when_they_are_near(value: float, feasible: bool) -> None:
    evaluation = at(one_row([1.0], 1.0, 1.0, whole=True), value)
    assert evaluation.feasible is feasible
    if feasible:
        assert evaluation.exactness is Exactness.EXACT
        assert (evaluation.objective, type(evaluation.objective)) == (1, int)
        assert "rounded" in evaluation.notes[0]


def test_rounding_may_break_a_row() -> None:
    """Big-M rows that hold only for the unrounded value."""
    builder = MipBuilder()
    b, y = builder.binary("b"), builder.column("y")
    builder.row([(y, 1.0), (b, -1e6)], upper=0.0)
    mip = builder.build()
    assert not at(mip, 1e-6, 1.0).feasible
    assert at(mip, 1.0, 1.0).feasible


def test_bounds_have_the_tolerance_too() -> None:
    mip = one_row([1.0], -math.inf, math.inf, bound=10.0)
    assert at(mip, 10.0).exactness is Exactness.EXACT
    assert at(mip, 10.0000005).exactness is Exactness.TOLERANCE
    assert not at(mip, 10.00001).feasible
    assert not at(mip, -10.00001).feasible


@pytest.mark.parametrize(
    ("domain", "value", "feasible"),
    [
        (SEMICONTINUOUS, 0.0, True),
        (SEMICONTINUOUS, 2.5, True),
        (SEMICONTINUOUS, 1.5, False),
        (SEMICONTINUOUS, 1e-7, True),
        (SEMICONTINUOUS, 4.1, False),
        (SEMIINTEGER, 3.0, True),
        (SEMIINTEGER, 2.5, False),
        (SEMIINTEGER, 1.0, False),
        (SEMIINTEGER, 0.0, True),
    ],
)
def test_semi_continuous_columns(domain: int, value: float, feasible: bool) -> None:
    builder = MipBuilder()
    builder.column("x", 1.0, 2.0, 4.0, domain)
    assert at(builder.build(), value).feasible is feasible


@pytest.mark.parametrize(
    ("type_", "values", "feasible"),
    [
        (1, (0, 0, 5, 0), True),
        (1, (0, 1, 1, 0), False),
        (1, (0, 0, 0, 0), True),
        (2, (0, 1, 1, 0), True),
        (2, (1, 0, 1, 0), False),
        (2, (1, 1, 1, 0), False),
        (2, (0, 0, 0, 3), True),
        (2, (0, 0, 2, 3), True),
        (2, (2, 3, 1e-7, 0), True),
        (2, (2, 3, 0, 1e-3), False),
    ],
)
def test_special_ordered_sets(type_: int, values: tuple[float, ...], feasible: bool) -> None:
    group = Sos(type=type_, columns=(0, 1, 2, 3), weights=(1, 2, 3, 4), name="s")
    evaluation = at(one_row([1.0] * 4, -math.inf, math.inf, sos=(group,)), *values)
    assert evaluation.feasible is feasible
    if not feasible:
        assert evaluation.violations[0].constraint == "set s"
        assert evaluation.violations[0].amount == min(v for v in values if v > 0)


def test_sets_follow_their_own_order() -> None:
    group = Sos(type=2, columns=(2, 0, 1), weights=(1, 2, 3))
    mip = one_row([1.0] * 3, -math.inf, math.inf, sos=(group,))
    assert at(mip, 1.0, 0.0, 1.0).feasible
    assert not at(mip, 0.0, 1.0, 1.0).feasible


@pytest.mark.parametrize(("b", "y", "feasible"), [(1, 5, False), (1, 3, True), (0, 5, True)])
@pytest.mark.parametrize("active", [0, 1])
def test_indicators(b: int, y: float, feasible: bool, active: int) -> None:
    builder = MipBuilder()
    builder.binary("b")
    builder.column("y")
    builder.row([(1, 1.0)], upper=3.0)
    mip = builder.build(indicators=(Indicator(row=0, column=0, active=active),))
    assert at(mip, b if active else 1 - b, y).feasible is feasible


def test_names_may_come_in_any_order() -> None:
    mip = one_row([1.0, 2.0], -math.inf, 5.0)
    assert mip.evaluate(Point(("x1", "x0"), [2.0, 1.0])) == at(mip, 1.0, 2.0)


@pytest.mark.parametrize("names", [("x0",), ("x0", "x1", "x2"), ("x0", "x2"), ("x0", "x0"), ("x0", "x1", "x1")])
def test_other_names_are_refused(names: tuple[str, ...]) -> None:
    mip = one_row([1.0, 2.0], -math.inf, 5.0)
    with pytest.raises(InputError) as caught:
        mip.evaluate(Point(names, np.zeros(len(names))))
    assert caught.value.code == "E302"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_violations(value: float) -> None:
    evaluation = at(one_row([1.0, 1.0], -math.inf, 5.0), value, 1.0)
    assert [v.constraint for v in evaluation.violations] == ["column x0"]
    assert evaluation.objective == 1


def test_the_objective_is_rounded_once() -> None:
    builder = MipBuilder(offset=0.1)
    columns = [builder.column(f"x{j}", 0.1) for j in range(9)]
    mip = builder.build()
    assert at(mip, *[1.0] * len(columns)).objective == 1.0
    assert sum([0.1] * 10) != 1.0


def test_the_objective_is_whole_where_the_data_are() -> None:
    builder = MipBuilder(offset=1.0)
    builder.column("x", 2.0**60, 0, 10, INTEGER)
    builder.column("y", 1.0, 0, 10, INTEGER)
    builder.column("free of cost", 0.0)
    found = at(builder.build(), 3.0, 1.0, 0.5).objective
    assert (found, type(found)) == (
        3 * int(repr(2.0**60).replace("1.152921504606847e+18", "1152921504606847000")) + 2,
        int,
    )


def test_the_objective_of_continuous_columns_is_a_float() -> None:
    builder = MipBuilder()
    builder.column("x", 2.0)
    assert type(at(builder.build(), 3.0).objective) is float


def test_numbers_of_all_sizes() -> None:
    mip = one_row([1e300, -1e300, 1e-300, 5e-324], 5e-324, math.inf)
    assert at(mip, 1.0, 1.0, 0.0, 1.0).exactness is Exactness.EXACT
    assert at(mip, 1e10, 1e10, 0.0, 1.0).exactness is Exactness.EXACT
    assert at(mip, 1.0, 1.0, 0.0, 0.0).exactness is Exactness.TOLERANCE
    assert not at(mip, 0.0, 1.0, 0.0, 0.0).feasible


def test_products_below_the_least_float_are_not_lost() -> None:
    mip = one_row([1e-200], -math.inf, 0.0)
    assert at(mip, 1e-200).exactness is Exactness.TOLERANCE
    assert at(mip, -1e-200).exactness is Exactness.EXACT


def test_overflow_is_no_excuse() -> None:
    assert not at(one_row([1e300, 1.0], -math.inf, 1.0), 1e300, 0.0).feasible


def _plain(mip: Mip, values: np.ndarray) -> tuple[set[str], Exactness, Fraction]:
    """Violated constraints, exactness and objective, computed in fractions, slowly and simply."""
    x = [Fraction(repr(float(v))) for v in values]
    for j, v in enumerate(x):
        if mip.integral[j] and abs(v - round(v)) <= Fraction("1e-5"):
            x[j] = Fraction(round(v))
    broken: set[str] = set()
    worst = Fraction(0)
    breaches = []
    for j, v in enumerate(x):
        if mip.integral[j] and v.denominator != 1:
            broken.add(f"column {mip.columns[j]}")
        low, high = float(mip.lower[j]), float(mip.upper[j])
        breach = max(
            Fraction(repr(low)) - v if low > -math.inf else Fraction(0),
            v - Fraction(repr(high)) if high < math.inf else Fraction(0),
        )
        breaches.append((f"column {mip.columns[j]}", breach, abs(v)))
    for i, name in enumerate(mip.rows):
        terms = [
            Fraction(repr(float(mip.row_value[k]))) * x[mip.row_column[k]]
            for k in range(mip.row_start[i], mip.row_start[i + 1])
        ]
        low, high = float(mip.row_lower[i]), float(mip.row_upper[i])
        breach = max(
            Fraction(repr(low)) - sum(terms) if low > -math.inf else Fraction(0),
            sum(terms) - Fraction(repr(high)) if high < math.inf else Fraction(0),
        )
        breaches.append((f"row {name}", breach, max(map(abs, terms), default=Fraction(0))))
    for name, breach, largest in breaches:
        if breach > Fraction("1e-6") + Fraction("1e-9") * largest:
            broken.add(name)
        elif breach > 0:
            worst = max(worst, breach)
    value = sum((Fraction(repr(float(c))) * v for c, v in zip(mip.cost, x, strict=True)), Fraction(repr(mip.offset)))
    return broken, Exactness.TOLERANCE if worst else Exactness.EXACT, value


def _random_case(rng: np.random.Generator) -> tuple[Mip, np.ndarray]:
    """A random program with a point around which the sides are set, some exactly tight, some off by very little."""
    n, m = int(rng.integers(1, 7)), int(rng.integers(1, 7))
    digits = int(rng.choice([0, 1, 3, 17]))
    builder = MipBuilder(offset=round(float(rng.normal()), digits))
    point = np.zeros(n)
    for j in range(n):
        whole = rng.random() < 0.5
        point[j] = (
            rng.integers(-5, 6) if whole else round(float(rng.normal(scale=10.0 ** rng.integers(-3, 4))), digits)
        )
        builder.column(f"x{j}", round(float(rng.normal()), digits), -1e6, 1e6, INTEGER if whole else 0)
    for _ in range(m):
        terms = [
            (j, round(float(rng.normal(scale=10.0 ** rng.integers(-2, 5))), digits))
            for j in range(n)
            if rng.random() < 0.7
        ]
        side = sum((Fraction(repr(v)) * Fraction(repr(float(point[j]))) for j, v in terms), Fraction(0))
        side = float(side) + float(rng.choice([0.0, 0.0, 0.0, 1e-15, -1e-12, 1e-7, -1e-5, 1.0]))
        builder.row(terms, *[(-math.inf, side), (side, math.inf), (side, side), (side - 1, side + 1)][rng.integers(4)])
    if rng.random() < 0.3:
        point = point + rng.choice([0.0, 1e-9, 1e-6], size=n)
    return builder.build(), point


@pytest.mark.parametrize("block", range(10))
def test_agrees_with_fractions(block: int) -> None:
    for number in range(100):
        rng = np.random.default_rng([block, number])
        mip, values = _random_case(rng)
        evaluation = mip.evaluate(Point(mip.columns, values))
        broken, exactness, value = _plain(mip, values)
        assert {v.constraint for v in evaluation.violations} == broken, (block, number)
        if not broken:
            assert evaluation.exactness is exactness, (block, number)
        assert evaluation.objective == (int(value) if isinstance(evaluation.objective, int) else float(value))


def test_agrees_with_fractions_on_the_tiny_programs() -> None:
    for seed in range(200):
        rng = np.random.default_rng([seed, 9])
        mip = small(rng)
        if mip.sos or mip.indicators or (mip.domain >= SEMICONTINUOUS).any():
            continue
        values = np.round(rng.normal(scale=3, size=len(mip.columns)), int(rng.integers(0, 2)))
        evaluation = mip.evaluate(Point(mip.columns, values))
        assert {v.constraint for v in evaluation.violations} == _plain(mip, values)[0]


def test_permuting_rows_and_columns_changes_nothing() -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        mip, values = _random_case(rng)
        order, rows = rng.permutation(len(mip.columns)), rng.permutation(len(mip.rows))
        builder = MipBuilder(offset=mip.offset)
        for j in order.tolist():
            builder.column(mip.columns[j], mip.cost[j], mip.lower[j], mip.upper[j], int(mip.domain[j]))
        place = {j: k for k, j in enumerate(order.tolist())}
        for i in rows.tolist():
            entries = range(mip.row_start[i], mip.row_start[i + 1])
            terms = [(place[int(mip.row_column[k])], float(mip.row_value[k])) for k in entries]
            builder.row(terms, mip.row_lower[i], mip.row_upper[i], mip.rows[i])
        one = mip.evaluate(Point(mip.columns, values))
        two = builder.build().evaluate(Point(mip.columns, values))
        assert (one.objective, one.exactness) == (two.objective, two.exactness)
        assert {v.constraint for v in one.violations} == {v.constraint for v in two.violations}


def test_many_entries_are_checked_soon() -> None:
    """Half a million entries, every row tight and all numbers short: no row needs decimals."""
    rng = np.random.default_rng(0)
    n, m, width = 20_000, 50_000, 10
    column = np.sort(rng.integers(0, n - width, size=(m, 1)) + np.arange(width), axis=1).reshape(-1)
    value = rng.integers(1, 100, size=m * width) / 10
    x = rng.integers(0, 2, size=n).astype(float)
    activity = np.round((value * x[column]).reshape(m, width).sum(axis=1), 1)
    mip = Mip(
        cost=np.ones(n), lower=np.zeros(n), upper=np.ones(n), domain=np.ones(n, int),
        row_start=np.arange(m + 1) * width, row_column=column, row_value=value, row_lower=activity, row_upper=activity,
        columns=tuple(f"x{j}" for j in range(n)), rows=tuple(f"r{i}" for i in range(m)),
    )  # fmt: skip
    started = time.process_time()
    evaluation = mip.evaluate(Point(mip.columns, x))
    assert time.process_time() - started < 3.0
    assert evaluation.exactness is Exactness.EXACT
    assert evaluation.objective == x.sum()


def test_the_filters_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with slack and rows of short decimals never reach the exact path."""

    def never(*_: object) -> float:
        raise AssertionError

    monkeypatch.setattr(exact, "_exact_breach", never)
    assert at(one_row([1 / 3, 0.1], -math.inf, 10.0), 3.0, 1.0).exactness is Exactness.EXACT
    assert at(one_row([0.1, 0.2], 0.3, 0.3), 1.0, 1.0).exactness is Exactness.EXACT
    with pytest.raises(AssertionError):
        at(one_row([1 / 3, 1e-16], 1.0, 1.0), 3.0, 1.0)
