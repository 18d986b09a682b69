"""The travelling salesman problem and its asymmetric form: evaluation, fixed edges, generation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from combopt import Tour
from combopt.errors import InputError, UsageError
from combopt.instances.atsp import Atsp
from combopt.instances.metric import Metric
from combopt.instances.solutions import Selection
from combopt.instances.tsp import Tsp, fixed_paths
from combopt.model import Instance, Solution
from tests.brute import atsp as brute_atsp
from tests.brute import tsp as brute_tsp

SQUARE = Tsp(metric=Metric(rule="EUC_2D", coordinates=np.array([[0, 0], [3, 0], [3, 4], [0, 4.0]])))
WAYS = Atsp(metric=Metric(rule="EXPLICIT", matrix=np.array([[0, 1, 10], [20, 0, 2], [3, 30, 0]])))


def test_length_of_a_tour() -> None:
    evaluation = SQUARE.evaluate(Tour(np.array([0, 1, 2, 3])))
    assert evaluation.feasible
    assert evaluation.objective == 14
    assert isinstance(evaluation.objective, int)


def test_direction_counts_in_an_atsp() -> None:
    assert WAYS.evaluate(Tour(np.array([0, 1, 2]))).objective == 6
    assert WAYS.evaluate(Tour(np.array([0, 2, 1]))).objective == 60


@pytest.mark.parametrize(
    ("order", "constraints"),
    [
        ([0, 1, 2], ["node 4"]),
        ([0, 1, 2, 3, 1], ["node 2"]),
        ([0, 1, 1, 1], ["node 2", "node 3", "node 4"]),
        ([0, 1, 2, 7], ["node 8", "node 4"]),
        ([-1, 0, 1, 2], ["node 0", "node 4"]),
        ([], ["node 1", "node 2", "node 3", "node 4"]),
    ],
)
def test_every_violation_is_listed(order: list[int], constraints: list[str]) -> None:
    evaluation = SQUARE.evaluate(Tour(np.array(order, dtype=np.int64)))
    assert [v.constraint for v in evaluation.violations] == constraints


def test_another_solution_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        SQUARE.evaluate(Selection(np.array([1])))
    assert caught.value.code == "E302"


@pytest.mark.parametrize("kind", [Tsp, Atsp])
def test_turning_or_relabelling_a_tour_changes_nothing(kind: type[Any]) -> None:
    rng = np.random.default_rng(5)
    instance = kind.generate(rng, n=12)
    order = rng.permutation(12)
    value = instance.evaluate(Tour(order)).objective
    assert instance.evaluate(Tour(np.roll(order, 5))).objective == value
    label = rng.permutation(12)
    full = np.empty((12, 12), dtype=np.int64)
    full[np.ix_(label, label)] = instance.metric.full()
    moved = kind(metric=Metric(rule="EXPLICIT", matrix=full))
    assert moved.evaluate(Tour(label[order])).objective == value


def test_fixed_edges_add_nothing_and_must_be_there() -> None:
    instance = Tsp(metric=SQUARE.metric, fixed_edges=np.array([[2, 0]]))
    with_it = instance.evaluate(Tour(np.array([0, 2, 1, 3])))
    assert with_it.feasible
    assert with_it.objective == 4 + 5 + 4
    without = instance.evaluate(Tour(np.array([0, 1, 2, 3])))
    assert [str(v) for v in without.violations] == ["fixed edge 3-1: is not in the tour"]
    assert without.objective == 14


def test_fixed_arcs_have_a_direction() -> None:
    instance = Atsp(metric=WAYS.metric, fixed_edges=np.array([[0, 1]]))
    assert instance.evaluate(Tour(np.array([0, 1, 2]))).objective == 5
    assert not instance.evaluate(Tour(np.array([0, 2, 1]))).feasible


def test_fixed_edges_show_among_the_conventions() -> None:
    assert len(SQUARE.conventions()) == 1
    assert "fixed edges" in Tsp(metric=SQUARE.metric, fixed_edges=np.array([[2, 0]])).conventions()[1]


@pytest.mark.parametrize("directed", [False, True])
def test_fixed_edges_are_refused_exactly_if_no_tour_has_them(directed: bool) -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        n = int(rng.integers(2, 6))
        edges = rng.integers(0, n, size=(int(rng.integers(1, n + 1)), 2))
        tours = brute_tsp.all_tours(n).tolist()
        arcs = [{(t[i], t[(i + 1) % n]) for i in range(n)} for t in tours]
        possible = any(
            all((a, b) in walked or (not directed and (b, a) in walked) for a, b in edges.tolist()) for walked in arcs
        )
        if possible:
            nodes = [v for path in fixed_paths(edges, n, directed=directed) for v in path]
            assert len(nodes) == len(set(nodes))
        else:
            with pytest.raises(InputError) as caught:
                fixed_paths(edges, n, directed=directed)
            assert caught.value.code == "E120"


def test_fixed_edges_name_nodes_that_exist() -> None:
    with pytest.raises(InputError) as caught:
        Tsp(metric=SQUARE.metric, fixed_edges=np.array([[0, 4]]))
    assert caught.value.code == "E117"


def test_a_tsp_must_be_symmetric() -> None:
    with pytest.raises(InputError) as caught:
        Tsp(metric=WAYS.metric)
    assert caught.value.code == "E120"


@pytest.mark.parametrize("brute", [brute_tsp, brute_atsp])
def test_evaluation_agrees_with_enumeration(brute: Any) -> None:
    for number in range(60):
        instance = brute.small(np.random.default_rng(number))
        tours = (Tour(order) for order in brute_tsp.all_tours(instance.nodes))
        found = [e.objective for tour in tours if (e := instance.evaluate(tour)).feasible]
        expected = brute.best(instance)
        assert expected is not None
        assert math.isclose(min(found), expected, rel_tol=1e-12)


@pytest.mark.parametrize("brute", [brute_tsp, brute_atsp])
def test_round_trip_through_plain_data(brute: Any) -> None:
    for number in range(30):
        instance = brute.small(np.random.default_rng(number))
        assert Instance.from_dict(instance.to_dict()) == instance
    tour = Tour(np.array([2, 0, 1]))
    assert Solution.from_dict(tour.to_dict()) == tour


@pytest.mark.parametrize(("kind", "family"), [(Tsp, "uniform"), (Tsp, "clustered"), (Atsp, "uniform"), (Atsp, "tmat")])
@pytest.mark.parametrize("n", [1, 5, 120])
def test_generation(kind: type[Any], family: str, n: int) -> None:
    one, two = (kind.generate(np.random.default_rng(1), n=n, family=family) for _ in range(2))
    assert one == two
    assert one.size() == {"nodes": n}


def test_tmat_obeys_the_triangle_inequality() -> None:
    full = Atsp.generate(np.random.default_rng(1), n=25, family="tmat").metric.full()
    assert (full[:, None, :] <= full[:, :, None] + full[None, :, :]).all()


@pytest.mark.parametrize("kind", [Tsp, Atsp])
def test_an_unknown_family_is_refused(kind: type[Any]) -> None:
    with pytest.raises(UsageError):
        kind.generate(np.random.default_rng(1), family="star")
