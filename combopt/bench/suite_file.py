"""Suites in TOML.  Reading is strict: what is not understood is refused, with its line and what was expected."""

from __future__ import annotations

import inspect
import os
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

from combopt import registry
from combopt.bench.runs import Configuration, Reference
from combopt.bench.sources import Files, Generated, Source
from combopt.bench.suite import AUTO, BUDGET, Overrides, Suite, configuration, insist_installed, limits
from combopt.errors import InputError, Place, UsageError
from combopt.instances.text import ReadOptions
from combopt.model import Number
from combopt.serial import decode

_READ = {"format": str, **{k: v for k, v in typing.get_type_hints(ReadOptions).items() if k != "select"}}
_FILES = ("files", "root", "names", "where", "select", *_READ)
_GENERATE = ("generate", "count", "seed")
_SOLVER = ("solver", "label", "options", "kinds", "optional")
_TOP = ("name", "seeds", "budget", "instances", "solvers", "references")
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})\Z", re.ASCII)
_HEADER = re.compile(r"\s*\[\[?\s*([\w\"'.-]+?)\s*\]\]?")


def read(path: Path, overrides: Overrides) -> Suite:
    """See :meth:`Suite.read`."""
    if overrides.read:
        raise UsageError(
            "E201", f"{', '.join(overrides.read)} with a suite, which says itself how its files are read",
            place=Place(str(path)), remedy="Write it into the entries of [[instances]].",
        )  # fmt: skip
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError("E101", f"cannot open the suite: {reason}", place=Place(str(path))) from None
    except UnicodeDecodeError:
        raise InputError("E105", "the suite is not UTF-8 text", place=Place(str(path))) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        place = Place(str(path), int(found[1]) if found else text.count("\n") + 1)
        raise InputError("E123", f"not TOML: {error}", place=place) from None
    return _Reader(path, text, data, overrides).suite()


class _Table:
    """One table of the file; ``number`` counts those of its name from 1, and ``name`` is empty for the top."""

    def __init__(self, path: Path, text: str, name: str, number: int, data: Any) -> None:
        self._path, self._text, self._name, self._number = path, text, name, number
        if not isinstance(data, dict):
            raise InputError(
                "E123", f"{name}: found {type(data).__name__}", place=self.place(name), expected="a table"
            )
        self.data: dict[str, Any] = data

    def place(self, key: str = "") -> Place:
        """The line of ``key`` in this table, or that of the table, as far as it can be told."""
        lines = self._text.splitlines()
        heads = [(n, m[1]) for n, line in enumerate(lines) if (m := _HEADER.match(line))]
        own = [n for n, name in heads if name == self._name]
        first = own[self._number - 1] if len(own) >= self._number and self._name else 0
        last = next((n for n, _ in heads if n > first), len(lines)) if first or not self._name else len(lines)
        word = re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])")
        line = next((n for n in range(first, last) if key and word.search(lines[n])), first)
        return Place(str(self._path), line + 1)

    def only(self, known: tuple[str, ...]) -> None:
        """Raise unless all keys are known."""
        for key in self.data:
            if key not in known:
                where = f" in [{self._name}]" if self._name else ""
                raise InputError("E112", f"{key!r} is no key{where}", place=self.place(key), expected=", ".join(known))

    def get(self, key: str, hint: Any, default: Any = None) -> Any:
        """The value of ``key`` as the type ``hint``."""
        if key not in self.data:
            return default
        try:
            return decode(hint, self.data[key], key)
        except InputError as error:
            raise InputError(error.code, error.found, place=self.place(key), expected=error.expected) from None

    def texts(self, key: str) -> tuple[str, ...]:
        """The value of ``key``, one text or number or a list of them, as texts."""
        raw = self.data.get(key, [])
        items = raw if isinstance(raw, list) else [raw]
        if not items and key in self.data:
            raise InputError("E123", f"{key} is empty", place=self.place(key))
        for item in items:
            if isinstance(item, bool) or not isinstance(item, (str, int, float)):
                raise InputError("E123", f"{key}: {item!r}", place=self.place(key), expected="a text or a number")
        return tuple(str(item) for item in items)

    def fail(self, key: str, error: UsageError) -> UsageError:
        """``error`` with its place."""
        return UsageError(error.code, error.found, place=self.place(key), expected=error.expected, remedy=error.remedy)


