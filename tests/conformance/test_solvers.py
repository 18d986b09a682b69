"""Every solver, on every kind it declares, against brute force; and the promises of its capabilities."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from combopt import api
from combopt.model import Instance, Number
from combopt.result import Result, Status
from combopt.solvers import auto
from combopt.solvers.base import Capability
from combopt.solvers.isolate import POOL
from tests.conformance.cases import FUZZ, installed_solvers, pairs, small

SOLVERS = dict(installed_solvers())
EXACT = [(s, k) for s, k in pairs() if Capability.PROOF in SOLVERS[s].info.capabilities]
HEURISTIC = [(s, k) for s, k in pairs() if Capability.PROOF not in SOLVERS[s].info.capabilities]


def solve(instance: Instance, name: str, limit: float, **options: object) -> Result:
    return api.solve(instance, name, isolate=False, time_limit=limit, threads=1, **options)  # type: ignore[arg-type]


def check(result: Result, instance: Instance, best: Number | None) -> None:
    """The result is consistent in itself and not better than the optimum."""
    if best is None:
        assert result.solution is None
        return
    if result.solution is not None:
        evaluation = instance.evaluate(result.solution)
        assert evaluation.feasible
        assert evaluation.objective == result.objective
        assert result.objective is not None
        assert not instance.sense.better(result.objective, best - 1e-6 if instance.sense == "min" else best + 1e-6)
    if result.bound is not None:
        assert not instance.sense.better(best, result.bound - 1e-6 if instance.sense == "min" else result.bound + 1e-6)
    assert not [m for m in result.messages if "infeasible solution" in m or "no solution" in m], result.messages


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "kind"), EXACT)
def test_exact_solvers_agree_with_brute_force(name: str, kind: str) -> None:
    count = FUZZ if kind != "mip" else 3  # mixed-integer programs have a differential test of their own
    through_view = kind not in SOLVERS[name].info.kinds
    tried = 0
    for number, instance, best in small(kind, count // 10 if through_view else count):
        if not SOLVERS[name].accepts(instance):
            continue
        tried += 1
        result = solve(instance, name, 20.0)
        context = f"{kind} #{number}: {result.to_json()}"
        if best is None:
            assert result.status is Status.INFEASIBLE, context
        else:
            assert result.status is Status.OPTIMAL, context
            assert result.objective == pytest.approx(best, rel=1e-9, abs=1e-6), context
        check(result, instance, best)
    assert tried > 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "kind"), HEURISTIC)
def test_heuristics_are_feasible_and_never_below_the_optimum(name: str, kind: str) -> None:
    deadline = time.monotonic() + 8.0
    tried = 0
    for _, instance, best in small(kind, 40, salt="heuristic"):
        if time.monotonic() > deadline:
            break
        if SOLVERS[name].accepts(instance):
            tried += 1
            check(solve(instance, name, 0.15), instance, best)
    assert tried > 0


@pytest.mark.parametrize(("name", "kind"), pairs())
def test_a_start_is_never_made_worse(name: str, kind: str) -> None:
    for _, instance, best in small(kind, 12, salt="start"):
        if best is None or not SOLVERS[name].accepts(instance):
            continue
        first = solve(instance, auto.choose(instance), 1.0)
        if first.solution is None:
            continue
        again = solve(instance, name, 0.3, start=first.solution)
        assert again.objective is not None
        assert first.objective is not None
        assert not instance.sense.better(first.objective, again.objective)
        return


@pytest.mark.parametrize(("name", "kind"), pairs())
def test_no_time_limit_is_needed(name: str, kind: str) -> None:
    for _, instance, best in small(kind, 3, salt="endless"):
        if best is None or not SOLVERS[name].accepts(instance):
            continue
        first = solve(instance, name, 0.5)
        if first.objective is not None:
            # isolated, so that a solver that cannot be interrupted ends as well
            result = api.solve(instance, name, time_limit=math.inf, target=float(first.objective), threads=1)
            assert result.objective is not None
            assert not instance.sense.better(first.objective, result.objective)


@pytest.mark.parametrize(("name", "kind"), pairs())
def test_the_time_limit_holds(name: str, kind: str) -> None:
    instance = api.generate(kind, seed=1, n=60)
    if not SOLVERS[name].accepts(instance):
        instance = next(i for _, i, _ in small(kind, 50) if SOLVERS[name].accepts(i))
    POOL.prepare()
    started = time.monotonic()
    result = api.solve(instance, name, time_limit=1.5, threads=1)
    assert time.monotonic() - started <= 1.5 + 0.5
    assert result.solution is None or instance.evaluate(result.solution).feasible


@pytest.mark.parametrize(("name", "kind"), [p for p in pairs() if Capability.SEED in SOLVERS[p[0]].info.capabilities])
def test_the_same_seed_gives_the_same_answer(name: str, kind: str) -> None:
    for _, instance, best in small(kind, 30, salt="seed"):
        if best is None or not SOLVERS[name].accepts(instance):
            continue
        one, two = (solve(instance, name, 20.0 if Capability.PROOF in SOLVERS[name].info.capabilities else 2.0,
                          seed=7, iterations=50) for _ in range(2))  # fmt: skip
        assert one.solution == two.solution
        return


@pytest.mark.parametrize("name", SOLVERS)
def test_the_declaration_is_complete(name: str) -> None:
    info = SOLVERS[name].info
    assert info.name == name
    assert info.title
    assert info.kinds
    assert info.licence


def test_options_in_text_reach_the_solver(tmp_path: Path) -> None:
    solver = api.make_solver("nearest_neighbour", {"first": "3"})
    assert solver.options() == {"first": 3}
