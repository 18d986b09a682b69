"""Solution quality at the yardstick's time limits: TSP 10 s, CVRP 20 s, job shops 60 s, knapsacks 1 s.

python -m benchmarks.quality tsp cvrp jobshop knapsack
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.common import arguments, gap_percent, machine, manifest, progress, table
from combopt import api
from combopt.model import show
from combopt.result import Result

TSP = ("gr202", "a280", "pcb442", "att532", "si535", "rat783", "dsj1000", "u1817")
CVRP = ("X-n101-k25", "X-n200-k36", "X-n303-k21", "X-n502-k39", "X-n783-k48", "X-n1001-k43")
JOBSHOP = ("ft06", "ft10", *(f"la{i:02d}" for i in range(1, 21)))


def _row(result: Result, best: float) -> list[object]:
    assert result.objective is not None
    bound = "-" if result.bound is None else show(result.bound)
    gap = gap_percent(result.objective, best)
    return [
        result.instance.name,
        show(best),
        show(result.objective),
        gap,
        bound,
        str(result.status),
        result.seconds,
        result.solver,
    ]


HEADER = ("instance", "best known", "objective", "gap to it %", "bound", "status", "seconds", "solver")


def _solve_all(files: list[tuple[Path, float]], limit: float, solver: str, seed: int) -> None:
    rows = []
    for path, best in files:
        result = api.solve(path, solver, time_limit=limit, seed=seed)
        rows.append(_row(result, best))
        progress(f"{path.name}: {rows[-1][2]} ({rows[-1][3]:.3f} %)")
    table(HEADER, rows)
    gaps = [float(str(row[3])) for row in rows]
    proven = sum(row[5] == "optimal" for row in rows)
    print(f"\nmean gap {sum(gaps) / len(gaps):.3f} %, largest {max(gaps):.3f} %, proven {proven} of {len(rows)}, "
          f"longest {max(float(str(row[6])) for row in rows):.2f} s\n")  # fmt: skip


def _files(folder: Path, part: str, names: tuple[str, ...], column: str, value: str) -> list[tuple[Path, float]]:
    rows = {row["name"]: row for row in manifest(folder, part)}
    if missing := [n for n in names if n not in rows]:
        print(f"not among the files: {', '.join(missing)}\n")
    return [(folder / part / rows[n][column], float(rows[n][value])) for n in names if n in rows]


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("sets", nargs="*", default=["tsp", "cvrp", "jobshop", "knapsack"])
    parser.add_argument("--solver", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float)
    options = parser.parse_args()
    folder = options.instances
    print(f"{machine()}; seed {options.seed}, all cores\n")
    for name in options.sets:
        limit = options.limit or {"tsp": 10.0, "cvrp": 20.0, "jobshop": 60.0, "knapsack": 60.0}[name]
        print(f"### {name}, limit {limit:g} s\n")
        if name == "tsp":
            files = _files(folder, "tsplib", TSP, "file", "best_known")
        elif name == "cvrp":
            files = _files(folder, "cvrp", CVRP, "file", "best_known")
        elif name == "jobshop":
            files = _files(folder, "jssp", JOBSHOP, "path", "UB")
        else:
            rows = [r for r in manifest(folder, "kp") if r["problem"] == "KP01"]
            files = [(folder / "kp" / r["file"], float(r["best_known"])) for r in rows if r["best_known"]]
        _solve_all(files, limit, options.solver, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
