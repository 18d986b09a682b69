"""The file of a sweep: one SQLite database that can be read while it is written, and survives any kill.

One process writes, a run and its instance in one transaction each, so that a run is there whole or not at all.  The
key of a run is unique: what was run already is found, never repeated, and never counted twice.
"""

from __future__ import annotations

import json
import math
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from combopt.bench.runs import Failure, InstanceRow, Key, Reference, Run, identity, pack, unpack
from combopt.errors import InputError, Place, UsageError
from combopt.model import Number, Sense, Solution
from combopt.result import Status, StoppedBy, TracePoint

SCHEMA = "combopt.runs/1"
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE instance (
    id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL, sense TEXT NOT NULL,
    size TEXT NOT NULL, conventions TEXT NOT NULL, origin TEXT NOT NULL
);
CREATE TABLE origin (origin TEXT PRIMARY KEY, instance INTEGER NOT NULL REFERENCES instance) WITHOUT ROWID;
CREATE TABLE reference (
    instance INTEGER PRIMARY KEY REFERENCES instance, value NOT NULL, proven INTEGER NOT NULL, source TEXT NOT NULL
);
CREATE TABLE configuration (
    id INTEGER PRIMARY KEY, solver TEXT NOT NULL, version TEXT NOT NULL, options TEXT NOT NULL, label TEXT NOT NULL,
    UNIQUE (solver, version, options)
);
CREATE TABLE setting (
    id INTEGER PRIMARY KEY, budget TEXT NOT NULL, machine TEXT NOT NULL, UNIQUE (budget, machine)
);
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL REFERENCES instance, configuration INTEGER NOT NULL REFERENCES configuration,
    setting INTEGER NOT NULL REFERENCES setting, seed INTEGER NOT NULL,
    suite TEXT NOT NULL, host TEXT NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL,
    status TEXT NOT NULL, stopped_by TEXT NOT NULL, objective, bound, exactness TEXT NOT NULL, failure TEXT NOT NULL,
    messages TEXT NOT NULL, trace BLOB NOT NULL, solution BLOB,
    UNIQUE (instance, configuration, setting, seed)
);
"""


class Store:
    """The runs of a sweep in a file; a context manager.

    Parameters
    ----------
    path
        The file.  It is made if it is not there, unless ``readonly``.

    Raises
    ------
    UsageError
        E205 if it cannot be opened or written.
    InputError
        E102 if it is no file of runs, or one of another version.
    """

    def __init__(self, path: str | Path, *, readonly: bool = False) -> None:
        self.path = Path(path)
        if readonly and not self.path.is_file():
            raise UsageError(
                "E205", f"there is no file {self.path}", remedy="combopt bench SUITE -o RUNS.db makes one."
            )
        target = f"{self.path.resolve().as_uri()}?mode={'ro' if readonly else 'rwc'}"
        try:
            self.connection = sqlite3.connect(target, uri=True, timeout=60, isolation_level=None)
            self._check(readonly)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise UsageError("E205", f"cannot open {self.path}: {error}") from None
            raise InputError("E102", f"this is no file of runs: {error}", place=Place(str(self.path))) from None

    def _check(self, readonly: bool) -> None:
        if not readonly:
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
        names = {name for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not names and not readonly:
            self.connection.executescript(
                f"BEGIN IMMEDIATE; {_TABLES} INSERT INTO meta VALUES ('schema', '{SCHEMA}'); COMMIT;"
            )
            return
        found = None
        if "meta" in names:
            found = self.connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        if found is None:
            raise InputError("E102", "this is no file of runs", place=Place(str(self.path)))
        if found[0] != SCHEMA:
            raise InputError("E102", f"runs of schema {found[0]}", place=Place(str(self.path)), expected=SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    def digest(self, origin: str) -> str | None:
        """The digest of the instance that came from ``origin`` in an earlier run, if any."""
        query = "SELECT digest FROM origin JOIN instance ON instance.id = origin.instance WHERE origin.origin = ?"
        row = self.connection.execute(query, (identity(origin),)).fetchone()
        return None if row is None else row[0]

    def has(self, key: Key) -> bool:
        """Whether the run is there."""
        query = (
            "SELECT 1 FROM run JOIN instance i ON i.id = run.instance"
            " JOIN configuration c ON c.id = run.configuration JOIN setting s ON s.id = run.setting"
            " WHERE i.digest = :instance AND c.solver = :solver AND c.version = :version AND c.options = :options"
            " AND s.budget = :budget AND s.machine = :machine AND run.seed = :seed"
        )
        fields = {name: getattr(key, name) for name in Key.__slots__}
        return self.connection.execute(query, fields).fetchone() is not None

    def add(self, run: Run, instance: InstanceRow, reference: Reference | None = None) -> bool:
        """Write a run with what it belongs to; ``False``, and nothing written, if its key is there already."""
        with self.transaction():
            number = self.add_instance(instance, reference)
            key = run.key
            configuration = self._id(
                "configuration", ("solver", "version", "options"), (key.solver, key.version, key.options), run.label
            )
            setting = self._id("setting", ("budget", "machine"), (key.budget, key.machine))
            solution = None if run.solution is None else zlib.compress(json.dumps(run.solution.to_dict()).encode())
            cursor = self.connection.execute(
                "INSERT OR IGNORE INTO run VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, configuration, setting, key.seed, run.suite, run.host, run.started, run.seconds,
                    run.status.value, run.stopped_by.value, _cell(run.objective), _cell(run.bound), run.exactness,
                    run.failure.value, json.dumps(run.messages), pack(run.trace), solution,
                ),
            )  # fmt: skip
            return cursor.rowcount == 1

    def add_instance(self, instance: InstanceRow, reference: Reference | None = None) -> int:
        """Write an instance unless it is there, and its reference value in place of an older one; its row number."""
        execute = self.connection.execute
        execute(
            "INSERT OR IGNORE INTO instance VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            (
                instance.digest, instance.name, instance.kind, instance.sense.value, json.dumps(instance.size),
                json.dumps(instance.conventions), instance.origin,
            ),
        )  # fmt: skip
        number: int = execute("SELECT id FROM instance WHERE digest = ?", (instance.digest,)).fetchone()[0]
        if instance.origin:
            execute("INSERT OR IGNORE INTO origin VALUES (?, ?)", (identity(instance.origin), number))
        if reference is not None:
            row = (number, _cell(reference.value), int(reference.proven), reference.source)
            execute("INSERT OR REPLACE INTO reference VALUES (?, ?, ?, ?)", row)
        return number

    def merge(self, other: Store) -> int:
        """Take over the runs of another file that are not here; how many there were."""
        instances = {row.digest: (row, reference) for row, reference in other.instances()}
        return sum(self.add(run, *instances[run.key.instance]) for run in other.runs())

    def instances(self) -> Iterator[tuple[InstanceRow, Reference | None]]:
        """Every instance with its reference value."""
        query = (
            "SELECT digest, name, kind, sense, size, conventions, origin, value, proven, source"
            " FROM instance LEFT JOIN reference ON reference.instance = instance.id ORDER BY instance.id"
        )
        for digest, name, kind, sense, size, conventions, origin, value, proven, source in self.connection.execute(
            query
        ):
            instance = InstanceRow(
                digest=digest, name=name, kind=kind, sense=Sense(sense), size=json.loads(size),
                conventions=tuple(json.loads(conventions)), origin=origin,
            )  # fmt: skip
            number = _number(value)
            yield instance, None if number is None else Reference(value=number, proven=bool(proven), source=source)

    def runs(self, where: str = "", parameters: tuple[Any, ...] = ()) -> Iterator[Run]:
        """The runs, one at a time, in the order in which they were written."""
        query = (
            "SELECT i.digest, c.solver, c.version, c.options, run.seed, s.budget, s.machine, c.label, suite, host,"
            " started, seconds, status, stopped_by, objective, bound, exactness, failure, messages, trace, solution"
            " FROM run JOIN instance i ON i.id = run.instance JOIN configuration c ON c.id = run.configuration"
            f" JOIN setting s ON s.id = run.setting {where and 'WHERE ' + where} ORDER BY run.id"
        )
        for row in self.connection.execute(query, parameters):
            yield _run(row)

    def count(self) -> int:
        """The number of runs."""
        number: int = self.connection.execute("SELECT count(*) FROM run").fetchone()[0]
        return number

    def _id(self, table: str, columns: tuple[str, ...], values: tuple[str, ...], label: str | None = None) -> int:
        names = ", ".join(columns + (() if label is None else ("label",)))
        row = values if label is None else (*values, label)
        marks = ", ".join("?" * len(row))
        self.connection.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)
        match = " AND ".join(f"{c} = ?" for c in columns)
        number: int = self.connection.execute(f"SELECT id FROM {table} WHERE {match}", values).fetchone()[0]
        return number

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """``BEGIN IMMEDIATE`` to ``COMMIT``, or ``ROLLBACK`` after an exception."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # raised again
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


def _cell(value: Number | None) -> Number | str | None:
    """A number as SQLite can hold it: whole numbers beyond 64 bits as text."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return str(value)
    return value


def _number(cell: Number | str | None) -> Number | None:
    return int(cell) if isinstance(cell, str) else cell


def _run(row: tuple[Any, ...]) -> Run:
    digest, solver, version, options, seed, budget, machine, label, suite, host, started = row[:11]
    seconds, status, stopped_by, objective, bound, exactness, failure, messages, trace, solution = row[11:]
    points = [
        TracePoint(at, None if math.isnan(value) else value, None if math.isnan(dual) else dual)
        for at, value, dual in unpack(trace).tolist()
    ]
    return Run(
        key=Key(
            instance=digest, solver=solver, version=version, options=options, seed=seed, budget=budget, machine=machine
        ),
        label=label,
        suite=suite,
        host=host,
        started=started,
        seconds=seconds,
        status=Status(status),
        stopped_by=StoppedBy(stopped_by),
        objective=_number(objective),
        bound=_number(bound),
        exactness=exactness,
        failure=Failure(failure),
        messages=tuple(json.loads(messages)),
        trace=tuple(points),
        solution=None if solution is None else Solution.from_dict(json.loads(zlib.decompress(solution))),
    )
