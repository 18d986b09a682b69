"""Errors, budgets, JSON, the registry: the words everyone speaks."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest

from combopt import registry, serial
from combopt.budget import Budget
from combopt.errors import CODES, InputError, MissingExtraError, Place, UsageError
from combopt.instances.solutions import Assignment, Point, Routes, Schedule, Selection, Tour
from combopt.model import Sense, Solution, Violation, frozen_array
from combopt.result import InstanceInfo, Result, Status, StoppedBy, TracePoint, relative_gap

SOLUTIONS: list[Solution] = [
    Tour([2, 0, 1]),
    Routes(((1, 2), (), (3,))),
    Selection([5, 1]),
    Assignment([0, 0, 1]),
    Schedule(((0, 3), (1,)), ((0, 1), (1,))),
    Point(("x", "y"), [1.5, -0.1]),
]


def result(**changes: object) -> Result:
    fields: dict[str, object] = {
        "status": Status.FEASIBLE,
        "stopped_by": StoppedBy.TIME,
        "instance": InstanceInfo("a280", "tsp", "00ff", {"nodes": 280}, ("rounded",)),
        "sense": Sense.MIN,
        "solution": Tour([0, 1, 2]),
        "objective": 2**70,
        "bound": 0.1,
        "seconds": 1.25,
        "solver": "fast_tsp",
        "version": "0.2.2",
        "options": {"opening": 0.05, "name": "x", "flag": True, "none": None},
        "seed": 3,
        "threads": 2,
        "trace": (TracePoint(0.1, None, 0.1), TracePoint(0.2, 2**70, 0.1)),
        "violations": (Violation("row 1", 0.5, "is exceeded"),),
        "messages": ("a word",),
        **changes,
    }
    return Result(**fields)  # type: ignore[arg-type]


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = InputError("E113", "'x' as a demand", place=Place("a.vrp", 7), expected="a number", remedy="Mend it.")
    assert str(error) == "a.vrp:7: 'x' as a demand [E113]\n  expected: a number\n  remedy: Mend it."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_missing_extra_names_the_command() -> None:
    error = pickle.loads(pickle.dumps(MissingExtraError("elkai", "lkh")))
    assert "pip install 'combopt[lkh]'" in str(error)
    assert error.exit_code == 2


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(ValueError, match="E999"):
        InputError("E999", "anything")


def test_every_code_stands_in_the_index() -> None:
    index = (Path(__file__).parent.parent / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"| {code} |" not in index] == []


@pytest.mark.parametrize(
    "fields",
    [{"time_limit": 0}, {"time_limit": -1}, {"time_limit": math.nan}, {"gap": -0.1}, {"gap": math.inf}, {"seed": -1},
     {"seed": 2**31}, {"threads": 0}, {"memory": 0}, {"iterations": 0}, {"device": "tpu"}, {"target": math.nan}],
)  # fmt: skip
def test_budgets_are_checked(fields: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(fields))):
        Budget(**fields)  # type: ignore[arg-type]


def test_cores_default_to_those_of_the_process() -> None:
    assert Budget().cores >= 1
    assert Budget(threads=3).cores == 3


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda s: s.type)
def test_solutions_survive_json(solution: Solution) -> None:
    again = Solution.from_dict(solution.to_dict())
    assert again == solution
    assert hash(again) == hash(solution)
    assert type(again) is type(solution)


@pytest.mark.parametrize(
    "changes",
    [{}, {"solution": None, "objective": None, "bound": None}, {"bound": -math.inf}, {"objective": 0.1 + 0.2}],
)
def test_results_survive_json(changes: dict[str, object]) -> None:
    one = result(**changes)
    assert Result.from_json(one.to_json()) == one


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "combopt.result/1"}', "nonsense", '{"schema": "x"}'])
def test_other_json_is_no_result(text: str) -> None:
    with pytest.raises(InputError):
        Result.from_json(text)


@pytest.mark.parametrize(
    ("solution", "status", "stopped_by", "code"),
    [
        (Tour([0]), Status.FEASIBLE, StoppedBy.CRASH, 0),
        (None, Status.UNKNOWN, StoppedBy.TIME, 1),
        (None, Status.INFEASIBLE, StoppedBy.PROOF, 4),
        (None, Status.UNBOUNDED, StoppedBy.PROOF, 4),
        (None, Status.UNKNOWN, StoppedBy.CRASH, 5),
    ],
)
def test_exit_codes(solution: Solution | None, status: Status, stopped_by: StoppedBy, code: int) -> None:
    assert result(solution=solution, status=status, stopped_by=stopped_by).exit_code == code


def test_every_status_and_reason_has_a_sentence() -> None:
    for member in (*Status, *StoppedBy):
        assert member.sentence.endswith(".")


def test_gap_is_relative_to_the_objective() -> None:
    assert relative_gap(200, 150) == 0.25
    assert relative_gap(-200, -250) == 0.25
    assert relative_gap(0, 0) == 0
    assert relative_gap(None, 1) is None


def test_an_unknown_name_gets_its_neighbours() -> None:
    with pytest.raises(UsageError, match=r"Maybe .*nearest_neighbour"):
        registry.SOLVERS.load("nearest_neighbor")


def test_digests_tell_data_apart() -> None:
    assert serial.digest("a", Tour([1, 2])) == serial.digest("a", Tour([1, 2]))
    assert serial.digest("a", Tour([1, 2])) != serial.digest("a", Tour([2, 1]))
    assert serial.digest("a", Routes(((1, 2), (3,)))) != serial.digest("a", Routes(((1,), (2, 3))))


@pytest.mark.parametrize(
    "values", [[0.5], ["x"], [[1], [2, 3]], [math.nan], [2**64], [None], [1e300], [True, "a"], {"a": 1}]
)
def test_integer_arrays_refuse_everything_else(values: object) -> None:
    with pytest.raises(InputError):
        frozen_array(values, np.int64, (None,), "values")


def test_integer_arrays_take_whole_floats() -> None:
    assert frozen_array([1.0, 2.0], np.int64, (2,), "values").tolist() == [1, 2]
    assert frozen_array([], np.int64, (None, 2), "values").shape == (0, 2)


def test_objects_without_a_json_form_are_refused() -> None:
    with pytest.raises(TypeError):
        serial.encode(object())
