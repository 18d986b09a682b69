"""What a problem has to say so that one network, trainer and decoder serve it.

The decision process is that of BQ-NCO (Drakulic, Michel, Mai, Sors and Andreoli, NeurIPS 2023): what is left to do
after some steps is itself an instance, a *tail* of the same problem, and nothing else about the past is kept.  So a
state is an instance, the network reads it afresh at every step, and every tail of a good solution is an example.

Solutions are written as *codes*, ``int64[B, L]``: what was decided in each step, in terms of the whole instance (for a
tour its nodes in order, the first one given; for routes twice the customer, plus one where the vehicle came by the
depot; for a knapsack the items).  A solution can be written in many ways (:meth:`Problem.rearrange`); whichever is
taken, the last ``size`` codes solve the tail that the codes before them leave (:meth:`Problem.tail`).  Training and
re-construction use nothing but these two.

Where solutions of a batch differ in length, labels are filled up with -1 in front, so that the last codes are the last
decisions; a row with no more than ``size`` of them is whole in :meth:`Problem.tail`.  Decoders, which do not know the
length ahead, put -1 behind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from combopt.errors import UsageError
from combopt.model import Floats, Instance, Ints, Solution


@dataclass(frozen=True)
class State:
    """A batch of instances that are left to solve; subclasses add fields, all tensors with one row for each.

    The first field has a column for every token, and rows of a batch have the same number of them.  A problem whose
    rows lose nodes at different speeds keeps them and masks them in :attr:`Tokens.real`.
    """

    def take(self, rows: Tensor) -> Self:
        """The states of the given rows (``int64`` or a mask), in that order; rows may be repeated."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def __len__(self) -> int:
        """Rows of the batch."""
        return len(getattr(self, fields(self)[0].name))

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return getattr(self, fields(self)[0].name).device


S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Tokens:
    """States as the network reads them.

    Parameters
    ----------
    nodes
        ``float32[B, T, node_features]``.  Where the problem has ``ends``, the first token is the origin and the last
        the destination; the network adds a learned vector to each.
    edges
        ``float32[B, T, T, edge_features]``: what stands between two tokens.  Every layer adds a learned combination
        for each head to its attention scores: minus the distance for problems in the plane, entries of the matrix in
        both directions for ATSP.  ``None`` where ``edge_features`` is 0.
    real
        ``bool[B, T]``, false for tokens that only fill up the batch; ``None`` if all are real.
    """

    nodes: Tensor
    edges: Tensor | None = None
    real: Tensor | None = None


@dataclass(frozen=True)
class Pieces:
    """Parts of solutions to be built again, ``P`` of each.

    Parameters
    ----------
    base
        ``int64[B, L]``: the solutions, possibly rearranged.
    rows
        ``int64[B, P, L]``: the same solutions, each written so that the piece stands at its end.
    place
        ``int64[B, P, size]``: where the piece stands in ``base``: ``rows[b, p, -size:] == base[b, place[b, p]]``.
        Pieces of one solution do not touch one another: any of them may be replaced by another solution of its tail.
    """

    base: Tensor
    rows: Tensor
    place: Tensor


@dataclass(frozen=True)
class Labels(Generic[S]):
    """Solved instances: ``instances`` has a row for each, ``codes: int[N, L]`` its solution."""

    instances: S
    codes: Tensor

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Tensor) -> Labels[S]:
        return Labels(self.instances.take(rows), self.codes[rows])

    def to(self, device: torch.device | str) -> Labels[S]:
        return Labels(self.instances.to(device), self.codes.to(device))


