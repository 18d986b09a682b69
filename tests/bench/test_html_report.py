"""The data of the HTML report, read as the page reads them, and what may not be in the file."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.bench.analysis import Analysis, analyse
from combopt.bench.report import drawing, payload
from combopt.bench.report.drawing import NoPictureError, draw, pictures_block
from combopt.bench.report.html import page, write_html
from combopt.bench.report.payload import pack, runs_block, traces_block
from combopt.bench.runs import InstanceRow, Reference
from combopt.bench.store import Store
from combopt.bench.table import Table
from combopt.errors import UsageError
from combopt.instances.metric import Metric
from combopt.instances.solutions import Routes, Schedule, Selection, Tour
from combopt.instances.tsp import Tsp
from tests.bench.report_stores import BROKEN, MARKUP, MESSAGE, SIZES, mixed, synthetic

RUN_BYTES = 29
SCRIPTS = 5  # head, three blocks, the program


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Store, Analysis]]:
    with mixed(tmp_path / "runs.db", tmp_path) as store:
        yield store, analyse(Table.load(store))


def unpack(text: str) -> dict[str, Any]:
    """What ``unpack`` of data.js does."""
    data = gzip.decompress(base64.b64decode(text))
    size = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + size])
    out = dict(head)
    for name, kind, length, offset in head["columns"]:
        dtype = np.dtype("<" + kind)
        begin = 4 + size + offset
        planes = np.frombuffer(data[begin : begin + length * dtype.itemsize], dtype=np.uint8)
        out[name] = np.ascontiguousarray(planes.reshape(dtype.itemsize, length).T).view(dtype).reshape(length)
    return out


class Elements(HTMLParser):
    """Tags, and the text of scripts and styles, as a browser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.raw: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("script", "style"):
            self.raw.append((tag, dict(attrs).get("id") or "", ""))

    def handle_data(self, data: str) -> None:
        if self.tags and self.cdata_elem:
            tag, name, text = self.raw[-1]
            self.raw[-1] = (tag, name, text + data)

    def script(self, name: str) -> str:
        return next(text for tag, found, text in self.raw if tag == "script" and found == name)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([0, 255]), "u1"),
        (np.array([0, 256]), "u2"),
        (np.array([65536]), "u4"),
        (np.array([-1, 7]), "i4"),
        (np.array([-(2**52), 2**40]), "f8"),
        (np.array([1.5, np.nan, -np.inf, 2.0**60, 0.1]), "f8"),
        (np.array([1.5, np.nan], dtype=np.float32), "f4"),
        (np.zeros(0, dtype=np.int64), "u1"),
        (np.zeros(0), "f8"),
    ],
)
def test_columns_are_read_back_as_they_were(values: np.ndarray, kind: str) -> None:
    found = unpack(pack({"words": ["<a>"]}, {"first": np.arange(3), "values": values}))
    assert found["words"] == ["<a>"]
    assert found["first"].tolist() == [0, 1, 2]
    assert found["values"].dtype.str[1:] == kind
    assert np.array_equal(found["values"].astype(float), values.astype(float), equal_nan=True)


def test_all_runs_are_in_the_page_exactly(small: tuple[Store, Analysis]) -> None:
    store, analysis = small
    table = analysis.table
    found = unpack(Elements(page(analysis, [store])).script("data"))
    for name in ("instance", "configuration", "seed", "status", "stopped", "objective", "bound"):
        assert np.array_equal(found[name], getattr(table, name), equal_nan=True), name
    assert np.allclose(found["gap"], analysis.gap, rtol=1e-6)
    assert np.allclose(found["integral"], analysis.integral, rtol=1e-6)
    assert found["failed"].astype(bool).tolist() == analysis.failed.tolist()
    assert found["answered"].astype(bool).tolist() == analysis.answered.tolist()
    assert tuple(found["names"]) == table.names
    assert [found["kinds"][k] for k in found["kind"]] == [row.kind for row in table.instances]
    assert found["best"].tolist() == analysis.best.tolist()
    said = ["\n".join(run.messages) for run in store.runs()]
    assert [found["messages"][m] for m in found["message"]] == said
    assert MESSAGE in said


