"""Best known values of manifests: every layout that is in use, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from combopt.bench.manifest import Manifest, beside
from combopt.bench.runs import Reference
from combopt.errors import InputError, UsageError


def manifest(folder: Path, text: str, **where: tuple[str, ...]) -> Manifest:
    (folder / "MANIFEST.csv").write_text(text)
    return Manifest.read(folder / "MANIFEST.csv", where)


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        (
            "file,best_known,proven_optimal,source",
            "a.tsp,7542,yes,list",
            Reference(value=7542, proven=True, source="list"),
        ),
        ("file,best_known,proven_optimal", "a.tsp,7542.5,no", Reference(value=7542.5)),
        ("file,best_known,proven_optimal", "a.tsp,12,", Reference(value=12)),
        ("path,LB,UB,optimal", "a.tsp,91,91,1", Reference(value=91, proven=True)),
        ("path,LB,UB,optimal", "a.tsp,90,91,0", Reference(value=91)),
        ("path,LB,UB", "a.tsp,91,91", Reference(value=91, proven=True)),
        ("path,LB,UB", "a.tsp,90,91", Reference(value=91)),
        ("file,best_known,status", "a.tsp,-3e2,optimal", Reference(value=-300.0, proven=True)),
        ("file,best_known,status", "a.tsp,5,best-known (not proven)", Reference(value=5)),
        ("file,best_known,status", "a.tsp,,infeasible", None),
        ("file,best_known", "a.tsp,see notes", None),
        ("file,best_known", "a.tsp,", None),
        ("file,best_known,source,value_origin", "a.tsp,1,shop,book", Reference(value=1, source="book")),
        ("name,file", "x,a.tsp", None),
    ],
)
def test_layouts(tmp_path, header, cells, expected):
    found = manifest(tmp_path, f"{header}\n{cells}\n")
    assert found.lists(tmp_path / "a.tsp")
    assert found.reference(tmp_path / "a.tsp") == expected
    assert type(getattr(found.reference(tmp_path / "a.tsp"), "value", None)) is type(getattr(expected, "value", None))
    assert not found.lists(tmp_path / "b.tsp")


def test_values_of_a_file_with_many_instances(tmp_path):
    found = manifest(tmp_path, "file,best_known,proven_optimal\na.txt,336;327;339,yes\nb.txt,4,yes\n")
    a = tmp_path / "a.txt"
    assert [found.reference(a, k) for k in ("1", "3")] == [Reference(value=v, proven=True) for v in (336, 339)]
    assert [found.reference(a, k) for k in (None, "0", "4", "name")] == [None] * 4
    assert found.reference(tmp_path / "b.txt", "1") is None


def test_rows_are_chosen_by_their_columns(tmp_path):
    text = "file,tier,best_known\na,core,1\nb,extra,2\nc,core,3\n"
    assert list(manifest(tmp_path, text, tier=("core",)).references) == ["a", "c"]
    assert list(manifest(tmp_path, text, tier=("core", "extra"), best_known=("2",)).references) == ["b"]
    assert list(manifest(tmp_path, "path,UB\na,1\nb,2\n", UB=("2",)).references) == ["b"]
    with pytest.raises(UsageError, match="no column 'level'"):
        manifest(tmp_path, text, level=("1",))


@pytest.mark.parametrize(
    ("text", "line", "code", "found"),
    [
        ("", 0, "E106", "empty"),
        ("name,best_known\na,1\n", 1, "E118", "no column tells the file"),
        ("file,file\na,b\n", 1, "E116", "there twice"),
        ("file,best_known\na,1\nb,2,3\n", 3, "E115", "3 cells"),
        ("file,best_known\na\n", 2, "E115", "1 cells"),
        ("file,best_known\n\na,12x\n", 3, "E113", "'12x'"),
        ("file,best_known\na,1e999\n", 2, "E114", "1e999"),
        ("file,best_known\na,1;2;3q\n", 2, "E113", "'3q'"),
        ("file,best_known,proven_optimal\na,1,perhaps\n", 2, "E123", "'perhaps' as proven_optimal"),
        ("file,best_known\na,1\na,2\n", 3, "E116", "a is listed twice"),
        ("file,best_known\n../a,1\n", 2, "E123", "as a file"),
        ("file,best_known\n/etc/a,1\n", 2, "E123", "as a file"),
        ("file,best_known\n,1\n", 2, "E123", "as a file"),
        ('file,best_known\na,"1\n', 2, "E123", "unexpected end"),
    ],
)
def test_malformed_manifests(tmp_path, text, line, code, found):
    with pytest.raises(InputError, match=found) as caught:
        manifest(tmp_path, text)
    assert caught.value.code == code
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_files_that_are_no_text(tmp_path):
    (tmp_path / "MANIFEST.csv").write_bytes(b"file,best_known\n\xff\xfe,1\n")
    with pytest.raises(InputError, match="not UTF-8"):
        Manifest.read(tmp_path / "MANIFEST.csv")
    with pytest.raises(InputError, match="cannot open"):
        Manifest.read(tmp_path / "none.csv")


def test_the_nearest_manifest_counts(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert beside(inner / "x.tsp") is None or tmp_path not in beside(inner / "x.tsp").parents
    other = tmp_path / "c" / "d"
    other.mkdir(parents=True)
    (tmp_path / "c" / "MANIFEST.csv").write_text("file\nd/x.tsp\n")
    assert beside(other / "x.tsp") == tmp_path / "c" / "MANIFEST.csv"


def test_the_manifests_of_the_field(benchmark_files):
    """All are read; a few values that are printed in the literature."""
    values = {
        "tsplib/tsp/berlin52.tsp": (7542, True),
        "cvrp/X/X-n1001-k43.vrp": (72355, False),
        "jssp/ft/ft10.txt": (930, True),
        "kp/mis/frb30-15-1.mis.gz": (30, True),
    }
    for path in sorted(benchmark_files.glob("*/MANIFEST.csv")):
        found = Manifest.read(path)
        assert found.references
        assert all((path.parent / file).is_file() for file in found.references)
    for file, (value, proven) in values.items():
        path = benchmark_files / file
        reference = Manifest.read(beside(path)).reference(path)
        assert (reference.value, reference.proven) == (value, proven)
