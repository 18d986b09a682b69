"""Where the instances come from whose second stages are labelled: files, a function of the user, or a benchmark."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from combopt import api
from combopt.errors import UsageError
from combopt.model import Instance

FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Given:
    """One of some instances, drawn at random."""

    instances: tuple[Instance, ...]

    def __call__(self, rng: np.random.Generator) -> Instance:
        return self.instances[int(rng.integers(len(self.instances)))]


@dataclass(frozen=True)
class Made:
    """What the function ``target``, ``"package.module:function"``, makes of a random generator and a size."""

    target: str
    kind: str
    size: int

    def __call__(self, rng: np.random.Generator) -> Instance:
        function = _function(self.target)
        found = function(rng, self.size)
        if not isinstance(found, Instance) or found.kind != self.kind:
            what = found.kind if isinstance(found, Instance) else type(found).__name__
            raise UsageError("E201", f"{self.target} gave a {what}", expected=f"an instance of {self.kind}")
        return found


@dataclass(frozen=True)
class Usual:
    """A random instance of a benchmark, of up to a size."""

    kind: str
    size: int

    def __call__(self, rng: np.random.Generator) -> Instance:
        from combopt.solvers.robust.samples import SAMPLERS

        drawn = SAMPLERS[self.kind].drawn
        assert drawn is not None
        return drawn(rng, self.size)


Source = Given | Made | Usual


def source(options: argparse.Namespace, kind: str) -> tuple[Source, str, str]:
    """What draws the instances, a name for files of their values, and what they are for people.

    Raises
    ------
    UsageError
        E201 if the arguments say too little or too much.
    InputError
        If an instance cannot be read.
    """
    from combopt.solvers.robust.samples import SAMPLERS

    texts: list[str] = options.instance or []
    functions = [text for text in texts if FUNCTION.fullmatch(text) and not Path(text).exists()]
    if not texts and SAMPLERS[kind].drawn is None:
        raise UsageError(
            "E201", f"second stages of {kind} without an instance", expected="--instance FILE",
            remedy="Several files of one shape may be given, or a function package.module:function and --size N.",
        )  # fmt: skip
    if texts and not functions:
        if options.size is not None:
            raise UsageError("E201", "--size with instance files", expected="one of the two")
        instances = tuple(_read(text, kind) for text in texts)
        return Given(instances), f"{kind}-{_digest(*instances)}", f"draws of {', '.join(texts)}"
    if len(texts) > 1:
        raise UsageError("E201", f"{functions[0]} and other instances", expected="files, or one function")
    if options.size is None or (options.size < 3 and not functions):
        found = "no --size" if options.size is None else f"--size {options.size}"
        raise UsageError("E201", found, expected="1 or more" if functions else "3 or more")
    if functions:
        made = Made(functions[0], kind, options.size)
        some = made(np.random.default_rng(0))
        name = hashlib.sha256(f"{made.target} {made.size} {_digest(some)}".encode()).hexdigest()[:8]
        return made, f"{kind}-{name}", f"instances of {made.target}, size {made.size}"
    return Usual(kind, options.size), f"{kind}{options.size}", f"instances of {kind}, up to size {options.size}"


def _read(text: str, kind: str) -> Instance:
    found = api.read(text)
    if found.kind != kind:
        raise UsageError("E201", f"{text} holds an instance of {found.kind}", expected=kind,
                         remedy=f"Give --problem {found.kind} if there are networks for it.")  # fmt: skip
    return found


def _digest(*instances: Instance) -> str:
    text = json.dumps([instance.to_dict() for instance in instances], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _function(target: str) -> Callable[[np.random.Generator, int], object]:
    """The function; modules in the current folder are found, as by ``python -m``."""
    module, _, name = target.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError("E201", f"{target} cannot be imported: {error}", expected="package.module:function") from None
    if not callable(found):
        raise UsageError("E201", f"{target} is no function", expected="a function of (random generator, size)")
    function: Callable[[np.random.Generator, int], object] = found
    return function
