"""Runs scored, checked against each other and summed up: by hand, by pandas, and by what must not change."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from combopt.bench.analysis import Analysis, analyse
from combopt.bench.runs import Failure, Reference
from combopt.bench.table import Table
from combopt.errors import UsageError
from combopt.model import Sense
from combopt.result import Status
from tests.bench.tables import Sweep, random_sweep

INF = math.inf
OPTIMAL, INFEASIBLE, UNBOUNDED = Status.OPTIMAL, Status.INFEASIBLE, Status.UNBOUNDED


def example(path) -> Analysis:
    """Two configurations, one instance with a reference of 100, two seeds, a limit of 10 s."""
    sweep = Sweep(path).on("x", 100)
    sweep.run("x", "a", 100, seed=0, seconds=10, trace=[(1.0, 200), (3.0, 125), (6.0, 100)])
    sweep.run("x", "a", 125, seed=1, seconds=4, trace=[(2.0, 125)])
    sweep.run("x", "b", 101, seed=0, seconds=10, trace=[(0.0, 200), (5.0, 101)])
    sweep.run("x", "b", None, seed=1, seconds=0.5, failure=Failure.CRASH)
    return analyse(sweep.table())


# --- one run --------------------------------------------------------------------------------------------------------


def test_runs_are_scored(tmp_path):
    found = example(tmp_path / "r.db")
    assert found.best.tolist() == [100]
    # |125 - 100| / 125, |101 - 100| / 101, failed
    assert found.gap == pytest.approx([0, 0.2, 1 / 101, 1])
    # (125 - 100) / 100, (101 - 100) / 100, no answer
    assert found.deviation == pytest.approx([0, 0.25, 0.01, INF])
    # [0,1) 1, [1,3) 0.5, [3,6) 0.2, then 0: 1 + 1 + 0.6 = 2.6 of 10 s
    # [0,2) 1, then 0.2: 2 + 8 * 0.2 = 3.6; it ended at 4 s, but what it found stays
    # [0,5) 0.5, then 1/101: 2.5 + 5/101;  and a failure the whole 10 s
    assert found.integral == pytest.approx([0.26, 0.36, (2.5 + 5 / 101) / 10, 1])
    assert found.time.tolist() == [10, 4, 10, 10]
    assert found.time_to_best.tolist() == [6, 2, 5, INF]
    # the target is a gap of 0.01; 1/101 is below
    assert found.time_to_target.tolist() == [6, INF, 5, INF]
    assert found.time_to_proof.tolist() == [INF] * 4
    assert found.answered.tolist() == [True, True, True, False]


def test_configurations_are_summed_up(tmp_path):
    a, b = example(tmp_path / "r.db").summaries
    assert (a.label, a.runs, a.instances, a.failed, a.failures, a.unanswered) == ("a", 2, 1, 0, {}, 0)
    assert (a.mean_gap, a.median_gap, a.max_gap) == pytest.approx((0.1, 0.1, 0.2))
    assert a.deviation == pytest.approx(0.125)
    # sqrt((10 + 1) * (4 + 1)) - 1
    assert a.seconds == pytest.approx(math.sqrt(55) - 1)
    # sqrt((0 + 0.001) * (0.2 + 0.001)) - 0.001
    assert a.geometric_gap == pytest.approx(math.sqrt(0.001 * 0.201) - 0.001)
    assert a.integral == pytest.approx(0.31)
    assert (a.best, a.wins, a.unique_wins, a.reached, a.to_target) == (1, 1, 1, 1, INF)
    assert (b.failed, b.failures, b.best, b.wins) == (1, {Failure.CRASH: 1}, 0, 0)
    assert b.mean_gap == pytest.approx((1 / 101 + 1) / 2)
    assert b.deviation == INF
    # the crash after half a second counts with the limit of 10 s
    assert b.seconds == pytest.approx(10)


def test_cells_sum_up_the_seeds(tmp_path):
    cells = example(tmp_path / "r.db").cells
    assert cells.runs.tolist() == [[2, 2]]
    assert cells.answered.tolist() == [[2, 1]]
    assert cells.mean_gap[0] == pytest.approx([0.1, (1 + 1 / 101) / 2])
    assert cells.best_gap[0] == pytest.approx([0, 1 / 101])
    assert cells.worst_gap[0] == pytest.approx([0.2, 1])
    assert cells.std_gap[0] == pytest.approx([0.1, (1 - 1 / 101) / 2])
    assert cells.objective[0] == pytest.approx([112.5, 101])
    assert cells.best_objective[0].tolist() == [100, 101]
    assert cells.integral[0, 0] == pytest.approx(0.31)


def test_a_penalty_multiplies_the_limit_of_failures_alone(tmp_path):
    table = example(tmp_path / "r.db").table
    assert analyse(table, penalty=10).time.tolist() == [10, 4, 10, 100]


@pytest.mark.parametrize("arguments", [{"target": 1.0}, {"target": -0.1}, {"penalty": 0.5}, {"target": math.nan}])
def test_senseless_parameters_are_refused(tmp_path, arguments):
    with pytest.raises(UsageError, match="E201"):
        analyse(example(tmp_path / "r.db").table, **arguments)


def test_a_run_without_solution_is_no_failure_but_has_no_answer(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a", 5).run("x", "b", None, seconds=0.1)
    found = analyse(sweep.table())
    assert (found.failed.tolist(), found.answered.tolist()) == ([False, False], [True, False])
    assert (found.gap.tolist(), found.time.tolist()) == ([0, 1], [1, 10])
    assert [s.unanswered for s in found.summaries] == [0, 1]


def test_a_run_with_an_answer_that_failed_counts_as_failed(tmp_path):
    sweep = Sweep(tmp_path / "r.db")
    for label, failure in zip("uwcel", list(Failure)[1:], strict=True):
        sweep.run("x", label, 5, failure=failure, seconds=11, trace=[(0.0, 5)])
    sweep.run("x", "fine", 6)
    found = analyse(sweep.table())
    # what it had found was checked, so it is the best known all the same
    assert found.best.tolist() == [5]
    assert found.gap == pytest.approx([1, 1, 1, 1, 1, 1 / 6])
    assert found.integral[:5].tolist() == [1] * 5
    assert found.time.tolist() == [11] * 5 + [1]
    assert not np.isfinite(found.time_to_target[:5]).any()
    assert [list(s.failures) for s in found.summaries] == [[f] for f in list(Failure)[1:]] + [[]]
    assert [s.best for s in found.summaries] == [0] * 6
    assert found.curves([10.0]).mean[:5].tolist() == [[1]] * 5
    assert found.profile("gap").steps[0].at([1e9]).tolist() == [0]


def test_without_a_limit_the_longest_run_is_the_horizon(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a", 5, limit=INF, seconds=8, trace=[(2.0, 5)])
    sweep.run("x", "b", None, limit=INF, seconds=3)
    found = analyse(sweep.table())
    assert found.horizon.tolist() == [8, 8]
    assert found.integral.tolist() == [0.25, 1]
    assert found.time.tolist() == [8, 8]


def test_an_answer_that_no_trace_shows_counts_from_the_end_of_the_run(tmp_path):
    found = analyse(Sweep(tmp_path / "r.db").run("x", "a", 5, seconds=4).table())
    assert (found.integral.tolist(), found.time_to_best.tolist()) == ([0.4], [4])


def test_a_proof_that_there_is_no_solution_is_an_answer(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a", status=INFEASIBLE, seconds=2).run("x", "b")
    sweep.run("y", "a", status=UNBOUNDED, seconds=2).run("y", "b")
    found = analyse(sweep.table())
    assert found.answered.tolist() == [True, False, True, False]
    assert found.gap.tolist() == [0, 1, 0, 1]
    assert found.deviation.tolist() == [0, INF, 0, INF]
    assert found.integral.tolist() == [0.2, 1, 0.2, 1]
    assert found.time_to_proof.tolist() == [2, INF, 2, INF]
    assert found.time_to_best.tolist() == [2, INF, 2, INF]
    assert [s.optimal for s in found.summaries] == [2, 0]


# --- runs against each other ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sense", "claim", "other", "refuted"),
    [
        (Sense.MIN, 101, 100, True),
        (Sense.MIN, 100, 101, False),
        (Sense.MAX, 100, 101, True),
        (Sense.MAX, 101, 100, False),
        (Sense.MIN, 10**9 + 1, 10**9, True),  # integers: exactly
        (Sense.MIN, 1e9 + 1.5, 1e9 + 0.5, False),  # 1 part in 10^9 is within the tolerance of 10^-6
        (Sense.MIN, 1.00001, 1.0, True),
        (Sense.MIN, 1.0000005, 1.0, False),
        (Sense.MIN, -100, -101, True),
        (Sense.MAX, -101, -100, True),
    ],
)
def test_a_claim_of_optimality_falls_to_a_better_solution(tmp_path, sense, claim, other, refuted):
    sweep = Sweep(tmp_path / "r.db").on("x", sense=sense)
    sweep.run("x", "a", claim, status=OPTIMAL).run("x", "b", other)
    found = analyse(sweep.table())
    assert found.refuted.tolist() == [refuted, False]
    assert found.failed.tolist() == [refuted, False]
    assert found.optimal.tolist() == [not refuted, False]
    assert list(found.reasons) == ([0] if refuted else [])
    if refuted:
        assert "claims optimal" in found.reasons[0]
        assert "b with seed 0" in found.reasons[0]
        assert found.summaries[0].failures == {Failure.WRONG: 1}
        assert found.gap[0] == 1


@pytest.mark.parametrize(
    ("sense", "bound", "other", "refuted"),
    [
        (Sense.MIN, 101, 100, True),
        (Sense.MIN, 100, 100, False),
        (Sense.MAX, 99, 100, True),
        (Sense.MAX, 100, 100, False),
        (Sense.MIN, 10**9 + 1, 10**9, True),
        (Sense.MIN, 1e9 + 1.5, 10**9, False),  # no integer, so within the tolerance
        (Sense.MIN, 100.00001, 100, False),
        (Sense.MIN, 100.001, 100, True),
    ],
)
def test_a_dual_bound_falls_to_a_solution_beyond_it(tmp_path, sense, bound, other, refuted):
    sweep = Sweep(tmp_path / "r.db").on("x", sense=sense)
    found = analyse(sweep.run("x", "a", None, bound=bound).run("x", "b", other).table())
    assert found.refuted.tolist() == [refuted, False]
    if refuted:
        assert "dual bound" in found.reasons[0]


def test_a_claim_of_infeasibility_falls_to_a_solution(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a", status=INFEASIBLE).run("x", "b", 7, failure=Failure.CRASH)
    found = analyse(sweep.table())
    # the solution was checked, whatever became of the run that found it
    assert found.refuted.tolist() == [True, False]
    assert "claims infeasible, but 7 was found" in found.reasons[0]


def test_claims_of_one_instance_do_not_touch_another(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a", 101, status=OPTIMAL).run("y", "b", 100)
    assert not analyse(sweep.table()).refuted.any()


def test_a_best_known_value_that_is_beaten_is_replaced_and_told(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on("x", 100).run("x", "a", 90).run("x", "b", 100)
    sweep.on("y", 100, sense=Sense.MAX).run("y", "a", 110).run("y", "b", 100)
    sweep.on("z", 100).run("z", "a", 101).run("z", "b", 100)
    found = analyse(sweep.table())
    assert found.best.tolist() == [90, 110, 100]
    assert found.gap[:4] == pytest.approx([0, 0.1, 0, 10 / 110])
    assert [(f.instance, f.run, f.reference, f.found) for f in found.improved] == [(0, 0, 100, 90), (1, 2, 100, 110)]
    assert "x: 90 was found and checked, better than 100, best known" in found.improved[0].text
    assert found.contradicted == ()


def test_a_rounded_reference_is_not_called_beaten(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on("x", 1637.7).run("x", "a", 1637.6995)
    found = analyse(sweep.table())
    assert (found.improved, found.best.tolist(), found.gap.tolist()) == ((), [1637.6995], [0])


def test_a_proven_reference_that_is_beaten_is_a_contradiction(tmp_path):
    found = analyse(Sweep(tmp_path / "r.db").on("x", 100, proven=True).run("x", "a", 99).table())
    assert [f.instance for f in found.contradicted] == [0]
    assert "called optimal" in found.contradicted[0].text
    assert found.improved == ()
    assert not found.failed.any()


def test_claims_against_a_reference_are_disputed_not_refuted(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on("x", 100)
    sweep.run("x", "a", 101, status=OPTIMAL).run("x", "b", 110, bound=105).run("x", "c", 101)
    sweep.on("y", 100).run("y", "a", status=INFEASIBLE).run("y", "b", 100, status=OPTIMAL)
    sweep.on("z", 100).run("z", "a", status=INFEASIBLE).on("w", 100).run("w", "b", 110, bound=105)
    found = analyse(sweep.table())
    # b's bound of 105 on x lies beyond the 101 that was found, and y has a solution: these are refuted instead
    assert found.refuted.tolist() == [False, True, False, True, False, False, False]
    assert found.failed.tolist() == found.refuted.tolist()
    assert [(f.instance, f.run, f.reference) for f in found.disputed] == [(0, 0, 100), (2, 5, 100), (3, 6, 100)]
    texts = [f.text for f in found.disputed]
    assert "x: a with seed 0 claims optimal at 101, but 100 is the reference" in texts[0]
    assert "claims infeasible, but" in texts[1]
    assert "claims a dual bound of 105, but" in texts[2]
    # a solution is said to exist, so claiming that there is none is no answer
    assert not found.answered[5]


# --- summaries ------------------------------------------------------------------------------------------------------


def frame(found: Analysis):
    import pandas as pd

    table = found.table
    return pd.DataFrame(
        {
            "instance": table.instance, "configuration": table.configuration, "seed": table.seed, "gap": found.gap,
            "integral": found.integral, "time": found.time, "objective": table.objective, "failed": found.failed,
            "answered": found.answered, "target": found.time_to_target,
        }
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_summaries_and_cells_agree_with_pandas(tmp_path, seed):
    pytest.importorskip("pandas")
    found = analyse(random_sweep(tmp_path / "r.db", seed).table())
    data = frame(found)
    groups = data.groupby("configuration")
    rows = found.summaries
    assert [r.runs for r in rows] == groups.size().tolist()
    assert [r.failed for r in rows] == groups.failed.sum().tolist()
    assert [r.unanswered for r in rows] == (~data.answered & ~data.failed).groupby(data.configuration).sum().tolist()
    assert [r.mean_gap for r in rows] == pytest.approx(groups.gap.mean().tolist())
    assert [r.median_gap for r in rows] == pytest.approx(groups.gap.median().tolist())
    assert [r.max_gap for r in rows] == groups.gap.max().tolist()
    assert [r.integral for r in rows] == pytest.approx(groups.integral.mean().tolist())
    assert [r.seconds for r in rows] == pytest.approx(
        groups.time.apply(lambda t: np.exp(np.log(t + 1).mean()) - 1).tolist()
    )
    assert [r.reached for r in rows] == groups.target.apply(lambda t: int(np.isfinite(t).sum())).tolist()
    cells = data.groupby(["instance", "configuration"])
    assert found.cells.mean_gap == pytest.approx(cells.gap.mean().unstack().to_numpy())
    assert found.cells.worst_gap == pytest.approx(cells.gap.max().unstack().to_numpy())
    assert found.cells.best_gap == pytest.approx(cells.gap.min().unstack().to_numpy())
    assert found.cells.std_gap == pytest.approx(cells.gap.std(ddof=0).unstack().to_numpy())
    means = data[data.answered].groupby(["instance", "configuration"]).objective.mean().unstack()
    index = range(len(found.table.instances))
    assert found.cells.objective == pytest.approx(means.reindex(index=index, columns=range(3)).to_numpy(), nan_ok=True)
    least = cells.gap.mean().unstack().min(axis=1)
    winners = cells.gap.mean().unstack().sub(least, axis=0).abs() < 1e-9
    winners &= cells.answered.sum().unstack() > 0
    assert [r.wins for r in rows] == winners.sum().tolist()
    assert [r.unique_wins for r in rows] == winners[winners.sum(axis=1) == 1].sum().tolist()


@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_with_a_plain_loop(tmp_path, seed):
    """Gap, integral and times of every run once more, run by run and without arrays."""
    table = random_sweep(tmp_path / "r.db", seed).table()
    found = analyse(table, target=0.05)
    for r in range(table.runs):
        k = table.instance[r]
        sign = 1 if table.instances[k].sense is Sense.MIN else -1
        values = [sign * v for v in table.objective[table.instance == k] if not math.isnan(v)]
        reference = table.references[k]
        values += [sign * reference.value] if reference else []
        best = min(values)
        failed = table.failure[r] != 0 or math.isnan(table.objective[r])
        steps = [(0.0, 1.0)]
        for at, value, _ in table.points(r).tolist():
            steps.append((at, abs(sign * value - best) / max(abs(value), abs(best))))
        ends = [at for at, _ in steps[1:]] + [10.0]
        integral = sum((end - at) * gap for (at, gap), end in zip(steps, ends, strict=True)) / 10
        target = next((at for at, gap in steps if gap <= 0.05), INF)
        assert found.gap[r] == pytest.approx(1.0 if failed else steps[-1][1])
        assert found.integral[r] == pytest.approx(1.0 if failed else integral)
        assert found.time_to_target[r] == (INF if failed else target)
        assert found.time[r] == (10.0 if failed else table.seconds[r])


def test_pairs_profiles_and_curves_of_the_example(tmp_path):
    found = example(tmp_path / "r.db")
    (pair,) = found.pairs()
    assert (pair.a, pair.b, pair.instances, pair.score) == (0, 1, 1, (1, 0, 0))
    gap_b = (1 / 101 + 1) / 2
    assert pair.ratio.value == pytest.approx(0.1 / gap_b)
    # problems: seed 0 and seed 1.  Gaps 0 (floor 1e-4) and 1/101; 0.2 and never.
    profile = found.profile("gap")
    assert (profile.configurations, profile.problems) == ((0, 1), 2)
    assert profile.steps[0].at([1.0]).tolist() == [1.0]
    assert profile.steps[1].x == pytest.approx([1 / 101 / 1e-4])
    assert profile.steps[1].y.tolist() == [0.5]
    # times to the target: 6 and 5 on seed 0, never on seed 1
    a, b = found.profile("target").steps
    assert (a.x.tolist(), a.y.tolist(), b.x.tolist()) == ([1.2], [0.5], [1.0])
    curves = found.curves([0.0, 2.0, 5.0])
    # a at 2 s: 0.5 and 0.2; at 5 s: 0.2 and 0.2.  b at 0 s: 0.5 and (failed) 1
    assert curves.mean[0] == pytest.approx([1, 0.35, 0.2])
    assert curves.mean[1] == pytest.approx([0.75, 0.75, (1 + 1 / 101) / 2])
    assert curves.median[0] == pytest.approx([1, 0.35, 0.2])
    a, b = found.runtime_distributions()
    assert (a.x.tolist(), a.y.tolist(), b.x.tolist(), b.y.tolist()) == ([6.0], [0.5], [5.0], [0.5])


def test_default_times_of_curves_end_at_the_longest_limit(tmp_path):
    times = example(tmp_path / "r.db").curves().times
    assert (len(times), times[0], times[-1]) == (61, pytest.approx(0.01), pytest.approx(10))


def test_all_equal_is_no_difference(tmp_path):
    sweep = Sweep(tmp_path / "r.db")
    for name in "uvwxyz":
        sweep.run(name, "a", 5, seconds=2).run(name, "b", 5, seconds=2)
    found = analyse(sweep.table())
    for measure in ("gap", "seconds", "integral"):
        (pair,) = found.pairs(measure)
        assert (pair.score, pair.p) == ((0, 6, 0), 1.0)
        assert tuple(pair.ratio) == pytest.approx((1, 1, 1))
    assert [(s.wins, s.unique_wins) for s in found.summaries] == [(6, 0), (6, 0)]


def test_nobody_wins_where_all_fail_or_only_one_ran(tmp_path):
    sweep = Sweep(tmp_path / "r.db").run("x", "a").run("x", "b").run("y", "a", 5)
    found = analyse(sweep.table())
    assert [s.wins for s in found.summaries] == [0, 0]
    assert not found.complete


def test_a_sweep_that_is_not_finished_compares_like_with_like(tmp_path):
    sweep = Sweep(tmp_path / "r.db").on("x", 100).on("y", 100)
    sweep.run("x", "a", 100).run("x", "b", 100).run("y", "a", 200)
    found = analyse(sweep.table())
    assert not found.complete
    assert found.pairs()[0].instances == 1
    assert found.pairs()[0].score == (0, 1, 0)
    assert found.profile().problems == 1


def test_kinds_are_analysed_apart(tmp_path):
    found = analyse(random_sweep(tmp_path / "r.db", 4).table())
    assert found.kinds == ("mip", "tsp")
    parts = [found.for_kind(kind) for kind in found.kinds]
    for c in range(3):
        assert sum(part.summaries[c].runs for part in parts) == found.summaries[c].runs
        assert sum(part.summaries[c].wins for part in parts) == found.summaries[c].wins
        assert sum(part.summaries[c].mean_gap * part.summaries[c].runs for part in parts) == pytest.approx(
            found.summaries[c].mean_gap * found.summaries[c].runs
        )
    assert parts[0].for_kind("mip") is parts[0]


def test_names_that_are_no_measures_are_refused(tmp_path):
    found = example(tmp_path / "r.db")
    for call in (found.values, found.pairs, found.profile):
        with pytest.raises(UsageError, match="nonsense"):
            call("nonsense")


def test_no_runs_at_all(tmp_path):
    found = analyse(Sweep(tmp_path / "r.db").on("x", 1).table())
    assert (found.summaries, found.pairs(), found.complete, found.kinds) == ((), (), True, ())
    assert found.profile().problems == 0
    assert found.curves().mean.shape == (0, 61)
    assert found.runtime_distributions() == ()


# --- what must not change -------------------------------------------------------------------------------------------


def facts(found: Analysis) -> dict[str, object]:
    """All summaries and pairs by label."""
    labels = found.table.configurations
    rows: dict[str, object] = {s.label: replace(s, configuration=0) for s in found.summaries}
    for measure in ("gap", "seconds", "integral"):
        for pair in found.pairs(measure):
            a, b = labels[pair.a], labels[pair.b]
            if a > b:
                a, b = b, a
                rows[f"{measure} {a} {b}"] = (*pair.score[::-1], round(1 / pair.ratio.value, 9), round(pair.p, 9))
            else:
                rows[f"{measure} {a} {b}"] = (*pair.score, round(pair.ratio.value, 9), round(pair.p, 9))
    return rows


def rounded(rows: dict[str, object]) -> dict[str, object]:
    def fix(value):
        return round(value, 9) if isinstance(value, float) else value

    return {
        k: {n: fix(x) for n, x in vars(v).items()} if hasattr(v, "__dict__") else v for k, v in rows.items()
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_runs_changes_nothing(tmp_path, seed):
    sweep = random_sweep(tmp_path / "r.db", seed)
    before = rounded(facts(analyse(sweep.table())))
    np.random.default_rng(seed).shuffle(sweep.runs)
    assert rounded(facts(analyse(sweep.table()))) == before


@pytest.mark.parametrize("seed", range(3))
def test_other_labels_change_nothing_but_the_labels(tmp_path, seed):
    sweep = random_sweep(tmp_path / "r.db", seed)
    before = rounded(facts(analyse(sweep.table())))
    other = {"a": "z", "b": "y", "c": "x"}
    sweep.runs = [
        replace(run, label=other[run.label], key=replace(run.key, solver=other[run.label])) for run in sweep.runs
    ]
    after = rounded(facts(analyse(sweep.table())))
    for label, new in other.items():
        assert {**after[new], "label": label} == before[label]
    assert after["gap y z"] == (*before["gap a b"][2::-1], *(x for x in after["gap y z"][3:]))
    assert after["gap y z"][3] == pytest.approx(1 / before["gap a b"][3], rel=1e-6)
    assert after["gap y z"][4] == before["gap a b"][4]


def negated(table: Table) -> Table:
    """The same problems, told with the opposite sense."""
    flip = {Sense.MIN: Sense.MAX, Sense.MAX: Sense.MIN}
    return replace(
        table,
        instances=tuple(replace(row, sense=flip[row.sense]) for row in table.instances),
        references=tuple(r and Reference(value=-r.value, proven=r.proven) for r in table.references),
        objective=-table.objective,
        bound=-table.bound,
        trace=table.trace * np.array([1, -1, -1]),
    )


@pytest.mark.parametrize("seed", range(3))
def test_maximising_the_negative_is_the_same(tmp_path, seed):
    table = random_sweep(tmp_path / "r.db", seed).table()
    before, after = analyse(table), analyse(negated(table))
    assert facts(after) == facts(before)
    assert np.array_equal(after.integral, before.integral)
    assert np.array_equal(after.best, -before.best, equal_nan=True)
    assert [f.instance for f in after.improved] == [f.instance for f in before.improved]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("lost", [True, False])
def test_failing_never_makes_a_configuration_look_better(tmp_path, seed, lost):
    """With a reference that nobody beats, every run that fails makes every number worse or leaves it.

    Whether what it had found is ``lost`` or kept.
    """
    table = random_sweep(tmp_path / "r.db", seed).table()
    signs = table.signs()
    firm = replace(table, references=tuple(Reference(value=int(1000 - s)) for s in signs))
    before = analyse(firm)
    for r in np.flatnonzero(before.answered & (table.configuration == 0))[:8]:
        failure = table.failure.copy()
        failure[r] = list(Failure).index(Failure.CRASH)
        objective = table.objective.copy()
        if lost:
            objective[r] = np.nan
        after = analyse(replace(firm, failure=failure, objective=objective))
        was, now = before.summaries[0], after.summaries[0]
        costs = "failed mean_gap median_gap max_gap geometric_gap deviation seconds integral to_target"
        for name in costs.split():
            assert getattr(now, name) >= getattr(was, name) - 1e-12, name
        for name in ("optimal", "best", "wins", "unique_wins", "reached"):
            assert getattr(now, name) <= getattr(was, name), name
        for measure in ("gap", "seconds", "integral"):
            for then, later in zip(before.pairs(measure)[:2], after.pairs(measure)[:2], strict=True):
                assert later.ratio.value >= then.ratio.value - 1e-12
                assert later.score.wins <= then.score.wins
                assert later.score.losses >= then.score.losses
        for measure in ("gap", "target"):
            taus = np.geomspace(1, 1e5, 40)
            shares = [a.profile(measure).steps[0].at(taus) for a in (before, after)]
            assert (shares[1] <= shares[0] + 1e-12).all()
        curves = before.curves(), after.curves()
        assert (curves[1].mean[0] >= curves[0].mean[0] - 1e-12).all()
