"""What a sweep costs beside its runs, whether it survives being killed, and how long the report of a large one takes.

python -m benchmarks.sweep overhead kills report
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import astuple
from pathlib import Path

from benchmarks.common import machine, progress, table
from combopt.bench.runner import sweep
from combopt.bench.runs import Configuration
from combopt.bench.sources import Generated
from combopt.bench.store import Store
from combopt.bench.suite import Suite
from combopt.bench.workers import LocalWorkers
from combopt.budget import Budget
from combopt.errors import CombOptError
from tests.bench.report_stores import synthetic

SUITE = """
seeds = 5
[budget]
time_limit = 60
threads = 1
[[instances]]
generate = "knapsack"
n = 200
count = 25
[[instances]]
generate = "tsp"
n = 11
count = 25
[[solvers]]
solver = "knapsack"
kinds = ["knapsack"]
[[solvers]]
solver = "dantzig"
kinds = ["knapsack"]
[[solvers]]
solver = "held_karp"
kinds = ["tsp"]
[[solvers]]
solver = "nearest_neighbour"
kinds = ["tsp"]
"""

# Solvers with instances that keep them busy for longer than the limit.
BUSY: dict[str, tuple[str, dict[str, object]]] = {
    "fast_tsp": ("tsp", {"n": 500}),
    "tabucol": ("coloring", {"n": 250}),
    "scip": ("mkp", {"n": 250}),
}


def overhead(limit: float, runs: int, jobs: int) -> None:
    """Sweeps of runs that use their limit: their wall time, against the runs' own."""
    print("\nSweeps of runs that use their limit (own: what the runs themselves took, / jobs):\n")
    rows = [_overhead(solver, limit, runs, jobs) for solver in BUSY]
    table(
        ("solver", "runs", "failed", "jobs", "limit s", "wall s", "runs x limit / jobs s", "over it %", "own s",
         "over it %", "before the first run s", "over own without that %"), rows,
    )  # fmt: skip


