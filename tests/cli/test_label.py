"""``combopt label``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from combopt import api
from combopt.cli import label, main
from combopt.cli.label_pool import workers
from combopt.errors import SolverError
from combopt.learned import labels
from combopt.learned.problems import find
from combopt.result import Result

CPU = torch.device("cpu")
QUICK = {"tsp": "held_karp", "atsp": "held_karp", "op": "greedy_prize", "cvrp": "savings"}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", QUICK)
def test_labels_of_every_kind(tmp_path: Path, capsys: Any, kind: str) -> None:
    command = ["label", kind, "--size", "7", "--count", "5", "--chunk", "3", "--seed", "2", "--jobs", "1", "-q"]
    command += ["--solver", QUICK[kind], "-t", "5", "-o", str(tmp_path / "made"), "--json"]
    assert main(command) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["chunks"], said["instances"], said["made"], said["solver"]) == (3, 9, 9, QUICK[kind])
    made = files(tmp_path / "made")
    assert set(made) == {f"{kind}7-{chunk}.npz" for chunk in (0, 20010, 20011)}
    problem = find(kind)
    found = labels.load(problem, labels.read_files(tmp_path / "made"), 7, CPU, held_out=False)
    held = labels.load(problem, labels.read_files(tmp_path / "made"), 7, CPU, held_out=True)
    assert found is not None
    assert held is not None
    assert (len(found), len(held)) == (6, 3)
    for chunk, part in ((20010, found.take(torch.arange(3))), (0, held)):
        for row, instance in enumerate(problem.chunk_instances(7, chunk, 3)):
            best = api.solve(instance, QUICK[kind], isolate=False, time_limit=5)
            codes = part.codes[row][part.codes[row] >= 0].numpy().astype(np.int64)
            judged = instance.evaluate(problem.solution(instance, codes))
            assert judged.feasible
            assert judged.objective == best.objective
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["made"] == 0
    assert files(tmp_path / "made") == made


def test_a_run_that_is_killed_goes_on(tmp_path: Path, capsys: Any) -> None:
    command = ["label", "tsp", "--size", "9", "--count", "200", "--chunk", "10", "--solver", "held_karp", "-t", "9"]
    folder = tmp_path / "killed"
    run = subprocess.Popen(
        [sys.executable, "-m", "combopt", *command, "--jobs", "2", "-o", str(folder)], stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while len(list(folder.glob("*.npz"))) < 2 and time.monotonic() < until:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    left = list(folder.glob("*.npz"))
    assert 2 <= len(left) < 21
    before = {path.name: path.stat().st_mtime_ns for path in left}
    assert main([*command, "--jobs", "1", "-o", str(folder), "-q", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == 10 * (21 - len(left))
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
    assert main([*command, "--jobs", "1", "-o", str(tmp_path / "whole"), "-q"]) == 0
    killed = {name: data for name, data in files(folder).items() if name.endswith(".npz")}
    assert killed == files(tmp_path / "whole")


def test_train_reads_what_label_writes(tmp_path: Path, capsys: Any) -> None:
    command = ["label", "op", "--size", "8", "--count", "12", "--chunk", "6", "-t", "0.05", "--jobs", "1"]
    assert main([*command, "-o", str(tmp_path / "labels")]) == 0
    said = capsys.readouterr()
    assert "18 instances of op, size 8, in 3 chunks of 6" in said.out
    assert "prize_search" in said.out
    assert "18/18 instances  100 %" in said.err
    train = ["train", "bq", "--problem", "op", "--size", "8", "--labels", str(tmp_path / "labels"), "--steps", "2"]
    train += ["--tokens", "256", "--device", "cpu", "--threads", "1", "-q", "-o", str(tmp_path / "run")]
    assert main(train) == 0
    assert (tmp_path / "run" / "bq-op-tiny.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["jobshop"], "no policy for 'jobshop'"),
        (["knapsack"], "no label files of knapsack"),
        (["tsp", "--solver", "concorde"], "'concorde' is not among the solvers"),
        (["tsp", "--solver", "hgs"], "hgs does not solve tsp"),
        (["tsp", "--set", "patience=3"], "no option 'patience'"),
        (["tsp", "--size", "2"], "--size 2"),
        (["tsp", "--count", "10000", "--chunk", "1"], "10000 chunks"),
        (["tsp", "--seed", "2000000000"], "seed 2000000000"),
    ],
)
def test_usage_errors(tmp_path: Path, capsys: Any, arguments: list[str], words: str) -> None:
    given = [arguments[0], "--size", "7", "--count", "5", *arguments[1:]]
    assert main(["label", *given, "-o", str(tmp_path / "made")]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert not (tmp_path / "made").exists()


def test_a_folder_with_other_files(tmp_path: Path, capsys: Any) -> None:
    command = ["label", "atsp", "--size", "5", "--count", "2", "--solver", "held_karp", "--jobs", "1", "-q"]
    assert main([*command, "-o", str(tmp_path)]) == 0
    assert main([*command, "-o", str(tmp_path), "--count", "4"]) == 3
    assert "chunks of 2 instances" in capsys.readouterr().err
    (tmp_path / "atsp5-10.npz").write_bytes(b"PK cut")
    assert main([*command, "-o", str(tmp_path)]) == 3
    assert "atsp5-10.npz" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main([*command, "-o", str(tmp_path / "file")]) == 2
    assert "cannot make" in capsys.readouterr().err


def work(**changes: Any) -> label.Work:
    given = {"kind": "tsp", "size": 9, "chunks": (10,), "count": 4, "solver": "held_karp", "options": {}}
    return label.Work(**{**given, "budget": {"time_limit": 1.1, "iterations": None, "threads": 1}, **changes})


def test_seeds_of_solvers_belong_to_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def solve(instance: Any, solver: str, **given: Any) -> Result:
        seeds.append(given["seed"])
        return real(instance, solver, **given)

    real = api.solve
    monkeypatch.setattr(api, "solve", solve)
    instances = tuple(find("tsp").chunk_instances(9, 10, 4))
    whole = label.solve_all(label.Task(work(), 10, 0, instances))
    part = label.solve_all(label.Task(work(), 10, 2, instances[2:]))
    assert seeds[:4] == [*seeds[:2], *seeds[4:]]
    assert len(set(seeds)) == 4
    assert isinstance(whole, list)
    assert isinstance(part, list)
    assert [s.to_dict() for s in whole[2:]] == [s.to_dict() for s in part]


def test_an_instance_without_a_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    instances = tuple(find("tsp").chunk_instances(9, 10, 1))
    assert "hgs cannot solve" in str(label.solve_all(label.Task(work(solver="hgs"), 10, 0, instances)))
    monkeypatch.setattr(api, "solve", lambda *given, **named: SimpleNamespace(solution=None))
    answer = label.solve_all(label.Task(work(), 10, 3, instances))
    assert answer == "chunk 10, instance 3: held_karp found no solution"
    told: Future[Any] = Future()
    told.set_result(answer)
    with pytest.raises(SolverError, match="found no solution"):
        label._collected([told])


def test_what_is_told_of_the_solver() -> None:
    options = {"patient": "true", "candidates": "alpha"}
    told = label.described(work(solver="fast_tsp", options=options))
    assert told.startswith("fast_tsp ")
    assert told.endswith(", candidates=alpha, patient=true, 1 s")
    endless = {"time_limit": float("inf"), "iterations": 7, "threads": 1}
    assert label.described(work(budget=endless)).endswith(", 7 iterations")
    assert label.described(work(solver="auto")) == "auto, 1 s"
    assert label.batch(work(count=100)) == 1
    assert label.batch(work(count=100, budget={"time_limit": 0.1})) == 10


def test_dead_workers_are_told_of() -> None:
    with pytest.raises(SolverError, match="worker process died"), workers(1) as submit:
        submit(os._exit, 3).result()


def test_no_kind_is_without_its_teacher() -> None:
    for kind, (solver, seconds) in label.TEACHERS.items():
        assert kind in api.make_solver(solver).info.kinds
        assert 0 < seconds <= 1
        assert [instance.kind for instance in find(kind).chunk_instances(6, 3, 2)] == [kind, kind]
