"""Options of balans: presets, files, single values over both, functions by name; every mistake is one clear error."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from combopt import api
from combopt.errors import CombOptError, InputError, SolverError, UsageError
from combopt.result import Result, StoppedBy
from combopt.solvers.balans.arms import size_of
from combopt.solvers.balans.neighbourhoods import NAMES, Ranked, operators
from combopt.solvers.balans.options import load_rank, make_reward
from combopt.solvers.balans.presets import PRESETS
from combopt.solvers.balans.solver import Balans
from combopt.solvers.balans.space import MipNeighbourhood, MipSpace
from combopt.solvers.lns.acceptance import AbsoluteAnnealing, make_acceptance
from combopt.solvers.lns.bandits import SoftmaxDirichlet, Thompson
from combopt.solvers.lns.engine import Found, State
from combopt.solvers.lns.loop import listed
from combopt.solvers.lns.rewards import Gain, Outcome, Scores
from tests.solvers import programs
from tests.solvers.balans.test_balans import multi_knapsack, solve

HERE = "tests.solvers.balans.ranks"


def make(**options: Any) -> Balans:
    solver = api.make_solver("balans", options)
    assert isinstance(solver, Balans)
    return solver


def test_without_options_all_fields_have_their_defaults() -> None:
    assert make().options() == {f.name: f.default for f in dataclasses.fields(Balans)}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_set_what_they_say(preset: str) -> None:
    solver = make(preset=preset)
    assert {name: getattr(solver, name) for name in PRESETS[preset]} == dict(PRESETS[preset])
    assert solver.preset == preset
    assert all(size_of(name) or name == "differences" for name in listed(solver.operators))


def test_the_published_numbers_stand_in_the_presets() -> None:
    default, hard, easy = (make(preset=f"balans-{name}") for name in ("default", "miplib", "dmiplib"))
    assert len(listed(default.operators)) == 10
    assert len(listed(hard.operators)) == len(listed(easy.operators)) == 16
    bandit = default.bandit(2)
    assert isinstance(bandit, SoftmaxDirichlet)
    assert bandit.temperature * 8 == pytest.approx(1.359686)
    assert isinstance(hard.bandit(2), Thompson)
    assert easy.bandit(2).__dict__["temperature"] * 3 == pytest.approx(2.0)
    assert [make_reward(default.scores).of(outcome, 1.0, 1.0) * 8 for outcome in Outcome] == [8, 4, 2, 1, 2]
    assert [make_reward(easy.scores).of(outcome, 1.0, 1.0) * 3 for outcome in Outcome] == [3, 2, 1, 0, 1]
    assert [make_reward(hard.scores).of(outcome, 1.0, 1.0) for outcome in Outcome] == [1, 1, 0, 0, 0]
    assert (default.first_limit, default.step_limit, default.step_limit * default.local_branching_patience) == (
        10, 12, 15)  # fmt: skip
    assert (easy.first_limit, easy.step_limit, easy.step_limit * easy.local_branching_patience) == (20, 60, 150)
    rule = make_acceptance("absolute_annealing", start=20, end=1, step=0.1)
    assert isinstance(rule, AbsoluteAnnealing)
    rng = np.random.default_rng(0)
    for _ in range(300):
        rule.accepts(5.0, 5.0, 5.0, 0.5, rng)
    assert rule.temperature == 1


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_run_and_repeat_themselves(preset: str) -> None:
    mip = multi_knapsack(n=25, rows=4)
    one, two = (solve(mip, iterations=15, seed=2, options={"preset": preset}) for _ in range(2))

    def account(result: Result) -> list[dict[str, object]]:
        return [{k: v for k, v in step.items() if k != "seconds"} for step in result.steps]

    assert account(one) == account(two)
    assert {s["searcher"] for s in one.steps} == {"scip"}
    assert {s["operator"] for s in one.steps} <= set(listed(make(preset=preset).operators))
    assert all(s["size"] in (size_of(s["operator"]), 0.0) for s in one.steps)


def test_a_preset_alone_has_no_plain_solver_beside_it_and_ends_in_time() -> None:
    mip = multi_knapsack(n=200, rows=20, seed=3)
    options = {"preset": "balans-default", "first_limit": 0.5, "step_limit": 0.4}
    result = api.solve(mip, "balans", time_limit=4.0, threads=1, isolate=False, options=options)
    assert result.seconds < 4.5
    assert not [s for s in result.steps if s["operator"].startswith("run_")]
    branching = [s["cost"] for s in result.steps if s["operator"].startswith("local_branching")]
    assert max(branching, default=0) < 1.25 * 0.4 + 0.3
    assert result.steps


def test_single_options_override_a_preset_even_with_the_value_of_the_default() -> None:
    assert make(preset="balans-default", policy="thompson", policy_settings="").policy == Balans().policy
    assert make(preset="balans-miplib", backends="highs", discount="0.9").discount == 0.9


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        make(preset="balans-best")
    assert "balans-best" in caught.value.found
    assert all(name in caught.value.expected for name in PRESETS)


def test_options_make_the_same_solver_again() -> None:
    solver = make(preset="balans-dmiplib", step_limit="3")
    assert Balans(**solver.options()) == solver
    assert dataclasses.replace(solver, step_limit=4.0).operators == solver.operators
    assert pickle.loads(pickle.dumps(solver)) == solver


def test_a_file_overrides_a_preset_and_is_overridden(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text('preset = "balans-default"\nstep_limit = 3\npolicy_settings = "temperature=0.5"\ntry_all = true\n')
    solver = make(options_file=str(path), policy_settings="temperature=0.25")
    assert solver.preset == "balans-default"
    assert solver.operators == PRESETS["balans-default"]["operators"]
    assert (solver.step_limit, solver.try_all, solver.policy_settings) == (3.0, True, "temperature=0.25")
    assert isinstance(solver.step_limit, float)
    path.unlink()
    assert Balans(**solver.options()) == solver  # the file is not needed any more


@pytest.mark.parametrize(
    ("text", "code", "line", "word"),
    [
        ('policy = "ucb1"\npolicies = "ucb1"\n', "E112", 2, "policies"),
        ("\nsize = true\n", "E123", 2, "size"),
        ('size = "large"\n', "E123", 1, "large"),
        ("discount = 0.9\nsize =\n", "E123", 2, "not TOML"),
        ("[balans]\nsize = 0.2\n", "E112", 1, "balans"),
        ('inside = "slow"\n', "E123", 1, "slow"),
        ('options_file = "b.toml"\n', "E112", 1, "options_file"),
    ],
)
def test_mistakes_in_a_file_are_told_with_their_line(
    tmp_path: Path, text: str, code: str, line: int, word: str
) -> None:
    path = tmp_path / "options.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        make(options_file=str(path))
    assert caught.value.code == code
    assert caught.value.place is not None
    assert (caught.value.place.path, caught.value.place.line) == (str(path), line)
    assert word in caught.value.found
    if code == "E112":
        assert "operators" in caught.value.expected


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E101"):
        make(options_file=str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"operators": "mutation,nothing"}, "nothing"),
        ({"operators": "mutation_5"}, "mutation_5"),
        ({"operators": "mutation_00"}, "mutation_00"),
        ({"operators": "crossover_50"}, "crossover_50"),
        ({"operators": "learned"}, "learned"),
        ({"policy_settings": "temperature"}, "temperature"),
        ({"policy_settings": "alpha=high", "policy": "ucb1"}, "high"),
        ({"policy_settings": "alpha=1"}, "alpha"),
        ({"acceptance_settings": "start=1"}, "hill_climbing"),
        ({"scores": "8, 4, 2"}, "8, 4, 2"),
        ({"scores": "8, 4, 2, x"}, "x"),
        ({"scores": "0, 0, 0, 0"}, "0, 0, 0, 0"),
        ({"first_limit": -1.0}, "first_limit"),
        ({"local_branching_patience": 0.0}, "patience"),
        ({"option": 1}, "option"),
    ],
)
def test_options_that_fit_nothing_are_refused_before_anything_runs(options: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(**options)
    assert word in caught.value.found


def test_every_operator_may_be_asked_for() -> None:
    table = operators(MipSpace(programs.knapsack()), lambda: None)
    assert set(NAMES) == {name for name in table if not name.startswith("run_")}
    make(operators=",".join(NAMES))


def test_scores_or_the_gain() -> None:
    assert isinstance(make_reward(""), Gain)
    four, five = make_reward("4, 2, 1, 0"), make_reward("4, 2, 1, 0, 1")
    assert isinstance(four, Scores)
    assert [reward.of(Outcome.NOTHING, 1.0, 1.0) for reward in (four, five)] == [0.0, 0.25]


def test_sizes_in_names() -> None:
    sizes = {"mutation_25": 0.25, "rins_05": 0.05, "local_branching_50": 0.5, "rens_005": 0.005, "proximity_005": 0.05,
             "proximity_030": 0.3, "proximity_10": 1.0}  # fmt: skip
    assert {name: size_of(name) for name in sizes} == pytest.approx(sizes)
    assert [size_of(n) for n in ("mutation", "mutation_5", "graph_50", "proximity_50", "rins_00")] == [None] * 5


def test_learned_frees_what_the_function_ranks_first() -> None:
    mip = multi_knapsack(n=20)
    space, now = MipSpace(mip), np.zeros(20)
    operator = Ranked("learned", space, load_rank(f"{HERE}:last_first"))
    state = State(Found(now, 0.0), Found(now, 0.0), [])
    built = operator.build(state, 0.25, np.random.default_rng(0))
    assert isinstance(built, MipNeighbourhood)
    assert np.flatnonzero(built.free).tolist() == [15, 16, 17, 18, 19]
    assert Ranked("learned", space, load_rank(f"{HERE}:silent")).build(state, 0.25, np.random.default_rng(0)) is None


def test_a_rank_adds_the_operator_learned() -> None:
    result = solve(multi_knapsack(n=25), iterations=6, options={
        "operators": "mutation", "backends": "scip", "rank": f"{HERE}:last_first"})  # fmt: skip
    assert {s["operator"] for s in result.steps} == {"mutation", "learned"}


@pytest.mark.parametrize(
    ("rank", "word"),
    [
        ("nowhere.at_all:rank", "ModuleNotFoundError"),
        (f"{HERE}:missing", "missing"),
        (f"{HERE}:NUMBER", "no function"),
        (HERE, HERE),
        (":last_first", ":last_first"),
    ],
)
def test_a_function_that_cannot_be_had_is_one_clear_error(rank: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        make(rank=rank)
    assert word in caught.value.found
    assert "package.module:function" in caught.value.expected
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "word"), [("short", "shape (2,)"), ("undefined", "no numbers"), ("broken", "ZeroDivisionError")]
)
def test_a_function_that_fails_is_one_clear_error(function: str, word: str) -> None:
    options = {"operators": "", "backends": "scip", "rank": f"{HERE}:{function}"}
    with pytest.raises(SolverError) as caught:
        solve(multi_knapsack(n=25), iterations=3, options=options)
    assert word in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_function_that_fails_in_a_process_of_its_own_leaves_the_solution_and_a_message() -> None:
    options = {"operators": "", "backends": "scip", "rank": f"{HERE}:short"}
    result = solve(multi_knapsack(n=25), iterations=3, isolate=True, options=options)
    assert result.stopped_by is StoppedBy.CRASH
    assert result.objective is not None
    assert len(result.messages) == 1
    assert "shape (2,)" in result.messages[0]


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(CombOptError, match="operators"):
        solve(multi_knapsack(n=25), iterations=3, options={"operators": ""})
