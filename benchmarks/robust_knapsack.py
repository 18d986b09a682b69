"""All 504 robust knapsacks of Arslan and Detienne, against the best known values: error, gap and time by group.

    python benchmarks/robust_knapsack.py INSTANCES/robust -t 10 --jobs 2 -o robust_knapsack.csv

The folder holds ``kp_instances.jsonl`` and ``kp_best_known.csv``.  Errors are in percent of the better of the best
known value and ours; gaps are between our answer and our bound.  ``--every 12`` takes every twelfth instance.
"""

from __future__ import annotations

import argparse
import csv
import re
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from combopt import api

NAME = re.compile(r"RKP_(\w+)_n(\d+)_")
FIELDS = ("instance", "objective", "bound", "best_known", "error", "gap", "seconds", "status")
Row = dict[str, str | float]


def solve(path: str, known: float, limit: float) -> Row:
    """One instance, with the error against ``known``."""
    result = api.solve(path, "robust_knapsack", time_limit=limit, threads=1)
    objective = float(result.objective or 0.0)
    bound = float("inf") if result.bound is None else float(result.bound)
    best = max(known, objective)
    return {
        "instance": path.rpartition("#")[2],
        "objective": objective,
        "bound": bound,
        "best_known": known,
        "error": 100 * (best - objective) / best,
        "gap": 100 * (bound - objective) / objective,
        "seconds": result.seconds,
        "status": str(result.status),
    }


def table(rows: list[Row]) -> str:
    """The groups by family and size as Markdown."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        found = NAME.match(str(row["instance"]))
        assert found is not None
        groups.setdefault(f"{found[1]} {found[2]}", []).append(row)
    groups["all"] = rows
    lines = ["| group | instances | error % | worst % | gap % | proved | improved | s |", "|" + "---|" * 8]
    for name, members in groups.items():
        errors = [float(row["error"]) for row in members]
        gap = statistics.mean(float(row["gap"]) for row in members)
        proved = sum(row["status"] == "optimal" for row in members)
        improved = sum(float(row["objective"]) > float(row["best_known"]) * (1 + 1e-5) for row in members)
        seconds = statistics.mean(float(row["seconds"]) for row in members)
        lines.append(
            f"| {name} | {len(members)} | {statistics.mean(errors):.3f} | {max(errors):.3f} | {gap:.3f} "
            f"| {proved} | {improved} | {seconds:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-t", "--time-limit", type=float, default=10.0)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with (options.folder / "kp_best_known.csv").open(newline="") as file:
        known = {row["instance"]: float(row["best_known"]) for row in csv.DictReader(file)}
    names = list(known)[:: options.every]
    paths = [f"{options.folder / 'kp_instances.jsonl'}#{name}" for name in names]
    rows = []
    with ProcessPoolExecutor(options.jobs) as pool:
        limits = [options.time_limit] * len(names)
        for row in pool.map(solve, paths, [known[name] for name in names], limits):
            rows.append(row)
            print(f"{row['instance']}  error {row['error']:.4f} %  gap {row['gap']:.4f} %", file=sys.stderr)
    print(table(rows))
    if options.output is not None:
        with options.output.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
