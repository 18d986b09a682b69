"""The columnar view of a store: one array a column, one row a run, which analysis and reports share."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from combopt.bench import origin
from combopt.bench.runs import Failure, InstanceRow, Reference
from combopt.bench.store import Store
from combopt.budget import Budget
from combopt.errors import InputError, Place
from combopt.model import Floats, Ints, Number, Sense
from combopt.result import Status, StoppedBy

Bools = npt.NDArray[np.bool_]

# The order of the columns ``status``, ``stopped`` and ``failure``: each holds positions in its list.
STATUS = tuple(Status)
STOPPED = tuple(StoppedBy)
FAILURE = tuple(Failure)
_TRACE_WIDTH = 3
_UNREAD = "unreadable:"  # how the digests of combopt.bench.execute.unread begin


@dataclass(frozen=True, eq=False)
class Table:
    """Runs as arrays; row ``r`` of every array of length ``runs`` is one run.

    Parameters
    ----------
    instances, references
        The instances in the order of the store, and the best known value of each or ``None``.
    configurations
        Labels, made distinct: what differs (solver, version, options, budget, machine) is appended where labels
        clash.
    instance, configuration
        Positions in ``instances`` and ``configurations``, shape (runs,).
    seed
        The seed of the run, shape (runs,).
    seconds, limit
        Wall-clock seconds of the run and its time limit (``inf`` for none), shape (runs,).
    objective, bound
        Checked objective and claimed dual bound, NaN where there is none, shape (runs,).
    whole, bound_whole
        Whether objective and bound are integers and exact as floats (up to 2^53), shape (runs,).
    status, stopped, failure
        Positions in :data:`STATUS`, :data:`STOPPED` and :data:`FAILURE`, shape (runs,).
    trace_start
        The trace of run ``r`` is ``trace[trace_start[r]:trace_start[r + 1]]``, shape (runs + 1,).
    trace
        Seconds, objective, bound of every point, all traces one after another, shape (points, 3).
    store, run_id
        Which of the loaded stores the run is in, and its row number there, shape (runs,).
    """

    instances: tuple[InstanceRow, ...]
    references: tuple[Reference | None, ...]
    configurations: tuple[str, ...]
    instance: Ints
    configuration: Ints
    seed: Ints
    seconds: Floats
    limit: Floats
    objective: Floats
    bound: Floats
    whole: Bools
    bound_whole: Bools
    status: Ints
    stopped: Ints
    failure: Ints
    trace_start: Ints
    trace: Floats
    store: Ints
    run_id: Ints

    def __post_init__(self) -> None:
        runs = len(self.instance)
        for column in _COLUMNS:
            if getattr(self, column).shape != (runs,):
                raise ValueError(f"column {column} has shape {getattr(self, column).shape}, not ({runs},)")
        if len(self.references) != len(self.instances):
            raise ValueError(f"{len(self.references)} references for {len(self.instances)} instances")
        if self.trace_start.shape != (runs + 1,) or self.trace.shape != (self.trace_start[-1], _TRACE_WIDTH):
            raise ValueError(f"traces of shape {self.trace.shape} for {runs} runs")

    @staticmethod
    def columns() -> tuple[str, ...]:
        """The names of the arrays of shape (runs,)."""
        return _COLUMNS

    @property
    def runs(self) -> int:
        """The number of runs."""
        return len(self.instance)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the instances; where two have the same, the name of the file or generator tells them apart,
        else their kind or the head of the digest."""
        count = Counter(row.name for row in self.instances)
        heads = [row.name if count[row.name] == 1 else _name_of_origin(row) for row in self.instances]
        rows = zip(heads, self.instances, strict=True)
        return distinct([[head, row.kind, row.digest[:8]] for head, row in rows])

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the instances, each once, in alphabetical order."""
        return tuple(sorted({row.kind for row in self.instances}))

    def signs(self) -> Floats:
        """1 for an instance to minimise, -1 for one to maximise, shape (instances,)."""
        return np.array([1.0 if row.sense is Sense.MIN else -1.0 for row in self.instances])

    def points(self, run: int) -> Floats:
        """The trace of one run: seconds, objective, bound, shape (points, 3)."""
        return self.trace[self.trace_start[run] : self.trace_start[run + 1]]

    def select(self, keep: Bools) -> Table:
        """The table of some of the runs; instances and configurations keep their positions."""
        keep = np.asarray(keep, dtype=bool)
        lengths = np.diff(self.trace_start)
        return replace(
            self,
            trace=self.trace[np.repeat(keep, lengths)],
            trace_start=_offsets(lengths[keep]),
            **{column: getattr(self, column)[keep] for column in _COLUMNS},
        )

    def of_kind(self, kind: str) -> Table:
        """The table of the instances of one kind and their runs; configurations keep their positions."""
        chosen = [k for k, row in enumerate(self.instances) if row.kind == kind]
        place = np.full(len(self.instances), -1)
        place[chosen] = np.arange(len(chosen))
        runs = self.select(place[self.instance] >= 0)
        return replace(
            runs,
            instances=tuple(self.instances[k] for k in chosen),
            references=tuple(self.references[k] for k in chosen),
            instance=place[runs.instance],
        )

    @classmethod
    def load(cls, *stores: Store) -> Table:
        """The runs of some stores; a run that several hold (equal keys) counts once, as the first holds it.

        Of several reference values of one instance a proven one counts before others, then the better one.
        """
        parts = _adopted([_read(store) for store in stores])
        instances = {row.digest: row for part in parts for row, _ in part.instances.values()}
        position = {digest: k for k, digest in enumerate(instances)}
        references: dict[str, Reference | None] = dict.fromkeys(instances)
        for part in parts:
            for row, reference in part.instances.values():
                references[row.digest] = firmer(references[row.digest], reference, row.sense)
        used = {name: label for part in parts[::-1] for name, label in part.configurations.values()}
        order = list(dict.fromkeys(name for part in parts for name, _ in part.configurations.values()))
        labels = distinct([[used[name], *name.differences()] for name in order])
        place = {name: k for k, name in enumerate(order)}

        columns = {column: np.concatenate([_EMPTY[column], *(part.columns[column] for part in parts)])
                   for column in _COLUMNS if column != "store"}  # fmt: skip
        columns["store"] = np.repeat(np.arange(len(parts)), [len(part.lengths) for part in parts])
        columns["instance"] = np.concatenate(
            [_EMPTY["instance"]]
            + [_translate(p.columns["instance"], {k: position[r.digest] for k, (r, _) in p.instances.items()})
               for p in parts]
        )  # fmt: skip
        columns["configuration"] = np.concatenate(
            [_EMPTY["configuration"]]
            + [_translate(p.columns["configuration"], {k: place[n] for k, (n, _) in p.configurations.items()})
               for p in parts]
        )  # fmt: skip
        lengths = np.concatenate([np.zeros(0, dtype=np.int64), *(part.lengths for part in parts)])
        table = cls(
            instances=tuple(instances.values()),
            references=tuple(references.values()),
            configurations=labels,
            trace_start=_offsets(lengths),
            trace=np.frombuffer(b"".join(t for part in parts for t in part.traces), "<f8").reshape(-1, _TRACE_WIDTH),
            **columns,
        )
        if len(parts) < 2:
            return table
        pair = table.instance * len(labels) + table.configuration
        first = np.unique(pair * (table.seed.max(initial=0) + 1) + table.seed, return_index=True)[1]
        keep = np.zeros(table.runs, dtype=bool)
        keep[first] = True
        return table if keep.all() else table.select(keep)


_COLUMNS = tuple(
    f.name
    for f in fields(Table)
    if f.name not in ("instances", "references", "configurations", "trace_start", "trace")
)
_FLOATS = ("seconds", "limit", "objective", "bound")
_EMPTY: dict[str, npt.NDArray[Any]] = {
    column: np.zeros(0, dtype=float if column in _FLOATS else bool if "whole" in column else np.int64)
    for column in _COLUMNS
}


class _Name(NamedTuple):
    """What makes two runs runs of the same configuration."""

    solver: str
    version: str
    options: str
    budget: str
    machine: str

    def differences(self) -> list[str]:
        """What may be appended to a label, the most telling first."""
        return [self.solver, self.version, self.options, _short(self.budget), self.machine]


@dataclass(frozen=True)
class _Part:
    """One store: its columns, with its own row numbers in ``instance`` and ``configuration``."""

    instances: dict[int, tuple[InstanceRow, Reference | None]]
    configurations: dict[int, tuple[_Name, str]]
    columns: dict[str, npt.NDArray[Any]]
    lengths: Ints
    traces: list[bytes]


def _read(store: Store) -> _Part:
    try:
        return _part(store)
    except (sqlite3.DatabaseError, KeyError, ValueError) as error:  # KeyError: a status that does not exist
        raise InputError("E102", f"the file of runs is damaged: {error}", place=Place(str(store.path))) from None


def _part(store: Store) -> _Part:
    execute = store.connection.execute
    # One transaction, so that a sweep that goes on meanwhile adds no run of an instance that was not read.
    execute("BEGIN")
    numbers = [number for (number,) in execute("SELECT id FROM instance ORDER BY id")]
    instances = dict(zip(numbers, store.instances(), strict=True))
    configured = {row[0]: row[1:] for row in execute("SELECT * FROM configuration")}
    settings = {row[0]: row[1:] for row in execute("SELECT * FROM setting")}
    rows = execute(
        "SELECT id, instance, configuration, setting, seed, seconds, status, stopped_by, failure, objective,"
        " bound, trace FROM run ORDER BY id"
    ).fetchall()
    execute("COMMIT")
    cells: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * 12
    numbered, instance, configuration, setting, seed, seconds, status, stopped, failure = cells[:9]
    objective, bound, traces = cells[9:]
    limits = {number: _limit(budget) for number, (budget, _) in settings.items()}
    pairs = list(zip(configuration, setting, strict=True))
    configurations = {pair: k for k, pair in enumerate(dict.fromkeys(pairs))}
    columns: dict[str, npt.NDArray[Any]] = {
        "run_id": _ints(numbered),
        "instance": _ints(instance),
        "configuration": _ints([configurations[pair] for pair in pairs]),
        "seed": _ints(seed),
        "seconds": np.array(seconds, dtype=float),
        "limit": np.array([limits[number] for number in setting], dtype=float),
        "status": _positions(status, STATUS),
        "stopped": _positions(stopped, STOPPED),
        "failure": _positions(failure, FAILURE),
        "objective": _numbers(objective),
        "bound": _numbers(bound),
        "whole": _whole(objective),
        "bound_whole": _whole(bound),
    }
    named = {k: (_Name(*configured[c][:3], *settings[s]), configured[c][3]) for (c, s), k in configurations.items()}
    lengths, rest = np.divmod(_ints([len(trace) for trace in traces]), 8 * _TRACE_WIDTH)
    if rest.any():
        raise ValueError("a trace is cut short")
    return _Part(instances, named, columns, lengths, list(traces))


def _adopted(parts: list[_Part]) -> list[_Part]:
    """An instance that one store could not read is the one that another has from the same origin."""
    rows = [row for part in parts for row, _ in part.instances.values()]
    read = {row.origin: row for row in rows if not row.digest.startswith(_UNREAD)}

    def find(row: InstanceRow) -> InstanceRow:
        return read.get(row.origin, row) if row.digest.startswith(_UNREAD) else row

    return [replace(part, instances={k: (find(row), r) for k, (row, r) in part.instances.items()}) for part in parts]


def _name_of_origin(row: InstanceRow) -> str:
    try:
        return origin.name(row.origin)
    except (ValueError, KeyError, TypeError):  # the origin of an instance that did not come from a suite
        return row.name


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _numbers(cells: Sequence[Number | str | None]) -> Floats:
    return np.array([math.nan if cell is None else float(cell) for cell in cells], dtype=float)


def _whole(cells: Sequence[Number | str | None]) -> Bools:
    # integers beyond 2^53 are not exact as floats
    return np.array([isinstance(cell, int) and -(2**53) <= cell <= 2**53 for cell in cells], dtype=bool)


def _positions(values: Sequence[str], members: Sequence[str]) -> Ints:
    position = {str(member): k for k, member in enumerate(members)}
    return _ints([position[value] for value in values])


def _translate(numbers: Ints, to: dict[int, int]) -> Ints:
    """``to[n]`` for every ``n`` of ``numbers``."""
    if not to:
        return numbers
    lookup = np.zeros(max(to) + 1, dtype=np.int64)
    lookup[list(to)] = list(to.values())
    return lookup[numbers]


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _limit(budget: str) -> float:
    return float(json.loads(budget).get("time_limit", Budget.__dataclass_fields__["time_limit"].default))


def _short(budget: str) -> str:
    """A budget in a few letters: ``{"device":"auto","gap":0.0,"time_limit":3.0}`` as ``3s``."""
    data = json.loads(budget)
    usual = {f.name: f.default for f in fields(Budget)}
    rest = {k: v for k, v in data.items() if k != "time_limit" and v != usual.get(k)}
    return ",".join([f"{_limit(budget):g}s"] + [f"{key}={value}" for key, value in sorted(rest.items())])


def firmer(a: Reference | None, b: Reference | None, sense: Sense) -> Reference | None:
    """Of two reference values of one instance a proven one, then the better one, then the first."""
    if a is None or b is None:
        return b if a is None else a
    if a.proven != b.proven:
        return a if a.proven else b
    return b if sense.better(b.value, a.value) else a


def distinct(words: list[list[str]]) -> tuple[str, ...]:
    """The first word of each list, with those of its further words that tell it from the others of the same name.

    Words are appended from left to right, each only if it differs within the group of equal first words; a number
    is the last resort.
    """
    groups: dict[str, list[int]] = {}
    for k, (head, *_) in enumerate(words):
        groups.setdefault(head, []).append(k)
    names = [head for head, *_ in words]
    for members in groups.values():
        width = len(words[members[0]])
        for column in range(1, width):
            if len({names[k] for k in members}) == len(members):
                break
            if len({words[k][column] for k in members}) > 1:
                for k in members:
                    names[k] = f"{names[k]} {words[k][column]}"
    taken: set[str] = set()
    for k, name in enumerate(names):
        number = 2
        while names[k] in taken:
            names[k] = f"{name} #{number}"
            number += 1
        taken.add(names[k])
    return tuple(names)
