"""Instances of two-stage robust benchmarks as JSON lines: an object with its name a line, picked by ``FILE#NAME``.

Which problem a line holds is told by its fields; those that a problem does not need are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from combopt.errors import InputError
from combopt.instances.formats.base import Format
from combopt.instances.formats.capital_budgeting import capital_budgeting_of
from combopt.instances.formats.stream import DECIMALS, LARGEST, choose
from combopt.instances.robust_knapsack import RobustKnapsack
from combopt.instances.text import Source
from combopt.model import Instance


@dataclass(frozen=True)
class _Form:
    """A problem: the fields that its lines have at least, and the instance of such an object."""

    kind: str
    fields: frozenset[str]
    build: Callable[[dict[str, Any]], Instance]


def robust_knapsack_of(data: dict[str, Any]) -> RobustKnapsack:
    """The robust knapsack of an object with ``C``, ``Gamma`` and, for every item, ``p_bar p_hat t c f``.

    Raises
    ------
    InputError
        If a field is not of its form, or the data are no valid instance.
    """
    n = len(_numbers(data, "p_bar"))
    if "n" in data and data["n"] != n:
        raise InputError("E115", f"{n} items, but n is {str(data['n'])[:40]}")
    weight, repair = _fractions(data, "c"), _fractions(data, "t")
    capacity = _fractions({"C": [data["C"]]}, "C")
    scale = 1
    while any(scale % number.denominator for number in weight + repair + capacity):
        scale *= 10
    (budget,) = _numbers({"Gamma": [data["Gamma"]]}, "Gamma")
    return RobustKnapsack(
        name=str(data.get("name", "robust-knapsack")),
        profit=np.array(_numbers(data, "p_bar")),
        deviation=np.array(_numbers(data, "p_hat")),
        repair=np.array([int(number * scale) for number in repair], dtype=np.int64),
        weight=np.array([int(number * scale) for number in weight], dtype=np.int64),
        outsourcing=np.array(_numbers(data, "f")),
        capacity=int(capacity[0] * scale),
        budget=budget,
        weight_scale=scale,
    )


FORMS = (
    _Form("robust_knapsack", frozenset({"C", "Gamma", "p_bar", "p_hat", "t", "c", "f"}), robust_knapsack_of),
    _Form("capital_budgeting", frozenset({"budget", "c_bar", "r_bar", "phi", "psi"}), capital_budgeting_of),
)


def _numbers(data: dict[str, Any], field: str) -> list[float]:
    values = data[field]
    if not isinstance(values, list):
        raise InputError("E123", f"{field}: found {type(values).__name__}", expected="a list of numbers")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
            raise InputError("E113", f"{field}: {str(value)[:40]!r}", expected="a number")
    return [float(value) for value in values]


def _fractions(data: dict[str, Any], field: str) -> list[Fraction]:
    """Numbers as they are written, without the rounding of binary fractions."""
    found = []
    for value in _numbers(data, field):
        number = Fraction(repr(value))
        if 10**DECIMALS % number.denominator:
            raise InputError("E114", f"{field}: {value!r}", expected=f"a number with at most {DECIMALS} decimals")
        if abs(number) > LARGEST // 10**DECIMALS:
            raise InputError("E114", f"{field}: {value!r}", expected="a smaller number")
        found.append(number)
    return found


def _object(line: str) -> Any:
    """The value of a line, ``None`` if it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _form(data: Any) -> _Form | None:
    if not isinstance(data, dict) or "kind" in data:
        return None
    return next((form for form in FORMS if form.fields <= data.keys()), None)


def sniff(source: Source) -> bool:
    """The first line is an object with the fields of one of the problems."""
    text = source.text.lstrip()
    return text[:1] == "{" and _form(_object(text.split("\n", 1)[0])) is not None


def read(source: Source) -> Instance:
    lines = [(number, line) for number, line in enumerate(source.lines, 1) if line.strip()]
    number, line = lines[choose(source, [_name(line) for _, line in lines])]
    data = _object(line)
    if not isinstance(data, dict):
        raise source.error("E123", number, "this line is no JSON object", '{"name": ..., ...}')
    form = _form(data)
    if form is None:
        known = "; ".join(f"{', '.join(sorted(form.fields))} ({form.kind})" for form in FORMS)
        raise source.error("E118", number, "the fields of the line are those of no known problem", known)
    if source.options.kind not in (None, form.kind):
        raise source.error("E120", number, f"the line holds a {form.kind} instance", str(source.options.kind))
    try:
        return form.build(data)
    except InputError as error:
        raise source.error(error.code, number, error.found, error.expected, error.remedy) from None


def _name(line: str) -> str:
    """The name of a line, found without reading all of it where it comes first."""
    head = line.lstrip()[:300]
    start = '{"name": "'
    if head.startswith(start):
        name = head[len(start) :].split('"', 1)[0]
        if "\\" not in name and len(name) < 280:
            return name
    data = _object(line)
    name = data.get("name", "") if isinstance(data, dict) else ""
    return name if isinstance(name, str) else ""


def write(instance: Instance) -> str:
    """One line; only robust knapsacks are written."""
    if not isinstance(instance, RobustKnapsack):
        raise InputError("E119", f"{instance.kind} instances are not written as JSON lines", expected="another format")
    scale = instance.weight_scale

    def plain(values: Any) -> list[float]:
        return [value / scale if scale > 1 else value for value in values.tolist()]

    data = {
        "name": instance.name,
        "n": instance.items,
        "C": instance.capacity / scale if scale > 1 else instance.capacity,
        "Gamma": instance.budget,
        "p_bar": instance.profit.tolist(),
        "p_hat": instance.deviation.tolist(),
        "t": plain(instance.repair),
        "c": plain(instance.weight),
        "f": instance.outsourcing.tolist(),
    }
    return json.dumps(data, allow_nan=False) + "\n"


ROBUST_LINES = Format(
    name="robust_lines",
    title="JSON lines of two-stage robust benchmarks",
    extensions=(".jsonl",),
    kinds=("robust_knapsack", "capital_budgeting"),
    sniff=sniff,
    read=read,
    write=write,
)
