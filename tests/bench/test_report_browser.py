"""The HTML report in a real browser: it draws, sorts, filters and pages, and asks nothing of any network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt.bench.analysis import Analysis, analyse
from combopt.bench.report.html import write_html
from combopt.bench.report.payload import DIGEST
from combopt.bench.table import Table
from tests.bench.browser import PALE_TEXTS, chromium, expect, visit
from tests.bench.report_stores import BROKEN, MARKUP, MESSAGE, SIZES, mixed, synthetic

pytestmark = pytest.mark.timeout(180)
PHONE = {"viewport": {"width": 375, "height": 800}}


@dataclass(frozen=True)
class Report:
    """A page and what it is made of."""

    file: Path
    analysis: Analysis

    def link(self, kind: str) -> str:
        row = next(row for row in self.analysis.table.instances if row.kind == kind)
        return f"#instance={row.digest[:DIGEST]}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def small(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("small")
    with mixed(folder / "runs.db", folder) as store:
        analysis = analyse(Table.load(store))
        write_html(analysis, [store], folder / "page.html", title="A <mixed> sweep")
    return Report(folder / "page.html", analysis)


@pytest.fixture(scope="module")
def large(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """30,000 runs of 1,500 instances."""
    folder = tmp_path_factory.mktemp("large")
    with synthetic(folder / "runs.db", 1500, points=5) as store:
        analysis = analyse(Table.load(store))
        write_html(analysis, [store], folder / "page.html")
    return Report(folder / "page.html", analysis)


def cells(page: Any, table: str, column: int) -> list[str]:
    """The texts of a column (from 0) of a table, as they stand there."""
    texts: list[str] = page.locator(f"#{table} tbody tr > :nth-child({column + 1})").all_inner_texts()
    return texts


def sort_by(page: Any, table: str, name: str) -> int:
    """Click on the head of a column; its position."""
    heads = page.locator(f"#{table} thead button")
    position = heads.all_inner_texts().index(name)
    heads.nth(position).click()
    return position


def test_the_page_is_quiet_and_stays_offline(browser: Any, small: Report) -> None:
    with visit(browser, small.file) as here:
        page = here.page
        assert page.title() == "A <mixed> sweep"
        assert page.locator("h1").inner_text() == "A <mixed> sweep"
        assert page.locator("#problem").is_hidden()
        assert page.locator(".curve").count() > 0
        for kind in ("#instances", *map(small.link, SIZES)):
            page.evaluate("hash => { location.hash = hash; }", kind)
            page.wait_for_timeout(50)
        assert page.locator("img").count() == 0
        assert page.evaluate("fetch('https://example.org/').then(() => 'reached', () => 'refused')") == "refused"
        assert [text for text in here.problems if "example.org" not in text and "Failed to fetch" not in text] == []
        assert {url.partition(":")[0] for url in here.requests} == {"file"}


def test_the_summary_shows_what_the_analysis_says(browser: Any, small: Report) -> None:
    with visit(browser, small.file) as here:
        names = [name.strip() for name in cells(here.page, "summary-table", 0)]
        assert names == [s.label for s in small.analysis.summaries]
        assert cells(here.page, "summary-table", 2) == [str(s.failed) for s in small.analysis.summaries]
        assert cells(here.page, "summary-table", 7) == [f"{100 * s.mean_gap:.2f}" for s in small.analysis.summaries]
        red = here.page.locator("#summary-table td.failed")
        assert red.all_inner_texts() == [str(s.failed) for s in small.analysis.summaries if s.failed]
        here.page.locator("#summary-tools input").fill("BET")
        expect(here.page.locator("#summary-table tbody tr")).to_have_count(1)
        assert cells(here.page, "summary-table", 0)[0].strip() == "beta"


def test_the_choice_of_a_kind_acts_on_everything(browser: Any, small: Report) -> None:
    with visit(browser, small.file) as here:
        here.page.locator("#kinds select").select_option("cvrp")
        part = small.analysis.for_kind("cvrp")
        assert cells(here.page, "summary-table", 1) == [str(s.runs) for s in part.summaries]
        assert cells(here.page, "summary-table", 7) == [f"{100 * s.mean_gap:.2f}" for s in part.summaries]
        assert set(cells(here.page, "instances-table", 1)) == {"cvrp"}
        assert set(cells(here.page, "runs-table", 1)) == {"cvrp"}
        assert here.page.locator("#runs-table tbody tr").count() == part.table.runs
        assert here.page.locator("#failures-table tbody tr").count() == int(part.failed.sum())
        pairs = here.page.locator("#pairs-table td.number").all_inner_texts()
        first = part.pairs("gap")[0]
        assert pairs[0].split("\n")[0] == "{} / {} / {}".format(*first.score)


def test_curves_of_all_configurations_can_be_hidden_and_read(browser: Any, small: Report) -> None:
    with visit(browser, small.file) as here:
        page = here.page
        assert page.locator("#course-chart .curve").count() == 3
        button = page.locator("#course-chart .legend button", has_text="beta")
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
        assert page.locator("#course-chart .curve").count() == 2
        page.locator("#course-chart .frame svg").focus()
        page.keyboard.press("End")
        curves = small.analysis.curves()
        last = curves.mean[small.analysis.table.configurations.index("alpha"), -1]
        shown = page.locator("#course-chart .legend button", has_text="alpha").locator("output").inner_text()
        assert shown == f"{100 * last:.2f} %"
        assert page.locator("#course-chart .readout").inner_text() == "At 10.00 s:"


def test_names_and_messages_are_shown_as_text(browser: Any, small: Report) -> None:
    with visit(browser, small.file) as here:
        assert MARKUP in cells(here.page, "instances-table", 0)
        assert set(cells(here.page, "failures-table", 4)) == {MESSAGE}
        assert BROKEN in cells(here.page, "runs-table", 2)
        assert cells(here.page, "findings-table", 0) == ["improved"]


def test_runs_sort_by_any_column(browser: Any, small: Report) -> None:
    table = small.analysis.table
    with visit(browser, small.file) as here:
        column = sort_by(here.page, "runs-table", "objective")
        expected = sorted(v for v in table.objective.tolist() if v == v)
        found = cells(here.page, "runs-table", column)
        missing = ["\u2013"] * (table.runs - len(expected))
        assert [float(text) for text in found[: len(expected)]] == expected
        assert found[len(expected) :] == missing
        sort_by(here.page, "runs-table", "objective")
        found = cells(here.page, "runs-table", column)
        assert [float(text) for text in found[: len(expected)]] == expected[::-1]
        assert found[len(expected) :] == missing
        head = here.page.locator("#runs-table th[aria-sort='descending']")
        assert head.inner_text().strip().startswith("objective")
        here.page.keyboard.press("Enter")  # the head kept the focus
        assert here.page.locator("#runs-table th[aria-sort='ascending']").count() == 1


@pytest.mark.parametrize(
    ("kind", "shapes", "count"),
    [("tsp", "polyline", 1), ("cvrp", "polyline", SIZES["cvrp"]), ("jobshop", "rect.bar", SIZES["jobshop"] ** 2)],
)
def test_an_instance_shows_its_best_solution(browser: Any, small: Report, kind: str, shapes: str, count: int) -> None:
    table = small.analysis.table
    instance = [row.kind for row in table.instances].index(kind)
    with visit(browser, small.file) as here:
        here.page.locator("#instances-table a", has_text=table.names[instance]).click()
        here.page.wait_for_selector("#instance[data-ready]")
        assert here.page.locator("#instance-name").inner_text() == table.names[instance]
        assert here.page.locator("#overview").is_hidden()
        assert here.page.locator(f"#picture {shapes}").count() == count
        assert here.page.locator("#convergence-chart .curve").count() == 4
        assert here.page.locator("#instance-best tbody tr").count() == 3
        assert here.page.locator("#instance-runs tbody tr").count() == 5
        found = np.nanmin(table.objective[table.instance == instance])
        assert f": {repr(float(found)).removesuffix('.0')}." in here.page.locator("#picture p").inner_text()
        here.page.go_back()
        assert here.page.locator("#overview").is_visible()
        assert here.problems == []


def test_a_tour_visits_every_point(browser: Any, small: Report) -> None:
    with visit(browser, small.file, small.link("tsp")) as here:
        here.page.wait_for_selector("#instance[data-ready]")
        points = here.page.locator("#picture polyline").get_attribute("points").split()
        assert len(points) == SIZES["tsp"] + 1
        assert points[0] == points[-1]
        assert len(set(points)) == SIZES["tsp"]


def test_a_kind_without_a_picture_has_none(browser: Any, small: Report) -> None:
    with visit(browser, small.file, small.link("mip")) as here:
        here.page.wait_for_selector("#instance[data-ready]")
        assert here.page.locator("#picture-part").is_hidden()
        facts = here.page.locator("#instance-facts").inner_text()
        assert "1000, best known (a table)" in facts
        here.page.locator("#convergence-tools select").select_option("gap")
        assert here.page.locator("#convergence-chart .curve").count() == 4


def test_an_unknown_instance_leads_back(browser: Any, small: Report) -> None:
    with visit(browser, small.file, "#instance=123456789abc") as here:
        assert here.page.locator("#overview").is_visible()
        assert here.problems == []


@pytest.mark.parametrize("fragment", ["", "tsp", "jobshop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling_and_text_can_be_read(
    browser: Any, small: Report, fragment: str, scheme: str
) -> None:
    link = small.link(fragment) if fragment else ""
    with visit(browser, small.file, link, color_scheme=scheme, **PHONE) as here:
        if fragment:
            here.page.wait_for_selector("#instance[data-ready]")
        assert here.page.evaluate("document.scrollingElement.scrollWidth") <= 375
        result = here.page.evaluate(PALE_TEXTS)
        assert result["count"] > 60
        assert result["pale"] == []
        assert here.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)"
        )


def test_print_shows_the_content_without_the_tools(browser: Any, small: Report) -> None:
    with visit(browser, small.file, color_scheme="dark") as here:
        here.page.emulate_media(media="print")
        assert here.page.locator("nav").is_hidden()
        assert here.page.locator("#runs-tools").is_hidden()
        assert here.page.locator("#summary-table").is_visible()
        assert here.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_everything_can_be_reached_by_keyboard(browser: Any, small: Report) -> None:
    with visit(browser, small.file) as here:
        here.page.keyboard.press("Tab")
        assert here.page.evaluate("document.activeElement.className") == "skip"
        seen = set()
        for _ in range(140):
            here.page.keyboard.press("Tab")
            seen.add(here.page.evaluate("document.activeElement.closest('section, nav, header')?.id ?? ''"))
        assert {"summary", "course", "pairs", "instances", "runs"} <= seen
        unnamed = here.page.evaluate(
            "[...document.querySelectorAll('button, input, select')].filter(e => !(e.getAttribute('aria-label')"
            " || e.textContent.trim() || e.closest('label'))).length"
        )
        assert unnamed == 0


def test_a_large_sweep_pages_sorts_and_filters(browser: Any, large: Report) -> None:
    analysis = large.analysis
    table = analysis.table
    with visit(browser, large.file) as here:
        page = here.page
        status = page.locator("#runs-table [role=status]")
        assert status.inner_text() == "1\u201350 of 30,000"
        page.locator("#runs-table [aria-label='next page']").click()
        assert status.inner_text() == "51\u2013100 of 30,000"
        assert cells(page, "runs-table", 0) == [table.names[i] for i in table.instance[50:100]]
        page.locator("#runs-table [aria-label='last page']").click()
        assert status.inner_text() == "29,951\u201330,000 of 30,000"
        page.locator("#runs-table [aria-label='rows on a page']").select_option("100")
        assert page.locator("#runs-table tbody tr").count() == 100

        column = sort_by(page, "runs-table", "gap %")
        expected = np.sort(analysis.gap)[:100]
        shown = [float(text.replace("<0.01", "0")) for text in cells(page, "runs-table", column)]
        assert np.allclose(shown, 100 * expected, atol=0.0051)
        sort_by(page, "runs-table", "gap %")
        assert set(cells(page, "runs-table", column)) == {"100.00"}
        failures = page.locator("#failures-table [role=status]").inner_text()
        assert failures == f"1\u201325 of {int((~analysis.answered).sum()):,}"

        outcome = page.locator("#runs-tools label", has_text="Runs").locator("select")
        unanswered = ~analysis.failed & ~analysis.answered
        for value, rows in (("good", analysis.answered), ("none", unanswered), ("failed", analysis.failed)):
            outcome.select_option(value)
            assert rows.any()
            assert status.inner_text().endswith(f"of {int(rows.sum()):,}")
        page.locator("#runs-tools label", has_text="Configuration").locator("select").select_option("solver3")
        chosen = table.configuration == table.configurations.index("solver3")
        assert f"of {int((chosen & analysis.failed).sum()):,}" in status.inner_text()
        outcome.select_option("all")
        page.locator("#runs-tools input").fill("KNAPSACK feasible")
        kinds = np.array([row.kind == "knapsack" for row in table.instances])[table.instance]
        wanted = f"of {int((chosen & kinds & analysis.answered).sum()):,}"
        expect(status).to_contain_text(wanted)
        assert here.problems == []


def test_the_matrix_of_a_large_sweep(browser: Any, large: Report) -> None:
    analysis = large.analysis
    over = analysis.cells
    with visit(browser, large.file) as here:
        page = here.page
        first = [f"{100 * gap:.2f}" for gap in over.mean_gap[0]]
        texts = page.locator("#instances-table tbody tr").first.locator("td.number").all_inner_texts()[1:]
        assert [text.split()[-1] for text in texts] == first
        assert ["\u2715" in text for text in texts] == (over.answered[0] < over.runs[0]).tolist()
        page.locator("#instances-tools select").select_option("objective")
        texts = page.locator("#instances-table tbody tr").first.locator("td.number").all_inner_texts()[1:]
        assert [float(text.split()[-1]) for text in texts] == over.best_objective[0].tolist()
        sort_by(page, "instances-table", "solver2")
        order = np.argsort(over.best_objective[:, 2], kind="stable")[:50]
        assert cells(page, "instances-table", 0) == [analysis.table.names[i] for i in order]
        page.locator("#instances-tools input").fill("mip-12")
        expect(page.locator("#instances-table tbody")).not_to_contain_text("tsp")
        assert set(cells(page, "instances-table", 1)) == {"mip"}
