"""OPB and WBO files, against plain enumeration of what they say."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.instances.formats.opb import OPB, read
from combopt.instances.mip import Mip
from combopt.instances.solutions import Point
from combopt.instances.text import Source
from tests.brute.mip import best

Term = tuple[int, list[tuple[int, bool]]]


def parsed(text: str) -> Mip:
    found = read(Source("a.opb", text))
    assert isinstance(found, Mip)
    return found


def _terms(rng: np.random.Generator, n: int, longest: int) -> list[Term]:
    found = []
    for _ in range(int(rng.integers(1, 4))):
        chosen = rng.choice(n, size=int(rng.integers(1, longest + 1)), replace=False).tolist()
        found.append((int(rng.integers(-5, 6)), [(j, bool(rng.random() < 0.3)) for j in chosen]))
    return found


def _text(terms: list[Term]) -> str:
    return " ".join(f"{c:+d} " + " ".join(f"{'~' * negated}x{j + 1}" for j, negated in lits) for c, lits in terms)


def _value(terms: list[Term], x: tuple[int, ...]) -> int:
    return sum(c * all(x[j] != negated for j, negated in lits) for c, lits in terms)


@pytest.mark.parametrize("seed", range(60))
def test_the_program_has_the_optimum_of_the_file(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 3
    longest = 1 if seed % 2 else 2
    goal = _terms(rng, n, longest)
    rows = [(_terms(rng, n, longest), str(rng.choice([">=", "=", "<="])), int(rng.integers(-3, 4))) for _ in range(2)]
    sense = "max" if rng.random() < 0.5 else "min"
    lines = [f"{sense}: {_text(goal)} ;", *(f"{_text(t)} {relation} {side} ;" for t, relation, side in rows)]
    test = {">=": int.__ge__, "=": int.__eq__, "<=": int.__le__}
    values = [
        _value(goal, x)
        for x in itertools.product((0, 1), repeat=n)
        if all(test[relation](_value(terms, x), side) for terms, relation, side in rows)
    ]
    expected = (max if sense == "max" else min)(values) if values else None
    assert best(parsed("\n".join(lines))) == expected


@pytest.mark.parametrize("seed", range(40))
def test_soft_constraints_cost_what_they_say(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    n = 3
    rows = [
        (_terms(rng, n, 1), str(rng.choice([">=", "="])), int(rng.integers(-2, 4)), int(rng.choice([0, 1, 2, 5])))
        for _ in range(4)
    ]
    top = None if seed % 2 else 6
    lines = [f"soft: {top or ''} ;"]
    lines += [f"{f'[{cost}] ' if cost else ''}{_text(t)} {relation} {side} ;" for t, relation, side, cost in rows]
    costs = []
    for x in itertools.product((0, 1), repeat=n):
        broken = [c for t, r, s, c in rows if not (_value(t, x) >= s if r == ">=" else _value(t, x) == s)]
        if 0 not in broken and (top is None or sum(broken) < top):
            costs.append(sum(broken))
    assert best(parsed("\n".join(lines))) == (min(costs) if costs else None)


def test_products_are_shared() -> None:
    mip = parsed("min: +1 x1 x2 -2 x2 x1 ;\n+1 x1 x2 >= 0 ;\n")
    assert mip.columns == ("x1", "x2", "and(x1,x2)")
    assert mip.cost.tolist() == [0, 0, -1]
    assert len(mip.rows) == 4


def test_products_are_told() -> None:
    source = Source("a.opb", "min: +1 x1 x2 ;\n+1 x1 >= 1 ;\n")
    read(source)
    assert [(w.code, w.place.line) for w in source.warnings] == [("E119", 1)]


def test_names_of_new_columns_do_not_collide() -> None:
    mip = parsed("soft: ;\n[1] +1 soft1 >= 1 ;\n[1] -1 soft1 >= 0 ;\n+1 x1 >= 0 ;\n")
    assert mip.columns == ("soft1", "soft1_", "soft2", "x1")


@pytest.mark.parametrize(
    "text",
    ["max: 3x+2y;\nc1: x<=4;\n", "* hello\nNAME\nROWS\n", "3 4\n1 2\n", "min: x;\n", "{};", "p cnf 3 2\n1 2 0\n"],
)
def test_other_files_are_not_recognised(text: str) -> None:
    assert not OPB.sniff(Source("a", text))


def test_benchmark_files(benchmark_files: Path) -> None:
    sizes = {
        "all_diff.opb": (16, 15, 0),
        "normalized-90_rounds_0_errors.opb.gz": (584, 427, 2406),
        "normalized-bsg_10_4_5.opb": (20, 31, 46),
        "normalized-mds_10_4_3.opb": (10, 10, 52),
        "normalized-mds_50_25_5.opb": (50, 50, 1464),
        "normalized-t2001.13queen13.1111218308.opb": (169, 101, 0),
        "small-max.opb": (4, 4, 0),
    }
    for name, (variables, constraints, products) in sizes.items():
        reading = api.read_with_warnings(benchmark_files / "kp" / "opb" / name)
        mip = reading.instance
        assert isinstance(mip, Mip)
        assert reading.format == "opb"
        made = [column for column in mip.columns if column.startswith("and(")]
        assert (len(mip.columns) - len(made), len(made)) == (variables, products)
        assert sum(not row.startswith("and(") for row in mip.rows) == constraints


def test_a_soft_benchmark_file(benchmark_files: Path) -> None:
    mip = api.read(benchmark_files / "kp" / "opb" / "normalized-t2001.13queen13.1110976730--soft-33-100-0.wbo")
    assert isinstance(mip, Mip)
    assert (len(mip.columns), len(mip.rows)) == (169 + 64, 101 + 1)
    assert mip.cost.sum() == 2924
    assert mip.row_upper[-1] == 2924
    assert mip.cost[:13].tolist() == [0] * 13


def test_the_first_benchmark_product_means_what_it_says(benchmark_files: Path) -> None:
    mip = api.read(benchmark_files / "kp" / "opb" / "normalized-mds_10_4_3.opb")
    assert isinstance(mip, Mip)
    x = {name: 1.0 for name in mip.columns if not name.startswith("and(")}
    for name in mip.columns:
        if name.startswith("and("):
            x[name] = float("~" not in name)
    point = Point(mip.columns, [x[name] for name in mip.columns])
    assert mip.evaluate(point).feasible  # everything chosen dominates everything
    assert mip.evaluate(point).objective == 10
