"""Read, write, solve, check, generate: the few calls that put the parts together."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from combopt import registry
from combopt.budget import Budget
from combopt.errors import InputError, UsageError, Warned
from combopt.instances.formats.base import Format, SolutionFormat
from combopt.instances.solutions import RobustPlan
from combopt.instances.text import ReadOptions, Source
from combopt.model import Evaluation, Instance, Number, Solution
from combopt.result import Result
from combopt.serial import decode
from combopt.solvers.base import Solver
from combopt.solvers.gate import Progress
from combopt.solvers.interrupts import Interrupts


@dataclass(frozen=True)
class Reading:
    """An instance with what was noticed while reading it."""

    instance: Instance
    format: str
    warnings: tuple[Warned, ...]


def read(path: str | Path, *, format: str | None = None, **options: Any) -> Instance:
    """Read an instance file, plain or gzipped.

    Parameters
    ----------
    path
        The file; ``FILE#k`` picks one instance of a file that holds many.
    format
        Name of the format; by default it is recognised by extension and content.
    options
        Fields of :class:`~combopt.instances.text.ReadOptions`: ``kind``, ``rounding``, ``fleet``, ``min_prize``,
        ``lenient``.

    Raises
    ------
    InputError
        With file and line, if the file is not a valid instance.
    """
    return read_with_warnings(path, format=format, **options).instance


def read_with_warnings(path: str | Path, *, format: str | None = None, **options: Any) -> Reading:
    """As :func:`read`, with the name of the format and the warnings."""
    file, select = split_selector(str(path))
    source = Source.open(file, ReadOptions(select=select, **options))
    chosen: Format = registry.FORMATS.load(format) if format else recognise(source, registry.FORMATS)
    kind = source.options.kind
    if kind is not None and kind not in chosen.kinds and "*" not in chosen.kinds:
        raise UsageError("E201", f"{chosen.title} hold {', '.join(chosen.kinds)}, not {kind}")
    return Reading(chosen.read(source), chosen.name, tuple(source.warnings))


def split_selector(path: str) -> tuple[str, str | None]:
    """``FILE#k`` as file and selector; a file whose own name holds ``#`` is left alone."""
    file, hash_, select = path.rpartition("#")
    return (file, select) if hash_ and not os.path.exists(path) else (path, None)


def recognise(source: Source, formats: registry.Registry, kind: str | None = None) -> Any:
    """The format of a file: of those that know its content, the first that also knows its extension.

    Raises
    ------
    InputError
        E102 if no format recognises the content.
    """
    able = [f for _, f in formats.items() if kind is None or kind in f.kinds or "*" in f.kinds]
    wanted = source.options.kind

    def rank(entry: Any) -> tuple[bool, bool]:
        # a list of numbers may be of several formats; the problem that was asked for decides, then the extension
        strange = wanted is not None and not (wanted in entry.kinds or "*" in entry.kinds)
        return strange, source.suffix not in entry.extensions

    for entry in sorted(able, key=rank):
        if entry.sniff(source):
            return entry
    claiming = [entry for entry in able if source.suffix in entry.extensions]
    if claiming and (kind is not None or len(claiming) == 1):
        return claiming[0]  # it gives the better message, even if the content is broken beyond recognition
    raise source.error(
        "E102", 0, "the content is of no format that combopt knows", ", ".join(formats.names()),
        "Name the format with --format; combopt list formats shows them.",
    )  # fmt: skip


def read_solution(path: str | Path, instance: Instance, *, format: str | None = None) -> Solution:
    """Read a solution file of the field's own formats, or JSON; whether it is feasible is for ``check`` to say."""
    return _solution_format(path, instance, format)[0]


def _solution_format(path: str | Path, instance: Instance, format: str | None) -> tuple[Solution, float | None]:
    source = Source.open(path)
    table = registry.SOLUTION_FORMATS
    chosen: SolutionFormat = table.load(format) if format else recognise(source, table, instance.kind)
    solution = chosen.read(source, instance)
    return solution, chosen.claim(source)


