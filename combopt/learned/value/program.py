"""What tells general two-stage programs apart, for the networks made for one of them; loads no torch."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from combopt.instances.robust import TwoStageRobust
from combopt.model import Floats

LARGEST = 1e12
"""What stands for infinite sides and bounds."""


def numbers(instance: TwoStageRobust) -> Floats:
    """``float64[N]``: all numbers that the value of a second stage depends on, beside first stage and scenario."""
    second, own = instance.second, instance.layout.own
    parts: list[Any] = [
        second.cost, [second.offset], second.row_lower, second.row_upper, second.row_value, second.lower[own],
        second.upper[own], instance.term_value,
    ]  # fmt: skip
    return np.clip(np.concatenate(parts), -LARGEST, LARGEST)


def size(instance: TwoStageRobust) -> tuple[int, int, int, int]:
    """First-stage columns, factors, recourse columns and second-stage rows."""
    own, rows = len(instance.layout.own), len(instance.second.rows)
    return len(instance.first.columns), instance.uncertainty.dimension, own, rows


def structure(instance: TwoStageRobust) -> str:
    """Hash of sense, domains and places of all entries: what instances of one shape have in common."""
    second, layout = instance.second, instance.layout
    arrays = [
        instance.first.domain, second.domain, second.row_start, second.row_column, layout.shared, layout.first,
        instance.term_row, instance.term_column, instance.term_factor,
    ]  # fmt: skip
    text = f"{instance.sense} {size(instance)} {[array.tolist() for array in arrays]}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fixed(values: Floats, varying: Any) -> str:
    """Hash of the ``numbers`` that do not vary."""
    rest = np.delete(values, np.asarray(varying, dtype=np.int64)) + 0.0
    return hashlib.sha256(rest.astype("<f8").tobytes()).hexdigest()[:16]


def in_words(size: Any) -> str:
    """What :func:`size` gives, for people."""
    return "{} first-stage columns, {} factors, {} recourse columns and {} second-stage rows".format(*size)
