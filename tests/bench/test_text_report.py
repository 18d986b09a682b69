"""Reports as text: what they say is what the analysis says, and nothing in a name breaks them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import subprocess

import pytest

from combopt.bench.analysis import analyse
from combopt.bench.report import text
from combopt.bench.runs import Failure
from combopt.bench.table import FAILURE
from combopt.model import Sense
from combopt.result import Status
from tests.bench.tables import Sweep, random_sweep

NASTY = "a_b & 50% #1 | *x* <b> {c} \\d ~ ^ $ [e] `f`"


def small(path):
    sweep = Sweep(path).on("x", 100).on("y", sense=Sense.MAX, kind="mip")
    sweep.run("x", "a", 101, seconds=3, trace=[(1.0, 101)]).run("x", "b", None, failure=Failure.CRASH)
    sweep.run("y", "a", 7.5, seconds=3, trace=[(0.0, 7.5)]).run("y", "b", 8.0, seconds=1, trace=[(0.0, 8.0)])
    return analyse(sweep.table())


def test_the_plain_table(tmp_path):
    lines = text.plain(small(tmp_path / "r.db")).splitlines()
    assert lines[0] == "All instances"
    header, a, b = (re.split(r"\s{2,}", line) for line in lines[1:4])
    rows = [dict(zip(header, row, strict=True)) for row in (a, b)]
    # a: gaps 1/101 and 0.5/8, deviations 0.01 and 0.0625, seconds 3 and 3, integrals (1 + 9/101)/10 and 0.5/8
    assert rows[0] == {
        "configuration": "a", "runs": "2", "failed": "0", "optimal": "0", "best": "0", "wins": "1",
        "gap mean": "3.62", "median": "3.62", "max": "6.25", "dev.": "3.62", "seconds": "3.00", "integral": "0.0857",
        "to target": "-",
    }  # fmt: skip
    # b: a crash and the best; sqrt(11 * 2) - 1 seconds; a median time to the target of (0 + never) / 2
    assert (rows[1]["failed"], rows[1]["best"], rows[1]["wins"], rows[1]["gap mean"]) == ("1", "1", "1", "50.00")
    assert (rows[1]["dev."], rows[1]["seconds"], rows[1]["integral"]) == ("-", "3.69", "0.5000")
    titles = [line for line in lines if line.startswith(("All", "Instances", "Pairs", "Mean"))]
    assert titles == [
        "All instances", "Instances of mip", "Instances of tsp", "Pairs by primal gap", "Mean primal gap in per cent",
    ]  # fmt: skip
    assert "b: 1 crash of 2 runs." in lines
    assert ["x", "100", "0.99", "100.00"] in [line.split() for line in lines]
    assert max(map(len, lines)) <= 119


def test_what_is_wrong_is_said(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on("x", 100).run("x", "a", 99).run("x", "b", 101, status=Status.OPTIMAL)
    sweep.on("p", 100, proven=True).run("p", "a", 99).on("d", 100).run("d", "b", 101, status=Status.OPTIMAL)
    sweep.run("d", "a")
    said = "\n".join(text.notes(analyse(sweep.table())))
    assert "did not run the same instances" in said
    assert "a: 1 without answer of 3 runs." in said
    assert "b: 1 wrong of 2 runs." in said
    assert "b on x, seed 0: wrong, it claims optimal at 101, but 99 was found and checked in the run of a" in said
    assert "New best: x: 99 was found" in said
    assert "Reference refuted: p: 99 was found" in said
    assert "In dispute: d: b with seed 0 claims optimal at 101, but 100 is the reference." in said


def test_long_lists_are_cut_with_a_count(tmp_path):
    sweep = Sweep(tmp_path / "r.db")
    for k in range(25):
        sweep.on(f"i{k}", 100).run(f"i{k}", "a", 99)
    lines = text.notes(analyse(sweep.table()))
    assert sum(line.startswith("New best") for line in lines) == 20
    assert lines[-1] == "5 more of this kind."


def rows_of_markdown(page: str) -> list[list[str]]:
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_markdown_tables_are_whole_whatever_the_names(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on(NASTY, 100)
    sweep.run(NASTY, NASTY, 100).run(NASTY, "plain", 200)
    page = text.markdown(analyse(sweep.table()), title="A *title*")
    assert page.startswith("# A \\*title\\*\n")
    rows = rows_of_markdown(page)
    widths = [len(row) for row in rows]
    assert widths == [13] * 4 + [8] * 3 + [4] * 3
    assert re.sub(r"\\(.)", r"\1", rows[2][0]) == NASTY
    assert rows[2][6] == "**0.00**"
    assert rows[3][6] == "50.00"


def test_latex_escapes_and_marks_the_best(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on(NASTY, 100).run(NASTY, NASTY, 100).run(NASTY, "plain", 200)
    page = text.latex(analyse(sweep.table()), title="two\nlines")
    assert page.startswith("% two lines\n")
    escaped = (
        r"a\_b \& 50\% \#1 \textbar{} *x* \textless{}b\textgreater{} \{c\} \textbackslash{}d \textasciitilde{}"
        r" \textasciicircum{} \$ {[}e{]} `f`"
    )
    assert f"\n{escaped} & 1 & 0 & 0 & 1 & 1 & \\textbf{{0.00}}" in page
    for line in page.splitlines():
        if line.endswith(r"\\"):
            assert len(re.findall(r"(?<!\\)&", line)) in (12, 7, 3)
    assert page.count(r"\begin{table}") == page.count(r"\end{table}") == page.count(r"\toprule") == 3


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on(NASTY, 100).run(NASTY, NASTY, 100).run(NASTY, "plain", 200)
    body = text.latex(analyse(sweep.table()))
    document = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + body + "\\end{document}\n"
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)


def test_csv_has_every_run_with_all_digits(tmp_path):
    found = analyse(random_sweep(tmp_path / "r.db", 5, instances=130).table())
    pieces = list(text.csv_lines(found))
    assert len(pieces) > 2  # the header and at least two blocks
    rows = list(csv.DictReader(io.StringIO("".join(pieces))))
    table = found.table
    assert len(rows) == table.runs == 130 * 9
    for r, row in enumerate(rows):
        assert row["instance"] == table.names[table.instance[r]]
        assert row["configuration"] == table.configurations[table.configuration[r]]
        assert int(row["seed"]) == table.seed[r]
        assert row["failure"] == FAILURE[found.failures[r]]
        if math.isnan(table.objective[r]):
            assert row["objective"] == ""
        else:
            assert float(row["objective"]) == table.objective[r]
            assert row["objective"].isdigit() == table.whole[r]
        for name in ("gap", "deviation", "integral", "time_to_best", "time_to_target", "time_to_proof"):
            assert float(row[name]) == getattr(found, name)[r]
        assert float(row["seconds"]) == table.seconds[r]


def test_csv_quotes_names(tmp_path):
    name = 'x,"y"\nz'
    found = analyse(Sweep(tmp_path / "r.db").run(name, "a", 1).table())
    (row,) = csv.DictReader(io.StringIO("".join(text.csv_lines(found))))
    assert row["instance"] == name


def test_the_data_is_strict_json_with_the_same_numbers(tmp_path):
    found = small(tmp_path / "r.db")
    data = json.loads(json.dumps(text.data(found, "T"), allow_nan=False))
    assert (data["schema"], data["title"], data["runs"], data["complete"]) == ("combopt.report/1", "T", 4, True)
    a, b = data["configurations"]
    assert (a["label"], a["mean_gap"]) == ("a", found.summaries[0].mean_gap)
    assert (b["failures"], b["deviation"]) == ({"crash": 1}, "inf")
    assert list(data["kinds"]) == ["mip", "tsp"]
    (pair,) = data["pairs"]
    assert (pair["a"], pair["b"], pair["wins"], pair["losses"]) == ("a", "b", 1, 1)


@pytest.mark.parametrize(
    ("p", "shown"), [(0.5, "0.5"), (0.03456, "0.035"), (1e-9, "< 0.0001"), (math.nan, "-"), (1.0, "1")]
)
def test_p_values(p, shown):
    assert text.p_value(p) == shown
