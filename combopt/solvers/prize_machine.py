"""The loops of :mod:`~combopt.solvers.prize_kernels` as machine code, compiled by numba when they are first used."""

from __future__ import annotations

import importlib.util
import inspect
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any

from combopt.solvers import prize_kernels

ENTRIES = ("nearest", "descend", "mend", "rounds")
"""What is called from Python; the others get no interface for that, which takes a third off the time to compile."""


@cache
def compiled() -> Any:
    """The kernels by name: compiled, some seconds the first time ever and kept on disk after that where possible.

    Without numba they are the plain functions, some hundred times slower.
    """
    if importlib.util.find_spec("numba") is None:
        return prize_kernels
    scope: dict[str, Any] = dict(vars(prize_kernels))
    types = _types()
    for name, function in vars(prize_kernels).items():
        if inspect.isfunction(function) and function.__module__ == prize_kernels.__name__:
            # A copy that looks names up among the compiled functions; a function stands after those that it calls.
            copy = FunctionType(function.__code__, scope, name)
            copy.__module__ = function.__module__
            scope[name] = _compile(copy, _signature(function, types), name in ENTRIES)
    return SimpleNamespace(**{name: scope[name] for name in ENTRIES})


def _compile(function: FunctionType, signature: Any, entry: bool) -> Any:
    from numba import njit

    flags = {"nogil": True, "no_cpython_wrapper": not entry, "no_cfunc_wrapper": True}
    try:
        return njit(signature, cache=True, **flags)(function)
    except RuntimeError:  # no folder to keep compiled code in
        return njit(signature, **flags)(function)


def _signature(function: FunctionType, types: dict[str, Any]) -> Any:
    """The numba signature of a function.  Without one, numba compiles it anew for every literal argument."""
    hints = dict(function.__annotations__)
    result = types[hints.pop("return")]
    return result(*(types[hint] for hint in hints.values()))


def _types() -> dict[str, Any]:
    """Numba's types by annotation."""
    from numba import types

    table: dict[str, Any] = {
        "int": types.int64,
        "float": types.float64,
        "bool": types.boolean,
        "None": types.void,
        "tuple[int, int]": types.UniTuple(types.int64, 2),
        "tuple[int, int, int]": types.UniTuple(types.int64, 3),
        "Ints": types.int64[::1],
        "Table": types.int64[:, ::1],
        "Floats": types.float64[::1],
        "Points": types.float64[:, ::1],
    }
    for cls in (prize_kernels.Space, prize_kernels.Tour, prize_kernels.Hunt):
        fields = [table[reference.__forward_arg__] for reference in cls.__annotations__.values()]
        table[cls.__name__] = types.NamedTuple(fields, cls)
    return table
