"""The solutions of all kinds: small frozen dataclasses, indices counted from 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from combopt.errors import InputError
from combopt.model import Floats, Ints, Solution, frozen_array


@dataclass(frozen=True, eq=False)
class Tour(Solution):
    """A closed tour: ``order: int64[k]`` lists nodes in the order of visit, the return to the first implied."""

    type: ClassVar[str] = "tour"
    order: Ints

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", frozen_array(self.order, np.int64, (None,), "order"))


@dataclass(frozen=True, eq=False)
class Routes(Solution):
    """Vehicle routes: customers 1..n in the order of visit, the depot (0) left out at both ends."""

    type: ClassVar[str] = "routes"
    routes: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        plain = tuple(tuple(_whole(c, "routes") for c in route) for route in self.routes)
        object.__setattr__(self, "routes", plain)


@dataclass(frozen=True, eq=False)
class Selection(Solution):
    """A set of chosen items, columns or vertices: ``items: int64[k]``, sorted."""

    type: ClassVar[str] = "selection"
    items: Ints

    def __post_init__(self) -> None:
        items = np.sort(frozen_array(self.items, np.int64, (None,), "items"))
        items.setflags(write=False)
        object.__setattr__(self, "items", items)


@dataclass(frozen=True, eq=False)
class Assignment(Solution):
    """A class for every element (a bin for an item, a colour for a vertex): ``groups: int64[n]``."""

    type: ClassVar[str] = "assignment"
    groups: Ints

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", frozen_array(self.groups, np.int64, (None,), "groups"))


@dataclass(frozen=True, eq=False)
class Schedule(Solution):
    """Start time of every operation and the machine it runs on, by job and position in the job."""

    type: ClassVar[str] = "schedule"
    start: tuple[tuple[int, ...], ...]
    machine: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        for name in ("start", "machine"):
            plain = tuple(tuple(_whole(v, name) for v in job) for job in getattr(self, name))
            object.__setattr__(self, name, plain)
        if [len(job) for job in self.start] != [len(job) for job in self.machine]:
            raise InputError("E115", "start times and machines of a schedule differ in shape")


@dataclass(frozen=True, eq=False)
class Point(Solution):
    """A value for every variable of a mixed-integer program: ``names[n]`` and ``values: float64[n]``."""

    type: ClassVar[str] = "point"
    names: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "values", frozen_array(self.values, np.float64, (len(self.names),), "values"))

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type, "values": dict(zip(self.names, self.values.tolist(), strict=True))}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        values = data.get("values")
        if not isinstance(values, dict):
            raise InputError("E118", "point: 'values' is missing", expected="an object of numbers by name")
        return cls(tuple(values), np.array(list(values.values()), dtype=np.float64))


@dataclass(frozen=True, eq=False)
class RobustPlan(Solution):
    """A decision for now, and recourse decisions held ready for what may come.

    Parameters
    ----------
    first
        ``float64[n]``: the first stage.
    recourse
        ``float64[k, m]``: second stages; in every scenario the best of those that are feasible there is taken.
        Without any the plan is a first stage alone, which ``combopt check`` completes.
    weights
        ``float64[k]``, none negative, sum 1: a mixture of the recourse decisions whose worst case is that of the
        plan.  It proves the worst case where only the objective is uncertain; empty where it is not needed.
    scenario
        ``float64[q]``: the worst scenario that is known; empty if none is.
    """

    type: ClassVar[str] = "robust_plan"
    first: Floats
    recourse: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    weights: Floats = field(default_factory=lambda: np.zeros(0))
    scenario: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        for name, rank in (("first", 1), ("recourse", 2), ("weights", 1), ("scenario", 1)):
            values = frozen_array(getattr(self, name), np.float64, (None,) * rank, name)
            if not np.isfinite(values).all():
                raise InputError("E114", f"robust plan: {name} holds a number that is not finite")
            object.__setattr__(self, name, values)
        if self.weights.size and len(self.weights) != len(self.recourse):
            found = f"{len(self.weights)} weights of {len(self.recourse)} recourse decisions"
            raise InputError("E115", found, expected="one each, or none at all")


def numbers(chosen: Any) -> str:
    """The places of what is chosen, counted from 1, for people: ``"1, 3 to 5"``."""
    runs: list[list[int]] = []
    for place, one in enumerate(chosen, 1):
        if one and runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        elif one:
            runs.append([place])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(words) or "none"


def _whole(value: Any, what: str) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise InputError("E113", f"{what}: {value!r}", expected="a whole number")
    return int(value)
