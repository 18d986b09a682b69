"""Any program as a solver: it reads the instance from a file and writes its solutions to another.

The program runs under a keeper (:mod:`combopt.solvers.keeper`), which ends it, with all that it started, and removes
its folder when this process asks or is gone, however it went.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import string
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from combopt import registry
from combopt.errors import InputError, SolverError, UsageError
from combopt.instances.formats.base import Format, SolutionFormat
from combopt.instances.text import Source
from combopt.model import Instance, Solution
from combopt.result import StoppedBy
from combopt.solvers import keeper
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo

POLL = 0.1
"""Seconds between two looks at the solution file."""
RESERVE = 0.2
"""Seconds of the time limit that the program is not told of: those that its end and the last reading take."""
_SAMPLE = {"instance": "", "solution": "", "seconds": 1.0, "seed": 1, "threads": 1}


@dataclass(frozen=True, eq=False)
class External(Solver):
    """A program of the user's.

    Parameters
    ----------
    command
        The command line, split as a shell does, but run without one.  ``{instance}`` and ``{solution}`` stand for
        the two files, ``{seconds}``, ``{seed}`` and ``{threads}`` for the limits, with a format as Python's if need
        be (``{seconds:.0f}``); ``{{`` and ``}}`` are braces.  Without ``{solution}`` the solution is read from what
        the program prints.  It runs in a folder of its own; words that are the path of a file here are made absolute.
    instance_format, solution_format
        Formats to write the instance and to read the solution in, by name; by default the first of the kind that
        combopt writes, and whichever the solution turns out to be of.
    """

    command: str = ""
    instance_format: str = ""
    solution_format: str = ""

    info = SolverInfo(
        name="external",
        title="Any program that reads an instance file and writes a solution file",
        kinds=registry.PROBLEMS.names(),
        capabilities=frozenset({Capability.INCUMBENTS, Capability.INTERRUPT}),
        licence="that of the program",
    )

    def __post_init__(self) -> None:
        if self.instance_format:
            registry.FORMATS.load(self.instance_format)
        if self.solution_format:
            registry.SOLUTION_FORMATS.load(self.solution_format)
        if not self.command:
            return
        try:
            for word in self.words():
                word.format(**_SAMPLE)
        except (ValueError, LookupError, AttributeError) as error:
            raise UsageError(
                "E201", f"the command {self.command!r}: {type(error).__name__}: {error}",
                expected=", ".join(f"{{{name}}}" for name in _SAMPLE) + "; {{ and }} for braces",
            ) from None  # fmt: skip
        if not self._names("instance"):
            raise UsageError("E201", f"the command {self.command!r} does not name {{instance}}")

    def words(self) -> list[str]:
        """The words of the command, as they are written."""
        return shlex.split(self.command)

    def missing(self) -> UsageError | None:
        if not self.command or shutil.which(program := self.words()[0]) is not None:
            return None
        return UsageError("E203", f"there is no program {program!r}", remedy="Install it, or name it by its path.")

    def refuses(self, instance: Instance) -> str | None:
        if not self.command:
            return "no command is given (external:COMMAND, or the option command)"
        form = self._instance_format(instance)
        if form is None:
            return f"no format of that name writes {instance.kind} instances"
        if self.solution_format:
            able = registry.SOLUTION_FORMATS.load(self.solution_format).kinds
            if instance.kind not in able and "*" not in able:
                return f"{self.solution_format} files do not hold solutions of {instance.kind} instances"
        return None

    def run(self, instance: Instance, session: Session) -> Outcome:
        form, written = self._instance_format(instance), self._written(instance)
        assert form is not None
        assert form.write is not None
        with _Keeper() as kept:
            problem = kept.folder / f"instance{form.extensions[0]}"
            problem.write_text(form.write(instance), encoding="utf-8")
            found = kept.folder / f"solution{written.extensions[0]}"
            values = {
                "instance": str(problem),
                "solution": str(found),
                "seconds": round(session.remaining(RESERVE), 3),
                "seed": session.budget.seed,
                "threads": session.budget.cores,
            }
            words = [_here(word, first=number == 0).format(**values) for number, word in enumerate(self.words())]
            kept.start(words, None if self._names("solution") else found, session.budget.memory)
            return _Run(self, instance, session, kept, found).follow()

    def read(self, source: Source, instance: Instance) -> Solution:
        """The solution in a file of the program.

        Raises
        ------
        InputError
            If it is not one, or not yet.
        """
        if self.solution_format:
            chosen: SolutionFormat = registry.SOLUTION_FORMATS.load(self.solution_format)
            return chosen.read(source, instance)
        able = [f for _, f in registry.SOLUTION_FORMATS.items() if instance.kind in f.kinds or "*" in f.kinds]
        able.sort(key=lambda form: source.suffix not in form.extensions)
        return next((form for form in able if form.sniff(source)), self._written(instance)).read(source, instance)

    def _names(self, field: str) -> bool:
        return any(name == field for word in self.words() for _, name, _, _ in string.Formatter().parse(word))

    def _instance_format(self, instance: Instance) -> Format | None:
        able = [f for _, f in registry.FORMATS.items() if f.write and (instance.kind in f.kinds or "*" in f.kinds)]
        if self.instance_format:
            able = [form for form in able if form.name == self.instance_format]
        return min(able, key=lambda form: instance.kind not in form.kinds, default=None)

    def _written(self, instance: Instance) -> SolutionFormat:
        """The format of solutions that is asked for, else the field's own, else JSON."""
        if self.solution_format:
            named: SolutionFormat = registry.SOLUTION_FORMATS.load(self.solution_format)
            return named
        forms = [f for _, f in registry.SOLUTION_FORMATS.items() if f.write and {instance.kind, "*"} & {*f.kinds}]
        return min(forms, key=lambda form: instance.kind not in form.kinds)


