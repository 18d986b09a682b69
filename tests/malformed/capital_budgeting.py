"""Capital budgeting files, malformed and odd."""

from __future__ import annotations

from combopt.instances.capital_budgeting import CapitalBudgeting
from tests.malformed.case import Case

GOOD = """7 2 3 5.75 9.5
4 7.5
0.8 1.5
0.5 0.25 0.25
1 0 0
0 1 0
0.25 0.25 0.5
"""


def _two(instance: CapitalBudgeting) -> None:
    assert instance.cost.tolist() == [4, 7.5]
    assert instance.profit.tolist() == [0.8, 1.5]
    assert instance.cost_factors.tolist() == [[0.5, 0.25, 0.25], [1, 0, 0]]
    assert instance.profit_factors.tolist() == [[0, 1, 0], [0.25, 0.25, 0.5]]
    assert (instance.budget, instance.stated_budget, instance.late) == (5, 5.75, 0.8)
    assert "5.75" in instance.conventions()[0]


def _untruncated(instance: CapitalBudgeting) -> None:
    assert (instance.budget, instance.stated_budget) == (5.75, 5.75)


CASES = [
    Case("good", "a.cb", GOOD, None, check=_two),
    Case("no-extension", "CB_n2", GOOD, None, check=_two),
    Case("crlf", "a.cb", GOOD.replace("\n", "\r\n"), None, check=_two),
    Case("old-mac-line-ends", "a.cb", GOOD.replace("\n", "\r"), None, check=_two),
    Case("blank-lines", "a.cb", GOOD.replace("\n", "\n\n"), None, check=_two),
    Case("budget-as-stated", "a.cb", GOOD, None, check=_untruncated, options={"rounding": "exact"}),
    Case("four-in-the-head", "a.cb", GOOD.replace(" 9.5\n", "\n"), "E123", 1),
    Case("no-projects", "a.cb", GOOD.replace("7 2 3", "7 0 3"), "E114", 1),
    Case("no-factors", "a.cb", GOOD.replace("7 2 3", "7 2 0"), "E114", 1),
    Case("huge-count", "a.cb", GOOD.replace("7 2 3", "7 20000000 3"), "E121", 1),
    Case("negative-budget", "a.cb", GOOD.replace("5.75", "-5.75"), "E114", 1),
    Case("infinite-budget", "a.cb", GOOD.replace("5.75", "1e300"), "E114", 1),
    Case("budget-no-number", "a.cb", GOOD.replace("5.75", "much"), "E113", 1),
    Case("a-cost-too-few", "a.cb", GOOD.replace("4 7.5", "4"), "E115", 2),
    Case("a-profit-too-many", "a.cb", GOOD.replace("0.8 1.5", "0.8 1.5 2"), "E115", 3),
    Case("negative-cost", "a.cb", GOOD.replace("4 7.5", "-4 7.5"), "E114", 0),
    Case("cost-no-number", "a.cb", GOOD.replace("4 7.5", "4 x"), "E113", 2),
    Case("row-of-phi-too-long", "a.cb", GOOD.replace("1 0 0", "1 0 0 0"), "E115", 5),
    Case("phi-beyond-two", "a.cb", GOOD.replace("1 0 0", "1 1 1"), "E114", 0),
    Case("nan-in-psi", "a.cb", GOOD.replace("0 1 0", "0 nan 0"), "E113", 6),
    Case("cut-off", "a.cb", GOOD.replace("0.25 0.25 0.5\n", ""), "E111", 6),
    Case("a-line-too-many", "a.cb", GOOD + "1 2 3\n", "E122", 8, lenient="E122", check=_two),
    Case("empty", "a.cb", "", "E106", 0),
]
