"""Opening files and reading numbers."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from combopt.errors import InputError
from combopt.instances import text
from combopt.instances.text import Source


def code(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        Source.open(path)
    return caught.value.code


def test_gzip_is_known_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(b"1 2\n3\n"))
    assert Source.open(path).wholes(1, 3, "x").tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "E106"),
        (b" \n\t\r\n", "E106"),
        (b"abc\0def", "E105"),
        (b"\x1f\x8bnonsense", "E103"),
        (gzip.compress(b"1 2 3" * 1000, mtime=0)[:-20], "E103"),
        (gzip.compress(b"", mtime=0), "E106"),
    ],
)
def test_files_that_are_no_text(data: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tsp"
    path.write_bytes(data)
    assert code(path) == expected


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    assert code(tmp_path / "missing") == "E101"
    assert code(tmp_path) == "E101"


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "FREE_BYTES", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"0" * (8 << 20)))
    assert code(path) == "E104"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(end.join(["a", "b", "c"]).encode())
    assert Source.open(path).lines == ["a", "b", "c"]


@pytest.mark.parametrize("token", ["nan", "inf", "-inf", "1_0", "0x1", "1,5", "1d5", "--1", "1e", ".", "\u0661"])
def test_no_number(token: str) -> None:
    source = Source("a", f"1 2\n3 {token} 4")
    for read in (source.reals, source.wholes):
        with pytest.raises(InputError) as caught:
            read(1, 2, "x")
        assert (caught.value.code, caught.value.place.line) == ("E113", 2)  # type: ignore[union-attr]


def test_numbers_out_of_range() -> None:
    with pytest.raises(InputError) as caught:
        Source("a", "1\n1e999").reals(1, 2, "x")
    assert caught.value.code == "E114"
    with pytest.raises(InputError) as caught:
        Source("a", "1\n9223372036854775808").wholes(1, 2, "x")
    assert caught.value.code == "E114"


def test_extreme_integers_are_exact() -> None:
    values = Source("a", "9223372036854775807 -9223372036854775808 1.0 2e3").wholes(1, 1, "x")
    assert values.tolist() == [2**63 - 1, -(2**63), 1, 2000]


def test_blank_blocks_hold_nothing() -> None:
    assert Source("a", " \n\n").reals(1, 2, "x").size == 0
    assert Source("a", "1\n").wholes(2, 1, "x").dtype == np.int64


def test_declared_sizes_must_fit_into_the_file() -> None:
    source = Source("a", "n 100000000")
    with pytest.raises(InputError) as caught:
        source.room(10**8, 1, "nodes")
    assert caught.value.code == "E121"


@pytest.mark.parametrize(("path", "stem"), [("d/a280.tsp.gz", "a280"), ("knapPI_1.5", "knapPI_1.5"), ("x.vrp", "x")])
def test_stem(path: str, stem: str) -> None:
    assert Source(path, "").stem == stem