class Problem(ABC, Generic[S]):
    """The decision process of one kind of instances.  It holds no data; all tensors stay on the device of the state.

    The flattened index of an action is ``token * outputs + way``; ``outputs`` is 2 where a node can be reached in two
    ways (CVRP: directly, or by the depot), else 1.
    """

    kind: ClassVar[str]
    """Kind of the instances."""
    node_features: ClassVar[int]
    """Columns of :attr:`Tokens.nodes`."""
    edge_features: ClassVar[int] = 0
    """Columns of :attr:`Tokens.edges`."""
    outputs: ClassVar[int] = 1
    """Logits of a node."""
    ends: ClassVar[bool] = True
    """Whether the first token is an origin and the last a destination; false for a knapsack."""
    rebuilds: ClassVar[bool] = False
    """Whether :meth:`pieces` says which parts of a solution can be built again."""
    teaches: ClassVar[int] = 20
    """Nodes or items of the largest instances that :meth:`teach` may be asked for."""

    # --- instances and solutions ---------------------------------------------------------------------------------

    @abstractmethod
    def start(self, instance: Instance) -> S:
        """The instance as a state of one row, on the CPU, scaled so that single precision serves."""

    @abstractmethod
    def solution(self, instance: Instance, codes: Ints) -> Solution:
        """The solution that ``codes: int64[L]`` stand for, without the filling."""

    @abstractmethod
    def codes(self, instance: Instance, solution: Solution) -> Ints:
        """The inverse of :meth:`solution`: ``int64[L]``."""

    @abstractmethod
    def cost(self, instances: S, codes: Tensor) -> Tensor:
        """``float64[B]``: what whole solutions of fresh instances cost; a prize is a negative cost, -1 is no code."""

    # --- the process ---------------------------------------------------------------------------------------------

    @abstractmethod
    def tokens(self, state: S) -> Tokens:
        """What the network sees.  It depends on the tail alone, and not on where or how large it is drawn."""

    @abstractmethod
    def feasible(self, state: S) -> Tensor:
        """``bool[B, T * outputs]``: actions that can still end in a feasible solution.

        A row without any is finished: a tour when no node is left, orienteering and a knapsack when nothing fits.
        There is no action to stop.
        """

    @abstractmethod
    def step(self, state: S, action: Tensor) -> tuple[S, Tensor]:
        """The states after ``action: int64[B]``, and what it cost, ``float32[B]``.

        The last step of a row pays the way to the destination too.  Where rows can finish at different times, -1
        leaves a finished row as it is, for nothing.
        """

    @abstractmethod
    def code(self, state: S, action: Tensor) -> Tensor:
        """``int64[B]``: the code of the action, in terms of the whole instance."""

    def opening(self, state: S) -> Tensor:
        """``int64[B, k]``: codes that stand before the first step of fresh instances (the first node of a tour)."""
        return torch.zeros(len(state), 0, dtype=torch.int64, device=state.device)

    def view(self, state: S, k: int) -> tuple[S, Tensor | None]:
        """A smaller state with the ``k`` nodes that matter most now, for large instances.

        Returns it with ``int64[B, t]``, the tokens of ``state`` that its tokens are; ``None`` if it is ``state``
        itself, as whenever it has no more than ``k`` nodes to choose from.  Actions of the view are actions of the
        state under that map; a finished row of the one is one of the other.
        """
        return state, None

    def signature(self, state: S) -> Tensor | None:
        """``int64[B]``: equal for states of one instance that are the same tail; ``None`` if it cannot be said.

        Of two such states a beam search keeps the one that was cheaper to reach.
        """
        return None

    # --- solutions as teachers -----------------------------------------------------------------------------------

    @abstractmethod
    def sizes(self, length: int) -> range:
        """Numbers of last codes that may be cut off a solution of ``length`` codes, as :meth:`tail` takes them."""

    def room(self, instances: S, size: int) -> int:
        """Tokens of a tail of ``size`` codes, at most; by default one for each code, origin and destination."""
        return size + 2

    @abstractmethod
    def rearrange(self, instances: S, codes: Tensor, generator: torch.Generator) -> Tensor:
        """``codes`` of the same solutions, each written in a random one of the ways it can be.

        Rotation and direction of a tour, order and direction of routes, order of chosen items.
        """

    @abstractmethod
    def tail(self, instances: S, codes: Tensor, size: int) -> S:
        """What is left of the fresh ``instances`` after all but the last ``size`` codes of each row.

        It equals the state that :meth:`step` reaches along these codes, up to the order of tokens; the nodes that the
        last codes visit come first, in that order, where a solution visits all nodes.
        """

    @abstractmethod
    def target(self, state: S, codes: Tensor) -> Tensor:
        """What the teacher does in the tail of ``codes: int64[B, size]``.

        ``int64[B]``, an action; or, where several are equally good (any chosen item of a knapsack),
        ``float32[B, T * outputs]``, their probabilities.
        """

    def symmetric(self, state: S, generator: torch.Generator) -> S:
        """The states under random symmetries that keep what is best, in place of their tokens' features."""
        return state

    def lined_up(self, instances: S, codes: Tensor, generator: torch.Generator) -> Tensor:
        """``codes`` of the same solutions, written so that what lies together stands together, for :meth:`pieces`."""
        return codes

    def pieces(self, codes: Tensor, size: int, most: int, generator: torch.Generator) -> Pieces:
        """Parts of ``size`` codes (or fewer) of solutions to build again, at most ``most`` of each solution.

        Only for problems that say ``rebuilds``.
        """
        raise NotImplementedError

    # --- labels --------------------------------------------------------------------------------------------------

    @abstractmethod
    def chunk(self, arrays: Mapping[str, Any], row: int, device: torch.device) -> Labels[S]:
        """The labels of one chunk of a label file (:mod:`combopt.learned.labels`): arrays by name, and which row."""

    def chunk_instances(self, size: int, chunk: int, count: int) -> list[Instance]:
        """The instances of a chunk, for a solver to label; :meth:`chunk` makes the same ones again.

        They have the distribution of :meth:`uniform`, and whole numbers for data, the same on every machine.

        Raises
        ------
        UsageError
            E201 if there are no label files of this kind.
        """
        raise UsageError("E201", f"there are no label files of {self.kind}", expected="another kind")

    def chunk_arrays(self, size: int, chunk: int, codes: list[Ints]) -> dict[str, npt.NDArray[Any]]:
        """The arrays of a label file with this one chunk, without ``chunk``: solutions of its instances, as codes."""
        raise NotImplementedError

    @abstractmethod
    def uniform(self, size: int, count: int, generator: torch.Generator) -> S:
        """``count`` fresh random instances of ``size`` nodes or items, of the distribution of the literature."""

    def teach(self, instances: S) -> Tensor | None:
        """Good solutions (codes) of small instances by means that need no other package; ``None`` without such."""
        return None


def in_unit_box(points: Floats) -> Tensor:
    """``float32[n, 2]``: ``points`` moved to the origin and divided by the longer side of their bounding box."""
    low = points.min(axis=0)
    extent = float((points.max(axis=0) - low).max()) or 1.0
    return torch.from_numpy(((points - low) / extent).astype(np.float32))
