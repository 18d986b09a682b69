"""Prize-collecting instances: what a tour costs, and everything that can be wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.pctsp import Pctsp
from combopt.instances.solutions import Tour
from tests.brute import pctsp as brute

SQUARE = Metric(rule="EUC_2D", coordinates=np.array([[0.0, 0], [3, 0], [3, 4], [0, 4]]))


def square(**more: object) -> Pctsp:
    fields = {"metric": SQUARE, "prize": [1, 7, 5, 6], "penalty": [99, 10, 20, 30], "min_prize": 10}
    return Pctsp(**{**fields, **more})  # type: ignore[arg-type]


def constraints(instance: Pctsp, order: list[int]) -> list[str]:
    return [v.constraint for v in instance.evaluate(Tour(order)).violations]


def test_the_objective_is_length_and_penalties() -> None:
    evaluation = square().evaluate(Tour([0, 1, 2]))
    assert (evaluation.objective, evaluation.feasible) == (12 + 30, True)


def test_the_minimum_prize_may_be_met_exactly() -> None:
    assert square(min_prize=13).evaluate(Tour([0, 1, 2])).feasible


def test_a_lack_of_prize_is_reported_with_its_amount() -> None:
    violation = square(min_prize=15).evaluate(Tour([0, 1, 2])).violations[0]
    assert (violation.constraint, violation.amount) == ("minimum prize", 2)


def test_every_violation_is_reported() -> None:
    assert constraints(square(), [7, 1, 1, -1]) == ["node 8", "node 0", "node 2", "depot", "minimum prize"]


def test_an_empty_tour_is_infeasible() -> None:
    assert constraints(square(), []) == ["depot", "minimum prize"]


def test_penalties_are_in_the_unit_of_length() -> None:
    tenths = Metric(rule="DIMACS_2D", coordinates=SQUARE.coordinates)
    assert square(metric=tenths).evaluate(Tour([0, 1, 2])).objective == 42


def test_large_penalties_are_added_exactly() -> None:
    instance = square(penalty=[0, 2**53, 2**53, 2**53], min_prize=0)
    assert instance.evaluate(Tour([0])).objective == 3 * 2**53


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"min_prize": -1}, "E114"),
        ({"min_prize": 1.5}, "E113"),
        ({"prize": [1, -1, 1, 1]}, "E114"),
        ({"penalty": [1, -1, 1, 1]}, "E114"),
        ({"penalty": [1, 1, 1]}, "E115"),
        ({"penalty": [1, 0.5, 1, 1]}, "E113"),
        ({"metric": Metric(rule="EXPLICIT", matrix=np.array([[0, 1], [2, 0]])), "prize": [0, 0]}, "E120"),
    ],
)
def test_nonsense_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        square(**change)
    assert caught.value.code == code


@pytest.mark.parametrize("family", ["euclidean", "random"])
@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_generated_instances_can_be_solved(family: str, n: int) -> None:
    instance = Pctsp.generate(np.random.default_rng(1), n=n, family=family)
    assert 0 <= instance.min_prize <= instance.prize.sum()
    assert instance.evaluate(Tour(np.arange(n))).feasible


def test_the_minimum_of_the_random_family_is_half_of_all() -> None:
    instance = api.generate("pctsp", family="random", n=31)
    assert instance.min_prize == -(-int(instance.prize.sum()) // 2)


def test_an_unknown_family_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        api.generate("pctsp", family="golden")


def test_relabelling_the_nodes_changes_nothing() -> None:
    rng = np.random.default_rng(8)
    for _ in range(30):
        instance = brute.small(rng)
        order = np.concatenate([[0], 1 + rng.permutation(instance.nodes - 1)])
        other = Pctsp(
            metric=Metric(rule="EXPLICIT", matrix=instance.metric.full()[np.ix_(order, order)]),
            prize=instance.prize[order],
            penalty=instance.penalty[order],
            min_prize=instance.min_prize,
        )
        assert brute.best(other) == brute.best(instance)
        tour = rng.permutation(instance.nodes)[: int(rng.integers(1, instance.nodes + 1))]
        one, two = instance.evaluate(Tour(tour)), other.evaluate(Tour(np.argsort(order)[tour]))
        assert (one.objective, len(one.violations)) == (two.objective, len(two.violations))
