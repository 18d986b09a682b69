"""Loops over graphs as machine code: the functions of a module, compiled by numba when they are first called."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any


@functools.cache
def compiled(name: str) -> ModuleType | SimpleNamespace:
    """The functions of the module called ``name``, compiled and calling each other compiled.

    The module itself stays as it is; without numba it is what is returned, and runs some hundred times slower.  The
    functions release the interpreter lock, and are kept on disk for later processes where there is a place for it.
    """
    module = importlib.import_module(name)
    if importlib.util.find_spec("numba") is None:
        return module
    import numba

    scope: dict[str, Any] = dict(vars(module))
    for label, function in vars(module).items():
        if isinstance(function, FunctionType) and function.__module__ == name:
            copy = FunctionType(function.__code__, scope, label)  # finds the others in ``scope``
            copy.__module__ = name
            try:
                scope[label] = numba.njit(copy, cache=True, nogil=True)
            except RuntimeError:  # no folder that can be written
                scope[label] = numba.njit(copy, nogil=True)
    return SimpleNamespace(**scope)
