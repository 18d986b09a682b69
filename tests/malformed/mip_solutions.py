"""Solution files of mixed-integer programs, malformed and odd."""
# ruff: noqa: E501 (one case a line reads best)

from __future__ import annotations

from collections.abc import Callable

from combopt.instances.mip import Mip, MipBuilder
from combopt.instances.solutions import Point
from tests.malformed.case import Case


def program() -> Mip:
    builder = MipBuilder(name="small")
    x, y, _ = builder.column("x", 1.0), builder.column("y", 2.0), builder.column("a b")
    builder.row([(x, 1.0), (y, 1.0)], upper=4.0)
    return builder.build()


def holds(*values: float) -> Callable[[Point], None]:
    def check(point: Point) -> None:
        assert point.names == ("x", "y", "a b")
        assert point.values.tolist() == list(values)

    return check


def ok(name: str, text: str, *values: float) -> Case:
    return Case(name, "a.sol", text, None, check=holds(*values), instance=program)


def bad(name: str, text: str, code: str, line: int) -> Case:
    return Case(name, "a.sol", text, code, line, instance=program)


SCIP = """solution status: optimal solution found
objective value:                                    5
x                                                   1 \t(obj:1)
y                                                   2 \t(obj:2)
"""
HIGHS = """Model status
Optimal

# Primal solution values
Feasible
Objective 5
# Columns 3
x 1
y 2
a b 0
# Rows 1
c1 3

# Dual solution values
None
"""
CBC = """Optimal - objective value 5.00000000
      0 x                      1                       0
      1 y                      2                       0
"""
GLPK = """c Problem:    small
c Rows:       2
s mip 2 3 o 5
i 1 5
i 2 3
j 1 1
j 2 2
j 3 0
e o f
"""

CASES = [
    ok("miplib", "=obj= 5\nx 1\ny 2\n", 1, 2, 0),
    ok("miplib-zeros-left-out", "=obj= 0\n", 0, 0, 0),
    ok("miplib-crlf", "=obj= 5\r\nx 1\r\ny 2\r\n", 1, 2, 0),
    ok("miplib-name-with-blanks", "=obj= 5\na b 7.5\n", 0, 0, 7.5),
    ok("bare-lines", "y 2\nx 1e0\n", 1, 2, 0),
    ok("gurobi", "# Solution for model small\n# Objective value = 5\nx 1\ny 2\na b 0\n", 1, 2, 0),
    ok("scip", SCIP, 1, 2, 0),
    ok("scip-without-status", SCIP.split("\n", 1)[1], 1, 2, 0),
    ok("highs", HIGHS, 1, 2, 0),
    ok("highs-infeasible-values", HIGHS.replace("Feasible", "Infeasible"), 1, 2, 0),
    ok("highs-without-rows", HIGHS[: HIGHS.index("# Rows")], 1, 2, 0),
    ok("cbc", CBC, 1, 2, 0),
    ok("cbc-infeasible-columns", CBC.replace("Optimal", "Infeasible").replace("      1 y", "**    1 y"), 1, 2, 0),
    ok("cbc-stopped", CBC.replace("Optimal", "Stopped on time"), 1, 2, 0),
    ok("glpk", GLPK, 1, 2, 0),
    ok("glpk-simplex", GLPK.replace("s mip 2 3 o 5", "s bas 2 3 f f 5").replace("j 1 1", "j 1 b 1 0").replace("j 2 2", "j 2 b 2 0").replace("j 3 0", "j 3 l 0 1"), 1, 2, 0),
    ok("glpk-interior", GLPK.replace("s mip", "s ipt").replace("j 1 1", "j 1 1 0"), 1, 2, 0),
    bad("unknown-column", "=obj= 5\nw 1\n", "E117", 2),
    bad("column-twice", "=obj= 5\nx 1\ny 2\nx 1\n", "E116", 4),
    bad("letters-for-a-value", "=obj= 5\nx one\n", "E113", 2),
    bad("nan", "=obj= 5\nx nan\n", "E113", 2),
    bad("overflow", "=obj= 5\nx 1e999\n", "E114", 2),
    bad("name-without-value", "=obj= 5\nx\n", "E123", 2),
    bad("too-many-words", "=obj= 5\nx 1 2\n", "E123", 2),
    bad("objective-without-number", "=obj=\nx 1\n", "E123", 1),
    bad("infeasible", "=infeas=\n", "E118", 1),
    bad("scip-none", "solution status: infeasible\nno solution available\n", "E118", 2),
    bad("scip-unknown-column", SCIP.replace("\ny ", "\nw "), "E117", 4),
    bad("highs-none", "Model status\nInfeasible\n\n# Primal solution values\nNone\n", "E118", 5),
    bad("highs-cut", HIGHS[: HIGHS.index("a b")], "E111", 10),
    bad("highs-columns-missing", HIGHS.replace("y 2\n", ""), "E115", 10),
    bad("highs-letters-for-the-count", HIGHS.replace("# Columns 3", "# Columns many"), "E113", 7),
    bad("highs-no-values", "Model status\nOptimal\n# Primal solution values\nFeasible\n", "E118", 0),
    bad("cbc-short-line", CBC.replace("      1 y                      2                       0", "      1 y 2"), "E123", 3),
    bad("cbc-letters-for-the-index", CBC.replace("      1 y", "      a y"), "E113", 3),
    bad("glpk-other-columns", GLPK.replace("s mip 2 3", "s mip 2 4"), "E115", 3),
    bad("glpk-column-out-of-range", GLPK.replace("j 3 0", "j 4 0"), "E114", 8),
    bad("glpk-no-solution", GLPK.replace("s mip 2 3 o 5", "s mip 2 3 u 0"), "E118", 3),
    bad("glpk-cut", GLPK.replace("e o f\n", ""), "E111", 9),
    bad("glpk-unknown-line", GLPK.replace("i 1 5", "k 1 5"), "E112", 4),
    bad("glpk-short-line", GLPK.replace("j 2 2", "j 2"), "E123", 7),
    bad("another-fields-solution", "Route #1: 1 2 3\nCost 5\n", "E123", 1),
]  # fmt: skip
