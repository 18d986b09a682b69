"""Stores for the tests of the report: a small one of several kinds, made by hand, and large ones of random numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from combopt import api
from combopt.bench import origin
from combopt.bench.runs import Failure, InstanceRow, Key, Reference, Run, budget_text, canonical, pack
from combopt.bench.store import Store
from combopt.budget import Budget
from combopt.instances.scheduling import left_shifted
from combopt.instances.solutions import Routes, Tour
from combopt.model import Instance, Solution
from combopt.result import Status, StoppedBy, TracePoint

BUDGET = budget_text(Budget(time_limit=10.0))
MARKUP = "</script><img src=x onerror=alert(1)> & <b>name</b>"
MESSAGE = "</script><script>document.title='broken'</script> signal 11 & more"
BROKEN = "<i>broken</i>"
SIZES = {"tsp": 12, "cvrp": 10, "jobshop": 4, "mip": 8}


def solution(instance: Instance, rng: np.random.Generator) -> Solution | None:
    """A feasible solution of the kinds in ``SIZES``; ``None`` for a program, whose runs are made up."""
    if instance.kind == "tsp":
        return Tour(rng.permutation(SIZES["tsp"]))
    if instance.kind == "cvrp":
        return Routes(tuple((int(c),) for c in rng.permutation(SIZES["cvrp"]) + 1))
    if instance.kind == "jobshop":
        operations = instance.operations  # type: ignore[attr-defined]
        return left_shifted(operations, rng.permutation(len(operations)), operations.machine)
    return None


def mixed(path: Path, folder: Path) -> Store:
    """Runs of ``alpha`` and ``beta`` with seeds 0 and 1, and of a solver that dies, on one instance of each kind.

    ``folder`` gets the files of the instances; the program is named in markup, beats its reference, and has no file.
    """
    store = Store(path)
    for number, (kind, n) in enumerate(SIZES.items()):
        rng = np.random.default_rng(number)
        instance = api.generate(kind, seed=number, n=n)
        if kind == "mip":
            instance = replace(instance, name=MARKUP)  # type: ignore[type-var]
        file = folder / f"{kind}.json"
        file.write_text(json.dumps(instance.to_dict()))
        row = InstanceRow.of(instance, origin.file_origin(file))
        for label in ("alpha", "beta", BROKEN):
            for seed in range(1 if label == BROKEN else 2):
                store.add(_run(row, instance, label, seed, rng), row, _reference(kind))
    return store


def _reference(kind: str) -> Reference | None:
    return Reference(value=1000, proven=False, source="a table") if kind == "mip" else None


def _run(row: InstanceRow, instance: Instance, label: str, seed: int, rng: np.random.Generator) -> Run:
    key = Key(
        instance=row.digest, solver=label, version="1", options=canonical({}), seed=seed, budget=BUDGET, machine="m"
    )
    if label == BROKEN:
        return Run(key=key, label=label, seconds=0.5, started=1.7e9, failure=Failure.CRASH, messages=(MESSAGE,))
    found = solution(instance, rng)
    value = 990 + 20 * seed if found is None else instance.evaluate(found).objective
    steps = [(0.1 * 2**k, value + (8 - k) * 5) for k in range(7)]
    trace = tuple(TracePoint(at, objective, None) for at, objective in [*steps, (7.5, value)])
    return Run(
        key=key, label=label, suite="mixed", seconds=8.0 + seed, started=1.7e9, status=Status.FEASIBLE,
        stopped_by=StoppedBy.TIME, objective=value, trace=trace, solution=found,
    )  # fmt: skip


def synthetic(path: Path, instances: int, *, configurations: int = 5, seeds: int = 4, points: int = 20) -> Store:
    """A store of ``instances * configurations * seeds`` random runs; of a hundred five crashed, each with its message,
    and two found nothing."""
    rng = np.random.default_rng(0)
    store = Store(path)
    execute = store.connection.execute
    execute("BEGIN")
    execute("INSERT INTO setting VALUES (1, ?, 'm')", (BUDGET,))
    for c in range(configurations):
        execute("INSERT INTO configuration VALUES (?, ?, '1', '{}', ?)", (c + 1, f"solver{c}", f"solver{c}"))
    for i in range(instances):
        kind = ("tsp", "mip", "knapsack")[i % 3]
        row = (i + 1, f"{i * 7919:064x}"[::-1], f"{kind}-{i}", kind, "max" if kind == "knapsack" else "min")
        execute("INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, '[]', '')", (*row, json.dumps({"n": 10 + i})))
        best = float(rng.integers(10**5, 10**7))
        sign = -1 if kind == "knapsack" else 1
        for c in range(configurations):
            for seed in range(seeds):
                gaps = np.sort(rng.exponential(0.01 * (c + 1), points))[::-1]
                values = np.round(best * (1 + sign * gaps), 0 if kind != "mip" else 6)
                times = np.sort(rng.uniform(0.01, 9.9, points))
                rows = zip(times.tolist(), values.tolist(), [None] * points, strict=True)
                trace = pack(tuple(TracePoint(*row) for row in rows))
                fate = rng.random()
                crashed, found = fate < 0.05, fate >= 0.07
                execute(
                    "INSERT INTO run VALUES (NULL, ?, ?, 1, ?, 's', 'h', ?, ?, ?, ?, ?, NULL, 'exact', ?, ?, ?, NULL)",
                    (
                        i + 1, c + 1, seed, 1.7e9 + i, float(rng.uniform(1, 10)),
                        "feasible" if found else "unknown", "crash" if crashed else "time",
                        values[-1] if found else None, "crash" if crashed else "none",
                        json.dumps([f"died after {rng.uniform():.3f} s"] if crashed else []),
                        trace if found else b"",
                    ),
                )  # fmt: skip
    execute("COMMIT")
    return store
