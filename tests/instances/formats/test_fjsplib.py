"""Flexible job shop files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from combopt import api
from combopt.instances.fjsp import Fjsp
from combopt.instances.formats.fjsplib import FJSPLIB
from combopt.instances.scheduling import trivial_bound
from combopt.instances.text import Source
from tests.brute import fjsp as brute
from tests.brute import jobshop as brute_jobshop


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "small.fjs"
    for seed in range(30):
        instance = brute.small(np.random.default_rng(seed))
        api.write(instance, path)
        assert api.read(path) == instance


def test_any_job_shop_survives(tmp_path: Path) -> None:
    path = tmp_path / "small.fjs"
    for seed in range(30):
        shop = brute_jobshop.small(np.random.default_rng(seed))
        api.write(shop, path)
        assert api.read(path, kind="jobshop") == shop


def test_sniff() -> None:
    assert FJSPLIB.sniff(Source("a.txt", "2 3 1\n2 1 1 5 1 2 6\n1 1 3 4\n"))
    assert not FJSPLIB.sniff(Source("a.txt", "2 3 1\n2 1 1 5 1 4 6\n1 1 3 4\n"))  # machine 4 of 3
    assert not FJSPLIB.sniff(Source("a.txt", "2 3 1\n2 1 1 5 1 2 6\n"))  # a job is missing
    assert FJSPLIB.sniff(Source("a.fjs", "2 3 1\n2 1 1 5 1 2 6\n"))  # here the reader shall say so
    assert not FJSPLIB.sniff(Source("a.txt", "3 3\n5 6 7\n8 9 1\n2 3 4\n"))
    assert not FJSPLIB.sniff(Source("a.txt", "2 " + "9" * 5000 + "\n1\n"))


def test_benchmark_files(benchmark_files: Path) -> None:
    folder = benchmark_files / "fjsp"
    for row in csv.DictReader((folder / "MANIFEST.csv").read_text().splitlines()):
        reading = api.read_with_warnings(folder / row["path"])
        instance = reading.instance
        assert isinstance(instance, Fjsp)
        assert (reading.format, reading.warnings) == ("fjsplib", ())
        size = instance.size()
        assert [size[k] for k in ("jobs", "machines", "operations")] == [int(row[k]) for k in ("n", "m", "ops")]
        assert abs(size["alternatives"] / size["operations"] - float(row["avg_alternatives"])) < 0.006
        assert trivial_bound(instance.operations) <= int(row["UB"])


def test_other_benchmark_files_are_left_alone(benchmark_files: Path) -> None:
    for kind in ("openshop", "rcpsp", "kp", "jssp"):
        for path in sorted((benchmark_files / kind).rglob("*"))[::5]:
            if path.is_file() and path.suffix != ".b":
                assert not FJSPLIB.sniff(Source.open(path)), path
