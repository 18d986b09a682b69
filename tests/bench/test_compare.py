"""Two sets of runs against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from combopt.bench.compare import Comparison, compare, side_by_side
from combopt.bench.runs import Failure
from combopt.errors import UsageError
from combopt.model import Sense
from tests.bench.tables import Sweep, random_sweep


def two(tmp_path) -> tuple[Sweep, Sweep]:
    """Four instances with a reference of 100; B is better on p and q, equal on r, and fails one of two seeds on s."""
    a, b = Sweep(tmp_path / "a.db"), Sweep(tmp_path / "b.db")
    for sweep, values in ((a, {"p": 125, "q": 200, "r": 100}), (b, {"p": 100, "q": 125, "r": 100})):
        for name, value in values.items():
            sweep.on(name, 100).run(name, "old", value, seconds=4 if sweep is a else 2)
    a.on("s", 100).run("s", "old", 100, seed=0, seconds=4).run("s", "old", 100, seed=1, seconds=4)
    b.on("s", 100).run("s", "old", 100, seed=0, seconds=2).run("s", "old", None, seed=1, failure=Failure.CRASH)
    a.run("s", "old", 100, seed=2)
    b.on("t", 100).run("t", "old", 100)
    return a, b


def one(results: tuple[Comparison, ...]) -> Comparison:
    (result,) = results
    return result


def test_gaps_by_hand(tmp_path):
    a, b = two(tmp_path)
    found = one(compare(a.table(), b.table()))
    assert (found.a, found.b, found.metric) == ("old", "old", "gap")
    # p, q, r with one seed, s with two; A alone has seed 2 of s, B alone has t
    assert (found.pairs, found.instances, found.only_a, found.only_b, found.compared) == (5, 4, 1, 1, 4)
    # gaps of A: 0.2, 0.5, 0, 0;  of B: 0, 0.2, 0, (0 + 1) / 2
    assert found.score == (2, 1, 1)
    mean_a = (0.201 * 0.501 * 0.001 * 0.001) ** 0.25 - 0.001
    mean_b = (0.001 * 0.201 * 0.001 * 0.501) ** 0.25 - 0.001
    assert (found.mean_a, found.mean_b) == pytest.approx((mean_a, mean_b))
    assert found.ratio.value == pytest.approx(mean_b / mean_a)
    assert [(c.instance, c.a, c.b) for c in found.improvements] == [("q", 0.5, 0.2), ("p", 0.2, 0)]
    assert [c.difference for c in found.improvements] == pytest.approx([-0.3, -0.2])
    assert [(c.instance, c.a, c.b, c.failed_a, c.failed_b) for c in found.regressions] == [("s", 0, 0.5, 0, 1)]
    assert found.failed_a == ()
    assert [(f.instance, f.seed, f.reason) for f in found.failed_b] == [("s", 1, "crash")]
    # differences -0.2, -0.3, 0, 0.5
    assert found.p == pytest.approx(stats.wilcoxon([-0.2, -0.3, 0, 0.5], zero_method="pratt").pvalue)


def test_seconds_by_hand(tmp_path):
    a, b = two(tmp_path)
    found = one(compare(a.table(), b.table(), metric="seconds"))
    # A: 4 everywhere.  B: 2, and on s the shifted geometric mean of 2 and the limit of 10.
    on_s = math.sqrt(3 * 11) - 1
    mean_b = (3 * 3 * 3 * (on_s + 1)) ** 0.25 - 1
    assert (found.mean_a, found.mean_b) == pytest.approx((4, mean_b))
    assert found.ratio.value == pytest.approx(mean_b / 4)
    assert found.score == (3, 0, 1)


def test_objectives_by_hand(tmp_path):
    a, b = two(tmp_path)
    found = one(compare(a.table(), b.table(), metric="objective"))
    # p: 100/125 = 0.8, q: 125/200 = 0.625, r and the seed of s that both solved: 1
    assert found.ratio.value == pytest.approx((0.8 * 0.625) ** 0.25)
    assert (found.score, found.compared) == ((2, 1, 1), 4)
    assert math.isnan(found.mean_a)
    # the failure is no objective, but it loses: as bad as a relative difference can be, on one of two seeds
    assert found.regressions[0].difference == pytest.approx(1.0)
    assert (found.regressions[0].b, found.regressions[0].failed_b) == (100, 1)


@pytest.mark.parametrize(("sense", "better"), [(Sense.MIN, False), (Sense.MAX, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_ratio_of_objectives_below_one_is_better_whatever_the_sense(tmp_path, sense, better, sign):
    a, b = (Sweep(tmp_path / f"{x}.db").on("x", sense=sense).on("y", sense=sense) for x in "ab")
    for name in "xy":
        a.run(name, "s", sign * 100)
        b.run(name, "s", sign * 200)
    found = one(compare(a.table(), b.table(), metric="objective"))
    if sign < 0:
        better = not better
    assert found.ratio.value == pytest.approx(0.5 if better else 2.0)
    assert found.score == ((2, 0, 0) if better else (0, 0, 2))


def test_objectives_of_other_signs_have_no_quotient_but_a_winner(tmp_path):
    a, b = (Sweep(tmp_path / f"{x}.db") for x in "ab")
    a.run("x", "s", 5).run("y", "s", 0)
    b.run("x", "s", -5).run("y", "s", 0)
    found = one(compare(a.table(), b.table(), metric="objective"))
    assert (found.compared, found.ratio.value, found.score) == (1, 1, (1, 1, 0))


def test_the_reference_is_the_best_of_both_sides(tmp_path):
    a = Sweep(tmp_path / "a.db").run("x", "s", 200)
    b = Sweep(tmp_path / "b.db").run("x", "s", 100)
    found = one(compare(a.table(), b.table()))
    assert (found.improvements[0].a, found.improvements[0].b) == (0.5, 0)


def test_a_claim_that_the_other_side_refutes_is_a_failure(tmp_path):
    a = Sweep(tmp_path / "a.db").run("x", "s", 100)
    b = Sweep(tmp_path / "b.db").run("x", "s", 120, bound=110)
    found = one(compare(a.table(), b.table()))
    assert found.failed_b[0].reason.startswith("claims a dual bound of 110, but 100 was found")
    assert "s (A)" in found.failed_b[0].reason


def test_two_labels_of_one_file(tmp_path):
    table = Sweep(tmp_path / "a.db").run("x", "s", 100).run("x", "t", 200).run("x", "u").table()
    found = one(compare(table, table, label_a="s", label_b="t"))
    assert (found.a, found.b, found.score) == ("s", "t", (0, 0, 1))
    unanswered = one(compare(table, table, label_a="s", label_b="u"))
    assert unanswered.failed_b[0].reason == "no answer: unknown"


def test_without_labels_equal_labels_are_compared(tmp_path):
    a = Sweep(tmp_path / "a.db").run("x", "s", 100).run("x", "t", 200).run("x", "only", 1)
    b = Sweep(tmp_path / "b.db").run("x", "t", 100).run("x", "s", 100)
    results = compare(a.table(), b.table())
    assert [(r.a, r.b, r.score) for r in results] == [("s", "s", (0, 1, 0)), ("t", "t", (1, 0, 0))]


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ({"label_a": "nobody"}, "A has no runs of 'nobody'"),
        ({"label_b": "nobody"}, "B has no runs of 'nobody'"),
        ({"label_a": "s", "label_b": "s"}, "the same runs"),
        ({"metric": "beauty"}, "no metric"),
        ({}, "not clear"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, labels, match):
    table = Sweep(tmp_path / "a.db").run("x", "s", 100).run("x", "t", 200).table()
    with pytest.raises(UsageError, match=match):
        compare(table, table, **labels)


def test_runs_without_partners_are_refused(tmp_path):
    a = Sweep(tmp_path / "a.db").run("x", "s", 1)
    b = Sweep(tmp_path / "b.db").run("x", "s", 1, seed=1)
    with pytest.raises(UsageError, match="same instance and seed"):
        compare(a.table(), b.table())


def test_the_same_runs_show_no_difference(tmp_path):
    sweep = random_sweep(tmp_path / "a.db", 3)
    a = sweep.table()
    sweep.path = tmp_path / "b.db"
    for metric in ("gap", "seconds", "integral", "objective"):
        for found in compare(a, sweep.table(), metric=metric):
            assert (found.score.wins, found.score.losses, found.p) == (0, 0, 1.0)
            assert tuple(found.ratio) == pytest.approx((1, 1, 1))
            assert (found.improvements, found.regressions) == ((), ())
            assert found.failed_a == found.failed_b


def test_turned_round_it_says_the_opposite(tmp_path):
    a, b = random_sweep(tmp_path / "a.db", 3).table(), random_sweep(tmp_path / "b.db", 4).table()
    for metric in ("gap", "seconds", "integral", "objective"):
        there, back = compare(a, b, metric=metric), compare(b, a, metric=metric)
        for x, y in zip(there, back, strict=True):
            assert x.score == y.score[::-1]
            assert x.ratio.value == pytest.approx(1 / y.ratio.value)
            assert x.ratio.low == pytest.approx(1 / y.ratio.high, rel=0.02)
            assert x.p == pytest.approx(y.p)
            assert [c.instance for c in x.improvements] == [c.instance for c in y.regressions]


def test_both_tables_keep_their_runs_side_by_side(tmp_path):
    a, b = random_sweep(tmp_path / "a.db", 3).table(), random_sweep(tmp_path / "b.db", 4, instances=8).table()
    both = side_by_side(a, b)
    assert both.runs == a.runs + b.runs
    assert both.configurations == ("a (A)", "b (A)", "c (A)", "a (B)", "b (B)", "c (B)")
    assert [row.name for row in both.instances] == [f"i{k}" for k in range(8)]
    for r in range(b.runs):
        assert both.instances[both.instance[a.runs + r]] == b.instances[b.instance[r]]
        assert np.array_equal(both.points(a.runs + r), b.points(r), equal_nan=True)
    assert both.store.tolist() == [0] * a.runs + [1] * b.runs


def test_the_bootstrap_follows_its_seed(tmp_path):
    a, b = random_sweep(tmp_path / "a.db", 3).table(), random_sweep(tmp_path / "b.db", 4).table()
    one, same, other = (compare(a, b, seed=seed)[0].ratio for seed in (1, 1, 2))
    assert one == same
    assert one.value == other.value
    assert (one.low, one.high) != (other.low, other.high)
