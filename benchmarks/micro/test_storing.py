"""The file of a sweep, against SQLite alone with the same rows and settings."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.micro.conftest import Pair
from combopt import api
from combopt.bench.runs import InstanceRow, Key, Run, budget_text, canonical
from combopt.bench.store import Store
from combopt.bench.table import Table
from combopt.budget import Budget

INSTANCE = api.generate("knapsack", seed=1, n=100)
RESULT = api.solve(INSTANCE, "knapsack", isolate=False, threads=1)
ROW = InstanceRow.of(INSTANCE, "knapsack.txt")
COLUMNS = "instance, configuration, setting, seed, suite, host, started, seconds, status, stopped_by, objective"


def run(seed: int) -> Run:
    key = Key(
        instance=ROW.digest, solver="knapsack", version="1", options=canonical({}), seed=seed,
        budget=budget_text(Budget(time_limit=3)), machine="m",
    )  # fmt: skip
    return Run.of(key, "knapsack", RESULT, suite="s", host="h")


def bare(path: Path) -> sqlite3.Connection:
    """A database with one table of runs."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"CREATE TABLE run (id INTEGER PRIMARY KEY, {COLUMNS})")
    return connection


def test_add(pair: Pair, tmp_path: Path) -> None:
    """100 runs, a transaction each."""
    seeds, numbers = itertools.count(), itertools.count()
    store, connection = Store(tmp_path / "runs.db"), bare(tmp_path / "bare.db")
    marks = ", ".join("?" * len(COLUMNS.split(",")))

    def add() -> int:
        return sum(store.add(run(next(seeds)), ROW) for _ in range(100))

    def insert() -> int:
        done = 0
        for _ in range(100):
            connection.execute("BEGIN IMMEDIATE")
            row = (1, 1, 1, next(numbers), "s", "h", 0.0, 0.1, "optimal", "proof", 5)
            done += connection.execute(f"INSERT INTO run VALUES (NULL, {marks})", row).rowcount
            connection.execute("COMMIT")
        return done

    assert pair(add, insert, "sqlite3: BEGIN, INSERT, COMMIT") == (100, 100)
    store.close()
    connection.close()


@pytest.fixture(scope="session")
def sweep(folder: Path) -> Iterator[Store]:
    """2,000 runs with solution and trace."""
    with Store(folder / "sweep.db") as store:
        for seed in range(2000):
            store.add(run(seed), ROW)
        yield store


def test_runs(pair: Pair, sweep: Store) -> None:
    """500 runs as objects."""
    runs, rows = pair(
        lambda: list(sweep.runs("run.id <= 500")),
        lambda: sweep.connection.execute("SELECT * FROM run WHERE id <= 500").fetchall(),
        "sqlite3: SELECT * FROM run",
    )
    assert len(runs) == len(rows) == 500


def test_table(pair: Pair, sweep: Store) -> None:
    """2,000 runs as arrays, for the analysis."""

    def numpy() -> np.ndarray:
        rows = sweep.connection.execute("SELECT seed, seconds, objective, bound FROM run").fetchall()
        return np.array(rows, dtype=np.float64)

    loaded, array = pair(lambda: Table.load(sweep), numpy, "numpy.array of four columns")
    assert np.array_equal(loaded.objective, array[:, 2])
