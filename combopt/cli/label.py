"""``combopt label``: random instances, solved, in files that ``combopt train`` reads."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import math
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from combopt import api
from combopt.budget import Budget
from combopt.cli.label_pool import workers
from combopt.cli.label_progress import LabelDisplay
from combopt.cli.label_values import values_command
from combopt.cli.options import pairs
from combopt.errors import CombOptError, InputError, MissingExtraError, Place, SolverError, UsageError
from combopt.model import Instance, Solution

TEACHERS = {"tsp": ("fast_tsp", 0.02), "atsp": ("fast_tsp", 0.5), "cvrp": ("hgs", 1.0), "op": ("prize_search", 0.2)}
"""Solver and seconds for an instance, by kind."""
OTHERS = ("auto", 1.0)
"""The same for kinds that are not named."""
HANDING_OVER = 0.1
"""Seconds that solvers keep back at the end of their time; added to the time of search."""
SPAN = 10_000
"""Numbers of chunks that belong to a seed."""
AHEAD = 2
"""Chunks whose instances wait at a time, so that no worker does at the end of one."""


@dataclass(frozen=True)
class Work:
    """All that there is to do: instances of ``kind`` and ``size``, ``count`` in each of ``chunks``, and how."""

    kind: str
    size: int
    chunks: tuple[int, ...]
    count: int
    solver: str
    options: dict[str, str]
    budget: dict[str, Any]

    def path(self, folder: Path, chunk: int) -> Path:
        return folder / f"{self.kind}{self.size}-{chunk}.npz"


@dataclass(frozen=True)
class Task:
    """Some instances of a chunk, the first of them number ``first``, for a worker."""

    work: Work
    chunk: int
    first: int
    instances: tuple[Instance, ...]


def label_command(options: argparse.Namespace) -> int:
    """Make what is not yet in the folder; exit code 0 when all is there."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("torch", "learn")
    from combopt.learned.value.problems import TABLE

    if options.kind in TABLE:
        return values_command(options)
    if options.instance:
        raise UsageError("E201", f"--instance with {options.kind}", expected="no such option", remedy="Give --size N.")
    from combopt.learned.labels import HELD_OUT
    from combopt.learned.problems import find

    problem = find(options.kind)
    work = planned(options, HELD_OUT)
    problem.chunk_instances(work.size, 0, 1)  # an error here comes before anything is written
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("E205", f"cannot make {folder}: {error.strerror}") from None
    held = chunks_of(work, folder)
    missing = [chunk for chunk in work.chunks if chunk not in held]
    began = time.monotonic()
    with LabelDisplay(work.count * len(missing), quiet=options.quiet) as display:
        for chunk, solutions in solved(problem, work, missing, options.jobs or Budget().cores, display):
            write(problem, work, folder, chunk, solutions)
    seconds = time.monotonic() - began
    made, chunks = work.count * len(missing), len(work.chunks)
    total = work.count * chunks
    if options.json:
        data = {"schema": "combopt.label/1", "kind": work.kind, "size": work.size, "chunks": chunks}
        print(json.dumps({**data, "instances": total, "made": made, "solver": work.solver, "seconds": seconds}))
        return 0
    print(f"labels     {total:,} instances of {work.kind}, size {work.size}, in {chunks} chunks of {work.count}")
    print(f"solver     {described(work)}")
    print(f"made       {made:,} in {seconds:.0f} s")
    print(f"folder     {folder}")
    return 0


# --- what was asked for --------------------------------------------------------------------------------------------


