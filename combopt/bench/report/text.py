"""An analysis as text: plain tables, Markdown, LaTeX, CSV, and as data for JSON."""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from combopt import serial
from combopt.bench.analysis import Analysis, Finding
from combopt.bench.summary import GAP, SECONDS, Pair, Summary
from combopt.bench.table import FAILURE, STATUS, STOPPED
from combopt.model import show

INSTANCES_SHOWN = 60
"""Tables of single instances are written up to this many instances; CSV holds all of them."""
FINDINGS_SHOWN = 20
_CHUNK = 1000
_WIDTH = 119


@dataclass(frozen=True)
class Grid:
    """A table of texts; the first column is words, the others numbers; ``bold`` are (row, column) to stress."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    bold: frozenset[tuple[int, int]] = frozenset()


# --- what there is to say -----------------------------------------------------------------------------------------


def grids(analysis: Analysis) -> list[Grid]:
    """The tables of a report: configurations over all and by kind, pairs, instances if they are few."""
    result = [_configurations(analysis, "All instances")]
    if len(analysis.kinds) > 1:
        result += [_configurations(analysis.for_kind(kind), f"Instances of {kind}") for kind in analysis.kinds]
    if len(analysis.configurations) > 1:
        result.append(_pairs(analysis))
    if analysis.table.runs and len(analysis.table.instances) <= INSTANCES_SHOWN:
        result.append(_instances(analysis))
    return result


def notes(analysis: Analysis) -> list[str]:
    """What a reader must know: how to read the columns, and what is wrong with runs and references."""
    table = analysis.table
    lines = [
        f"{table.runs} runs of {len(analysis.configurations)} configurations on"
        f" {len(set(table.instance.tolist()))} instances.",
        "Gaps are primal gaps to the best known objective, in per cent; dev. is the mean relative deviation from it."
        " A run without answer has gap 100 and no deviation. Seconds are shifted geometric means (shift"
        f" {SECONDS.shift:g} s), a run without answer counting {analysis.penalty:g} times its time limit. Integral is"
        " the primal integral divided by the time limit. To target is the median time to a gap of"
        f" {_percent(analysis.target)} %.",
    ]
    if not analysis.complete:
        lines.append(
            "The configurations did not run the same instances with the same seeds: their rows are not over the same"
            " problems. Pairs are, and so are profiles."
        )
    for summary in analysis.summaries:
        if summary.failed or summary.unanswered:
            parts = [f"{count} {failure}" for failure, count in summary.failures.items()]
            parts += [f"{summary.unanswered} without answer"] if summary.unanswered else []
            lines.append(f"{summary.label}: {', '.join(parts)} of {summary.runs} runs.")
    lines += _few([f"{_run(analysis, run)}: wrong, it {reason}." for run, reason in analysis.reasons.items()])
    lines += _few([f"Reference refuted: {finding.text}." for finding in analysis.contradicted])
    lines += _few([f"New best: {finding.text}." for finding in analysis.improved])
    lines += _few([f"In dispute: {finding.text}." for finding in analysis.disputed])
    return lines


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - FINDINGS_SHOWN
    return lines if more <= 0 else [*lines[:FINDINGS_SHOWN], f"{more} more of this kind."]


def _run(analysis: Analysis, run: int) -> str:
    table = analysis.table
    label, name = table.configurations[table.configuration[run]], table.names[table.instance[run]]
    return f"{label} on {name}, seed {table.seed[run]}"


_COLUMNS: tuple[tuple[str, Callable[[Summary], str]], ...] = (
    ("configuration", lambda s: s.label),
    ("runs", lambda s: str(s.runs)),
    ("failed", lambda s: str(s.failed + s.unanswered)),
    ("optimal", lambda s: str(s.optimal)),
    ("best", lambda s: str(s.best)),
    ("wins", lambda s: str(s.wins)),
    ("gap mean", lambda s: _percent(s.mean_gap)),
    ("median", lambda s: _percent(s.median_gap)),
    ("max", lambda s: _percent(s.max_gap)),
    ("dev.", lambda s: _percent(s.deviation)),
    ("seconds", lambda s: _seconds(s.seconds)),
    ("integral", lambda s: _fixed(s.integral, 4)),
    ("to target", lambda s: _seconds(s.to_target)),
)
# Columns in which the smallest value is stressed, where there are several rows.
_STRESSED = {6: "mean_gap", 10: "seconds", 11: "integral"}


def _configurations(analysis: Analysis, title: str) -> Grid:
    rows = analysis.summaries
    bold = set()
    if len(rows) > 1:
        for column, name in _STRESSED.items():
            least = min(getattr(row, name) for row in rows)
            bold |= {(k, column) for k, row in enumerate(rows) if getattr(row, name) == least}
    return Grid(
        title,
        tuple(name for name, _ in _COLUMNS),
        tuple(tuple(text(row) for _, text in _COLUMNS) for row in rows),
        frozenset(bold),
    )


def _pairs(analysis: Analysis) -> Grid:
    labels = analysis.table.configurations
    rows = []
    for pair in analysis.pairs():
        score, ratio = pair.score, pair.ratio
        interval = "-" if math.isnan(ratio.low) else f"{_fixed(ratio.low, 3)} to {_fixed(ratio.high, 3)}"
        rows.append(
            (
                f"{labels[pair.a]} : {labels[pair.b]}", str(pair.instances), str(score.wins), str(score.ties),
                str(score.losses), _fixed(ratio.value, 3), interval, p_value(pair.p),
            )
        )  # fmt: skip
    header = ("pair", "instances", "wins", "ties", "losses", "ratio of gaps", "95 % interval", "p")
    return Grid("Pairs by primal gap", header, tuple(rows))


def _instances(analysis: Analysis) -> Grid:
    table, gaps = analysis.table, analysis.cells.mean_gap
    rows: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    for k, name in enumerate(table.names):
        own = [float(gaps[k, c]) for c in analysis.configurations]
        if all(math.isnan(gap) for gap in own):
            continue
        best = float(analysis.best[k])
        least = min(gap for gap in own if not math.isnan(gap))
        bold |= {(len(rows), 2 + j) for j, gap in enumerate(own) if len(own) > 1 and gap == least < 1}
        rows.append((name, "-" if math.isnan(best) else show(best), *(_percent(gap) for gap in own)))
    header = ("instance", "best known", *(table.configurations[c] for c in analysis.configurations))
    return Grid("Mean primal gap in per cent", header, tuple(rows), frozenset(bold))


def _percent(share: float) -> str:
    value = 100 * share
    return "-" if not math.isfinite(value) else f"{value:.1g}" if 0 < abs(value) < 0.01 else f"{value:.2f}"


def _seconds(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:.0f}" if value >= 1000 else f"{value:.2f}"


def _fixed(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def p_value(p: float) -> str:
    """A p value to two digits, tiny ones as a bound."""
    return "-" if math.isnan(p) else "< 0.0001" if p < 1e-4 else f"{p:.2g}"


# --- how it is written --------------------------------------------------------------------------------------------


def plain(analysis: Analysis) -> str:
    """Tables for a terminal."""
    parts = []
    for grid in grids(analysis):
        widths = [max(len(row[c]) for row in (grid.header, *grid.rows)) for c in range(len(grid.header))]
        lines = [grid.title, "  ".join(_padded(grid.header, widths)).rstrip()]
        lines += ["  ".join(_padded(row, widths)).rstrip() for row in grid.rows]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, "\n".join(textwrap.fill(line, _WIDTH) for line in notes(analysis))]) + "\n"


def _padded(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [text.ljust(w) if c == 0 else text.rjust(w) for c, (text, w) in enumerate(zip(row, widths, strict=True))]


def markdown(analysis: Analysis, title: str = "Benchmark") -> str:
    """A page of Markdown with pipe tables; the best values are bold."""
    parts = [f"# {_markdown(title)}", "\n".join(f"- {_markdown(line)}" for line in notes(analysis))]
    for grid in grids(analysis):
        lines = ["| " + " | ".join(map(_markdown, grid.header)) + " |"]
        lines.append("|" + " --- |" + " ---: |" * (len(grid.header) - 1))
        for k, row in enumerate(grid.rows):
            cells = [f"**{_markdown(t)}**" if (k, c) in grid.bold else _markdown(t) for c, t in enumerate(row)]
            lines.append("| " + " | ".join(cells) + " |")
        parts += [f"## {_markdown(grid.title)}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


_MARKDOWN = str.maketrans({c: "\\" + c for c in "\\`*_[]<>|#"} | {"\n": " "})


def _markdown(text: str) -> str:
    return text.translate(_MARKDOWN)


def latex(analysis: Analysis, title: str = "Benchmark") -> str:
    r"""Tables for ``\input`` into a document that uses the package ``booktabs``; the best values are bold."""
    parts = [f"% {' '.join(title.split())}", r"% \usepackage{booktabs}"]
    parts += [f"% {' '.join(line.split())}" for line in notes(analysis)]
    for grid in grids(analysis):
        lines = [
            r"\begin{table}", r"\centering", rf"\caption{{{_latex(grid.title)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(grid.header) - 1)}}}", r"\toprule",
            " & ".join(map(_latex, grid.header)) + r" \\", r"\midrule",
        ]  # fmt: skip
        for k, row in enumerate(grid.rows):
            cells = [rf"\textbf{{{_latex(t)}}}" if (k, c) in grid.bold else _latex(t) for c, t in enumerate(row)]
            lines.append(" & ".join(cells) + r" \\")
        parts.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]))
    return "\n".join(parts) + "\n"


_LATEX = str.maketrans(
    {c: "\\" + c for c in "{}$&#_%"}
    | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
       ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "]": "{]}", "\n": " "}
)  # fmt: skip


def _latex(text: str) -> str:
    return "--" if text == "-" else text.translate(_LATEX)


CSV_COLUMNS = (
    "instance", "kind", "sense", "digest", "configuration", "seed", "status", "stopped_by", "failure", "objective",
    "bound", "best_known", "gap", "deviation", "seconds", "limit", "integral", "time_to_best", "time_to_target",
    "time_to_proof",
)  # fmt: skip


def csv_lines(analysis: Analysis) -> Iterator[str]:
    """One line a run, in pieces of many lines; unknown values are empty, ``inf`` stands for never."""
    table = analysis.table
    yield ",".join(CSV_COLUMNS) + "\n"
    names, labels = table.names, table.configurations
    for first in range(0, table.runs, _CHUNK):
        part = slice(first, first + _CHUNK)
        instance = table.instance[part].tolist()
        floats = [
            _exact(values[part].tolist(), whole[part].tolist())
            for values, whole in (
                (table.objective, table.whole),
                (table.bound, table.bound_whole),
                (analysis.best[table.instance], analysis.exact[table.instance]),
            )
        ]
        plain_columns = (
            analysis.gap, analysis.deviation, table.seconds, table.limit, analysis.integral, analysis.time_to_best,
            analysis.time_to_target, analysis.time_to_proof,
        )  # fmt: skip
        columns = [
            [names[k] for k in instance],
            [table.instances[k].kind for k in instance],
            [table.instances[k].sense.value for k in instance],
            [table.instances[k].digest for k in instance],
            [labels[k] for k in table.configuration[part].tolist()],
            table.seed[part].tolist(),
            [STATUS[k].value for k in table.status[part].tolist()],
            [STOPPED[k].value for k in table.stopped[part].tolist()],
            [FAILURE[k].value for k in analysis.failures[part].tolist()],
            *floats,
            *([repr(v) for v in values[part].tolist()] for values in plain_columns),
        ]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
        yield text.getvalue()


def _exact(values: list[float], whole: list[bool]) -> list[str]:
    """Integers as such, other numbers with all their digits, nothing for NaN."""
    return [
        "" if math.isnan(v) else str(int(v)) if w and math.isfinite(v) else repr(v)
        for v, w in zip(values, whole, strict=True)
    ]


def data(analysis: Analysis, title: str = "Benchmark") -> dict[str, Any]:
    """The whole summary as plain data that ``json`` can write; single runs are for CSV."""
    kinds = analysis.kinds if len(analysis.kinds) > 1 else ()
    return {
        "schema": "combopt.report/1",
        "title": title,
        "runs": analysis.table.runs,
        "target": analysis.target,
        "penalty": analysis.penalty,
        "shift": {"gap": GAP.shift, "seconds": SECONDS.shift},
        "complete": analysis.complete,
        "configurations": _summaries(analysis),
        "kinds": {kind: _summaries(analysis.for_kind(kind)) for kind in kinds},
        "pairs": [_pair(analysis, pair) for pair in analysis.pairs()],
        "refuted": [{"run": _run(analysis, run), "reason": reason} for run, reason in analysis.reasons.items()],
        "contradicted": [_finding(analysis, finding) for finding in analysis.contradicted],
        "improved": [_finding(analysis, finding) for finding in analysis.improved],
        "disputed": [_finding(analysis, finding) for finding in analysis.disputed],
    }


def _summaries(analysis: Analysis) -> list[Any]:
    rows = [serial.encode(summary) for summary in analysis.summaries]
    for row in rows:
        del row["configuration"]
    return rows


def _pair(analysis: Analysis, pair: Pair) -> dict[str, Any]:
    labels = analysis.table.configurations
    return {
        "a": labels[pair.a], "b": labels[pair.b], "measure": GAP.name, "instances": pair.instances,
        **pair.score._asdict(), "ratio": serial.encode(pair.ratio.value),
        "interval": serial.encode([pair.ratio.low, pair.ratio.high]), "p": serial.encode(pair.p),
    }  # fmt: skip


def _finding(analysis: Analysis, finding: Finding) -> dict[str, Any]:
    return {
        "instance": analysis.table.names[finding.instance],
        "run": _run(analysis, finding.run),
        "reference": serial.encode(finding.reference),
        "found": serial.encode(finding.found),
        "text": finding.text,
    }
