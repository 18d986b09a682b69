"""Writing mixed-integer programs as LP files (CPLEX dialect), so that what is read back is equal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from combopt.errors import InputError
from combopt.instances.formats.lp_tokens import HEADER_WORDS, is_infinity
from combopt.instances.formats.mps_write import number
from combopt.instances.mip import INTEGER, SEMICONTINUOUS, SEMIINTEGER, Mip
from combopt.model import Instance, Sense

_WIDTH = 100
# No operator, no comment, no digit first; no "e5" either, which reads as an exponent behind a number.
_NAME = re.compile(r"(?![eE][0-9])[^\s0-9.<>=:+\-*^\[\]\\][^\s<>=:+\-*^\\]*$")


def write(instance: Instance) -> str:
    """The program as an LP file; all columns stand in the objective if that is needed to keep their order.

    Raises
    ------
    InputError
        E119 for what the format cannot say: names with blanks or operators, rows without columns where there is
        none at all, a semi-continuous column whose upper bound is negative.
    """
    assert isinstance(instance, Mip)
    for name in (*instance.columns, *instance.rows, *(group.name for group in instance.sos)):
        if not _NAME.match(name) or name.lower() in HEADER_WORDS or is_infinity(name):
            raise InputError(
                "E119", f"the name {name[:40]!r} cannot be written as LP", remedy="Write the program as MPS or JSON."
            )
    lines = [f"\\Problem name: {' '.join(instance.name.split()) or 'mip'}", ""]
    lines.append("Maximize" if instance.sense is Sense.MAX else "Minimize")
    lines += _wrapped([" obj:", *_objective(instance)])
    lines.append("Subject To")
    for row in range(len(instance.rows)):
        lines += _wrapped(_row(instance, row))
    lines += ["Bounds", *_bounds(instance)]
    binary = (instance.domain == INTEGER) & (instance.lower == 0) & (instance.upper == 1)
    for header, chosen in (
        ("Generals", instance.integral & ~binary),
        ("Binaries", binary),
        ("Semi-Continuous", (instance.domain == SEMICONTINUOUS) | (instance.domain == SEMIINTEGER)),
    ):
        names = [f" {instance.columns[j]}" for j in chosen.nonzero()[0].tolist()]
        lines += [header, *_wrapped(names)] if names else []
    lines += _sets(instance)
    return "\n".join([*lines, "End"]) + "\n"


def _wrapped(parts: Iterable[str]) -> Iterator[str]:
    """The parts joined to lines of a readable length."""
    line = ""
    for part in parts:
        if line and len(line) + len(part) > _WIDTH:
            yield line
            line = " "
        line += part
    yield line


def _terms(mip: Mip, columns: Iterable[int], values: Iterable[float]) -> Iterator[str]:
    for column, value in zip(columns, values, strict=True):
        sign = "-" if value < 0 else "+"
        factor = "" if abs(value) == 1 else f"{number(abs(value))} "
        yield f" {sign} {factor}{mip.columns[column]}"


def _objective(mip: Mip) -> Iterator[str]:
    used = mip.cost.nonzero()[0].tolist()
    order = dict.fromkeys(used + mip.row_column.tolist())
    if len(order) < len(mip.columns) or list(order) != sorted(order) or mip.indicators:
        used = list(range(len(mip.columns)))
    yield from _terms(mip, used, mip.cost[used].tolist())
    if mip.offset:
        yield f" {'-' if mip.offset < 0 else '+'} {number(abs(mip.offset))}"


def _row(mip: Mip, row: int) -> Iterator[str]:
    low, high = float(mip.row_lower[row]), float(mip.row_upper[row])
    entries = slice(mip.row_start[row], mip.row_start[row + 1])
    columns, values = mip.row_column[entries].tolist(), mip.row_value[entries].tolist()
    if not columns:
        if not mip.columns:
            raise InputError("E119", f"the row {mip.rows[row]!r} has no column and cannot be written as LP")
        columns, values = [0], [0.0]
    yield f" {mip.rows[row]}:"
    for indicator in mip.indicators:
        if indicator.row == row:
            yield f" {mip.columns[indicator.column]} = {indicator.active} ->"
    ranged = low != high and not math.isinf(low) and not math.isinf(high)
    if ranged:
        yield f" {number(low)} <="
    yield from _terms(mip, columns, values)
    if low == high:
        yield f" = {number(low)}"
    elif math.isinf(high):
        yield f" >= {'-inf' if math.isinf(low) else number(low)}"
    else:
        yield f" <= {number(high)}"


def _bounds(mip: Mip) -> Iterator[str]:
    everything = zip(mip.columns, mip.lower.tolist(), mip.upper.tolist(), mip.domain.tolist(), strict=True)
    for name, low, high, domain in everything:
        if domain == INTEGER and low == 0 and high == 1:
            continue
        if low == high:
            yield f" {name} = {number(low)}"
        elif math.isinf(low) and math.isinf(high):
            yield f" {name} free"
        elif math.isinf(high):
            if low:
                yield f" {name} >= {number(low)}"
        elif low == 0 and high > 0:
            yield f" {name} <= {number(high)}"
        else:
            yield f" {'-inf' if math.isinf(low) else number(low)} <= {name} <= {number(high)}"


def _sets(mip: Mip) -> Iterator[str]:
    if mip.sos:
        yield "SOS"
    for group in mip.sos:
        if len(set(group.weights)) < len(group.weights) or list(group.weights) != sorted(group.weights):
            raise InputError("E119", f"the weights of set {group.name} do not order its columns")
        members = [f" {mip.columns[c]}:{number(w)}" for c, w in zip(group.columns, group.weights, strict=True)]
        yield from _wrapped([f" {group.name}: S{group.type}::", *members])