def planned(options: argparse.Namespace, held_out: int) -> Work:
    """The work of the arguments; ``held_out`` is the number of chunks kept for validation.

    Raises
    ------
    UsageError
        If there is no such solver, or an option does not fit.
    """
    if options.size is None or options.size < 3:
        found = "no --size" if options.size is None else f"--size {options.size}"
        raise UsageError("E201", found, expected="3 or more")
    name, usual = TEACHERS.get(options.kind, OTHERS)
    solver, seconds = options.solver or name, options.time_limit
    if seconds is None:
        seconds = math.inf if options.iterations is not None else usual
    given = pairs(options.set)
    if solver != "auto":
        made = api.make_solver(solver, given)
        if (error := made.missing()) is not None:
            raise error
        if options.kind not in made.info.kinds:
            kinds = ", ".join(made.info.kinds)
            raise UsageError("E201", f"{solver} does not solve {options.kind}", expected=f"{kinds} for {solver}")
    if options.held_out > held_out:
        raise UsageError("E201", f"--held-out {options.held_out}", expected=f"at most {held_out} chunks")
    count = min(options.count, options.chunk or (1000 if seconds <= 0.1 else 100))
    chunks = -(-options.count // count)
    first = held_out + SPAN * options.seed
    if chunks > SPAN - held_out or first + chunks >= 2**31:
        raise UsageError(
            "E201", f"{chunks} chunks, seed {options.seed}", expected=f"at most {SPAN - held_out}, seeds to 200,000",
            remedy="Give another --seed for more of them, or a larger --chunk.",
        )  # fmt: skip
    return Work(
        kind=options.kind,
        size=options.size,
        chunks=(*range(options.held_out), *range(first, first + chunks)),
        count=count,
        solver=solver,
        options=given,
        budget={"time_limit": seconds + HANDING_OVER, "iterations": options.iterations, "threads": 1},
    )


def described(work: Work) -> str:
    """Solver, version, options and limits in a few words."""
    version = "" if work.solver == "auto" else api.make_solver(work.solver, work.options).info.version() or ""
    named = [f"{key}={value}" for key, value in sorted(work.options.items())]
    seconds, iterations = work.budget["time_limit"] - HANDING_OVER, work.budget["iterations"]
    limits = [] if math.isinf(seconds) else [f"{seconds:.3g} s"]
    limits += [] if iterations is None else [f"{iterations} iterations"]
    return ", ".join([f"{work.solver} {version}".strip(), *named, *limits])


def chunks_of(work: Work, folder: Path) -> set[int]:
    """The chunks that the files of the folder hold.

    Raises
    ------
    InputError
        If one of them is damaged, or holds another number of instances.
    """
    held: set[int] = set()
    for path in sorted(folder.glob(f"{work.kind}{work.size}-*.npz")):
        try:
            with np.load(path, allow_pickle=False) as archive:
                chunks = archive["chunk"].tolist()
                counts = {archive[name].shape[1] for name in archive.files if archive[name].ndim == 3}
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError("E102", f"no label file: {error}", place=Place(str(path))) from None
        wanted = set(chunks) & set(work.chunks)
        if wanted and counts != {work.count}:
            raise InputError(
                "E115", f"chunks of {', '.join(map(str, counts))} instances", place=Place(str(path)),
                expected=f"{work.count}", remedy="Give the same --chunk as before, or another folder.",
            )  # fmt: skip
        held |= wanted
    return held


# --- the work ------------------------------------------------------------------------------------------------------


def solved(
    problem: Any, work: Work, chunks: list[int], jobs: int, display: LabelDisplay
) -> Iterator[tuple[int, list[tuple[Instance, Solution]]]]:
    """The chunks in order, each with its instances and their solutions, from ``jobs`` processes.

    Raises
    ------
    SolverError
        E301 if a process dies, or an instance gets no feasible solution.
    """
    share = batch(work)
    waiting: deque[tuple[int, list[Instance], list[Future[Any]]]] = deque()
    left = deque(chunks)
    with workers(jobs) as submit:
        while left or waiting:
            while left and len(waiting) < AHEAD:
                chunk = left.popleft()
                instances = problem.chunk_instances(work.size, chunk, work.count)
                tasks = [Task(work, chunk, k, tuple(instances[k : k + share])) for k in range(0, work.count, share)]
                waiting.append((chunk, instances, [_submitted(submit, task, display) for task in tasks]))
            chunk, instances, futures = waiting.popleft()
            yield chunk, list(zip(instances, _collected(futures), strict=True))


def batch(work: Work) -> int:
    """Instances that a worker takes at a time: about a second of work."""
    return max(1, min(50, work.count, int(1.0 / work.budget["time_limit"])))


def _submitted(submit: Callable[..., Future[Any]], task: Task, display: LabelDisplay) -> Future[Any]:
    future = submit(solve_all, task)

    def told(done: Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            display.add(len(task.instances))

    future.add_done_callback(told)
    return future


def _collected(futures: list[Future[Any]]) -> list[Solution]:
    found: list[Solution] = []
    for future in futures:
        answer = future.result()
        if isinstance(answer, str):
            raise SolverError("E301", answer, remedy="Give the solver more time with -t, or another one.")
        found += answer
    return found


def solve_all(task: Task) -> list[Solution] | str:
    """Solutions of the instances of a task, or what went wrong in a sentence."""
    found: list[Solution] = []
    for row, instance in enumerate(task.instances, task.first):
        seed = (1_000_003 * task.chunk + row) % 2**31
        try:
            result = api.solve(
                instance, task.work.solver, isolate=False, options=task.work.options or None, seed=seed,
                **task.work.budget,
            )  # fmt: skip
        except Exception as error:  # process boundary: whatever a solver raises ends in one clear error
            what = str(error) if isinstance(error, CombOptError) else f"{type(error).__name__}: {error}"
            return f"chunk {task.chunk}, instance {row}: {what}"
        if result.solution is None:
            return f"chunk {task.chunk}, instance {row}: {task.work.solver} found no solution"
        found.append(result.solution)
    return found


def write(problem: Any, work: Work, folder: Path, chunk: int, answers: list[tuple[Instance, Solution]]) -> None:
    """Write a chunk, whole or not at all, after a look whether it can be read."""
    import torch

    from combopt.learned.checkpoint import write_atomically

    codes = [problem.codes(instance, solution) for instance, solution in answers]
    arrays = {"chunk": np.array([chunk], dtype=np.int32), **problem.chunk_arrays(work.size, chunk, codes)}
    problem.chunk(arrays, 0, torch.device("cpu"))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, made_by=np.array([described(work)]))
    write_atomically(work.path(folder, chunk), buffer.getvalue())
