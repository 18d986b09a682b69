"""``combopt report`` and ``combopt compare``."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from combopt import api, serial
from combopt.bench import compare as comparing
from combopt.bench.analysis import MEASURES, analyse
from combopt.bench.metrics import Ratio
from combopt.bench.report import text
from combopt.bench.store import Store
from combopt.bench.table import Table
from combopt.errors import UsageError
from combopt.model import show


def report_command(options: argparse.Namespace) -> int:
    """Write what was asked for; a plain table goes to stdout if that is nothing."""
    paths = [Path(path) for path in options.runs]
    wanted = {
        suffix: _target(getattr(options, name), paths[0], suffix)
        for name, suffix in (("html", ".html"), ("markdown", ".md"), ("latex", ".tex"), ("csv", ".csv"))
        if getattr(options, name) is not None
    }
    title = options.title or ", ".join(path.stem for path in paths)
    with ExitStack() as stack:
        stores = [stack.enter_context(Store(path, readonly=True)) for path in paths]
        analysis = analyse(Table.load(*stores))
        if not analysis.table.runs:
            raise UsageError("E201", f"there are no runs in {', '.join(map(str, paths))}")
        if options.json:
            print(json.dumps(text.data(analysis, title), allow_nan=False))
        elif not wanted:
            print(text.plain(analysis), end="")
        for suffix, target in wanted.items():
            if suffix == ".html":
                from combopt.bench.report.html import write_html

                write_html(analysis, stores, target, title=title)
            elif suffix == ".csv":
                _write_pieces(target, text.csv_lines(analysis))
            else:
                api.write_text(target, (text.markdown if suffix == ".md" else text.latex)(analysis, title))
            print(f"report: {target}", file=sys.stderr)
    return 0


def _target(given: str, runs: Path, suffix: str) -> Path:
    """Where a report goes: the file that was named, or the runs file with another suffix."""
    target = Path(given) if given else runs.with_suffix(suffix)
    if target.exists() and target.resolve() == runs.resolve():
        raise UsageError("E201", f"{target} is the file of runs itself", remedy="Name another file.")
    if not target.parent.is_dir():
        raise UsageError("E205", f"cannot write {target}: there is no folder {target.parent}")
    return target


def _write_pieces(target: Path, pieces: Iterator[str]) -> None:
    """Write a file piece by piece; a regular file is there whole or not at all."""
    direct = target.exists() and not target.is_file()  # a pipe, /dev/stdout
    place = target if direct else target.with_name(f".{target.name}.part")
    try:
        with open(place, "w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        if not direct:
            os.replace(place, target)
    except OSError as error:
        if not direct:
            place.unlink(missing_ok=True)
        reason = error.strerror or type(error).__name__
        raise UsageError("E205", f"cannot write {target}: {reason}", remedy="Choose another place.") from None


def compare_command(options: argparse.Namespace) -> int:
    """Print how B stands against A."""
    (file_a, label_a), (file_b, label_b) = (api.split_selector(text) for text in (options.a, options.b))
    with ExitStack() as stack:
        table_a = Table.load(stack.enter_context(Store(file_a, readonly=True)))
        same = os.path.realpath(file_a) == os.path.realpath(file_b)
        table_b = table_a if same else Table.load(stack.enter_context(Store(file_b, readonly=True)))
    results = comparing.compare(
        table_a, table_b, label_a=label_a, label_b=label_b, metric=options.metric or "gap", seed=options.seed or 0
    )
    if options.json:
        rows = [{**serial.encode(r), "score": r.score._asdict()} for r in results]
        for row, result in zip(rows, results, strict=True):
            row["ratio"] = serial.encode(result.ratio._asdict())
            for name in ("improvements", "regressions", "failed_a", "failed_b"):
                row[name] = [serial.encode(item._asdict()) for item in getattr(result, name)]
        print(json.dumps({"schema": "combopt.compare/1", "comparisons": rows}, allow_nan=False))
    else:
        print("\n\n".join(_text(result, file_a, file_b) for result in results))
    return 0


def _text(result: comparing.Comparison, file_a: str, file_b: str) -> str:
    score, ratio = result.score, result.ratio
    title = MEASURES[result.metric].title if result.metric in MEASURES else "objective"
    means = "" if math.isnan(result.mean_a) else f" (A {result.mean_a:.6g}, B {result.mean_b:.6g})"
    over = "" if result.compared == result.instances else f", over {result.compared} instances"
    lines = [
        f"A          {result.a} of {file_a}",
        f"B          {result.b} of {file_b}",
        f"paired     {result.pairs} runs of {result.instances} instances; only in A {result.only_a}, only in B"
        f" {result.only_b}",
        f"metric     {title}",
        f"B / A      {_ratio(ratio)}{means}{over}",
        f"B          wins {score.wins}, ties {score.ties}, loses {score.losses}; p = {text.p_value(result.p)}",
        f"verdict    {verdict(result)}",
        f"failed     A {len(result.failed_a)}, B {len(result.failed_b)}",
    ]
    failed_a = {(run.instance, run.seed) for run in result.failed_a}
    fresh = [run for run in result.failed_b if (run.instance, run.seed) not in failed_a]
    lines += [f"  only B   {run.instance}, seed {run.seed}: {run.reason}" for run in fresh[:10]]
    lines += [f"  only B   and {len(fresh) - 10} more"] if len(fresh) > 10 else []
    for name, changes in (("better", result.improvements), ("worse", result.regressions)):
        lines += [f"{name:<10} {_change(change)}" for change in changes]
    return "\n".join(lines)


def _ratio(ratio: Ratio) -> str:
    interval = "" if math.isnan(ratio.low) else f" [{ratio.low:.4g}, {ratio.high:.4g}] with 95 % confidence"
    return ("-" if math.isnan(ratio.value) else f"{ratio.value:.4g}") + interval


def _change(change: comparing.Change) -> str:
    sides = ((change.a, change.failed_a), (change.b, change.failed_b))
    a, b = (
        ("-" if math.isnan(value) else f"{value:.6g}" if value % 1 else show(value))
        + (f" ({failed} without answer)" if failed else "")
        for value, failed in sides
    )
    return f"{change.instance}: {a} -> {b}"


def verdict(result: comparing.Comparison) -> str:
    """The answer in a few words, from the interval of the ratio; who fails more often is never just better."""
    more_failures = len(result.failed_b) - len(result.failed_a)
    if math.isnan(result.ratio.low):
        return "too few instances to tell"
    if result.ratio.high < 1:
        return "B is better" if more_failures <= 0 else "B is better where it has an answer, but fails more often"
    if result.ratio.low > 1:
        return "B is worse"
    return "no difference to be seen"
