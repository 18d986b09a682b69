"""Operators of one fixed size each, as the package Balans has them: ``mutation_25``, ``rins_40``, ``proximity_005``.

The digits are the decimals of a share: ``mutation_05`` frees 5 % of the discrete columns.  The neighbourhoods are
those of the package (balans 2.2.0, folder ``destroy``) but for its faults: continuous columns stay free, draws are
without replacement, values count as equal and as whole up to a tolerance, and crossover takes a stored solution.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from combopt.model import Floats, Ints
from combopt.solvers.balans.neighbourhoods import LocalBranching, MipState
from combopt.solvers.balans.space import WHOLE, MipNeighbourhood, MipSpace
from combopt.solvers.lns.engine import Operator

FAMILIES = ("mutation", "rins", "rens", "local_branching", "proximity")
_NAME = re.compile(rf"({'|'.join(FAMILIES)})_(\d\d\d?)", re.ASCII)
LEAST_BRANCHING = 0.05
"""Share of the binaries from which the package draws the radius of local branching."""


@dataclass(frozen=True)
class Arm:
    """An operator at one size, whatever size is asked for."""

    name: str
    operator: Operator[Any]
    size: float

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> Any:
        return self.operator.build(state, self.size, rng)


@dataclass(frozen=True)
class Differences:
    """All discrete columns in which the current solution differs from one other of the pool, drawn at random."""

    space: MipSpace
    name: str = "differences"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        now = state.current.solution
        others = [found.solution for found in state.pool if found is not state.current]
        if not others:
            return None
        other = others[int(rng.integers(len(others)))]
        apart = self.space.discrete & (np.abs(other - now) > WHOLE)
        return MipNeighbourhood(free=~self.space.discrete | apart, values=now) if apart.any() else None


@dataclass(frozen=True)
class SampledRins:
    """A share ``size`` of the discrete columns whose values in the relaxation and the current solution differ."""

    space: MipSpace
    relaxation: Callable[[], Floats | None]
    name: str = "rins"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        relaxed = self.relaxation()
        if relaxed is None:
            return None
        now = state.current.solution
        picked = sample(np.flatnonzero(self.space.discrete & (np.abs(relaxed - now) > WHOLE)), size, rng)
        if not picked.size:
            return None
        free = ~self.space.discrete
        free[picked] = True
        return MipNeighbourhood(free=free, values=now)


@dataclass(frozen=True)
class SampledRens:
    """A share ``size`` of the discrete columns that are fractional in the relaxation, each rounded up or down; the
    other discrete columns keep the values of the current solution (Berthold 2014 keeps those of the relaxation)."""

    space: MipSpace
    relaxation: Callable[[], Floats | None]
    name: str = "rens"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        relaxed = self.relaxation()
        if relaxed is None:
            return None
        fractional = self.space.discrete & (np.abs(relaxed - np.rint(relaxed)) > WHOLE)
        picked = sample(np.flatnonzero(fractional), size, rng)
        if not picked.size:
            return None
        free, lower, upper = ~self.space.discrete, np.full(len(relaxed), -np.inf), np.full(len(relaxed), np.inf)
        free[picked], lower[picked], upper[picked] = True, np.floor(relaxed[picked]), np.ceil(relaxed[picked])
        return MipNeighbourhood(free=free, values=state.current.solution, lower=lower, upper=upper)


@dataclass(frozen=True)
class DrawnBranching:
    """Local branching whose radius is drawn between ``LEAST_BRANCHING`` of the binaries and ``size`` of them."""

    inner: LocalBranching
    name: str = "local_branching"

    def build(self, state: MipState, size: float, rng: np.random.Generator) -> MipNeighbourhood | None:
        return self.inner.build(state, float(rng.uniform(min(LEAST_BRANCHING, size), size)), rng)


def sample(of: Ints, share: float, rng: np.random.Generator) -> Ints:
    """``share`` of the entries, rounded down, without replacement."""
    return rng.choice(of, size=int(share * len(of) + WHOLE), replace=False)


def size_of(name: str) -> float | None:
    """The size in the name of an arm, from 0.01 to 1; ``None`` if this is no such name.

    That of proximity is ten times the margin, as a margin is a tenth of the size of :class:`Proximity`.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    share = float(f"0.{match[2]}") * (10 if match[1] == "proximity" else 1)
    return share if 0 < share <= 1 else None


def arm(
    name: str, table: Mapping[str, Operator[Any]], space: MipSpace, relaxation: Callable[[], Floats | None],
    patience: float,
) -> Arm:  # fmt: skip
    """The arm of a name that :func:`size_of` knows, over the operators of ``table``."""
    size = size_of(name)
    assert size is not None
    family = name.rpartition("_")[0]
    own: dict[str, Operator[Any]] = {
        "rins": SampledRins(space, relaxation),
        "rens": SampledRens(space, relaxation),
        "local_branching": DrawnBranching(LocalBranching(space, patience)),
    }
    return Arm(name, own.get(family, table[family]), size)
