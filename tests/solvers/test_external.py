"""Outside programs: what they write is read and checked, and nothing of them is left behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from combopt import api, registry
from combopt.errors import SolverError, UnsupportedError, UsageError
from combopt.model import Instance
from combopt.result import Result, Status, StoppedBy
from combopt.solvers import auto
from combopt.solvers.external import External
from tests.solvers.fakes import BAD, GOOD, five_points

PYTHON = f"{shlex.quote(sys.executable)} -I -S"


def tour(order: list[int]) -> str:
    return "TYPE : TOUR\nDIMENSION : 5\nTOUR_SECTION\n" + "\n".join(str(v + 1) for v in order) + "\n-1\nEOF\n"


def program(folder: Path, code: str) -> str:
    """A command that runs Python code, in which ``instance`` and ``solution`` are paths and ``put`` writes a file."""
    script = folder / "program.py"
    script.write_text(
        "import os, pathlib, signal, subprocess, sys, time\n"
        "instance, solution, *more = sys.argv[1:]\n"
        "put = lambda text: pathlib.Path(solution).write_text(text)\n"
        f"good, bad = {tour(GOOD)!r}, {tour(BAD)!r}\n{code}\n"
    )
    return f"{PYTHON} {script} {{instance}} {{solution}}"


def solve(command: str, limit: float = 10.0, instance: Instance | None = None, **more: object) -> Result:
    return api.solve(instance or five_points(), f"external:{command}", time_limit=limit, threads=1, **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(holds, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_the_solution_is_read_and_checked(tmp_path):
    result = solve(program(tmp_path, "assert 'EUC_2D' in open(instance).read()\nput(good)"))
    assert (result.status, result.objective, result.stopped_by) == (Status.FEASIBLE, 40, StoppedBy.FINISHED)
    assert result.solver == "external"
    assert result.messages == ()


def test_improvements_are_handed_over_while_it_runs(tmp_path):
    seen = []
    code = "put(bad)\nwhile not os.path.exists(more[0]): time.sleep(0.01)\nput(good)"
    mark = tmp_path / "mark"

    def report(progress) -> None:
        seen.append(progress.objective)
        mark.touch()  # the program goes on only after its first solution has come through

    result = solve(f"{program(tmp_path, code)} {mark}", limit=60.0, report=report)
    assert seen == [five_points().evaluate(api.Solution.from_dict({"type": "tour", "order": BAD})).objective, 40]
    assert [point.objective for point in result.trace] == seen


def test_half_a_file_is_no_error_until_the_end(tmp_path):
    result = solve(program(tmp_path, "put(good[:40])\ntime.sleep(0.6)\nput(good)"))
    assert result.objective == 40
    assert result.messages == ()
    result = solve(program(tmp_path, "put(good[:40])"))
    assert result.status is Status.UNKNOWN
    assert "no solution of the program was read: " in result.messages[0]
    assert "line" in result.messages[0]


def test_an_infeasible_answer_is_rejected(tmp_path):
    result = solve(program(tmp_path, "put(good.replace('3\\n', '2\\n', 1))"))
    assert (result.solution, result.rejected) == (None, 1)


def test_the_solution_may_be_printed(tmp_path):
    (tmp_path / "p.py").write_text(f"import sys\nprint('noise', file=sys.stderr)\nprint({tour(GOOD)!r})")
    assert solve(f"{PYTHON} {tmp_path}/p.py {{instance}}").objective == 40


def test_the_words_of_the_command(tmp_path):
    code = "pathlib.Path(more[-1]).write_text(' '.join(more[:-1]))\nput(good)"
    options = "{seed} {threads} {seconds:.0f} '{{a b}}' " + str(tmp_path / "out")
    solve(f"{program(tmp_path, code)} {options}", limit=50.4, seed=7)
    *start, seconds, first, second = (tmp_path / "out").read_text().split()
    assert [*start, first, second] == ["7", "1", "{a", "b}"]
    assert 1 <= int(seconds) <= 50, "what is left of the limit, as a whole number"


def test_it_runs_in_a_folder_of_its_own_and_finds_the_files_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program(tmp_path, "open('junk', 'w').close()\nopen(more[0], 'w').write(os.getcwd())\nput(good)")
    solver = External(command=f"{PYTHON} program.py {{instance}} {{solution}} {tmp_path}/where")
    result = api.solve(five_points(), solver, isolate=False, time_limit=10.0)
    assert result.objective == 40
    folder = Path((tmp_path / "where").read_text())
    assert folder.name.startswith("combopt-external-")
    assert not folder.exists()
    assert not (tmp_path / "junk").exists()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("print('out of luck', file=sys.stderr)\nsys.exit(3)", "exit code 3: out of luck"),
        ("print('I said so')\nsys.exit(4)", "exit code 4: I said so"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    ],
)
def test_a_failure_is_told(tmp_path, code, text):
    with pytest.raises(SolverError, match=text):
        solve(program(tmp_path, code))
    result = solve(program(tmp_path, "put(good)\n" + code))
    assert result.objective == 40
    assert text in result.messages[0]


def test_no_answer_and_no_program():
    result = solve(f"{PYTHON} -c pass {{instance}} {{solution}}")
    assert result.status is Status.UNKNOWN
    assert result.messages == ("no solution of the program was read: it wrote none",)
    with pytest.raises(UsageError, match="there is no program 'no-such-program-here'") as caught:
        solve("no-such-program-here {instance} {solution}")
    assert caught.value.code == "E203"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("x {solution}", "does not name {instance}"),
        ("x {instance} {time}", "KeyError: 'time'"),
        ("x {instance} {", "ValueError"),
        ("x '{instance}", "No closing quotation"),
        ("x {instance} {seconds:d}", "ValueError"),
        ("x {instance} {}", "IndexError"),
        ("x {instance.y}", "AttributeError"),
    ],
)
def test_commands_that_are_refused(command, text):
    with pytest.raises(UsageError, match=text):
        api.make_solver(f"external:{command}")


def test_options_that_are_refused():
    with pytest.raises(UnsupportedError, match="no command is given"):
        api.solve(five_points(), "external")
    with pytest.raises(UsageError, match="not among the formats"):
        External(command="x {instance}", instance_format="nothing")
    with pytest.raises(UnsupportedError, match="no format of that name writes tsp"):
        api.solve(five_points(), External(command="x {instance}", instance_format="mps"))
    with pytest.raises(UnsupportedError, match="routes files do not hold"):
        api.solve(five_points(), External(command="x {instance}", solution_format="routes"))


def test_auto_never_takes_it():
    for kind in registry.PROBLEMS.names():
        instance = api.generate(kind, n=8)
        assert auto.choose(instance) != "external"
        assert "external" not in auto.able(instance)
        assert External(command="x {instance}").accepts(instance)


@pytest.mark.parametrize("kind", registry.PROBLEMS.names())
def test_every_kind_can_be_written_and_read(kind, tmp_path):
    """A program that answers with the solution of another solver, in the field's format."""
    instance = api.generate(kind, n=8, seed=3)
    known = api.solve(instance, isolate=False, time_limit=5.0, threads=1, gap=0.99, iterations=20)
    form = External(command="x {instance}")._written(instance)
    assert form.write is not None
    assert known.solution is not None
    answer = tmp_path / f"answer{form.extensions[0]}"
    answer.write_text(form.write(known.solution, instance))
    result = api.solve(instance, f"external:sh -c 'cat {answer}' {{instance}}", isolate=False, time_limit=10.0)
    assert result.objective == pytest.approx(known.objective)


