"""Solution files of mixed-integer programs: the writer, claims, and files as the solvers write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.formats import mip_solutions
from combopt.instances.mip import Mip, MipBuilder
from combopt.instances.solutions import Point
from combopt.instances.text import Source
from tests.malformed.mip_solutions import CBC, GLPK, HIGHS, SCIP, program

FORMATS = [
    mip_solutions.MIPLIB, mip_solutions.SCIP, mip_solutions.HIGHS, mip_solutions.CBC, mip_solutions.GLPK,
]  # fmt: skip


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    mip = program()
    point = Point(mip.columns, [1 / 3, 1e-300, 2.0**70])
    path = tmp_path / "a.sol"
    api.write_solution(point, mip, path)
    again = api.read_solution(path, mip)
    assert isinstance(again, Point)
    assert again == point


def test_zeros_are_left_out() -> None:
    text = mip_solutions.write(Point(program().columns, [1.0, 0.0, 0.0]), program())
    assert text == "=obj= 1\nx 1\n"


def test_names_in_another_order_are_written_all_the_same() -> None:
    text = mip_solutions.write(Point(("y", "x", "a b"), [2.0, 1.0, 0.0]), program())
    assert text == "=obj= 5\ny 2\nx 1\n"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("=obj= 5\nx 1\n", 5.0),
        ("# Objective value = 5.5e+00\nx 1\n", 5.5),
        (SCIP, 5.0),
        (HIGHS, 5.0),
        (CBC, 5.0),
        (GLPK, 5.0),
        (GLPK.replace("s mip 2 3 o 5", "s bas 2 3 f f -7.5"), -7.5),
        ("x 1\ny 2\n", None),
    ],
)
def test_claims_are_found(text: str, claim: float | None, tmp_path: Path) -> None:
    source = Source("a.sol", text)
    (found,) = [entry for entry in FORMATS if entry.sniff(source)]
    assert found.claim(source) == claim


@pytest.mark.parametrize(
    "text", ["5\n0 1 2 3 4\n", "Route #1: 1 2\nCost 5\n", "TYPE : TOUR\nTOUR_SECTION\n1\n", "1 0 1\n"]
)
def test_other_fields_solutions_are_not_recognised(text: str) -> None:
    assert not any(entry.sniff(Source("a.sol", text)) for entry in FORMATS)


def test_check_compares_the_claim(tmp_path: Path) -> None:
    path = tmp_path / "a.sol"
    path.write_text("=obj= 6\nx 1\ny 2\n")
    checked = api.check(program(), path)
    assert checked.evaluation.feasible
    assert not checked.claim_holds
    path.write_text("=obj= 5\nx 1\ny 2\n")
    assert api.check(program(), path).ok


def test_an_infeasible_file_is_read_and_judged(tmp_path: Path) -> None:
    path = tmp_path / "a.sol"
    path.write_text("x 3\ny 2\n")
    checked = api.check(program(), path)
    assert [v.constraint for v in checked.evaluation.violations] == ["row r0"]


def _knapsack() -> Mip:
    builder = MipBuilder(name="knapsack")
    for j in range(4):
        builder.column(f"x{j}", -(j + 1.0), 0, 3, 1)
    builder.row([(j, j + 2.0) for j in range(4)], upper=11.0)
    return builder.build()


def test_files_written_by_highs(tmp_path: Path) -> None:
    highspy = pytest.importorskip("highspy")
    mip = _knapsack()
    api.write(mip, tmp_path / "a.mps")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(tmp_path / "a.mps"))
    highs.run()
    highs.writeSolution(str(tmp_path / "a.sol"), 0)
    checked = api.check(mip, tmp_path / "a.sol")
    assert checked.ok
    assert checked.claimed == checked.evaluation.objective


def test_files_written_by_scip(tmp_path: Path) -> None:
    pyscipopt = pytest.importorskip("pyscipopt")
    mip = _knapsack()
    api.write(mip, tmp_path / "a.lp")
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(str(tmp_path / "a.lp"))
    model.optimize()
    model.writeBestSol(str(tmp_path / "a.sol"))
    checked = api.check(mip, tmp_path / "a.sol")
    assert checked.ok
    assert checked.claimed == pytest.approx(checked.evaluation.objective)


def test_many_values_are_read_soon() -> None:
    builder = MipBuilder()
    for j in range(50_000):
        builder.column(f"x{j}")
    mip = builder.build()
    text = "\n".join(f"x{j} {j / 7!r}" for j in range(50_000))
    point = mip_solutions.read_values(Source("a.sol", text), mip)
    assert isinstance(point, Point)
    assert np.array_equal(point.values, np.arange(50_000) / 7)
