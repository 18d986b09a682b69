"""The micro benchmarks run, and their ratios are compared as documented.  No test looks at how long anything takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.micro.ratios import (
    FILE,
    PAGE,
    REPEATS,
    TOLERANCE,
    Row,
    Stored,
    Timing,
    Verdict,
    document,
    judge,
    slower,
    typical,
)

ROOT = Path(__file__).parents[2]
QUICK = "selection"
"""A benchmark of less than a millisecond a round."""


def pytest_of(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of the benchmarks in a process of its own, which knows nothing of the workers of this one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, "-m", "benchmarks.micro", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=100)


def timing(ratio: float, against: str = "numpy") -> Timing:
    return Timing(against, 2.0 * ratio, 2.0)


def test_every_benchmark_runs():
    run = pytest_of("--benchmark-disable", "-k", "0]")
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\d\d passed", run.stdout), run.stdout
    assert "skipped" not in run.stdout
    assert "| name |" not in run.stdout  # nothing was measured


def test_every_benchmark_has_a_stored_ratio():
    run = pytest_of("--collect-only")
    found = re.findall(r"test_(\w+)\.py::test_(\w+)\[(\d)\]", run.stdout)
    assert [repeat for _, _, repeat in found] == sorted(repeat for _, _, repeat in found)  # all once, then all again
    names = {f"{module}/{name}" for module, name, _ in found}
    assert len(found) == REPEATS * len(names)
    assert set(Stored.load(FILE).timings) == names


@pytest.mark.parametrize(
    ("stored", "code", "verdict"), [(1e-9, 1, "SLOWER"), (1e9, 0, "faster"), (None, 0, "new")], ids=str
)
def test_the_exit_code_tells_a_regression(tmp_path, stored, code, verdict):
    path, name = tmp_path / "ratios.json", f"evaluating/{QUICK}"
    before = {} if stored is None else {name: timing(stored, "numpy: a mask over the edges")}
    Stored(before).save(path)
    run = pytest_of("-k", QUICK, "--ratios", str(path))
    assert run.returncode == code, run.stdout + run.stderr
    (line,) = (line for line in run.stdout.splitlines() if line.startswith(f"| {name} |"))
    assert line.endswith(f"| {verdict} |")
    assert (f"times as slow as in {path}: {name}" in run.stdout) == (code == 1)
    assert Stored.load(path).timings == before


def test_update_writes_what_was_measured_and_keeps_the_rest(tmp_path):
    path = tmp_path / "ratios.json"
    Stored({"other": timing(3.0), f"evaluating/{QUICK}": timing(1e-9)}, tolerance=1.7).save(path)
    run = pytest_of("-k", QUICK, "--update", "--ratios", str(path))
    assert run.returncode == 0, run.stdout + run.stderr
    after = Stored.load(path)
    assert after.tolerance == 1.7
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", after.date)
    assert after.machine
    assert after.timings["other"] == timing(3.0)
    measured = after.timings[f"evaluating/{QUICK}"]
    assert measured.against == "numpy: a mask over the edges"
    assert 1e-3 < measured.ratio < 1e3  # of the two functions, not of nothing


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "ratios.json"
    path.write_text('{"schema": "combopt.runs/1"}')
    run = pytest_of("-k", QUICK, "--ratios", str(path))
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is no file of ratios" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_median_repeat_counts():
    fast, middle, slow = timing(1.0), timing(2.0), timing(90.0)
    assert typical([slow, fast, middle]) is middle
    assert typical([slow, slow, fast]) is slow  # two of three
    assert typical([fast, slow, fast]) is fast  # one of three
    assert typical([fast, slow]) is slow
    assert typical([middle]) is middle


def test_verdicts():
    assert judge(1.49, 1.0, 1.5) is Verdict.SAME
    assert judge(1.51, 1.0, 1.5) is Verdict.SLOWER
    assert judge(1.51, 1.0, 1.6) is Verdict.SAME
    assert judge(0.67, 1.0, 1.5) is Verdict.SAME
    assert judge(0.66, 1.0, 1.5) is Verdict.FASTER
    assert judge(100.0, None, 1.5) is Verdict.NEW


def test_only_the_same_things_are_compared():
    stored = Stored({"a": timing(1.0), "b": timing(1.0), "gone": timing(1.0)})
    rows = stored.compare({"a": timing(2.0), "b": timing(2.0, "another baseline"), "c": timing(2.0)})
    assert [(row.name, row.stored, row.verdict) for row in rows] == [
        ("a", 1.0, Verdict.SLOWER), ("b", None, Verdict.NEW), ("c", None, Verdict.NEW),
    ]  # fmt: skip
    assert slower(rows) == ["a"]
    assert rows[0].cells() == ("a", "numpy", 4000.0, 2000.0, 2.0, 1.0, "SLOWER")
    assert rows[1].cells()[-2:] == ("-", "new")
    assert len(Row.HEADER) == len(rows[0].cells())


def test_the_file_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "ratios.json"
    assert Stored.load(path) == Stored({}, TOLERANCE)
    stored = Stored({"b": timing(0.125), "a": Timing("x", 0.3, 0.7)}, 2.0, "a machine", "2026-01-02")
    stored.save(path)
    assert Stored.load(path) == stored
    data = json.loads(path.read_text())
    assert list(data["ratios"]) == ["a", "b"]
    assert data["ratios"]["b"]["ratio"] == 0.125
    assert (data["machine"], data["date"], data["tolerance"]) == ("a machine", "2026-01-02", 2.0)


def test_the_documentation_gets_the_table(tmp_path):
    page = tmp_path / "speed.md"
    page.write_text("# Speed\n\ntext\n\n## Ratios\n\nold\n")
    document(page, Stored({"b": timing(0.125), "a": Timing("x", 0.0003, 0.0007)}, 2.0, "a machine", "2026-01-02"))
    assert page.read_text().splitlines() == [
        "# Speed", "", "text", "", "## Ratios", "",
        "Stored on 2026-01-02 (a machine), times in milliseconds.", "",
        "| name | against | combopt | baseline | ratio |", "| --- | --- | --- | --- | --- |",
        "| `a` | x | 0.3 | 0.7 | 0.429 |", "| `b` | numpy | 250 | 2e+03 | 0.125 |",
    ]  # fmt: skip
    page.write_text("# Speed\n")
    with pytest.raises(ValueError, match="no heading"):
        document(page, Stored({}))


def test_the_documentation_shows_what_is_stored():
    assert PAGE.read_text(encoding="utf-8").endswith(Stored.load(FILE).markdown())
