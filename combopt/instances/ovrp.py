"""The open vehicle routing problem: as CVRP, but a route ends at its last customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from combopt.instances.cvrp import RouteLength


@dataclass(frozen=True, eq=False, kw_only=True)
class Ovrp(RouteLength):
    """Open vehicle routing: the way back to the depot is neither driven nor counted (Li, Golden and Wasil 2007).

    The objective is total length.  Papers that minimise the number of routes first are met by setting
    ``vehicles`` to that number.
    """

    kind: ClassVar[str] = "ovrp"
    closed: ClassVar[bool] = False
    name: str = "ovrp"

    def conventions(self) -> tuple[str, ...]:
        return (*super().conventions(), "open routes: no way back to the depot")