def _here(word: str, *, first: bool) -> str:
    """A word that is the path of a file here, made absolute: the program runs in another folder."""
    if (first and os.sep not in word) or not Path(word).is_file():
        return word
    return str(Path(word).absolute()).replace("{", "{{").replace("}", "}}")


class _Keeper:
    """The near side of the keeper process; ``ending`` is what it told of the program's end, ``woken`` is set then."""

    def __init__(self) -> None:
        self.ending: dict[str, Any] | None = None
        self.woken = threading.Event()

    def __enter__(self) -> _Keeper:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        first = self._hear()
        if "folder" not in first:
            raise SolverError("E301", f"no program can be run: {first['error']}")
        self.folder = Path(first["folder"])
        self.output, self.errors = self.folder / "output.txt", self.folder / "errors.txt"
        self._reader = threading.Thread(target=self._listen, daemon=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it goes on without us
            self._process.wait(1.0)
        if self._reader.is_alive():
            self._reader.join(1.0)
        self._process.stdout.close()

    def start(self, words: list[str], output: Path | None, memory: int | None) -> None:
        """Start the program, whose standard output goes to the file ``output``."""
        self.output = output or self.output
        order = {"words": words, "output": str(self.output), "errors": str(self.errors), "memory": memory}
        self._tell(json.dumps(order))
        self._reader.start()

    def stop(self) -> None:
        """End the program, and wait until it has ended."""
        self._tell("stop")
        self._reader.join(5 * keeper.GRACE)

    def tail(self) -> str:
        """The end of what the program had to say."""
        for path in (self.errors, self.output):
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 2000))
                if text := file.read().decode("utf-8", "replace").strip():
                    return "\n".join(text.splitlines()[-20:])
        return ""

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone; the reader says so
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        message: dict[str, Any] = json.loads(line) if line else {"error": "the process that keeps it died"}
        return message

    def _listen(self) -> None:
        self.ending = self._hear()
        self.woken.set()


class _Run:
    """Follows the program, and hands over each state of the solution file that can be read."""

    def __init__(self, solver: External, instance: Instance, session: Session, kept: _Keeper, found: Path) -> None:
        self.solver, self.instance, self.session, self.kept, self.found = solver, instance, session, kept, found
        self.emitted = self.seen = self.tried = _NOTHING
        self.next_look = 0.0
        self.trouble = "it wrote none"

    def follow(self) -> Outcome:
        self.session.on_stop(self.kept.woken.set)
        stopped = False
        while self.kept.ending is None:
            self.kept.woken.wait(POLL)
            if self.kept.ending is None and (self.session.stopping or self.session.remaining(POLL) <= POLL / 10):
                stopped = True
                self.kept.stop()
                break
            self._look()
        self._look(last=True)
        return self._outcome(self.kept.ending or {}, stopped)

    def _outcome(self, ending: dict[str, Any], stopped: bool) -> Outcome:
        none = self.emitted == _NOTHING
        if "error" in ending:
            raise SolverError("E301", f"cannot run {self.solver.words()[0]}: {ending['error']}")
        if ending.get("memory"):
            return Outcome(stopped_by=StoppedBy.MEMORY)
        code = 0 if stopped else ending.get("code", 0)
        if code:
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            text = f"the program ended with {how}" + (f": {tail}" if (tail := self.kept.tail()) else "")
            if none:
                raise SolverError("E301", text)
            self.session.say(text)
        if none:
            self.session.say(f"no solution of the program was read: {self.trouble}")
        return Outcome()

    def _look(self, last: bool = False) -> None:
        """Read the solution file if it has changed, and by now holds still; at last, in whatever state it is."""
        started = time.monotonic()
        state = _state(self.found)
        settled, self.seen = state == self.seen, state
        done = self.emitted if last else self.tried
        if state in (_NOTHING, done) or (not last and (not settled or started < self.next_look)):
            return
        self.tried = state
        try:
            solution = self.solver.read(Source.open(self.found), self.instance)
            # A file that is still being written may look like an infeasible solution.
            if last or self.instance.evaluate(solution).feasible:
                self.session.emit(solution)
                self.emitted = state
        except InputError as error:
            line = error.place.line if error.place else 0
            self.trouble = f"line {line}: {error.found}" if line else error.found
        self.next_look = time.monotonic() + 5 * (time.monotonic() - started)


_NOTHING = (0, 0, 0)


def _state(path: Path) -> tuple[int, int, int]:
    """What tells one state of a file from another; nothing if it is empty or not there."""
    try:
        found = path.stat()
    except OSError:
        return _NOTHING
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found.st_size else _NOTHING