class _Reader:
    def __init__(self, path: Path, text: str, data: dict[str, Any], overrides: Overrides) -> None:
        self.path, self.text, self.overrides = path, text, overrides
        self.top = _Table(path, text, "", 1, data)
        self.warnings: list[str] = []

    def suite(self) -> Suite:
        self.top.only(_TOP)
        sources = [self.source(table) for table in self.tables("instances")]
        if not sources:
            raise InputError("E118", "the suite has no [[instances]]", place=Place(str(self.path)))
        configurations, kinds = self.configurations(sources)
        budget = self.table("budget")
        try:
            base = limits(BUDGET, budget.data)
        except UsageError as error:
            key = next((key for key in budget.data if key in error.found), "")
            raise budget.fail(key, error) from None
        try:
            return Suite(
                name=self.top.get("name", str, self.path.stem),
                configurations=configurations,
                seeds=self.overrides.seeds or self.seeds(),
                budget=limits(base, self.overrides.budget),
                sources=tuple(sources),
                kinds=kinds,
                references=self.references(sources),
                warnings=tuple(self.warnings),
            )
        except UsageError as error:
            raise UsageError(
                error.code, error.found, place=error.place or Place(str(self.path)), expected=error.expected,
                remedy=error.remedy,
            ) from None  # fmt: skip

    def table(self, name: str) -> _Table:
        return _Table(self.path, self.text, name, 1, self.top.data.get(name, {}))

    def tables(self, name: str) -> list[_Table]:
        data = self.top.data.get(name, [])
        if not isinstance(data, list):
            raise InputError("E123", f"{name} is one table", place=self.top.place(name), expected=f"[[{name}]]")
        return [_Table(self.path, self.text, name, number, entry) for number, entry in enumerate(data, 1)]

    def seeds(self) -> tuple[int, ...]:
        raw = self.top.data.get("seeds", 1)
        if isinstance(raw, list):
            seeds: tuple[int, ...] = self.top.get("seeds", tuple[int, ...])
            return seeds
        count: int = self.top.get("seeds", int, 1)
        if not 1 <= count <= 10**6:
            raise InputError("E114", f"{count} seeds", place=self.top.place("seeds"), expected="1 or more, or a list")
        return tuple(range(count))

    def configurations(self, sources: list[Source]) -> tuple[tuple[Configuration, ...], dict[str, tuple[str, ...]]]:
        """The solvers, and the kinds of those that are kept to some."""
        tables = self.tables("solvers")
        for table in tables:
            table.only(_SOLVER)
            if "solver" not in table.data:
                raise InputError("E118", "an entry of [[solvers]] names no solver", place=table.place())
        if self.overrides.configurations:
            for entry in self.overrides.configurations:
                insist_installed(entry)
            return self.overrides.configurations, {}
        entries, kinds = [], {}
        for table in tables:
            made = self.configuration(table)
            if made is None:
                continue
            entries.append(made)
            if only := table.texts("kinds"):
                self.check_kinds(table, only, sources)
                kinds[made.label] = only
        if tables and not entries:
            raise UsageError("E203", "none of the solvers of the suite is installed", place=Place(str(self.path)))
        return tuple(entries) or (AUTO,), kinds

    def configuration(self, table: _Table) -> Configuration | None:
        """The solver of an entry; ``None`` if it is optional and not installed."""
        name, options = table.get("solver", str), table.get("options", dict[str, Any], {})
        optional = table.get("optional", bool, False)
        try:
            entry = configuration(name, options, table.get("label", str, ""))
            insist_installed(entry)
        except UsageError as error:
            if error.code == "E203":
                label = table.get("label", str, "") or name
                if optional:
                    self.warnings.append(f"{label} is passed over: {error.found} ({error.remedy})")
                    return None
                raise UsageError(
                    error.code, f"{label}: {error.found}", place=table.place("solver"),
                    remedy=f"{(error.remedy or '').rstrip('.')}, or write optional = true in its entry",
                ) from None  # fmt: skip
            raise table.fail("options" if options and error.code != "E204" else "solver", error) from None
        return entry

    def check_kinds(self, table: _Table, kinds: tuple[str, ...], sources: list[Source]) -> None:
        try:
            for kind in kinds:
                registry.PROBLEMS.load(kind)
        except UsageError as error:
            raise table.fail("kinds", error) from None
        if any(source.kind is None for source in sources):
            raise InputError(
                "E118", "a solver is kept to some kinds, but not all [[instances]] say theirs",
                place=table.place("kinds"), expected="kind in every entry of files",
            )  # fmt: skip
        if not any(source.kind in kinds for source in sources):
            raise InputError("E117", "no instance of the suite is of these kinds", place=table.place("kinds"))

    def source(self, table: _Table) -> Source:
        if ("files" in table.data) == ("generate" in table.data):
            raise InputError("E118", "an entry of [[instances]] needs one of files and generate", place=table.place())
        return self.files(table) if "files" in table.data else self.generated(table)

    def generated(self, table: _Table) -> Generated:
        kind = table.get("generate", str)
        try:
            able = inspect.signature(registry.PROBLEMS.load(kind).generate).parameters
        except UsageError as error:
            raise table.fail("generate", error) from None
        table.only((*_GENERATE, *(key for key in able if key not in ("rng", "seed", "count"))))
        parameters = {key: value for key, value in table.data.items() if key not in _GENERATE}
        try:
            return Generated(
                kind=kind, parameters=parameters, size=table.get("count", int, 1), seed=table.get("seed", int, 0)
            )
        except UsageError as error:
            raise table.fail("count", error) from None

    def files(self, table: _Table) -> Files:
        table.only(_FILES)
        options = {}
        for key in _READ.keys() & table.data.keys():
            hint = _READ[key]
            options[key] = table.get(key, hint) if hint is bool else "".join(table.texts(key))
        for key, known in (("kind", registry.PROBLEMS), ("format", registry.FORMATS)):
            try:
                if key in options:
                    known.load(options[key])
            except UsageError as error:
                raise table.fail(key, error) from None
        where = table.get("where", dict[str, Any], {})
        inner = _Table(self.path, self.text, "instances", table._number, where)
        files = Files(
            root=self.root(table),
            pattern=table.get("files", str),
            only=table.texts("names"),
            where={column: inner.texts(column) for column in where},
            select=tuple(k for text in table.texts("select") for k in _expand(text)),
            read=options,
        )
        files.insist()
        return files

    def root(self, table: _Table) -> Path:
        """The folder that the files of an entry are looked for in."""
        variable = table.get("root", str)
        if variable is None:
            return self.path.resolve().parent
        folder = self.overrides.root or os.environ.get(variable)
        remedy = f"Set {variable} to the folder of the files, or name it with --root."
        if not folder:
            raise UsageError("E201", f"the variable {variable} is not set", place=table.place("root"), remedy=remedy)
        if not Path(folder).is_dir():
            raise UsageError("E201", f"{folder} is no folder", place=table.place("root"), remedy=remedy)
        return Path(folder).resolve()

    def references(self, sources: list[Source]) -> dict[str, Reference]:
        table = self.table("references")
        found = {name: self.reference(table, name) for name in table.data}
        missing = set(found)
        for source in sources:
            if not missing:
                break
            for name in source.names():
                missing.discard(name)
        for name in found:
            if name in missing:
                raise InputError(
                    "E117", f"no instance of the suite is called {name!r}", place=table.place(name),
                    expected="the name of a file without its ending, or kind, family, n and seed of a generated one",
                )  # fmt: skip
        return found

    def reference(self, table: _Table, name: str) -> Reference:
        raw = table.data[name]
        try:
            if isinstance(raw, dict):
                return decode(Reference, raw, name)
            return Reference(value=decode(Number, raw, name))
        except InputError as error:
            raise InputError(error.code, error.found, place=table.place(name), expected=error.expected) from None


def _expand(text: str) -> list[str]:
    """``3-5`` as ``3``, ``4``, ``5``; anything else as it is."""
    found = _RANGE.match(text)
    return [str(k) for k in range(int(found[1]), int(found[2]) + 1)] if found else [text]
