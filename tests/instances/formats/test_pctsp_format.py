"""The format ``.pctsp``."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError, UsageError
from combopt.instances.formats.pctsp import PCTSP, minimum_prize
from combopt.instances.metric import Metric
from combopt.instances.pctsp import Pctsp
from combopt.instances.text import Source
from tests.malformed.pctsp import GOOD


def test_benchmark_files(benchmark_files: Path) -> None:
    with (benchmark_files / "pctsp" / "MANIFEST.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            reading = api.read_with_warnings(benchmark_files / "pctsp" / row["file"])
            assert isinstance(reading.instance, Pctsp)
            assert (reading.format, reading.instance.nodes) == ("pctsp", int(row["nodes"]))
            assert reading.instance.prize.sum() == int(row["total_prize"])
            assert reading.instance.min_prize == -(-int(row["total_prize"]) // 2)
            assert [w.code for w in reading.warnings] == ["E118"]


def test_the_default_minimum_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pctsp"
    path.write_text(GOOD)
    assert "minimum prize" in str(api.read_with_warnings(path).warnings[0])
    assert not api.read_with_warnings(path, min_prize="0.5").warnings


def test_the_minimum_is_kept_when_written(tmp_path: Path) -> None:
    instance = api.generate("pctsp", n=12, family="random")
    path = tmp_path / "a.pctsp"
    api.write(instance, path)
    reading = api.read_with_warnings(path)
    assert not reading.warnings
    assert reading.instance.digest() == instance.digest()


def test_prizes_and_penalties_are_where_other_readers_look_for_them(tmp_path: Path) -> None:
    path = tmp_path / "a.pctsp"
    api.write(api.generate("pctsp", n=5, family="random"), path)
    lines = path.read_text().split("\n")
    assert [len(line.split()) for line in lines[:12]] == [0, 5, 0, 0, 5, 0, 0, 5, 5, 5, 5, 5]


@pytest.mark.parametrize(
    ("option", "total", "expected"),
    [
        ("0.5", 7, 4),
        ("0.1", 10, 1),
        ("1.0", 7, 7),
        ("0.0", 7, 0),
        ("5", 7, 5),
        ("1", 7, 1),
        ("1/3", 7, 3),
        (".7", 10, 7),
    ],
)
def test_shares_are_rounded_up_exactly(option: str, total: int, expected: int) -> None:
    assert minimum_prize(option, total) == expected


@pytest.mark.parametrize("option", ["", "half", "-1", "1.5", "nan", "inf", "1/0", "50%", "1e9999999", "9" * 5000])
def test_other_minimum_prizes_are_usage_errors(option: str) -> None:
    with pytest.raises(UsageError):
        minimum_prize(option, 10)


@pytest.mark.parametrize(
    "text", ["3\n1 2 3\n1 2 3\n4 5 6\n7 8 9\n", "1 2\n3 4\n", "1 2\n3 4\n5.5 6\n7 8\n", "1 x\n3 4\n1 2\n1 2\n"]
)
def test_other_files_are_not_taken(text: str) -> None:
    assert not PCTSP.sniff(Source("a.txt", text))


def test_lengths_that_are_not_whole_are_not_written() -> None:
    metric = Metric(rule="EXACT_2D", coordinates=np.eye(2))
    exact = Pctsp(metric=metric, prize=[0, 1], penalty=[0, 1], min_prize=1)
    with pytest.raises(InputError) as caught:
        PCTSP.write(exact)  # type: ignore[misc]
    assert caught.value.code == "E119"
