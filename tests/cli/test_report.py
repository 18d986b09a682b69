"""``combopt report`` and ``combopt compare``, called with their arguments."""

from __future__ import annotations

import argparse
import csv
import json
import os
from pathlib import Path

import pytest

from combopt.bench.runs import Failure
from combopt.cli.report import compare_command, report_command, verdict
from combopt.errors import InputError, UsageError
from tests.bench.tables import Sweep, random_sweep


def report(*runs: Path, **given: object) -> argparse.Namespace:
    flags = {"html": None, "markdown": None, "latex": None, "csv": None, "json": False, "title": None}
    return argparse.Namespace(runs=[str(path) for path in runs], **{**flags, **given})


def comparison(a: object, b: object, **given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"a": str(a), "b": str(b), "metric": "gap", "seed": 0, "json": False, **given})


@pytest.fixture
def runs(tmp_path):
    return random_sweep(tmp_path / "runs.db", 1).store()


def test_without_flags_a_table_on_stdout(runs, capsys):
    assert report_command(report(runs)) == 0
    out, err = capsys.readouterr()
    assert out.startswith("All instances\nconfiguration")
    assert "54 runs of 3 configurations on 6 instances." in out
    assert err == ""


def test_files_lie_beside_the_runs_by_default(runs, capsys):
    assert report_command(report(runs, markdown="", latex="", csv="", title="My sweep")) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.rpartition("/")[2] for line in err.splitlines()] == ["runs.md", "runs.tex", "runs.csv"]
    assert runs.with_suffix(".md").read_text().startswith("# My sweep\n")
    assert "\\toprule" in runs.with_suffix(".tex").read_text()
    with open(runs.with_suffix(".csv"), newline="") as file:
        assert len(list(csv.DictReader(file))) == 54
    assert sorted(p.name for p in runs.parent.iterdir() if p.name.startswith(".")) == []


def test_files_can_be_named_and_json_printed(runs, tmp_path, capsys):
    assert report_command(report(runs, markdown=str(tmp_path / "page.txt"), json=True)) == 0
    assert (tmp_path / "page.txt").read_text().startswith("# runs\n")
    assert json.loads(capsys.readouterr().out)["title"] == "runs"


def test_html_is_written_from_the_same_analysis(runs):
    assert report_command(report(runs, html="", title="Sweep <1>")) == 0
    page = runs.with_suffix(".html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "<title>Sweep &lt;1&gt;" in page


def test_several_files_of_runs_are_merged(runs, tmp_path, capsys):
    other = Sweep(tmp_path / "more.db").run("elsewhere", "d", 5).store()
    assert report_command(report(runs, runs, other)) == 0
    assert "55 runs of 4 configurations on 7 instances." in capsys.readouterr().out


def test_what_cannot_be_reported_is_refused(runs, tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        report_command(report(tmp_path / "none.db"))
    with pytest.raises(UsageError, match="no folder"):
        report_command(report(runs, csv=str(tmp_path / "no" / "x.csv")))
    with pytest.raises(UsageError, match="the file of runs itself"):
        report_command(report(runs, markdown=str(runs)))
    with pytest.raises(UsageError, match="there are no runs"):
        report_command(report(Sweep(tmp_path / "empty.db").store()))
    (tmp_path / "text.db").write_text("nothing\n" * 50)
    with pytest.raises(InputError, match="no file of runs"):
        report_command(report(tmp_path / "text.db"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        report_command(report(runs, csv=str(tmp_path / "folder.csv")))


def test_csv_goes_into_a_pipe(runs, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = os.fork()
    if child == 0:  # the reader
        with open(pipe) as file:
            lines = len(file.readlines())
        os._exit(lines)
    assert report_command(report(runs, csv=str(pipe))) == 0
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 55
    assert pipe.is_fifo()


def two(tmp_path: Path) -> tuple[Path, Path]:
    a, b = Sweep(tmp_path / "a.db"), Sweep(tmp_path / "b.db")
    for k in range(8):
        a.on(f"i{k}", 100).run(f"i{k}", "s", 125 + k)
        b.on(f"i{k}", 100).run(f"i{k}", "s", 101 + k)
    return a.store(), b.store()


def test_comparison_as_text(tmp_path, capsys):
    a, b = two(tmp_path)
    assert compare_command(comparison(a, b)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"A          s of {a}"
    assert "paired     8 runs of 8 instances; only in A 0, only in B 0" in lines
    assert "B          wins 8, ties 0, loses 0; p = 0.0078" in lines  # 2 / 2^8
    assert "verdict    B is better" in lines
    assert "failed     A 0, B 0" in lines
    assert "better     i0: 0.2 -> 0.00990099" in lines
    assert compare_command(comparison(b, a)) == 0
    assert "verdict    B is worse" in capsys.readouterr().out


def test_comparison_as_json(tmp_path, capsys):
    a, b = two(tmp_path)
    assert compare_command(comparison(a, b, json=True, metric="objective")) == 0
    data = json.loads(capsys.readouterr().out)
    (row,) = data["comparisons"]
    assert data["schema"] == "combopt.compare/1"
    assert row["score"] == {"wins": 8, "ties": 0, "losses": 0}
    assert row["ratio"]["low"] <= row["ratio"]["value"] <= row["ratio"]["high"] < 1
    assert row["mean_a"] == "nan"
    assert row["improvements"][0]["instance"] == "i0"


def test_labels_are_picked_with_a_hash(runs, capsys):
    assert compare_command(comparison(f"{runs}#a", f"{runs}#b")) == 0
    assert capsys.readouterr().out.startswith(f"A          a of {runs}\nB          b of {runs}\n")
    with pytest.raises(UsageError, match="which runs to compare"):
        compare_command(comparison(runs, runs))
    with pytest.raises(UsageError, match="no runs of 'z'"):
        compare_command(comparison(f"{runs}#z", f"{runs}#b"))


def test_new_failures_are_named_and_spoil_the_verdict(tmp_path, capsys):
    a, b = Sweep(tmp_path / "a.db"), Sweep(tmp_path / "b.db")
    for k in range(8):
        a.run(f"i{k}", "s", 125)
        b.run(f"i{k}", "s", None if k == 7 else 100, failure=Failure.LOST if k == 7 else Failure.NONE)
    assert compare_command(comparison(a.store(), b.store(), metric="objective")) == 0
    out = capsys.readouterr().out
    assert "  only B   i7, seed 0: lost" in out
    assert "worse      i7: 125 -> - (1 without answer)" in out
    assert "verdict    B is better where it has an answer, but fails more often" in out


def test_one_instance_is_too_few(tmp_path, capsys):
    a, b = Sweep(tmp_path / "a.db").run("x", "s", 5), Sweep(tmp_path / "b.db").run("x", "s", 4)
    assert compare_command(comparison(a.store(), b.store())) == 0
    assert "too few instances to tell" in capsys.readouterr().out
    assert callable(verdict)
