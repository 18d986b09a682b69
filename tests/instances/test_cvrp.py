"""The capacitated VRP and its open form: evaluation, limits, generation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from combopt.errors import InputError, UsageError
from combopt.instances.cvrp import Cvrp, RouteLength
from combopt.instances.metric import Metric
from combopt.instances.ovrp import Ovrp
from combopt.instances.solutions import Routes, Tour
from combopt.model import Instance, Solution
from tests.brute import cvrp as brute_cvrp
from tests.brute import ovrp as brute_ovrp

POINTS = np.array([[0, 0], [3, 0], [3, 4], [0, 4.0]])


def square(cls: Any = Cvrp, rule: str = "EUC_2D", **fields: Any) -> Any:
    plain = {"demand": np.array([0, 4, 5, 6]), "capacity": 10}
    return cls(metric=Metric(rule=rule, coordinates=POINTS), **(plain | fields))


def test_length_of_routes() -> None:
    evaluation = square().evaluate(Routes(((1, 2), (3,))))
    assert evaluation.feasible
    assert (evaluation.objective, type(evaluation.objective)) == (20, int)


def test_open_routes_do_not_return() -> None:
    assert square(Ovrp).evaluate(Routes(((1, 2), (3,)))).objective == 11


def test_direction_counts_with_an_asymmetric_matrix() -> None:
    instance = Cvrp(
        metric=Metric(rule="EXPLICIT", matrix=np.array([[0, 1, 10], [20, 0, 2], [3, 30, 0]])),
        demand=np.array([0, 1, 1]), capacity=2,
    )  # fmt: skip
    assert instance.evaluate(Routes(((1, 2),))).objective == 6
    assert instance.evaluate(Routes(((2, 1),))).objective == 60


def test_unrounded_distances_give_a_float() -> None:
    instance = square(rule="EXACT_2D")
    assert instance.evaluate(Routes(((1,), (2,), (3,)))).objective == pytest.approx(24.0)


def test_empty_routes_are_ignored() -> None:
    with_empty = square(vehicles=2).evaluate(Routes(((), (1, 2), (), (3,))))
    assert with_empty.feasible
    assert with_empty.objective == 20


def test_the_depot_alone() -> None:
    instance = Cvrp(metric=Metric(rule="EUC_2D", coordinates=POINTS[:1]), demand=np.zeros(1, int), capacity=1)
    evaluation = instance.evaluate(Routes(()))
    assert evaluation.feasible
    assert evaluation.objective == 0


@pytest.mark.parametrize(
    ("routes", "constraints"),
    [
        (((1, 2),), ["customer 3"]),
        (((1, 2), (2,), (3,)), ["customer 2", "fleet"]),
        (((1, 2), (3, 7)), ["customer 7"]),
        (((1, 2), (3, -1)), ["customer -1"]),
        (((1, 0, 2), (3,)), ["customer 0"]),
        (((1, 2, 3),), ["route 1"]),
        (((2, 3), (1,)), ["route 1"]),
        (((1,), (2,), (3,)), ["fleet"]),
        ((), ["customer 1", "customer 2", "customer 3"]),
        (((2, 3, 2, 9**30),), ["customer 1", "customer 2", f"customer {9**30}", "route 1"]),
    ],
)
def test_every_violation_is_reported(routes: Any, constraints: list[str]) -> None:
    evaluation = square(vehicles=2).evaluate(Routes(routes))
    assert sorted(v.constraint for v in evaluation.violations) == sorted(constraints)


def test_amount_of_excess_load() -> None:
    (violation,) = square().evaluate(Routes(((1, 2, 3),))).violations
    assert violation.amount == 5


def test_load_up_to_the_capacity_is_feasible() -> None:
    assert square(capacity=9).evaluate(Routes(((1, 2), (3,)))).feasible


@pytest.mark.parametrize(("limit", "feasible"), [(12.0, True), (11.99, False)])
def test_limit_on_route_length(limit: float, feasible: bool) -> None:
    assert square(max_length=limit).evaluate(Routes(((1, 2), (3,)))).feasible is feasible


def test_service_counts_towards_the_limit_but_not_the_objective() -> None:
    instance = square(max_length=13.0, service=np.array([0.0, 1, 1, 1]))
    evaluation = instance.evaluate(Routes(((1, 2), (3,))))
    assert evaluation.objective == 20
    assert [v.constraint for v in evaluation.violations] == ["length of route 1"]
    assert evaluation.violations[0].amount == pytest.approx(1.0)


def test_limit_of_an_open_route_leaves_out_the_way_back() -> None:
    assert square(Ovrp, max_length=7.0).evaluate(Routes(((1, 2), (3,)))).feasible
    assert not square(Ovrp, max_length=6.9).evaluate(Routes(((1, 2), (3,)))).feasible


def test_rounding_errors_of_doubles_do_not_break_a_limit() -> None:
    points = np.array([[0, 0], [0.1, 0], [0.3, 0]])
    instance = Cvrp(
        metric=Metric(rule="EXACT_2D", coordinates=points), demand=np.array([0, 1, 1]), capacity=2, max_length=0.6
    )
    assert instance.evaluate(Routes(((1, 2),))).feasible


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"demand": np.array([0, 4, 5])}, "E115"),
        ({"demand": np.array([0, 4, 5, 6.5])}, "E113"),
        ({"demand": np.array([0, 4, -5, 6])}, "E114"),
        ({"demand": np.array([1, 4, 5, 6])}, "E120"),
        ({"capacity": -1}, "E114"),
        ({"capacity": 1.5}, "E114"),
        ({"vehicles": -1}, "E114"),
        ({"vehicles": True}, "E114"),
        ({"max_length": -1.0}, "E114"),
        ({"max_length": float("nan")}, "E114"),
        ({"service": np.array([0.0, 1, 1])}, "E115"),
        ({"service": np.array([0.0, 1, -1, 1])}, "E114"),
        ({"service": np.array([1.0, 1, 1, 1])}, "E120"),
    ],
)
def test_wrong_data_are_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        square(**fields)
    assert caught.value.code == code


def test_a_tour_is_no_solution() -> None:
    with pytest.raises(InputError, match="E302"):
        square().evaluate(Tour(np.arange(4)))


def test_fewest_routes() -> None:
    assert square().fewest == 2
    assert square(capacity=15).fewest == 1
    assert square(capacity=0).fewest == 1


def test_conventions_name_rounding_and_fleet() -> None:
    words = " / ".join(square(vehicles=2, max_length=9.0).conventions())
    assert "rounded to nearest" in words
    assert "at most 2 routes" in words
    assert "at most 9 long" in words
    assert "unlimited" in " ".join(square().conventions())
    assert "no way back" in " ".join(square(Ovrp).conventions())


def test_digest_tells_closed_from_open() -> None:
    assert square().digest() != square(Ovrp).digest()


@pytest.mark.parametrize("cls", [Cvrp, Ovrp])
@pytest.mark.parametrize("family", ["uniform", "x"])
@pytest.mark.parametrize("n", [1, 6, 100])
def test_generated_instances(cls: type[RouteLength], family: str, n: int) -> None:
    made = cls.generate(np.random.default_rng(5), n=n, family=family)
    assert made.customers == n
    assert made.demand.max() <= made.capacity
    assert made == cls.generate(np.random.default_rng(5), n=n, family=family)
    assert Instance.from_dict(made.to_dict()) == made


def test_capacities_of_the_uniform_family() -> None:
    capacities = [Cvrp.generate(np.random.default_rng(0), n=n).capacity for n in (10, 20, 50, 100)]
    assert capacities == [20, 30, 40, 50]


def test_x_family_has_whole_coordinates_and_its_route_sizes() -> None:
    for seed in range(20):
        made = Cvrp.generate(np.random.default_rng(seed), n=60, family="x")
        points = made.metric.coordinates
        assert points is not None
        assert np.array_equal(points, np.rint(points))
        assert points.min() >= 0
        assert points.max() <= 1000
        assert 60 / made.fewest <= 26


def test_unknown_family() -> None:
    with pytest.raises(UsageError, match="uniform or x"):
        Cvrp.generate(np.random.default_rng(0), n=5, family="y")


@pytest.mark.parametrize("brute", [brute_cvrp, brute_ovrp])
def test_value_does_not_depend_on_the_order_of_routes(brute: Any) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        instance = brute.small(rng)
        customers = (rng.permutation(instance.customers) + 1).tolist()
        routes = tuple((c,) for c in customers)
        one, two = instance.evaluate(Routes(routes)), instance.evaluate(Routes(routes[::-1]))
        assert one.objective == pytest.approx(two.objective)
        assert one.feasible == two.feasible


def test_solution_round_trip() -> None:
    routes = Routes(((3, 1), (), (2,)))
    assert Solution.from_dict(routes.to_dict()) == routes
