"""Functions for the option ``rank`` of balans: one that works, and what may go wrong."""

from __future__ import annotations

import numpy as np

from combopt.model import Floats
from combopt.solvers.balans.neighbourhoods import MipState
from combopt.solvers.balans.space import MipSpace

NUMBER = 3


def last_first(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    """The last columns first."""
    return np.arange(len(space.mip.columns), dtype=float)


def silent(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats | None:
    return None


def short(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    return np.zeros(2)


def undefined(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    return np.full(len(space.mip.columns), np.nan)


def broken(space: MipSpace, state: MipState, rng: np.random.Generator) -> Floats:
    raise ZeroDivisionError("nothing to divide by")
