"""How much of a solution a neighbourhood frees, learned for each operator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from combopt.solvers.lns.engine import Ending

EASY = 0.3
"""Share of the limit below which a search that came to its end was an easy one."""


@dataclass
class Sizes:
    """Grows where neighbourhoods are searched to their end for nothing, shrinks where limits cut in without a gain.

    The idea is that of SCIP's adaptive large neighbourhood search (Hendel 2022, section 4.3): the change becomes
    smaller from one time to the next.

    Parameters
    ----------
    initial, least, most
        Share of the decisions freed.
    step
        First factor of a change; its distance to 1 shrinks by ``decay`` to no less than ``finest``.
    fixed
        Sizes of operators, by name, that never change.
    """

    initial: float = 0.15
    least: float = 0.005
    most: float = 1.0
    step: float = 1.6
    decay: float = 0.9
    finest: float = 1.1
    adaptive: bool = True
    fixed: Mapping[str, float] = field(default_factory=dict)
    _size: dict[str, float] = field(default_factory=dict)
    _step: dict[str, float] = field(default_factory=dict)

    def of(self, operator: str) -> float:
        return self.fixed.get(operator, self._size.get(operator, self.initial))

    def largest(self, size: float) -> bool:
        """Whether nothing larger can follow, so that a search to the end says all; a smaller neighbourhood of the
        same size may hold something else."""
        return size >= self.most

    def learn(self, operator: str, ending: Ending, improved: bool, spent: float) -> None:
        """Note how the search of a neighbourhood of the present size ended, and the share of its limit it spent."""
        if not self.adaptive or operator in self.fixed or ending == "failed" or (improved and spent > EASY):
            return
        step = self._step.get(operator, self.step)
        # The sooner a search ends, the further it is from what the limit allows.
        power = -1.0 if ending == "limit" else 1.0 + max(0.0, -math.log10(max(spent, 1e-3) / EASY))
        if ending == "limit" and improved:
            return
        self._size[operator] = min(self.most, max(self.least, self.of(operator) * step**power))
        self._step[operator] = max(self.finest, 1 + (step - 1) * self.decay)