def _overhead(solver: str, limit: float, runs: int, jobs: int) -> list[object]:
    kind, parameters = BUSY[solver]
    suite = Suite(
        name="overhead",
        configurations=(Configuration(solver=solver),),
        seeds=tuple(range(4)),
        budget=Budget(time_limit=limit, threads=1),
        sources=(Generated(kind=kind, parameters=parameters, size=-(-runs // 4)),),
    )
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "runs.db") as store:
        began, started = time.time(), time.monotonic()
        result = sweep(suite, store, LocalWorkers(jobs), "overhead")
        wall = time.monotonic() - started
        own = sum(run.seconds for run in store.runs()) / jobs
        first = min(run.started for run in store.runs()) - began
    asked = result.ran * limit / jobs
    return [
        solver, result.ran, result.failed, jobs, limit, wall, asked, 100 * (wall / asked - 1), own,
        100 * (wall / own - 1), first, 100 * ((wall - first) / own - 1),
    ]  # fmt: skip


# --- kills ---------------------------------------------------------------------------------------------------------


def kills(number: int, jobs: int, seed: int) -> None:
    """Drivers and workers are killed at random moments; the end must be that of an undisturbed sweep."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.toml").write_text(SUITE)
        os.environ["COMBOPT_SWEEP_MARK"] = name
        _drive(folder, "undisturbed.db", jobs).wait()
        want = _rows(folder / "undisturbed.db")
        path, done = folder / "runs.db", {"driver": 0, "worker": 0}
        started = time.monotonic()
        driver = _drive(folder, path.name, jobs)
        while sum(done.values()) < number:
            target = rng.choice(list(done))
            goal = _count(path) + rng.randrange(0, max(2, 2 * len(want) // number))
            moment = time.monotonic() + rng.uniform(0, 1.5)
            while driver.poll() is None and (
                (_count(path) < goal and time.monotonic() < moment)
                or (target == "worker" and not _children(driver.pid))
            ):
                time.sleep(0.002)
            if driver.poll() is not None:  # all was done; what is left of the kills falls on what there is
                progress(f"the sweep ended after {sum(done.values())} kills; a part of it is thrown away")
                _forget(path, rng)
                driver = _drive(folder, path.name, jobs)
                continue
            if target == "worker":
                workers = _children(driver.pid)
                done["worker"] += bool(workers) and _kill(rng.choice(workers))
                continue
            driver.kill()
            driver.wait()
            done["driver"] += 1
            _none_left(name)
            driver = _drive(folder, path.name, jobs)
        code = driver.wait()
        _none_left(name)
        wall = time.monotonic() - started
        failed = Counter(str(row[-1]) for row in _rows(path) if row[-1] != "none")
        if failed:  # whoever is killed twice with the same run makes it a lost one; a user would try it again
            code = _drive(folder, path.name, jobs, "--retry-failed").wait()
        rows = _rows(path)
    print(f"\n{number} random kills over a sweep of {len(want)} runs ({wall:.0f} s):\n")
    table(
        ("kills of the driver", "kills of a worker", "exit code", "failed, and tried again", "runs", "twice",
         "table as undisturbed"),
        [(done["driver"], done["worker"], code, dict(failed) or "none", len(rows), len(rows) - len(set(rows)),
          rows == want)],
    )  # fmt: skip
    for row in sorted(set(rows) ^ set(want), key=str)[:10]:
        progress(str(row))


def _drive(folder: Path, runs: str, jobs: int, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "combopt", "bench", str(folder / "suite.toml"), "-o", str(folder / runs)]
    return subprocess.Popen([*command, "--jobs", str(jobs), "--machine", "m", "-q", *more], stdout=subprocess.DEVNULL)


def _rows(path: Path) -> list[tuple[object, ...]]:
    with Store(path, readonly=True) as store:
        return sorted((*astuple(r.key), r.objective, r.bound, r.status.value, r.failure.value) for r in store.runs())


def _count(path: Path) -> int:
    try:
        with Store(path, readonly=True) as store:
            return store.count()
    except CombOptError:
        return 0  # not made yet, or being made


def _forget(path: Path, rng: random.Random) -> None:
    with Store(path) as store:
        numbers = [number for (number,) in store.connection.execute("SELECT id FROM run")]
        for number in rng.sample(numbers, len(numbers) // 2):
            store.connection.execute("DELETE FROM run WHERE id = ?", (number,))


def _children(process: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return [int(p) for task in tasks for p in (task / "children").read_text().split()]
    except OSError:
        return []


def _kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _none_left(mark: str) -> None:
    """Wait until no process of the sweep is left, for two seconds at most."""
    until = time.monotonic() + 2.0
    while left := _marked(mark):
        if time.monotonic() > until:
            raise SystemExit(f"processes left behind: {left}")
        time.sleep(0.005)


def _marked(mark: str) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                environment = (process / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"COMBOPT_SWEEP_MARK={mark}".encode() in environment:
                found.append(int(process.name))
    return found


# --- report --------------------------------------------------------------------------------------------------------


def report(instances: int) -> None:
    """The page of a sweep of ``50 * instances`` synthetic runs, each with a trace of 30 points."""
    with tempfile.TemporaryDirectory() as name:
        path, page = Path(name) / "runs.db", Path(name) / "runs.html"
        with synthetic(path, instances, configurations=10, seeds=5, points=30) as store:
            runs = store.count()
        rows = []
        for _ in range(3):
            started = time.monotonic()
            command = [sys.executable, "-m", "combopt", "report", str(path), "--html", str(page)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            rows.append((runs, time.monotonic() - started, page.stat().st_size / 1e6))
    print("\nThe report of a large sweep, three times:\n")
    table(("runs", "seconds", "MB"), rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["overhead", "kills"])
    parser.add_argument("--limit", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--instances", type=int, default=2000, help="of the report; it has 50 runs for each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(machine())
    if "overhead" in options.what:
        overhead(options.limit, options.runs, options.jobs)
    if "kills" in options.what:
        kills(options.kills, max(2, options.jobs), options.seed)
    if "report" in options.what:
        report(options.instances)
    return 0


if __name__ == "__main__":
    sys.exit(main())
