"""Mixed-integer programs: construction, canonical form, generators."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from combopt.errors import InputError, UsageError
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, Indicator, Mip, MipBuilder, Sos
from combopt.instances.mip_families import FAMILIES
from combopt.instances.solutions import Point
from combopt.model import Instance, Sense
from tests.brute.mip import best, small


def program(**extra: Any) -> Mip:
    """min x + 2 b + 3 with x + b >= 1 and -1 <= 2 x - b <= 5."""
    builder = MipBuilder(name="tiny", offset=3.0)
    x, b = builder.column("x", 1.0, upper=10.0), builder.binary("b", 2.0)
    builder.row({x: 1.0, b: 1.0}, lower=1.0, name="cover")
    builder.row([(x, 2.0), (b, -1.0)], -1.0, 5.0, name="range")
    return builder.build(**extra)


def refused(code: str, **changes: Any) -> None:
    with pytest.raises(InputError) as caught:
        dataclasses.replace(program(), **changes)
    assert caught.value.code == code


def test_the_builder_builds_what_was_said() -> None:
    mip = program()
    assert (mip.columns, mip.rows) == (("x", "b"), ("cover", "range"))
    assert mip.row_start.tolist() == [0, 2, 4]
    assert mip.row_column.tolist() == [0, 1, 0, 1]
    assert mip.row_value.tolist() == [1, 1, 2, -1]
    assert mip.row_upper.tolist() == [math.inf, 5]
    assert mip.domain.tolist() == [0, INTEGER]
    assert mip.size() == {"rows": 2, "columns": 2, "nonzeros": 4, "integers": 1}


def test_rows_without_a_name_are_numbered() -> None:
    builder = MipBuilder()
    x = builder.column("x")
    assert [builder.row({x: 1.0}), builder.row({x: 1.0})] == [0, 1]
    assert builder.build().rows == ("r0", "r1")


def test_an_empty_program_is_a_program() -> None:
    mip = MipBuilder(offset=4.0).build()
    assert mip.size() == {"rows": 0, "columns": 0, "nonzeros": 0, "integers": 0}
    assert mip.evaluate(Point((), np.zeros(0))).objective == 4


def test_the_order_within_a_row_means_nothing() -> None:
    tidy = program()
    messy = dataclasses.replace(tidy, row_column=[1, 0, 1, 0], row_value=[1.0, 1.0, -1.0, 2.0])
    assert messy == tidy
    assert messy.digest() == tidy.digest()


def test_zero_coefficients_are_dropped() -> None:
    builder = MipBuilder(name="tiny", offset=3.0)
    x, b, z = builder.column("x", 1.0), builder.binary("b", 2.0), builder.column("z")
    builder.row([(z, 0.0), (x, 1.0), (b, 0.0)], upper=1.0)
    builder.row([(b, 1.0), (z, -0.0)], upper=1.0)
    mip = builder.build()
    assert mip.row_start.tolist() == [0, 1, 2]
    assert mip.row_column.tolist() == [0, 1]


def test_minus_zero_is_zero() -> None:
    assert dataclasses.replace(program(), lower=[-0.0, 0.0]).digest() == program().digest()


@pytest.mark.parametrize("name", ["cost", "row_value", "offset"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_must_be_finite(name: str, value: float) -> None:
    old = getattr(program(), name)
    refused("E114", **{name: value if name == "offset" else [value, *old.tolist()[1:]]})


@pytest.mark.parametrize("name", ["lower", "upper", "row_lower", "row_upper"])
def test_nan_is_no_bound(name: str) -> None:
    refused("E114", **{name: [math.nan, 1.0]})


@pytest.mark.parametrize("name", ["lower", "row_lower"])
def test_lower_sides_are_not_plus_infinity(name: str) -> None:
    refused("E114", **{name: [math.inf, 0.0]})


@pytest.mark.parametrize("name", ["upper", "row_upper"])
def test_upper_sides_are_not_minus_infinity(name: str) -> None:
    refused("E114", **{name: [-math.inf, 1.0]})


@pytest.mark.parametrize("name", ["cost", "lower", "upper", "domain", "row_lower", "row_upper"])
def test_lengths_must_fit(name: str) -> None:
    refused("E115", **{name: [0, 0, 0]})


@pytest.mark.parametrize("start", [[0, 2], [0, 3, 2], [1, 2, 4], [0, 2, 5], [0, 2, 3]])
def test_row_starts_must_cut_the_entries(start: list[int]) -> None:
    refused("E115", row_start=start)


@pytest.mark.parametrize("column", [-1, 2])
def test_column_indices_must_exist(column: int) -> None:
    refused("E117", row_column=[0, 1, 0, column])


def test_a_column_occurs_once_in_a_row() -> None:
    refused("E116", row_column=[0, 0, 0, 1])


@pytest.mark.parametrize("domain", [-1, 4])
def test_domains_are_known(domain: int) -> None:
    refused("E114", domain=[0, domain])


@pytest.mark.parametrize("names", [("x", "x"), ("x", ""), ("x", 3)])
@pytest.mark.parametrize("what", ["columns", "rows"])
def test_names_are_distinct_words(what: str, names: tuple[Any, ...]) -> None:
    refused("E116" if names == ("x", "x") else "E123", **{what: names})


def test_the_sense_is_known() -> None:
    refused("E114", sense="up")


def test_crossed_bounds_are_infeasible_not_malformed() -> None:
    mip = dataclasses.replace(program(), lower=[11.0, 0.0], row_lower=[1.0, 6.0])
    assert not mip.evaluate(Point(mip.columns, [11.0, 0.0])).feasible


@pytest.mark.parametrize(
    ("group", "code"),
    [
        (Sos(type=3, columns=(0, 1), weights=(1, 2)), "E114"),
        (Sos(type=1, columns=(0, 1), weights=(1,)), "E115"),
        (Sos(type=1, columns=(0, 0), weights=(1, 2)), "E116"),
        (Sos(type=1, columns=(0, 2), weights=(1, 2)), "E117"),
        (Sos(type=1, columns=(0, 1), weights=(1, math.nan)), "E114"),
    ],
)
def test_sets_are_checked(group: Sos, code: str) -> None:
    refused(code, sos=(group,))


@pytest.mark.parametrize(
    ("indicator", "code"),
    [
        (Indicator(row=2, column=1, active=1), "E117"),
        (Indicator(row=0, column=-1, active=1), "E117"),
        (Indicator(row=0, column=1, active=2), "E114"),
        (Indicator(row=0, column=0, active=1), "E120"),
    ],
)
def test_indicators_are_checked(indicator: Indicator, code: str) -> None:
    refused(code, indicators=(indicator,))


def test_sets_have_names_of_their_own() -> None:
    one = Sos(type=1, columns=(0, 1), weights=(1, 2))
    mip = program(sos=(one, one, Sos(type=1, columns=(0, 1), weights=(1, 2), name="set1")))
    assert [group.name for group in mip.sos] == ["set1_", "set2", "set1"]
    refused("E116", sos=mip.sos[:1] * 2)


def test_a_row_has_one_indicator() -> None:
    refused("E116", indicators=(Indicator(row=0, column=1, active=1), Indicator(row=0, column=1, active=0)))


def test_json_keeps_infinite_bounds_sets_and_indicators() -> None:
    mip = program(
        sos=(Sos(type=1, columns=(0, 1), weights=(1.0, 2.0), name="s"),),
        indicators=(Indicator(row=0, column=1, active=1),),
    )
    mip = dataclasses.replace(mip, upper=[math.inf, 1.0], sense=Sense.MAX)
    again = Instance.from_dict(json.loads(json.dumps(mip.to_dict(), allow_nan=False)))
    assert again == mip


def test_a_solution_of_another_type_is_refused() -> None:
    from combopt.instances.solutions import Selection

    with pytest.raises(InputError, match="E302"):
        program().evaluate(Selection([0]))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [1, 2, 5, 9, 40])
def test_generators_make_programs_of_every_size(family: str, n: int) -> None:
    for seed in range(5):
        mip = Mip.generate(np.random.default_rng(seed), n=n, family=family)
        assert len(mip.columns) >= n
        assert mip == Mip.generate(np.random.default_rng(seed), n=n, family=family)


def test_generated_covers_have_the_density_of_the_literature() -> None:
    mip = Mip.generate(np.random.default_rng(1), n=400, family="set_cover")
    assert len(mip.rows) == 200
    assert len(mip.row_value) / (400 * 200) == pytest.approx(0.05, rel=0.1)
    assert np.diff(mip.row_start).min() >= 2
    assert set(mip.row_column.tolist()) == set(range(400))


def test_choosing_everything_covers_everything() -> None:
    mip = Mip.generate(np.random.default_rng(2), n=60, family="set_cover")
    everything = mip.evaluate(Point(mip.columns, np.ones(60)))
    assert everything.feasible
    assert everything.objective == int(mip.cost.sum())


def test_every_item_of_an_auction_is_sold_once() -> None:
    mip = Mip.generate(np.random.default_rng(3), n=20, family="auction")
    assert mip.sense is Sense.MAX
    assert len(mip.columns) >= 100
    assert mip.evaluate(Point(mip.columns, np.zeros(len(mip.columns)))).feasible
    assert not mip.evaluate(Point(mip.columns, np.ones(len(mip.columns)))).feasible


def test_facilities_can_serve_all_customers() -> None:
    mip = Mip.generate(np.random.default_rng(4), n=10, family="facility")
    capacity = [-v for v in mip.row_value.tolist() if v < -1]
    demand = mip.row_lower[mip.rows.index("total")]
    assert sum(capacity) == pytest.approx(5 * demand, rel=0.05)


def test_nodes_of_a_clique_exclude_each_other() -> None:
    mip = Mip.generate(np.random.default_rng(5), n=30, family="independent_set")
    assert set(mip.row_upper.tolist()) == {1}
    assert np.diff(mip.row_start).min() >= 2
    assert mip.row_value.min() == mip.row_value.max() == 1


def test_unknown_families_and_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="family"):
        Mip.generate(np.random.default_rng(0), family="nix")
    with pytest.raises(UsageError, match="n = 0"):
        Mip.generate(np.random.default_rng(0), n=0)


def test_brute_force_knows_all_corners() -> None:
    """The tiny programs for comparisons really are of all sorts."""
    seen: set[str] = set()
    for seed in range(300):
        mip = small(np.random.default_rng([seed, 1]))
        holds = {
            "infeasible": best(mip) is None,
            "feasible": best(mip) is not None,
            "free": np.isinf(mip.lower).any(),
            "semi": (mip.domain >= SEMICONTINUOUS).any(),
            "continuous": (mip.domain == 0).any(),
            "set": bool(mip.sos),
            "indicator": bool(mip.indicators),
            "empty row": (np.diff(mip.row_start) == 0).any(),
            "empty column": len(set(mip.row_column.tolist())) < len(mip.columns),
            "equation": (mip.row_lower == mip.row_upper).any(),
        }
        seen |= {name for name, true in holds.items() if true}
    assert len(seen) == 10


def test_brute_force_by_hand() -> None:
    builder = MipBuilder(sense=Sense.MAX)
    a, b = builder.column("a", 3.0, 0, 3, INTEGER), builder.column("b", 2.0, 0, 3, INTEGER)
    y = builder.column("y", 1.0, 0, 10)
    builder.row([(a, 2.0), (b, 1.0), (y, 1.0)], upper=5.5)
    builder.row([(a, 1.0), (b, 1.0)], upper=3.0)
    assert best(builder.build()) == 3 * 2 + 2 * 1 + 0.5
