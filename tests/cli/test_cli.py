"""The command line: what goes where, exit codes, and nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import combopt
from combopt import api
from combopt.cli import main
from combopt.result import Result
from tests.solvers.fakes import BAD, GOOD, five_points, tour


@pytest.fixture
def five(tmp_path: Path) -> Path:
    path = tmp_path / "five.tsp"
    combopt.write(five_points(), path)
    return path


def solve(*arguments: object) -> int:
    return main(["solve", "--solver", "nearest_neighbour", *map(str, arguments)])


def test_solve_prints_the_final_block_on_stdout(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve(five) == 0
    out, err = capsys.readouterr()
    for words in ("status      feasible, stopped by finished", "objective   40 (min)", "gap         -", "checked"):
        assert words in out
    assert "incumbent" in err
    assert "incumbent" not in out


def test_quiet_says_nothing_on_stderr(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(five, "-q")
    assert capsys.readouterr().err == ""


def test_json_is_one_result(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve(five, "--json") == 0
    text = capsys.readouterr().out
    assert Result.from_json(text).objective == 40
    data = json.loads(text)
    for key in (
        "schema", "instance", "status", "stopped_by", "objective", "bound", "gap", "sense", "violations", "seconds",
        "solver", "version", "seed", "threads", "solution", "trace", "messages",
    ):  # fmt: skip
        assert key in data
    assert set(data["instance"]) >= {"name", "kind", "sha256", "size"}


def test_several_files(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.tsp"
    other.write_text(five.read_text())
    assert solve(five, other, "-o", tmp_path / "best.tour", "--json") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert {p.name for p in tmp_path.glob("*.tour")} == {"best-five.tour", "best-other.tour"}


def test_solution_is_written_and_checked(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solution = tmp_path / "five.tour"
    assert solve(five, "-o", solution) == 0
    assert main(["check", str(five), str(solution)]) == 0
    assert "objective   40" in capsys.readouterr().out


def test_a_wrong_solution_fails_the_check(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solution = tmp_path / "five.tour"
    solution.write_text("TYPE : TOUR\nTOUR_SECTION\n1\n2\n3\n3\n-1\n")
    assert main(["check", str(five), str(solution), "--json"]) == 6
    data = json.loads(capsys.readouterr().out)
    assert data["feasible"] is False
    assert len(data["violations"]) == 3


def test_a_false_claim_fails_the_check(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solution = tmp_path / "five.tour"
    combopt.write_solution(tour(GOOD), five_points(), solution)
    solution.write_text(solution.read_text().replace("= 40", "= 39"))
    assert main(["check", str(five), str(solution)]) == 6
    assert "WRONG" in capsys.readouterr().out


def test_bad_input_is_one_error_with_its_line(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    five.write_text(five.read_text().replace("10 0", "10 x"))
    assert solve(five) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{five}:" in err
    assert "[E113]" in err
    assert "Traceback" not in err


def test_an_error_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve(tmp_path / "missing.tsp", "--json") == 3
    assert json.loads(capsys.readouterr().out)["code"] == "E101"


@pytest.mark.parametrize(
    "arguments",
    [["--solver", "nobody"], ["--set", "nonsense"], ["--set", "x=1"], ["--format", "nothing"],
     ["-o", "/nowhere/a.tour"], ["-o", "a.unknown"], ["--problem", "knapsack"], ["--start", "/nowhere/a.tour"]],
)  # fmt: skip
def test_usage_errors(arguments: list[str], five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert solve(five, *arguments) in (2, 3)
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["-t", "0"], ["-t", "x"], ["--seed", "-1"], ["--threads", "0"], ["--nope"]])
def test_arguments_are_checked_by_the_parser(arguments: list[str], five: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        solve(five, *arguments)
    assert caught.value.code == 2


def test_the_start_is_kept(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = tmp_path / "start.tour"
    combopt.write_solution(tour(BAD), five_points(), start)
    assert solve(five, "--start", start, "--json") == 0
    assert json.loads(capsys.readouterr().out)["trace"][0][1] == 48


def test_a_picture(five: Path, tmp_path: Path) -> None:
    picture = tmp_path / "five.png"
    assert solve(five, "--plot", picture) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_info(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(five), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["kind"], data["size"], data["format"]) == ("tsp", {"nodes": 5}, "tsplib")
    assert "fast_tsp" in data["solvers"]


def test_convert(five: Path, tmp_path: Path) -> None:
    assert main(["convert", str(five), str(tmp_path / "five.json")]) == 0
    assert combopt.read(tmp_path / "five.json").digest() == five_points().digest()


def test_generate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", "tsp", "-n", "6", "--count", "3", "--seed", "4", "-o", str(tmp_path)]
    assert main([*arguments, "--set", "family=clustered"]) == 0
    paths = capsys.readouterr().out.splitlines()
    assert len(paths) == len(set(paths)) == 3
    assert combopt.read(paths[1]) == api.generate("tsp", seed=5, n=6, family="clustered")


@pytest.mark.parametrize("what", ["solvers", "problems", "formats", "auto"])
def test_lists(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 3
    assert main(["list", what]) == 0


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "exit codes" in capsys.readouterr().out


def _start(five: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "combopt", "solve", str(five), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_writes_the_best_answer(number: int, code: int, tmp_path: Path) -> None:
    path, solution = tmp_path / "big.tsp", tmp_path / "big.tour"
    instance = api.generate("tsp", seed=1, n=300)
    combopt.write(instance, path)
    process = _start(path, "--solver", "fast_tsp", "-t", "30", "-o", solution, "-v")
    assert process.stderr is not None
    for line in process.stderr:
        if "s  " in line and line.split()[1] != "-":
            break
    process.send_signal(number)
    sent = time.monotonic()
    out, _ = process.communicate(timeout=20)
    assert time.monotonic() - sent < 1.5
    assert process.returncode == code
    assert "stopped by interrupt" in out
    assert api.check(instance, solution).ok


def test_output_into_a_closed_pipe_is_no_error(five: Path) -> None:
    command = f"{sys.executable} -m combopt list formats | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert "Traceback" not in run.stderr


def test_an_unwritable_folder_does_not_lose_the_answer(five: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        target = "/proc/best.tour"
    else:
        (tmp_path / "locked").mkdir(mode=0o555)
        target = str(tmp_path / "locked" / "best.tour")
    process = _start(five, "--solver", "nearest_neighbour", "-o", target)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert '"type": "tour"' in err


def test_a_second_signal_acts_as_usual(tmp_path: Path) -> None:
    path = tmp_path / "big.vrp"
    combopt.write(api.generate("cvrp", seed=1, n=100), path)
    process = _start(path, "--solver", "hgs", "-t", "30", "-v")
    assert process.stderr is not None
    for line in process.stderr:
        if "s  " in line and line.split()[1] != "-":
            break
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            os.kill(int(child), signal.SIGSTOP)  # so that it takes its time to stop
    while process.poll() is None:  # one after another: two that wait together count as one
        process.send_signal(signal.SIGTERM)
        time.sleep(0.005)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_answer_does_not_change_the_exit_code(number: signal.Signals) -> None:
    late = f"import atexit, os; atexit.register(lambda: os.kill(os.getpid(), {int(number)}))"
    code = f"import sys; sys.argv = ['combopt', 'list', 'auto']; {late}; from combopt.__main__ import run; run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "tsp" in done.stdout
