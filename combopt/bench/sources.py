"""Where the instances of a suite come from: files, folders, generators.  Listed one by one, in a fixed order."""

from __future__ import annotations

import glob
import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from combopt import registry
from combopt.bench import origin as origins
from combopt.bench.manifest import MANIFEST, Manifest, beside
from combopt.bench.runs import Reference
from combopt.errors import InputError, Place, UsageError
from combopt.instances.text import Source as Text


class Source(Protocol):
    """Instances of a suite; ``kind`` is theirs, if it is known without reading them."""

    @property
    def kind(self) -> str | None: ...

    def count(self) -> int:
        """How many there are; no instance is read for it."""

    def names(self) -> Iterator[str]:
        """What they are called (see :func:`combopt.bench.origin.name`); no instance is read for it."""

    def origins(self) -> Iterator[tuple[str, Reference | None]]:
        """The origin of each, with its best known value if a manifest tells it.  Files are read to know them again."""


@dataclass(frozen=True, kw_only=True)
class Generated:
    """``size`` random instances with consecutive seeds."""

    kind: str
    parameters: dict[str, Any]
    size: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        known = inspect.signature(registry.PROBLEMS.load(self.kind).generate).parameters
        able = [key for key in known if key != "rng"]
        if unknown := [key for key in self.parameters if key not in able]:
            raise UsageError("E201", f"generate {self.kind} has no parameter {unknown[0]!r}", expected=", ".join(able))
        if not (self.size >= 1 and 0 <= self.seed <= self.seed + self.size - 1 < 2**31):
            raise UsageError("E201", f"{self.size} instances from seed {self.seed}", expected="seeds below 2147483648")

    def count(self) -> int:
        return self.size

    def names(self) -> Iterator[str]:
        return (origins.name(origin) for origin, _ in self.origins())

    def origins(self) -> Iterator[tuple[str, Reference | None]]:
        for seed in range(self.seed, self.seed + self.size):
            yield origins.generated_origin(self.kind, seed, self.parameters), None


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of a pattern.

    Parameters
    ----------
    root
        The folder that ``pattern`` is relative to.
    pattern
        As of :func:`glob.glob`, with ``**`` for any folders.
    only
        Names of files without their ending; none stands for all.
    where
        Texts that columns of the manifest beside a file must hold; files that it does not list are left out.
    select
        Which instances of each file, for files that hold many.
    read
        Options of :func:`combopt.read`.
    """

    root: Path
    pattern: str
    only: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    read: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str | None:
        kind: str | None = self.read.get("kind")
        return kind

    def files(self) -> Iterator[Path]:
        """The files, sorted by name."""
        manifests = _Manifests(self.where)
        for name in sorted(glob.iglob(self.pattern, root_dir=self.root, recursive=True)):
            path = self.root / name
            if not path.is_file() or path.name == MANIFEST or (self.only and _stem(path) not in self.only):
                continue
            if self.where:
                manifest = manifests.of(path)
                if manifest is None or not manifest.lists(path):
                    continue
            yield path

    def count(self) -> int:
        return sum(1 for _ in self.files()) * max(1, len(self.select))

    def names(self) -> Iterator[str]:
        for path in self.files():
            yield from (f"{_stem(path)}#{k}" for k in self.select) if self.select else (_stem(path),)

    def origins(self) -> Iterator[tuple[str, Reference | None]]:
        return _origins(self.files(), self.select, self.read)

    def insist(self) -> None:
        """Raise :class:`InputError` if no file fits, or one of ``only`` is not there."""
        found = {_stem(path) for path in self.files()} if self.only else set()
        missing = [name for name in self.only if name not in found]
        if missing or next(self.files(), None) is None:
            raise InputError(
                "E101", f"no file {self.pattern}" + (f" is called {missing[0]}" if missing else ""),
                place=Place(str(self.root)), expected="at least one" if not missing else "",
                remedy="Mend the pattern, or name another folder with --root.",
            )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The instance files of a folder and those below it: the files that a ``MANIFEST.csv`` lists, and where there is
    none, those whose extension a format of combopt has.  Hidden files and folders are passed over."""

    root: Path
    read: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str | None:
        kind: str | None = self.read.get("kind")
        return kind

    @cached_property
    def _extensions(self) -> frozenset[str]:
        return frozenset(e for _, form in registry.FORMATS.items() for e in form.extensions)

    def files(self, folder: Path | None = None) -> Iterator[Path]:
        """The files: in the order of the manifest, else sorted by name, those of a folder before its folders."""
        folder = folder or self.root
        if (folder / MANIFEST).is_file():
            manifest = Manifest.read(folder / MANIFEST)
            for name in manifest.references:
                if not (folder / name).is_file():
                    raise InputError("E101", f"lists {name}, which is not there", place=Place(str(manifest.path)))
                yield folder / name
            return
        try:
            with os.scandir(folder) as entries:
                shown = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError("E101", f"cannot open the folder: {reason}", place=Place(str(folder))) from None
        visible = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in shown)
        for name, is_folder in visible:
            if not is_folder and Text(name, "").suffix in self._extensions and (folder / name).is_file():
                yield folder / name
        for name, is_folder in visible:
            if is_folder:
                yield from self.files(folder / name)

    def count(self) -> int:
        return sum(1 for _ in self.files())

    def names(self) -> Iterator[str]:
        return (_stem(path) for path in self.files())

    def origins(self) -> Iterator[tuple[str, Reference | None]]:
        return _origins(self.files(), (), self.read)

    def insist(self) -> None:
        """Raise :class:`InputError` if there is no file."""
        if next(self.files(), None) is None:
            raise InputError("E101", "no instance file in the folder", place=Place(str(self.root)))


def _origins(
    files: Iterator[Path], select: tuple[str, ...], read: Mapping[str, Any]
) -> Iterator[tuple[str, Reference | None]]:
    manifests = _Manifests({})
    for path in files:
        sha256 = origins.hash_of(path)
        manifest = manifests.of(path)
        for chosen in select or (None,):
            reference = None if manifest is None else manifest.reference(path, chosen)
            yield origins.file_origin(path, sha256, select=chosen, **read), reference


def _stem(path: Path) -> str:
    return Text(str(path), "").stem


class _Manifests:
    """The manifest beside a file; only the last one is held."""

    def __init__(self, where: Mapping[str, tuple[str, ...]]) -> None:
        self._where = where
        self._folder: Path | None = None
        self._last: Manifest | None = None

    def of(self, file: Path) -> Manifest | None:
        if self._folder != file.parent:
            self._folder, path = file.parent, beside(file)
            if path is None:
                self._last = None
            elif self._last is None or self._last.path != path:
                self._last = Manifest.read(path, self._where)
        return self._last