@dataclass(frozen=True)
class Checked:
    """What :func:`check` found: the evaluation, and the objective that the file claims, if any."""

    evaluation: Evaluation
    claimed: Number | None

    @property
    def claim_holds(self) -> bool:
        """Whether the claimed objective is the recomputed one: exactly if that is an integer, else up to a relative
        difference of 1e-6 or the decimals that the claim has."""
        if self.claimed is None:
            return True
        difference = abs(self.claimed - self.evaluation.objective)
        if isinstance(self.evaluation.objective, int):
            return difference == 0
        text = repr(float(self.claimed))
        last_digit = 0.0 if "e" in text else 0.5000001 * 10.0 ** -len(text.partition(".")[2])
        return difference <= max(last_digit, 1e-6 * max(1.0, abs(self.evaluation.objective)))

    @property
    def ok(self) -> bool:
        return self.evaluation.feasible and self.claim_holds


def check(instance: Instance, solution: Solution | str | Path, *, format: str | None = None) -> Checked:
    """Recompute objective and feasibility of a solution, or of a solution file, from the instance alone.

    A :class:`~combopt.instances.solutions.RobustPlan` without recourse decisions is completed to the exact worst case
    of its first stage, which its evaluation notes.
    """
    found, claimed = (
        (solution, None) if isinstance(solution, Solution) else _solution_format(solution, instance, format)
    )
    if isinstance(found, RobustPlan) and not len(found.recourse):
        from combopt.solvers.robust.complete import evaluated

        return Checked(evaluated(instance, found), claimed)
    return Checked(instance.evaluate(found), claimed)


def write(instance: Instance, path: str | Path, *, format: str | None = None) -> None:
    """Write an instance; the format is chosen by extension unless named.

    Raises
    ------
    UsageError
        If no format writes this kind to that extension, or the file cannot be written (E205).
    """
    chosen = _by_name_or_extension(registry.FORMATS, path, instance.kind, format)
    write_text(path, chosen.write(instance))


def write_solution(solution: Solution, instance: Instance, path: str | Path, *, format: str | None = None) -> None:
    """Write a solution in the field's own format, chosen by extension (``.json`` for JSON) unless named."""
    chosen = _by_name_or_extension(registry.SOLUTION_FORMATS, path, instance.kind, format)
    write_text(path, chosen.write(solution, instance))


def solution_format(instance: Instance, path: str | Path) -> SolutionFormat:
    """The format that :func:`write_solution` would use; raises :class:`UsageError` if there is none."""
    chosen: SolutionFormat = _by_name_or_extension(registry.SOLUTION_FORMATS, path, instance.kind, None)
    return chosen


def _by_name_or_extension(table: registry.Registry, path: str | Path, kind: str, name: str | None) -> Any:
    if name is not None:
        return table.load(name)
    suffix = Path(path).suffix.lower()
    able = [f for _, f in table.items() if f.write is not None and (kind in f.kinds or "*" in f.kinds)]
    for entry in able:
        if suffix in entry.extensions:
            return entry
    endings = ", ".join(e for entry in able for e in entry.extensions)
    raise UsageError("E201", f"no format writes {kind} to {suffix or 'a file without extension'}", expected=endings)


