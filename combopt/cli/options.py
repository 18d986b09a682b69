"""Arguments to the calls of :mod:`combopt.api`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from combopt import api
from combopt.errors import UsageError


def read(options: argparse.Namespace, path: str) -> api.Reading:
    """Read an instance as the arguments say; its warnings go to stderr."""
    reading = api.read_with_warnings(
        path,
        format=options.format,
        kind=options.problem,
        rounding=options.rounding,
        fleet=options.fleet,
        min_prize=options.min_prize,
        lenient=options.lenient,
    )
    shown = reading.warnings[:10]
    for warning in shown:
        print(f"warning: {warning}", file=sys.stderr)
    if len(reading.warnings) > len(shown):
        print(f"warning: {len(reading.warnings) - len(shown)} more of this kind", file=sys.stderr)
    return reading


def pairs(texts: list[str]) -> dict[str, str]:
    """``KEY=VALUE`` arguments as a dict."""
    table = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError("E201", f"{text!r} after --set", expected="KEY=VALUE")
        table[key.strip().replace("-", "_")] = value.strip()
    return table


def number_or_text(value: str) -> Any:
    """``12`` as int, ``0.5`` as float, anything else as it is."""
    for convert in (int, float):
        try:
            return convert(value)
        except ValueError:
            continue
    return value


USUAL_LENGTH = {"steps": None, "seconds": 120.0}
"""Steps and seconds of a training run where the command line says nothing of them."""


def run_length(options: argparse.Namespace) -> dict[str, Any]:
    """Steps and seconds of a training run, of which one is ``None``; empty if the command line names neither."""
    if options.steps is not None:
        return {"steps": options.steps, "seconds": None}
    return {"steps": None, "seconds": 60.0 * options.minutes} if options.minutes is not None else {}


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the options that the command line names."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}
