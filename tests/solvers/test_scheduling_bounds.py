"""Lower bounds for job shops."""

from __future__ import annotations

import csv
from itertools import permutations
from pathlib import Path

import numpy as np

from combopt import api
from combopt.instances.classic import ft06, ft10
from combopt.instances.scheduling import trivial_bound
from combopt.solvers.scheduling_bounds import lower_bound, preemptive
from tests.brute import fjsp as brute_fjsp
from tests.brute import jobshop as brute_jobshop


def _one_machine(heads: list[int], durations: list[int], tails: list[int]) -> int:
    """Optimum without preemption, by trying all orders."""
    best = None
    for order in permutations(range(len(heads))):
        time = latest = 0
        for k in order:
            time = max(time, heads[k]) + durations[k]
            latest = max(latest, time + tails[k])
        best = latest if best is None else min(best, latest)
    assert best is not None
    return best


def _subset_bound(heads: list[int], durations: list[int], tails: list[int]) -> int:
    """Carlier's formula for the preemptive optimum: the worst set of least head, work and least tail."""
    count = len(heads)
    sets = [[k for k in range(count) if bits >> k & 1] for bits in range(1, 2**count)]
    return max(min(heads[k] for k in s) + sum(durations[k] for k in s) + min(tails[k] for k in s) for s in sets)


def test_preemptive_one_machine_problem() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        count = int(rng.integers(1, 6))
        heads = np.sort(rng.integers(0, 20, size=count)).tolist()
        durations, tails = rng.integers(0, 9, size=(2, count)).tolist()
        found = preemptive(heads, durations, tails)
        assert found == _subset_bound(heads, durations, tails)
        assert found <= _one_machine(heads, durations, tails)


def test_never_above_the_optimum_nor_below_the_trivial_bound() -> None:
    for seed in range(100):
        for brute in (brute_jobshop, brute_fjsp):
            instance = brute.small(np.random.default_rng(seed))
            ops = instance.operations
            assert trivial_bound(ops) <= lower_bound(ops) <= brute.best(instance)


def test_published_values() -> None:
    # Carlier and Pinson (1989): 808 is the best one-machine bound of ft10
    assert (lower_bound(ft06().operations), lower_bound(ft10().operations)) == (52, 808)


def test_never_above_the_best_known(benchmark_files: Path) -> None:
    for kind in ("jssp", "fjsp"):
        for row in csv.DictReader((benchmark_files / kind / "MANIFEST.csv").read_text().splitlines()):
            if int(row["ops"]) <= 2000:
                instance = api.read(benchmark_files / kind / row["path"])
                assert lower_bound(instance.operations) <= int(row["UB"]), row["name"]  # type: ignore[attr-defined]
