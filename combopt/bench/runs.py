"""The words of a sweep: what makes a run the same run, on what it was, and what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from combopt import serial
from combopt.budget import Budget
from combopt.model import Floats, Instance, Number, Sense, Solution
from combopt.result import Result, Status, StoppedBy, TracePoint


class Failure(StrEnum):
    """Why a run counts as failed, whatever else it brought; ``NONE`` for a run in good order."""

    NONE = "none"
    UNSUPPORTED = "unsupported"
    """The solver does not take the instance."""
    WRONG = "wrong"
    """What the solver handed over, or a claim of it, did not stand up to the check."""
    CRASH = "crash"
    """The solver's process died."""
    ERROR = "error"
    """The solver, or the reading of the instance, ended with an error."""
    LOST = "lost"
    """The worker that held the run died, and died again when the run was given to another."""

    @property
    def sentence(self) -> str:
        """Cause and remedy."""
        return _SENTENCES[self]


_SENTENCES = {
    Failure.NONE: "The run ended in good order.",
    Failure.UNSUPPORTED: "The solver does not take the instance; combopt info FILE lists those that do.",
    Failure.WRONG: "The check refuted a solution or a claim of the solver; the messages say which.",
    Failure.CRASH: "The solver's process died. More memory, or another version of the solver, may help.",
    Failure.ERROR: "The run ended with an error; the messages hold it.",
    Failure.LOST: "The worker died twice with this run, probably for want of memory. Run it alone with --jobs 1.",
}


def canonical(data: Any) -> str:
    """``data`` as the one JSON text by which equal data are recognised."""
    return json.dumps(serial.encode(data), sort_keys=True, separators=(",", ":"), allow_nan=False)


def identity(origin: str) -> str:
    """An origin (see :mod:`combopt.bench.origin`) without the place of the file: moved files are the same files."""
    try:
        data = json.loads(origin)
    except json.JSONDecodeError:
        return origin
    return canonical({key: value for key, value in data.items() if key != "path"})


def budget_text(budget: Budget) -> str:
    """The budget without its seed, which is a column of its own."""
    return canonical({k: v for k, v in serial.encode_fields(budget).items() if k != "seed" and v is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A solver with its options; ``label`` is what tables call it, by default the name of the solver."""

    solver: str
    options: dict[str, Any] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        if not self.label:
            pairs = ",".join(f"{k}={v}" for k, v in sorted(self.options.items()))
            object.__setattr__(self, "label", f"{self.solver}[{pairs}]" if pairs else self.solver)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What makes a run the same run: a store holds no two with equal keys.

    ``instance`` is the digest of the instance, ``version`` that of the solver's package, ``options`` and ``budget``
    are :func:`canonical` texts, ``machine`` names the kind of machine (not the host).
    """

    instance: str
    solver: str
    version: str
    options: str
    seed: int
    budget: str
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """An instance as the store knows it; ``origin`` says how to get it again (see :mod:`combopt.bench.suite`)."""

    digest: str
    name: str
    kind: str
    sense: Sense
    size: dict[str, int]
    conventions: tuple[str, ...] = ()
    origin: str = ""

    @classmethod
    def of(cls, instance: Instance, origin: str) -> InstanceRow:
        return cls(
            digest=instance.digest(),
            name=instance.name,
            kind=instance.kind,
            sense=instance.sense,
            size=instance.size(),
            conventions=instance.conventions(),
            origin=origin,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The best known value of an instance; ``proven`` if it is known to be optimal."""

    value: Number
    proven: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The outcome of one run, every value checked; ``started`` is in Unix seconds, ``seconds`` from call to return."""

    key: Key
    label: str
    suite: str = ""
    host: str = ""
    started: float = 0.0
    seconds: float = 0.0
    status: Status = Status.UNKNOWN
    stopped_by: StoppedBy = StoppedBy.FINISHED
    objective: Number | None = None
    bound: Number | None = None
    exactness: str = "exact"
    failure: Failure = Failure.NONE
    messages: tuple[str, ...] = ()
    trace: tuple[TracePoint, ...] = ()
    solution: Solution | None = None

    @classmethod
    def of(cls, key: Key, label: str, result: Result, **more: Any) -> Run:
        """The run that ended with ``result``."""
        return cls(
            key=key,
            label=label,
            seconds=result.seconds,
            status=result.status,
            stopped_by=result.stopped_by,
            objective=result.objective,
            bound=result.bound,
            exactness=result.exactness,
            failure=failure_of(result),
            messages=result.messages,
            trace=result.trace,
            solution=result.solution,
            **more,
        )


def failure_of(result: Result) -> Failure:
    """How a result counts; a wrong answer counts as such even where a right one was kept beside it."""
    if result.stopped_by is StoppedBy.CRASH:
        return Failure.CRASH
    if result.contradicted or (result.rejected and result.solution is None):
        return Failure.WRONG
    return Failure.NONE


def pack(trace: tuple[TracePoint, ...]) -> bytes:
    """A trace as little-endian 64-bit floats, three a point; unknown values are NaN."""
    table = np.array([[np.nan if v is None else float(v) for v in point] for point in trace], dtype="<f8")
    return table.tobytes()


def unpack(data: bytes) -> Floats:
    """The trace that :func:`pack` wrote, of shape (points, 3): seconds, objective, bound."""
    return np.frombuffer(data, dtype="<f8").reshape(-1, 3)
