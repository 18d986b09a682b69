"""What training and solvers need of a kind whose second stages are learned; one file for each kind beside this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

if TYPE_CHECKING:
    from combopt.learned.value.samples import Samples

Data = Mapping[str, Tensor]
"""What samples hold of their instances, by name; the first dimension is that of the instances."""


class ValueProblem(ABC):
    """A kind of instances with a second stage, and the networks that say what it is worth.

    ``kind`` is that of the instances, ``arrays`` names what a file of values holds beside first stages, scenarios and
    values, and ``shapes`` the networks that there are, the usual one first.
    """

    kind: ClassVar[str]
    arrays: ClassVar[tuple[str, ...]]
    shapes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def joined(self, parts: list[dict[str, Any]]) -> Samples:
        """The samples in the arrays of several files; InputError E120 if they do not belong together."""

    @abstractmethod
    def shape(self, name: str, samples: Samples) -> Any:
        """The shape of the network called ``name`` for these samples, a frozen dataclass of numbers and texts;
        UsageError E201 if there is no such network."""

    @abstractmethod
    def config(self, facts: dict[str, Any]) -> Any:
        """The shape of which these are the fields."""

    @abstractmethod
    def network(self, config: Any, samples: Samples | None = None) -> Any:
        """A network of this shape with random weights, fitted to the units of samples where some are given.

        Raises
        ------
        UsageError
            E201 if the samples are of another problem than the shape.
        """

    @abstractmethod
    def predicted(self, network: Any, samples: Samples) -> Tensor:
        """What the network says, ``float32[c, F, S]``, in units of :attr:`Samples.value`."""

    def unit(self, network: Any) -> Tensor | float:
        """By what errors are divided before they are squared."""
        return 1.0

    @abstractmethod
    def described(self, samples: Samples) -> str:
        """The instances of samples, for people: ``40 instances of ...``."""
