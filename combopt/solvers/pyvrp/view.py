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

    ``encode`` carries a start over; ``None`` where that is not possible.
    """

    data: pyvrp.ProblemData
    decode: Callable[[pyvrp.Solution], Solution]
    encode: Callable[[Solution], pyvrp.Solution] | None = None
