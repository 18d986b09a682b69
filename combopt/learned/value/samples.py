"""Values of second stages, on file and on a device.

A file is a ``.npz`` (read without pickle) of instances of one kind, padded with zeros to ``n`` items:

``kind``
    text;
``items: int32[c]``
    items of each instance;
a ``float32[c, n]`` for each array over items and a ``float32[c]`` for each number that :mod:`.problems` names;
``first: uint8[c, F, n]``, ``scenario: float32[c, S, q]``
    first stages and scenarios;
``value: float32[c, F, S]``
    what the second stage is worth at each pair of them; NaN where it is not feasible.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from combopt.errors import InputError, Place, UsageError
from combopt.learned.value.problems import ValueProblem

HELD_OUT = 10
"""One instance in so many is for validation."""


@dataclass(frozen=True)
class Samples:
    """Values of second stages.

    Parameters
    ----------
    data
        The instances, see :data:`~.problems.Data`.
    first, scenario
        ``float32[c, F, n]`` and ``float32[c, S, q]``.
    value
        ``float32[c, F, S]``, in units of :meth:`ValueProblem.scale`; NaN where the second stage is not feasible.
    """

    data: dict[str, Tensor]
    first: Tensor
    scenario: Tensor
    value: Tensor

    def __len__(self) -> int:
        return len(self.value)

    def take(self, rows: Tensor) -> Samples:
        data = {name: values[rows] for name, values in self.data.items()}
        return Samples(data, self.first[rows], self.scenario[rows], self.value[rows])

    def split(self, parts: int) -> list[Samples]:
        rows = torch.arange(len(self), device=self.value.device).tensor_split(parts)
        return [self.take(r) for r in rows if len(r)]

    def to(self, device: torch.device) -> Samples:
        data = {name: values.to(device) for name, values in self.data.items()}
        return Samples(data, self.first.to(device), self.scenario.to(device), self.value.to(device))

    @property
    def tokens(self) -> int:
        """Values of one instance."""
        return int(self.value[0].numel())


def load(problem: ValueProblem, folder: str | Path, device: torch.device) -> tuple[Samples, Samples]:
    """Samples to learn from and samples held out, of all files of a folder.

    Raises
    ------
    UsageError
        E201 if there are none of this kind.
    InputError
        If a file is damaged.
    """
    files = sorted(Path(folder).glob("*.npz"))
    parts = [part for path in files if (part := _read(problem, path)) is not None]
    if not parts:
        raise UsageError("E201", f"{folder} holds no values of {problem.kind}", expected="files of combopt label")
    found = _joined(problem, parts)
    if len(found) < 2:
        raise UsageError("E201", f"{folder} holds one instance", expected="two or more, to learn from and to judge on")
    rows = torch.arange(len(found))
    moved = found.to(device)
    return moved.take(rows[rows % HELD_OUT != 0].to(device)), moved.take(rows[rows % HELD_OUT == 0].to(device))


def _read(problem: ValueProblem, path: Path) -> dict[str, Any] | None:
    names = (*problem.items, *problem.numbers, "items", "first", "scenario", "value")
    try:
        with np.load(path, allow_pickle=False) as archive:
            if str(archive["kind"]) != problem.kind:
                return None
            return {name: archive[name] for name in names}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError("E102", f"no file of values: {error}", place=Place(str(path))) from None


def _joined(problem: ValueProblem, parts: list[dict[str, Any]]) -> Samples:
    """The instances of several files, all filled up to the largest."""
    n = max(part["first"].shape[2] for part in parts)

    def whole(name: str, over_items: bool) -> Tensor:
        arrays = [part[name].astype(np.float32) for part in parts]
        if over_items:
            arrays = [np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, n - a.shape[-1])]) for a in arrays]
        return torch.from_numpy(np.concatenate(arrays))

    data = {name: whole(name, True) for name in problem.items} | {name: whole(name, False) for name in problem.numbers}
    count = torch.from_numpy(np.concatenate([part["items"] for part in parts]).astype(np.int64))
    data["real"] = torch.arange(n) < count.unsqueeze(1)
    value = whole("value", False) / problem.scale(data)[:, None, None]
    return Samples(data, whole("first", True), whole("scenario", problem.by_item), value)
