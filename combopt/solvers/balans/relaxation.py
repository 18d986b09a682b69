"""The linear relaxation of a program, solved once and when first asked for."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from combopt.instances.mip import CONTINUOUS, Mip
from combopt.instances.solutions import Point
from combopt.model import Floats
from combopt.solvers.balans.space import MipSpace
from combopt.solvers.base import Event
from combopt.solvers.highs import Highs
from combopt.solvers.linear import apart, rounded_bounds
from combopt.solvers.lns.loop import Inside


def relaxed(mip: Mip) -> Mip:
    """The program without integrality, special ordered sets and indicators."""
    lower, upper = rounded_bounds(mip)
    split = apart(mip)
    low, high = mip.row_lower.copy(), mip.row_upper.copy()
    conditional = [indicator.row for indicator in mip.indicators]
    low[conditional], high[conditional] = -np.inf, np.inf
    return dataclasses.replace(
        mip,
        lower=np.where(split, np.minimum(lower, 0.0), lower),
        upper=np.where(split, np.maximum(upper, 0.0), upper),
        domain=np.full(len(mip.columns), CONTINUOUS),
        row_lower=low,
        row_upper=high,
        sos=(),
        indicators=(),
    )


@dataclass
class Relaxation:
    """Gives the point of the relaxation, or ``None`` if it could not be solved within ``limit`` seconds."""

    space: MipSpace
    inside: Inside
    limit: float
    _point: list[Floats | None] = field(default_factory=list)

    def __call__(self) -> Floats | None:
        if not self._point:
            self._point.append(self._solve())
        return self._point[0]

    def _solve(self) -> Floats | None:
        program = relaxed(self.space.mip)
        if Highs().why_not(program) is not None:
            return None
        found: list[Floats] = []

        def sink(event: Event) -> None:
            if isinstance(event.solution, Point):
                found.append(event.solution.values)

        outcome = self.inside.run(Highs(), program, self.limit, 0, None, sink)
        if outcome.bound is None or not found:
            return None
        self.inside.session.bound(outcome.bound)
        return found[-1]
