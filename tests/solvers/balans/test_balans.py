"""The solver ``balans``: right answers and statuses, repeatable runs, an account of its steps, nothing left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.budget import Budget
from combopt.errors import UsageError
from combopt.instances.mip import INTEGER, Mip, MipBuilder, Sos
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.balans.search import Search
from combopt.solvers.balans.solver import Balans
from combopt.solvers.balans.space import MipSpace
from combopt.solvers.base import Event, Session
from combopt.solvers.gate import Progress
from combopt.solvers.lns.engine import Found
from tests.solvers import programs


def solve(mip: Mip, **options: object) -> Result:
    budget = {"time_limit": 20.0, "threads": 1, "isolate": False, **options}
    return api.solve(mip, "balans", **budget)  # type: ignore[arg-type]


def multi_knapsack(n: int = 60, rows: int = 8, seed: int = 0) -> Mip:
    """Hard enough that no solver proves it within a second or two."""
    rng = np.random.default_rng(seed)
    builder = MipBuilder("mkp", sense=Sense.MAX, offset=1000.0)
    weights = rng.integers(5, 100, (rows, n))
    columns = [builder.binary(f"x{j}", float(weights[:, j].sum() // rows + rng.integers(0, 30))) for j in range(n)]
    for row in weights:
        builder.row(dict(zip(columns, row.astype(float).tolist(), strict=True)), upper=float(row.sum() // 3))
    return builder.build()


@pytest.mark.parametrize(
    ("mip", "objective"),
    [
        (programs.knapsack(), 23),
        (programs.knapsack(offset=1000.5), 1023.5),
        (programs.integer(), 11),
        (programs.integer(Sense.MAX, offset=-3), -14),
    ],
)
def test_small_programs_are_solved_and_proved(mip: Mip, objective: float) -> None:
    result = solve(mip)
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(objective)
    assert result.bound == pytest.approx(objective)


@pytest.mark.parametrize(
    ("mip", "status"),
    [
        (programs.infeasible(), Status.INFEASIBLE),
        (programs.unbounded(), Status.UNBOUNDED),
        (programs.unbounded_but_infeasible(), Status.INFEASIBLE),
    ],
)
def test_programs_without_an_optimum(mip: Mip, status: Status) -> None:
    assert solve(mip).status is status


def test_a_linear_program_needs_no_neighbourhoods() -> None:
    builder = MipBuilder(offset=2.0)
    x = builder.column("x", 1.0, 0.0, 10.0)
    builder.row({x: 2.0}, lower=5.0)
    result = solve(builder.build())
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(4.5)


def test_special_ordered_sets_are_respected() -> None:
    builder = MipBuilder(sense=Sense.MAX)
    columns = [builder.column(f"x{i}", i + 1.0, 0.0, 4.0, INTEGER) for i in range(3)]
    columns.append(builder.column("y", 1.0, 0.0, 3.0, INTEGER))
    builder.row(dict.fromkeys(columns, 1.0), upper=20.0)
    result = solve(builder.build(sos=(Sos(type=1, columns=(0, 1, 2), weights=(1.0, 2.0, 3.0)),)))
    assert result.objective == 15  # 3 * 4 + 3


def test_a_run_of_counted_steps_repeats_itself() -> None:
    mip = multi_knapsack()
    one, two = (solve(mip, iterations=12, seed=5, options={"backends": "scip"}) for _ in range(2))
    other = solve(mip, iterations=12, seed=6, options={"backends": "scip"})

    def account(result: Result) -> list[dict[str, object]]:
        return [{k: v for k, v in step.items() if k != "seconds"} for step in result.steps]

    assert account(one) == account(two)
    assert [p.objective for p in one.trace] == [p.objective for p in two.trace]
    assert account(one) != account(other)
    assert one.stopped_by is StoppedBy.ITERATIONS
    assert len(one.steps) == 12


def test_steps_tell_what_was_done_and_every_operator_is_tried() -> None:
    result = solve(multi_knapsack(seed=1), iterations=20, options={"backends": "scip,highs"})
    assert {"operator", "searcher", "size", "ending", "outcome", "value", "cost", "reward"} <= set(result.steps[0])
    assert {s["operator"] for s in result.steps} >= {"mutation", "objective", "graph", "row", "rins"}
    assert {s["searcher"] for s in result.steps} == {"scip", "highs"}
    assert any(s["outcome"] == "best" for s in result.steps) or result.status is Status.OPTIMAL


def test_the_start_counts_and_is_improved() -> None:
    mip = multi_knapsack(seed=2)
    start = Point(mip.columns, np.zeros(len(mip.columns)))
    result = solve(mip, start=start, iterations=6, options={"backends": "scip"})
    assert result.trace[0].objective == 1000
    assert result.objective is not None
    assert result.objective > 1000


def test_a_bound_comes_with_the_answer_and_the_limit_holds() -> None:
    mip = multi_knapsack(n=200, rows=20, seed=3)
    began = time.monotonic()
    result = api.solve(mip, "balans", time_limit=4.0, threads=1)
    assert time.monotonic() - began < 4.5
    assert result.stopped_by is StoppedBy.TIME
    assert result.objective is not None
    assert result.bound is not None
    assert result.objective <= result.bound
    assert result.steps


def test_on_two_cores_a_plain_solver_works_beside_the_neighbourhoods() -> None:
    result = api.solve(multi_knapsack(n=200, rows=20, seed=3), "balans", time_limit=4.0, threads=2)
    assert result.bound is not None
    assert "run_scip" not in {s["operator"] for s in result.steps}
    assert result.steps


def test_no_process_is_left() -> None:
    api.solve(multi_knapsack(n=150, rows=15, seed=4), "balans", time_limit=3.0, threads=1, isolate=False)
    time.sleep(0.1)
    kids = [Path(f"/proc/self/task/{t}/children") for t in os.listdir("/proc/self/task")]
    found = [pid for kid in kids if kid.exists() for pid in kid.read_text().split()]
    states = [Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] for pid in found]
    assert "T" not in states  # no solver is left paused


@pytest.mark.parametrize(
    "options", [{"operators": "mutation,nothing"}, {"backends": "gurobi"}, {"policy": "luck"}, {"size": 0.0}]
)
def test_unknown_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        solve(multi_knapsack(), iterations=1, options=options)


class Seen(Exception):
    """Everything that a test waits for has come."""


def test_two_searches_hand_over_their_steps() -> None:
    searches: set[int] = set()

    def report(progress: Progress) -> None:
        if progress.step is not None:
            searches.add(progress.step.get("search", 0))
        if searches == {0, 1}:
            raise Seen

    mip = multi_knapsack(n=200, rows=20, seed=3)
    with pytest.raises(Seen):
        api.solve(mip, "balans", time_limit=30.0, threads=2, options={"searches": 2}, report=report)


def test_advice_becomes_the_incumbent_if_it_stands_up_to_the_check() -> None:
    mip = multi_knapsack(n=60, rows=8, seed=0)
    known = api.solve(mip, "scip", time_limit=5.0, threads=1).solution
    assert isinstance(known, Point)
    events: list[Event] = []
    session = Session(Budget(time_limit=10.0, threads=1), time.monotonic() + 10.0, events.append)
    search = Search(Balans(), MipSpace(mip), ["scip"], session)
    wrong = Point(mip.columns, np.ones_like(known.values))
    for point in (wrong, known):
        session.advise(Event(time.monotonic(), solution=point))
    session.advise(Event(time.monotonic(), step={"operator": "row", "searcher": "scip", "reward": 1.0, "cost": 2.0}))
    search._listen()
    assert search.best is not None
    assert search.best.value == pytest.approx(search.space.value(known.values))
    row = [operator.name for operator in search.engine.operators].index("row")
    assert search.engine.chooser.tried[row] == 1
    assert search.engine.chooser.rewards[row] == 1.0
    assert not events  # those who told it have handed it over


def test_a_paused_solver_is_told_of_what_others_have_found_once() -> None:
    mip = multi_knapsack(n=60, rows=8, seed=0)
    session = Session(Budget(time_limit=10.0, threads=1), time.monotonic() + 10.0, lambda event: None)
    search = Search(Balans(), MipSpace(mip), ["scip", "cpsat"], session)
    told: list[Event] = []

    class Paused:
        def tell(self, event: Event) -> None:
            told.append(event)

        def run(self, seconds: float, stopping: object) -> None:
            pass

    zero = np.zeros(len(mip.columns))
    for searcher in search.searchers:
        searcher.background = Paused()  # type: ignore[assignment]
    scip, cpsat = search.searchers
    scip.go_on(1.0, None)
    assert not told
    best = Found(zero, 0.0)
    scip.go_on(1.0, best)
    scip.go_on(1.0, best)
    cpsat.go_on(1.0, best)  # it does not listen
    assert len(told) == 1
    assert isinstance(told[0].solution, Point)
    scip.latest = Found(zero, -1.0)
    scip.go_on(1.0, Found(zero, -1.0))  # its own
    assert len(told) == 1
    scip.go_on(1.0, Found(zero, -2.0))
    assert len(told) == 2
