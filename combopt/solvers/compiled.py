"""Search loops as machine code: plain functions of a module, compiled together by numba when they are needed."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any


def available() -> bool:
    """Whether numba is installed; without it the same functions run as plain Python, some hundred times slower."""
    return importlib.util.find_spec("numba") is not None


@functools.cache
def compiled(name: str, *, entries: tuple[str, ...] = (), typed: bool = True) -> ModuleType | SimpleNamespace:
    """The functions of the module called ``name``, compiled and calling each other compiled.

    The module itself stays as it is; without numba it is what is returned.  The machine code is kept on disk where
    possible, so that later processes start at once, and releases the interpreter lock while it runs.  Functions call
    those above them, and nothing else but numpy and builtins; arrays are contiguous and writable.

    Parameters
    ----------
    entries
        What is called from Python; the others then get no interface for that, which takes a third off the time to
        compile.  By default all of them are.
    typed
        Compile at once for the types of the annotations: ``int``, ``float``, ``bool``, the array names of
        :func:`_types`, tuples of these, and named tuples of the module.  Without it, a function is compiled when it
        is first called, anew for every combination of argument types.
    """
    module = importlib.import_module(name)
    if not available():
        return module
    types = _types(module) if typed else {}
    scope: dict[str, Any] = dict(vars(module))
    for label, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == name:
            # A copy that looks names up among the compiled functions.
            copy = FunctionType(function.__code__, scope, label, function.__defaults__)
            copy.__module__ = name
            signature = _signature(function, types) if typed else None
            scope[label] = _compile(copy, signature, not entries or label in entries)
    return SimpleNamespace(**scope)


def jit(function: Callable[..., Any], signature: Any = None, **flags: Any) -> Any:
    """One function compiled by numba, kept on disk where there is a place for it."""
    from numba import njit

    options = {"nogil": True, "error_model": "numpy", **flags}
    arguments = () if signature is None else (signature,)
    try:
        return njit(*arguments, cache=True, **options)(function)
    except RuntimeError:  # no folder that can be written to
        return njit(*arguments, **options)(function)


def _compile(function: FunctionType, signature: Any, entry: bool) -> Any:
    return (
        jit(function, signature) if entry else jit(function, signature, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    )


def _signature(function: FunctionType, types: dict[str, Any]) -> Any:
    """The numba signature of a function.  Without one, numba compiles it anew for every literal argument."""
    hints = dict(function.__annotations__)
    result = _type(hints.pop("return"), types)
    return result(*(_type(hint, types) for hint in hints.values()))


def _type(hint: str, types: dict[str, Any]) -> Any:
    parts = re.fullmatch(r"tuple\[(.*)\]", hint)
    if parts is None:
        return types[hint]
    types_of: Any = importlib.import_module("numba.core.types")
    return types_of.Tuple([types[part.strip()] for part in parts[1].split(",")])


def _types(module: ModuleType) -> dict[str, Any]:
    """Numba's types by annotation: plain ones, arrays by the names that the kernels give them, named tuples."""
    types: Any = importlib.import_module("numba.core.types")
    table: dict[str, Any] = {
        "int": types.int64,
        "float": types.float64,
        "bool": types.boolean,
        "None": types.void,
        "Ints": types.int64[::1],
        "Table": types.int64[:, ::1],
        "Near": types.int32[:, ::1],
        "Floats": types.float64[::1],
        "Points": types.float64[:, ::1],
        "Matrix": types.float32[:, ::1],
    }
    for label, cls in vars(module).items():
        if isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields"):
            hints: list[Any] = list(cls.__annotations__.values())
            fields = [_type(getattr(hint, "__forward_arg__", hint), table) for hint in hints]
            table[label] = types.NamedTuple(fields, cls)
    return table
