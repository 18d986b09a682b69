"""Search loops as machine code: plain functions of a module, compiled together by numba when they are needed."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any


def available() -> bool:
    """Whether numba is installed; without it the same functions run as plain Python, some hundred times slower."""
    return importlib.util.find_spec("numba") is not None


_LOCK = threading.Lock()


def compiled(name: str) -> ModuleType:
    """The module called ``name`` with its functions replaced by compiled ones, which call each other compiled.

    The result is kept on disk where possible, so that later processes start at once.  The functions release the
    interpreter lock while they run.  They must be annotated with ``int``, ``bool``, ``Ints`` (one dimension) and
    ``Table`` (two) or tuples of them, in an order in which each calls only those above it, and nothing else but
    numpy and builtins.  Arrays must be contiguous and writable.
    """
    module = importlib.import_module(name)
    if not available():
        return module
    with _LOCK:
        for label, function in list(vars(module).items()):
            if inspect.isfunction(function) and function.__module__ == name:
                setattr(module, label, _compile(function))
    return module


def _compile(function: Callable[..., Any]) -> Any:
    from numba import njit

    hints = dict(function.__annotations__)
    result = _type(hints.pop("return"))
    # Without a fixed signature numba compiles a function anew for every combination of literal arguments.
    signature = result(*[_type(hint) for hint in hints.values()])
    try:
        return njit(signature, cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no place on disk that can be written to
        return njit(signature, nogil=True, error_model="numpy")(function)


def _type(hint: str) -> Any:
    """The numba type of an annotation."""
    from numba import types

    if hint.startswith("tuple["):
        return types.Tuple([_type(part.strip()) for part in hint[6:-1].split(",")])
    table = {
        "int": types.int64,
        "bool": types.boolean,
        "None": types.void,
        "Ints": types.int64[::1],
        "Table": types.int64[:, ::1],
    }
    return table[hint]
