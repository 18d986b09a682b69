"""TSPLIB files: round trips, and the published values of the benchmark files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import Tour, api
from combopt.instances.atsp import Atsp
from combopt.instances.formats.tsplib import TSPLIB, write
from combopt.instances.metric import Metric
from combopt.instances.text import Source
from combopt.instances.tsp import Tsp
from tests.brute import atsp as brute_atsp
from tests.brute import tsp as brute_tsp


@pytest.mark.parametrize("brute", [brute_tsp, brute_atsp])
def test_written_files_read_back_equal(brute: Any, tmp_path: Path) -> None:
    for number in range(80):
        instance = brute.small(np.random.default_rng(number))
        path = tmp_path / f"a.{instance.kind}"
        api.write(instance, path)
        reading = api.read_with_warnings(path)
        assert reading.instance == instance
        assert reading.instance.name == instance.name
        assert reading.warnings == ()


@pytest.mark.parametrize("columns", [2, 3])
def test_a_matrix_keeps_its_coordinates_for_drawing(columns: int, tmp_path: Path) -> None:
    points = np.arange(3.0 * columns).reshape(3, columns) / 7
    metric = Metric(rule="EXPLICIT", matrix=np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]]), coordinates=points)
    instance = Tsp(metric=metric)
    api.write(instance, tmp_path / "a.tsp")
    assert api.read(tmp_path / "a.tsp") == instance


def test_names_are_written_on_one_line(tmp_path: Path) -> None:
    instance = Tsp(name="two\nlines: here ", metric=Metric(rule="EUC_2D", coordinates=np.zeros((3, 2))))
    api.write(instance, tmp_path / "a.tsp")
    assert api.read(tmp_path / "a.tsp").name == "two lines: here"


def test_doubles_survive_writing(tmp_path: Path) -> None:
    points = np.random.default_rng(1).normal(0, 1e-7, size=(5, 2))
    instance = Tsp(metric=Metric(rule="EXACT_2D", coordinates=points))
    api.write(instance, tmp_path / "a.tsp")
    assert api.read(tmp_path / "a.tsp") == instance


def test_files_of_other_types_are_not_recognised() -> None:
    for text in ("TYPE : CVRP\n", "TYPE : TOUR\n", "TYPE : OP\n", "type\n", "4\n1 2 3\n", "TYPEWRITER : TSP\n"):
        assert not TSPLIB.sniff(Source("a.tsp", text))
    for text in ("NAME: x\nTYPE: TSP\n", "type\t: atsp (easy)\n", "TYPE TSP\n"):
        assert TSPLIB.sniff(Source("x", text))


def test_a_triangle_means_the_same_in_all_nine_layouts() -> None:
    full = brute_tsp.small(np.random.default_rng(3)).metric.full()
    n = 5
    full = np.triu(np.random.default_rng(4).integers(1, 99, size=(n, n)), 1)
    full = full + full.T
    pairs = {
        "UPPER_ROW": [(i, j) for i in range(n) for j in range(i + 1, n)],
        "LOWER_ROW": [(i, j) for i in range(n) for j in range(i)],
        "UPPER_DIAG_ROW": [(i, j) for i in range(n) for j in range(i, n)],
        "LOWER_DIAG_ROW": [(i, j) for i in range(n) for j in range(i + 1)],
        "UPPER_COL": [(i, j) for j in range(n) for i in range(j)],
        "LOWER_COL": [(i, j) for j in range(n) for i in range(j + 1, n)],
        "UPPER_DIAG_COL": [(i, j) for j in range(n) for i in range(j + 1)],
        "LOWER_DIAG_COL": [(i, j) for j in range(n) for i in range(j, n)],
        "FULL_MATRIX": [(i, j) for i in range(n) for j in range(n)],
    }
    for layout, cells in pairs.items():
        numbers = " ".join(str(full[cell]) for cell in cells)
        text = (
            f"TYPE: TSP\nDIMENSION: {n}\nEDGE_WEIGHT_TYPE: EXPLICIT\nEDGE_WEIGHT_FORMAT: {layout}\n"
            f"EDGE_WEIGHT_SECTION\n{numbers}\nEOF\n"
        )
        instance = TSPLIB.read(Source("a.tsp", text))
        assert isinstance(instance, Tsp)
        assert np.array_equal(instance.metric.full(), full), layout


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "tsplib" / "MANIFEST.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["problem"] in ("TSP", "ATSP")]
    return [row for row in rows if (folder / "tsplib" / row["file"]).exists()]


def test_every_benchmark_file_is_read_without_naming_the_format(benchmark_files: Path) -> None:
    rows = manifest(benchmark_files)
    assert len(rows) >= 90
    for row in rows:
        reading = api.read_with_warnings(benchmark_files / "tsplib" / row["file"])
        instance = reading.instance
        assert (reading.format, instance.kind) == ("tsplib", row["problem"].lower())
        assert instance.size() == {"nodes": int(row["dimension"])}
        assert reading.warnings == ()


def test_every_benchmark_tour_has_its_published_length(benchmark_files: Path) -> None:
    folder = benchmark_files / "tsplib"
    checked = 0
    for row in manifest(benchmark_files):
        for name in filter(None, row["opt_tour_file"].split(";")):
            if (folder / name).exists():
                found = api.check(api.read(folder / row["file"]), folder / name)
                assert found.ok, name
                assert found.evaluation.objective == int(row["opt_tour_length_recomputed"]), name
                checked += 1
    assert checked >= 35


@pytest.mark.parametrize(("name", "length"), [("pcb442", 221440), ("gr666", 423710), ("att532", 309636)])
def test_canonical_tours_have_the_length_that_tsplib_gives(name: str, length: int, benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "tsplib" / "tsp" / f"{name}.tsp")
    assert isinstance(instance, Tsp)
    assert instance.evaluate(Tour(np.arange(instance.nodes))).objective == length


def test_linhp318_has_its_fixed_edge(benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "tsplib" / "tsp" / "linhp318.tsp")
    assert isinstance(instance, Tsp)
    assert instance.fixed_edges.tolist() == [[0, 213]]


def test_writing_says_the_kind() -> None:
    metric = Metric(rule="EXPLICIT", matrix=np.zeros((2, 2), dtype=int))
    assert "TYPE : ATSP" in write(Atsp(metric=metric))
    assert "TYPE : TSP" in write(Tsp(metric=metric))
