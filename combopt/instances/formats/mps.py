"""MPS files, fixed and free, with the extensions for integers, sense, lazy rows, sets and indicators.

Readers of this format disagree in silence; here is what this one does.

* The words of a line are its fields; only where names hold blanks the columns of fixed MPS are used, and then every
  line must keep to them.
* The first N row is the objective (or the one that OBJNAME names); further N rows are dropped with a warning.
* A number for the objective row in RHS is minus the constant of the objective.
* RANGES: ``[b - |R|, b]`` for L, ``[b, b + |R|]`` for G, ``[b, b + R]`` for E with R >= 0, ``[b + R, b]`` with R < 0.
* An integer column without any bound is binary.  MI leaves the upper bound at infinity.  1e20 is infinite.
* A negative UP bound for a column with no LO bound is refused: readers take it for infeasible or drop the lower
  bound.  Lenient reading drops it.
* LAZYCONS and USERCUTS are rows like the others.
"""

from __future__ import annotations

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.mps_bounds import Bounds, read_indicators, read_sets, read_sides, row_limits
from combopt.instances.formats.mps_columns import DROPPED, OBJECTIVE, Columns, read_columns
from combopt.instances.formats.mps_sections import SENSES, Outline
from combopt.instances.formats.mps_write import write
from combopt.instances.mip import Mip
from combopt.instances.text import Source
from combopt.model import Instance, Ints, Sense


def read(source: Source) -> Instance:
    """Read an MPS file; the errors are those of the sections, and E116, E118 and E123 for ROWS."""
    outline = Outline.cut(source)
    try:
        return _read(outline)
    except InputError:
        if not outline.has_fixed_columns():
            raise
    outline.fixed = True
    return _read(outline)


def _read(outline: Outline) -> Mip:
    rows, forms = _read_rows(outline)
    columns = read_columns(outline, rows)
    bounds = Bounds.read(outline, columns.names, columns.integer.tolist())
    rhs, ranges = read_sides(outline, "RHS", rows), read_sides(outline, "RANGES", rows)
    if OBJECTIVE in ranges:
        outline.source.defect("E120", ranges[OBJECTIVE][1], "a range for the objective row")
    names = [name for name, row in rows.items() if row >= 0]
    limits = [
        row_limits(outline, form, name, rhs.get(row, (0.0, 0)), ranges.get(row))
        for row, (name, form) in enumerate(zip(names, forms, strict=True))
    ]
    cost = np.zeros(len(columns.names))
    paid = columns.row == OBJECTIVE
    cost[columns.column[paid]] = columns.value[paid]
    start, order = _by_rows(columns, len(names))
    name = outline.sections["NAME"].text if "NAME" in outline.sections else ""
    try:
        return Mip(
            name=name or outline.source.stem, sense=_sense(outline), cost=cost,
            offset=-rhs.get(OBJECTIVE, (0.0, 0))[0],
            lower=np.array(bounds.lower), upper=np.array(bounds.upper), domain=np.array(bounds.domain, np.int64),
            row_start=start, row_column=columns.column[order], row_value=columns.value[order],
            row_lower=np.array([low for low, _ in limits]), row_upper=np.array([high for _, high in limits]),
            columns=tuple(columns.names), rows=tuple(names),
            sos=tuple(read_sets(outline, bounds.index)), indicators=tuple(read_indicators(outline, rows, bounds)),
        )  # fmt: skip
    except InputError as error:
        if error.place is not None:
            raise
        raise outline.source.error(error.code, 0, error.found, error.expected, error.remedy) from None


def _by_rows(columns: Columns, rows: int) -> tuple[Ints, Ints]:
    """Row starts, and the order that sorts the entries by row and then by column."""
    kept = np.flatnonzero(columns.row >= 0)
    small = columns.row[kept].astype(np.uint16 if rows < 2**16 else np.int32)  # 16 bits are sorted by radix
    order = kept[np.argsort(small, kind="stable")]
    count = np.bincount(columns.row[kept], minlength=rows)
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64), order


def _read_rows(outline: Outline) -> tuple[dict[str, int], list[str]]:
    """Index of every row by name, and the forms (L, G or E) of those that are constraints."""
    source, wanted = outline.source, _objective_name(outline)
    rows: dict[str, int] = {}
    forms: list[str] = []
    objective, dropped = "", list[tuple[int, str]]()
    for section in ("ROWS", "USERCUTS", "LAZYCONS"):
        for line, fields in outline.fields(section):
            if len(fields) > 2 and fields[2][0] in "$*":
                fields = fields[:2]
            if len(fields) != 2:
                raise outline.wrong_form(line, fields, "N, L, G or E, and a name")
            form, name = fields[0].upper(), fields[1]
            if form not in ("N", "L", "G", "E") or (form == "N" and section != "ROWS"):
                raise source.error("E112", line, f"the row type {fields[0][:20]!r}", "N, L, G or E")
            if name in rows:
                raise source.error("E116", line, f"row {name!r} comes twice")
            if form != "N":
                rows[name] = len(forms)
                forms.append(form)
            elif not objective and wanted in (None, name):
                rows[name], objective = OBJECTIVE, name
            else:
                rows[name] = DROPPED
                dropped.append((line, name))
    if not objective and wanted is not None:
        raise source.error("E117", outline.sections["OBJNAME"].line, f"the objective {wanted!r} is no N row")
    if not objective:
        source.defect("E118", outline.sections["ROWS"].line, "no N row, so no objective")
    if dropped:
        line, name = dropped[0]
        source.warn("E119", line, f"N rows that are not the objective are dropped: {len(dropped)}, such as {name!r}")
    return rows, forms


def _objective_name(outline: Outline) -> str | None:
    section = outline.sections.get("OBJNAME")
    if section is None:
        return None
    words = section.text.split() or [word for _, fields in outline.fields("OBJNAME") for word in fields]
    if len(words) != 1:
        raise outline.source.error("E123", section.line, f"{len(words)} names in OBJNAME", "one name")
    return words[0]


def _sense(outline: Outline) -> Sense:
    section = outline.sections.get("OBJSENSE")
    if section is None:
        return Sense.MIN
    words = [(section.line, word) for word in section.text.split()]
    words += [(line, word) for line, fields in outline.fields("OBJSENSE") for word in fields]
    if len(words) != 1:
        raise outline.source.error("E123", section.line, f"{len(words)} words in OBJSENSE", "MIN or MAX")
    line, word = words[0]
    if word.upper() not in SENSES:
        raise outline.source.error("E112", line, f"the sense {word[:20]!r}", "MIN or MAX")
    return Sense(SENSES[word.upper()])


def _sniff(source: Source) -> bool:
    text = source.text
    return (text.startswith("ROWS") or "\nROWS" in text) and "\nCOLUMNS" in text


MPS = Format(
    name="mps",
    title="MPS, fixed or free",
    extensions=(".mps",),
    kinds=("mip",),
    sniff=_sniff,
    read=read,
    write=write,
)
