"""Plain edge lists: what is told of how they were read, and what cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.formats.edge_list import EDGE_LIST
from combopt.instances.text import ReadOptions, Source

MIS = ReadOptions(kind="mis")


def told(text: str) -> list[str]:
    source = Source("a.edges", text, MIS)
    EDGE_LIST.read(source)
    return [w.found for w in source.warnings]


def test_the_numbering_is_told() -> None:
    assert told("1 2\n2 3\n") == ["3 vertices, counted from 1 in this file"]
    assert told("0 1\n1 2\n") == ["3 vertices, counted from 0 in this file"]


def test_a_header_like_an_edge_is_told() -> None:
    assert "the first line is read as 3 vertices and 2 edges" in told("3 2\n1 2\n2 3\n")


def test_dropped_weights_and_loops_are_told() -> None:
    found = told("3 2\n1 2 5\n2 2 1\n")
    assert any("weights of edges" in text for text in found)
    assert any("itself" in text for text in found)


@pytest.mark.parametrize("kind", ["mis", "clique", "coloring"])
def test_what_is_written_is_read_back(kind: str, tmp_path: Path) -> None:
    instance = api.generate(kind, seed=1, n=20, density=0.05)
    path = tmp_path / f"{instance.name}.edges"
    api.write(instance, path)
    assert api.read(path, kind=kind) == instance


def test_weights_of_vertices_cannot_be_written() -> None:
    with pytest.raises(InputError) as caught:
        EDGE_LIST.write(api.generate("mis", seed=1, n=8, weighted=True))  # type: ignore[misc]
    assert caught.value.code == "E119"


@pytest.mark.parametrize("text", ["1 2\n2 3\n", "3 2\n1 2 1\n2 3 -1\n"])
def test_only_a_named_problem_makes_it_an_edge_list(text: str) -> None:
    assert not EDGE_LIST.sniff(Source("a.edges", text))
    assert EDGE_LIST.sniff(Source("a.edges", text, MIS))
    assert not EDGE_LIST.sniff(Source("a.edges", text, ReadOptions(kind="maxcut")))


@pytest.mark.parametrize("text", ["1\n2\n", "1 2 3 4\n", "a b\n", "p edge 3 1\ne 1 2\n", "# only\n", "-1 2\n"])
def test_other_files_are_none_even_then(text: str) -> None:
    assert not EDGE_LIST.sniff(Source("a.edges", text, MIS))


def test_a_cut_file_read_as_a_graph(benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "kp" / "maxcut" / "G1.txt.gz", format="edge_list", kind="mis")
    assert instance.size() == {"nodes": 800, "edges": 19176}


def test_the_named_problem_decides_between_formats(benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "kp" / "maxcut" / "G1.txt.gz", kind="mis")
    assert instance.kind == "mis"
