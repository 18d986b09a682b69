from __future__ import annotations

import csv
import itertools
import json
import time
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.budget import Budget
from combopt.errors import InputError
from combopt.instances.robust_knapsack import FAMILIES, RobustKnapsack
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Event, Session
from combopt.solvers.highs import Highs
from combopt.solvers.robust.knapsack import _Run
from combopt.solvers.robust.knapsack_game import FREE, IN, OUT, Game, complete, kernels
from combopt.solvers.robust.knapsack_relaxed import relaxed
from combopt.solvers.robust.knapsack_search import Best, dive, improve, neighbours, slope
from tests.brute import robust_knapsack as brute


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    kernels()


def _session(limit: float = 1000.0) -> tuple[Session, list[Event]]:
    events: list[Event] = []
    return Session(Budget(), time.monotonic() + limit, events.append), events


def _best_gain(light: list[int], heavy: list[int], plain: list[float], full: list[float], capacity: int) -> float:
    """Dynamic programming over the capacity, densely."""
    best = np.zeros(capacity + 1)
    for a, b, p, f in zip(light, heavy, plain, full, strict=True):
        before = best.copy()
        for weight, gain in ((a, p), (b, f)):
            if weight <= capacity:
                best[weight:] = np.maximum(best[weight:], before[: capacity + 1 - weight] + gain)
    return float(best[capacity])


def test_best_responses_are_those_of_dynamic_programming() -> None:
    rng = np.random.default_rng(1)
    for trial in range(1500):
        n, capacity = int(rng.integers(1, 12)), int(rng.integers(0, 60))
        light = rng.integers(0, 15, n)
        heavy = light + rng.integers(0, 10, n)
        plain = rng.integers(-3, 14, n).astype(float)
        full = plain + rng.integers(0, 7, n)
        if trial % 3 == 0:  # equal ratios
            plain, full = light.astype(float), heavy.astype(float)
        best = _best_gain(light.tolist(), heavy.tolist(), plain.tolist(), full.tolist(), capacity)
        plan = np.zeros(n, dtype=np.int64)
        assert kernels().respond(light, heavy, plain, full, capacity, -1.0, plan) == pytest.approx(best)
        assert np.choose(plan, [np.zeros(n), plain, full]).sum() == pytest.approx(best)
        assert np.choose(plan, [np.zeros(n, np.int64), light, heavy]).sum() <= capacity
        floor = float(rng.integers(0, 60))
        assert kernels().respond(light, heavy, plain, full, capacity, floor, plan) == pytest.approx(max(best, floor))
        assert (plan[0] >= 0) == (best > floor)


def test_evaluation_of_every_first_stage_is_exact() -> None:
    rng = np.random.default_rng(2)
    for _ in range(60):
        instance = brute.small(rng)
        game = Game(instance)
        for x in itertools.product((0, 1), repeat=instance.items):
            done = complete(instance, x, game)
            exact = brute.worst_case(instance, x)
            assert done.lower == pytest.approx(exact, abs=1e-6)
            assert done.upper == pytest.approx(exact, abs=1e-6)
            assert instance.evaluate(done.plan).feasible


def test_a_first_stage_must_be_one() -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(0), n=4)
    for first in ([1, 0, 1], [1, 0, 0.5, 1]):
        with pytest.raises(InputError) as caught:
            complete(instance, first)
        assert caught.value.code == "E302"


def test_games_with_undecided_items_are_bounds() -> None:
    rng = np.random.default_rng(3)
    for _ in range(80):
        instance = brute.small(rng)
        status = rng.choice([OUT, FREE, IN], instance.items)
        status[instance.outsourcing <= instance.profit] = IN
        play = Game(instance).play(status)
        allowed = [(0, 1) if s == FREE else (int(s == IN),) for s in status.tolist()]
        best = max(brute.worst_case(instance, x) for x in itertools.product(*allowed))
        assert play.upper >= best - 1e-6
        assert play.lower == pytest.approx(play.upper, rel=1e-9, abs=1e-6)


def test_a_cutoff_ends_games_early_and_truly() -> None:
    rng = np.random.default_rng(4)
    for family in FAMILIES:
        instance = RobustKnapsack.generate(rng, n=30, family=family, budget_factor=0.15)
        x = rng.random(30) < 0.6
        full, short = Game(instance), Game(instance)
        value = full.decided(x).upper
        assert short.decided(x, cutoff=value + 50).upper <= value + 50 + 1e-6
        assert short.rounds < full.rounds
        near = full.decided(x, cutoff=value - 50)
        assert near.upper == pytest.approx(value, abs=1e-5)


def test_lagrangian_bounds_of_neighbours_hold() -> None:
    rng = np.random.default_rng(5)
    instance = RobustKnapsack.generate(rng, n=12, family="SC", budget_factor=0.2)
    game, (session, _) = Game(instance), _session()
    best = Best(game, session)
    best.offer(np.arange(12) % 2 == 0)
    best.value -= 1000.0  # so that no neighbour is ruled out
    moves = neighbours(best)
    assert len(moves) == 12 + 36
    for move in moves:
        x = best.x.copy()
        if move.leaves >= 0:
            x[move.leaves] = False
        if move.enters >= 0:
            x[move.enters] = True
        assert game.decided(x).lower <= move.bound + 1e-6


