"""What a PyVRP model of an instance consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from combopt.model import Solution

if TYPE_CHECKING:
    import pyvrp


@dataclass(frozen=True)
class PyvrpView:
    """Problem data with the maps between PyVRP's solutions and the instance's.

    Parameters
    ----------
    data
        The problem data.
    decode
        Makes the instance's solution of a feasible one of PyVRP's.
    encode
        Carries a start over, or gives ``None`` for one that this model cannot hold; without it no start is used.
    neighbours
        Size of the granular neighbourhood of a client that suits the model.
    """

    data: pyvrp.ProblemData
    decode: Callable[[pyvrp.Solution], Solution]
    encode: Callable[[Solution], pyvrp.Solution | None] | None = None
    neighbours: int = 50
