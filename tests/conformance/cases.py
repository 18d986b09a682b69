"""Small instances of every kind, and which solver takes which."""

from __future__ import annotations

import importlib
import os
import zlib
from collections.abc import Iterator

import numpy as np

from combopt import registry
from combopt.model import Instance, Number
from combopt.solvers.base import Solver

KINDS = registry.PROBLEMS.names()
FUZZ = int(os.environ.get("COMBOPT_FUZZ", "500"))
"""Instances of each kind that exact solvers are compared on with brute force."""


def small(kind: str, count: int, salt: str = "") -> Iterator[tuple[int, Instance, Number | None]]:
    """Numbered tiny instances with their optimum by enumeration (``None`` if infeasible)."""
    brute = importlib.import_module(f"tests.brute.{kind}")
    for number in range(count):
        rng = np.random.default_rng([zlib.crc32(f"{kind}{salt}".encode()), number])
        instance = brute.small(rng)
        yield number, instance, brute.best(instance)


def installed_solvers() -> list[tuple[str, Solver]]:
    return [(name, cls()) for name, cls in registry.SOLVERS.items() if cls.info.version() is not None]


UNARMED = {("neur2ro", "robust")}
"""Solvers that take nothing of a kind without weights of the user: tests/solvers/robust/test_neur2ro_program.py."""


def pairs() -> list[tuple[str, str]]:
    """Every solver with every kind it declares, and with every kind it reaches through the MIP view."""
    found = []
    for name, solver in installed_solvers():
        if name == "external":  # it takes nothing without a command; tests/solvers/test_external.py has some
            continue
        kinds = set(solver.info.kinds)
        if "mip" in kinds:
            kinds |= {kind for kind, cls in registry.PROBLEMS.items() if "mip" in cls.views}
        found += [(name, kind) for kind in KINDS if kind in kinds and (name, kind) not in UNARMED]
    return found
