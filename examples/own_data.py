"""Data of one's own, progress while it runs, and a start."""

import numpy as np

import combopt as co

rng = np.random.default_rng(1)
instance = co.Tsp(
    name="mine", metric=co.Metric(rule="EUC_2D", coordinates=rng.integers(0, 1000, size=(60, 2)).astype(float))
)

first = co.solve(instance, "nearest_neighbour")
best = co.solve(
    instance,
    "fast_tsp",
    start=first.solution,
    time_limit=2,
    report=lambda progress: print(f"{progress.seconds:5.2f} s  {progress.objective}"),
)
print(f"nearest neighbour {first.objective}, improved to {best.objective}")
assert best.objective <= first.objective
