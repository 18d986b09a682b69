"""The definitions, against values worked out by hand and against other implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from combopt.bench import metrics
from combopt.bench.metrics import Ratio, Score, Steps

NAN, INF = math.nan, math.inf


# --- gaps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "reference", "sign", "expected"),
    [
        (110, 100, 1, 0.1),  # (110 - 100) / 100
        (90, 100, 1, -0.1),  # better than the reference
        (90, 100, -1, 0.1),  # to be maximised: 10 too little
        (-90, -100, 1, 0.1),  # (-90 + 100) / |-100|
        (350, 100, 1, 2.5),
        (100, 100, -1, 0.0),
        (0, 0, 1, 0.0),
        (1e-9, 0, 1, 1.0),  # divided by the guard of 1e-9
    ],
)
def test_deviation(objective, reference, sign, expected):
    assert metrics.deviation(objective, reference, sign) == pytest.approx(expected)


def test_deviation_from_nothing_is_nan():
    assert np.isnan(metrics.deviation([NAN, 1.0], [1.0, NAN])).all()


@pytest.mark.parametrize(
    ("objective", "reference", "expected"),
    [
        (0, 0, 0),
        (7, 7, 0),
        (125, 100, 0.2),  # 25 / 125
        (100, 125, 0.2),  # 25 / 125: the larger of both divides, whichever it is
        (-125, -100, 0.2),
        (-1, 1, 1),  # signs differ
        (0, 5, 1),  # 5 / 5
        (5, 0, 1),
        (NAN, 5, 1),  # no solution
        (5, NAN, 1),
        (NAN, NAN, 1),
        (1e300, -1e300, 1),
    ],
)
def test_primal_gap(objective, reference, expected):
    assert metrics.primal_gap(objective, reference) == pytest.approx(expected)
    assert metrics.primal_dual_gap(objective, reference) == pytest.approx(expected)


FINITE = st.floats(-1e12, 1e12)


@given(FINITE, FINITE)
def test_the_primal_gap_is_symmetric_in_the_unit_interval_and_knows_no_sense(a, b):
    gap = metrics.primal_gap(a, b)
    assert 0 <= gap <= 1
    assert gap == metrics.primal_gap(b, a) == metrics.primal_gap(-a, -b)
    assert (gap == 0) == (a == b) or abs(a - b) < 1e-300


# --- step functions -------------------------------------------------------------------------------------------------


def test_primal_integral_of_three_points():
    # Reference 100, limit 10.  Incumbents: 200 at 1 s, 125 at 3 s, 100 at 6 s.
    # Gaps: 1 on [0, 1), 100/200 = 0.5 on [1, 3), 25/125 = 0.2 on [3, 6), 0 on [6, 10].
    # Integral: 1 * 1 + 2 * 0.5 + 3 * 0.2 + 4 * 0 = 2.6
    gaps = metrics.primal_gap(np.array([200.0, 125.0, 100.0]), 100.0)
    integral = metrics.step_integral(np.array([1.0, 3.0, 6.0]), gaps, np.array([0, 3]), np.array([10.0]))
    assert integral == pytest.approx([2.6])


def test_integrals_of_many_traces_at_once():
    seconds = np.array([0.0, 2.0, 4.0, 12.0])
    heights = np.array([0.5, 0.25, 0.1, 0.0])
    start = np.array([0, 2, 2, 4])
    limit = np.array([4.0, 7.0, 10.0])
    expected = [
        0.5 * 2 + 0.25 * 2,
        7.0,  # no point: 1 all the time
        4.0 + 0.1 * 6,  # the step at 12 s is after the limit of 10 s
    ]
    assert metrics.step_integral(seconds, heights, start, limit) == pytest.approx(expected)
    assert metrics.step_integral(seconds[:0], heights[:0], np.array([0]), limit[:0]).shape == (0,)


def test_an_integral_to_infinity_is_refused():
    with pytest.raises(ValueError, match="finite"):
        metrics.step_integral(np.zeros(0), np.zeros(0), np.array([0, 0]), np.array([INF]))


@st.composite
def traces(draw):
    """Times and falling gaps of a few traces; some are empty."""
    lists = []
    for _ in range(draw(st.integers(0, 5))):
        times = sorted(draw(st.lists(st.floats(0, 12), max_size=6)))
        gaps = sorted(draw(st.lists(st.floats(0, 1), min_size=len(times), max_size=len(times))), reverse=True)
        lists.append((times, gaps))
    return lists


def _flat(lists):
    start = np.cumsum([0] + [len(times) for times, _ in lists])
    join = [np.array([v for pair in lists for v in pair[k]], dtype=float) for k in (0, 1)]
    return join[0], join[1], start


def _value(times, gaps, t):
    """The step function at ``t``, from its definition."""
    return next((g for at, g in zip(times[::-1], gaps[::-1], strict=True) if at <= t), 1.0)


@given(traces(), st.floats(0.1, 11))
def test_integrals_agree_with_a_sum_over_all_breaks(lists, limit):
    seconds, gaps, start = _flat(lists)
    expected = []
    for times, heights in lists:
        breaks = sorted({0.0, limit, *(t for t in times if t < limit)})
        expected.append(sum((b - a) * _value(times, heights, a) for a, b in itertools.pairwise(breaks)))
    found = metrics.step_integral(seconds, gaps, start, np.full(len(lists), limit))
    assert found == pytest.approx(np.array(expected))


@given(traces(), st.floats(0, 1))
def test_first_times_and_gaps_over_time_agree_with_their_definitions(lists, eps):
    seconds, gaps, start = _flat(lists)
    first = metrics.first_time(seconds, gaps <= eps, start)
    expected = [next((t for t, g in zip(*pair, strict=True) if g <= eps), INF) for pair in lists]
    assert first.tolist() == expected
    grid = np.linspace(0, 12, 7)
    table = metrics.gaps_over_time(seconds, gaps, start, grid)
    assert table.tolist() == [[_value(*pair, t) for t in grid] for pair in lists]


# --- means ----------------------------------------------------------------------------------------------------------


def test_shifted_geometric_mean():
    # shift 10: sqrt((10 + 10) (30 + 10)) ... = sqrt(20 * 45) - 10 = 30 - 10 = 20
    assert metrics.shifted_geometric_mean([10, 35], 10) == pytest.approx(20)
    assert metrics.shifted_geometric_mean([0, 0], 1) == 0
    assert metrics.shifted_geometric_mean([1, INF], 1) == INF
    assert np.isnan(metrics.shifted_geometric_mean([], 1))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=9), st.floats(1e-3, 100))
def test_shifted_geometric_mean_is_that_of_the_formula(values, shift):
    expected = stats.gmean(np.array(values) + shift) - shift
    assert metrics.shifted_geometric_mean(values, shift) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_score_counts_signs():
    assert metrics.score(np.array([-1.0, -INF, 0.0, 2.0])) == Score(wins=2, ties=1, losses=1)


# --- distributions --------------------------------------------------------------------------------------------------


def test_profiles_of_three_solvers_on_four_problems():
    costs = np.array([
        [1.0, 2.0, 4.0],  # ratios 1, 2, 4
        [3.0, 3.0, INF],  # ratios 1, 1, never
        [INF, 5.0, 10.0],  # ratios never, 1, 2
        [INF, INF, INF],  # never, for all three
    ])  # fmt: skip
    a, b, c = metrics.performance_profiles(costs)
    assert (a.x.tolist(), a.y.tolist()) == ([1.0], [0.5])
    assert (b.x.tolist(), b.y.tolist()) == ([1.0, 2.0], [0.5, 0.75])
    assert (c.x.tolist(), c.y.tolist()) == ([2.0, 4.0], [0.25, 0.5])
    # continuous from the right: at a ratio of exactly 2 the problem counts
    assert b.at([0.99, 1.0, 1.999, 2.0, 1e9]).tolist() == [0.0, 0.5, 0.5, 0.75, 0.75]


def test_costs_below_the_floor_are_all_equal():
    a, b = metrics.performance_profiles(np.array([[0.0, 1e-6], [0.0, 0.02]]), floor=1e-4)
    assert a.x.tolist() == [1.0]
    assert b.x == pytest.approx([1.0, 200.0])
    (only,) = metrics.performance_profiles(np.array([[0.0]]))
    assert only.x.tolist() == [1.0]


def test_profiles_of_no_problems_are_empty():
    a, b = metrics.performance_profiles(np.zeros((0, 2)))
    assert a.at([1.0]).tolist() == b.at([1.0]).tolist() == [0.0]


def test_distribution_counts_what_never_happens():
    steps = metrics.distribution(np.array([3.0, 1.0, INF, 3.0]))
    assert (steps.x.tolist(), steps.y.tolist()) == ([1.0, 3.0], [0.25, 0.75])
    assert isinstance(steps, Steps)


@given(st.lists(st.lists(st.floats(0.1, 10), min_size=2, max_size=2), min_size=1, max_size=8), st.integers(0, 7))
def test_failing_never_lifts_a_profile(costs, where):
    before = np.array(costs)
    after = before.copy()
    after[where % len(costs), 0] = INF
    taus = np.geomspace(1, 200, 30)
    was, now = metrics.performance_profiles(before), metrics.performance_profiles(after)
    assert (now[0].at(taus) <= was[0].at(taus) + 1e-12).all()
    assert (now[1].at(taus) >= was[1].at(taus) - 1e-12).all()


# --- two configurations ---------------------------------------------------------------------------------------------


def _pairs(count, seed=3):
    rng = np.random.default_rng(seed)
    a = rng.lognormal(0, 1, count)
    return a, a * rng.lognormal(0.2, 0.4, count)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_interval_is_that_of_scipy(shift):
    a, b = _pairs(60)

    def ratio(x, y, axis=-1):
        return (stats.gmean(x + shift, axis=axis) - shift) / (stats.gmean(y + shift, axis=axis) - shift)

    theirs = stats.bootstrap(
        (a, b), ratio, paired=True, n_resamples=20000, method="percentile", vectorized=True,
        rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    ours = metrics.ratio_of_means(a, b, shift, weights=metrics.resampling(60, 20000))
    assert ours.value == pytest.approx(ratio(a, b))
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        a = rng.lognormal(0, 1, 40)
        b = a * rng.lognormal(0.3, 0.5, 40)
        ratio = metrics.ratio_of_means(b, a, 0.0, weights=metrics.resampling(40, 500))
        inside += ratio.low <= math.exp(0.3) <= ratio.high
    assert 0.90 <= inside / 300 <= 0.985


def test_ratios_at_the_edges():
    zero, one = np.zeros(3), np.ones(3)
    assert metrics.ratio_of_means(zero, zero, 1.0) == Ratio(1, 1, 1)
    assert metrics.ratio_of_means(zero, one, 1.0) == Ratio(0, 0, 0)
    assert metrics.ratio_of_means(one, zero, 1.0) == Ratio(INF, INF, INF)
    single = metrics.ratio_of_means(one[:1] * 2, one[:1], 1.0)
    assert single.value == pytest.approx(2)
    assert math.isnan(single.low)
    assert math.isnan(metrics.ratio_of_means(zero[:0], zero[:0], 1.0).value)


def test_resampling_is_the_same_for_the_same_seed():
    drawn = metrics.resampling(7, 50, seed=4)
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert np.array_equal(drawn, metrics.resampling(7, 50, seed=4))
    assert not np.array_equal(drawn, metrics.resampling(7, 50, seed=5))


def test_wilcoxon_is_that_of_scipy():
    a, b = _pairs(40)
    assert metrics.wilcoxon(a - b) == pytest.approx(stats.wilcoxon(a, b).pvalue)
    assert metrics.wilcoxon(b - a) == pytest.approx(metrics.wilcoxon(a - b))
    with_zeros = np.concatenate([a - b, np.zeros(30)])
    assert metrics.wilcoxon(with_zeros) == pytest.approx(stats.wilcoxon(with_zeros, zero_method="pratt").pvalue)


def test_wilcoxon_by_hand():
    # Four positive differences: of the 16 equally likely sign patterns one has a rank sum this large, and one this
    # small, so p = 2 / 16.
    assert metrics.wilcoxon(np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(0.125)
    assert metrics.wilcoxon(np.array([1.0, 2.0, 3.0, INF])) == pytest.approx(0.125)


def test_equal_pairs_show_no_difference():
    assert metrics.wilcoxon(np.zeros(5)) == 1.0
    assert math.isnan(metrics.wilcoxon(np.zeros(0)))
    assert 0 < metrics.wilcoxon(np.array([0.0, 1.0])) <= 1
