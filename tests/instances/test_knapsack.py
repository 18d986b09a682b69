from __future__ import annotations

import itertools

import numpy as np
import pytest

from combopt.errors import InputError, UsageError
from combopt.instances.knapsack import FAMILIES, Knapsack
from combopt.instances.mkp import Mkp
from combopt.instances.solutions import Selection, Tour
from combopt.model import Instance, UnsupportedError


def _small(**more: int) -> Knapsack:
    return Knapsack(profit=np.array([6, 10, 12]), weight=np.array([2, 4, 6]), capacity=9, **more)


def test_objective_and_feasibility() -> None:
    evaluation = _small().evaluate(Selection([0, 2]))
    assert (evaluation.objective, evaluation.feasible) == (18, True)
    assert isinstance(evaluation.objective, int)


def test_empty_selection_is_feasible() -> None:
    assert _small().evaluate(Selection([])).objective == 0


def test_every_violation_is_listed() -> None:
    evaluation = _small().evaluate(Selection([-1, 0, 0, 1, 2, 2, 2, 3, 10**15]))
    assert [v.constraint for v in evaluation.violations] == [
        "item 0", "item 4", f"item {10**15 + 1}", "item 1", "item 3", "capacity",
    ]  # fmt: skip
    assert evaluation.violations[-1].amount == 3
    assert evaluation.objective == 28  # every item that exists, once


def test_exact_beyond_floating_point() -> None:
    big = 10**17
    instance = Knapsack(profit=np.array([big + 1, big + 2]), weight=np.array([big, big]), capacity=2 * big - 1)
    both = instance.evaluate(Selection([0, 1]))
    assert both.objective == 2 * big + 3
    assert both.violations[0].amount == 1
    assert instance.evaluate(Selection([1])).feasible


def test_decimals_are_told_in_their_units() -> None:
    evaluation = _small(profit_scale=100, weight_scale=10).evaluate(Selection([0, 1, 2]))
    assert evaluation.objective == 0.28
    assert evaluation.violations[0].amount == 0.3


def test_relabelling_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    instance = Knapsack.generate(rng, n=30)
    order = rng.permutation(30)
    other = Knapsack(profit=instance.profit[order], weight=instance.weight[order], capacity=instance.capacity)
    chosen = np.flatnonzero(rng.random(30) < 0.5)
    before, after = instance.evaluate(Selection(order[chosen])), other.evaluate(Selection(chosen))
    assert before == after


def test_a_solution_of_another_type_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        _small().evaluate(Tour([0, 1, 2]))
    assert caught.value.code == "E302"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"profit": [6, -10, 12]}, "E114"),
        ({"weight": [2, 4, -1]}, "E114"),
        ({"weight": [2, 4]}, "E115"),
        ({"capacity": -1}, "E114"),
        ({"capacity": 2**62}, "E114"),
        ({"profit": [2**60, 2**60, 1]}, "E114"),
        ({"profit": [1.5, 2, 3]}, "E113"),
        ({"profit": [], "weight": []}, "E118"),
        ({"profit_scale": 3}, "E114"),
        ({"weight_scale": 10**10}, "E114"),
    ],
)
def test_constructor_refuses(change: dict[str, object], code: str) -> None:
    fields: dict[str, object] = {"profit": [6, 10, 12], "weight": [2, 4, 6], "capacity": 9, **change}
    with pytest.raises(InputError) as caught:
        Knapsack(**fields)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_dict_round_trip() -> None:
    instance = _small(profit_scale=10)
    assert Instance.from_dict(instance.to_dict()) == instance


def test_mip_view_agrees_on_every_selection() -> None:
    instance = _small(profit_scale=10)
    view = instance.to_mip()
    assert view.from_original is not None
    for size in range(4):
        for items in itertools.combinations(range(3), size):
            solution = Selection(list(items))
            point = view.from_original(solution)
            assert view.to_original(point) == solution
            value = float(view.instance.cost @ point.values)  # type: ignore[attr-defined]
            assert value == pytest.approx(instance.evaluate(solution).objective)


def test_mip_view_refuses_what_a_float_cannot_hold() -> None:
    with pytest.raises(UnsupportedError):
        Knapsack(profit=[2**54 + 1], weight=[1], capacity=1).to_mip()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [1, 5, 60])
def test_generated_families(family: str, n: int) -> None:
    instance = Knapsack.generate(np.random.default_rng(3), n=n, family=family)
    assert instance.items == n
    assert instance == Knapsack.generate(np.random.default_rng(3), n=n, family=family)
    assert instance.profit.min() >= 0


def test_generated_families_have_their_shape() -> None:
    rng = np.random.default_rng(1)
    strongly = Knapsack.generate(rng, n=50, family="strongly", largest=1000)
    assert (strongly.profit - strongly.weight == 100).all()
    inverse = Knapsack.generate(rng, n=50, family="inverse_strongly", largest=1000)
    assert (inverse.weight - inverse.profit == 100).all()
    weakly = Knapsack.generate(rng, n=50, family="weakly", largest=1000)
    assert np.abs(weakly.profit - weakly.weight).max() <= 100
    ceiling = Knapsack.generate(rng, n=50, family="profit_ceiling", largest=1000)
    assert (ceiling.profit % 3 == 0).all()
    spanner = Knapsack.generate(rng, n=50, family="spanner_strongly", largest=1000)
    assert len(set(zip(spanner.profit.tolist(), spanner.weight.tolist(), strict=True))) <= 20


def test_unknown_family() -> None:
    with pytest.raises(UsageError):
        Knapsack.generate(np.random.default_rng(0), family="nice")


def test_mkp_lists_every_capacity_that_is_exceeded() -> None:
    instance = Mkp(profit=[10, 20], weight=[[1, 2], [3, 4], [5, 0]], capacity=[2, 7, 4], weight_scale=10)
    evaluation = instance.evaluate(Selection([0, 1]))
    assert [(v.constraint, v.amount) for v in evaluation.violations] == [("capacity 1", 0.1), ("capacity 3", 0.1)]
    assert evaluation.objective == 30


def test_mkp_with_one_row_is_a_knapsack() -> None:
    flat = _small()
    wide = Mkp(profit=flat.profit, weight=flat.weight[None, :], capacity=[flat.capacity])
    for items in ([], [0, 2], [0, 1, 2]):
        assert wide.evaluate(Selection(items)).objective == flat.evaluate(Selection(items)).objective
        assert wide.evaluate(Selection(items)).feasible == flat.evaluate(Selection(items)).feasible


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weight": [[1, 2]]}, "E115"),
        ({"weight": [[1, 2], [3, -4]]}, "E114"),
        ({"capacity": []}, "E118"),
        ({"capacity": [1, -1]}, "E114"),
        ({"profit": []}, "E118"),
    ],
)
def test_mkp_constructor_refuses(change: dict[str, object], code: str) -> None:
    fields: dict[str, object] = {"profit": [1, 2], "weight": [[1, 2], [3, 4]], "capacity": [2, 3], **change}
    with pytest.raises(InputError) as caught:
        Mkp(**fields)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_mkp_round_trips_and_generation() -> None:
    instance = Mkp.generate(np.random.default_rng(0), n=12, m=3, tightness=0.25)
    assert Instance.from_dict(instance.to_dict()) == instance
    assert (instance.capacity == instance.weight.sum(axis=1) // 4).all()
    view = instance.to_mip()
    assert view.from_original is not None
    assert view.to_original(view.from_original(Selection([2, 5]))) == Selection([2, 5])
