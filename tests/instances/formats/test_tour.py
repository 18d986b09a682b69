"""Tour files: round trips and claims."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import Tour, api
from combopt.instances.formats.tour import NODE_LIST, ROUTE_TOUR, TOUR, claim
from combopt.instances.text import Source
from combopt.instances.tsp import Tsp

INSTANCE = Tsp.generate(np.random.default_rng(1), n=25)
ORDER = np.random.default_rng(2).permutation(25)


@pytest.mark.parametrize("extension", ["tour", "sol", "cyc", "json"])
def test_written_tours_read_back_equal(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    api.write_solution(Tour(ORDER), INSTANCE, path)
    assert api.read_solution(path, INSTANCE) == Tour(ORDER)


def test_concorde_counts_from_0_after_the_number_of_nodes() -> None:
    assert NODE_LIST.write is not None
    lines = NODE_LIST.write(Tour(ORDER), INSTANCE).splitlines()
    assert lines[0] == "25"
    assert len(lines[1].split()) == 10
    assert lines[1].split()[0] == str(ORDER[0])


def test_the_length_is_claimed_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.tour"
    api.write_solution(Tour(ORDER), INSTANCE, path)
    assert api.check(INSTANCE, path).ok
    length = INSTANCE.evaluate(Tour(ORDER)).objective
    path.write_text(path.read_text().replace(f"Length = {length}", f"Length = {length - 1}"))
    found = api.check(INSTANCE, path)
    assert found.claimed == length - 1
    assert not found.ok


@pytest.mark.parametrize(
    ("comment", "value"),
    [
        ("COMMENT : Length = 2579", 2579),
        ("COMMENT: Length 12.5, found by LKH", 12.5),
        ("COMMENT : Optimum tour for eil101.tsp (Length 629)", 629),
        ("COMMENT : Optimal tour for kroC100 (20749)", None),
        ("NAME : Length = 3", None),
    ],
)
def test_what_counts_as_a_claim(comment: str, value: float | None) -> None:
    assert claim(Source("a.tour", f"{comment}\nTOUR_SECTION\n1\n-1\n")) == value


def test_the_cost_of_a_route_is_its_claim() -> None:
    assert ROUTE_TOUR.claim(Source("a.sol", "Route #1: 1 2\nCost: 50801\nOptimal: True\n")) == 50801


def test_each_form_is_recognised_by_one_format() -> None:
    texts = {"tour": "TOUR_SECTION\n1\n-1\n", "route_tour": "Route #1: 1 2\n", "node_list": " \n3\n0 1 2\n"}
    for name, text in texts.items():
        found = [entry.name for entry in (TOUR, ROUTE_TOUR, NODE_LIST) if entry.sniff(Source("x", text))]
        assert found == [name]


def test_a_list_of_floats_is_no_tour() -> None:
    assert not NODE_LIST.sniff(Source("a.sol", "3.5 1\n"))
