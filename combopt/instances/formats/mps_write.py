"""Writing mixed-integer programs as free MPS, so that what is read back is equal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from combopt.errors import InputError
from combopt.instances.mip import CONTINUOUS, INTEGER, SEMICONTINUOUS, SEMIINTEGER, Mip
from combopt.model import Instance, Sense


def number(value: float) -> str:
    """The shortest text that is read back as ``value``."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(value)


def write(instance: Instance) -> str:
    """The program as free MPS.

    Raises
    ------
    InputError
        E119 for what the format cannot say: names with blanks or starting with ``$`` or ``*``, and rows whose
        upper side is below the lower one.
    """
    assert isinstance(instance, Mip)
    _check_names(instance)
    objective = "obj"
    while objective in instance.rows:
        objective += "_"
    forms = [_form(instance, row) for row in range(len(instance.rows))]
    lines = [f"NAME {' '.join(instance.name.split())}"]
    lines += ["OBJSENSE", "    MAX"] if instance.sense is Sense.MAX else []
    lines += ["ROWS", f" N  {objective}"]
    lines += [f" {form}  {name}" for name, (form, _, _) in zip(instance.rows, forms, strict=True)]
    lines += ["COLUMNS", *_columns(instance, objective), "RHS"]
    if instance.offset:
        lines.append(f"    RHS  {objective}  {number(-instance.offset)}")
    lines += [f"    RHS  {n}  {number(rhs)}" for n, (_, rhs, _) in zip(instance.rows, forms, strict=True) if rhs]
    ranges = [f"    RNG  {n}  {width}" for n, (_, _, width) in zip(instance.rows, forms, strict=True) if width]
    lines += ["RANGES", *ranges] if ranges else []
    lines += ["BOUNDS", *_bounds(instance), *_sets(instance), *_indicators(instance), "ENDATA"]
    return "\n".join(lines) + "\n"


def _check_names(mip: Mip) -> None:
    for name in (*mip.columns, *mip.rows, *(group.name for group in mip.sos)):
        if name[0] in "$*" or name.split() != [name]:
            raise InputError(
                "E119", f"the name {name[:40]!r} cannot be written as MPS", expected="no blanks, and no $ or * first",
                remedy="Write the program as JSON.",
            )  # fmt: skip


def _form(mip: Mip, row: int) -> tuple[str, float, str]:
    """Type, right-hand side and range (empty if there is none) of a row."""
    low, high = float(mip.row_lower[row]), float(mip.row_upper[row])
    if low == high:
        return "E", low, ""
    if math.isinf(low):
        return "L", (1e30 if math.isinf(high) else high), ""
    if math.isinf(high):
        return "G", low, ""
    a, b = Decimal(repr(low)), Decimal(repr(high))
    width = Decimal(repr(float(b - a)))
    if width > 0 and float(b - width) == low:
        return "L", high, number(float(width))
    if width > 0 and float(a + width) == high:
        return "G", low, number(float(width))
    raise InputError(
        "E119", f"the sides {low!r} and {high!r} of row {mip.rows[row]!r} cannot be written as MPS",
        expected="a lower side below the upper one", remedy="Write the program as JSON.",
    )  # fmt: skip


def _columns(mip: Mip, objective: str) -> Iterator[str]:
    row = np.repeat(np.arange(len(mip.rows)), np.diff(mip.row_start))
    order = np.argsort(mip.row_column, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(mip.row_column, minlength=len(mip.columns)))]).tolist()
    rows, values, cost = row[order].tolist(), mip.row_value[order].tolist(), mip.cost.tolist()
    marked = False
    markers = 0
    for column, name in enumerate(mip.columns):
        whole = bool(mip.domain[column] == INTEGER)
        if whole != marked:
            markers += 1
            yield f"    MARKER{markers}  'MARKER'  '{'INTORG' if whole else 'INTEND'}'"
            marked = whole
        first, last = start[column], start[column + 1]
        if cost[column] or first == last:
            yield f"    {name}  {objective}  {number(cost[column])}"
        for k in range(first, last):
            yield f"    {name}  {mip.rows[rows[k]]}  {number(values[k])}"
    if marked:
        yield f"    MARKER{markers + 1}  'MARKER'  'INTEND'"


def _bounds(mip: Mip) -> Iterator[str]:
    everything = zip(mip.columns, mip.lower.tolist(), mip.upper.tolist(), mip.domain.tolist(), strict=True)
    for name, low, high, domain in everything:
        if domain in (SEMICONTINUOUS, SEMIINTEGER):
            if high <= 0:
                raise InputError("E119", f"the semi-continuous {name!r} with upper bound {high:g} as MPS")
            yield f" {'SC' if domain == SEMICONTINUOUS else 'SI'} BND  {name}  {number(min(high, 1e30))}"
            if low:
                yield f" MI BND  {name}" if math.isinf(low) else f" LO BND  {name}  {number(low)}"
        elif low == high:
            yield f" FX BND  {name}  {number(low)}"
        elif math.isinf(low) and math.isinf(high):
            yield f" FR BND  {name}"
        else:
            if math.isinf(low):
                yield f" MI BND  {name}"
            elif low or high < 0:
                yield f" LO BND  {name}  {number(low)}"
            if not math.isinf(high):
                yield f" UP BND  {name}  {number(high)}"
            elif domain != CONTINUOUS and not low:
                yield f" PL BND  {name}"  # an integer column without any bound would be binary


def _sets(mip: Mip) -> Iterator[str]:
    if mip.sos:
        yield "SOS"
    for group in mip.sos:
        if len(set(group.weights)) < len(group.weights) or list(group.weights) != sorted(group.weights):
            raise InputError("E119", f"the weights of set {group.name} do not order its columns")
        yield f" S{group.type} {group.name}"
        for column, weight in zip(group.columns, group.weights, strict=True):
            yield f"    {mip.columns[column]}  {number(weight)}"


def _indicators(mip: Mip) -> Iterator[str]:
    if mip.indicators:
        yield "INDICATORS"
    for indicator in mip.indicators:
        yield f" IF {mip.rows[indicator.row]}  {mip.columns[indicator.column]}  {indicator.active}"