def write_text(path: str | Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    target = Path(path)
    if target.exists() and not target.is_file():  # a pipe, /dev/stdout
        target.write_text(text, encoding="utf-8")
        return
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            temporary = file.name
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        reason = error.strerror or type(error).__name__
        raise UsageError("E205", f"cannot write {target}: {reason}", remedy="Choose another place with -o.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def solver_and_options(name: str, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """Name and options of a solver, where ``external:COMMAND`` stands for ``external`` with that command."""
    solver, colon, command = name.partition(":")
    if solver == "external" and colon:
        return solver, {"command": command, **(options or {})}
    return name, dict(options or {})


def make_solver(name: str, options: dict[str, Any] | None = None) -> Solver:
    """The solver called ``name`` with options by name; strings are read as the type of the option.

    ``external:COMMAND`` is short for ``external`` with the option ``command``.

    Raises
    ------
    UsageError
        E204 for an unknown solver, E201 for an unknown option or a value that does not fit.
    """
    name, options = solver_and_options(name, options)
    cls: type[Any] = registry.SOLVERS.load(name)
    known = {f.name: f for f in dataclasses.fields(cls)}
    hints = _hints(cls)
    values = {}
    for key, value in options.items():
        if key not in known:
            raise UsageError("E201", f"{name} has no option {key!r}", expected=", ".join(known) or "no options at all")
        values[key] = _option(hints[key], value, key) if isinstance(value, str) else value
    try:
        solver: Solver = cls(**values)
    except (TypeError, ValueError) as error:
        raise UsageError("E201", f"{name}: {error}") from None
    return solver


def _hints(cls: type[Any]) -> dict[str, Any]:
    import typing

    return typing.get_type_hints(cls)


def _option(hint: Any, text: str, key: str) -> Any:
    import json

    try:
        raw = json.loads(text)
    except json.JSONDecodeError:
        raw = text
    for candidate in (raw, text):
        try:
            return decode(hint, candidate, key)
        except InputError as error:
            problem = error
    raise UsageError("E201", problem.found, expected=problem.expected)


def solve(
    instance: Instance | str | Path,
    solver: str | Solver = "auto",
    *,
    start: Solution | None = None,
    report: Callable[[Progress], None] | None = None,
    isolate: bool = True,
    interrupts: Interrupts | None = None,
    options: dict[str, Any] | None = None,
    started: float | None = None,
    **budget: Any,
) -> Result:
    """Solve an instance and return the best checked answer.

    Parameters
    ----------
    instance
        An instance, or the path of an instance file.
    solver
        A name of ``combopt list solvers``, a solver object, ``auto`` to choose by kind and size, or
        ``external:COMMAND`` for any program (see :mod:`combopt.solvers.external`).
    start
        A solution to start from; the answer is never worse than it.
    report
        Called with a :class:`~combopt.solvers.gate.Progress` on every improvement.
    isolate
        Run the solver in a child process, so that the time limit and the answer survive whatever it does.
    options
        The solver's own options by name.
    budget
        Fields of :class:`~combopt.budget.Budget`: ``time_limit``, ``gap``, ``target``, ``seed``, ``threads``, ...

    Raises
    ------
    UnsupportedError
        If the solver cannot take the instance; the message lists those that can.
    """
    started = time.monotonic() if started is None else started
    known = {f.name for f in dataclasses.fields(Budget)}
    if unknown := set(budget) - known:
        raise UsageError("E201", f"{unknown.pop()!r} is no part of a budget", expected=", ".join(sorted(known)))
    limits = Budget(**budget)
    if not isinstance(instance, Instance):
        instance = read(instance)
    from combopt.solvers import auto, harness

    if solver == "auto":
        solver = auto.choose(instance)
    chosen = make_solver(solver, options) if isinstance(solver, str) else solver
    auto.insist(chosen, instance)
    return harness.solve(
        chosen, instance, limits, start=start, report=report, isolate=isolate, interrupts=interrupts, started=started
    )


def generate(kind: str, *, seed: int = 0, **parameters: Any) -> Instance:
    """A random instance of ``kind``; the same seed gives the same instance.

    ``parameters`` are those of the ``generate`` method of the kind, such as ``n`` and ``family``.
    """
    cls: Any = registry.PROBLEMS.load(kind)
    try:
        made: Instance = cls.generate(np.random.default_rng(seed), **parameters)
    except TypeError as error:
        raise UsageError("E201", f"generate {kind}: {error}") from None
    return made
