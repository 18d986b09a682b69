"""Balans on programs of every make, each operator by itself, and what a long run leaves in memory."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, SEMIINTEGER, Indicator, Mip, MipBuilder
from combopt.instances.solutions import Point
from combopt.model import Sense
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.balans.neighbourhoods import NAMES
from combopt.solvers.balans.search import Search
from tests.solvers.balans.test_balans import multi_knapsack, solve

ARMS = ("differences", "mutation_50", "rins_75", "rens_75", "local_branching_50", "proximity_030")
RICH = "mutation,crossover,objective,graph,row,kind,rins,rens,dins,local_branching,proximity,random_objective"


def facilities() -> tuple[Mip, Point, float]:
    """A facility-location program of 210 columns, a bad start, and the optimum that SCIP proves."""
    mip = api.generate("mip", seed=2, n=20, family="facility")
    assert isinstance(mip, Mip)
    proved = api.solve(mip, "scip", isolate=False, threads=1, time_limit=30)
    assert proved.status is Status.OPTIMAL
    first = api.solve(mip, "scip", isolate=False, threads=1, options={"settings": "limits/bestsol=1"})
    assert isinstance(first.solution, Point)
    return mip, first.solution, float(proved.objective or 0)


@pytest.fixture(scope="module", name="facility")
def _facility() -> tuple[Mip, Point, float]:
    return facilities()


@pytest.mark.parametrize("name", [*NAMES, *ARMS])
def test_an_operator_alone_is_never_better_than_the_optimum_nor_worse_than_the_start(
    name: str, facility: tuple[Mip, Point, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    mip, start, optimum = facility
    checked: list[bool] = []
    offer = Search.offer
    monkeypatch.setattr(Search, "offer", lambda self, values: checked.append(offer(self, values)) or checked[-1])
    result = solve(mip, start=start, iterations=6, seed=3, options={"operators": name, "backends": "scip"})
    given = mip.evaluate(start).objective
    assert result.objective is not None
    assert optimum - 1e-6 * abs(optimum) <= result.objective <= given
    assert isinstance(result.solution, Point)
    assert mip.evaluate(result.solution).feasible
    assert all(checked)  # what neighbourhoods hand over needs no repair
    if name in ("crossover", "differences"):  # nothing to cross with
        assert [step["ending"] for step in result.steps] == ["empty"]
    elif name == "everything":
        assert result.status is Status.OPTIMAL
    else:
        assert result.objective < given
    for step in result.steps:
        assert step["value"] is None or step["value"] >= optimum - 1e-6 * abs(optimum)


@pytest.mark.parametrize("backend", ["scip", "highs", "cpsat"])
@pytest.mark.parametrize("sense", Sense)
@pytest.mark.parametrize("offset", [0.0, -2.5e4])
def test_constants_and_senses_change_nothing_but_the_objective(backend: str, sense: Sense, offset: float) -> None:
    plain = multi_knapsack(n=25, rows=4, seed=5)
    sign = 1.0 if sense is Sense.MAX else -1.0
    builder = MipBuilder("mkp", sense=sense, offset=offset)
    for name, cost in zip(plain.columns, plain.cost.tolist(), strict=True):
        builder.binary(name, sign * cost)
    for row in range(len(plain.rows)):
        part = slice(plain.row_start[row], plain.row_start[row + 1])
        terms = dict(zip(plain.row_column[part].tolist(), plain.row_value[part].tolist(), strict=True))
        builder.row(terms, upper=float(plain.row_upper[row]))
    mip = builder.build()
    best = api.solve(mip, "scip", isolate=False, threads=1, time_limit=30)
    options = {"operators": f"{RICH},everything", "backends": backend}
    result = solve(mip, iterations=40, seed=1, options=options)
    assert result.objective is not None
    assert best.objective is not None
    assert isinstance(result.solution, Point)
    assert result.objective == pytest.approx(float(mip.cost @ result.solution.values) + offset)
    assert not sense.better(result.objective, best.objective)
    assert result.bound is None or not sense.better(best.objective, result.bound)
    for step in result.steps:  # values are those of a minimisation
        if step["outcome"] == "best":
            objective = -step["value"] if sense is Sense.MAX else step["value"]
            assert any(point.objective == pytest.approx(objective) for point in result.trace)
    if result.status is Status.OPTIMAL:
        assert result.objective == best.objective


def against_scip(mip: Mip, iterations: int = 30, **options: str) -> tuple[Result, Result]:
    best = api.solve(mip, "scip", isolate=False, threads=1, time_limit=30)
    result = solve(mip, iterations=iterations, seed=1, options={"operators": RICH, "backends": "scip", **options})
    assert best.status is Status.OPTIMAL
    assert result.objective is not None
    assert best.objective is not None
    assert isinstance(result.solution, Point)
    assert mip.evaluate(result.solution).feasible
    margin = 1e-6 * max(1.0, abs(best.objective))
    sign = 1 if mip.sense is Sense.MIN else -1
    assert sign * result.objective >= sign * best.objective - margin
    return result, best


@pytest.mark.parametrize("domain", [SEMICONTINUOUS, SEMIINTEGER])
@pytest.mark.parametrize("seed", range(3))
def test_semicontinuous_columns(domain: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    builder = MipBuilder("semi", sense=Sense.MIN)
    on = [builder.binary(f"b{i}", float(rng.integers(5, 20))) for i in range(12)]
    amount = [builder.column(f"s{i}", float(rng.integers(1, 6)), 3.0, 9.0, domain) for i in range(12)]
    for i in range(12):
        builder.row({amount[i]: 1.0, on[i]: 4.0}, lower=float(rng.integers(1, 4)))
    builder.row(dict.fromkeys(amount, 1.0), lower=20.5)
    builder.row(dict.fromkeys(on, 1.0), upper=7.0)
    mip = builder.build()
    result, _ = against_scip(mip)
    assert isinstance(result.solution, Point)
    amounts = result.solution.values[12:]
    assert ((np.abs(amounts) < 1e-6) | ((amounts > 3 - 1e-6) & (amounts < 9 + 1e-6))).all()
    assert result.steps


@pytest.mark.parametrize("seed", range(3))
def test_indicator_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    builder = MipBuilder("indicators", sense=Sense.MAX)
    switch = [builder.binary(f"b{i}", float(rng.integers(5, 20))) for i in range(6)]
    items = [builder.binary(f"x{i}", float(rng.integers(5, 20))) for i in range(20)]
    indicators = []
    for i, column in enumerate(switch):
        builder.row({c: float(rng.integers(1, 9)) for c in items}, upper=float(rng.integers(20, 50)))
        indicators.append(Indicator(row=i, column=column, active=True))
    builder.row({c: float(rng.integers(1, 9)) for c in items}, upper=60.0)
    mip = builder.build(indicators=tuple(indicators))
    result, _ = against_scip(mip)
    assert isinstance(result.solution, Point)
    values = result.solution.values
    for indicator in indicators:
        part = slice(mip.row_start[indicator.row], mip.row_start[indicator.row + 1])
        activity = mip.row_value[part] @ values[mip.row_column[part]]
        assert values[indicator.column] < 0.5 or activity <= mip.row_upper[indicator.row] + 1e-6
    assert len(result.steps) == 30


def assignment(n: int) -> Mip:
    """Equations only; its optimum is integral in the relaxation."""
    rng = np.random.default_rng(n)
    builder = MipBuilder("assignment")
    cell = {(i, j): builder.binary(f"x{i}_{j}", float(rng.integers(1, 50))) for i in range(n) for j in range(n)}
    for i in range(n):
        builder.row({cell[i, j]: 1.0 for j in range(n)}, 1.0, 1.0)
        builder.row({cell[j, i]: 1.0 for j in range(n)}, 1.0, 1.0)
    return builder.build()


def test_equations_only() -> None:
    mip = assignment(8)
    diagonal = np.eye(8).ravel()
    best = api.solve(mip, "scip", isolate=False, threads=1)
    result = solve(mip, start=Point(mip.columns, diagonal), iterations=30, seed=1,
                   options={"operators": RICH, "backends": "scip"})  # fmt: skip
    assert result.objective is not None
    assert best.objective is not None
    assert best.objective <= result.objective < mip.evaluate(Point(mip.columns, diagonal)).objective


def test_equations_that_leave_no_choice_end_the_search() -> None:
    builder = MipBuilder("forced", sense=Sense.MAX)
    pairs = [(builder.binary(f"a{i}", 1.0), builder.binary(f"b{i}", 2.0)) for i in range(4)]
    for a, b in pairs:
        builder.row({a: 1.0, b: 1.0}, 2.0, 2.0)
    mip = builder.build()
    start = Point(mip.columns, np.ones(8))
    result = solve(mip, start=start, iterations=50, options={"operators": "rins,rens,crossover", "backends": "scip"})
    assert result.objective == 12
    assert result.stopped_by in (StoppedBy.FINISHED, StoppedBy.PROOF, StoppedBy.ITERATIONS)
    assert not [step for step in result.steps if step["outcome"] == "best"]


def test_operators_without_a_neighbourhood_end_the_search_at_once() -> None:
    mip = multi_knapsack(n=25)
    start = Point(mip.columns, np.zeros(25))
    options = {"operators": "crossover,differences", "backends": "highs"}
    result = solve(mip, start=start, iterations=50, options=options)
    assert result.stopped_by is StoppedBy.FINISHED
    assert sorted(step["operator"] for step in result.steps) == ["crossover", "differences"]
    assert {step["ending"] for step in result.steps} == {"empty"}
    assert result.objective == 1000


@pytest.mark.parametrize("seed", range(3))
def test_general_integers_only(seed: int) -> None:
    rng = np.random.default_rng(seed)
    builder = MipBuilder("integers", sense=Sense.MAX, offset=7.0)
    columns = [builder.column(f"g{i}", float(rng.integers(3, 30)), -2.0, 9.0, INTEGER) for i in range(15)]
    for _ in range(4):
        builder.row({c: float(rng.integers(1, 20)) for c in columns}, upper=float(rng.integers(150, 300)))
    mip = builder.build()
    result, best = against_scip(mip, iterations=40)
    endings = {step["operator"]: {s["ending"] for s in result.steps if s["operator"] == step["operator"]}
               for step in result.steps}  # fmt: skip
    for name in ("local_branching", "proximity"):  # they count binaries
        assert endings.get(name, {"empty"}) == {"empty"}
    assert result.objective is not None
    assert best.objective is not None
    assert result.objective >= 0.9 * best.objective


def resident() -> float:
    """Megabytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("backend", ["scip", "highs"])
def test_memory_stays_flat(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 steps on a tiny program: SCIP models hang in reference cycles, so every one of them could stay."""
    mip = multi_knapsack(n=14, rows=3, seed=1)
    traced: dict[int, int] = {}
    held: dict[int, float] = {}
    counter = itertools.count(1)
    listen = Search._listen

    def watch(self: Search, *args: object) -> None:
        listen(self, *args)  # type: ignore[arg-type]
        number = next(counter)
        if number in (100, 300):
            gc.collect()
            traced[number], held[number] = tracemalloc.get_traced_memory()[0], resident()

    monkeypatch.setattr(Search, "_listen", watch)
    tracemalloc.start()
    try:
        options = {"operators": "mutation_50,differences,random_objective", "backends": backend}
        result = solve(mip, iterations=300, seed=1, time_limit=100.0, options=options)
    finally:
        tracemalloc.stop()
    assert len(result.steps) == 300
    assert traced[300] - traced[100] < 300_000  # the account of 200 steps among it
    assert held[300] - held[100] < 8
