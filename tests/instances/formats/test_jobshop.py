"""The standard job shop format."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import CombOptError
from combopt.instances.classic import ft06
from combopt.instances.formats.jobshop import JOBSHOP
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import trivial_bound
from combopt.instances.text import Source
from tests.malformed.jobshop import LIBRARY


def _sniff(text: str) -> bool:
    return JOBSHOP.sniff(Source("a.txt", text))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (2, 2), (6, 4), (3, 30)])
def test_round_trip(tmp_path: Path, shape: tuple[int, int]) -> None:
    shop = JobShop.generate(np.random.default_rng(2), n=shape[0], m=shape[1])
    path = tmp_path / "a.txt"
    api.write(shop, path)
    assert api.read(path) == JobShop(name="a", machine=shop.machine, duration=shop.duration)


@pytest.mark.parametrize(
    "shop",
    [
        JobShop(machine=np.array([[0, 0]]), duration=np.array([[1, 2]])),
        JobShop(machine=np.array([[0, 1], [1, -1]]), duration=np.array([[1, 2], [3, 0]])),
        JobShop(machine=np.array([[0, 1]]), duration=np.array([[1, 2]]), machines=3),
    ],
)
def test_what_the_format_cannot_hold_is_refused(shop: JobShop, tmp_path: Path) -> None:
    with pytest.raises(CombOptError, match="E201"):
        api.write(shop, tmp_path / "a.txt")


def test_one_instance_of_a_library_by_number_and_by_name(tmp_path: Path) -> None:
    path = tmp_path / "all.txt"
    path.write_text(LIBRARY)
    first, second = api.read(f"{path}#1"), api.read(f"{path}#two")
    assert (first.name, second.name) == ("one", "two")
    assert second.size() == {"jobs": 2, "machines": 2, "operations": 4}
    with pytest.raises(CombOptError, match="E117"):
        api.read(f"{path}#3")


def test_gzipped(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "ft06.txt.gz"
    path.write_bytes(gzip.compress(JOBSHOP.write(ft06()).encode()))  # type: ignore[misc]
    assert api.read(path) == ft06()


def test_sniff_tells_other_tables_apart() -> None:
    assert _sniff("2 2\n0 5 1 6\n1 7 0 8\n")
    assert not _sniff("3 3\n5 6 7\n8 9 1\n2 3 4\n")  # open shop
    assert not _sniff("3 50\n10 20\n30 40\n50 60\n")  # knapsack
    assert not _sniff("4 4\n0 1\n1 2\n2 3\n3 0\n")  # edges of a circle
    assert not _sniff("2 3\n94 66 10\n15 31 8\n1 2 3\n3 1 2\n")  # Taillard without words
    assert not _sniff("2 2\n2 1 1 5 1 2 4\n1 1 2 6\n")  # flexible job shop
    assert not _sniff("")


def test_sniff_knows_a_damaged_file_so_that_the_reader_can_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(JOBSHOP.write(ft06()).replace("1 8 2 5", "1 8 2 x"))  # type: ignore[misc]
    with pytest.raises(CombOptError, match=r"a\.txt:3.*E113"):
        api.read(path)


def test_a_large_file_is_read_in_seconds(tmp_path: Path) -> None:
    shop = JobShop.generate(np.random.default_rng(0), n=300, m=300)
    path = tmp_path / "large.txt"
    api.write(shop, path)
    assert (api.read(path).machine == shop.machine).all()  # type: ignore[attr-defined]


def test_benchmark_files(benchmark_files: Path) -> None:
    folder = benchmark_files / "jssp"
    for row in csv.DictReader((folder / "MANIFEST.csv").read_text().splitlines()):
        reading = api.read_with_warnings(folder / row["path"])
        shop = reading.instance
        assert isinstance(shop, JobShop)
        assert (reading.format, reading.warnings) == ("jobshop", ())
        size = {"jobs": int(row["n"]), "machines": int(row["m"]), "operations": int(row["ops"])}
        assert shop.size() == size
        load = np.bincount(shop.machine.ravel(), weights=shop.duration.ravel()).max()
        assert max(load, shop.duration.sum(axis=1).max()) == int(row["trivial_LB"])
        assert int(row["trivial_LB"]) <= trivial_bound(shop.operations) <= int(row["UB"])
        if row["name"] == "ft06":
            assert shop == ft06()


def test_other_benchmark_files_are_left_alone(benchmark_files: Path) -> None:
    for kind in ("openshop", "rcpsp", "kp"):
        for path in sorted((benchmark_files / kind).rglob("*"))[::5]:
            if path.is_file() and path.suffix != ".b":
                assert not JOBSHOP.sniff(Source.open(path)), path