def test_the_summary_is_that_of_the_analysis(small: tuple[Store, Analysis]) -> None:
    store, analysis = small
    head = json.loads(Elements(page(analysis, [store])).script("head"))
    assert [group["name"] for group in head["groups"]] == ["all", *analysis.kinds]
    for group, part in zip(head["groups"], [analysis, *map(analysis.for_kind, analysis.kinds)], strict=True):
        assert group["runs"] == part.table.runs
        rows = group["summary"]
        assert rows["configuration"] == list(part.configurations)
        for key in ("runs", "failed", "optimal", "wins", "mean_gap", "seconds", "integral"):
            assert np.allclose(rows[key], [getattr(s, key) for s in part.summaries], rtol=1e-5), key
        profile = part.profile("gap")
        assert group["profiles"][0]["problems"] == profile.problems
        for curve, steps in zip(group["profiles"][0]["curves"], profile.steps, strict=True):
            assert np.allclose(curve["y"], steps.at(group["profiles"][0]["x"]), rtol=1e-5)
        for pair, expected in zip(group["pairs"][0]["pairs"], part.pairs("gap"), strict=True):
            assert (pair["a"], pair["b"]) == (expected.a, expected.b)
            assert (pair["wins"], pair["ties"], pair["losses"]) == tuple(expected.score)
    broken = head["groups"][0]["summary"]["configuration"].index(head["configurations"].index(BROKEN))
    assert head["groups"][0]["summary"]["failed"][broken] == len(SIZES)
    assert [what for what, _, _ in head["findings"]] == ["improved"]
    assert any("same instances" in note for note in head["notes"])


def test_nothing_in_the_data_becomes_markup(small: tuple[Store, Analysis]) -> None:
    store, analysis = small
    text = page(analysis, [store], title="A </title><script>alert(1)</script> & more")
    elements = Elements(text)
    assert elements.tags.count("script") == text.count("</script>") == SCRIPTS
    assert "img" not in elements.tags
    assert not any(name.startswith("on") for name, _ in elements.attributes)
    assert "<title>A &lt;/title&gt;&lt;script&gt;" in text
    assert "alert(1)" not in elements.script("")
    assert MARKUP in unpack(elements.script("data"))["names"]


def test_the_policy_allows_the_pages_own_program_and_nothing_else(small: tuple[Store, Analysis]) -> None:
    store, analysis = small
    text = page(analysis, [store])
    elements = Elements(text)
    policy = next(value for name, value in elements.attributes if name == "content" and "default-src" in str(value))
    program = next(t for tag, name, t in elements.raw if tag == "script" and not name)
    style = next(t for tag, _, t in elements.raw if tag == "style")
    hashes = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in (program, style)]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; base-uri 'none';"
        " form-action 'none'"
    )
    outside = re.sub(r'<script type="text/plain".*?</script>', "", text, flags=re.DOTALL)
    assert set(re.findall(r"https?://[^\s\"'<]+", outside)) == {"http://www.w3.org/2000/svg"}
    assert "src" not in {name for name, _ in elements.attributes}
    assert not re.search(r"@import|url\((?!#)", style)


def test_traces_are_whole_where_they_fit(small: tuple[Store, Analysis]) -> None:
    _, analysis = small
    block = traces_block(analysis)
    found = unpack(block.text)
    table = analysis.table
    assert block.notes == ()
    assert found["number"].tolist() == np.flatnonzero(np.diff(table.trace_start)).tolist()
    assert np.array_equal(found["objective"], table.trace[:, 1].astype(np.float32))
    assert np.allclose(found["seconds"], table.trace[:, 0], rtol=1e-3)
    assert np.diff(found["start"]).tolist() == [8] * len(found["number"])


