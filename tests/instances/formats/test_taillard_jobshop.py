"""Taillard's format of job shops."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from combopt import api
from combopt.instances.formats.taillard_jobshop import TAILLARD_JOBSHOP
from combopt.instances.jobshop import JobShop, taillard
from combopt.instances.text import Source
from tests.malformed.taillard_jobshop import GOOD, HEAD


def _text(shop: JobShop) -> str:
    rows = [" ".join(map(str, row)) for row in shop.duration.tolist()]
    machines = [" ".join(map(str, row)) for row in (shop.machine + 1).tolist()]
    counts = f"{shop.jobs} {shop.machines} 1 2 3 4"
    return "\n".join([HEAD.strip(), counts, "Times", *rows, "Machines", *machines]) + "\n"


def test_a_file_of_several_instances(tmp_path: Path) -> None:
    shops = [taillard(4, 3, seed, seed + 1) for seed in (5, 6, 7)]
    path = tmp_path / "tai4_3.txt"
    path.write_text("".join(_text(shop) for shop in shops))
    second = api.read(f"{path}#2")
    assert second == JobShop(name="tai4_3_2", machine=shops[1].machine, duration=shops[1].duration)


def test_sniff() -> None:
    sniff = TAILLARD_JOBSHOP.sniff
    assert sniff(Source("a.txt", GOOD))
    assert not sniff(Source("a.txt", GOOD.replace("Times", "processing times :")))
    flow = "number of jobs, number of machines, initial seed, upper bound and lower bound :\n 2 2 1 9 8\n"
    assert not sniff(Source("a.txt", flow + "processing times :\n 1 2\n 3 4\n"))
    assert not sniff(Source("a.txt", "2 2\n1 2\n3 4\n5 6\n7 8\n"))
    assert not sniff(Source("a.txt", "Machines\n1 2\nTimes\n3 4\n"))


def test_benchmark_files_are_left_alone(benchmark_files: Path) -> None:
    for path in sorted(benchmark_files.rglob("*.txt*"))[::9]:
        assert not TAILLARD_JOBSHOP.sniff(Source.open(path)), path


def test_durations_and_machines_are_read_as_numbers_of_one_shape() -> None:
    shop = TAILLARD_JOBSHOP.read(Source("a.txt", GOOD))
    assert isinstance(shop, JobShop)
    assert shop.machine.dtype == shop.duration.dtype == np.int64
