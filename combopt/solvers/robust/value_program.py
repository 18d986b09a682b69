"""A value network inside a mixed-integer program: ReLU units as exact big-M rows.

Dumouchelle et al. (Neur2RO, ICLR 2024), section 4.2; the rows are those of Fischetti and Jo, "Deep neural networks and
mixed integer linear optimization", Constraints 23 (2018), section 2.  First stages and the scenarios of a budget set's
vertices are binary, and the item map of a binary decision is affine in it: only the units behind the mean over the
items need rows of their own, whatever the number of items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from combopt.instances.mip import CONTINUOUS, INTEGER
from combopt.model import Floats
from combopt.solvers.robust.main import Growing

if TYPE_CHECKING:
    from combopt.learned.value.network import SetEncoder


@dataclass(frozen=True)
class Affine:
    """Numbers that are affine in columns of a program: ``offset[k] + matrix[k] @ x[columns]``, between ``lower`` and
    ``upper``."""

    columns: list[int]
    matrix: Floats
    offset: Floats
    lower: Floats
    upper: Floats

    def through(self, weight: Floats, bias: Floats | float = 0.0) -> Affine:
        """A linear map of them; its bounds by interval arithmetic over the numbers."""
        up, down = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
        return Affine(
            self.columns, weight @ self.matrix, weight @ self.offset + bias,
            up @ self.lower + down @ self.upper + bias, up @ self.upper + down @ self.lower + bias,
        )  # fmt: skip

    def within(self, lower: Floats, upper: Floats) -> Affine:
        """The same numbers with bounds that are narrower, where they are."""
        return Affine(
            self.columns, self.matrix, self.offset, np.maximum(self.lower, lower), np.minimum(self.upper, upper)
        )

    def shifted(self, by: Floats) -> Affine:
        """The same numbers with something added."""
        return Affine(self.columns, self.matrix, self.offset + by, self.lower + by, self.upper + by)


@dataclass(frozen=True)
class Encoder:
    """The weights of a :class:`~combopt.learned.value.network.SetEncoder`."""

    item_in: Floats
    item_out: Floats
    gather_in: Floats
    gather_bias: Floats
    gather_out: Floats
    offset: Floats

    @classmethod
    def of(cls, encoder: SetEncoder) -> Encoder:
        inner, outer = encoder.gather[0], encoder.gather[2]
        return cls(
            plain(encoder.item[0].weight), plain(encoder.item[2].weight), plain(inner.weight), bias_of(inner),
            plain(outer.weight), bias_of(outer),
        )  # fmt: skip

    def items(self, table: Floats) -> Floats:
        """``float64[n, item]``: the item maps of ``table: float64[n, columns]``."""
        found: Floats = np.maximum(table @ self.item_in.T, 0.0) @ self.item_out.T
        return found

    def summary(self, table: Floats) -> Floats:
        """``float64[summary]``: what the encoder says."""
        mean = self.items(table).mean(axis=0)
        found: Floats = self.gather_out @ np.maximum(self.gather_in @ mean + self.gather_bias, 0.0) + self.offset
        return found

    def units(self, means: Affine) -> Affine:
        """The units behind the mean over the items."""
        return means.through(self.gather_in, self.gather_bias)

    def behind(self, units: Affine) -> Affine:
        """The summary, of the units' positive parts."""
        return units.through(self.gather_out, self.offset)


def plain(tensor: Any) -> Floats:
    """A tensor in double precision."""
    found: Floats = tensor.detach().numpy().astype(np.float64)
    return found


def bias_of(layer: Any) -> Floats:
    """The bias of a linear map; 0 where it has none."""
    return np.zeros(layer.out_features) if layer.bias is None else plain(layer.bias)


def beside(*columns: Floats) -> Floats:
    """Columns of items next to one another."""
    return np.column_stack(columns)


def mean_of_items(rest: Floats, choices: list[tuple[list[int], Floats]], most: tuple[float, ...]) -> Affine:
    """The mean of the item maps, where binary columns of the program decide; bounds are for each number alone.

    Parameters
    ----------
    rest
        ``float64[n, item]``: the maps of items none of whose columns is 1.
    choices
        Groups of binary columns, one column for each item, with the maps of the items whose column is 1.
    most
        Sum of the columns of each group at most.
    """
    offset = rest.mean(axis=0)
    rises = [((maps - rest) / len(rest)).T for _, maps in choices]
    places = [place for where, _ in choices for place in where]
    wide = np.full(len(offset), math.inf)
    return narrowed(Affine(places, np.hstack(rises), offset, -wide, wide), most)


def narrowed(affine: Affine, most: tuple[float, ...]) -> Affine:
    """Bounds of each number over binary columns in groups of equal size, each with a limit on its sum: exact for a
    single group."""
    lower, upper = affine.offset.copy(), affine.offset.copy()
    for part, limit in zip(np.hsplit(affine.matrix, len(most)), most, strict=True):
        lower += _least(part, limit)
        upper -= _least(-part, limit)
    return affine.within(lower, upper)


def _least(rise: Floats, limit: float) -> Floats:
    """Least sum of at most ``limit`` entries of each row."""
    count = int(min(limit, rise.shape[1]))
    found: Floats = np.minimum(np.sort(rise, axis=1)[:, :count], 0.0).sum(axis=1)
    return found


def add_relu(program: Growing, before: Affine) -> Affine:
    """The positive parts of numbers, as new columns; units that are always on or off need no binary."""
    live = np.flatnonzero(before.upper > 0)
    count = len(before.upper)
    lower, upper = np.maximum(before.lower, 0.0), np.maximum(before.upper, 0.0)
    places = program.add_columns(
        np.zeros(len(live)), lower[live], upper[live], np.full(len(live), CONTINUOUS, dtype=np.int64)
    )
    for place, k in zip(places.tolist(), live.tolist(), strict=True):
        columns, values = [*before.columns, place], np.append(-before.matrix[k], 1.0)
        offset, low, high = float(before.offset[k]), float(before.lower[k]), float(before.upper[k])
        if low >= 0:
            program.add_row(columns, values, offset, offset)
            continue
        on = int(program.add_columns(np.zeros(1), np.zeros(1), np.ones(1), np.array([INTEGER]))[0])
        program.add_row(columns, values, offset, math.inf)
        program.add_row([*columns, on], np.append(values, -low), -math.inf, offset - low)  # no more when it is on
        program.add_row([place, on], [1.0, -high], -math.inf, 0.0)
    matrix = np.zeros((count, len(live)))
    matrix[live, np.arange(len(live))] = 1.0
    return Affine(places.tolist(), matrix, np.zeros(count), lower, upper)
