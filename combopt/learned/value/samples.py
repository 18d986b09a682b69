"""Values of second stages, on file and on a device.

A file is a ``.npz`` (read without pickle) of instances of one kind:

``kind``
    text;
``first: [c, F, n]``, ``scenario: float32[c, S, q]``
    first stages and scenarios;
``value: float32[c, F, S]``
    what the second stage is worth at each pair of them; NaN where it is not feasible;

and of the instances what the :class:`~.base.ValueProblem` of the kind says.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from combopt.errors import InputError, Place, UsageError
from combopt.learned.value.base import ValueProblem

HELD_OUT = 10
"""One instance in so many is for validation."""


@dataclass(frozen=True)
class Samples:
    """Values of second stages.

    Parameters
    ----------
    data
        The instances, see :data:`~.base.Data`.
    first, scenario
        ``float32[c, F, n]`` and ``float32[c, S, q]``.
    value
        ``float32[c, F, S]``, in the units that the problem chose; NaN where the second stage is not feasible.
    facts
        What holds of all instances, as the problem has it.
    """

    data: dict[str, Tensor]
    first: Tensor
    scenario: Tensor
    value: Tensor
    facts: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.value)

    def take(self, rows: Tensor) -> Samples:
        data = {name: values[rows] for name, values in self.data.items()}
        return Samples(data, self.first[rows], self.scenario[rows], self.value[rows], self.facts)

    def split(self, parts: int) -> list[Samples]:
        rows = torch.arange(len(self), device=self.value.device).tensor_split(parts)
        return [self.take(r) for r in rows if len(r)]

    def to(self, device: torch.device) -> Samples:
        data = {name: values.to(device) for name, values in self.data.items()}
        return Samples(data, self.first.to(device), self.scenario.to(device), self.value.to(device), self.facts)

    @property
    def tokens(self) -> int:
        """Values of one instance."""
        return int(self.value[0].numel())


def load(problem: ValueProblem, source: str | Path | Sequence[Path], device: torch.device) -> tuple[Samples, Samples]:
    """Samples to learn from and samples held out, of some files or all files of a folder.

    Raises
    ------
    UsageError
        E201 if there are none of this kind.
    InputError
        If a file is damaged, or the files do not belong together.
    """
    files = sorted(Path(source).glob("*.npz")) if isinstance(source, str | Path) else source
    parts = [part for path in files if (part := _read(problem, path)) is not None]
    where = str(source) if isinstance(source, str | Path) else "the list of files"
    if not parts:
        raise UsageError("E201", f"{where} holds no values of {problem.kind}", expected="files of combopt label")
    found = problem.joined(parts)
    if len(found) < 2:
        raise UsageError("E201", f"{where} holds one instance", expected="two or more, to learn from and to judge on")
    rows = torch.arange(len(found))
    moved = found.to(device)
    return moved.take(rows[rows % HELD_OUT != 0].to(device)), moved.take(rows[rows % HELD_OUT == 0].to(device))


def _read(problem: ValueProblem, path: Path) -> dict[str, Any] | None:
    names = (*problem.arrays, "first", "scenario", "value")
    try:
        with np.load(path, allow_pickle=False) as archive:
            if str(archive["kind"]) != problem.kind:
                return None
            return {name: archive[name] for name in names}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError("E102", f"no file of values: {error}", place=Place(str(path))) from None
