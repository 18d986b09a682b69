"""The solver ``job_lns``: parts of schedules that join up exactly, right answers, repeatable runs."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.budget import Budget
from combopt.errors import UsageError
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.model import Instance
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.base import Event, Session
from combopt.solvers.dispatching import best_dispatch, dispatch
from combopt.solvers.lns.engine import Found, State
from combopt.solvers.lns.jobshop import OPERATORS, CpSearcher, Free, JobLns
from combopt.solvers.lns.jobshop_part import Part, Plan
from combopt.solvers.lns.loop import Incumbent
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop


def solve(instance: Instance, **options: Any) -> Result:
    return api.solve(instance, "job_lns", **({"time_limit": 20.0, "threads": 1, "isolate": False} | options))


def planned(instance: Any, rule: Any = "lwr") -> Plan:
    start, chosen = dispatch(instance.operations, rule)
    return Plan.of(instance.operations, start, instance.operations.machine[chosen])


def shuffled(instance: Any, rng: np.random.Generator) -> Plan:
    """A random semi-active schedule."""
    ops = instance.operations
    return Plan.of(ops, rng.permutation(len(ops)), ops.machine[ops.first_alternative[:-1]])


def session(**budget: Any) -> Session:
    return Session(Budget(threads=1, **budget), time.monotonic() + 30, lambda event: None)


def searched(instance: Any, plan: Plan, mask: Any) -> Any:
    """What CP-SAT brings of a neighbourhood."""
    run = session(iterations=1)
    searcher = CpSearcher(Incumbent(instance, run, lambda p: p.schedule), run, counted=True)
    found = Found(plan, float(plan.makespan))
    return searcher.search(Free(np.asarray(mask)), State(found, found, [found]), 10.0, 1)


def best_of_part(plan: Plan, free: Any) -> int:
    """The least makespan of a job shop, by trying every order of the free operations between the same fixed ones."""
    ops = plan.ops
    runs, order = [], plan.order.tolist()
    sequences = {m: [o for o in order if plan.machine[o] == m] for m in np.unique(plan.machine).tolist()}
    for m, sequence in sequences.items():
        groups = [list(g) for _, g in itertools.groupby(sequence, key=lambda o: bool(free[o]))]
        runs.append([(m, [list(p) for p in itertools.permutations(g)] if free[g[0]] else [g]) for g in groups])
    shortest = plan.makespan
    for choice in itertools.product(*[itertools.product(*[orders for _, orders in row]) for row in runs]):
        shortest = min(shortest, _makespan(ops, [[o for group in row for o in group] for row in choice], plan))
    return shortest


def _makespan(ops: Any, sequences: list[list[int]], plan: Plan) -> int:
    """Longest path by repeated relaxation; far above any makespan if the orders contradict each other."""
    duration, job = plan.duration.tolist(), ops.job.tolist()
    arcs = [(a, a + 1) for a in range(len(ops) - 1) if job[a] == job[a + 1]]
    arcs += [pair for row in sequences for pair in itertools.pairwise(row)]
    start = [0] * len(ops)
    for _ in range(len(ops) + 1):
        changed = False
        for a, b in arcs:
            if start[b] < start[a] + duration[a]:
                start[b], changed = start[a] + duration[a], True
        if not changed:
            return max(s + d for s, d in zip(start, duration, strict=True))
    return 2**60


def test_parts_are_solved_to_their_optimum_and_join_up_exactly() -> None:
    improved = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        instance = JobShop.generate(rng, n=4, m=3, family=("taillard", "recirculation")[seed % 2])
        plan = shuffled(instance, rng)
        mask = rng.random(len(plan.ops)) < 0.6
        best = best_of_part(plan, mask)
        attempt = searched(instance, plan, mask)
        assert attempt.ending == "closed"
        if best == plan.makespan:
            assert attempt.found is None
            continue
        improved += 1
        assert attempt.found.value == best
        evaluation = instance.evaluate(attempt.found.solution.schedule)
        assert evaluation.feasible
        assert evaluation.objective == best
        assert Part(plan, mask).floor <= best
    assert improved >= 10


@pytest.mark.parametrize(("kind", "brute"), [("jobshop", brute_jobshop), ("fjsp", brute_fjsp)])
def test_with_everything_free_it_finds_the_optimum_and_knows_it(kind: str, brute: Any) -> None:
    for seed in range(30):
        instance = brute.small(np.random.default_rng(seed))
        best = brute.best(instance)
        plan = planned(instance)
        attempt = searched(instance, plan, np.ones(len(plan.ops), dtype=bool))
        assert attempt.complete
        assert attempt.ending == "closed"
        assert (plan.makespan if attempt.found is None else attempt.found.value) == best


def test_free_operations_of_a_flexible_shop_change_machines() -> None:
    # both jobs on machine 0 take 10; either could go to machine 1 and take 4
    job = [[(0, 5), (1, 4)]]
    instance = Fjsp.of_jobs([job[0:1], job[0:1]], machines=2)
    ops = instance.operations
    plan = Plan.of(ops, np.array([0, 5]), np.array([0, 0]))
    assert searched(instance, plan, [False, False]).found is None
    attempt = searched(instance, plan, [False, True])
    assert attempt.found.value == 5
    assert attempt.found.solution.machine.tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["jobshop", "fjsp"])
def test_every_neighbourhood_of_every_operator_keeps_schedules_feasible(kind: str) -> None:
    instance: Any = api.generate(kind, n=8, m=5, seed=3)
    for number, name in enumerate(["time_window", "machines", "patch"] * 4):
        plan = planned(instance, ("lwr", "spt", "lpt")[number % 3])
        found = Found(plan, float(plan.makespan))
        state = State(found, found, [found])
        free = OPERATORS[name].build(state, 0.2 + 0.06 * number, np.random.default_rng(number))
        assert isinstance(free, Free)
        assert free.mask.any()
        attempt = searched(instance, plan, free.mask)
        if attempt.found is not None:
            assert attempt.found.value < plan.makespan
            assert instance.evaluate(attempt.found.solution.schedule).feasible


def test_windows_and_machines_are_as_large_as_asked_for() -> None:
    plan = planned(JobShop.generate(np.random.default_rng(0), n=20, m=10))
    found = Found(plan, float(plan.makespan))
    state, rng = State(found, found, [found]), np.random.default_rng(1)
    machines: Any = OPERATORS["machines"].build(state, 0.3, rng)
    assert len(set(plan.machine[machines.mask])) == 3
    assert machines.mask.sum() == 60
    window: Any = OPERATORS["time_window"].build(state, 0.3, rng)
    span = plan.start[window.mask].max() - plan.end[window.mask].min()
    assert span <= 0.3 * plan.makespan
    everything: Any = OPERATORS["time_window"].build(state, 1.0, rng)
    assert everything.mask.all()


def test_ft06_is_solved_and_proved() -> None:
    result = solve(api.generate("jobshop", family="ft06"))
    assert result.objective == 55
    assert result.status is Status.OPTIMAL


def test_the_start_counts_and_is_improved() -> None:
    instance = JobShop.generate(np.random.default_rng(2), n=15, m=8)
    start, chosen = best_dispatch(instance.operations)
    bad = planned(instance, "lpt")
    dispatched = int((start + instance.operations.duration[chosen]).max())
    assert bad.makespan > dispatched
    result = solve(instance, start=bad.schedule, iterations=8, options={"searchers": "cpsat"})
    assert result.objective is not None
    assert result.bound is not None
    assert result.bound <= result.objective < dispatched
    again = solve(instance, start=result.solution, iterations=1, options={"searchers": "cpsat"})
    assert again.objective is not None
    assert again.objective <= result.objective


@pytest.mark.parametrize("kind", ["jobshop", "fjsp"])
def test_a_run_of_counted_steps_repeats_itself(kind: str) -> None:
    more = {"family": "hurink", "flexibility": 1.3} if kind == "fjsp" else {}
    instance = api.generate(kind, n=12, m=12, seed=4, **more)
    one, two, other = (solve(instance, iterations=10, seed=seed, time_limit=60.0) for seed in (5, 5, 6))

    def account(result: Result) -> list[dict[str, object]]:
        return [{k: v for k, v in step.items() if k != "seconds"} for step in result.steps]

    assert account(one) == account(two)
    assert one.solution == two.solution
    assert account(one) != account(other)
    assert one.stopped_by in (StoppedBy.ITERATIONS, StoppedBy.PROOF)
    assert {step["operator"] for step in other.steps} | {step["operator"] for step in one.steps} == set(OPERATORS)
    assert {step["searcher"] for step in one.steps} == {"cpsat", "tabu"}


def test_it_stops_at_once_when_asked() -> None:
    instance = JobShop.generate(np.random.default_rng(0), n=50, m=20)
    events: list[Event] = []
    run = Session(Budget(threads=1, time_limit=60.0), time.monotonic() + 60, events.append)
    thread = threading.Thread(target=JobLns(searchers="cpsat").run, args=(instance, run))
    thread.start()
    while not any(event.step for event in events):
        time.sleep(0.01)
    time.sleep(0.2)  # within a search of CP-SAT
    run.request_stop()
    before = sum(event.step is not None for event in events)
    thread.join(20)
    assert not thread.is_alive()
    assert sum(event.step is not None for event in events) <= before + 1


@pytest.mark.parametrize(
    "options",
    [
        {"operators": "machines,nothing"},
        {"searchers": "gurobi"},
        {"searchers": " "},
        {"size": 0.0},
        {"parameters": "luck: 7"},
    ],
)
def test_unknown_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        solve(api.generate("jobshop", n=10, seed=1), iterations=10, options=options)
