"""Search loops: the same number of steps each time, one thread, seed 0.

Peers that work on the same problem do so much less than combopt that its answer is no worse than theirs.  Where there
is no such peer, a loop of numpy stands for the speed of the machine; then the ratio says nothing by itself, only its
change does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from benchmarks.micro.conftest import Pair
from combopt import api
from combopt.model import Ints
from combopt.result import Result

YARDSTICK = "a fixed numpy loop"
generated = cache(api.generate)


def search(solver: str, instance: Any, iterations: int, **options: Any) -> Result:
    return api.solve(instance, solver, isolate=False, threads=1, seed=0, iterations=iterations, options=options)


def yardstick() -> float:
    """Random access, sorting and sums over arrays that fit into the caches."""
    numbers = np.random.default_rng(0).random(100_000)
    for _ in range(10):
        numbers = np.cumsum(numbers[np.argsort(numbers)][::-1]) % 1.0
    return float(numbers.sum())


def test_or_opt(pair: Pair) -> None:
    """2,000 kicks on 1,000 nodes."""
    instance = generated("tsp", seed=1, n=1000)
    result, _ = pair(lambda: search("or_opt", instance, 2000), yardstick, YARDSTICK)
    assert result.stopped_by == "iterations"


def test_job_tabu(pair: Pair) -> None:
    """Two rounds on 15 jobs and 15 machines, each until 2,000 moves bring nothing."""
    instance = generated("jobshop", seed=1, n=15)
    result, _ = pair(lambda: search("job_tabu", instance, 2, patience=2000), yardstick, YARDSTICK)
    assert result.stopped_by == "iterations"


def test_sisr(pair: Pair) -> None:
    """10,000 iterations on 200 customers."""
    instance = generated("cvrp", seed=3, n=200, family="x")
    result, _ = pair(lambda: search("sisr", instance, 10_000), yardstick, YARDSTICK)
    assert result.stopped_by == "iterations"


def test_sisr_pyvrp(pair: Pair) -> None:
    """10,000 iterations against 300 of PyVRP."""
    import pyvrp

    from combopt.solvers.pyvrp.vehicles import build

    instance = generated("cvrp", seed=3, n=200, family="x")
    data = build(instance).data

    def theirs() -> int:
        return pyvrp.solve(data, pyvrp.stop.MaxIterations(300), seed=0, display=False).cost()

    result, cost = pair(lambda: search("sisr", instance, 10_000), theirs, "pyvrp.solve, 300 iterations")
    assert result.objective <= cost


def test_sisr_hgs(pair: Pair) -> None:
    """10,000 iterations against 50 of HGS-CVRP."""
    import hygese

    from combopt.solvers.hgs import problem

    instance = generated("cvrp", seed=3, n=200, family="x")
    data = problem(instance)
    parameters = hygese.AlgorithmParameters(timeLimit=0, nbIter=50, seed=0)

    def theirs() -> float:
        return hygese.Solver(parameters=parameters, verbose=False).solve_cvrp(data).cost

    result, cost = pair(lambda: search("sisr", instance, 10_000), theirs, "hygese, 50 iterations")
    assert result.objective <= cost


def test_tabucol(pair: Pair) -> None:
    """20,000 steps of TabuCol with 28 colours on 250 vertices against 500 of the same in numpy."""
    from combopt.solvers.tabucol import ClashSearch

    graph = generated("coloring", seed=1, n=250).graph
    colour = np.random.default_rng(0).integers(0, 28, size=graph.nodes)

    def ours() -> int:
        return ClashSearch(graph, colour, 28, np.array([1], dtype=np.int64), 0.6).advance(20_000)

    steps, done = pair(ours, lambda: tabucol_in_numpy(graph.edges, colour, 28, 500), "TabuCol in numpy, 500 steps")
    assert (steps, done) == (20_000, 500)


def tabucol_in_numpy(edges: Ints, colour: Ints, colours: int, steps: int) -> int:
    """So many steps of TabuCol on whole arrays; how many there were before no clash was left."""
    n, rng, colour = len(colour), np.random.default_rng(0), colour.copy()
    joined = np.zeros((n, n), dtype=np.int64)
    joined[edges[:, 0], edges[:, 1]] = joined[edges[:, 1], edges[:, 0]] = 1
    around = joined @ np.eye(colours, dtype=np.int64)[colour]
    tabu, vertices = np.zeros((n, colours), dtype=np.int64), np.arange(n)
    fewest = clashes = int(around[vertices, colour].sum()) // 2
    for step in range(steps):
        own = around[vertices, colour]
        clashing = np.flatnonzero(own)
        if not len(clashing):
            return step
        change = (around - own[:, None])[clashing]
        barred = (tabu[clashing] >= step) & (clashes + change >= fewest)
        barred[np.arange(len(clashing)), colour[clashing]] = True
        change = np.where(barred, n, change)
        row, to = divmod(int(rng.choice(np.flatnonzero(change == change.min()))), colours)
        v, old = clashing[row], colour[clashing[row]]
        clashes += int(around[v, to] - around[v, old])
        fewest = min(fewest, clashes)
        tabu[v, old] = step + int(0.6 * len(clashing)) + rng.integers(10)
        around[:, old] -= joined[v]
        around[:, to] += joined[v]
        colour[v] = to
    return steps
