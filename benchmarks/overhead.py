"""What combopt adds: start of the command line, an in-process solve of a tiny model, SCIP on real models.

python -m benchmarks.overhead
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.common import arguments, machine, manifest, progress, table
from combopt import api
from combopt.instances.mip import Mip, MipBuilder
from combopt.solvers.isolate import POOL

MIPS = 10
CANDIDATES = (
    "bell3a", "fiber", "misc07", "pp08a", "dsbmip", "p2756", "neos-3381206-awhea", "bppc8-02", "binkar10_1", "10teams",
    "neos-911970", "qiu", "rout", "air05", "eil33-2", "mod011", "vpm2", "lseu", "l152lav",
)  # fmt: skip
"""Models that SCIP solves in a second to a minute; the first :data:`MIPS` for which that holds are measured."""


def help_seconds() -> None:
    times = []
    for _ in range(9):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "combopt", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    print(f"\n`combopt --help`: median {statistics.median(times):.3f} s, largest {max(times):.3f} s of 9\n")


def tiny() -> Mip:
    """Three binaries and a row."""
    builder = MipBuilder("tiny")
    columns = [builder.binary(f"x{i}", cost=-(i + 1.0)) for i in range(3)]
    builder.row(dict.fromkeys(columns, 1.0), upper=2.0)
    return builder.build()


def native_tiny() -> float:
    import pyscipopt

    started = time.perf_counter()
    model = pyscipopt.Model()
    model.hideOutput()
    x = [model.addVar(vtype="B", obj=-(i + 1.0)) for i in range(3)]
    model.addCons(sum(x) <= 2)
    model.optimize()
    return time.perf_counter() - started


def tiny_overhead() -> None:
    instance = tiny()
    ours, theirs = [], []
    for _ in range(30):
        theirs.append(native_tiny())
        started = time.perf_counter()
        api.solve(instance, "scip", isolate=False)
        ours.append(time.perf_counter() - started)
    added = statistics.median(ours) - statistics.median(theirs)
    print(
        f"In-process solve of a tiny model: native SCIP {1000 * statistics.median(theirs):.2f} ms, "
        f"combopt.solve {1000 * statistics.median(ours):.2f} ms, added {1000 * added:.2f} ms (medians of 30)\n"
    )


def scip_ratio(folder: Path, limit: float) -> None:
    """SCIP through combopt (reading, building, solving, checking) against SCIP reading the file itself, in CPU time.

    Both run on one thread, in turns, and the medians count: on a shared machine single runs differ by ten per cent.
    """
    rows = []
    known = {row["name"]: row for row in manifest(folder, "mip")}
    for row in (known[name] for name in CANDIDATES if name in known):
        path = folder / "mip" / row["file"]
        first = _native(path, limit)
        if first[3] != "optimal" or first[0] < 1.0:
            continue  # not finished, or too quick to measure
        POOL.clear()
        api.solve(tiny(), "scip")  # starts a process and loads SCIP
        theirs, ours = [first], [_ours(path, limit)]
        for _ in range(6 if first[0] < 3 else 2 if first[0] < 8 else 1):
            theirs.append(_native(path, limit))
            ours.append(_ours(path, limit))
        native, through = statistics.median(t[0] for t in theirs), statistics.median(o[0] for o in ours)
        rows.append((row["name"], len(ours), native, through, through / native, first[1], ours[0][1], first[2]))
        progress(str(rows[-1]))
        if len(rows) == MIPS:
            break
    table(
        (
            "model",
            "runs of each",
            "SCIP CPU s",
            "combopt CPU s",
            "ratio",
            "SCIP objective",
            "combopt objective",
            "nodes",
        ),
        rows,
    )
    ratios = [float(row[4]) for row in rows]
    if ratios:
        print(f"\ngeometric mean of the ratios {statistics.geometric_mean(ratios):.3f}\n")


def _native(path: Path, limit: float) -> tuple[float, float, int, str]:
    import pyscipopt

    started = time.process_time()
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/time", limit)
    model.readProblem(str(path))
    model.optimize()
    value = model.getObjVal() if model.getNSols() else float("nan")
    return time.process_time() - started, value, model.getNNodes(), model.getStatus()


def _ours(path: Path, limit: float) -> tuple[float, object]:
    """CPU seconds of this process and of the solver's, which has been started, and has solved something, before."""
    before = time.process_time(), _child_seconds()
    result = api.solve(path, "scip", time_limit=limit, threads=1)
    after = time.process_time(), _child_seconds()
    return sum(after) - sum(before), result.objective


def _child_seconds() -> float:
    """CPU seconds of the waiting solver processes, in steps of a hundredth as a rule."""
    ticks = 0
    for worker in POOL._idle:
        fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--limit", type=float, default=120.0)
    options = parser.parse_args()
    print(machine())
    help_seconds()
    tiny_overhead()
    scip_ratio(options.instances, options.limit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