def test_traces_are_thinned_and_then_dropped_to_fit(tmp_path: Path) -> None:
    with synthetic(tmp_path / "runs.db", 100, points=60) as store:
        analysis = analyse(Table.load(store))
    table = analysis.table
    whole = len(traces_block(analysis).text)
    half = traces_block(analysis, whole // 2)
    found = unpack(half.text)
    traced = np.flatnonzero(np.diff(table.trace_start))
    assert len(half.text) <= whole // 2
    assert found["number"].tolist() == traced.tolist()
    assert "thinned" in half.notes[0]
    first, last = table.trace_start[traced], table.trace_start[traced + 1] - 1
    assert np.array_equal(found["objective"][found["start"][:-1]], table.trace[first, 1].astype(np.float32))
    assert np.array_equal(found["objective"][found["start"][1:] - 1], table.trace[last, 1].astype(np.float32))

    tiny = traces_block(analysis, whole // 30)
    kept = np.unique(table.instance[unpack(tiny.text)["number"]])
    assert len(tiny.text) <= whole // 30
    assert 0 < len(kept) < 100
    assert f"The traces of {100 - len(kept)} instances" in tiny.notes[-1]
    spread = np.ptp(analysis.cells.mean_gap, axis=1)
    assert spread[kept].min() >= np.delete(spread, kept).max()


def test_messages_of_failed_runs_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mixed(tmp_path / "runs.db", tmp_path) as store:
        other = json.dumps(["fine " * 14])  # it would fit alone
        store.connection.execute("UPDATE run SET messages = ? WHERE failure = 'none'", (other,))
        analysis = analyse(Table.load(store))
        monkeypatch.setattr(payload, "ALL_MESSAGES", len(MESSAGE) + 10)
        block = runs_block(analysis, [store])
        monkeypatch.setattr(payload, "LONGEST_MESSAGE", 9)
        short = unpack(runs_block(analysis, [store]).text)
    found = unpack(block.text)
    assert [found["messages"][m] for m in found["message"]] == [MESSAGE * int(f) for f in analysis.failed]
    assert block.notes == (
        f"The messages of {int((~analysis.failed).sum())} runs were left out to keep this file small.",
    )
    assert short["messages"][1] == MESSAGE[:9] + " \u2026"


def test_a_refuted_claim_says_why(tmp_path: Path) -> None:
    with mixed(tmp_path / "runs.db", tmp_path) as store:
        store.connection.execute("UPDATE run SET status = 'optimal' WHERE failure = 'none'")
        analysis = analyse(Table.load(store))
        found = unpack(runs_block(analysis, [store]).text)
    assert analysis.refuted.any()
    for r in np.flatnonzero(analysis.refuted):
        assert found["failed"][r] == 1
        assert "claims optimal" in found["messages"][found["message"][r]]


def test_a_tour_is_drawn_in_its_order() -> None:
    points = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 5.0]])
    instance = Tsp(metric=Metric(rule="EUC_2D", coordinates=points))
    picture = draw(Tour([2, 0, 1, 3]), instance)
    grid = drawing.GRID
    assert picture.form == "paths"
    assert picture.columns["x"].tolist() == [grid, 0, grid, 0]
    assert picture.columns["y"].tolist() == [0, grid // 2, grid // 2, 0]  # downwards
    assert picture.about == {
        "starts": [0, 4], "closed": True, "legs": "", "depot": [grid, 0], "extent": [grid, grid // 2]
    }  # fmt: skip


def test_routes_and_nodes_left_out_are_told_apart() -> None:
    cvrp = api.generate("cvrp", n=6)
    picture = draw(Routes(((3, 1), (), (2,), (4, 5, 6))), cvrp)
    assert picture.about["starts"] == [0, 2, 3, 6]
    assert picture.about["legs"] == "both"
    assert draw(Routes(((1,),)), api.generate("ovrp", n=6)).about["legs"] == "out"
    op = api.generate("op", n=6)
    picture = draw(Tour([0, 4, 2]), op)
    assert picture.about["starts"] == [3, 6]
    assert picture.label == "tour of 3 nodes, 3 left out"
    assert draw(Tour([0, 4, 2]), replace(op, end=2)).about["closed"] is False


def test_a_schedule_is_drawn_with_the_durations_of_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = api.generate("jobshop", n=3)
    operations = instance.operations  # type: ignore[attr-defined]
    schedule = operations.schedule(np.arange(len(operations)) * 1000, operations.machine)
    picture = draw(schedule, instance)
    assert picture.form == "bars"
    assert picture.columns["length"].tolist() == operations.duration.tolist()
    assert picture.columns["start"].tolist() == (np.arange(len(operations)) * 1000).tolist()
    assert picture.columns["job"].tolist() == operations.job.tolist()
    assert picture.about["makespan"] == (len(operations) - 1) * 1000 + operations.duration[-1]
    monkeypatch.setattr(drawing, "MOST_BARS", 2)
    with pytest.raises(NoPictureError, match="too many"):
        draw(schedule, instance)


def test_large_tours_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_POINTS", 10)
    picture = draw(Tour(np.arange(25)), api.generate("tsp", n=25))
    assert len(picture.columns["x"]) == 9
    assert picture.note == "One of 3 points is drawn."


def test_what_has_no_picture_says_so() -> None:
    matrix = Tsp(metric=Metric(rule="EXPLICIT", matrix=np.ones((3, 3), dtype=np.int64)))
    with pytest.raises(NoPictureError, match="coordinates"):
        draw(Tour([0, 1, 2]), matrix)
    with pytest.raises(NoPictureError, match="no picture"):
        draw(Selection([0]), api.generate("tsp", n=4))
    with pytest.raises(NoPictureError):
        draw(Schedule(((0,),), ((0,),)), api.generate("tsp", n=4))


def test_pictures_of_the_best_solutions(small: tuple[Store, Analysis]) -> None:
    store, analysis = small
    found = unpack(pictures_block(analysis, [store]).text)
    table = analysis.table
    assert [table.instances[about["instance"]].kind for about in found["list"]] == ["tsp", "cvrp", "jobshop"]
    assert found["reasons"] == [""]
    solutions = [run.solution for run in store.runs()]
    for about in found["list"]:
        own = np.flatnonzero(table.instance == about["instance"])
        assert table.objective[about["run"]] == np.nanmin(table.objective[own])
        begin, end = about["points"]
        assert end <= len(found["x" if about["form"] == "paths" else "start"])
        if about["form"] == "bars":
            schedule = solutions[about["run"]]
            assert isinstance(schedule, Schedule)
            assert found["start"][begin:end].tolist() == [s for job in schedule.start for s in job]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("gone", "could not be read again"),
        ("changed", "has changed"),
        ("origin", "could not be read again"),
        ("solution", "could not be read again"),
        ("none", "was not kept"),
        ("failed", "No run found a solution"),
        ("time", "left out"),
        ("room", "left out"),
        ("large", "too large"),
    ],
)
def test_a_missing_picture_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: str, reason: str
) -> None:
    with mixed(tmp_path / "runs.db", tmp_path) as store:
        execute = store.connection.execute
        if spoil == "gone":
            (tmp_path / "tsp.json").unlink()
        elif spoil == "changed":
            (tmp_path / "tsp.json").write_text("{}")
        elif spoil == "origin":
            execute("UPDATE instance SET origin = 'nonsense'")
        elif spoil in ("solution", "none"):
            execute("UPDATE run SET solution = ?", (b"zzz" if spoil == "solution" else None,))
        elif spoil == "failed":
            execute("UPDATE run SET failure = 'crash'")
        elif spoil == "large":
            monkeypatch.setattr(drawing, "LARGEST", 3)
        analysis = analyse(Table.load(store))
        limits = {"time": {"seconds": 0.0}, "room": {"limit": 0}}.get(spoil, {})
        block = pictures_block(analysis, [store], **limits)  # type: ignore[arg-type]
    found = unpack(block.text)
    tsp = [row.kind for row in analysis.table.instances].index("tsp")
    assert reason in found["reasons"][found["why"][tsp]]
    assert all(about["instance"] != tsp for about in found["list"])
    assert bool(block.notes) == (spoil in ("time", "room"))


