"""The report as one HTML file that needs no network: tables, profiles, curves and pictures of a sweep."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

import combopt
from combopt import api
from combopt.bench.analysis import Analysis, Pair, Summary
from combopt.bench.metrics import Steps
from combopt.bench.report.drawing import pictures_block
from combopt.bench.report.payload import runs_block, traces_block
from combopt.bench.store import Store
from combopt.bench.table import FAILURE, STATUS, STOPPED
from combopt.model import Floats, Number

SCRIPTS = ("data.js", "table.js", "chart.js", "picture.js", "overview.js", "runs.js", "instance.js", "page.js")
GRID = 200
"""Points of a performance profile."""

# Columns of the summary: key, name, meaning, format, which end is best, whether anything above 0 is alarming.
MEASURES = (
    ("runs", "runs", "Number of runs", "count", None, False),
    ("failed", "failed", "Runs that failed for any reason", "count", None, True),
    ("unanswered", "no answer", "Runs in good order without solution or proof", "count", None, True),
    ("optimal", "optimal", "Runs with a proof that stands", "count", "high", False),
    ("best", "best known", "Runs that reached the best known value", "count", "high", False),
    ("wins", "wins", "Instances on which no other configuration has a smaller mean gap", "count", "high", False),
    ("mean_gap", "mean gap %", "Mean primal gap", "percent", "low", False),
    ("median_gap", "median gap %", "Median primal gap", "percent", "low", False),
    ("max_gap", "max gap %", "Largest primal gap", "percent", "low", False),
    ("seconds", "seconds", "Shifted geometric mean of the time", "seconds", "low", False),
    ("integral", "integral %", "Mean primal integral in per cent of the time limit", "percent", "low", False),
    ("reached", "target", "Runs that reached the target", "count", "high", False),
    ("to_target", "s to target", "Median seconds to the target", "seconds", "low", False),
)
PROFILES = (("gap", "primal gap"), ("target", "time to the target"), ("proof", "time to the proof"))
PAIRS = (("gap", "primal gap"), ("seconds", "seconds"), ("integral", "primal integral"))
MOST_PAIRS = 400
"""Above this number of cells the kinds are compared by the gap alone, since the bootstrap takes its time."""


def write_html(analysis: Analysis, stores: Sequence[Store], path: str | Path, *, title: str = "Benchmark") -> None:
    """Write the report of ``analysis`` to ``path``.

    Parameters
    ----------
    analysis
        What :func:`~combopt.bench.analysis.analyse` made of the runs.
    stores
        The stores that its table was loaded from, in that order.
    title
        Headline of the page.

    Raises
    ------
    UsageError
        E205 if the file cannot be written.
    """
    api.write_text(path, page(analysis, stores, title=title))


def page(analysis: Analysis, stores: Sequence[Store], *, title: str = "Benchmark") -> str:
    """The text of the report; see :func:`write_html`."""
    runs, traces = runs_block(analysis, stores), traces_block(analysis)
    pictures = pictures_block(analysis, stores)
    notes = [*_notes(analysis), *runs.notes, *traces.notes, *pictures.notes]
    head = _head(analysis, stores, notes)
    style, script = _asset("style.css"), "\n".join(_asset(name) for name in SCRIPTS)
    return Template(_asset("page.html")).substitute(
        title=_escaped(title),
        lead=_escaped(_lead(analysis)),
        version=_escaped(combopt.__version__),
        target=f"{100 * analysis.target:g}",
        penalty=f"{analysis.penalty:g}",
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        head=json.dumps(head, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        data=runs.text,
        traces=traces.text,
        pictures=pictures.text,
    )


def _asset(name: str) -> str:
    return (resources.files("combopt.bench.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """By this the policy of the page knows its own script and style, and runs no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escaped(text: str) -> str:
    """Text for HTML; file names may hold bytes that are no text, which become question marks."""
    return html.escape(text.encode("utf-8", "replace").decode())


def _lead(analysis: Analysis) -> str:
    table = analysis.table
    instances = len(np.unique(table.instance))
    failed = int(analysis.failed.sum())
    parts = [f"{table.runs:,} runs: {len(analysis.configurations):,} configurations on {instances:,} instances"]
    if failed:
        parts.append(f"{failed:,} failed")
    return ", ".join(parts) + "."


def _notes(analysis: Analysis) -> list[str]:
    notes = []
    if not analysis.complete:
        notes.append(
            "Not all configurations ran the same instances with the same seeds: compare them by the pairwise table and"
            " the profiles, which use common problems only."
        )
    for findings, what in (
        (analysis.contradicted, "reference values that are called proven were beaten"),
        (analysis.improved, "best known values were improved"),
        (analysis.disputed, "claims of solvers contradict a reference value"),
    ):
        if findings:
            notes.append(f"{len(findings):,} {what}; see Findings.")
    return notes


def _head(analysis: Analysis, stores: Sequence[Store], notes: list[str]) -> dict[str, Any]:
    table = analysis.table
    kinds = analysis.kinds
    groups = [_group(analysis, "all", PAIRS)]
    if len(kinds) > 1:
        few = len(kinds) * len(analysis.configurations) ** 2 <= MOST_PAIRS
        groups += [_group(analysis.for_kind(kind), kind, PAIRS if few else PAIRS[:1]) for kind in kinds]
    findings = [
        *(("beaten", f) for f in analysis.contradicted),
        *(("improved", f) for f in analysis.improved),
        *(("disputed", f) for f in analysis.disputed),
    ]
    return {
        "facts": _facts(analysis, stores),
        "notes": notes,
        "configurations": table.configurations,
        "details": _configurations(stores),
        "statuses": [str(word) for word in STATUS],
        "stopped": [str(word) for word in STOPPED],
        "failures": [str(word) for word in FAILURE],
        "measures": [
            dict(zip(("key", "name", "title", "format", "best", "alarm"), row, strict=True)) for row in MEASURES
        ],
        "findings": [[what, finding.instance, finding.text] for what, finding in findings],
        "groups": groups,
    }


