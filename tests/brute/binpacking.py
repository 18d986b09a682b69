"""Tiny bin packings and their optimum by trying every partition of the items."""

from __future__ import annotations

import numpy as np

from combopt.instances.binpacking import BinPacking


def small(rng: np.random.Generator) -> BinPacking:
    n = int(rng.integers(1, 8))
    form = rng.integers(0, 4)
    if form == 0:
        family = str(rng.choice(["uniform", "triplet", "scholl1", "scholl2", "scholl3"]))
        return BinPacking.generate(rng, n=n, family=family)
    capacity = int(rng.integers(1, 15))
    largest = capacity + (form == 1) * int(rng.integers(0, 2))  # at times an item that fits into no bin
    return BinPacking(item_size=rng.integers(0 if form == 2 else 1, largest + 1, n), capacity=capacity)


def best(instance: BinPacking) -> int | None:
    sizes, capacity = instance.item_size.tolist(), instance.capacity
    if max(sizes) > capacity:
        return None
    fewest = len(sizes)

    def place(item: int, loads: list[int]) -> None:
        nonlocal fewest
        if item == len(sizes):
            fewest = min(fewest, len(loads))
            return
        for k in range(len(loads)):
            if loads[k] + sizes[item] <= capacity:
                place(item + 1, [*loads[:k], loads[k] + sizes[item], *loads[k + 1 :]])
        place(item + 1, [*loads, sizes[item]])

    place(0, [])
    return fewest
