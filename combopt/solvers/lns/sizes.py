"""How much of a solution a neighbourhood frees, learned for each operator and searcher."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from combopt.solvers.lns.engine import Ending


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
    """

    initial: float = 0.15
    least: float = 0.005
    most: float = 1.0
    step: float = 1.6
    decay: float = 0.9
    finest: float = 1.1
    adaptive: bool = True
    _size: dict[tuple[str, str], float] = field(default_factory=dict)
    _step: dict[tuple[str, str], float] = field(default_factory=dict)

    def of(self, key: tuple[str, str]) -> float:
        return self._size.get(key, self.initial)

    def largest(self, size: float) -> bool:
        """Whether nothing larger can follow."""
        return size >= self.most or not self.adaptive

    def learn(self, key: tuple[str, str], ending: Ending, improved: bool) -> None:
        """Note how the search of a neighbourhood of the present size ended."""
        if not self.adaptive or improved or ending == "failed":
            return
        step = self._step.get(key, self.step)
        factor = 1 / step if ending == "limit" else step
        self._size[key] = min(self.most, max(self.least, self.of(key) * factor))
        self._step[key] = max(self.finest, 1 + (step - 1) * self.decay)
