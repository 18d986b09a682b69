"""The child process of a solve: deadlines hold, crashes cost nothing, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from combopt import api
from combopt.errors import SolverError, UsageError
from combopt.result import Result, Status, StoppedBy
from combopt.solvers.isolate import POOL
from tests.solvers.fakes import BAD, GOOD, FromStart, Script, Silent, five_points, tour

GRACE = 0.5


def run(act: str, limit: float = 10.0, **options: object) -> Result:
    return api.solve(five_points(), Script(act=act), time_limit=limit, **options)  # type: ignore[arg-type]


def children() -> set[int]:
    """Processes that any thread of this one has started."""
    return {int(p) for task in Path("/proc/self/task").iterdir() for p in (task / "children").read_text().split()}


def test_every_event_passes_the_gate() -> None:
    result = run("finish")
    assert result.solution == tour(GOOD)
    assert (result.objective, result.status, result.stopped_by) == (40, Status.FEASIBLE, StoppedBy.FINISHED)
    assert [point.objective for point in result.trace] == [48, 40]


def test_a_proof_is_optimal() -> None:
    result = run("prove")
    assert (result.status, result.stopped_by, result.bound, result.gap) == (Status.OPTIMAL, StoppedBy.PROOF, 40, 0.0)


@pytest.mark.parametrize("act", ["hang", "sleep", "sigstop", "obey"])
def test_the_limit_holds_and_the_incumbent_is_kept(act: str) -> None:
    POOL.prepare()
    started = time.monotonic()
    result = run(act, limit=1.0)
    assert time.monotonic() - started < 1.0 + GRACE
    assert result.objective == (40 if act == "obey" else 48)
    assert result.stopped_by is StoppedBy.TIME
    assert result.status is Status.FEASIBLE


@pytest.mark.parametrize("act", ["sigkill", "sigsegv", "sigabrt", "exit"])
def test_a_crash_keeps_the_incumbent(act: str) -> None:
    result = run(act)
    assert result.objective == 48
    assert result.stopped_by is StoppedBy.CRASH
    assert any("died" in message for message in result.messages)
    assert result.exit_code == 0


def test_a_crash_without_an_incumbent_has_its_own_exit_code() -> None:
    result = api.solve(five_points(), Silent(act="sigkill"), time_limit=10)
    assert (result.status, result.stopped_by, result.exit_code) == (Status.UNKNOWN, StoppedBy.CRASH, 5)


def test_an_exception_with_an_incumbent_is_a_message() -> None:
    result = run("explode")
    assert (result.objective, result.stopped_by) == (48, StoppedBy.CRASH)
    assert any("ZeroDivisionError" in message for message in result.messages)


@pytest.mark.parametrize(("act", "words"), [("explode", "ZeroDivisionError"), ("refuse", "gave up")])
def test_an_exception_without_an_incumbent_reaches_the_caller(act: str, words: str) -> None:
    with pytest.raises(SolverError, match=words):
        api.solve(five_points(), Silent(act=act), time_limit=10)


def test_infeasible_solutions_and_false_bounds_are_dropped() -> None:
    result = run("lie")
    assert result.objective == 40
    assert result.bound is None
    assert result.status is Status.FEASIBLE
    assert sum("infeasible" in message for message in result.messages) == 2
    assert any("contradicts" in message for message in result.messages)


def test_memory_over_the_limit_ends_the_child() -> None:
    result = run("eat", limit=30, memory=400)
    assert (result.objective, result.stopped_by) == (48, StoppedBy.MEMORY)
    assert result.seconds < 20


def test_a_target_stops_the_solver() -> None:
    result = run("sleep", target=50.0)
    assert (result.objective, result.stopped_by) == (48, StoppedBy.TARGET)
    assert result.seconds < 3


def test_an_interrupt_that_fails_costs_neither_the_run_nor_the_next_one() -> None:
    POOL.clear()
    for _ in range(2):  # in the same child
        result = api.solve(five_points(), Script("fail_to_stop"), time_limit=20.0, target=1000.0)
        assert result.stopped_by is StoppedBy.TARGET
        assert result.seconds < 10.0
    assert len(POOL._idle) == 1


def test_a_good_start_is_never_lost() -> None:
    result = api.solve(five_points(), Script(act="sigkill"), start=tour(GOOD), time_limit=10)
    assert result.objective == 40


def test_an_infeasible_start_is_reported_and_passed_over() -> None:
    result = api.solve(five_points(), Script(), start=tour([0, 0]), time_limit=10)
    assert result.objective == 40
    assert any("the start" in message for message in result.messages)


def test_the_start_reaches_the_solver() -> None:
    assert api.solve(five_points(), FromStart(), start=tour(BAD), time_limit=10).objective == 48


def test_an_exception_of_the_callback_reaches_the_caller() -> None:
    def report(progress: object) -> None:
        raise KeyError("mine")

    before = children()
    with pytest.raises(KeyError, match="mine"):
        run("sleep", report=report)
    assert children() <= before


def test_output_of_the_solver_stays_out_of_the_way(capfd: pytest.CaptureFixture[str]) -> None:
    run("shout")
    assert capfd.readouterr() == ("", "")


def test_children_are_reused() -> None:
    run("finish")
    first = children()
    assert first
    for _ in range(3):
        run("finish")
    assert children() == first


def test_a_reused_child_works_where_its_parent_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("finish")
    first = children()
    for folder in (tmp_path, tmp_path / "deeper"):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        assert str(folder) in run("locate").messages
    assert children() == first
    (tmp_path / "deeper").rmdir()
    assert run("finish").objective == 40


def test_a_class_of_the_main_script_is_refused() -> None:
    class Local(Script):
        pass

    Local.__module__ = "__main__"
    with pytest.raises(UsageError, match="main script"):
        api.solve(five_points(), Local(), time_limit=10)


def test_a_child_outlives_the_thread_it_was_started_from() -> None:
    POOL.clear()
    thread = threading.Thread(target=lambda: run("finish"))
    thread.start()
    thread.join()
    time.sleep(0.2)
    first = children()
    assert first
    assert run("finish").objective == 40
    assert children() == first


def test_solve_works_in_a_thread() -> None:
    found: list[Result] = []
    threads = [threading.Thread(target=lambda: found.append(run("finish"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.objective for result in found] == [40] * 4


@pytest.mark.parametrize("isolate", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_returns_the_best(number: int, isolate: bool) -> None:
    threading.Timer(0.7, os.kill, (os.getpid(), number)).start()
    started = time.monotonic()
    result = run("obey", limit=20, isolate=isolate)
    assert time.monotonic() - started < 0.7 + 1.0
    assert (result.stopped_by, result.objective) == (StoppedBy.INTERRUPT, 40)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_fifty_crashes_leave_nothing_behind(tmp_path: Path) -> None:
    run("finish")
    POOL.clear()
    before = len(children()), len(os.listdir("/proc/self/fd")), threading.active_count()
    for number in range(50):
        act = ("sigkill", "sigsegv", "sigabrt")[number % 3]
        assert run(act).objective == 48
    POOL.clear()
    after = len(children()), len(os.listdir("/proc/self/fd")), threading.active_count()
    assert all(now <= then for now, then in zip(after, before, strict=True)), (before, after)


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, signal, threading, time\n"
        "from combopt import api\n"
        "from combopt.solvers.isolate import POOL\n"
        "from tests.solvers.fakes import Script, five_points\n"
        "POOL.prepare(); print(POOL._idle[0].process.pid, flush=True)\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        "api.solve(five_points(), Script(act='hang'), time_limit=50)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert parent.returncode == -signal.SIGKILL
    child = int(parent.stdout)
    for _ in range(50):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.05)
    pytest.fail("the child outlived its parent")