def test_the_slope_bounds_best_responses() -> None:
    rng = np.random.default_rng(6)
    for _ in range(100):
        n = int(rng.integers(1, 10))
        light = rng.integers(0, 9, n)
        heavy = light + rng.integers(0, 9, n)
        plain = rng.integers(-2, 9, n).astype(float)
        gain = plain + rng.integers(0, 5, n)
        _, bound = slope(gain, plain, light, heavy, 20)
        assert bound >= _best_gain(light.tolist(), heavy.tolist(), plain.tolist(), gain.tolist(), 20) - 1e-9


def test_local_search_leaves_no_better_exchange() -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(7), n=14, family="WC", budget_factor=0.2)
    game, (session, events) = Game(instance), _session()
    best = Best(game, session)
    status = np.full(14, FREE)
    dive(best, status, game.play(status), lambda: False)
    assert improve(best, lambda: False)
    values = [instance.evaluate(event.solution).objective for event in events if event.solution]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(best.value)
    for i, j in itertools.product(range(14), repeat=2):
        x = best.x.copy()
        x[[i, j]] = ~x[[i, j]] if best.x[i] != best.x[j] or i == j else x[[i, j]]
        assert game.decided(x).lower <= best.value + 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_relaxed_recourse_is_a_bound_and_cuts_keep_it_one(family: str) -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(8), n=9, family=family, budget_factor=0.2, largest=50)
    optimum = api.solve(instance, "robust_knapsack", isolate=False, time_limit=20)
    assert optimum.status is Status.OPTIMAL
    assert optimum.objective is not None
    session, _ = _session()
    game = Game(instance)
    run = _Run(game, session, 1.0)
    rng = np.random.default_rng(9)
    cuts = tuple(run.cut(x, game.decided(x)) for x in [rng.random(9) < 0.6 for _ in range(5)])
    without = api.solve(relaxed(instance), Highs(), isolate=False)
    cut = api.solve(relaxed(instance, cuts), Highs(), isolate=False)
    assert without.objective is not None
    assert cut.objective is not None
    assert without.objective >= cut.objective - 1e-6
    assert cut.objective >= optimum.objective - 1e-5


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_both_sources_of_bounds_lead_to_the_optimum(share: float) -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(10), n=32, family="UN", budget_factor=0.1)
    result = api.solve(instance, "robust_knapsack", isolate=False, time_limit=15, options={"tree": share})
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(
        api.solve(instance, "robust_knapsack", isolate=False, time_limit=60).objective, rel=1e-6
    )


def test_limits_end_a_run_with_plan_and_bound() -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(11), n=40, family="SC", budget_factor=0.2)
    result = api.solve(instance, "robust_knapsack", isolate=False, time_limit=300, iterations=3)
    assert result.stopped_by is StoppedBy.ITERATIONS
    assert result.objective is not None
    assert result.bound is not None
    assert result.bound > result.objective > 0
    assert not result.rejected


def test_a_start_is_completed() -> None:
    instance = RobustKnapsack.generate(np.random.default_rng(12), n=10)
    plan = complete(instance, np.ones(10)).plan
    bare = type(plan)(plan.first, plan.recourse[:1], [1.0])
    session, events = _session()
    best = Best(Game(instance), session)
    best.start(bare)
    assert best.value == pytest.approx(float(instance.evaluate(plan).objective))
    assert len(events) == 1


def test_published_values(benchmark_files: Path) -> None:
    folder = benchmark_files / "robust"
    with (folder / "kp_neur2ro_solutions.jsonl").open() as file:
        published = [json.loads(line) for line in file]
    with (folder / "kp_best_known.csv").open() as file:
        known = {row["instance"]: row for row in csv.DictReader(file)}
    seconds = []
    for row in published[::25]:
        instance = api.read(f"{folder / 'kp_instances.jsonl'}#{row['instance']}")
        assert isinstance(instance, RobustKnapsack)
        started = time.perf_counter()
        done = complete(instance, row["x"])
        seconds.append(time.perf_counter() - started)
        assert done.lower == pytest.approx(row["obj"], rel=1e-4)
        assert done.upper - done.lower <= 1e-6 * done.upper
        assert done.lower <= float(known[row["instance"]]["upper_bound"]) * (1 + 1e-5)
    assert np.median(seconds) < 0.1


def test_an_instance_proved_by_nobody_before(benchmark_files: Path) -> None:
    """Branch-and-price left it open after three hours (kp_reference.csv: bp_timelimit)."""
    path = benchmark_files / "robust" / "kp_instances.jsonl"
    result = api.solve(f"{path}#RKP_ASC_n40_R1000_H100_h40_dev0.1_d0.1", isolate=False, time_limit=120, threads=1)
    assert result.solver == "robust_knapsack"
    assert result.objective == pytest.approx(8773.9052, rel=1e-6)
    assert result.bound == pytest.approx(8773.9052, rel=3e-3)
