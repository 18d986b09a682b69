"""Every benchmark file is read, every solution file checked against the manifest, and reading is timed.

python -m benchmarks.reading
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import arguments, machine, manifest, table
from combopt import api
from combopt.errors import InputError


@dataclass(frozen=True)
class Benchmark:
    """One file of a manifest: how to read it, its best known value and its solution file."""

    part: str
    problem: str
    path: Path
    best: str
    solution: Path | None
    flagged: bool
    options: dict[str, Any]


# Problems of the manifests that are kinds of combopt, and how to read their files.
PROBLEMS: dict[str, dict[str, dict[str, Any]]] = {
    "tsplib": {"TSP": {}, "ATSP": {}, "CVRP": {}},
    "cvrp": {"CVRP": {}, "VRPTW": {}},
    "op": {"OP": {}},
    "pctsp": {"PCTSP": {"min_prize": "0.5"}},
    "kp": {"KP01": {}, "MKP": {}, "SCP": {}, "BPP1D": {}, "MaxClique": {}, "MaxWeightClique": {"kind": "clique"},
           "MIS": {"kind": "mis"}, "Coloring": {"kind": "coloring"}, "PB": {}},
    "jssp": {"": {}},
    "fjsp": {"": {}},
    "mip": {"": {}},
}  # fmt: skip


FLAGS = ("MISMATCH", "INFEAS", "ROUTE_SCORE")
"""Words in a manifest's column ``solution_check`` that say the solution file is wrong."""


def benchmarks(folder: Path) -> Iterator[Benchmark]:
    """All files whose kind combopt knows."""
    for part, problems in PROBLEMS.items():
        for row in manifest(folder, part):
            problem = row.get("problem", "")
            if problem not in problems:
                continue
            if part == "mip" and Path(row["file"].removesuffix(".gz")).suffix not in (".mps", ".lp", ".opb"):
                continue
            tour = row.get("solution_file") or row.get("opt_tour_file") or ""
            note = row.get("solution_check", "")
            many = re.match(r"(\d+) (?:instances|x )", row.get("size", ""))
            for number in range(1, int(many[1]) + 1) if many else (0,):
                path = folder / part / (row.get("file") or row["path"])
                yield Benchmark(
                    part,
                    problem or part,
                    Path(f"{path}#{number}") if number else path,
                    row.get("best_known") or row.get("UB") or "",
                    folder / part / tour if tour else None,
                    any(word in note for word in FLAGS),
                    problems[problem],
                )


def read_all(folder: Path) -> list[tuple[Benchmark, Any]]:
    """Read every file; a table of how many were read and which were refused."""
    count: Counter[str] = Counter()
    refused, instances = [], []
    for item in benchmarks(folder):
        try:
            instances.append((item, api.read(item.path, **item.options)))
            count[item.problem] += 1
        except InputError as error:
            refused.append((item.part, item.path.name, str(error).splitlines()[0].rpartition("/")[2]))
    table(("problem", "files read"), count.items())
    print(f"\nrefused: {len(refused)}\n")
    if refused:
        table(("folder", "file", "why"), refused)
    return instances


def check_all(instances: list[tuple[Benchmark, Any]]) -> None:
    """Check every solution file against the manifest."""
    right: Counter[str] = Counter()
    odd = []
    for item, instance in instances:
        if item.solution is None:
            continue
        try:
            checked = api.check(instance, item.solution)
        except InputError as error:
            odd.append((item.path.name, item.best, "-", error.found, "yes" if item.flagged else "NO"))
            continue
        matches = abs(float(checked.evaluation.objective) - float(item.best)) <= 1e-6 * abs(float(item.best)) + 0.05
        if checked.evaluation.feasible and matches and not item.flagged:
            right[item.problem] += 1
        else:
            violations = checked.evaluation.violations
            what = str(violations[0]) if violations else f"claims {checked.claimed}"
            odd.append(
                (item.path.name, item.best, checked.evaluation.objective, what, "yes" if item.flagged else "NO")
            )
    print("\nSolution files whose recomputed objective is the manifest's:\n")
    table(("problem", "solutions"), right.items())
    print("\nAll others, and whether the manifest flags them:\n")
    table(("file", "best known", "recomputed", "finding", "flagged"), odd)


TIMED = ("tsplib/tsp/d15112.tsp.gz", "tsplib/tsp/d18512.tsp.gz", "cvrp/X/X-n1001-k43.vrp", "cvrp/XXL/Antwerp1.vrp.gz")


def time_reading(folder: Path) -> None:
    """Seconds to read a file in a warm process (best of five), and the peak memory of a fresh one."""
    rows = []
    for name in TIMED:
        path = next(p for p in (folder / name, folder / name.removesuffix(".gz"), folder / f"{name}.gz") if p.exists())
        best = min(_timed(path) for _ in range(5))
        code = f"import sys; from benchmarks.reading import peak; peak({str(path)!r})"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        rows.append((name, best, float(run.stdout)))
    print(
        "\nReading, best of five in a warm process; peak memory of a fresh process, interpreter and numpy included:\n"
    )
    table(("file", "seconds", "peak MB"), rows)


def peak(path: str) -> None:
    """Print the peak memory of this process after reading a file, in MB."""
    instance = api.read(path)
    assert instance.size()
    # Not getrusage: its peak includes the parent's, from before this program was loaded.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _timed(path: Path) -> float:
    started = time.perf_counter()
    api.read(path)
    return time.perf_counter() - started


def time_mps() -> None:
    """A model of a million nonzeros, read by combopt and by highspy in turn."""
    import tempfile

    import highspy
    import numpy as np

    rng = np.random.default_rng(1)
    rows, columns, per_column = 20_000, 100_000, 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.mps"
        with path.open("w", encoding="ascii") as file:
            file.write("NAME million\nROWS\n N cost\n")
            file.writelines(f" L r{i}\n" for i in range(rows))
            file.write("COLUMNS\n")
            for j in range(columns):
                file.write(f"    x{j}  cost  {rng.integers(1, 100)}\n")
                for i in np.sort(rng.choice(rows, per_column, replace=False)):
                    file.write(f"    x{j}  r{i}  {rng.integers(1, 1000) / 8}\n")
            file.write("RHS\n")
            file.writelines(f"    RHS  r{i}  1000\n" for i in range(rows))
            file.write("ENDATA\n")
        ours, theirs = [], []
        for _ in range(3):
            ours.append(_timed(path))
            model = highspy.Highs()
            model.setOptionValue("output_flag", False)
            started = time.perf_counter()
            model.readModel(str(path))
            theirs.append(time.perf_counter() - started)
    print("\nAn MPS file of 1.1 million entries, best of three:\n")
    table(
        ("reader", "seconds", "ratio"), [("combopt", min(ours), min(ours) / min(theirs)), ("highspy", min(theirs), 1)]
    )


def main() -> int:
    options = arguments(__doc__ or "").parse_args()
    print(f"{machine()}\n")
    check_all(read_all(options.instances))
    time_reading(options.instances)
    time_mps()
    return 0


if __name__ == "__main__":
    sys.exit(main())
