"""Schedule files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from combopt import api
from combopt.instances.classic import ft06
from combopt.instances.fjsp import Fjsp
from combopt.instances.formats.schedule import SCHEDULE, earliest_starts
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import left_shifted
from combopt.instances.text import Source
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop


def test_round_trip_with_claim(tmp_path: Path) -> None:
    path = tmp_path / "a.sol"
    for seed in range(30):
        rng = np.random.default_rng(seed)
        for instance in (brute_jobshop.small(rng), brute_fjsp.small(rng)):
            ops = instance.operations
            machine = ops.machine[ops.first_alternative[:-1]]
            schedule = left_shifted(ops, rng.integers(0, 99, size=len(ops)), machine)
            shifted = ops.schedule(ops.flat(schedule)[0] + 1000, machine)  # no numbers of jobs among the starts
            api.write_solution(shifted, instance, path)
            assert api.read_solution(path, instance) == shifted
            checked = api.check(instance, path)
            assert checked.ok
            assert checked.claimed == instance.evaluate(shifted).objective


def test_a_wrong_claim_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.sol"
    path.write_text("# makespan 11\n0 3\n5 8\n")
    shop = JobShop(machine=np.array([[0, 1], [0, 1]]), duration=np.array([[3, 4], [2, 5]]))
    checked = api.check(shop, path)
    assert (checked.claimed, checked.evaluation.objective, checked.ok) == (11, 13, False)


def test_machine_orders_stand_for_the_earliest_schedule(tmp_path: Path) -> None:
    shop = ft06()
    ops = shop.operations
    rng = np.random.default_rng(3)
    for base in (0, 1):
        schedule = left_shifted(ops, rng.integers(0, 999, size=len(ops)), ops.machine)
        start = np.array(schedule.start)
        rows = [
            " ".join(str(j + base) for j in sorted(range(6), key=lambda j: start[j][shop.machine[j] == k][0]))
            for k in range(6)
        ]
        path = tmp_path / "orders.txt"
        path.write_text("\n".join(rows) + "\n")
        assert api.read_solution(path, shop) == schedule


def test_orders_that_wait_for_each_other_have_no_schedule() -> None:
    shop = JobShop(machine=np.array([[0, 1], [1, 0]]), duration=np.ones((2, 2)))
    assert earliest_starts(shop.operations, [[1, 0], [0, 1]]) is None
    found = earliest_starts(shop.operations, [[0, 1], [1, 0]])
    assert found is not None
    assert found.tolist() == [0, 1, 0, 1]


def test_sniff() -> None:
    assert SCHEDULE.sniff(Source("a.sol", "# makespan 3\n0 1\n2 3\n"))
    assert not SCHEDULE.sniff(Source("a.sol", "# makespan 3\n"))
    assert not SCHEDULE.sniff(Source("a.sol", '{"type": "schedule"}'))
    assert not SCHEDULE.sniff(Source("a.sol", "NAME : a\n1 2\n"))


def test_flexible_schedules_name_their_machines(tmp_path: Path) -> None:
    instance = Fjsp.of_jobs([[[(0, 5), (1, 4)], [(1, 6)]], [[(0, 7)]]])
    path = tmp_path / "a.sol"
    path.write_text("0 1 5 2\n5 1\n")
    assert api.check(instance, path).evaluation.objective == 12
