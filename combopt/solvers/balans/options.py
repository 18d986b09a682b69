"""Where the options of a solver come from, and what those of Balans mean: files, presets, lists, functions by name."""

from __future__ import annotations

import dataclasses
import importlib
import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from combopt.errors import InputError, Place, SolverError, UsageError
from combopt.model import Floats
from combopt.serial import decode
from combopt.solvers.balans.neighbourhoods import MipState, Rank
from combopt.solvers.balans.space import MipSpace
from combopt.solvers.linear import pairs
from combopt.solvers.lns.loop import listed
from combopt.solvers.lns.rewards import Gain, Reward, Scores


def resolved(cls: type[Any], given: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Values of all fields of ``cls``: what is given, else what the file says, else the preset, else the default.

    Once read, the file is forgotten (``options_file`` becomes empty), so that the options can be used without it.

    Raises
    ------
    TypeError
        For a name that is no field.
    UsageError
        E201 for an unknown preset.
    InputError
        With file and key, if the file cannot be read or is not understood.
    """
    fields = {f.name: f.default for f in dataclasses.fields(cls)}
    if unknown := [name for name in given if name not in fields]:
        raise TypeError(f"no option {unknown[0]!r}")
    path = given.get("options_file", "")
    said = read(Path(path), cls) if path else {}
    preset = given.get("preset", said.get("preset", ""))
    if preset and preset not in presets:
        raise UsageError("E201", f"preset = {preset!r}", expected=", ".join(presets))
    return {**fields, **presets.get(preset, {}), **said, **given, "options_file": ""}


def read(path: Path, cls: type[Any]) -> dict[str, Any]:
    """Fields of ``cls`` from a TOML file; strict in names and types."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError("E101", f"cannot open the options: {reason}", place=Place(str(path))) from None
    except UnicodeDecodeError:
        raise InputError("E105", "the options are not UTF-8 text", place=Place(str(path))) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise InputError("E123", f"not TOML: {error}", place=Place(str(path), line)) from None
    hints = typing.get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls) if f.name != "options_file"]
    for key, value in data.items():
        line = _line(text, key)
        if key not in known:
            raise InputError("E112", f"{key!r} is no option", place=Place(str(path), line), expected=", ".join(known))
        try:
            data[key] = decode(hints[key], value, key)
        except InputError as error:
            raise InputError(error.code, error.found, place=Place(str(path), line), expected=error.expected) from None
    return data


def _line(text: str, key: str) -> int:
    """The line of a key, 0 if it cannot be told."""
    word = re.compile(rf"\s*\[*\s*['\"]?{re.escape(key)}\b")
    return next((number for number, line in enumerate(text.splitlines(), 1) if word.match(line)), 0)


def numbers(text: str, option: str) -> dict[str, float]:
    """Numbers by name of ``"name=value, name=value"``."""
    return {name: _number(value, f"{option}: {name}") for name, value in pairs(text, option)}


def make_reward(scores: str) -> Reward:
    """:class:`Scores` of four or five numbers separated by commas, :class:`Gain` of none."""
    if not scores:
        return Gain()
    values = [_number(part, "scores") for part in listed(scores)]
    if len(values) not in (4, 5) or min(values) < 0 or max(values) == 0:
        raise UsageError(
            "E201", f"scores = {scores!r}",
            expected="numbers, 0 or more, for a new incumbent, a better, an accepted and a rejected solution, "
            "and a fifth one, if any, for a step that brings nothing",
        )  # fmt: skip
    best, better, accepted, rejected = values[:4]
    return Scores((best, better, accepted, rejected), values[4] if len(values) == 5 else 0.0)


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError("E201", f"{what} = {text!r}", expected="a number") from None


def load_rank(text: str) -> Rank:
    """The function ``package.module:function``, guarded against answers that are no scores.

    Raises
    ------
    UsageError
        E201, if there is no such function.
    """
    expected = "package.module:function, importable from where combopt runs"
    module, colon, function = text.partition(":")
    if not (module and colon and function):
        raise UsageError("E201", f"rank = {text!r}", expected=expected)
    try:
        rank = getattr(importlib.import_module(module), function)
    except Exception as error:  # the module of somebody else may fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise UsageError("E201", f"rank = {text!r}: {reason}", expected=expected) from None
    if not callable(rank):
        raise UsageError("E201", f"rank = {text!r}: it is no function", expected=expected)

    def guarded(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats | None:
        try:
            scores = rank(space, state, rng)
        except Exception as error:  # as above
            raise SolverError("E301", f"rank = {text!r} failed: {type(error).__name__}: {error}") from error
        if scores is None:
            return None
        array = np.asarray(scores, dtype=np.float64)
        count = len(space.mip.columns)
        if array.shape != (count,) or np.isnan(array).any():
            found = f"an array of shape {array.shape}" if array.shape != (count,) else "scores that are no numbers"
            raise SolverError("E301", f"rank = {text!r} gave {found}", expected=f"{count} scores, one for each column")
        return array

    return guarded
