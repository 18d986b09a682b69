"""Orienteering instances: what a tour is worth, and everything that can be wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.op import Op
from combopt.instances.solutions import Tour
from tests.brute import op as brute

SQUARE = Metric(rule="EUC_2D", coordinates=np.array([[0.0, 0], [3, 0], [3, 4], [0, 4]]))
EXACT = Metric(rule="EXACT_2D", coordinates=np.array([[0.0, 0], [1, 1], [2, 0]]))


def square(**more: object) -> Op:
    return Op(**{"metric": SQUARE, "prize": [1, 7, 5, 6], "limit": 13, **more})  # type: ignore[arg-type]


def constraints(instance: Op, order: list[int]) -> list[str]:
    return [v.constraint for v in instance.evaluate(Tour(order)).violations]


def test_prize_of_the_depot_counts() -> None:
    assert square().evaluate(Tour([0, 1, 2])).objective == 13


def test_length_at_the_limit_is_feasible() -> None:
    assert square(limit=12).evaluate(Tour([0, 1, 2])).feasible


def test_length_over_the_limit_is_reported_with_its_amount() -> None:
    violation = square(limit=11.5).evaluate(Tour([0, 1, 2])).violations[0]
    assert (violation.constraint, violation.amount) == ("length", 0.5)


def test_the_depot_alone_has_length_zero() -> None:
    evaluation = square(limit=0).evaluate(Tour([0]))
    assert (evaluation.feasible, evaluation.objective) == (True, 1)


def test_a_tour_may_start_anywhere_if_it_is_closed() -> None:
    assert square().evaluate(Tour([1, 2, 0])) == square().evaluate(Tour([0, 1, 2]))


def test_every_violation_is_reported() -> None:
    assert constraints(square(limit=3), [9, 1, 1, -4, 2]) == ["node 10", "node -3", "node 2", "depot", "length"]


def test_an_empty_tour_misses_the_depot() -> None:
    assert constraints(square(), []) == ["depot"]


def test_a_node_visited_twice_pays_once() -> None:
    assert square().evaluate(Tour([0, 1, 1])).objective == 8


def test_an_open_path_has_no_way_back() -> None:
    assert square(end=2, limit=7).evaluate(Tour([0, 1, 2])).feasible


def test_an_open_path_must_start_and_end_where_it_should() -> None:
    assert constraints(square(end=2), [1, 0]) == ["start", "end"]
    assert constraints(square(end=2), []) == ["start", "end"]


def test_exact_lengths_are_compared_without_tolerance() -> None:
    length = 2 * 2**0.5
    assert Op(metric=EXACT, prize=[0, 1, 0], limit=length, end=2).evaluate(Tour([0, 1, 2])).feasible
    below = float(np.nextafter(length, 0))
    assert not Op(metric=EXACT, prize=[0, 1, 0], limit=below, end=2).evaluate(Tour([0, 1, 2])).feasible


def test_large_prizes_are_added_exactly() -> None:
    instance = square(prize=[2**53, 2**53, 2**53, 2**53])
    assert instance.evaluate(Tour([0, 1, 2])).objective == 3 * 2**53


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"limit": -1}, "E114"),
        ({"limit": float("inf")}, "E114"),
        ({"limit": float("nan")}, "E114"),
        ({"prize": [1, -1, 1, 1]}, "E114"),
        ({"prize": [1, 1, 1]}, "E115"),
        ({"prize": [0.5, 1, 1, 1]}, "E113"),
        ({"depot": 4}, "E117"),
        ({"depot": -1}, "E117"),
        ({"end": 4}, "E117"),
        ({"end": 0}, "E120"),
        ({"metric": Metric(rule="EXPLICIT", matrix=np.array([[0, 1], [2, 0]])), "prize": [0, 0]}, "E120"),
        ({"metric": Metric(rule="EXPLICIT", matrix=np.array([[0, -1], [-1, 0]])), "prize": [0, 0]}, "E114"),
    ],
)
def test_nonsense_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        square(**change)
    assert caught.value.code == code


def test_a_whole_limit_is_the_same_however_it_is_written() -> None:
    assert square(limit=13.0).digest() == square(limit=13).digest()


@pytest.mark.parametrize("family", ["constant", "uniform", "distance"])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_generated_prizes_are_those_of_the_family(family: str, n: int) -> None:
    instance = Op.generate(np.random.default_rng(1), n=n, family=family)
    assert instance.prize[0] == 0
    assert all(1 <= p <= (1 if family == "constant" else 100) for p in instance.prize[1:].tolist())


def test_the_farthest_node_has_the_largest_prize_of_the_distance_family() -> None:
    instance = Op.generate(np.random.default_rng(1), n=30)
    away = instance.metric.between(0, np.arange(30))
    assert instance.prize[np.argmax(away)] == 100


def test_the_share_sets_the_limit() -> None:
    limits = [api.generate("op", n=50, share=share).limit for share in (0.0, 0.5, 1.0)]
    assert limits[0] == 0
    assert limits[2] == pytest.approx(2 * limits[1], abs=1)


def test_an_unknown_family_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        api.generate("op", family="golden")


def test_relabelling_the_nodes_changes_nothing() -> None:
    rng = np.random.default_rng(8)
    for _ in range(30):
        instance = brute.small(rng)
        order = rng.permutation(instance.nodes)
        place = np.argsort(order)
        matrix = instance.metric.full()[np.ix_(order, order)]
        if not instance.metric.integral:
            continue
        other = Op(
            metric=Metric(rule="EXPLICIT", matrix=matrix), prize=instance.prize[order], limit=instance.limit,
            depot=int(place[instance.depot]), end=None if instance.end is None else int(place[instance.end]),
        )  # fmt: skip
        assert brute.best(other) == brute.best(instance)
        tour = rng.permutation(instance.nodes)[: int(rng.integers(1, instance.nodes + 1))]
        one, two = instance.evaluate(Tour(tour)), other.evaluate(Tour(place[tour]))
        assert (one.objective, len(one.violations)) == (two.objective, len(two.violations))
