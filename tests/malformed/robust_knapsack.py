"""Files of robust knapsacks: Arslan and Detienne's, and JSON lines."""

from __future__ import annotations

import json

from combopt.instances.robust_knapsack import RobustKnapsack
from tests.malformed.case import Case

PLAIN = "3 20 1.5\n10 4 2 8 12\n12 5 3 9 15\n7 2 1 5 9\n"
LINE = {
    "name": "A", "n": 2, "C": 9.0, "Gamma": 1.5, "p_bar": [5.0, 6.0], "p_hat": [2.0, 3.0], "t": [1.0, 2.0],
    "c": [4.0, 5.0], "f": [6.0, 8.0],
}  # fmt: skip


def _three(found: RobustKnapsack) -> None:
    assert (found.capacity, found.budget, found.weight_scale) == (20, 1.5, 1)
    assert found.profit.tolist() == [10.0, 12.0, 7.0]
    assert found.deviation.tolist() == [4.0, 5.0, 2.0]
    assert found.repair.tolist() == [2, 3, 1]
    assert found.weight.tolist() == [8, 9, 5]
    assert found.outsourcing.tolist() == [12.0, 15.0, 9.0]


def _decimals(found: RobustKnapsack) -> None:
    assert (found.capacity, found.weight_scale) == (200, 10)
    assert found.weight.tolist() == [80, 95, 50]
    assert found.profit[0] == 10.25


def _line(found: RobustKnapsack) -> None:
    assert (found.name, found.capacity, found.budget) == ("A", 9, 1.5)
    assert (found.weight.tolist(), found.repair.tolist()) == ([4, 5], [1, 2])
    assert (found.profit.tolist(), found.deviation.tolist()) == ([5.0, 6.0], [2.0, 3.0])


def _lines(*changes: dict[str, object]) -> str:
    return "".join(json.dumps({**LINE, **change}) + "\n" for change in changes)


CASES = [
    Case("good", "a.rkp", PLAIN, None, check=_three),
    Case("robust-knapsack", "a.txt", PLAIN, None, check=_three),
    Case("no-suffix", "RKP_UN_n3_dev0.1_d0.5", PLAIN, None, check=_three),
    Case("crlf-and-tabs", "a.rkp", PLAIN.replace("\n", "\r\n").replace(" ", "\t"), None, check=_three),
    Case("decimals", "a.rkp", PLAIN.replace("9 15", "9.5 15").replace("10 4", "10.25 4"), None, check=_decimals),
    Case("no-items", "a.rkp", "0 20 1.5\n", "E114", 1),
    Case("count-is-no-number", "a.rkp", PLAIN.replace("3 20", "x 20"), "E113", 1),
    Case("huge-count", "a.rkp", PLAIN.replace("3 20", "300000000 20"), "E121", 1),
    Case("cut-off", "a.rkp", PLAIN.replace("7 2 1 5 9\n", ""), "E111", 3),
    Case("one-item-too-many", "a.rkp", PLAIN + "1 1 1 1 1\n", "E122", 5, lenient="E122", check=_three),
    Case("negative-weight", "a.rkp", PLAIN.replace("9 15", "-9 15"), "E114", 3),
    Case("negative-deviation", "a.rkp", PLAIN.replace("12 5", "12 -5"), "E114", 3),
    Case("negative-budget", "a.rkp", PLAIN.replace("20 1.5", "20 -1.5"), "E114", 1),
    Case("negative-capacity", "a.rkp", PLAIN.replace("3 20", "3 -20"), "E114", 1),
    Case("word-as-profit", "a.rkp", PLAIN.replace("7 2 1", "seven 2 1"), "E113", 4),
    Case("nan-as-cost", "a.rkp", PLAIN.replace("5 9\n", "5 nan\n"), "E113", 4),
    Case("one", "a.jsonl", _lines({}), None, check=_line),
    Case("blank-lines", "a.jsonl", "\n" + _lines({}) + "\n\n", None, check=_line),
    Case("several-and-none-chosen", "a.jsonl", _lines({}, {"name": "B"}), "E118", 0),
    Case("wrong-count", "a.jsonl", _lines({"n": 3}), "E115", 1),
    Case("lengths-differ", "a.jsonl", _lines({"f": [1.0]}), "E115", 1),
    Case("text-in-a-list", "a.jsonl", _lines({"c": [4.0, "5"]}), "E113", 1),
    Case("number-for-a-list", "a.jsonl", _lines({"c": 4.0}), "E123", 1),
    Case("fields-of-nothing", "a.jsonl", '{"name": "A"}\n', "E118", 1, options={"format": "robust_lines"}),
    Case("cut-off-line", "a.jsonl", _lines({})[:60], "E123", 1),
    Case("too-many-decimals", "a.jsonl", _lines({"c": [4.0000000001, 5.0]}), "E114", 1),
    Case("negative-deviation", "a.jsonl", _lines({"p_hat": [-1.0, 0.0]}), "E114", 1),
]