def test_several_stores_make_one_page(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with mixed(tmp_path / "a" / "runs.db", tmp_path) as first, synthetic(tmp_path / "b.db", 6) as second:
        analysis = analyse(Table.load(first, second))
        found = unpack(runs_block(analysis, [first, second]).text)
        said = ["\n".join(run.messages) for store in (first, second) for run in store.runs()]
    assert [found["messages"][m] for m in found["message"]] == said


def test_a_store_without_runs_makes_a_page(tmp_path: Path) -> None:
    instance = api.generate("tsp", n=5)
    with Store(tmp_path / "runs.db") as store:
        text = page(analyse(Table.load(store)), [store])
        assert "0 runs" in text
        store.add_instance(InstanceRow.of(instance, ""), Reference(value=5))
        assert unpack(Elements(page(analyse(Table.load(store)), [store])).script("data"))["names"] == [instance.name]


def test_what_cannot_be_written_is_told(small: tuple[Store, Analysis], tmp_path: Path) -> None:
    store, analysis = small
    write_html(analysis, [store], tmp_path / "page.html", title="Here")
    assert "<h1>Here</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        write_html(analysis, [store], tmp_path / "no" / "page.html")
    assert caught.value.code == "E205"


@pytest.mark.parametrize("instances", [100, 1000])
def test_size_of_the_page(tmp_path: Path, instances: int) -> None:
    """Together with traces and pictures, which have their own limits, 100,000 runs make less than 10 megabytes."""
    with synthetic(tmp_path / "runs.db", instances) as store:
        analysis = analyse(Table.load(store))
        runs = runs_block(analysis, [store])
        traces = traces_block(analysis, 50 * analysis.table.runs)
    assert analysis.table.runs == 20 * instances
    assert len(runs.text) <= RUN_BYTES * analysis.table.runs
    assert len(traces.text) <= 50 * analysis.table.runs
    assert payload.TRACE_BYTES + drawing.PICTURE_BYTES + RUN_BYTES * 100_000 < 10_000_000
    found = unpack(runs.text)
    assert len(found["objective"]) == 20 * instances
    assert np.array_equal(found["objective"], analysis.table.objective, equal_nan=True)
