"""The flexible job shop as a kind."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from combopt.errors import CombOptError, InputError
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import left_shifted
from combopt.model import Instance
from tests.brute import fjsp as brute
from tests.brute import jobshop as brute_jobshop


def test_nested_lists_and_flat_arrays_are_the_same() -> None:
    nested = Fjsp.of_jobs([[[(0, 5), (2, 4)], [(1, 6)]], [[(1, 7)]]], machines=4)
    flat = Fjsp(
        counts=np.array([2, 1]),
        alternatives=np.array([2, 1, 1]),
        machine=np.array([0, 2, 1, 1]),
        duration=np.array([5, 4, 6, 7]),
        machines=4,
    )
    assert nested == flat
    assert flat.size() == {"jobs": 2, "machines": 4, "operations": 3, "alternatives": 4}


@pytest.mark.parametrize(
    ("jobs", "machines", "code"),
    [
        ([], 0, "E118"),
        ([[]], 0, "E118"),
        ([[[]]], 0, "E118"),
        ([[[(0, 1), (0, 2)]]], 0, "E116"),
        ([[[(-1, 1)]]], 0, "E117"),
        ([[[(3, 1)]]], 3, "E117"),
        ([[[(0, -1)]]], 0, "E114"),
        ([[[(0, 2**53)]], [[(0, 2**53)]]], 0, "E114"),
        ([[[(10**9, 1)]]], 0, "E114"),
        ([[[(0, 0.5)]]], 0, "E113"),
    ],
)
def test_wrong_data_are_refused(jobs: list[list[list[tuple[int, int]]]], machines: int, code: str) -> None:
    with pytest.raises(InputError) as caught:
        Fjsp.of_jobs(jobs, machines=machines)
    assert caught.value.code == code


def test_dict_round_trip() -> None:
    for seed in range(20):
        instance = brute.small(np.random.default_rng(seed))
        again = Instance.from_dict(json.loads(json.dumps(instance.to_dict())))
        assert again == instance
        assert again.digest() == instance.digest()


def test_with_one_machine_each_it_is_a_job_shop() -> None:
    for seed in range(20):
        shop = brute_jobshop.small(np.random.default_rng(seed))
        ops = shop.operations
        same = Fjsp(
            counts=ops.counts,
            alternatives=np.ones(len(ops), dtype=np.int64),
            machine=ops.machine,
            duration=ops.duration,
            machines=ops.machines,
        )
        assert brute.best(same) == brute_jobshop.best(shop)
        schedule = left_shifted(ops, ops.heads(), ops.machine)
        assert same.evaluate(schedule) == shop.evaluate(schedule)


def test_more_alternatives_never_hurt() -> None:
    for seed in range(20):
        instance = brute.small(np.random.default_rng(seed))
        ops = instance.operations
        first = ops.first_alternative[:-1]
        fewer = JobShop(
            machine=[ops.machine[first[a:b]].tolist() for a, b in _bounds(instance)],  # type: ignore[arg-type]
            duration=[ops.duration[first[a:b]].tolist() for a, b in _bounds(instance)],  # type: ignore[arg-type]
        )
        assert brute.best(instance) <= brute_jobshop.best(fewer)


def _bounds(instance: Fjsp) -> list[tuple[int, int]]:
    return list(pairwise(instance.operations.first_operation.tolist()))


@pytest.mark.parametrize("family", ["brandimarte", "hurink", "partial"])
@pytest.mark.parametrize("n", [1, 4, 30])
def test_generated_instances(family: str, n: int) -> None:
    instance = Fjsp.generate(np.random.default_rng(1), n=n, family=family, flexibility=3)
    assert instance == Fjsp.generate(np.random.default_rng(1), n=n, family=family, flexibility=3)
    assert instance.jobs == n
    assert instance.duration.min() >= 1
    if n == 30:
        assert 2.6 < instance.alternatives.mean() < 3.4


def test_hurinks_alternatives_are_equally_fast_and_partial_ones_are_not() -> None:
    for family, equal in (("hurink", True), ("partial", False)):
        instance = Fjsp.generate(np.random.default_rng(1), n=20, family=family, flexibility=3)
        first = instance.operations.first_alternative
        rows = [instance.duration[a:b] for a, b in pairwise(first)]
        assert all((row == row[0]).all() for row in rows) is equal


@pytest.mark.parametrize("wrong", [{"n": 0}, {"m": 0}, {"flexibility": 0.5}, {"flexibility": np.nan}, {"family": "x"}])
def test_generate_refuses_what_makes_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(CombOptError, match="E201"):
        Fjsp.generate(np.random.default_rng(1), **wrong)  # type: ignore[arg-type]


def test_mip_view_maps_schedules_both_ways() -> None:
    carried = 0
    for seed in range(20):
        instance = brute.small(np.random.default_rng(seed))
        view = instance.to_mip()
        ops = instance.operations
        schedules = [
            left_shifted(ops, ops.heads(), ops.machine[at])
            for at in (ops.first_alternative[1:] - 1, ops.first_alternative[:-1])
        ]
        assert view.from_original is not None
        for schedule in schedules:
            point = view.from_original(schedule)
            if point is None:  # longer than the horizon
                continue
            found = view.instance.evaluate(point)
            assert found.feasible, (seed, found.violations)
            assert found.objective == instance.evaluate(schedule).objective
            assert view.to_original(point) == schedule
            carried += 1
    assert carried > 20
