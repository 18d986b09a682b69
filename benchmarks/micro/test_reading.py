"""Files as combopt writes them, read by combopt with all its checks and by the quickest plain way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.micro.conftest import Pair
from combopt import api


def generated(path: Path, kind: str, **parameters: object) -> Path:
    """A file with a random instance, written when it is first asked for."""
    if not path.exists():
        api.write(api.generate(kind, seed=1, **parameters), path)
    return path


def test_tsplib(pair: Pair, folder: Path) -> None:
    """10,000 nodes."""
    path = generated(folder / "points.tsp", "tsp", n=10_000)

    def numpy() -> np.ndarray:
        block = path.read_text().partition("NODE_COORD_SECTION")[2].partition("EOF")[0]
        return np.fromstring(block, sep=" ").reshape(-1, 3)[:, 1:]

    instance, points = pair(lambda: api.read(path), numpy, "numpy.fromstring")
    assert np.array_equal(instance.metric.coordinates, points)


def test_cvrplib(pair: Pair, folder: Path) -> None:
    """1,000 customers as in the set X, without the matrix of distances."""
    vrplib = pytest.importorskip("vrplib")
    path = generated(folder / "customers.vrp", "cvrp", n=1000, family="x")
    instance, data = pair(
        lambda: api.read(path), lambda: vrplib.read_instance(path, compute_edge_weights=False), "vrplib.read_instance"
    )
    assert np.array_equal(instance.metric.coordinates, data["node_coord"])
    assert np.array_equal(instance.demand, data["demand"])


def test_mps(pair: Pair, folder: Path) -> None:
    """Facility location with 100,000 entries."""
    import highspy

    path = generated(folder / "facility.mps", "mip", n=224, family="facility")
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)

    def highs() -> int:
        model.readModel(str(path))
        return model.getNumNz()

    instance, nonzeros = pair(lambda: api.read(path), highs, "highspy.readModel")
    assert instance.size()["nonzeros"] == nonzeros


def test_jobshop(pair: Pair, folder: Path) -> None:
    """500 jobs on 20 machines."""
    path = generated(folder / "shop.txt", "jobshop", n=500, m=20)

    def plain() -> list[list[int]]:
        lines = path.read_text().splitlines()
        return [list(map(int, line.split())) for line in lines if not line.startswith("#")][1:]

    instance, rows = pair(lambda: api.read(path), plain, "int() on every word")
    assert np.array_equal(instance.duration, np.array(rows)[:, 1::2])
