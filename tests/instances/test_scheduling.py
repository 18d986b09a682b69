"""The check of schedules, left shifts and bounds shared by job shops."""

from __future__ import annotations

import numpy as np
import pytest

from combopt.errors import InputError
from combopt.instances.classic import ft06
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import LATEST, as_start, left_shifted, trivial_bound
from combopt.instances.solutions import Schedule
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop

TWO = JobShop(machine=np.array([[0, 1], [0, 1]]), duration=np.array([[3, 4], [2, 5]]))
FLEXIBLE = Fjsp.of_jobs([[[(0, 5), (1, 4)], [(1, 6)]], [[(0, 7)]]])


def _constraints(instance: JobShop | Fjsp, start: object, machine: object) -> list[str]:
    found = instance.evaluate(Schedule(start, machine))  # type: ignore[arg-type]
    return sorted(violation.constraint for violation in found.violations)


def test_makespan_of_a_feasible_schedule() -> None:
    found = TWO.evaluate(Schedule(((2, 7), (0, 2)), ((0, 1), (0, 1))))
    assert (found.objective, found.feasible) == (11, True)
    assert type(found.objective) is int


def test_idle_time_is_allowed() -> None:
    assert TWO.evaluate(Schedule(((12, 77), (0, 20)), ((0, 1), (0, 1)))).objective == 81


def test_order_within_a_job() -> None:
    assert _constraints(TWO, ((2, 4), (0, 8)), ((0, 1), (0, 1))) == ["order of job 1"]


def test_overlap_on_a_machine_with_amount_and_names() -> None:
    (violation,) = TWO.evaluate(Schedule(((1, 7), (0, 2)), ((0, 1), (0, 1)))).violations
    assert (violation.constraint, violation.amount) == ("machine 1", 1)
    assert "operation 1 of job 1 starts at 1, while operation 1 of job 2 runs until 2" in str(violation)


def test_every_violation_is_listed() -> None:
    found = _constraints(TWO, ((-1, 1), (-1, 1)), ((0, 1), (0, 0)))
    assert found == [
        "machine 1", "operation 1 of job 1", "operation 1 of job 2", "operation 2 of job 2", "order of job 1",
    ]  # fmt: skip


def test_an_overlap_is_seen_behind_a_shorter_operation() -> None:
    shop = JobShop(machine=np.zeros((3, 1)), duration=np.array([[10], [1], [5]]))
    assert _constraints(shop, ((0,), (2,), (6,)), ((0,), (0,), (0,))) == ["machine 1", "machine 1"]


def test_wrong_machine_in_a_job_shop() -> None:
    assert _constraints(TWO, ((2, 7), (0, 2)), ((0, 0), (0, 9))) == ["operation 2 of job 1", "operation 2 of job 2"]


def test_the_duration_is_that_of_the_chosen_machine() -> None:
    assert FLEXIBLE.evaluate(Schedule(((0, 4), (0,)), ((1, 1), (0,)))).objective == 10
    assert FLEXIBLE.evaluate(Schedule(((7, 12), (0,)), ((0, 1), (0,)))).objective == 18


def test_machine_that_is_no_alternative() -> None:
    assert _constraints(FLEXIBLE, ((0, 4), (0,)), ((1, 1), (1,))) == ["operation 1 of job 2"]


@pytest.mark.parametrize("machine", [-1, 2, 10**18, -(10**18)])
def test_any_nonsense_for_a_machine_is_a_violation(machine: int) -> None:
    assert "operation 1 of job 2" in _constraints(FLEXIBLE, ((0, 4), (0,)), ((1, 1), (machine,)))


@pytest.mark.parametrize("start", [((0,), (0,)), ((0, 1, 2), (0,)), ((0, 4), (0,), (1,)), ()])
def test_another_shape_is_no_solution(start: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(InputError, match="E302"):
        FLEXIBLE.evaluate(Schedule(start, start))


@pytest.mark.parametrize("value", [10**30, LATEST + 1, -(10**30)])
def test_absurd_start_times_are_refused(value: int) -> None:
    with pytest.raises(InputError, match="E302"):
        FLEXIBLE.evaluate(Schedule(((0, value), (0,)), ((1, 1), (0,))))


def test_zero_duration_keeps_its_place_in_the_order() -> None:
    shop = JobShop(machine=np.zeros((2, 1)), duration=np.array([[5], [0]]))
    assert [shop.evaluate(Schedule(((0,), (at,)), ((0,), (0,)))).feasible for at in (0, 2, 5)] == [True, False, True]


def test_left_shift_keeps_feasible_schedules_and_mends_others() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        for instance in (brute_jobshop.small(rng), brute_fjsp.small(rng)):
            ops = instance.operations
            picked = ops.first_alternative[:-1]
            some = left_shifted(ops, rng.integers(0, 50, size=len(ops)), ops.machine[picked])
            assert instance.evaluate(some).feasible
            start, machine = ops.flat(some)
            slack = start + 3 * np.arange(1 + start.max())[start]  # stretched, so that order and gaps remain
            again, _ = ops.flat(left_shifted(ops, slack, machine))
            assert (again <= slack).all()


def test_a_start_that_does_not_fit_is_not_used() -> None:
    ops = FLEXIBLE.operations
    assert as_start(ops, None) is None
    assert as_start(ops, Schedule(((0,),), ((0,),))) is None
    assert as_start(ops, Schedule(((0, 4), (0,)), ((1, 0), (0,)))) is None
    found = as_start(ops, Schedule(((9, 0), (0,)), ((1, 1), (0,))))
    assert found is not None
    assert found[0].tolist() == [0, 4, 0]


def test_trivial_bound() -> None:
    assert trivial_bound(ft06().operations) == 52
    assert trivial_bound(FLEXIBLE.operations) == 10
    assert trivial_bound(Fjsp.of_jobs([[[(0, 3), (1, 3)]]] * 3).operations) == 5


def test_a_million_operations_are_checked_in_seconds() -> None:
    shop = JobShop.generate(np.random.default_rng(0), n=200, m=200, family="flow")
    ops = shop.operations
    found = shop.evaluate(ops.schedule(np.zeros(len(ops), dtype=np.int64), ops.machine))
    assert len(found.violations) == 2 * 200 * 199
