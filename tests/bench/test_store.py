"""The file of a sweep: what is written is read back, once."""

from __future__ import annotations

import sqlite3

import pytest

from combopt import api
from combopt.bench.runs import Configuration, Failure, InstanceRow, Key, Reference, Run, budget_text, canonical
from combopt.bench.store import Store
from combopt.budget import Budget
from combopt.errors import InputError, UsageError

INSTANCE = api.generate("knapsack", seed=1, n=12)
RESULT = api.solve(INSTANCE, "knapsack", isolate=False, threads=1)


def run(seed: int = 0) -> Run:
    key = Key(
        instance=INSTANCE.digest(), solver="knapsack", version="1", options=canonical({}), seed=seed,
        budget=budget_text(Budget(time_limit=3)), machine="m",
    )  # fmt: skip
    return Run.of(key, "knapsack", RESULT, suite="s", host="h", started=7.0)


ROW = InstanceRow.of(INSTANCE, "here")


def test_a_run_is_read_back_as_it_was_written(tmp_path):
    with Store(tmp_path / "runs.db") as store:
        assert not store.has(run().key)
        assert store.add(run(), ROW, Reference(value=5, proven=True, source="me"))
        assert store.has(run().key)
        assert not store.has(run(1).key)
    with Store(tmp_path / "runs.db", readonly=True) as store:
        assert list(store.runs()) == [run()]
        assert list(store.instances()) == [(ROW, Reference(value=5, proven=True, source="me"))]
        assert store.digest("here") == ROW.digest
        assert store.digest("there") is None
    assert RESULT.trace
    assert run().solution == RESULT.solution


def test_an_instance_file_that_was_moved_is_known(tmp_path):
    here, there, other = (canonical({"path": path, "sha256": sha}) for path, sha in (("/a", 1), ("/b", 1), ("/a", 2)))
    with Store(tmp_path / "runs.db") as store:
        store.add(run(), InstanceRow.of(INSTANCE, here))
        assert store.digest(there) == INSTANCE.digest()
        assert store.digest(other) is None
        assert next(store.instances())[0].origin == here


def test_a_key_is_written_once(tmp_path):
    with Store(tmp_path / "runs.db") as store:
        assert store.add(run(), ROW)
        assert not store.add(run(), ROW)
        assert store.count() == 1


def test_merging_doubles_nothing(tmp_path):
    with Store(tmp_path / "a.db") as a, Store(tmp_path / "b.db") as b:
        a.add(run(0), ROW)
        b.add(run(0), ROW)
        b.add(run(1), ROW, Reference(value=9))
        assert a.merge(b) == 1
        assert a.merge(b) == 0
        assert [r.key.seed for r in a.runs()] == [0, 1]
        assert next(a.instances())[1] == Reference(value=9)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("no database\n" * 100)
    with pytest.raises(InputError, match="no file of runs"):
        Store(tmp_path / "text")
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE t (x)")
    with pytest.raises(InputError, match="no file of runs"):
        Store(tmp_path / "other.db")
    with pytest.raises(UsageError, match="there is no file"):
        Store(tmp_path / "none.db", readonly=True)
    with pytest.raises(UsageError, match="cannot open"):
        Store(tmp_path / "no" / "folder.db")


def test_huge_integers_survive(tmp_path):
    big = Run(key=run().key, label="x", objective=3**50, bound=2**70, failure=Failure.WRONG)
    with Store(tmp_path / "runs.db") as store:
        store.add(big, ROW)
        assert next(store.runs()) == big


def test_a_label_names_solver_and_options():
    assert Configuration(solver="scip").label == "scip"
    assert Configuration(solver="scip", options={"b": 1, "a": 2}).label == "scip[a=2,b=1]"
