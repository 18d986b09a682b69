"""Dispatching rules."""

from __future__ import annotations

import numpy as np
import pytest

from combopt import api
from combopt.errors import CombOptError
from combopt.instances.classic import ft06, ft10
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop, taillard
from combopt.solvers.dispatching import RULES, best_dispatch, dispatch
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop


def _makespan(instance: JobShop | Fjsp, rule: str) -> int:
    ops = instance.operations
    start, alternative = dispatch(ops, rule)  # type: ignore[arg-type]
    found = instance.evaluate(ops.schedule(start, ops.machine[alternative]))
    assert found.feasible
    return int(found.objective)


@pytest.mark.parametrize(("rule", "makespan"), [("spt", 1462), ("mwr", 1491), ("mor", 1438)])
def test_published_values_for_ta01(rule: str, makespan: int) -> None:
    assert _makespan(taillard(15, 15, 840612802, 398197754), rule) == makespan


@pytest.mark.parametrize("rule", RULES)
def test_schedules_are_feasible_and_no_better_than_the_optimum(rule: str) -> None:
    for seed in range(20):
        for brute in (brute_jobshop, brute_fjsp):
            instance = brute.small(np.random.default_rng(seed))
            assert _makespan(instance, rule) >= brute.best(instance)


def test_nothing_waits_that_could_run() -> None:
    shop = ft10()
    start, _ = dispatch(shop.operations, "lpt")
    table = start.reshape(10, 10)
    end = table + shop.duration
    for j in range(10):
        for k in range(10):
            ready = end[j, k - 1] if k else 0
            for t in range(int(ready), int(table[j, k])):
                busy = (shop.machine == shop.machine[j, k]) & (table <= t) & (t < end)
                assert busy.any(), (j, k, t)


def test_compiled_and_plain_loops_agree() -> None:
    shop = JobShop.generate(np.random.default_rng(4), n=40, m=20)  # beyond the limit for the plain loop
    ops = shop.operations
    from combopt.solvers import dispatching

    compiled_start, _ = dispatch(ops, "spt")
    old, dispatching._PLAIN = dispatching._PLAIN, 10**9
    try:
        plain_start, _ = dispatch(ops, "spt")
    finally:
        dispatching._PLAIN = old
    assert (compiled_start == plain_start).all()


def test_an_operation_takes_the_machine_that_finishes_it_first() -> None:
    instance = Fjsp.of_jobs([[[(0, 5), (1, 6)]], [[(0, 5), (1, 6)]]])
    start, alternative = dispatch(instance.operations, "spt")
    assert sorted(instance.machine[alternative].tolist()) == [0, 1]
    assert start.tolist() == [0, 0]


def test_best_is_the_best_of_all_rules() -> None:
    ops = ft06().operations
    start, alternative = best_dispatch(ops)
    makespan = int((start + ops.duration[alternative]).max())
    assert makespan == min(_makespan(ft06(), rule) for rule in RULES)
    assert api.solve(ft06(), "dispatching", isolate=False).objective == makespan


def test_rule_as_an_option() -> None:
    found = api.solve(ft06(), "dispatching", options={"rule": "lpt"}, isolate=False)
    assert found.objective == _makespan(ft06(), "lpt")
    with pytest.raises(CombOptError, match="E201"):
        api.make_solver("dispatching", {"rule": "edd"})
