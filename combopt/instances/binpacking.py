"""One-dimensional bin packing: all items into as few bins of one capacity as possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.errors import InputError, UsageError
from combopt.instances.packing import LARGEST_TOTAL, check_amounts, check_scale, in_units
from combopt.instances.solutions import Assignment
from combopt.model import Evaluation, Instance, Ints, Sense, Solution, View, Violation, frozen_array


@dataclass(frozen=True, eq=False, kw_only=True)
class BinPacking(Instance):
    """Bin packing.

    Parameters
    ----------
    item_size
        ``int64[n]``, 0 or more.
    capacity
        Of every bin, 1 or more.
    scale
        A power of ten, above 1 where the data have decimals: sizes in the units of the file are
        ``item_size / scale``, the capacity alike.
    """

    kind: ClassVar[str] = "binpacking"
    sense: ClassVar[Sense] = Sense.MIN  # type: ignore[misc]
    solution_type: ClassVar[type[Solution]] = Assignment
    views: ClassVar[frozenset[str]] = frozenset({"mip"})
    name: str = "binpacking"
    item_size: Ints
    capacity: int
    scale: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "item_size", frozen_array(self.item_size, np.int64, (None,), "item_size"))
        object.__setattr__(self, "capacity", int(self.capacity))
        if not len(self.item_size):
            raise InputError("E118", "there are no items")
        check_amounts(self.item_size, "item_size")
        if not 1 <= self.capacity <= LARGEST_TOTAL:
            raise InputError("E114", f"the capacity is {self.capacity}", expected=f"1 to {LARGEST_TOTAL}")
        check_scale(self.scale, "scale")

    @property
    def items(self) -> int:
        return len(self.item_size)

    def oversized(self) -> Ints:
        """Items larger than a bin; the instance is infeasible if there is one."""
        return np.flatnonzero(self.item_size > self.capacity)

    def size(self) -> dict[str, int]:
        return {"items": self.items, "capacity": self.capacity, "sizes": len(np.unique(self.item_size))}

    def evaluate(self, solution: Solution) -> Evaluation:
        """Bins used and overfull ones; a bin is whatever number the items in it share, a negative one is none."""
        self.own(solution)
        assert isinstance(solution, Assignment)
        groups = solution.groups
        if len(groups) != self.items:
            raise InputError("E302", f"{len(groups)} items are assigned", expected=f"{self.items} items")
        inside = groups >= 0
        violations = [Violation(f"item {i + 1}", 1, "is in no bin") for i in np.flatnonzero(~inside).tolist()]
        bins, index = np.unique(groups[inside], return_inverse=True)
        load = np.zeros(len(bins), dtype=np.int64)
        np.add.at(load, index, self.item_size[inside])
        for k in np.flatnonzero(load > self.capacity).tolist():
            amount = in_units(int(load[k]) - self.capacity, self.scale)
            violations.append(Violation(f"bin {bins[k] + 1}", float(amount), f"is overfull by {amount}"))
        return Evaluation(len(bins), tuple(violations))

    def to_mip(self) -> View:
        """The arc-flow model where it is small enough, else one variable for every item and bin."""
        from combopt.instances.binpacking_mip import view

        return view(self)

    @classmethod
    def generate(
        cls, rng: np.random.Generator, *, n: int = 120, family: str = "uniform", capacity: int | None = None
    ) -> BinPacking:
        """A random instance.

        ``uniform`` (sizes 20 to 100, capacity 150) and ``triplet`` (three items fill a bin of 1000 exactly; ``n`` is
        rounded down to a multiple of 3) are those of Falkenauer, Journal of Heuristics 2 (1996); ``scholl1`` (sizes
        1 to 100, capacity 100), ``scholl2`` (capacity 1000, sizes within 50 % of a third to a ninth of it) and
        ``scholl3`` (sizes 20000 to 35000, capacity 100000) those of Scholl, Klein and Juergens, Computers &
        Operations Research 24 (1997).
        """
        if n < 1 or (capacity is not None and capacity < 1):
            raise UsageError("E201", f"n={n}, capacity={capacity}", expected="numbers from 1")
        if family == "triplet":
            size, standard = _triplets(rng, max(1, n // 3)), 1000
        elif family == "scholl2":
            mean = 1000 // int(rng.choice([3, 5, 7, 9]))
            size, standard = rng.integers(mean // 2, mean + mean // 2 + 1, n), 1000
        elif family in _RANGES:
            low, high, standard = _RANGES[family]
            size = rng.integers(low, high + 1, n)
        else:
            raise UsageError("E201", f"family {family!r}", expected=", ".join([*_RANGES, "scholl2", "triplet"]))
        capacity = standard if capacity is None else capacity
        return cls(name=f"binpacking-{family}-{n}", item_size=np.minimum(size, capacity), capacity=capacity)


_RANGES = {"uniform": (20, 100, 150), "scholl1": (1, 100, 100), "scholl3": (20_000, 35_000, 100_000)}


def _triplets(rng: np.random.Generator, triples: int) -> Ints:
    """Falkenauer's triplets in thousandths: a large item of 380 to 490, the rest of the bin cut in two from 250."""
    large = rng.integers(380, 491, triples)
    middle = np.array([rng.integers(250, (1000 - a) // 2 + 1) for a in large.tolist()], dtype=np.int64)
    sizes: Ints = np.column_stack([large, middle, 1000 - large - middle]).ravel()
    return rng.permutation(sizes)
