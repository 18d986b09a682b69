"""What a CP-SAT model of an instance consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from combopt.model import Number, Solution

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

Values = Callable[["cp_model.IntVar"], int]
"""Gives the value of a variable in the solution at hand."""


@dataclass(frozen=True)
class CpView:
    """A CP-SAT model with the maps between its solutions and the instance's.

    Parameters
    ----------
    model
        The model, its objective set in the sense of the instance.
    decode
        Makes the instance's solution of the values of the variables.
    hint
        Gives variables and values for a start; they need not be all.
    objective
        Turns an objective or bound of the model into the instance's (for scaled or shifted objectives).
    proves
        Whether "optimal" and "infeasible" of this model carry over to the instance.
    start
        A solution found while building, handed over before the search begins.
    parameters
        ``SatParameters`` that suit the model, as protobuf text; those of the user come after them.
    """

    model: cp_model.CpModel
    decode: Callable[[Values], Solution]
    hint: Callable[[Solution], Iterable[tuple[cp_model.IntVar, int]]] | None = None
    objective: Callable[[float], Number] = lambda value: value
    proves: bool = True
    start: Solution | None = None
    parameters: str = ""
