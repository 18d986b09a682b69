"""Knapsack, multidimensional knapsack, bin packing and set covering files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api, registry
from combopt.errors import InputError
from combopt.instances.binpacking import BinPacking
from combopt.instances.formats.stream import Stream, decimal
from combopt.instances.knapsack import Knapsack
from combopt.instances.mkp import Mkp
from combopt.instances.setcover import SetCover
from combopt.instances.solutions import Assignment, Selection
from combopt.instances.text import Source
from combopt.model import Instance

OWN = ("pisinger", "pisinger_csv", "jooken", "mkp", "binpack", "bpp", "scp", "rail")


def _instances() -> list[Instance]:
    rng = np.random.default_rng(8)
    return [
        Knapsack.generate(rng, n=20),
        Knapsack(profit=[125126, 5], weight=[25, 1], capacity=30, profit_scale=10**6, weight_scale=10),
        Knapsack(profit=[10**17, 3], weight=[10**17, 0], capacity=10**17),
        Mkp.generate(rng, n=15, m=3),
        Mkp(profit=[15, 20], weight=[[1, 2], [3, 4]], capacity=[5, 6], profit_scale=10, weight_scale=100),
        BinPacking.generate(rng, n=30),
        BinPacking(item_size=[499, 251, 250], capacity=1000, scale=10),
        SetCover.generate(rng, n=30),
    ]


@pytest.mark.parametrize("instance", _instances(), ids=lambda i: i.name)
def test_what_is_written_is_read_back(instance: Instance, tmp_path: Path) -> None:
    written = 0
    for name in OWN:
        entry = registry.FORMATS.load(name)
        if instance.kind in entry.kinds and entry.write is not None:
            path = tmp_path / f"{instance.name}{entry.extensions[0]}"
            api.write(instance, path, format=name)
            reading = api.read_with_warnings(path)
            assert reading.format == name
            assert reading.instance.digest() == instance.digest()
            written += 1
    assert written


def _sources() -> list[tuple[str, str]]:
    return [
        (name, registry.FORMATS.load(name).write(instance))
        for instance in _instances()
        for name in OWN
        if instance.kind in registry.FORMATS.load(name).kinds and registry.FORMATS.load(name).write is not None
    ]


@pytest.mark.parametrize(("name", "text"), _sources(), ids=lambda x: x[:12] if isinstance(x, str) else None)
def test_no_format_takes_the_file_of_another(name: str, text: str) -> None:
    takers = {other for other in OWN if registry.FORMATS.load(other).sniff(Source("file", text))}
    assert takers == {name}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("job shop of one machine", "3 1\n0 5\n0 7\n0 2\n"),
        ("job shop", "2 2\n0 5 1 4\n1 3 0 2\n"),
        ("cycle graph", "4 4\n1 2\n2 3\n3 4\n4 1\n"),
        ("assignment", "2 3\n1 2 3\n4 5 6\n1 1 1\n2 2 2\n5 6\n"),
        ("quadratic assignment", "2\n0 1\n1 0\n0 3\n3 0\n"),
        ("permutation", "4 10\n2 1 4 3\n"),
        ("nothing but words", "to be or not to be\n"),
        ("one number", "7\n"),
        ("huge size", "999999999999 5\n1 1\n"),
    ],
)
def test_other_fields_files_are_left_alone(what: str, text: str) -> None:
    for name in OWN:
        assert not registry.FORMATS.load(name).sniff(Source(what, text)), name


MKNAP = "2\n2 1 0\n10 20\n1 2\n2\n3 1 0\n1 2 3\n1 1 1\n2\n"
BINPACK = "2\nfirst\n10 2 1\n5 5\nsecond\n20 3 1\n5 5 5\n"
CSV_ = "one\nn 1\nc 5\nz 3\ntime 0.0\n1,3,4,1\n-----\n\ntwo\nn 2\nc 7\nz 3\ntime 0.0\n1,3,4,1\n2,2,6,0\n-----\n"


@pytest.mark.parametrize(
    ("file", "text", "select", "name", "size"),
    [
        ("many.mkp", MKNAP, "1", "many-1", 2),
        ("many.mkp", MKNAP, "2", "many-2", 3),
        ("many.mkp", MKNAP, "many-2", "many-2", 3),
        ("many.txt", BINPACK, "2", "second", 3),
        ("many.txt", BINPACK, "first", "first", 2),
        ("many.csv", CSV_, "2", "two", 2),
        ("many.csv", CSV_, "one", "one", 1),
    ],
)
def test_one_of_many_is_chosen(tmp_path: Path, file: str, text: str, select: str, name: str, size: int) -> None:
    (tmp_path / file).write_text(text)
    instance = api.read(f"{tmp_path / file}#{select}")
    assert (instance.name, next(iter(instance.size().values()))) == (name, size)


@pytest.mark.parametrize("select", ["0", "3", "third", "-1", "1.0", "9" * 30])
def test_a_choice_that_is_not_there(tmp_path: Path, select: str) -> None:
    (tmp_path / "many.txt").write_text(BINPACK)
    with pytest.raises(InputError) as caught:
        api.read(f"{tmp_path / 'many.txt'}#{select}")
    assert caught.value.code == "E117"


def test_a_choice_among_one(tmp_path: Path) -> None:
    (tmp_path / "a.kp").write_text("1 5\n3 4\n")
    assert api.read(f"{tmp_path / 'a.kp'}#1").name == "a"
    with pytest.raises(InputError):
        api.read(f"{tmp_path / 'a.kp'}#2")


def test_without_a_choice_the_message_says_how_to_choose(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text(BINPACK)
    with pytest.raises(InputError, match=r"(?s)2 instances.*#1 to #2, or a name like first"):
        api.read(tmp_path / "many.txt")


def test_a_wrong_claim_in_a_csv_file_is_noted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV_.replace("z 3", "z 4"))
    reading = api.read_with_warnings(f"{tmp_path / 'a.csv'}#1")
    assert [w.code for w in reading.warnings] == ["E120"]


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [(12, 1, "12"), (125126, 10**6, "0.125126"), (-25, 10, "-2.5"), (100, 100, "1"), (5, 1000, "0.005"), (0, 10, "0")],
)
def test_decimal(value: int, scale: int, text: str) -> None:
    assert decimal(value, scale) == text


def test_stream_keeps_decimals_exact() -> None:
    values, scale = Stream(Source("x", "0.1 2e-3 30")).exact(slice(0, 3), "x")
    assert (values.tolist(), scale) == ([100, 2, 30000], 1000)


def test_selection_round_trip(tmp_path: Path) -> None:
    instance = Knapsack.generate(np.random.default_rng(1), n=50)
    for items in ([], [0], list(range(1, 50, 3)), list(range(50))):
        path = tmp_path / "a.sol"
        api.write_solution(Selection(items), instance, path)
        assert api.read_solution(path, instance) == Selection(items)
        checked = api.check(instance, path)
        assert checked.claimed == instance.evaluate(Selection(items)).objective


def test_a_wrong_claim_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.sol").write_text("objective 24\n2 4\n")
    instance = Knapsack(profit=[6, 10, 12, 13], weight=[2, 4, 6, 7], capacity=11)
    checked = api.check(instance, tmp_path / "a.sol")
    assert (checked.evaluation.objective, checked.ok) == (23, False)


def test_bins_round_trip(tmp_path: Path) -> None:
    instance = BinPacking.generate(np.random.default_rng(1), n=6)
    for groups in ([0, 0, 1, 1, 2, 2], [5, 4, 3, 2, 1, 0], [0] * 6):
        path = tmp_path / "a.sol"
        api.write_solution(Assignment(groups), instance, path)
        found = api.read_solution(path, instance)
        assert instance.evaluate(found).objective == len(set(groups)) == api.check(instance, path).claimed
        same = np.equal.outer(groups, groups)
        assert (np.equal.outer(found.groups, found.groups) == same).all()  # type: ignore[attr-defined]


FOLDERS = {
    "KP01": ("knapsack", ("pisinger", "jooken")),
    "MKP": ("mkp", ("mkp",)),
    "SCP": ("setcover", ("scp", "rail")),
    "BPP1D": ("binpacking", ("binpack", "bpp")),
}


def test_benchmark_files_are_recognised_and_agree_with_their_manifest(benchmark_files: Path) -> None:
    with (benchmark_files / "kp" / "MANIFEST.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["problem"] in FOLDERS]
    assert rows
    for row in rows:
        kind, formats = FOLDERS[row["problem"]]
        many = "multi-instance" in row["note"]
        reading = api.read_with_warnings(f"{benchmark_files / 'kp' / row['file']}{'#1' if many else ''}")
        assert (reading.instance.kind, reading.format in formats, reading.warnings) == (kind, True, ())
        size = reading.instance.size()
        if not many and kind != "binpacking":
            said = dict(part.split("=") for part in row["size"].split() if "=" in part)
            found = {"n": size.get("items", size.get("columns")), "m": size.get("resources", size.get("rows"))}
            assert {key: found[key] for key in said} == {key: int(value) for key, value in said.items()}, row["name"]


def test_own_formats_leave_other_benchmark_files_alone(benchmark_files: Path) -> None:
    for folder in ("gap", "facility", "qaplib", "steiner", "opb"):
        for path in sorted((benchmark_files / "kp" / folder).glob("*"))[:15]:
            source = Source.open(path)
            assert not [name for name in OWN if registry.FORMATS.load(name).sniff(source)], path
