"""``combopt bench`` from the arguments to the exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from combopt import api
from combopt.bench.execute import Task, key_of
from combopt.bench.lock import only_driver
from combopt.bench.runner import Progress
from combopt.bench.runs import Failure, InstanceRow, Run
from combopt.bench.store import Store
from combopt.cli import bench, main
from combopt.cli.sweep_progress import SweepDisplay, clock, line
from combopt.errors import CombOptError, UsageError
from combopt.result import Status
from tests.bench.sweeps import Here, wait_for

BOTH = ["--solvers", "knapsack,dantzig"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three small instances, beside which the tests run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    for seed in range(3):
        api.write(api.generate("knapsack", seed=seed, n=10), tmp_path / "set" / f"k{seed}.json")
    return tmp_path / "set"


def made_up(task: Task) -> tuple[Run, InstanceRow]:
    """A run without a solver: dantzig fails, knapsack brings its seed."""
    instance = api.read(json.loads(task.origin)["path"])
    row = InstanceRow.of(instance, task.origin)
    run = Run(key=key_of(task, row.digest), label=task.configuration.label, suite=task.suite)
    if task.configuration.solver == "dantzig":
        return replace(run, failure=Failure.ERROR, messages=("no",)), row
    return replace(run, objective=task.seed, status=Status.FEASIBLE), row


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Here:
    """Runs are made up in this process instead of being carried out."""
    here = Here(made_up)

    @contextmanager
    def executor(*arguments: object) -> Iterator[Here]:
        yield here

    monkeypatch.setattr(bench, "executor", executor)
    return here


def count(path: str | Path) -> int:
    try:
        with Store(path, readonly=True) as store:
            return store.count()
    except CombOptError:
        return 0  # not made yet, or being made


# --- from end to end -----------------------------------------------------------------------------------------------


def test_a_sweep_and_the_same_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "set", *BOTH, "--seeds", "2", "-t", "5", "--jobs", "1"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    rows = [row.split() for row in out.splitlines()]
    assert rows[0] == ["solver", "runs", "failed", "optimal", "mean", "gap"]
    assert rows[1] == ["knapsack", "6", "0", "6", "0.000", "%"]
    assert rows[2][:3] == ["dantzig", "6", "0"]
    assert "12 runs in 0:00:0" in out
    assert "runs: set.db; combopt report set.db --html makes a report" in out
    assert "12/12 runs  100 %" in err
    with Store("set.db", readonly=True) as store:
        for run in store.runs("c.solver = 'knapsack'"):
            path = next(p for p in folder.iterdir() if api.read(p).digest() == run.key.instance)
            best = api.solve(path, "knapsack", isolate=False).objective
            assert (run.objective, run.status, run.suite) == (best, Status.OPTIMAL, "set")
            assert json.loads(run.key.budget)["threads"] == 1
    assert main([*command, "-q", "--json"]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert err == ""
    assert [data[key] for key in ("schema", "suite", "file", "total", "held", "ran", "failed", "interrupted")] == [
        "combopt.sweep/1", "set", "set.db", 12, 12, 0, 0, None,
    ]  # fmt: skip
    assert [entry["label"] for entry in data["configurations"]] == ["knapsack", "dantzig"]
    assert main(["report", "set.db", "--markdown"]) == 0
    assert "| knapsack |" in Path("set.md").read_text()
    assert main(["compare", "set.db#knapsack", "set.db#dantzig", "--metric", "objective"]) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_sweep_says_how_to_go_on(number: signal.Signals, code: int, tmp_path: Path) -> None:
    api.write(api.generate("tsp", seed=1, n=300), tmp_path / "big.tsp")
    command = [sys.executable, "-m", "combopt", "bench", "set", "big.tsp", "--solver", "dantzig", "--solver",
               "fast_tsp", "-t", "30", "--jobs", "1", "--json", "-o", "out.db"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: count("out.db") == 7)  # dantzig takes no tour, fast_tsp no knapsack; the last runs
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert count("out.db") == 7
    assert [json.loads(out)[key] for key in ("total", "ran", "failed", "interrupted")] == [8, 7, 4, number]
    assert "interrupted; 1 runs are left, the same command goes on with them" in err
    assert "Traceback" not in err


def test_a_suite_in_toml(tmp_path: Path, quick: Here, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "My suite"\nseeds = [4, 7]\n[budget]\ntime_limit = 3\n'
        '[[instances]]\nfiles = "set/*.json"\n[[solvers]]\nsolver = "knapsack"\n'
    )
    assert main(["bench", "mine.toml", "-t", "9", "--memory", "500", "--machine", "box"]) == 0
    assert len(quick.given) == 6
    with Store("My-suite.db", readonly=True) as store:
        keys = [run.key for run in store.runs()]
    assert [key.seed for key in keys] == [4, 7] * 3
    assert {key.machine for key in keys} == {"box"}
    budget = json.loads(keys[0].budget)
    assert (budget["time_limit"], budget["threads"], budget["memory"]) == (9.0, 1, 500)


def test_a_dry_run_counts_and_leaves_nothing(quick: Here, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "set", "--solver", "knapsack", "--seeds", "2", "-t", "10", "--jobs", "2"]
    assert main([*command, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "6, of which 0 are in set.db and 6 are to be done" in out
    assert "at most about 0:00:30 with 2 at a time" in out
    assert not list(Path().glob("*.db*"))
    assert main([*command, "-q"]) == 0
    assert main(["bench", "set", *BOTH, "--seeds", "2", "-t", "10", "--dry-run", "--json"]) == 0
    data = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (data["total"], data["held"]) == (12, 6)


def test_shards_go_to_files_of_their_own_and_are_merged(quick: Here, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "set", *BOTH, "--seeds", "2", "-q"]
    for part in ("1/3", "2/3", "3/3"):
        assert main([*command, "-o", "part.db", "--shard", part]) == 0
    parts = [f"part.{n}-of-3.db" for n in (1, 2, 3)]
    assert [count(path) for path in parts] == [4, 4, 4]
    assert main([*command, "-o", "whole.db"]) == 0
    capsys.readouterr()
    assert main(["bench", "--merge", "all.db", *parts]) == 0
    assert capsys.readouterr().out == "12 runs added to all.db, 12 in all\n"
    assert main(["bench", "--merge", "all.db", *parts, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 0
    with Store("all.db", readonly=True) as all_, Store("whole.db", readonly=True) as whole:
        assert {run.key: run for run in all_.runs()} == {run.key: run for run in whole.runs()}
    assert main([*command, "-o", "all.db", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["held"] == 12


def test_failed_runs_stand_until_they_are_to_be_retried(quick: Here, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "set", *BOTH, "--json", "-q"]
    assert main(command) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["ran"], data["failed"]) == (6, 3)
    assert {row["label"]: row["failed"] for row in data["configurations"]} == {"knapsack": 0, "dantzig": 3}
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["ran"] == 0
    assert main([*command, "--retry-failed"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["ran"], data["held"], data["failed"]) == (3, 3, 3)


# --- arguments -----------------------------------------------------------------------------------------------------


def test_solvers_and_their_options() -> None:
    made = bench.configurations(
        ["scip", "external:solve -a {instance},[x]"], ["knapsack[states=7],dantzig", "or_opt[neighbours=5,reach=9]"],
        ["or_opt.segment=3", "or_opt.reach=1"],
    )  # fmt: skip
    assert [(c.solver, c.options) for c in made] == [
        ("scip", {}),
        ("external", {"command": "solve -a {instance},[x]"}),
        ("knapsack", {"states": 7}),
        ("dantzig", {}),
        ("or_opt", {"neighbours": 5, "reach": 9, "segment": 3}),  # what the brackets say goes first
    ]
    assert made[4].label == "or_opt[neighbours=5,reach=9,segment=3]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set", "--solver", "nobody"], "'nobody' is not among the solvers"),
        (["set", "--solver", "knapsack[states]"], "'states' in --solver"),
        (["set", "--solver", "knapsack[x=1]"], "has no option 'x'"),
        (["set", "--set", "knapsack.states=1"], "is not among the solvers of the command line"),
        (["set", "--solver", "knapsack", "--set", "states=1"], "expected: NAME.KEY=VALUE"),
        (["set", "--solver", "knapsack,dantzig", "--solver", "dantzig"], "not among the solvers"),
        ([], "nothing to run"),
        (["--merge", "a.db"], "nothing to merge"),
        (["--merge", "a.db", "b.db"], "there is no file b.db"),
        (["set", "--gap", "-1"], "gap = -1"),
        (["set", "suite.toml"], "suite.toml"),
        (["nowhere"], "no such suite, folder or file"),
        (["set", "-o", "set"], "it is a folder"),
        (["set", "-o", "no/runs.db"], "cannot write no/runs.db.lock"),
        (["set", "-o", "set/k0.json"], "no file of runs"),
    ],
)
def test_errors_are_told_before_anything_runs(
    arguments: list[str], words: str, quick: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) in (2, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert not quick.given


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/", "-1/2"])
def test_shards_that_are_none(shard: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", "set", "--shard", shard])
    assert caught.value.code == 2


def test_a_second_driver_is_refused(quick: Here, capsys: pytest.CaptureFixture[str]) -> None:
    with only_driver(Path("set.db")):
        assert main(["bench", "set"]) == 2
    assert "another combopt bench is writing set.db" in capsys.readouterr().err
    assert main(["bench", "set", "--solver", "knapsack", "-q"]) == 0


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["bench", "set", "--ray", "auto"]) == 2
    assert "combopt[cluster]" in capsys.readouterr().err


def test_two_suites_at_once_are_refused(tmp_path: Path, quick: Here) -> None:
    text = '[[instances]]\nfiles = "set/*.json"\n'
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(text)
    assert main(["bench", "a.toml", "b.toml"]) == 2
    with pytest.raises(UsageError, match="a suite beside other arguments"):
        bench.read_suite(_parsed(["a.toml", "set"]))
    assert bench.read_suite(_parsed(["set", "set/k0.json", "set/k1.json"])).count() == 5


def _parsed(arguments: list[str]) -> object:
    from combopt.cli.parser import make_parser

    return make_parser().parse_args(["bench", *arguments])


# --- progress ------------------------------------------------------------------------------------------------------


def progress(seconds: float, ran: int, left: float | None = 50.0) -> Progress:
    return Progress(total=40, held=10, ran=ran, failed=2, running=(), seconds=seconds, left=left)


def test_the_state_in_a_line() -> None:
    assert line(progress(3725, 10)) == "20/40 runs  50 %  2 failed  elapsed 1:02:05  left about 0:00:50"
    assert line(progress(1, 0, None)) == "10/40 runs  25 %  2 failed  elapsed 0:00:01"
    assert clock(86400 + 61.6) == "1 day, 0:01:02"


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with SweepDisplay(quiet=False) as display:
        for second in range(25):
            display(progress(second, second))
    lines = capsys.readouterr().err.splitlines()
    assert [text.split()[0] for text in lines] == ["20/40", "30/40", "34/40"]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with SweepDisplay(quiet=True) as display:
        for second in range(25):
            display(progress(second, second))
    assert capsys.readouterr() == ("", "")
