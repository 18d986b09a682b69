"""Solomon's format: round trips, and what it cannot say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from combopt.errors import UsageError
from combopt.instances.formats.solomon import SOLOMON, write
from combopt.instances.metric import Metric
from combopt.instances.text import ReadOptions, Source
from combopt.instances.vrptw import Vrptw


@pytest.mark.parametrize("family", ["r1", "c2", "rc1"])
def test_round_trip(family: str) -> None:
    instance = Vrptw.generate(np.random.default_rng(1), n=20, family=family)
    assert SOLOMON.read(Source("x.txt", write(instance))) == instance


def test_a_free_fleet_is_written_as_one_that_limits_nothing() -> None:
    instance = Vrptw.generate(np.random.default_rng(1), n=8)
    free = dataclasses.replace(instance, vehicles=None)
    assert SOLOMON.read(Source("x.txt", write(free))).vehicles == 8  # type: ignore[attr-defined]


def test_other_roundings_cannot_be_written() -> None:
    instance = Vrptw.generate(np.random.default_rng(1), n=5)
    rounded = dataclasses.replace(instance, metric=Metric(rule="EUC_2D", coordinates=instance.metric.coordinates))
    with pytest.raises(UsageError, match=r"\.vrp"):
        write(rounded)


def test_unknown_rounding() -> None:
    text = write(Vrptw.generate(np.random.default_rng(1), n=5))
    with pytest.raises(UsageError, match="E201"):
        SOLOMON.read(Source("x.txt", text, ReadOptions(rounding="up")))
