"""JSON instances and solutions, malformed and odd."""

from __future__ import annotations

import json

from combopt.instances.tsp import Tsp
from combopt.model import Solution
from tests.malformed.case import Case
from tests.solvers.fakes import GOOD, five_points, tour

DATA = five_points().to_dict()
GOOD_TEXT = json.dumps(DATA)
METRIC = DATA["metric"]
SOLUTION = json.dumps(tour(GOOD).to_dict())


def _with(**changes: object) -> str:
    return json.dumps({**DATA, **changes})


def _metric(**changes: object) -> str:
    return _with(metric={**METRIC, **changes})


def _five(instance: Tsp) -> None:
    assert instance == five_points()


def _good(solution: Solution) -> None:
    assert solution == tour(GOOD)


def _answer(name: str, text: str, code: str | None, line: int = 0) -> Case:
    return Case(name, "a.json", text, code, line, instance=five_points, check=_good if code is None else None)


CASES = [
    Case("good", "i.json", GOOD_TEXT, None, check=_five),
    Case("indented", "i.json", json.dumps(DATA, indent=1), None, check=_five),
    Case("bom", "i.json", b"\xef\xbb\xbf" + GOOD_TEXT.encode(), None, check=_five),
    Case("no-kind", "i.json", '{"name": "x"}', "E118"),
    Case("unknown-kind", "i.json", _with(kind="tps"), "E204"),
    Case("kind-is-a-number", "i.json", _with(kind=3), "E204"),
    Case("unknown-field", "i.json", _with(nodes=5), "E112"),
    Case("no-metric", "i.json", '{"kind": "tsp", "name": "x"}', "E118"),
    Case("metric-is-a-list", "i.json", _with(metric=[1]), "E123"),
    Case("name-is-a-number", "i.json", _with(name=3), "E123"),
    Case("unknown-rule", "i.json", _metric(rule="EUC_9D"), "E119"),
    Case("no-coordinates", "i.json", _metric(coordinates=None), "E118"),
    Case("ragged-coordinates", "i.json", _metric(coordinates=[[1, 2], [3]]), "E113"),
    Case("coordinates-in-space", "i.json", _metric(coordinates=[[1, 2, 3], [3, 4, 5]]), "E115"),
    Case("text-coordinates", "i.json", _metric(coordinates=[["a", 2], [3, 4]]), "E113"),
    Case("infinite-coordinates", "i.json", _metric(coordinates=[["inf", 2], [3, 4]]), "E114"),
    Case("coordinates-are-a-number", "i.json", _metric(coordinates=5), "E123"),
    Case("fixed-edge-to-nowhere", "i.json", _with(fixed_edges=[[0, 9]]), "E117"),
    Case("fixed-edge-of-three", "i.json", _with(fixed_edges=[[0, 1, 2]]), "E115"),
    Case("fixed-edge-half", "i.json", _with(fixed_edges=[[0, 1.5]]), "E113"),
    Case("nan", "i.json", GOOD_TEXT.replace("10.0", "NaN", 1), "E113"),
    Case("infinity", "i.json", GOOD_TEXT.replace("10.0", "Infinity", 1), "E113"),
    Case("cut", "i.json", GOOD_TEXT[:-5], "E123", 1),
    Case("cut-on-the-third-line", "i.json", "{\n\n 5", "E123", 3),
    Case("nested-too-deeply", "i.json", '{"kind": ' + "[" * 100000, "E123"),
    Case("trailing-comma", "i.json", '{"kind": "tsp",}', "E123", 1),
    Case("two-objects", "i.json", GOOD_TEXT + GOOD_TEXT, "E123", 1),
    Case("nul", "i.json", GOOD_TEXT.encode() + b"\0", "E105", 1),
    Case("empty", "i.json", "", "E106"),
    Case("blank", "i.json", " \n ", "E106"),
    _answer("good", SOLUTION, None),
    _answer("inside-a-result", json.dumps({"objective": 40, "solution": json.loads(SOLUTION)}), None),
    _answer("no-type", '{"order": [0]}', "E118"),
    _answer("unknown-type", '{"type": "trip", "order": [0]}', "E204"),
    _answer("no-order", '{"type": "tour"}', "E118"),
    _answer("half-a-node", '{"type": "tour", "order": [0, 1.5]}', "E113"),
    _answer("order-is-text", '{"type": "tour", "order": "012"}', "E123"),
    _answer("too-large", '{"type": "tour", "order": [99999999999999999999]}', "E113"),
    _answer("cut", SOLUTION[:-3], "E123", 1),
]
