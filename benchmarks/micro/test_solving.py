"""What a solve costs besides the search: a model of three binaries and one row."""

from __future__ import annotations

import time

import pytest

from benchmarks.micro.conftest import Pair
from combopt import api
from combopt.instances.mip import Mip, MipBuilder


def tiny() -> Mip:
    builder = MipBuilder("tiny")
    columns = [builder.binary(f"x{i}", cost=-(i + 1.0)) for i in range(3)]
    builder.row(dict.fromkeys(columns, 1.0), upper=2.0)
    return builder.build()


def native() -> float:
    """The same model by SCIP alone."""
    import pyscipopt

    model = pyscipopt.Model()
    model.hideOutput()
    x = [model.addVar(vtype="B", obj=-(i + 1.0)) for i in range(3)]
    model.addCons(sum(x) <= 2)
    model.optimize()
    return model.getObjVal()


def test_in_process(pair: Pair) -> None:
    """Building, solving and checking in this process."""
    instance = tiny()
    result, value = pair(lambda: api.solve(instance, "scip", isolate=False, threads=1), native, "pyscipopt")
    assert result.objective == value == -5


# The child lives on, so that its processor time is known to nobody.
@pytest.mark.benchmark(timer=time.perf_counter)
def test_isolated(pair: Pair) -> None:
    """In a child process that is kept from one solve to the next."""
    instance = tiny()
    apart, here = pair(
        lambda: api.solve(instance, "scip", threads=1),
        lambda: api.solve(instance, "scip", isolate=False, threads=1),
        "combopt.solve(isolate=False)",
    )
    assert apart.objective == here.objective == -5
