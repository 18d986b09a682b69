"""What a solve returns: the checked solution, what is known about it, and how it came about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from combopt import serial
from combopt.errors import InputError, SolverError
from combopt.model import Number, Sense, Solution, Violation, show

SCHEMA = "combopt.result/1"


class Status(StrEnum):
    """What is known about the instance after the solve."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    UNKNOWN = "unknown"

    @property
    def sentence(self) -> str:
        """Cause and remedy."""
        return _STATUS_SENTENCES[self]


class StoppedBy(StrEnum):
    """Why the solver stopped."""

    PROOF = "proof"
    TIME = "time"
    GAP = "gap"
    TARGET = "target"
    INTERRUPT = "interrupt"
    ITERATIONS = "iterations"
    MEMORY = "memory"
    FINISHED = "finished"
    CRASH = "crash"

    @property
    def sentence(self) -> str:
        """Cause and remedy."""
        return _STOPPED_SENTENCES[self]


_STATUS_SENTENCES = {
    Status.OPTIMAL: "The solution is feasible and the dual bound proves that none is better.",
    Status.FEASIBLE: "The solution is feasible; a better one may exist. A longer time limit or a solver that "
    "proves bounds may close the gap.",
    Status.INFEASIBLE: "The solver proved that no solution exists. Check the data, or relax a constraint.",
    Status.UNBOUNDED: "The objective can be improved without limit. A bound on a variable is probably missing.",
    Status.UNKNOWN: "No feasible solution was found within the limits. Allow more time or try another solver.",
}
_STOPPED_SENTENCES = {
    StoppedBy.PROOF: "The search space is exhausted; nothing remains to be done.",
    StoppedBy.TIME: "The time limit was reached. Raise it with -t or time_limit.",
    StoppedBy.GAP: "The gap asked for was reached. Lower it with --gap to go on.",
    StoppedBy.TARGET: "A solution at least as good as the target was found.",
    StoppedBy.INTERRUPT: "The run was interrupted; the best checked solution was kept.",
    StoppedBy.ITERATIONS: "The limit on iterations or nodes was reached.",
    StoppedBy.MEMORY: "The memory limit was reached. Raise it with --memory, or use fewer threads.",
    StoppedBy.FINISHED: "The heuristic ended by itself; it proves nothing about better solutions.",
    StoppedBy.CRASH: "The solver's process died; the best checked solution was kept. The messages say how.",
}


class TracePoint(NamedTuple):
    """A moment of the search: seconds since the call, best checked objective and dual bound (or ``None``)."""

    seconds: float
    objective: Number | None
    bound: Number | None


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """Enough of the instance to know it again."""

    name: str
    kind: str
    sha256: str
    size: dict[str, int]
    conventions: tuple[str, ...] = ()


def relative_gap(objective: Number | None, bound: Number | None) -> float | None:
    """``|objective - bound| / max(|objective|, 1e-9)``, or ``None`` if either is unknown."""
    if objective is None or bound is None:
        return None
    difference = abs(objective - bound)
    return 0.0 if difference == 0 else float(difference / max(abs(objective), 1e-9))


def percent(gap: float, digits: int | None = None) -> str:
    """A relative gap for people, with so many decimals; beyond ten times the objective, which may be 0, its size
    says nothing."""
    if gap > 10:
        return "> 1000 %"
    return f"{100 * gap:.4g} %" if digits is None else f"{100 * gap:.{digits}f} %"


@dataclass(frozen=True, kw_only=True)
class Result:
    """The outcome of one solve.

    ``objective`` and ``violations`` are recomputed from the instance; a solution with violations is never
    returned.  ``bound`` is the dual bound that the solver claims, in the sense of the instance, after checking
    that it does not contradict ``objective``.  ``trace`` has a row for every improvement of either.  ``rejected``
    counts the solutions of the solver that failed the check, and ``contradicted`` says that a claim of it (a bound,
    optimality, infeasibility) did; the messages say which.  ``steps`` is the account that some solvers give of what
    they did: for ``balans``, the neighbourhood, who searched it, how it ended and what it was worth.
    """

    status: Status
    stopped_by: StoppedBy
    instance: InstanceInfo
    sense: Sense
    solution: Solution | None
    objective: Number | None
    bound: Number | None
    seconds: float
    solver: str
    version: str
    options: dict[str, Any]
    seed: int
    threads: int
    trace: tuple[TracePoint, ...] = ()
    violations: tuple[Violation, ...] = ()
    exactness: str = "exact"
    messages: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    rejected: int = 0
    contradicted: bool = False

    @property
    def gap(self) -> float | None:
        """Relative gap between objective and bound; ``None`` if either is unknown."""
        return relative_gap(self.objective, self.bound)

    @property
    def exit_code(self) -> int:
        """The exit code that the command line documents for this result."""
        if self.status in (Status.INFEASIBLE, Status.UNBOUNDED):
            return 4
        if self.solution is not None:
            return 0
        return 5 if self.stopped_by is StoppedBy.CRASH else 1

    def raise_for_status(self) -> Result:
        """Return ``self`` if there is a solution, else raise :class:`SolverError` with cause and remedy."""
        if self.solution is None:
            raise SolverError(
                "E301",
                f"{self.solver} returned no solution for {self.instance.name}: {self.status}",
                expected="a feasible solution",
                remedy=f"{self.status.sentence} {self.stopped_by.sentence}",
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain data; see :meth:`to_json`."""
        return {"schema": SCHEMA, **serial.encode_fields(self), "gap": serial.encode(self.gap)}

    def to_json(self, indent: int | None = None) -> str:
        """One strict JSON object, from which :meth:`from_json` makes an equal result."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Result:
        """The inverse of :meth:`to_dict`; raises :class:`InputError` for anything else."""
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise InputError("E102", "this is no result of combopt", expected=f'"schema": "{SCHEMA}"')
        return serial.decode_fields(cls, {k: v for k, v in data.items() if k not in ("schema", "gap")})

    @classmethod
    def from_json(cls, text: str) -> Result:
        """The inverse of :meth:`to_json`."""
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise InputError("E123", f"not JSON: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write :meth:`to_json` to a file."""
        Path(path).write_text(self.to_json(indent=2) + "\n", encoding="utf-8")

    def __str__(self) -> str:
        return "\n".join(f"{name:<10} {value}" for name, value in self.summary())

    def summary(self) -> list[tuple[str, str]]:
        """The lines of the final block: name and value."""
        size = ", ".join(f"{count} {what}" for what, count in self.instance.size.items())
        seconds = f"{self.seconds:.2f} s"
        lines = [
            ("instance", f"{self.instance.name} ({self.instance.kind}: {size})"),
            ("solver", f"{self.solver} {self.version}, seed {self.seed}, threads {self.threads}"),
            ("status", f"{self.status}, stopped by {self.stopped_by}"),
            ("objective", "-" if self.objective is None else f"{show(self.objective)} ({self.sense})"),
            ("bound", "-" if self.bound is None else show(self.bound)),
            ("gap", "-" if self.gap is None else percent(self.gap)),
            ("time", seconds),
        ]
        if self.solution is not None:
            lines.append(("checked", f"feasible, {self.exactness}"))
        lines += [("convention", text) for text in self.instance.conventions]
        return lines
