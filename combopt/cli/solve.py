"""``combopt solve``."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path

from combopt import api
from combopt.cli.options import pairs, read
from combopt.cli.progress import Display
from combopt.errors import CombOptError, UsageError
from combopt.model import Instance, Solution
from combopt.result import Result
from combopt.solvers.gate import Progress
from combopt.solvers.interrupts import Interrupts
from combopt.solvers.isolate import POOL


def solve_command(options: argparse.Namespace) -> int:
    """Solve every file; the exit code is that of the worst."""
    POOL.prepare()  # the solver's process starts while the file is read
    outputs = [_output(options.output, file, len(options.files) > 1) for file in options.files]
    codes = []
    interrupts: Interrupts = options.interrupts
    for file, output in zip(options.files, outputs, strict=True):
        codes.append(_solve_one(options, file, output, interrupts))
        if interrupts.received is not None:
            return 128 + interrupts.received
    return max(codes)


def _solve_one(options: argparse.Namespace, file: str, output: Path | None, interrupts: Interrupts) -> int:
    started = time.monotonic()
    instance = read(options, file).instance
    if output is not None:
        api.solution_format(instance, output)  # refused now rather than after the work is done
    start = _read_start(options.start, instance)
    with Display(quiet=options.quiet, verbose=options.verbose, started=started) as display:
        keep = _Keeper(instance, output)

        def report(progress: Progress) -> None:
            display(progress)
            keep(progress)

        result = api.solve(
            instance,
            options.solver,
            start=start,
            report=report,
            interrupts=interrupts,
            options=pairs(options.set),
            started=started,
            time_limit=options.time_limit,
            gap=options.gap,
            target=options.target,
            iterations=options.iterations,
            nodes=options.nodes,
            seed=options.seed,
            threads=options.threads,
            memory=options.memory,
        )
    _write_solution(result, instance, output)
    _print(result, output, options)
    if options.plot and result.solution is not None:
        from combopt.plot import plot

        picture = _for_file(options.plot, file, len(options.files) > 1)
        plot(result, instance, picture)
        print(f"picture: {picture}", file=sys.stderr)
    return result.exit_code


def _read_start(path: str | None, instance: Instance) -> Solution | None:
    if path is None:
        return None
    start = api.read_solution(path, instance)
    evaluation = instance.evaluate(start)
    if not evaluation.feasible:
        print(f"warning: the start is infeasible: {evaluation.violations[0]}", file=sys.stderr)
    return start


class _Keeper:
    """Writes improving solutions to the output file while the solver runs, rarely enough to cost nothing."""

    def __init__(self, instance: Instance, output: Path | None) -> None:
        self._instance, self._output, self._next = instance, output, 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._output is None or progress.solution is None or now < self._next:
            return
        try:
            api.write_solution(progress.solution, self._instance, self._output)
        except CombOptError:
            self._next = math.inf  # no reason to end the solve; the last write tells
            return
        took = time.monotonic() - now
        self._next = now + max(5.0, 50 * took)


def _write_solution(result: Result, instance: Instance, output: Path | None) -> None:
    if output is None or result.solution is None:
        return
    try:
        api.write_solution(result.solution, instance, output)
    except CombOptError:
        # The work is done; it must not be lost for want of a place on the disk.
        print(json.dumps(result.solution.to_dict(), allow_nan=False), file=sys.stderr)
        raise


def _output(output: str | None, file: str, many: bool) -> Path | None:
    """Where the solution of ``file`` goes; refused before the solve if nothing can be written there."""
    if output is None:
        return None
    path = _for_file(output, file, many)
    if not path.parent.is_dir():
        raise UsageError("E205", f"cannot write {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise UsageError("E205", f"cannot write {path}: it is a folder")
    return path


def _for_file(target: str, file: str, many: bool) -> Path:
    """``target``, or for several files ``target`` with the name of the file before its extension."""
    path = Path(target)
    if not many:
        return path
    stem = Path(api.split_selector(file)[0]).name.removesuffix(".gz").rsplit(".", 1)[0]
    return path.with_name(f"{stem}{path.suffix}" if path.stem == "*" else f"{path.stem}-{stem}{path.suffix}")


def _print(result: Result, output: Path | None, options: argparse.Namespace) -> None:
    if options.json:
        print(result.to_json(), flush=True)
        return
    lines = result.summary()
    if output is not None and result.solution is not None:
        lines.append(("written", str(output)))
    print("\n".join(f"{name:<11} {value}" for name, value in lines), flush=True)
    for message in result.messages:
        print(f"note: {message}", file=sys.stderr)
    if result.solution is None:
        print(f"{result.status.sentence} {result.stopped_by.sentence}", file=sys.stderr)
