"""The words everyone speaks: instance, solution, evaluation, violation.

An :class:`Instance` is frozen data that knows what a feasible solution is and what it is worth; it knows
nothing of solvers.  Whatever a solver hands over goes through :meth:`Instance.evaluate` before a user sees it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from combopt import registry, serial
from combopt.errors import InputError, UnsupportedError

Number = int | float
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Sense(StrEnum):
    """Direction of optimisation."""

    MIN = "min"
    MAX = "max"

    def better(self, a: Number, b: Number) -> bool:
        """Whether objective ``a`` is strictly better than ``b``."""
        return a < b if self is Sense.MIN else a > b


class Exactness(StrEnum):
    """How firmly feasibility is known."""

    EXACT = "exact"
    TOLERANCE = "within tolerance"


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken constraint.

    ``constraint`` names it in the words of the instance, ``amount`` says by how much it is broken in its own
    units (1 where there is no natural amount), ``message`` is a sentence for people.
    """

    constraint: str
    amount: float
    message: str

    def __str__(self) -> str:
        return f"{self.constraint}: {self.message}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a solution is worth, computed afresh from the data of the instance.

    ``objective`` is an exact ``int`` where the data are integers.  ``violations`` is empty if and only if the
    solution is feasible.  ``exactness`` is ``TOLERANCE`` when feasibility holds only within the documented
    tolerance of the kind (mixed-integer programs alone).  ``notes`` are facts worth telling, such as slacks.
    """

    objective: Number
    violations: tuple[Violation, ...] = ()
    exactness: Exactness = Exactness.EXACT
    notes: tuple[str, ...] = ()

    @property
    def feasible(self) -> bool:
        return not self.violations


class Solution(ABC):
    """The natural object of a kind (a tour, routes, a selection, ...): a small frozen dataclass.

    It is the same whichever solver found it, and holds no objective: that is the instance's to say.
    """

    type: ClassVar[str]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and serial.digest("", self) == serial.digest("", other)

    def __hash__(self) -> int:
        return hash(serial.digest("", self))

    def to_dict(self) -> dict[str, Any]:
        """Plain data that ``json`` can write, with the name of the type under ``"type"``."""
        return {"type": self.type, **serial.encode_fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; called on :class:`Solution` itself it finds the class by ``"type"``.

        Raises
        ------
        InputError
            If a field is missing, unknown or of the wrong form.
        """
        if not isinstance(data, dict):
            raise InputError("E123", f"solution: found {type(data).__name__}", expected="a JSON object")
        if cls is Solution:
            return registry.SOLUTIONS.load(str(data.get("type"))).from_dict(data)
        return serial.decode_fields(cls, {k: v for k, v in data.items() if k != "type"})


class Instance(ABC):
    """Frozen data of one problem, named as in its literature.

    Final subclasses are frozen dataclasses with ``name`` among their fields and validate in ``__post_init__``.
    ``views`` names the other kinds it can be rewritten as: ``"mip"`` if it has :meth:`to_mip`.
    """

    kind: ClassVar[str]
    solution_type: ClassVar[type[Solution]]
    views: ClassVar[frozenset[str]] = frozenset()
    # Declared, not assigned, so that a kind may make it a class attribute and MIP a field.
    sense: Sense
    name: str

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and serial.digest("", self) == serial.digest("", other)

    def __hash__(self) -> int:
        return hash(serial.digest("", self))

    @abstractmethod
    def evaluate(self, solution: Solution) -> Evaluation:
        """Objective and violations of ``solution``, from the data alone.  Reports every violation.

        Raises
        ------
        InputError
            With code E302, if the solution is of another type or shape than the instance's.
        """

    @abstractmethod
    def size(self) -> dict[str, int]:
        """The few numbers that say how large the instance is, e.g. ``{"nodes": 280}``."""

    def conventions(self) -> tuple[str, ...]:
        """How the data were read where the field has more than one convention; printed with every result."""
        return ()

    def digest(self) -> str:
        """SHA-256 over kind and data (the name aside): equal data, equal digest."""
        return serial.digest(self.kind, self, skip=("name",))

    def to_dict(self) -> dict[str, Any]:
        """Plain data that ``json`` can write, with the kind under ``"kind"``."""
        return {"kind": self.kind, **serial.encode_fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; called on :class:`Instance` itself it finds the class by ``"kind"``.

        Raises
        ------
        InputError
            Like the constructor, or if a field is missing, unknown or of the wrong form.
        """
        if not isinstance(data, dict):
            raise InputError("E123", f"instance: found {type(data).__name__}", expected="a JSON object")
        if cls is Instance:
            return registry.PROBLEMS.load(str(data.get("kind"))).from_dict(data)
        return serial.decode_fields(cls, {k: v for k, v in data.items() if k != "kind"})

    def to_mip(self) -> View:
        """The instance as a mixed-integer program with the same optimal value; only if ``views`` has ``"mip"``."""
        raise UnsupportedError("E202", f"{self.kind} has no MIP view")

    def own(self, solution: Solution) -> None:
        """Raise E302 unless ``solution`` is of this kind's type."""
        if not isinstance(solution, self.solution_type):
            raise InputError(
                "E302",
                f"a {solution.type} cannot be a solution of a {self.kind} instance",
                expected=f"a {self.solution_type.type}",
            )


@dataclass(frozen=True)
class View:
    """An instance rewritten as another kind (``to_mip``), with the maps between the two solutions.

    ``to_original`` turns a feasible solution of ``instance`` into one of the original with the same objective
    (up to ``objective_offset``-free equality: the views keep sense and value); ``from_original`` is the inverse
    for warm starts, or ``None`` where a start cannot be carried over.
    """

    instance: Instance
    to_original: Callable[[Any], Solution]
    from_original: Callable[[Any], Solution | None] | None = None


def frozen_array(values: Any, dtype: Any, shape: tuple[int | None, ...], what: str) -> npt.NDArray[Any]:
    """``values`` as a read-only array of ``dtype`` whose shape matches ``shape`` (``None`` = any length).

    Integer arrays refuse fractional and overflowing input; nothing is rounded in silence.
    """
    try:
        raw = np.asarray(values)
        if raw.size == 0:
            raw = np.zeros(tuple(0 if s is None else s for s in shape) if raw.ndim != len(shape) else raw.shape)
        if np.issubdtype(dtype, np.integer) and raw.dtype.kind == "f":
            whole = np.isfinite(raw) & (np.abs(raw) < 2.0**63) & (np.floor(raw) == raw)
            if not whole.all():
                raise InputError("E113", f"{what}: {raw[~whole].flat[0]} is not a whole number of 64 bits")
        if raw.dtype.kind not in "iufbO" and not np.issubdtype(dtype, np.floating):
            raise InputError("E113", f"{what}: values of type {raw.dtype} are not integers")
        array = np.array(raw, dtype=dtype, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("E113", f"{what}: {error}", expected=f"numbers of type {np.dtype(dtype)}") from None
    if array.ndim != len(shape) or any(s is not None and s != a for s, a in zip(shape, array.shape, strict=False)):
        want = "x".join("any" if s is None else str(s) for s in shape)
        raise InputError("E115", f"{what} has shape {array.shape}", expected=f"shape {want}")
    array.setflags(write=False)
    return array


def show(value: Number) -> str:
    """A number for people: integers whole, floats with up to ten digits."""
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.10g}"
