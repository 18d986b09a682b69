"""Do limits, signals and crashes cost anything?  Every solver, on an instance that keeps it busy.

python -m benchmarks.reliability limits signals kills
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.common import arguments, machine, progress, table
from benchmarks.hanging import Hanging
from combopt import api, registry
from combopt.result import StoppedBy
from combopt.solvers.isolate import POOL

# For each kind, generator parameters of an instance that no solver finishes within a few seconds.
BUSY: dict[str, dict[str, object]] = {
    "mip": {"n": 800},
    "tsp": {"n": 1000},
    "atsp": {"n": 140},
    "cvrp": {"n": 200},
    "ovrp": {"n": 200},
    "vrptw": {"n": 100},
    "op": {"n": 100},
    "pctsp": {"n": 100},
    "knapsack": {"n": 2000, "family": "strongly"},
    "mkp": {"n": 250},
    "binpacking": {"n": 200},
    "setcover": {"n": 1000},
    "jobshop": {"n": 20},
    "fjsp": {"n": 20},
    "mis": {"n": 400},
    "clique": {"n": 400},
    "coloring": {"n": 250},
}


def busy_pairs() -> list[tuple[str, str]]:
    """Every installed solver with the first kind it declares that it takes at this size."""
    found = []
    for name, cls in registry.SOLVERS.items():
        if cls.info.version() is None:
            continue
        for kind in cls.info.kinds:
            if kind in BUSY and cls().accepts(api.generate(kind, seed=1, **BUSY[kind])):
                found.append((name, kind))
                break
    return found


def limits(limit: float, repeats: int) -> None:
    """Entry to return over the limit, for every solver."""
    allowed = max(0.5, 0.02 * limit)
    rows = []
    for name, kind in [("hanging", "tsp"), *busy_pairs()]:
        overshoots = []
        for seed in range(repeats):
            instance = api.generate(kind, seed=seed, **BUSY[kind])
            solver = Hanging() if name == "hanging" else name
            started = time.monotonic()
            result = api.solve(instance, solver, time_limit=limit, seed=seed)
            overshoots.append(time.monotonic() - started - limit)
        rows.append((name, kind, len(overshoots), max(overshoots), result.status, max(overshoots) <= allowed))
        progress(f"{name}: {max(overshoots):.3f} s over {limit} s")
    print(f"\nSeconds over a limit of {limit:g} s, entry of solve() to its return (allowed: {allowed:g} s):\n")
    table(("solver", "kind", "runs", "largest", "last status", "holds"), rows)


def signals(moments: int, latest: float, jobs: int) -> None:
    """SIGINT and SIGTERM at random moments: seconds until exit, exit code, and whether the solution was written."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        for _, kind in busy_pairs():
            api.write(api.generate(kind, seed=1, **BUSY[kind]), Path(folder) / f"{kind}.json")
        runs = [
            pool.submit(_signalled, Path(folder), name, kind, number, code, moments, latest)
            for name, kind in busy_pairs()
            for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143))
        ]
        rows = [run.result() for run in runs]
    print(
        f"\nSignals at random moments between 0.3 and {latest:g} s after the start of the command, {jobs} at a time:\n"
    )
    table(
        ("solver", "kind", "signal", "runs", "over before", "right code", "checked solution", "median s", "longest s"),
        rows,
    )
    total, right, written = (sum(int(str(row[i])) for row in rows) for i in (3, 5, 6))
    print(f"\n{total} runs: {right} with the right exit code, {written} with a checked solution, longest "
          f"{max(float(str(row[8])) for row in rows):.2f} s\n")  # fmt: skip


def _signalled(
    folder: Path, name: str, kind: str, number: signal.Signals, code: int, moments: int, latest: float
) -> list[object]:
    rng = random.Random(f"{name} {number}")
    instance = folder / f"{kind}.json"
    waits, codes, written, early = [], 0, 0, 0
    for _ in range(moments):
        output = folder / f"{name}-{number}.json"
        output.unlink(missing_ok=True)
        wait, exit_code, found = _interrupted(instance, name, output, number, rng.uniform(0.3, latest))
        if exit_code == 0:
            early += 1  # it had finished before the signal came
            if early == 3 and not waits:
                break  # a heuristic of a moment
            continue
        waits.append(wait)
        codes += exit_code == code
        written += found and api.check(api.read(instance), output).ok
    median = statistics.median(waits) if waits else 0.0
    row = [name, kind, number.name, len(waits), early, codes, written, median, max(waits, default=0.0)]
    progress(str(row))
    return row


def _interrupted(instance: Path, solver: str, output: Path, number: int, moment: float) -> tuple[float, int, bool]:
    command = [sys.executable, "-m", "combopt", "solve", str(instance), "--solver", solver, "-t", "30", "-q"]
    process = subprocess.Popen(
        [*command, "-o", str(output)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    sent = time.monotonic()
    process.communicate(timeout=60)
    return time.monotonic() - sent, process.returncode, output.exists()


def kills(count: int) -> None:
    """The solver's process is killed at random moments; the incumbent must survive, and nothing be left behind."""
    import threading

    rng = random.Random(2)
    instance = api.generate("tsp", seed=1, n=400)
    kept, crashed = 0, 0
    POOL.clear()
    before = len(os.listdir("/proc/self/fd")), set(os.listdir(tempfile.gettempdir()))
    for run in range(count):
        number = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)[run % 3]
        seen: list[float] = []

        def report(progress: object, number: int = number, seen: list[float] = seen) -> None:
            if not seen:
                seen.append(time.monotonic())
                threading.Timer(rng.uniform(0, 0.5), _kill_children, (number,)).start()

        result = api.solve(instance, "fast_tsp", time_limit=5, report=report)
        crashed += result.stopped_by is StoppedBy.CRASH
        kept += result.solution is not None and instance.evaluate(result.solution).feasible
    POOL.clear()
    after = len(os.listdir("/proc/self/fd")), set(os.listdir(tempfile.gettempdir()))
    print(f"\n{count} injected SIGKILL, SIGSEGV and SIGABRT: {crashed} seen as crashes, {kept} incumbents kept; "
          f"children left {len(_children())}, descriptors left {after[0] - before[0]}, "
          f"temporary files left {len(after[1] - before[1])}\n")  # fmt: skip


def _children() -> list[int]:
    return [int(p) for task in Path("/proc/self/task").iterdir() for p in (task / "children").read_text().split()]


def _kill_children(number: int) -> None:
    for child in _children():
        os.kill(child, number)


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("what", nargs="*", default=["limits", "signals", "kills"])
    parser.add_argument("--limit", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--latest", type=float, default=3.0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kills", type=int, default=50)
    options = parser.parse_args()
    print(machine())
    if "limits" in options.what:
        limits(options.limit, options.repeats)
    if "signals" in options.what:
        signals(options.moments, options.latest, options.jobs)
    if "kills" in options.what:
        kills(options.kills)
    return 0


if __name__ == "__main__":
    sys.exit(main())
