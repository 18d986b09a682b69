"""DIMACS graphs: warnings that are told, what is written, speed, and the files of the collections."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.clique import Clique
from combopt.instances.formats.dimacs_graph import DIMACS_GRAPH, plain_pairs
from combopt.instances.mis import Mis
from combopt.instances.text import ReadOptions, Source


def warnings_of(text: str, name: str = "a.clq") -> list[tuple[str, int]]:
    source = Source(name, text)
    DIMACS_GRAPH.read(source)
    return [(w.code, w.place.line) for w in source.warnings]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p edge 4 2\ne 1 2\ne 2 3\n", []),
        ("p edge 4 4\ne 1 2\ne 2 3\n", []),
        ("p edge 4 4\ne 1 2\ne 2 3\ne 2 1\ne 3 2\n", []),
        ("p edge 4 2\ne 1 2\ne 2 3\ne 2 1\ne 3 2\n", []),
        ("p edge 4 3\ne 1 2\ne 2 3\n", [("E115", 1)]),
        ("p edge 4 2\ne 1 2\ne 3 3\ne 2 3\nc\n", [("E120", 3)]),
        ("p edge 4 2\ne 1 2\ne 2 3\ne 3 3\n", [("E120", 4)]),
        ("p edge 2 1\nn 1 7\ne 1 2\n", [("E118", 2)]),
    ],
)
def test_what_is_odd_is_told(text: str, told: list[tuple[str, int]]) -> None:
    assert warnings_of(text) == told


def test_weights_that_are_dropped_are_told() -> None:
    assert warnings_of("p edge 2 1\nn 1 7\nn 2 1\ne 1 2\n", "a.col") == [("E119", 2)]


@pytest.mark.parametrize("kind", ["mis", "clique", "coloring"])
@pytest.mark.parametrize("form", ["\n", "c\n", "\nq 1 2\n"])
def test_fast_and_slow_path_agree(kind: str, form: str) -> None:
    text = DIMACS_GRAPH.write(api.generate("clique", seed=2, n=20))  # type: ignore[misc]
    options = ReadOptions(kind=kind, lenient=True)
    plain = DIMACS_GRAPH.read(Source("a.clq", text, options))
    assert DIMACS_GRAPH.read(Source("a.clq", text + form, options)).digest() == plain.digest()


@pytest.mark.parametrize("text", ["1 2\n3 4", "1\t2\n 3  4 "])
def test_plain_pairs(text: str) -> None:
    assert plain_pairs(text, 2).tolist() == [[1, 2], [3, 4]]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["1\n2 3 4", "1 2 3\n4", "1 2\n3 -4", "1 2\n3 4.0", "1 2\n3 4\n", "1 2 3 4", "1 2\n\n"]
)
def test_what_is_no_plain_pairs(text: str) -> None:
    assert plain_pairs(text, 2) is None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("extension", [".clq", ".mis", ".col"])
def test_what_is_written_is_read_back(tmp_path: Path, weighted: bool, extension: str) -> None:
    kind = {".clq": "clique", ".mis": "mis", ".col": "coloring"}[extension]
    parameters = {} if kind == "coloring" else {"weighted": weighted}
    instance = api.generate(kind, seed=1, n=30, **parameters)
    path = tmp_path / f"{instance.name}{extension}"
    api.write(instance, path)
    assert api.read(path) == instance


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    for name in ("le450.1.col", "le450.1.col.b", "le450.1.col.gz"):
        path = tmp_path / name
        path.write_text("p edge 2 1\ne 1 2\n")
        assert api.read(path).name == "le450.1"


def test_a_million_edges_are_read_fast() -> None:
    rng = np.random.default_rng(1)
    edges = rng.integers(1, 10_000, (1_000_000, 2)).tolist()
    text = "p edge 10000 1000000\n" + "".join(f"e {u} {v}\n" for u, v in edges)
    source = Source("a.clq", text)
    began = time.process_time()
    instance = DIMACS_GRAPH.read(source)
    assert time.process_time() - began < 3.0
    assert isinstance(instance, Clique)


def test_another_format_is_not_taken() -> None:
    for text in ("p cnf 3 2\n1 -3 0\n", "800 19176\n1 560 1\n", "33D32945 STP File\n", "c only\n", "p edge\n"):
        assert not DIMACS_GRAPH.sniff(Source("a.txt", text))


def test_files_of_the_collections(benchmark_files: Path) -> None:
    count = 0
    with (benchmark_files / "kp" / "MANIFEST.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            kind = row["file"].partition("/")[0]
            if kind not in ("clique", "mis", "coloring"):
                continue
            instance = api.read(benchmark_files / "kp" / row["file"])
            nodes, edges = map(int, re.findall(r"\d+", row["size"]))
            assert instance.kind == kind
            # the manifest counts the loop of homer as an edge
            assert instance.size() == {"nodes": nodes, "edges": edges - (row["name"] == "homer")}
            assert (instance.graph.weights is not None) == row["name"].endswith("_w")  # type: ignore[attr-defined]
            count += 1
    assert count >= 30


def test_a_binary_file_of_the_collections_is_refused(benchmark_files: Path) -> None:
    with pytest.raises(InputError) as caught:
        api.read(benchmark_files / "kp" / "coloring" / "DSJC125.1.col.b")
    assert caught.value.code == "E119"
    assert "bin2asc" in caught.value.remedy


def test_no_other_benchmark_file_is_taken_for_a_graph(benchmark_files: Path) -> None:
    for folder in ("knapsack", "maxcut", "sat", "maxsat", "steiner", "qaplib", "opb"):
        for path in sorted((benchmark_files / "kp" / folder).glob("*")):
            assert not DIMACS_GRAPH.sniff(Source.open(path)), path


def test_the_kind_of_an_instance_may_be_written_to_any_extension(tmp_path: Path) -> None:
    instance = api.generate("mis", seed=1, n=8)
    api.write(instance, tmp_path / "a.clq")
    again = api.read(tmp_path / "a.clq", kind="mis")
    assert isinstance(again, Mis)
    assert again.digest() == instance.digest()
