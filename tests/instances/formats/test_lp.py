"""LP files: the writer, and benchmark files as HiGHS and the field know them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.formats.lp import LP, read
from combopt.instances.formats.mps import MPS
from combopt.instances.mip import Indicator, Mip, MipBuilder, Sos
from combopt.instances.mip_families import FAMILIES
from combopt.instances.text import Source
from combopt.model import Sense
from tests.brute.mip import small
from tests.instances.formats.test_mps import as_highs_reads_it, differences


def parsed(text: str) -> Mip:
    found = read(Source("a.lp", text))
    assert isinstance(found, Mip)
    return found


def written(mip: Any) -> str:
    assert LP.write is not None
    return LP.write(mip)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_is_read_back(family: str) -> None:
    for seed in range(5):
        mip = Mip.generate(np.random.default_rng(seed), n=12, family=family)
        again = parsed(written(mip))
        assert again == mip
        assert again.name == mip.name


def test_tiny_programs_of_all_sorts_are_read_back() -> None:
    for seed in range(300):
        mip = small(np.random.default_rng([seed, 3]))
        assert parsed(written(mip)) == mip


def test_sets_indicators_and_odd_domains_are_read_back() -> None:
    builder = MipBuilder(name="odd", sense=Sense.MAX, offset=-2.5)
    inf = float("inf")
    for number, (low, high, domain) in enumerate(
        [
            (0, inf, 0), (-inf, inf, 0), (-inf, 3, 0), (-5, -2, 0), (0, -1, 0), (2, 2, 0), (0, 1, 1), (0, inf, 1),
            (-inf, inf, 1), (0.5, 7.25, 1), (0, 5, 2), (2, inf, 2), (1, 6, 3), (-inf, 4, 2), (-3, inf, 1), (0, 0, 1),
        ]
    ):  # fmt: skip
        builder.column(f"x{number}", number / 7, low, high, domain)
    builder.row([(0, 0.1), (6, -1e-7)], -1.5, 0.3)
    builder.row([(6, 1.0)], upper=1.0)
    builder.row([(0, 1.0)])
    builder.row([])
    builder.row([(1, 1e300)], 3.0, 2.0)
    mip = builder.build(
        sos=(Sos(type=2, columns=(3, 0, 1), weights=(-1.0, 0.5, 2.0), name="s"),),
        indicators=(Indicator(row=1, column=6, active=0),),
    )
    assert parsed(written(mip)) == mip


def test_the_order_of_columns_is_kept() -> None:
    builder = MipBuilder(name="order")
    for name in "cab":
        builder.column(name)
    builder.row([(2, 1.0)], upper=1.0)
    builder.row([(1, 1.0)], upper=1.0)
    assert parsed(written(builder.build())).columns == ("c", "a", "b")


@pytest.mark.parametrize(
    "name", ["a b", "2x", ".x", "x+y", "x:y", "e5", "E7x", "free", "End", "inf", "a<b", "x[1]", "x\\y"]
)
def test_names_that_lp_cannot_hold_are_refused(name: str) -> None:
    builder = MipBuilder()
    builder.column(name)
    if name == "x[1]":  # brackets within a name are read as part of it
        assert parsed(written(builder.build())).columns == (name,)
        return
    with pytest.raises(InputError, match="E119"):
        written(builder.build())


def test_lp_and_mps_say_the_same() -> None:
    for seed in range(30):
        mip = Mip.generate(np.random.default_rng(seed), n=7, family="random")
        assert MPS.write is not None
        assert MPS.read(Source("a.mps", MPS.write(mip))) == parsed(written(mip))


def test_names_of_the_problem() -> None:
    body = "Minimize\n x\nSubject To\n x >= 1\nEnd\n"
    assert parsed("\\Problem name: one\n" + body).name == "one"
    assert parsed("\\   Problem name     : two\n" + body).name == "two"
    assert parsed(body).name == "a"


def test_sums_of_coefficients_are_told() -> None:
    source = Source("a.lp", "Minimize\n x\nSubject To\n c: 0.1 x + y + 0.2 x >= 1\n d: y + y >= 2\nEnd\n")
    mip = read(source)
    assert isinstance(mip, Mip)
    assert mip.row_value.tolist() == [0.3, 1, 2]
    assert [(w.code, w.place.line) for w in source.warnings] == [("E116", 4)]


@pytest.mark.parametrize(
    "text", ["max: 3x+2y;\n", "NAME x\nROWS\n", "{}", "\\ only a comment\n", "maximal clique\n", "min : 3\n"]
)
def test_other_files_are_not_recognised(text: str) -> None:
    assert not LP.sniff(Source("a", text))


def test_benchmark_files_are_read_as_highs_reads_them(benchmark_files: Path, tmp_path: Path) -> None:
    folder = benchmark_files / "mip"
    sizes = {
        "MANN_a9.clq.lp.gz": (72, 45, 144, 45),
        "dmiplib_gisp_102.lp.gz": (10592, 8106, 29115, 8106),
        "dmiplib_mvc_8.lp.gz": (44975, 9000, 89950, 9000),
        "stein27_inf.lp.gz": (119, 27, 405, 27),
        "edge/coin_exmip1.lp": (5, 10, 16, 2),
        "edge/scip-issue-3132.lp": (5, 6, 10, 0),
        "edge/scip-issue-3613.lp": (11, 33, 84, 33),
    }
    for name, size in sizes.items():
        reading = api.read_with_warnings(folder / name)
        assert (reading.format, tuple(reading.instance.size().values())) == ("lp", size)
        assert not reading.warnings
        assert differences(reading.instance, as_highs_reads_it(folder / name, tmp_path)) == []  # type: ignore[arg-type]


def test_benchmark_files_that_highs_cannot_read(benchmark_files: Path) -> None:
    folder = benchmark_files / "mip"
    for name, size, warnings in (
        ("dmiplib_mis_2.lp.gz", (44861, 9000, 89777, 9000), ["E111"]),
        ("dmiplib_mk_5.lp.gz", (440, 16000, 32000, 16000), ["E111"]),
        ("sos_findRoot.lp.gz", (2, 101, 202, 0), []),
        ("sos_pcu_0.1.lp.gz", (146, 279, 907, 27), []),
    ):
        reading = api.read_with_warnings(folder / name)
        assert tuple(reading.instance.size().values()) == size
        assert [w.code for w in reading.warnings] == warnings


def test_sets_of_benchmark_files(benchmark_files: Path) -> None:
    mip = api.read(benchmark_files / "mip" / "sos_findRoot.lp.gz")
    assert isinstance(mip, Mip)
    (group,) = mip.sos
    assert (group.type, len(group.columns), group.name) == (2, 101, "SOS2")
    assert [mip.columns[c] for c in group.columns[:2]] == ["x#0", "x#1"]


def test_garbage_is_refused(benchmark_files: Path) -> None:
    with pytest.raises(InputError) as caught:
        api.read(benchmark_files / "mip" / "edge" / "garbage.lp")
    assert caught.value.code == "E112"
