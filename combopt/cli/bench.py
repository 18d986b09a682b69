"""``combopt bench``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from combopt import serial
from combopt.bench.execute import machine_name
from combopt.bench.executor import Executor
from combopt.bench.lock import only_driver
from combopt.bench.runner import Shard, SweepResult, forget_failed, plan, sweep
from combopt.bench.runs import Configuration
from combopt.bench.store import Store
from combopt.bench.suite import Overrides, Suite, configuration
from combopt.bench.workers import LocalWorkers
from combopt.budget import Budget
from combopt.cli.sweep_progress import SweepDisplay, clock
from combopt.errors import UsageError
from combopt.solvers.interrupts import Interrupts

SCHEMA = "combopt.sweep/1"
SUMMED_UP = 20_000
"""Runs up to which the end of a sweep shows what came out; more of them take seconds to load."""


def bench_command(options: argparse.Namespace) -> int:
    """Run a suite, count what there is to do, or merge files of runs."""
    if options.merge is not None:
        return _merge(options)
    suite = read_suite(options)
    for warning in suite.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    shard = Shard(*options.shard)
    path = runs_file(options.output, suite, shard, len(options.suite) > 1)
    machine = options.machine or machine_name()
    if options.dry_run:
        return _dry_run(options, suite, path, machine, shard)
    interrupts: Interrupts = options.interrupts
    with only_driver(path), Store(path) as store:
        if options.retry_failed:
            forget_failed(suite, store, machine, shard)
        with executor(options, suite) as able, SweepDisplay(quiet=options.quiet) as display:
            result = sweep(suite, store, able, machine, shard=shard, interrupts=interrupts, report=display)
        rows = _summary(store)
    _print(options, suite, path, result, rows)
    return 0 if result.interrupted is None else 128 + result.interrupted


# --- what was asked for --------------------------------------------------------------------------------------------


def read_suite(options: argparse.Namespace) -> Suite:
    """The suite of the arguments; several folders and files make one."""
    if not options.suite:
        raise UsageError("E201", "nothing to run", expected="a suite, a folder or instance files")
    limits = {"time_limit": options.time_limit, "gap": options.gap, "threads": options.threads,
              "memory": options.memory}  # fmt: skip
    overrides = Overrides(
        configurations=configurations(options.solver, options.solvers, options.set),
        seeds=tuple(range(options.seeds)) if options.seeds is not None else (),
        budget={name: value for name, value in limits.items() if value is not None},
        root=None if options.root is None else Path(options.root),
        read={} if options.problem is None else {"kind": options.problem},
    )
    suites = [Suite.read(path, overrides) for path in options.suite]
    if len(suites) == 1:
        return suites[0]
    if any(path.lower().endswith(".toml") for path in options.suite):
        raise UsageError("E201", "a suite beside other arguments", expected="one suite, or folders and files")
    return replace(
        suites[0], name=f"{suites[0].name} and {len(suites) - 1} more",
        sources=tuple(source for suite in suites for source in suite.sources),
    )  # fmt: skip


def configurations(single: list[str], lists: list[str], settings: list[str]) -> tuple[Configuration, ...]:
    """The solvers of ``--solver``, ``--solvers`` and ``--set``."""
    texts = single + [text for entry in lists for text in re.split(r",(?![^\[]*\])", entry) if text.strip()]
    named = [_split(text.strip()) for text in texts]
    for setting in settings:
        target, equals, value = setting.partition("=")
        solver, dot, key = target.strip().partition(".")
        if not (solver and dot and key and equals):
            raise UsageError("E201", f"{setting!r} after --set", expected="NAME.KEY=VALUE")
        fitting = [given for text, given in named if text.partition(":")[0] == solver]
        if not fitting:
            raise UsageError("E201", f"--set {setting}: {solver} is not among the solvers of the command line")
        for given in fitting:
            given.setdefault(key.replace("-", "_"), value.strip())
    return tuple(configuration(text, given) for text, given in named)


def _split(text: str) -> tuple[str, dict[str, Any]]:
    """``NAME[key=value,...]`` as name and options."""
    match = re.fullmatch(r"([\w.-]+)\[(.*)\]", text)
    if match is None:
        return text, {}
    given: dict[str, Any] = {}
    for pair in filter(None, match[2].split(",")):
        key, equals, value = pair.partition("=")
        if not (key.strip() and equals):
            raise UsageError("E201", f"{pair!r} in --solver {text}", expected="NAME[key=value,...]")
        given[key.strip().replace("-", "_")] = value.strip()
    return match[1], given


def runs_file(output: str | None, suite: Suite, shard: Shard, many: bool) -> Path:
    """The file to write: named after the suite by default, and one for each shard."""
    if output is not None:
        path = Path(output)
    else:
        path = Path("runs.db" if many else re.sub(r"[^\w.-]+", "-", Path(suite.name).stem or "runs") + ".db")
    if path.is_dir():
        raise UsageError("E205", f"cannot write {path}: it is a folder")
    if shard.count > 1:
        path = path.with_name(f"{path.stem}.{shard.number}-of-{shard.count}{path.suffix}")
    return path


def default_jobs(budget: Budget) -> int:
    """As many runs side by side as there are cores for their threads."""
    return max(1, Budget().cores // budget.cores)


@contextmanager
def executor(options: argparse.Namespace, suite: Suite) -> Iterator[Executor]:
    """Who carries the runs out."""
    if options.ray is None:
        with LocalWorkers(options.jobs or default_jobs(suite.budget)) as workers:
            yield workers
        return
    from combopt.bench.cluster import RayCluster

    cores = None if options.jobs is None else options.jobs * suite.budget.cores
    # Ray tells of dead workers on stdout, which is for the result.
    with redirect_stdout(sys.stderr), RayCluster(options.ray, suite.budget, cores=cores) as cluster:
        yield cluster


# --- what is told --------------------------------------------------------------------------------------------------


def _dry_run(options: argparse.Namespace, suite: Suite, path: Path, machine: str, shard: Shard) -> int:
    if path.exists():
        with Store(path, readonly=True) as store:
            total, held = plan(suite, store, machine, shard)
    else:
        total, held = plan(suite, None, machine, shard)
    if options.json:
        data = {"schema": SCHEMA, "suite": suite.name, "file": str(path), "total": total, "held": held}
        print(json.dumps(data))
        return 0
    jobs = options.jobs or default_jobs(suite.budget)
    longest = (total - held) * suite.budget.time_limit / jobs
    print(f"suite      {suite.name}: {suite.count()} instances, seeds {', '.join(map(str, suite.seeds))}")
    print(f"solvers    {', '.join(c.label for c in suite.configurations)}")
    print(f"runs       {total}, of which {held} are in {path} and {total - held} are to be done")
    if options.ray is None and longest < 1e9:
        print(f"time       at most about {clock(longest)} with {jobs} at a time")
    return 0


def _summary(store: Store) -> list[dict[str, Any]]:
    if not 0 < store.count() <= SUMMED_UP:
        return []
    from combopt.bench.analysis import analyse
    from combopt.bench.table import Table

    return [
        {"label": s.label, "runs": s.runs, "failed": s.failed, "optimal": s.optimal, "mean_gap": s.mean_gap}
        for s in analyse(Table.load(store)).summaries
    ]


def _print(
    options: argparse.Namespace, suite: Suite, path: Path, result: SweepResult, rows: list[dict[str, Any]]
) -> None:
    if options.json:
        data = {"schema": SCHEMA, "suite": suite.name, "file": str(path), **asdict(result), "configurations": rows}
        print(json.dumps(serial.encode(data), allow_nan=False))
    else:
        if rows:
            width = max(len("solver"), *(len(row["label"]) for row in rows))
            print(f"{'solver':<{width}} {'runs':>8} {'failed':>7} {'optimal':>8} {'mean gap':>10}")
            for row in rows:
                gap = f"{100 * row['mean_gap']:.3f} %"
                print(f"{row['label']:<{width}} {row['runs']:>8} {row['failed']:>7} {row['optimal']:>8} {gap:>10}")
            print()
        before = f", {result.held} were there" if result.held else ""
        failed = f", {result.failed} of them failed" if result.failed else ""
        print(f"{result.ran} runs in {clock(result.seconds)}{failed}{before}")
        print(f"runs: {path}; combopt report {path} --html makes a report")
    if result.interrupted is not None:
        left = result.total - result.held - result.ran
        print(f"interrupted; {left} runs are left, the same command goes on with them", file=sys.stderr)


def _merge(options: argparse.Namespace) -> int:
    target = Path(options.merge)
    if not options.suite:
        raise UsageError("E201", "nothing to merge", expected=f"combopt bench --merge {target} SHARD.db ...")
    with only_driver(target), Store(target) as store:
        added = 0
        for path in options.suite:
            with Store(path, readonly=True) as other:
                added += store.merge(other)
        total = store.count()
    if options.json:
        print(json.dumps({"schema": SCHEMA, "file": str(target), "added": added, "total": total}))
    else:
        print(f"{added} runs added to {target}, {total} in all")
    return 0
