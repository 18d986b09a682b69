"""What a value network sees of a general two-stage program: first stage and scenario as they are.

A file of values holds, besides what :mod:`.samples` says,

``size: int64[4]``
    first-stage columns, factors, recourse columns and second-stage rows;
``structure``
    text, the :func:`~.program.structure` of all its instances;
``numbers: float64[c, N]``
    the :func:`~.program.numbers` of each instance.

Values are in the units and the sense of the instance, without the objective of its first stage.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from combopt.errors import InputError, UsageError
from combopt.learned.value.base import ValueProblem
from combopt.learned.value.flat import FlatConfig, FlatNetwork
from combopt.learned.value.program import fixed, in_words
from combopt.learned.value.samples import Samples


class RobustValue(ValueProblem):
    """A general two-stage program of fixed dimensions."""

    kind = "robust"
    arrays = ("size", "structure", "numbers")
    shapes = ("flat",)

    def joined(self, parts: list[dict[str, Any]]) -> Samples:
        """The samples of several files; of the numbers those that vary are kept."""
        one = parts[0]
        for part in parts[1:]:
            if str(part["structure"]) != str(one["structure"]):
                raise InputError(
                    "E120", "the files hold values of two problems: one has "
                    f"{in_words(one['size'].tolist())}, another {in_words(part['size'].tolist())}",
                    expected="instances of one shape, that differ in numbers alone",
                    remedy="Keep the values of each problem in a folder of its own.",
                )  # fmt: skip
        table = np.concatenate([part["numbers"] for part in parts])
        varying = np.flatnonzero(np.ptp(table, axis=0) > 0)

        def whole(name: str) -> Tensor:
            return torch.from_numpy(np.concatenate([part[name].astype(np.float32) for part in parts]))

        facts = {
            "size": tuple(one["size"].tolist()), "structure": str(one["structure"]),
            "fixed": fixed(table[0], varying), "varying": varying,
        }  # fmt: skip
        data = {"numbers": torch.from_numpy(table[:, varying].astype(np.float32))}
        return Samples(data, whole("first"), whole("scenario"), whole("value"), facts)

    def shape(self, name: str, samples: Samples) -> FlatConfig:
        if name not in self.shapes:
            raise UsageError("E201", f"network {name!r} for {self.kind}", expected=", ".join(self.shapes))
        facts = samples.facts
        columns, factors, recourse, rows = facts["size"]
        return FlatConfig(columns, factors, recourse, rows, facts["structure"], facts["fixed"], len(facts["varying"]))

    def config(self, facts: dict[str, Any]) -> FlatConfig:
        return FlatConfig(**facts)

    def network(self, config: Any, samples: Samples | None = None) -> FlatNetwork:
        assert isinstance(config, FlatConfig)
        found = FlatNetwork(config, self.kind)
        if samples is None:
            return found
        facts = samples.facts
        if (facts["structure"], len(facts["varying"])) != (config.structure, config.numbers):
            raise UsageError(
                "E201", f"values of a problem with {in_words(facts['size'])}, of which {len(facts['varying'])} "
                "numbers vary", expected=f"{in_words(config.size)}, and {config.numbers}, as the run was begun",
            )  # fmt: skip
        known = samples.value[~samples.value.isnan()]
        if not len(known):
            raise UsageError("E201", "values that are all missing", expected="some pair with a feasible second stage",
                             remedy="Check the rows of the second stage, or give it a penalty column.")  # fmt: skip
        varying = torch.from_numpy(facts["varying"].astype(np.float32))
        found.fit(samples.first, samples.scenario, samples.data["numbers"], known, varying)
        return found

    def predicted(self, network: Any, samples: Samples) -> Tensor:
        found: Tensor = network(samples.first, samples.scenario, samples.data["numbers"])
        return found.to(torch.float32)

    def unit(self, network: Any) -> Tensor | float:
        spread: Tensor = network.value_spread
        return spread

    def described(self, samples: Samples) -> str:
        return f"{len(samples):,} draws of {self.kind} with {in_words(samples.facts['size'])}"