def _facts(analysis: Analysis, stores: Sequence[Store]) -> list[tuple[str, str]]:
    budgets: dict[str, None] = {}
    machines: dict[str, None] = {}
    suites: dict[str, None] = {}
    times: list[float] = []
    for store in stores:
        execute = store.connection.execute
        for budget, machine in execute("SELECT budget, machine FROM setting WHERE id IN (SELECT setting FROM run)"):
            budgets[_budget(budget)] = machines[machine] = None
        suites |= {suite: None for (suite,) in execute("SELECT DISTINCT suite FROM run") if suite}
        times += [t for t in execute("SELECT min(started), max(started) FROM run").fetchone() if t]
    facts = [
        ("Kinds", ", ".join(analysis.kinds)),
        ("Suite", ", ".join(suites)),
        ("Budget", "; ".join(budgets)),
        ("Machine", "; ".join(filter(None, machines))),
        ("Measured", " to ".join(dict.fromkeys(_day(t) for t in (min(times), max(times)))) if times else ""),
        ("Written", f"{_day(datetime.now(UTC).timestamp())} by combopt {combopt.__version__}"),
    ]
    return [(name, value) for name, value in facts if value]


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _budget(text: str) -> str:
    data = json.loads(text)
    limit = data.pop("time_limit", None)
    words = [] if limit is None else [f"{limit:g} s" if isinstance(limit, (int, float)) else "no time limit"]
    return ", ".join(words + [f"{key} {value}" for key, value in sorted(data.items()) if value not in (0, "auto")])


def _configurations(stores: Sequence[Store]) -> list[tuple[str, str, str, str]]:
    query = "SELECT label, solver, version, options FROM configuration WHERE id IN (SELECT configuration FROM run)"
    rows = (row for store in stores for row in store.connection.execute(query))
    return list(dict.fromkeys(tuple(row) for row in rows))


def _group(analysis: Analysis, name: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Everything above the tables of instances and runs, for all instances or those of one kind."""
    table = analysis.table
    return {
        "name": name,
        "runs": table.runs,
        "instances": len(np.unique(table.instance)),
        "complete": analysis.complete,
        "summary": _summary(analysis.summaries),
        "profiles": [
            {"name": title, **_profile(analysis, measure)} for measure, title in PROFILES
        ] + [{"name": "target reached over time", **_reached(analysis)}],
        "course": _course(analysis),
        "pairs": [{"name": title, "pairs": [_pair(p) for p in analysis.pairs(measure)]} for measure, title in pairs],
    }  # fmt: skip


def _summary(summaries: Iterable[Summary]) -> dict[str, list[Any]]:
    rows = list(summaries)
    return {"configuration": [row.configuration for row in rows]} | {
        key: [_number(getattr(row, key)) for row in rows] for key, *_ in MEASURES
    }


def _profile(analysis: Analysis, measure: str) -> dict[str, Any]:
    profile = analysis.profile(measure)
    x = _ratio_grid(profile.steps)
    return {"problems": profile.problems, "ratio": True, "x": _numbers(x), "curves": [
        {"configuration": c, "y": _numbers(steps.at(x))}
        for c, steps in zip(profile.configurations, profile.steps, strict=True)
    ]}  # fmt: skip


def _reached(analysis: Analysis) -> dict[str, Any]:
    steps = analysis.runtime_distributions()
    x = _grid([s.x for s in steps], low=1e-3)
    return {"problems": 0, "ratio": False, "x": _numbers(x), "curves": [
        {"configuration": c, "y": _numbers(s.at(x))} for c, s in zip(analysis.configurations, steps, strict=True)
    ]}  # fmt: skip


def _ratio_grid(steps: Sequence[Steps]) -> Floats:
    largest = max((float(s.x[-1]) for s in steps if len(s.x)), default=1.0)
    return np.geomspace(1.0, min(max(largest * 1.02, 2.0), 1e6), GRID)


def _grid(values: Sequence[Floats], low: float) -> Floats:
    found = np.concatenate([np.zeros(0), *values])
    found = found[found > 0]
    if not len(found):
        return np.zeros(0)
    return np.geomspace(max(low, float(found.min()) * 0.98), max(low * 2, float(found.max()) * 1.02), GRID)


def _course(analysis: Analysis) -> dict[str, Any]:
    curves = analysis.curves()
    return {"x": _numbers(curves.times), "curves": [
        {"configuration": c, "mean": _numbers(mean), "median": _numbers(median)}
        for c, mean, median in zip(curves.configurations, curves.mean, curves.median, strict=True)
    ]}  # fmt: skip


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "a": pair.a, "b": pair.b, "instances": pair.instances,
        "wins": pair.score.wins, "ties": pair.score.ties, "losses": pair.score.losses,
        "ratio": _number(pair.ratio.value), "low": _number(pair.ratio.low), "high": _number(pair.ratio.high),
        "p": _number(pair.p),
    }  # fmt: skip


def _numbers(values: Floats) -> list[Number | str | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: Number) -> Number | str | None:
    """Six digits are enough to draw and to compare means; ``"inf"`` and ``None`` (NaN) as JSON can hold them."""
    if isinstance(value, int):
        return value
    if math.isfinite(value):
        return float(f"{value:.6g}")
    return None if math.isnan(value) else str(value)
