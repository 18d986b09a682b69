"""Uncertainty sets and two-stage robust programs: geometry, evaluation by hand and by brute force, wrong data."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import CombOptError, InputError, UnsupportedError, UsageError
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, Mip, MipBuilder
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import RobustPlan
from combopt.instances.uncertainty import Uncertainty
from combopt.model import Instance, Sense
from tests.brute import robust as brute


def polyhedra(count: int, rows: int | None = None) -> list[Uncertainty]:
    found: list[Uncertainty] = []
    number = 0
    while len(found) < count:
        rng = np.random.default_rng(number)
        number += 1
        q = int(rng.integers(1, 5))
        m = int(rng.integers(0, 4)) if rows is None else rows
        lower = rng.integers(-3, 2, size=q).astype(float)
        upper = lower + rng.integers(0, 4, size=q)
        matrix = rng.integers(-2, 4, size=(m, q)).astype(float)
        inside = lower + (upper - lower) * rng.random(q)
        found.append(Uncertainty(lower=lower, upper=upper, matrix=matrix, rhs=matrix @ inside + rng.random(m)))
    return found


def distinct(points: np.ndarray) -> set[tuple[float, ...]]:
    return {tuple(np.round(point, 6) + 0.0) for point in points}


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_vertices_are_those_of_all_tight_combinations(rows: int) -> None:
    for uncertainty in polyhedra(40, rows):
        assert distinct(uncertainty.vertices()) == distinct(brute.vertices(uncertainty))


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_the_largest_value_is_attained_at_a_vertex(rows: int) -> None:
    for number, uncertainty in enumerate(polyhedra(40, rows)):
        slopes = np.random.default_rng(number).integers(-5, 6, size=(5, uncertainty.dimension)).astype(float)
        values, points = uncertainty.largest(slopes)
        assert values == pytest.approx((brute.vertices(uncertainty) @ slopes.T).max(axis=0), abs=1e-7)
        assert [float(s @ p) for s, p in zip(slopes, points, strict=True)] == pytest.approx(values.tolist(), abs=1e-7)
        assert all(uncertainty.contains(point, 1e-7) for point in points)


def test_the_largest_value_is_a_bound_whatever_the_multipliers(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.optimize

    class Wrong:
        x = np.array([1.0, 1.0])

        class ineqlin:
            marginals = np.array([-0.3, 5.0])

    monkeypatch.setattr(scipy.optimize, "linprog", lambda *a, **k: Wrong)
    uncertainty = Uncertainty(lower=[0, 0], upper=[1, 1], matrix=[[1, 1], [1, 2]], rhs=[1, 1.5])
    values, _ = uncertainty.largest(np.array([[3.0, 2.0]]))
    assert values[0] >= 3.0


def test_vertices_of_a_budget_set() -> None:
    assert len(Uncertainty.budget(10, 3).vertices()) == 1 + 10 + 45 + 120
    assert len(Uncertainty.budget(4, 1.5).vertices()) == 1 + 4 + 12


def test_factors_without_effect_add_no_vertices() -> None:
    relevant = np.array([True] * 3 + [False] * 30)
    assert len(Uncertainty.box(np.zeros(33), np.ones(33)).vertices(relevant)) == 8
    assert len(Uncertainty.budget(33, 2).vertices(relevant)) == 7


def test_too_many_vertices_are_refused() -> None:
    for uncertainty in (
        Uncertainty.box(np.zeros(30), np.ones(30)),
        Uncertainty.budget(40, 10),
        Uncertainty(lower=np.zeros(40), upper=np.ones(40), matrix=np.ones((2, 40)), rhs=[5, 6]),
    ):
        with pytest.raises(UnsupportedError) as caught:
            uncertainty.vertices()
        assert caught.value.code == "E202"


def test_the_centre_is_in_the_set() -> None:
    for uncertainty in [*polyhedra(60), Uncertainty.finite([[1, 2], [3, 4]]), Uncertainty.budget(6, 1.5)]:
        assert uncertainty.contains(uncertainty.centre(), 1e-7)


def test_bounds_of_a_polyhedron_are_found() -> None:
    simplex = Uncertainty.polyhedron([[1, 1], [-1, 0], [0, -1]], [1, 0, 0])
    assert simplex.lower == pytest.approx([0, 0], abs=1e-6)
    assert simplex.upper == pytest.approx([1, 1], abs=1e-6)
    assert distinct(np.round(simplex.vertices(), 5)) == {(0, 0), (1, 0), (0, 1)}


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda: Uncertainty(), "E118", "empty"),
        (lambda: Uncertainty.finite([]), "E118", "empty"),
        (lambda: Uncertainty.box([0, 2], [1, 1]), "E120", "xi2 from 2 to 1"),
        (lambda: Uncertainty.budget(3, -1), "E120", "row 0 needs at most -1"),
        (lambda: Uncertainty.budget(0, 1), "E114", "0 factors"),
        (lambda: Uncertainty.box([0], [math.inf]), "E114", "upper"),
        (lambda: Uncertainty.box([math.nan], [1]), "E114", "lower"),
        (lambda: Uncertainty.polyhedron([[1, 0]], [1]), "E114", "unbounded: xi1 is not limited below"),
        (lambda: Uncertainty.polyhedron([[1], [-1]], [1, -2]), "E120", "empty"),
        (lambda: Uncertainty(lower=[0, 0], upper=[9, 9], matrix=[[1, 1], [-1, -1]], rhs=[2, -3]), "E120", "rows 0, 1"),
        (lambda: Uncertainty(lower=[0], upper=[1, 2]), "E115", "upper"),
        (lambda: Uncertainty(lower=[0], upper=[1], matrix=[[1, 2]], rhs=[1]), "E115", "matrix"),
        (lambda: Uncertainty(lower=[0], upper=[1], matrix=[[1]], rhs=[]), "E115", "rhs"),
        (lambda: Uncertainty(lower=[0], upper=[1], scenarios=[[1]]), "E120", "both bounds and scenarios"),
        (lambda: Uncertainty(scenarios=[[1]], matrix=[[1]], rhs=[1]), "E120", "has rows"),
        (lambda: Uncertainty.box([0, 0], [1, 1], factors=("a",)), "E115", "1 names of 2"),
        (lambda: Uncertainty.box([0, 0], [1, 1], factors=("a", "a")), "E116", "names"),
    ],
)
def test_wrong_sets(make: Callable[[], Any], code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.code == code
    assert words in caught.value.found


def stages(sense: Sense = Sense.MIN) -> tuple[Mip, Mip]:
    """Buy capacity x now for 2 a unit; later meet a demand of 1 from it, or from outside y for 5 a unit."""
    first, second = MipBuilder("first", sense), MipBuilder("second", sense)
    sign = 1.0 if sense is Sense.MIN else -1.0
    first.column("x", 2.0 * sign, 0.0, 4.0, INTEGER)
    second.column("x", 0.0, 0.0, 4.0, INTEGER)
    second.column("y", 5.0 * sign, 0.0, 9.0)
    second.row([(0, 1.0), (1, 1.0)], lower=1.0, name="demand")
    return first.build(), second.build()


def newsvendor(uncertainty: Uncertainty, sense: Sense = Sense.MIN) -> TwoStageRobust:
    return TwoStageRobust.build(*stages(sense), uncertainty, [("demand", "rhs", 0, 2.0)])


@pytest.mark.parametrize("sense", list(Sense))
def test_a_plan_by_hand(sense: Sense) -> None:
    instance = newsvendor(Uncertainty.box([0.0], [1.0]), sense)
    sign = 1 if sense is Sense.MIN else -1
    served = instance.evaluate(RobustPlan([1.0], [[0.0], [2.0]]))
    assert served.feasible
    assert served.objective == sign * 12.0  # 2 for the unit, 5 for each of the two that lack at xi = 1
    assert served.notes == ("worst scenario: xi1 = 1",)
    wasteful = instance.evaluate(RobustPlan([1.0], [[3.0]]))
    assert (wasteful.feasible, wasteful.objective) == (True, sign * 17.0)
    lacking = instance.evaluate(RobustPlan([1.0], [[0.0], [1.0]]))
    assert lacking.objective == sign * math.inf
    assert str(lacking.violations[0]) == (
        "recourse in scenario xi1 = 1: no decision serves it: the nearest breaks row demand by 1"
    )
    assert "none is held ready" in str(instance.evaluate(RobustPlan([1.0], [])).violations[0])
    assert "none is whole and within" in str(instance.evaluate(RobustPlan([1.0], [[10.0]])).violations[0])
    assert instance.evaluate(RobustPlan([9.0], [[3.0]])).violations[0].constraint == "column x"


def test_a_mixture_by_hand() -> None:
    """One of two goods is to be taken; xi makes the one or the other dear, so half of each is worth 1.5."""
    first, second = MipBuilder("first"), MipBuilder("second")
    first.binary("x", 1.0)
    second.binary("x")
    for name in ("a", "b"):
        second.binary(name)
    second.row([(1, 1.0), (2, 1.0)], lower=1.0)
    terms = [("objective", "a", "xi", 1.0), ("objective", "b", "xi", -1.0), ("objective", "b", "one", 1.0)]
    uncertainty = Uncertainty.box([0.0, 1.0], [1.0, 1.0], factors=("xi", "one"))
    instance = TwoStageRobust.build(first.build(), second.build(), uncertainty, terms)
    assert instance.form == "objective"
    both = RobustPlan([1.0], [[1, 0], [0, 1]], weights=[0.5, 0.5], scenario=[0.5, 1.0])
    assert instance.evaluate(both).objective == pytest.approx(1.5)
    assert "where the plan costs 1.5" in instance.evaluate(both).notes[0]
    assert instance.evaluate(replace(both, weights=[])).objective == pytest.approx(2.0)
    assert instance.evaluate(replace(both, weights=[0.9, 0.1])).objective == pytest.approx(1.9)
    broken = replace(both, recourse=[[1, 0], [0, 0]])
    assert instance.evaluate(broken).objective == pytest.approx(2.0)
    assert "weights passed over" in instance.evaluate(broken).notes[0]
    assert instance.evaluate(replace(both, weights=[0.5, 0.6])).violations[0].constraint == "weights"
    assert not instance.evaluate(RobustPlan([1.0], [[0, 0]])).feasible


def test_scenarios_may_change_the_matrix() -> None:
    first, second = stages()
    uncertainty = Uncertainty.finite([[0.0], [1.0]])
    instance = TwoStageRobust.build(first, second, uncertainty, [("demand", "y", 0, 1.0), ("objective", "y", 0, -1.0)])
    # In scenario 2 a unit of y counts twice and costs 4.
    assert instance.evaluate(RobustPlan([0.0], [[1.0], [0.5]])).objective == pytest.approx(5.0)
    assert instance.evaluate(RobustPlan([0.0], [[0.5]])).violations[0].amount == pytest.approx(0.5)
    assert "recourse in scenario 1 of 2" in instance.evaluate(RobustPlan([0.0], [[0.5]])).violations[0].constraint


def test_evaluation_agrees_with_a_plan_of_all_recourses() -> None:
    """With every recourse of the brute force held, the guarantee at scenarios and vertices is its worst case."""
    checked = 0
    for form, number in itertools.product(("scenarios", "rows"), range(60)):
        rng = np.random.default_rng([7, number])
        instance = brute.small(rng, form)
        sign = 1.0 if instance.sense is Sense.MIN else -1.0
        first, own = instance.first, instance.layout.own
        x = brute.grid(first.lower, first.upper)[int(rng.integers(len(brute.grid(first.lower, first.upper))))]
        points = [brute.recourses(instance, x, xi) for xi in brute.vertices(instance.uncertainty)]
        held = np.vstack(points)[:, own]
        found = instance.evaluate(RobustPlan(x, held if len(held) else []))
        expected = brute.worst(instance, x, sign) + sign * float(first.cost @ x + first.offset)
        if math.isinf(expected):
            assert not found.feasible
        elif not any("column" in v.constraint or "row" in v.constraint for v in found.violations):
            assert sign * found.objective == pytest.approx(expected, abs=1e-6)
            checked += 1
    assert checked > 50


def test_names_and_order_of_columns_do_not_matter() -> None:
    first, second = stages()
    turned = MipBuilder("second")
    turned.column("y", 5.0, 0.0, 9.0)
    turned.column("x", 0.0, 0.0, 4.0, INTEGER)
    turned.row([(0, 1.0), (1, 1.0)], lower=1.0, name="demand")
    for other in (second, turned.build()):
        instance = TwoStageRobust.build(first, other, Uncertainty.box([0.0], [1.0]), [("demand", "rhs", "xi1", 2.0)])
        assert instance.recourse == ("y",)
        assert instance.evaluate(RobustPlan([2.0], [[1.0]])).objective == 9.0


def test_terms_of_the_same_place_add_up() -> None:
    split = TwoStageRobust.build(
        *stages(), Uncertainty.box([0.0], [1.0]), [("demand", "rhs", 0, 0.5), ("demand", "rhs", 0, 1.5)]
    )
    plan = RobustPlan([1.0], [[0.0], [2.0]])
    assert split.evaluate(plan).objective == newsvendor(Uncertainty.box([0.0], [1.0])).evaluate(plan).objective


def test_json_keeps_the_forms() -> None:
    for number in range(30):
        instance = brute.small(np.random.default_rng([3, number]))
        again = Instance.from_dict(json.loads(json.dumps(instance.to_dict(), allow_nan=False)))
        assert again == instance
        assert isinstance(again, TwoStageRobust)
        assert again.form == instance.form


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ([("demand", "y", 0, 1.0)], "the coefficient of recourse column 'y' in row 'demand' depends on factor 'xi1'"),
        ([("demand", "rhs", 0, 1.0), ("objective", "y", 1, 1.0)], "the cost of recourse column 'y' depends on"),
    ],
)
def test_what_cannot_be_certified_is_said(terms: list[tuple[str, str, int, float]], words: str) -> None:
    instance = TwoStageRobust.build(*stages(), Uncertainty.box([0.0, 0.0], [1.0, 1.0]), terms)
    assert instance.form is None
    for call in (lambda: instance.evaluate(RobustPlan([1.0], [[1.0]])), lambda: api.solve(instance, isolate=False)):
        with pytest.raises(UnsupportedError) as caught:
            call()
        assert caught.value.code == "E202"
    with pytest.raises(UnsupportedError) as caught:
        instance.evaluate(RobustPlan([1.0], [[1.0]]))
    assert words in caught.value.found
    assert "scenarios" in caught.value.found


def test_integer_recourse_with_uncertain_rows_is_refused() -> None:
    first, second = stages()
    whole = replace(second, domain=np.array([INTEGER, INTEGER]))
    instance = TwoStageRobust.build(first, whole, Uncertainty.box([0.0], [1.0]), [("demand", "rhs", 0, 1.0)])
    assert "recourse column 'y' is integer" in str(instance.uncertifiable())


def arrays(**changed: Any) -> dict[str, Any]:
    first, second = stages()
    data: dict[str, Any] = {
        "first": first, "second": second, "uncertainty": Uncertainty.box([0.0], [1.0]),
        "term_row": [0], "term_column": [-1], "term_factor": [0], "term_value": [1.0],
    }  # fmt: skip
    return {**data, **changed}


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"term_row": [1]}, "E117", "term 0 refers to row 1"),
        ({"term_row": [-2]}, "E117", "row -2"),
        ({"term_column": [2]}, "E117", "column 2"),
        ({"term_factor": [1]}, "E117", "factor 1"),
        ({"term_factor": [-1]}, "E117", "factor -1"),
        ({"term_value": [math.nan]}, "E114", "term 0 has the value nan"),
        ({"term_value": [1.0, 2.0]}, "E115", "term_value"),
        ({"first": stages(Sense.MAX)[0]}, "E120", "the first stage is to max"),
        ({"first": replace(stages()[0], upper=np.array([3.0]))}, "E120", "column 'x' is [0, 3] integer in the first"),
        ({"second": replace(stages()[1], domain=np.array([INTEGER, SEMICONTINUOUS]))}, "E119", "semi-continuous"),
        ({"first": MipBuilder().build()}, "E118", "no columns"),
    ],
)
def test_wrong_programs(changed: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        TwoStageRobust(**arrays(**changed))
    assert caught.value.code == code
    assert words in caught.value.found


@pytest.mark.parametrize("term", [("supply", "rhs", 0, 1.0), ("demand", "z", 0, 1.0), ("demand", "rhs", "xi9", 1.0)])
def test_terms_with_unknown_names(term: tuple[str, str, int | str, float]) -> None:
    with pytest.raises(InputError) as caught:
        TwoStageRobust.build(*stages(), Uncertainty.box([0.0], [1.0]), [term])
    assert caught.value.code == "E117"


@pytest.mark.parametrize(
    "plan",
    [
        RobustPlan([1.0, 1.0], [[1.0]]),
        RobustPlan([1.0], [[1.0, 2.0]]),
        RobustPlan([1.0], [[1.0]], scenario=[1.0, 1.0]),
    ],
)
def test_plans_of_another_shape(plan: RobustPlan) -> None:
    with pytest.raises(InputError) as caught:
        newsvendor(Uncertainty.box([0.0], [1.0])).evaluate(plan)
    assert caught.value.code == "E302"


@pytest.mark.parametrize("family", ["facility", "projects"])
def test_families(family: str) -> None:
    instance = TwoStageRobust.generate(np.random.default_rng(1), n=6, family=family)
    assert instance.form == ("rows" if family == "facility" else "objective")
    assert instance.size()["factors"] == 6


@pytest.mark.parametrize("wrong", [{"family": "nothing"}, {"n": 0}])
def test_wrong_parameters_of_the_generator(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        TwoStageRobust.generate(np.random.default_rng(1), **wrong)


def test_json_with_wrong_content_is_one_clear_error() -> None:
    data = newsvendor(Uncertainty.box([0.0], [1.0])).to_dict()
    for key, value in (
        ("uncertainty", {"lower": [0], "upper": ["inf"]}),
        ("term_row", "no"),
        ("second", {"kind": "mip"}),
    ):
        with pytest.raises(CombOptError):
            Instance.from_dict({**data, key: value})
