"""Capital budgeting: our plans beside the published first stages, all evaluated exactly.

python -m benchmarks.capital_budgeting --seeds 1 11 21 31 41 -t 35

The published values are the least of 10,000 samples and a few scenarios more; here every published first stage is
completed to its exact worst case.  All 249 instances: without --seeds.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path
from statistics import mean

import numpy as np

from benchmarks.common import arguments, machine, progress, table
from combopt import api
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.formats.capital_budgeting import capital_budgeting_of
from combopt.solvers.robust.capital_recourse import complete

METHODS = ("neur2ro", "k2", "k5", "k10")
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


def main() -> int:
    parser = arguments("Capital budgeting beside the published plans, evaluated exactly.")
    parser.add_argument("--seeds", type=int, nargs="*", help="seeds of the instances; default: all")
    parser.add_argument("--sizes", type=int, nargs="*", help="numbers of projects; default: all")
    parser.add_argument("-t", "--time-limit", type=float, default=35.0)
    options = parser.parse_args()
    folder = options.instances / "robust"
    with (folder / "cb_reference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = {str(line["name"]): line for line in _lines(folder / "cb_instances.jsonl")}
    published = {str(line["instance"]): line for line in _lines(folder / "cb_solutions.jsonl")}
    found: dict[str, list[list[object]]] = {}
    for row in rows:
        if (options.seeds and int(row["seed"]) not in options.seeds) or (
            options.sizes and int(row["n"]) not in options.sizes
        ):
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
