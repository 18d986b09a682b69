"""Tabu search for job shops: the disjunctive graph, its moves, and the solver."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.classic import ft06, ft10
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.solutions import Schedule
from combopt.solvers import job_tabu_kernels as K
from combopt.solvers.compiled import compiled
from combopt.solvers.dispatching import dispatch
from combopt.solvers.job_tabu import JobTabu, _shop, _state
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop

compiled(K.__name__)


class _Graph:
    """A solution of an instance in the form of the compiled loops."""

    def __init__(self, instance: JobShop | Fjsp, tenure: int = 6) -> None:
        ops = instance.operations
        self.count = len(ops)
        self.shop, self.alternatives = _shop(ops)
        self.state = _state(ops)
        start, chosen = dispatch(ops, "spt")
        end = start + ops.duration[chosen]
        step = np.arange(len(ops)) - ops.first_operation[ops.job]
        self.state[K.ORDER, : self.count] = np.lexsort((step, end, start))
        self.state[K.CHOSEN, : self.count] = chosen
        self.numbers = np.array([0, -1, 0, 4711, tenure, 3])
        self.tabu = np.full((2, 1024), -1)
        self.pick = np.zeros(12, dtype=np.int64)
        self.length = K.build(self.shop, self.alternatives, self.state)

    def step(self) -> bool:
        self.numbers[K.ITERATION] += 1
        found = K.step(self.shop, self.alternatives, self.state, self.numbers, self.tabu, self.pick, self.length)
        self.length = found if found >= 0 else self.length
        return found >= 0

    def fresh(self) -> np.ndarray:  # type: ignore[type-arg]
        """The same solution computed from its order alone."""
        other = self.state.copy()
        assert K.build(self.shop, self.alternatives, other) == self.length
        return other


INSTANCES = [
    ft06(),
    ft10(),
    JobShop.generate(np.random.default_rng(1), n=8, m=4, family="recirculation"),
    JobShop(machine=ft06().machine, duration=ft06().duration // 4),  # many durations are 0
    Fjsp.generate(np.random.default_rng(1), n=8),
    Fjsp.generate(np.random.default_rng(2), n=6, m=5, family="hurink", flexibility=3),
]


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda i: i.name)
def test_moves_keep_the_graph_sound(instance: JobShop | Fjsp) -> None:
    graph = _Graph(instance)
    ops = instance.operations
    for _ in range(400):
        if not graph.step():
            break
        n = graph.count
        order = graph.state[K.ORDER, :n]
        assert sorted(order.tolist()) == list(range(n))
        assert (graph.state[K.MARK] == 0).all()
        fresh = graph.fresh()
        for row in (K.HEAD, K.TAIL, K.RANK, K.PREVIOUS, K.FOLLOWING, K.MACHINE, K.TIME, K.PLACE):
            assert (graph.state[row, :n] == fresh[row, :n]).all(), row
        chosen = graph.state[K.CHOSEN, :n]
        schedule = ops.schedule(graph.state[K.HEAD, :n], ops.machine[chosen])
        found = instance.evaluate(schedule)
        assert (found.feasible, found.objective) == (True, graph.length)


def test_the_estimate_of_a_swap_bounds_the_new_makespan_from_below() -> None:
    graph = _Graph(ft10())
    exact = 0
    for _ in range(300):
        assert graph.step()
        kind, u, v, value = graph.pick[0], graph.pick[1], graph.pick[2], graph.pick[4]
        if (
            kind != K.NONE
            and K.BACKWARD in (kind, K.FORWARD)
            and abs(graph.state[K.RANK, u] - graph.state[K.RANK, v]) == 1
        ):
            assert graph.length >= value
            exact += graph.length == value
    assert exact > 30


@pytest.mark.parametrize(("kind", "brute"), [("jobshop", brute_jobshop), ("fjsp", brute_fjsp)])
def test_optimal_on_tiny_instances(kind: str, brute: object) -> None:
    for seed in range(60):
        instance = brute.small(np.random.default_rng(seed))  # type: ignore[attr-defined]
        found = api.solve(instance, JobTabu(patience=300), isolate=False, time_limit=20, threads=1, iterations=12)
        assert found.objective == brute.best(instance), (kind, seed)  # type: ignore[attr-defined]
        assert found.messages == ()


def test_known_optimum_of_ft06() -> None:
    found = api.solve(ft06(), JobTabu(patience=2000), isolate=False, threads=1, iterations=5)
    assert (found.objective, found.bound, found.stopped_by) == (55, 52, "iterations")


def test_stops_at_a_bound_that_is_reached() -> None:
    shop = JobShop(machine=np.array([[0, 1], [0, 1], [0, 1]]), duration=np.array([[3, 1], [3, 1], [3, 1]]))
    found = api.solve(shop, "job_tabu", isolate=False, time_limit=30)
    assert (found.objective, found.status, found.stopped_by) == (10, "optimal", "proof")


def test_same_seed_same_answer() -> None:
    runs = [
        api.solve(ft10(), JobTabu(patience=500), isolate=False, threads=1, iterations=8, seed=seed).solution
        for seed in (3, 3, 4)
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_never_worse_than_the_start() -> None:
    good = api.solve(ft10(), JobTabu(patience=2000), isolate=False, threads=1, iterations=20)
    again = api.solve(ft10(), JobTabu(patience=1), isolate=False, threads=1, iterations=1, start=good.solution)
    assert again.objective is not None
    assert good.objective is not None
    assert again.objective <= good.objective
    assert good.objective < 1000


def test_a_start_that_is_no_schedule_of_the_instance_does_no_harm() -> None:
    for start in (Schedule(((0,),), ((0,),)), Schedule(((0,) * 6,) * 6, ((9,) * 6,) * 6)):
        found = api.solve(ft06(), JobTabu(patience=100), isolate=False, threads=1, iterations=2, start=start)
        assert found.objective is not None


def test_several_threads_and_the_time_limit() -> None:
    started = time.monotonic()
    found = api.solve(ft10(), "job_tabu", isolate=False, threads=2, time_limit=1.5)
    assert 1.0 < time.monotonic() - started < 4
    assert found.objective is not None
    assert found.objective <= 1000
    assert found.stopped_by == "time"


@pytest.mark.parametrize(("name", "at_most"), [("la01", 666), ("la19", 850), ("ta01", 1275)])
def test_benchmark_instances(benchmark_files: Path, name: str, at_most: int) -> None:
    rows = csv.DictReader((benchmark_files / "jssp" / "MANIFEST.csv").read_text().splitlines())
    path = next(row["path"] for row in rows if row["name"] == name)
    found = api.solve(benchmark_files / "jssp" / path, JobTabu(patience=5000), isolate=False, threads=1, iterations=15)
    assert found.objective is not None
    assert found.objective <= at_most
