"""Names to things, loaded when asked for: problems, solutions, formats and solvers.

Built-in entries and those of other packages (entry-point groups ``combopt.problems``, ``combopt.solutions``,
``combopt.formats``, ``combopt.solution_formats``, ``combopt.solvers``) are the same kind of string,
``"module:attribute"``, and take the same path.  Looking at the names imports nothing.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from combopt.errors import UsageError


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a registry: ``target`` is ``"module:attribute"``, ``origin`` the package that declares it."""

    name: str
    target: str
    origin: str = "combopt"

    def load(self) -> Any:
        """Import the module and return the attribute."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


@dataclass(frozen=True)
class Registry:
    """A table of names; ``group`` is the entry-point group that extends it."""

    group: str
    builtin: dict[str, str] = field(repr=False)

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """All entries by name, built-in ones first; a built-in name cannot be taken by another package."""
        table = {name: Entry(name, target) for name, target in self.builtin.items()}
        for point in importlib.metadata.entry_points(group=self.group):
            origin = point.dist.name if point.dist else "unknown"
            table.setdefault(point.name, Entry(point.name, point.value, origin))
        return table

    def names(self) -> tuple[str, ...]:
        return tuple(self.entries)

    def load(self, name: str) -> Any:
        """The thing called ``name``.

        Raises
        ------
        UsageError
            With code E204 and the nearest names, if there is none.
        """
        entry = self.entries.get(name)
        if entry is None:
            near = difflib.get_close_matches(name, self.entries, n=3, cutoff=0.5)
            raise UsageError(
                "E204",
                f"{name!r} is not among the {self.group.removeprefix('combopt.').replace('_', ' ')}",
                expected="one of " + ", ".join(self.entries),
                remedy=f"Maybe {' or '.join(near)}?" if near else "",
            )
        return entry.load()

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and loaded things, in order; an entry of another package that does not import is passed over."""
        for name, entry in self.entries.items():
            try:
                yield name, entry.load()
            except ImportError:
                if entry.origin == "combopt":
                    raise


PROBLEMS = Registry(
    "combopt.problems",
    {
        "tsp": "combopt.instances.tsp:Tsp",
        "atsp": "combopt.instances.atsp:Atsp",
        "mip": "combopt.instances.mip:Mip",
    },
)

SOLUTIONS = Registry(
    "combopt.solutions",
    {
        "tour": "combopt.instances.solutions:Tour",
        "routes": "combopt.instances.solutions:Routes",
        "selection": "combopt.instances.solutions:Selection",
        "assignment": "combopt.instances.solutions:Assignment",
        "schedule": "combopt.instances.solutions:Schedule",
        "point": "combopt.instances.solutions:Point",
    },
)

# Readers are tried in this order where the extension leaves more than one.
FORMATS = Registry(
    "combopt.formats",
    {
        "tsplib": "combopt.instances.formats.tsplib:TSPLIB",
        "json": "combopt.instances.formats.json_instance:JSON",
    },
)

SOLUTION_FORMATS = Registry(
    "combopt.solution_formats",
    {
        "json": "combopt.instances.formats.json_instance:JSON_SOLUTION",
        "tour": "combopt.instances.formats.tour:TOUR",
    },
)

SOLVERS = Registry(
    "combopt.solvers",
    {
        "nearest_neighbour": "combopt.solvers.nearest_neighbour:NearestNeighbour",
        "fast_tsp": "combopt.solvers.fast_tsp:FastTsp",
    },
)
