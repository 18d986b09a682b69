"""The job shop as a kind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from combopt.errors import CombOptError, InputError
from combopt.instances.classic import ft06, ft10
from combopt.instances.jobshop import JobShop, taillard
from combopt.instances.scheduling import left_shifted
from combopt.model import Instance
from tests.brute import jobshop as brute


def _shop(machine: object, duration: object, machines: int = 0) -> JobShop:
    return JobShop(machine=machine, duration=duration, machines=machines)  # type: ignore[arg-type]


def test_ragged_rows_are_padded() -> None:
    shop = _shop([[2, 0], [1]], [[3, 4], [5]])
    assert shop.machine.tolist() == [[2, 0], [1, -1]]
    assert shop.duration.tolist() == [[3, 4], [5, 0]]
    assert shop.size() == {"jobs": 2, "machines": 3, "operations": 3}


@pytest.mark.parametrize(
    ("machine", "duration", "machines", "code"),
    [
        ([], [], 0, "E118"),
        ([[0], []], [[1], []], 0, "E118"),
        ([[0, -1, 1]], [[1, 0, 1]], 0, "E120"),
        ([[0, -1]], [[1, 1]], 0, "E120"),
        ([[0, -2]], [[1, 0]], 0, "E117"),
        ([[0, 3]], [[1, 1]], 3, "E117"),
        ([[0, 1]], [[1, 1]], -1, "E114"),
        ([[0, 10**9]], [[1, 1]], 0, "E114"),
        ([[0, 1]], [[1, -1]], 0, "E114"),
        ([[0, 1]], [[2**53, 1]], 0, "E114"),
        ([[0, 1]], [[1]], 0, "E115"),
        ([[0, 1]], [[1.5, 1]], 0, "E113"),
        ([["a", 1]], [[1, 1]], 0, "E113"),
    ],
)
def test_wrong_data_are_refused(machine: object, duration: object, machines: int, code: str) -> None:
    with pytest.raises(InputError) as caught:
        _shop(machine, duration, machines)
    assert caught.value.code == code


def test_dict_round_trip() -> None:
    for seed in range(20):
        shop = brute.small(np.random.default_rng(seed))
        again = Instance.from_dict(json.loads(json.dumps(shop.to_dict())))
        assert again == shop
        assert again.digest() == shop.digest()


def test_renaming_jobs_and_machines_keeps_the_makespan() -> None:
    rng = np.random.default_rng(5)
    for seed in range(20):
        shop = brute.small(np.random.default_rng(seed))
        jobs, machines = rng.permutation(shop.jobs), rng.permutation(shop.machines)
        renamed = np.where(shop.machine < 0, -1, machines[np.maximum(shop.machine, 0)])[jobs]
        other = JobShop(machine=renamed, duration=shop.duration[jobs], machines=shop.machines)
        assert brute.best(other) == brute.best(shop)
        ops = shop.operations
        schedule = left_shifted(ops, ops.heads(), ops.machine)
        moved = type(schedule)(
            tuple(schedule.start[j] for j in jobs),
            tuple(tuple(int(machines[k]) for k in schedule.machine[j]) for j in jobs),
        )
        assert other.evaluate(moved) == shop.evaluate(schedule)


def test_taillards_generator_gives_ta01() -> None:
    # seeds and first rows as printed by Taillard (1993)
    shop = taillard(15, 15, 840612802, 398197754)
    assert shop.duration[0].tolist() == [94, 66, 10, 53, 26, 15, 65, 82, 10, 27, 93, 92, 96, 70, 83]
    assert (shop.machine[0] + 1).tolist() == [7, 13, 5, 8, 4, 3, 11, 12, 9, 15, 10, 14, 6, 1, 2]


@pytest.mark.parametrize("family", ["taillard", "two_sets", "flow", "recirculation"])
@pytest.mark.parametrize("n", [1, 4, 12])
def test_generated_instances(family: str, n: int) -> None:
    shop = JobShop.generate(np.random.default_rng(1), n=n, family=family)
    assert shop == JobShop.generate(np.random.default_rng(1), n=n, family=family)
    assert shop.size()["operations"] == n * n
    assert shop.duration.min() >= 1
    assert shop.duration.max() <= 99
    if family != "recirculation":
        assert (np.sort(shop.machine, axis=1) == np.arange(n)).all()


def test_two_sets_visits_the_first_half_first() -> None:
    shop = JobShop.generate(np.random.default_rng(1), n=5, m=6, family="two_sets")
    assert (shop.machine[:, :3] < 3).all()


def test_generate_refuses_what_makes_no_sense() -> None:
    for wrong in ({"n": 0}, {"m": 0}, {"family": "none"}):
        with pytest.raises(CombOptError, match="E201"):
            JobShop.generate(np.random.default_rng(1), **wrong)  # type: ignore[arg-type]


def test_classic_instances() -> None:
    assert JobShop.generate(np.random.default_rng(1), family="ft10") == ft10()
    assert int(ft06().duration.sum()) == 197
    assert int(ft10().duration.sum()) == 5109
    assert (np.sort(ft10().machine, axis=1) == np.arange(10)).all()


def test_mip_view_maps_schedules_both_ways() -> None:
    for seed in range(20):
        shop = brute.small(np.random.default_rng(seed))
        view = shop.to_mip()
        ops = shop.operations
        schedule = left_shifted(ops, ops.heads(), ops.machine)
        assert view.from_original is not None
        point = view.from_original(schedule)
        found = view.instance.evaluate(point)
        assert found.feasible, (seed, found.violations)
        assert found.objective == shop.evaluate(schedule).objective
        assert view.to_original(point) == schedule


def test_mip_view_of_a_large_instance_is_refused() -> None:
    with pytest.raises(CombOptError, match="E202"):
        JobShop.generate(np.random.default_rng(1), n=200, m=50).to_mip()
