"""One run: whatever is asked for and whatever happens, it ends in a record with the key that was told before."""

from __future__ import annotations

import hashlib
import json
import pickle

import pytest

import combopt
from combopt import api
from combopt.bench import execute as module
from combopt.bench import origin
from combopt.bench.execute import Memory, Task, execute, key_of, lost, machine_name
from combopt.bench.runs import Configuration, Failure
from combopt.budget import Budget
from combopt.errors import InputError, UsageError
from combopt.result import Status, StoppedBy

KNAPSACK = origin.generated_origin("knapsack", 3, {"n": 12})
BUDGET = Budget(time_limit=20, threads=1)


def task(text: str = KNAPSACK, solver: str = "dantzig", budget: Budget = BUDGET, **options: object) -> Task:
    return Task(text, Configuration(solver=solver, options=options), 5, budget, "m", "s")


def test_a_run_is_that_of_a_plain_solve():
    run, row = execute(pickle.loads(pickle.dumps(task(solver="knapsack"))))
    instance = api.generate("knapsack", seed=3, n=12)
    result = api.solve(instance, "knapsack", seed=5, threads=1)
    assert (run.status, run.objective, run.bound) == (Status.OPTIMAL, result.objective, result.bound)
    assert (run.label, run.suite, run.failure, run.messages) == ("knapsack", "s", Failure.NONE, ())
    assert run.solution == result.solution
    assert run.seconds > 0
    assert run.host
    assert (row.digest, row.name, row.kind, row.sense) == (instance.digest(), "knapsack-12-s3", "knapsack", "max")
    assert (row.size, row.origin) == ({"items": 12}, KNAPSACK)


def test_the_key_is_known_before_the_run():
    digest = api.generate("knapsack", seed=3, n=12).digest()
    for one in (task(), task(solver="knapsack", states=1000), task(solver="auto")):
        run, _ = execute(one)
        assert run.key == key_of(one, digest)
    key = key_of(task(solver="knapsack"), digest)
    assert json.loads(key.options) == {"states": 20_000_000}, "options that were left out belong to the key"
    assert key == key_of(task(solver="knapsack", states=20_000_000), digest)
    assert key == key_of(task(solver="knapsack", budget=Budget(time_limit=20.0, gap=0, threads=1)), digest)
    assert key != key_of(task(solver="knapsack", budget=Budget(time_limit=21, threads=1)), digest)
    assert (key.seed, key.machine, key.version) == (5, "m", combopt.__version__)
    assert key_of(task(solver="auto"), digest).version == combopt.__version__


def test_the_seed_of_the_task_counts_not_that_of_the_budget(monkeypatch):
    seen = []
    real = module.api.solve
    monkeypatch.setattr(module.api, "solve", lambda *a, **k: seen.append(k) or real(*a, **k))
    execute(task(budget=Budget(time_limit=20, threads=1, seed=99, memory=5000)))
    assert (seen[0]["seed"], seen[0]["memory"], seen[0]["time_limit"], seen[0]["threads"]) == (5, 5000, 20, 1)


def test_auto_says_whom_it_took():
    run, _ = execute(task(solver="auto"))
    assert run.messages == (f"auto took knapsack {combopt.__version__}",)
    assert run.key.solver == "auto"


def test_a_solver_that_refuses():
    run, row = execute(task(solver="dsatur"))
    assert (run.failure, run.status, run.objective) == (Failure.UNSUPPORTED, Status.UNKNOWN, None)
    assert "it solves coloring, not knapsack" in run.messages[0]
    assert row.kind == "knapsack"


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError("something odd"), "ValueError: something odd"), (UsageError("E201", "not so"), "not so")],
)
def test_a_solver_that_fails(monkeypatch, error, text):
    def fail(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(module.api, "solve", fail)
    run, row = execute(task())
    assert (run.failure, run.status) == (Failure.ERROR, Status.UNKNOWN)
    assert text in run.messages[0]
    assert run.key == key_of(task(), row.digest)


def test_a_solver_that_is_not_here():
    run, _ = execute(task(solver="no_such_solver"))
    assert (run.failure, run.key.version) == (Failure.ERROR, "not installed")
    run, _ = execute(task(wrong_option=1))
    assert run.failure is Failure.ERROR
    assert "no option 'wrong_option'" in run.messages[0]


def test_a_file_that_cannot_be_read(tmp_path):
    bad = tmp_path / "bad.tsp"
    bad.write_text("DIMENSION : x\n")
    text = origin.file_origin(bad)
    run, row = execute(task(text))
    digest = "unreadable:" + hashlib.sha256(text.encode()).hexdigest()
    assert (run.failure, run.key.instance) == (Failure.ERROR, digest)
    assert (row.digest, row.name, row.kind, row.origin) == (digest, "bad", "unknown", text)
    assert "bad.tsp" in run.messages[0]


def test_a_lost_run():
    run, row = lost(task(), None, "killed twice")
    assert (run.failure, run.messages, row.name) == (Failure.LOST, ("killed twice",), "knapsack-12-s3")
    assert run.key.instance == row.digest == module.unread(KNAPSACK).digest
    run, row = lost(task(), "abc")
    assert run.key.instance == row.digest == "abc"
    assert run.stopped_by is StoppedBy.CRASH


def test_the_last_instance_is_kept(monkeypatch):
    loads = []
    real = origin.load
    monkeypatch.setattr(origin, "load", lambda text: loads.append(text) or real(text))
    memory, other = Memory(), origin.generated_origin("knapsack", 4, {"n": 12})
    for text in (KNAPSACK, KNAPSACK, other, KNAPSACK):
        execute(task(text), memory)
    assert loads == [KNAPSACK, other, KNAPSACK]


def test_the_machine_is_the_same_for_all_hosts_of_its_kind(monkeypatch):
    name = machine_name()
    assert f"{Budget().cores} cores" in name
    monkeypatch.setattr(module.platform, "node", lambda: "elsewhere")
    assert machine_name() == name
    assert "elsewhere" not in name


def test_origins_of_files(tmp_path):
    path = tmp_path / "five.tsp"
    instance = api.generate("tsp", n=5)
    api.write(instance, path)
    text = origin.file_origin(path, kind="tsp", lenient=False)
    data = json.loads(text)
    assert data == {
        "path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "options": {"kind": "tsp"}
    }  # fmt: skip
    assert origin.load(text) == instance
    assert origin.name(text) == "five"
    with path.open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match="has changed"):
        origin.load(text)
    assert origin.file_origin(path, kind="tsp") != text
    path.unlink()
    with pytest.raises(InputError, match="cannot open"):
        origin.load(text)


def test_origins_of_one_instance_of_many(tmp_path):
    path = tmp_path / "two.txt"
    path.write_text("2\n a\n 10 3 2\n5\n5\n5\n b\n 10 2 1\n5\n5\n")
    one, two = (origin.file_origin(path, select=k, kind="binpacking") for k in ("1", "2"))
    assert [origin.name(text) for text in (one, two)] == ["two#1", "two#2"]
    assert [origin.load(text).size()["items"] for text in (one, two)] == [3, 2]


def test_origins_of_generated_instances():
    text = origin.generated_origin("mis", 7, {"n": 20, "density": 0.5, "family": "erdos-renyi"})
    instance = origin.load(text)
    assert instance.digest() == api.generate("mis", seed=7, n=20, density=0.5).digest()
    assert instance.name == origin.name(text) == "mis-erdos-renyi-20-density=0.5-s7"
    with pytest.raises(InputError, match=r"generated by combopt 0\.0\.0"):
        origin.load(text.replace(combopt.__version__, "0.0.0"))