def test_formats_by_name(tmp_path):
    code = "assert instance.endswith('.json') and solution.endswith('.json')\n"
    code += """put('{"type": "tour", "order": [0, 1, 2, 3, 4]}')"""
    command = program(tmp_path, code)
    options = {"instance_format": "json", "solution_format": "json", "command": command}
    result = api.solve(five_points(), "external", options=options, isolate=False, time_limit=10.0)
    assert result.objective == 40


SLEEPS = """
put(good)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], process_group=0)
pathlib.Path(more[0] + '.new').write_text(f'{os.getpid()} {child.pid} {os.getcwd()}')
os.rename(more[0] + '.new', more[0])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""


def left(mark: Path) -> tuple[list[int], Path]:
    first, second, folder = mark.read_text().split()
    return [int(first), int(second)], Path(folder)


def test_at_the_time_limit_it_is_ended_with_all_it_started(tmp_path):
    result = solve(f"{program(tmp_path, SLEEPS)} {tmp_path}/mark", limit=5.0)
    assert (result.objective, result.stopped_by) == (40, StoppedBy.TIME)
    pids, folder = left(tmp_path / "mark")
    assert wait_for(lambda: not any(alive(pid) for pid in pids))
    assert wait_for(lambda: not folder.exists())


def test_at_the_target_it_is_ended(tmp_path):
    result = solve(f"{program(tmp_path, SLEEPS)} {tmp_path}/mark", limit=60.0, target=40)
    assert (result.objective, result.stopped_by) == (40, StoppedBy.TARGET)
    pids, folder = left(tmp_path / "mark")
    assert wait_for(lambda: not any(alive(pid) for pid in pids))
    assert wait_for(lambda: not folder.exists())


def children(pid: int) -> list[int]:
    """The children of a process, whichever of its threads started them."""
    found = [(task / "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [int(child) for some in found for child in some]


@pytest.mark.parametrize("victim", ["group", "child", "parent"])
def test_whoever_is_killed_nothing_survives(tmp_path, victim):
    """Kill the process that solves, alone or with its group, or the process that asked for it."""
    (tmp_path / "ask.py").write_text(
        "import sys\nfrom combopt import api\nfrom tests.solvers.fakes import five_points\n"
        "api.solve(five_points(), 'external:' + sys.argv[1], time_limit=100.0)\n"
    )
    command = f"{program(tmp_path, SLEEPS)} {tmp_path}/mark"
    root = Path(__file__).parent.parent.parent
    asking = subprocess.Popen(
        [sys.executable, tmp_path / "ask.py", command], env={**os.environ, "PYTHONPATH": str(root)}
    )
    try:
        assert wait_for((tmp_path / "mark").exists, 60.0)
        pids, folder = left(tmp_path / "mark")
        assert all(alive(pid) for pid in pids)
        assert folder.exists()
        if victim == "parent":
            asking.kill()
        else:
            (child,) = children(asking.pid)
            (os.killpg if victim == "group" else os.kill)(child, signal.SIGKILL)
        assert wait_for(lambda: not any(alive(pid) for pid in pids))
        assert wait_for(lambda: not folder.exists())
    finally:
        asking.kill()
        asking.wait()


def test_too_much_memory(tmp_path):
    code = "put(good)\ntime.sleep(0.5)\nhoard = bytearray(400 << 20)\ntime.sleep(60)"
    result = solve(program(tmp_path, code), limit=30.0, memory=300)
    assert (result.objective, result.stopped_by) == (40, StoppedBy.MEMORY)
