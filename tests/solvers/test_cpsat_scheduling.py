"""CP-SAT on job shops, alone and after tabu search."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.classic import ft06
from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.solutions import Schedule
from combopt.solvers.cpsat import scheduling
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop


@pytest.mark.parametrize("brute", [brute_jobshop, brute_fjsp], ids=["jobshop", "fjsp"])
def test_proves_the_optimum_of_tiny_instances(brute: object) -> None:
    for seed in range(40):
        instance = brute.small(np.random.default_rng(1000 + seed))  # type: ignore[attr-defined]
        found = api.solve(instance, "cpsat", isolate=False, threads=1)
        assert (found.status, found.objective) == ("optimal", brute.best(instance)), seed  # type: ignore[attr-defined]
        assert found.messages == ()


@pytest.mark.parametrize("solver", ["cpsat", "job_hybrid"])
def test_proves_ft06(solver: str) -> None:
    found = api.solve(ft06(), solver, isolate=False, threads=1)
    assert (found.status, found.objective, found.bound) == ("optimal", 55, 55)


def test_a_start_is_used_whatever_it_is() -> None:
    best = api.solve(ft06(), "cpsat", isolate=False, threads=1).solution
    assert isinstance(best, Schedule)
    late = Schedule(tuple(tuple(t + 100 for t in row) for row in best.start), best.machine)
    clash = Schedule(((0,) * 6,) * 6, best.machine)
    other = Schedule(((0,),), ((0,),))
    for start in (best, late, clash, other):
        found = api.solve(ft06(), "cpsat", isolate=False, threads=1, start=start)
        assert (found.status, found.objective) == ("optimal", 55)


def test_schedules_are_left_shifted() -> None:
    shop = JobShop(machine=np.array([[0, 1], [0, 1]]), duration=np.array([[3, 9], [2, 1]]))
    found = api.solve(shop, "cpsat", isolate=False, threads=1).solution
    assert isinstance(found, Schedule)
    assert min(row[0] for row in found.start) == 0


def test_large_instances_are_refused_with_a_reason() -> None:
    shop = JobShop.generate(np.random.default_rng(0), n=1000, m=201)
    assert "201000" in str(scheduling.refuses(shop))
    assert scheduling.refuses(Fjsp.generate(np.random.default_rng(0))) is None


@pytest.mark.parametrize(("name", "optimum"), [("la01", 666), ("la16", 945)])
def test_benchmark_instances(benchmark_files: Path, name: str, optimum: int) -> None:
    rows = csv.DictReader((benchmark_files / "jssp" / "MANIFEST.csv").read_text().splitlines())
    path = next((row["path"] for row in rows if row["name"] == name), None)
    if path is None:
        pytest.skip(f"{name} is not among the files")
    found = api.solve(benchmark_files / "jssp" / path, "job_hybrid", time_limit=60)
    assert (found.status, found.objective) == ("optimal", optimum)
