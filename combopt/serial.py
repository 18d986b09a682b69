"""Frozen dataclasses to plain JSON data and back without loss, and digests of them.

A class that has ``to_dict`` and ``from_dict`` decides for itself.  Arrays become nested lists:
the constructor of a class fixes the type of each of its arrays, so nothing is lost.
Non-finite floats become the strings ``"inf"``, ``"-inf"`` and ``"nan"``, so that the output is strict JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import numpy as np

from combopt.errors import InputError

T = TypeVar("T")


def encode(value: Any) -> Any:
    """``value`` as data that ``json.dumps(..., allow_nan=False)`` takes."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, np.ndarray):
        plain = value.tolist()
        return plain if value.dtype.kind != "f" or bool(np.isfinite(value).all()) else encode(plain)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return encode_fields(value)
    raise TypeError(f"cannot write a {type(value).__name__} as JSON")


def encode_fields(value: Any) -> dict[str, Any]:
    """The constructor fields of a dataclass as plain data."""
    return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}


def decode_fields(cls: type[T], data: Any) -> T:
    """An object of the dataclass ``cls`` from what :func:`encode_fields` wrote."""
    if not isinstance(data, Mapping):
        raise InputError("E123", f"{cls.__name__}: found {type(data).__name__}", expected="a JSON object")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise InputError("E112", f"{cls.__name__} has no field {key!r}", expected=", ".join(fields))
    for name, field in fields.items():
        no_default = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if name not in data and no_default:
            raise InputError("E118", f"{cls.__name__}: the field {name!r} is missing")
    return cls(**{name: decode(hints[name], data[name], name) for name in fields if name in data})


def decode(hint: Any, raw: Any, what: str = "value") -> Any:
    """``raw`` read as the type ``hint``; the hints that occur in combopt's dataclasses are understood."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return decode(args[0], raw, what)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(args, raw, what)
    if origin is np.ndarray or hint is np.ndarray:
        if not isinstance(raw, list):
            raise InputError("E123", f"{what}: found {type(raw).__name__}", expected="a list")
        return raw  # the constructor fixes type and shape
    if origin is tuple:
        return _decode_tuple(args, raw, what)
    if origin in (dict, Mapping):
        if not isinstance(raw, dict):
            raise InputError("E123", f"{what}: found {type(raw).__name__}", expected="an object")
        return {key: decode(args[1], item, what) for key, item in raw.items()}
    if hint is Any or hint is object:
        return raw
    if isinstance(hint, type):
        return _decode_plain(hint, raw, what)
    if origin is typing.Literal and raw in args:
        return raw
    raise InputError("E123", f"{what}: {raw!r} is not valid", expected=str(hint))


def _decode_union(args: tuple[Any, ...], raw: Any, what: str) -> Any:
    if raw is None and type(None) in args:
        return None
    if isinstance(raw, int) and not isinstance(raw, bool) and int in args:
        return raw
    rest = [a for a in args if a is not type(None) and not (a is int and float in args)]
    for candidate in rest[:-1]:
        try:
            return decode(candidate, raw, what)
        except InputError:
            continue
    return decode(rest[-1], raw, what)


def _decode_tuple(args: tuple[Any, ...], raw: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise InputError("E123", f"{what}: found {type(raw).__name__}", expected="a list")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(decode(args[0], item, what) for item in raw)
    if len(args) != len(raw):
        raise InputError("E115", f"{what}: {len(raw)} entries", expected=f"{len(args)} entries")
    return tuple(decode(a, item, what) for a, item in zip(args, raw, strict=True))


def _decode_plain(hint: type, raw: Any, what: str) -> Any:
    if issubclass(hint, Enum):
        try:
            return hint(raw)
        except ValueError:
            options = ", ".join(str(member.value) for member in hint)
            raise InputError("E123", f"{what}: {raw!r}", expected=f"one of {options}") from None
    if hasattr(hint, "from_dict"):
        return hint.from_dict(raw)
    if dataclasses.is_dataclass(hint):
        return decode_fields(hint, raw)
    if issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return hint(*_decode_tuple(tuple(typing.get_type_hints(hint).values()), raw, what))
    if hint is float:
        if isinstance(raw, str) and raw in ("inf", "-inf", "nan"):
            return float(raw)
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            return float(raw)
    elif hint is int:
        if isinstance(raw, int) and not isinstance(raw, bool):
            return raw
    elif isinstance(raw, hint):
        return raw
    raise InputError("E123", f"{what}: {raw!r}", expected=f"a {hint.__name__}")


def digest(tag: str, value: Any, skip: tuple[str, ...] = ()) -> str:
    """SHA-256 over the fields of a dataclass; arrays go in as bytes, so that large instances are cheap."""
    state = hashlib.sha256(tag.encode())
    _feed(state, value, skip)
    return state.hexdigest()


def _feed(state: Any, value: Any, skip: tuple[str, ...] = ()) -> None:
    if isinstance(value, np.ndarray):
        state.update(f"{value.dtype.str}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            if field.init and field.name not in skip:
                state.update(field.name.encode() + b"=")
                _feed(state, getattr(value, field.name))
    else:
        if isinstance(value, (tuple, list)) and not (value and isinstance(value[0], (int, float, str))):
            state.update(f"({len(value)}".encode())
            for item in value:
                _feed(state, item)
            return
        state.update(json.dumps(encode(value), sort_keys=True).encode() + b";")
