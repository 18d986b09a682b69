"""The VRP with time windows: evaluation and generation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from combopt.errors import InputError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes
from combopt.instances.vrptw import Vrptw
from combopt.model import Instance

POINTS = np.array([[0, 0], [3, 0], [3, 4], [0, 4.0]])


def square(rule: str = "EUC_2D", **fields: Any) -> Vrptw:
    plain: dict[str, Any] = {
        "metric": Metric(rule=rule, coordinates=POINTS),
        "demand": np.array([0, 4, 5, 6]),
        "capacity": 10,
        "ready": np.array([0.0, 0, 10, 0]),
        "due": np.array([30.0, 5, 12, 20]),
        "service": np.array([0.0, 2, 1, 1]),
    }
    return Vrptw(**(plain | fields))


def constraints(instance: Vrptw, *routes: tuple[int, ...]) -> list[str]:
    return sorted(v.constraint for v in instance.evaluate(Routes(routes)).violations)


def test_distance_is_the_objective() -> None:
    evaluation = square().evaluate(Routes(((1, 2), (3,))))
    assert evaluation.feasible
    assert (evaluation.objective, type(evaluation.objective)) == (20, int)


def test_waiting_is_allowed_and_free() -> None:
    assert constraints(square(), (1, 2), (3,)) == []


def test_being_late_is_not() -> None:
    (violation,) = square(due=np.array([30.0, 2, 12, 20])).evaluate(Routes(((1, 2), (3,)))).violations
    assert violation.constraint == "time window of customer 1"
    assert violation.amount == 1


def test_service_delays_what_follows() -> None:
    # 1 is left at 9, 2 is reached at 13 > 12
    assert constraints(square(service=np.array([0.0, 6, 1, 1])), (1, 2), (3,)) == ["time window of customer 2"]


def test_start_at_the_edge_of_a_window() -> None:
    assert constraints(square(due=np.array([30.0, 3, 10, 4])), (1, 2), (3,)) == []


def test_vehicles_are_back_before_the_depot_closes() -> None:
    # 2 begins at 10, is left at 11, and home at 16
    assert constraints(square(due=np.array([16.0, 5, 12, 20])), (1, 2), (3,)) == []
    assert constraints(square(due=np.array([15.0, 5, 12, 20])), (1, 2), (3,)) == ["closing time of the depot"]


def test_vehicles_do_not_leave_before_the_depot_opens() -> None:
    late = square(ready=np.array([3.0, 0, 10, 0]))
    assert constraints(late, (1, 2), (3,)) == ["time window of customer 1"]


def test_all_violations_are_reported() -> None:
    instance = square(due=np.array([10.0, 1, 12, 2]), vehicles=1)
    assert constraints(instance, (1, 1, 9), (3,)) == sorted(
        ["customer 1", "customer 2", "customer 9", "fleet", "time window of customer 1", "time window of customer 1",
         "time window of customer 3"]
    )  # fmt: skip


def test_tenths() -> None:
    points = np.array([[0, 0], [1, 1.0]])
    instance = Vrptw(
        metric=Metric(rule="DIMACS_2D", coordinates=points), demand=np.array([0, 1]), capacity=1,
        ready=np.zeros(2), due=np.array([2.8, 1.4]), service=np.zeros(2),
    )  # fmt: skip
    evaluation = instance.evaluate(Routes(((1,),)))
    assert evaluation.feasible  # 1.41... counts as 1.4
    assert evaluation.objective == 2.8


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ready": np.array([0.0, 0, 13, 0])}, "E120"),
        ({"ready": np.array([0.0, 0, 10])}, "E115"),
        ({"ready": np.array([0.0, -1, 10, 0])}, "E114"),
        ({"due": np.array([30.0, 5, np.inf, 20])}, "E114"),
        ({"due": np.array([30.0, 5.5, 12, 20])}, "E113"),
        ({"service": np.array([1.0, 2, 1, 1])}, "E120"),
        ({"service": np.array([0.0, 2, 1, 1e300])}, "E114"),
    ],
)
def test_wrong_data_are_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        square(**fields)
    assert caught.value.code == code


def test_fractions_of_time_go_with_unrounded_distances() -> None:
    assert square("EXACT_2D", due=np.array([30.0, 5.5, 12, 20])).due[1] == 5.5


def test_conventions_name_the_objective() -> None:
    assert any("total distance" in text for text in square().conventions())


@pytest.mark.parametrize("family", ["r1", "r2", "c1", "c2", "rc1", "rc2"])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_generated_customers_can_be_served_alone(family: str, n: int) -> None:
    made = Vrptw.generate(np.random.default_rng(n), n=n, family=family)
    assert made.evaluate(Routes(tuple((c,) for c in range(1, n + 1)))).feasible
    assert Instance.from_dict(made.to_dict()) == made


def test_unknown_family() -> None:
    with pytest.raises(UsageError, match="rc2"):
        Vrptw.generate(np.random.default_rng(0), n=5, family="x")
