"""Capital budgeting: our plans beside the published first stages, all evaluated exactly.

python -m benchmarks.capital_budgeting --seeds 1 11 21 31 41 -t 35

The published values are the least of 10,000 samples and a few scenarios more; here every published first stage is
completed to its exact worst case.  All 249 instances: without --seeds.

python -m benchmarks.capital_budgeting --seeds 1 --sizes 10 20 --k 2 5 10 -t 35

puts k-adaptability beside it: what the published k decisions guarantee after up to three hours, and ours after -t
seconds, with the bounds of both; and the exact worst cases of both first stages, whatever decisions they need.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.common import arguments, machine, progress, table
from combopt import api
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.formats.capital_budgeting import capital_budgeting_of
from combopt.solvers.robust.capital_recourse import complete

METHODS = ("neur2ro", "k2", "k5", "k10")
ADAPTABLE = (
    "instance",
    "k",
    "published",
    "its bound",
    "seconds",
    "ours",
    "bound",
    "nodes",
    "seconds",
    "published x",
    "our x",
)
"""Columns of the table of k-adaptability."""
EQUAL = 1e-6
"""Relative difference up to which two values count as equal."""


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _row(instance: CapitalBudgeting, published: dict[str, object], sampled: float, limit: float) -> list[object]:
    started = time.process_time()
    values = [complete(instance, np.array(published[f"{method}_x"])).lower for method in METHODS]
    seconds = (time.process_time() - started) / len(METHODS)
    result = api.solve(instance, "capital_budgeting", time_limit=limit, threads=1)
    assert result.objective is not None
    best, gap = max(values), result.gap
    ahead = 100 * (result.objective - best) / best
    return [
        instance.name, *(round(value, 5) for value in values), sampled, round(result.objective, 5), ahead,
        "-" if gap is None else 100 * gap, result.seconds, seconds,
    ]  # fmt: skip


def _adaptable(
    instance: CapitalBudgeting, published: dict[str, str], scenarios: dict[str, Any], limit: float
) -> list[object]:
    """A published run of k-adaptability beside ours; its scenarios, where they are known, speed up the evaluation."""
    k = published["K"]
    known = scenarios.get(f"k{k}")
    first = np.array([int(chosen) for chosen in published["x"]])
    exact = complete(instance, first, points=np.array(known) if known else None)
    result = api.solve(instance, "k_adaptability", time_limit=limit, threads=1, options={"k": int(k)})
    account = result.steps[-1] if result.steps else {}
    return [
        instance.name, int(k), *(float(published[name]) for name in ("certified_profit", "dual_bound_profit")),
        float(published["runtime_s"]), *(account.get(name, "-") for name in ("value", "limit", "nodes")),
        result.seconds, exact.lower, result.objective,
    ]  # fmt: skip


def _compare(options: argparse.Namespace, data: dict[str, dict[str, object]], folder: Path) -> None:
    """Print the table of k-adaptability."""
    scenarios = {str(line["instance"]): line for line in _lines(folder / "cb_kadapt_scenarios.jsonl")}
    with (folder / "cb_kadapt_all.csv").open(encoding="utf-8", newline="") as file:
        runs = [row for row in csv.DictReader(file) if int(row["K"]) in options.k and _wanted(options, row)]
    lines = []
    for run in runs:
        instance = capital_budgeting_of(data[run["instance"]])
        lines.append(_adaptable(instance, run, scenarios.get(run["instance"], {}), options.time_limit))
        progress(" ".join(map(str, lines[-1])))
    print(f"\n{machine()}, {options.time_limit:g} s each\n")
    table(ADAPTABLE, lines)


def _wanted(options: argparse.Namespace, row: dict[str, str]) -> bool:
    return (not options.seeds or int(row["seed"]) in options.seeds) and (
        not options.sizes or int(row["n"]) in options.sizes
    )


def main() -> int:
    parser = arguments("Capital budgeting beside the published plans, evaluated exactly.")
    parser.add_argument("--seeds", type=int, nargs="*", help="seeds of the instances; default: all")
    parser.add_argument("--sizes", type=int, nargs="*", help="numbers of projects; default: all")
    parser.add_argument("--k", type=int, nargs="*", choices=(2, 5, 10), help="compare k-adaptability instead")
    parser.add_argument("-t", "--time-limit", type=float, default=35.0)
    options = parser.parse_args()
    folder = options.instances / "robust"
    with (folder / "cb_reference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = {str(line["name"]): line for line in _lines(folder / "cb_instances.jsonl")}
    published = {str(line["instance"]): line for line in _lines(folder / "cb_solutions.jsonl")}
    if options.k is not None:
        options.k = options.k or [2, 5, 10]
        _compare(options, data, folder)
        return 0
    found: dict[str, list[list[object]]] = {}
    for row in rows:
        if not _wanted(options, row):
            continue
        instance = capital_budgeting_of(data[row["instance"]])
        line = _row(instance, published[row["instance"]], float(row["best_known_sampled"]), options.time_limit)
        found.setdefault(row["n"], []).append(line)
        progress(" ".join(map(str, line)))
    print(f"\n{machine()}, {options.time_limit:g} s each\n")
    table(
        (
            "instance",
            *METHODS,
            "sampled best",
            "ours",
            "ahead of the best %",
            "gap %",
            "seconds",
            "CPU s an evaluation",
        ),
        [line for lines in found.values() for line in lines],
    )
    print()
    table(
        ("n", "instances", "at least as good", "mean ahead %", "mean gap %", "largest gap %"),
        map(_summary, found.items()),
    )
    return 0


def _summary(item: tuple[str, list[list[object]]]) -> list[object]:
    size, lines = item
    ahead = [float(str(line[7])) for line in lines]
    gaps = [float(str(line[8])) for line in lines if line[8] != "-"] or [float("inf")]
    good = sum(value >= -100 * EQUAL for value in ahead)
    return [size, len(lines), good, mean(ahead), mean(gaps), max(gaps)]


if __name__ == "__main__":
    sys.exit(main())
