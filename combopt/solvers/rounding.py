"""Lengths and times as integers for solvers that know nothing else, rounded so that limits still hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from combopt.model import Ints

ERROR = 1e-12
"""Relative error of doubles that must not change the result of rounding."""


def rounded_up(values: Any) -> Ints:
    """Up to the next integer, for what takes length or time."""
    return np.asarray(np.ceil(np.asarray(values) * (1.0 - ERROR)), dtype=np.int64)


def rounded_down(values: Any) -> Ints:
    """Down to an integer, for limits."""
    return np.asarray(np.floor(np.asarray(values) * (1.0 + ERROR)), dtype=np.int64)
