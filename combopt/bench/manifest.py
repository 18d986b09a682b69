"""Best known values from the ``MANIFEST.csv`` that lies beside benchmark files.

A manifest is a table with a header and a row for each file.  Sets of files differ in the names of the columns; the
tables below list those that are known, the first that is there counts.  All other columns are free, and a suite can
choose files by them.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from combopt.bench.runs import Reference
from combopt.errors import InputError, Place, UsageError
from combopt.model import Number

MANIFEST = "MANIFEST.csv"

_FILE = ("file", "path")
_VALUE = ("best_known", "ub")
_LOWER = ("lb",)
_PROVEN = ("proven_optimal", "optimal", "status")
_SOURCE = ("value_origin", "best_source", "source")
_YES = frozenset({"yes", "true", "1", "optimal"})
_NO = frozenset({"no", "false", "0", ""})
_WORD = re.compile(r"[^\d+.-]|[+-]?inf", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    """The files of a manifest, by their path below its folder, each with the best known values of its instances."""

    path: Path
    references: dict[str, tuple[Reference, ...]]

    @classmethod
    def read(cls, path: str | Path, where: Mapping[str, tuple[str, ...]] | None = None) -> Manifest:
        """Read a manifest, or the part of it whose columns hold one of the texts of ``where``.

        Raises
        ------
        InputError
            With file and line, if the table is malformed.
        UsageError
            If ``where`` names a column that is not there.
        """
        references: dict[str, tuple[Reference, ...]] = {}
        for line, row in _rows(Path(path), tuple(where or ())):
            place = Place(str(path), line)
            file = _first(row, _FILE)
            pure = PurePosixPath(file)
            if not file or pure.is_absolute() or ".." in pure.parts:
                raise InputError("E123", f"{file!r} as a file", place=place, expected="a path below the manifest")
            if str(pure) in references:
                raise InputError("E116", f"{file} is listed twice", place=place)
            values = _references(row, place)
            if all(row[column] in wanted for column, wanted in (where or {}).items()):
                references[str(pure)] = values
        return cls(Path(path), references)

    def reference(self, file: str | Path, select: str | None = None) -> Reference | None:
        """The best known value of a file below the manifest's folder, or of its ``select``-th instance, from 1."""
        values = self.references.get(self._key(file), ())
        if select is None:
            return values[0] if len(values) == 1 else None
        number = int(select) - 1 if select.isdecimal() else -1
        return values[number] if len(values) > 1 and 0 <= number < len(values) else None

    def lists(self, file: str | Path) -> bool:
        """Whether the file is in the manifest."""
        return self._key(file) in self.references

    def _key(self, file: str | Path) -> str:
        return Path(file).relative_to(self.path.parent).as_posix()


def beside(file: str | Path) -> Path | None:
    """The manifest that speaks of a file: the nearest one in its folder or in those above."""
    return next((folder / MANIFEST for folder in Path(file).parents if (folder / MANIFEST).is_file()), None)


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number, and cells by column name, as it is written and in lower case."""
    place = Place(str(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, None)
            if header is None:
                raise InputError("E106", "the manifest is empty", place=place)
            names = _header(header, Place(str(path), 1))
            if missing := [column for column in needed if column not in names]:
                raise UsageError("E201", f"{path} has no column {missing[0]!r}", expected=", ".join(names))
            for cells in reader:
                if not any(cells):
                    continue
                if len(cells) != len(names):
                    raise InputError(
                        "E115", f"{len(cells)} cells", place=Place(str(path), reader.line_num),
                        expected=f"{len(names)} as in the header",
                    )  # fmt: skip
                row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
                yield reader.line_num, {name.lower(): cell for name, cell in row.items()} | row
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError("E101", f"cannot open the manifest: {reason}", place=place) from None
    except UnicodeDecodeError:
        raise InputError("E105", "the manifest is not UTF-8 text", place=place) from None
    except csv.Error as error:
        raise InputError("E123", str(error), place=Place(str(path), reader.line_num)) from None


def _header(cells: list[str], place: Place) -> list[str]:
    names = [name.strip() for name in cells]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError("E116", f"the column {twice[0]!r} is there twice", place=place)
    if not {name.lower() for name in names} & set(_FILE):
        raise InputError("E118", "no column tells the file", place=place, expected=" or ".join(_FILE))
    return names


def _first(row: dict[str, str], columns: tuple[str, ...]) -> str:
    """The cell of the first column that is there; empty if none is."""
    return next((row[column] for column in columns if column in row), "")


def _references(row: dict[str, str], place: Place) -> tuple[Reference, ...]:
    """The value of the row, or those of the instances of its file, with semicolons between them."""
    values = [_value(text.strip(), place) for text in _first(row, _VALUE).split(";")]
    lower = _value(_first(row, _LOWER), place)
    known = _proven(row, place) if set(row) & set(_PROVEN) else None
    source = _first(row, _SOURCE)
    return tuple(
        Reference(value=value, proven=value == lower if known is None else known, source=source)
        for value in values
        if value is not None
    )


def _proven(row: dict[str, str], place: Place) -> bool:
    column = next(name for name in _PROVEN if name in row)
    text = row[column].lower()
    if text in _YES or text in _NO or column == "status":  # a status is free text; only "optimal" is a proof
        return text in _YES
    raise InputError("E123", f"{row[column]!r} as {column}", place=place, expected="yes or no")


def _value(text: str, place: Place) -> Number | None:
    """A value, whole if it is written so; a remark such as ``see notes`` is no value."""
    if not text or _WORD.match(text):
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        raise InputError("E113", f"{text!r} as a best known value", place=place, expected="a number") from None
    if not math.isfinite(value):
        raise InputError("E114", f"{text!r} as a best known value", place=place, expected="a finite number")
    return value
