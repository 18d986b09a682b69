"""MPS files: both readers of COLUMNS, the writer, and benchmark files as HiGHS reads them."""

from __future__ import annotations

import csv
import gzip
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.formats import mps_columns
from combopt.instances.formats.mps import MPS, read
from combopt.instances.formats.mps_sections import Outline
from combopt.instances.mip import Indicator, Mip, MipBuilder, Sos
from combopt.instances.mip_families import FAMILIES
from combopt.instances.text import ReadOptions, Source
from combopt.model import Sense
from tests.brute.mip import small
from tests.malformed.mps import CASES, GOOD


def parsed(text: str, **options: Any) -> Mip:
    found = read(Source("a.mps", text, ReadOptions(**options)))
    assert isinstance(found, Mip)
    return found


def by_lines(text: str, monkeypatch: pytest.MonkeyPatch) -> Mip:
    with monkeypatch.context() as patch:
        patch.setattr(mps_columns, "_read_block", lambda *_: None)
        return parsed(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_is_read_back(family: str) -> None:
    for seed in range(5):
        mip = Mip.generate(np.random.default_rng(seed), n=12, family=family)
        again = parsed(MPS.write(mip))  # type: ignore[misc]
        assert again == mip
        assert again.name == mip.name


def test_tiny_programs_of_all_sorts_are_read_back() -> None:
    for seed in range(300):
        mip = small(np.random.default_rng([seed, 2]))
        assert parsed(MPS.write(mip)) == mip  # type: ignore[misc]


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
    mip = builder.build(
        sos=(Sos(type=2, columns=(3, 0, 1), weights=(-1.0, 0.5, 2.0), name="s"),),
        indicators=(Indicator(row=1, column=6, active=0),),
    )
    assert parsed(MPS.write(mip)) == mip  # type: ignore[misc]


@pytest.mark.parametrize("name", ["a b", "$x", "*x"])
def test_names_that_mps_cannot_hold_are_refused(name: str) -> None:
    builder = MipBuilder()
    builder.column(name)
    with pytest.raises(InputError, match="E119"):
        MPS.write(builder.build())  # type: ignore[misc]


def test_crossed_sides_cannot_be_written() -> None:
    builder = MipBuilder()
    builder.row([(builder.column("x"), 1.0)], 3.0, 2.0)
    with pytest.raises(InputError, match="E119"):
        MPS.write(builder.build())  # type: ignore[misc]


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.code is None and isinstance(c.text, str)], ids=lambda c: c.name
)
def test_both_readers_of_columns_agree(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_lines(case.text, monkeypatch) == parsed(case.text)


def test_regular_files_are_read_as_a_block() -> None:
    outline = Outline.cut(Source("a.mps", GOOD))
    rows = {"cost": mps_columns.OBJECTIVE, "lim1": 0, "lim2": 1, "eq": 2}
    found = mps_columns._read_block(outline, rows)
    assert found is not None
    assert found.names == ["x", "y", "z"]
    assert found.row.tolist() == [-1, 0, 1, -1, 0, 2, -1, 2]
    assert found.integer.tolist() == [False, True, False]


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 40, 330])
def test_names_of_all_lengths(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight bytes are compared at a time; names that differ in the last letter only are different names."""
    rows, columns = ["r" * (length - 1) + c for c in "abc"], ["c" * (length - 1) + c for c in "xyz"]
    builder = MipBuilder(name="a")
    for name in columns:
        builder.column(name, 1.0)
    for number, name in enumerate(rows):
        builder.row([(number, 2.0), ((number + 1) % 3, float(number + 3))], upper=1.0, name=name)
    text = MPS.write(builder.build())  # type: ignore[misc]
    assert parsed(text) == builder.build()
    assert by_lines(text, monkeypatch) == builder.build()


def test_a_sample_by_hand() -> None:
    """The example of the format's descriptions, every number in its place."""
    mip = parsed(
        "NAME          EXAMPLE\nROWS\n N  COST\n L  LIM1\n G  LIM2\n E  MYEQN\nCOLUMNS\n"
        "    X         COST                 1   LIM1                 1\n    X         LIM2                 1\n"
        "    Y         COST                 2   LIM1                 1\n    Y         MYEQN               -1\n"
        "    Z         COST                -1   MYEQN                1\nRHS\n"
        "    RHS       COST               -10   LIM1                 4\n"
        "    RHS       LIM2                 1   MYEQN                7\n"
        "RANGES\n    RNG       MYEQN               -5\nBOUNDS\n UP BND       X                    4\n"
        " LO BND       Y                   -1\n UP BND       Y                    1\nENDATA\n"
    )
    assert mip.offset == 10
    assert mip.cost.tolist() == [1, 2, -1]
    assert list(zip(mip.row_lower.tolist(), mip.row_upper.tolist(), strict=True)) == [
        (-np.inf, 4), (1, np.inf), (2, 7),
    ]  # fmt: skip
    assert mip.upper.tolist() == [4, 1, np.inf]
    assert mip.lower.tolist() == [0, -1, 0]


def test_dropped_rows_are_told_once() -> None:
    source = Source("a.mps", GOOD.replace(" L  lim1", " N  n1\n N  n2\n L  lim1"))
    read(source)
    assert [(w.code, w.place.line) for w in source.warnings] == [("E119", 4)]


@pytest.mark.parametrize("text", ["NAME : x\nTYPE : TSP\nDIMENSION : 3\n", "Minimize\n x\nEnd\n", "{}", "3 4\n1 2\n"])
def test_other_files_are_not_recognised(text: str) -> None:
    assert not MPS.sniff(Source("a", text))


def _big(n: int, m: int, per_column: int) -> str:
    rng = np.random.default_rng(0)
    lines = ["NAME big", "ROWS", " N  OBJ", *(f" L  row{i}" for i in range(m)), "COLUMNS", "    M  'MARKER'  'INTORG'"]
    for j in range(n):
        rows, values = rng.choice(m, per_column, replace=False).tolist(), rng.integers(1, 10**6, per_column) / 1e4
        entries = ["OBJ", f"{j % 100 + 1}"] + [
            w for i, v in zip(rows, values, strict=True) for w in (f"row{i}", str(v))
        ]
        for k in range(0, len(entries), 4):
            lines.append(f"    col{j:<7} " + " ".join(f"{word:<12}" for word in entries[k : k + 4]))
    lines += ["    M  'MARKER'  'INTEND'", "RHS", *(f"    RHS       row{i:<9} {i + 1}" for i in range(m)), "BOUNDS"]
    return "\n".join([*lines, *(f" UP BND       col{j:<8} {j % 7 + 1}" for j in range(n)), "ENDATA"]) + "\n"


def test_large_files_are_read_soon(tmp_path: Path) -> None:
    """A tenth of a million entries; within three times HiGHS's own reader, which is compiled."""
    highspy = pytest.importorskip("highspy")
    path = tmp_path / "big.mps"
    path.write_text(_big(10_000, 5_000, 9))

    def own() -> None:
        read(Source.open(path))

    def other() -> None:
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        assert highs.readModel(str(path)) == highspy.HighsStatus.kOk

    def seconds(call: Any) -> float:
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            call()
            best = min(best, time.process_time() - started)
        return best

    assert seconds(own) < 3 * seconds(other) + 0.1


# ------------------------------------------------------------------------------------------ benchmark files

HIGHS_DIFFERS = {
    "gas11.mps.gz": "HiGHS drops coefficients up to 1e-9",
    "silly-names.mps": "HiGHS takes columns called like sections for sections",
    "semi-continuous.mps": "HiGHS forgets that a semi-continuous column between markers is an integer",
    "cuopt_good-mps-fixed-ranges.mps": "HiGHS computes sides in floats, we in decimals",
    "comment.mps": "HiGHS refuses comments with *",
}


def lines_of(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="") as file:
        return list(csv.DictReader(file))


def as_highs_reads_it(path: Path, folder: Path) -> Any:
    highspy = pytest.importorskip("highspy")
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    plain = folder / path.name.removesuffix(".gz")
    plain.write_bytes(data)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    status = highs.readModel(str(plain))
    return None if status == highspy.HighsStatus.kError else highs.getLp()


def differences(mip: Mip, lp: Any) -> list[str]:
    """What differs between our reading and that of HiGHS; columns are matched by name."""
    scipy = pytest.importorskip("scipy.sparse")
    if set(mip.columns) != set(lp.col_names_) or list(mip.rows) != list(lp.row_names_):
        return ["names"]
    place = {name: j for j, name in enumerate(lp.col_names_)}
    order = [place[name] for name in mip.columns]
    whole = np.array([int(v) for v in lp.integrality_] or [0] * lp.num_col_)
    pairs = {
        "cost": (mip.cost, np.array(lp.col_cost_)[order]),
        "lower": (mip.lower, np.array(lp.col_lower_)[order]),
        "upper": (mip.upper, np.array(lp.col_upper_)[order]),
        "row_lower": (mip.row_lower, np.array(lp.row_lower_)),
        "row_upper": (mip.row_upper, np.array(lp.row_upper_)),
        "domain": (mip.domain, whole[order]),
        "offset": (np.array([mip.offset]), np.array([lp.offset_])),
        "sense": (np.array([mip.sense == "max"]), np.array([int(lp.sense_) == -1])),
    }
    found = [name for name, (a, b) in pairs.items() if not np.array_equal(a, b)]
    shape = (len(mip.rows), len(mip.columns))
    make = scipy.csc_matrix if len(lp.a_matrix_.start_) == lp.num_col_ + 1 else scipy.csr_matrix
    other = make((lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_), shape=shape).tocsr()[:, order]
    mine = scipy.csr_matrix((mip.row_value, mip.row_column, mip.row_start), shape=shape)
    return found if mine.nnz == other.nnz and not (mine != other).nnz else [*found, "matrix"]


@pytest.mark.timeout(300)
def test_benchmark_files_are_read_as_highs_reads_them(benchmark_files: Path, tmp_path: Path) -> None:
    compared = 0
    for row in lines_of(benchmark_files / "mip" / "MANIFEST.csv"):
        path = benchmark_files / "mip" / row["file"]
        good = row["status"] not in ("read-error-expected", "read error") and row["name"] != "cuopt_good-mps-rhs-cost"
        if ".mps" not in path.name or not good or path.stat().st_size > 1_000_000:
            continue
        reading = api.read_with_warnings(path)
        assert isinstance(reading.instance, Mip)
        assert reading.format == "mps"
        lp = as_highs_reads_it(path, tmp_path)
        found = ["unread"] if lp is None else differences(reading.instance, lp)
        assert bool(found) == (path.name in HIGHS_DIFFERS), (path.name, found)
        compared += 1
    assert compared > 60


def test_torture_files_are_refused(benchmark_files: Path) -> None:
    verdicts = {
        "cuopt_bad-mps-1": ("E123", 2),
        "cuopt_bad-mps-2": ("E111", 5),
        "cuopt_bad-mps-4": ("E111", 8),
        "cuopt_bad-mps-7": ("E111", 10),
        "cuopt_bad-mps-10": ("E111", 10),
        "cuopt_bad-mps-12": ("E111", 9),
        "cuopt_bad-mps-13": ("E116", 10),
        "cuopt_bad-mps-bound-2": ("E112", 21),
        "cuopt_bad-mps-fixed-ranges-name": ("E117", 27),
        "cuopt_bad-mps-fixed-ranges-value": ("E113", 27),
        "cuopt_good-mps-rhs-cost": ("E111", 10),  # no ENDATA
        "coin_spec_sections": ("E119", 46),
        "garbage": ("E112", 2),
        "nan0": ("E113", 8),
        "nan1": ("E113", 9),
    }
    for name, verdict in verdicts.items():
        with pytest.raises(InputError) as caught:
            api.read(benchmark_files / "mip" / "edge" / f"{name}.mps")
        place = caught.value.place
        assert place is not None
        assert (caught.value.code, place.line) == verdict, name


def test_lenient_reading_of_files_without_endata(benchmark_files: Path) -> None:
    mip = api.read(benchmark_files / "mip" / "edge" / "cuopt_good-mps-rhs-cost.mps", lenient=True)
    assert isinstance(mip, Mip)
    assert mip.offset == -5


def test_benchmark_files_survive_writing(benchmark_files: Path) -> None:
    for name in ("p0033", "flugpl", "gt2", "dsbmip", "small_mip", "infeasible-mip0", "bell3a", "gas11"):
        mip = api.read(benchmark_files / "mip" / f"{name}.mps.gz")
        assert parsed(MPS.write(mip)) == mip  # type: ignore[misc]
