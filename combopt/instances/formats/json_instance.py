"""Any instance and any solution as JSON: what ``to_dict`` gives, read back without loss."""

from __future__ import annotations

import json
from typing import Any

from combopt.errors import CombOptError, InputError
from combopt.instances.formats.base import Format, SolutionFormat
from combopt.instances.text import Source
from combopt.model import Instance, Solution


def _load(source: Source) -> Any:
    def refuse(token: str) -> float:
        raise source.error("E113", 0, f"{token} as a number", 'a finite number, or the strings "inf" and "-inf"')

    try:
        return json.loads(source.text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise source.error("E123", error.lineno, f"this is not JSON: {error.msg}") from None
    except RecursionError:
        raise source.error("E123", 0, "the JSON is nested too deeply") from None


def _placed(source: Source, error: CombOptError) -> InputError:
    return source.error(error.code, 0, error.found, error.expected, error.remedy)


def read(source: Source) -> Instance:
    data = _load(source)
    if not isinstance(data, dict) or "kind" not in data:
        raise source.error("E118", 0, "the JSON object has no 'kind'", '{"kind": "tsp", ...}')
    try:
        return Instance.from_dict(data)
    except CombOptError as error:  # an unknown kind or type is a usage error elsewhere, here it is bad input
        raise _placed(source, error) from None


def read_solution(source: Source, instance: Instance) -> Solution:
    """A solution, or the solution inside a result of ``combopt solve --json``."""
    data = _load(source)
    if isinstance(data, dict) and isinstance(data.get("solution"), dict):
        data = data["solution"]
    if not isinstance(data, dict) or "type" not in data:
        raise source.error("E118", 0, "the JSON object has no 'type'", f'{{"type": "{instance.solution_type.type}"}}')
    try:
        return Solution.from_dict(data)
    except CombOptError as error:  # an unknown kind or type is a usage error elsewhere, here it is bad input
        raise _placed(source, error) from None


def claim(source: Source) -> float | None:
    data = _load(source)
    value = data.get("objective") if isinstance(data, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e300 else None


def _looks_like(source: Source) -> bool:
    return source.text.lstrip()[:1] == "{"


JSON = Format(
    name="json",
    title="combopt JSON, any kind",
    extensions=(".json",),
    kinds=("*",),
    sniff=_looks_like,
    read=read,
    write=lambda instance: json.dumps(instance.to_dict(), allow_nan=False) + "\n",
)

JSON_SOLUTION = SolutionFormat(
    name="json",
    title="combopt JSON, any kind",
    extensions=(".json",),
    kinds=("*",),
    sniff=_looks_like,
    read=read_solution,
    write=lambda solution, instance: json.dumps(solution.to_dict(), allow_nan=False) + "\n",
    claim=claim,
)
