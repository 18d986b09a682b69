"""The policy as a solver, with weights that are trained in a moment."""

from __future__ import annotations

import importlib.metadata
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from combopt import api
from combopt.errors import CombOptError, MissingExtraError, UsageError
from combopt.instances.metric import Metric
from combopt.instances.solutions import Tour
from combopt.instances.tsp import Tsp
from combopt.learned import labels
from combopt.learned.network import NetworkConfig
from combopt.learned.problems import find
from combopt.learned.schedule import Plan
from combopt.learned.training import Trainer
from combopt.learned.weights import store
from combopt.result import Result, StoppedBy
from combopt.solvers.bq import Bq
from combopt.solvers.tours import first_tour
from tests.brute import tsp as brute

WAYS = ("greedy", "beam", "sample", "reconstruct")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The card of a toy that has seen paths of up to a dozen nodes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder: Path = tmp_path_factory.mktemp("weights")
    network = NetworkConfig(width=32, layers=2, heads=1, hidden=64)
    plan = Plan(problem="tsp", size=12, network=network, steps=150, tokens=1024, warm_up=20, rate=3e-3, average=0.95)
    solved = labels.made(find("tsp"), 12, 512, 0, torch.device("cpu"))
    trainer = Trainer(plan, solved, solved.take(torch.arange(4)))
    trainer.run(folder)
    facts = {"name": "toy", "data": "", "seed": 0, "hours": 0, "hardware": "", "steps": 0, "samples": 0, "gaps": {},
             "licence": ""}  # fmt: skip
    torch.set_num_threads(threads)
    return str(store.write(folder, trainer.average, facts))


def solve(instance: Tsp, weights: str, decode: str, *, limit: float = 10.0, **given: Any) -> Result:
    options = {k: given.pop(k) for k in ("view", "width", "longest", "temperature") if k in given}
    solver = Bq(weights=weights, decode=decode, **options)
    return api.solve(instance, solver, isolate=False, time_limit=limit, threads=1, **given)


@pytest.mark.parametrize("decode", WAYS)
def test_tours_are_feasible_and_good(weights: str, decode: str) -> None:
    for seed in range(3):
        instance = api.generate("tsp", seed=seed, n=12)
        result = solve(instance, weights, decode, iterations=10)
        best = api.solve(instance, "held_karp", isolate=False).objective
        assert result.objective is not None
        assert best is not None
        assert best <= result.objective <= (1.3 if decode == "greedy" else 1.12) * best
        assert result.rejected == 0
        assert any("weights toy" in message for message in result.messages)


def test_searching_decoders_are_no_worse_than_greedy(weights: str) -> None:
    instance = api.generate("tsp", seed=5, n=40)
    found = {decode: solve(instance, weights, decode, iterations=20).objective for decode in WAYS}
    assert None not in found.values()
    assert found["beam"] <= found["greedy"]
    assert found["sample"] <= found["greedy"]
    assert found["reconstruct"] < found["greedy"]
    assert instance.evaluate(Tour(first_tour(instance))).objective > found["reconstruct"]


def test_improvements_come_as_they_are_found(weights: str) -> None:
    result = solve(api.generate("tsp", seed=2, n=60), weights, "reconstruct", limit=3.0)
    assert result.stopped_by is StoppedBy.TIME
    assert len(result.trace) >= 3


def test_an_improvement_is_not_kept_back(weights: str) -> None:
    """Four nodes are soon as good as they get, and the last improvement comes right after the first."""
    for seed in range(6):
        instance = api.generate("tsp", seed=seed, n=4)
        best = solve(instance, weights, "reconstruct", limit=0.3).objective
        assert best == brute.best(instance)
        again = solve(instance, weights, "reconstruct", limit=30.0, target=best)
        assert again.stopped_by is StoppedBy.TARGET
        assert again.seconds < 5.0


@pytest.mark.parametrize("decode", WAYS)
def test_tiny_and_degenerate_instances(weights: str, decode: str) -> None:
    rng = np.random.default_rng(0)
    plane = [rng.integers(0, 9, (n, 2)) for n in (1, 2, 3, 4, 5, 6)]
    for points in [*plane, np.zeros((7, 2)), np.array([[k, 0] for k in range(8)])]:
        instance = Tsp(metric=Metric(rule="EUC_2D", coordinates=points.astype(np.float64)))
        result = solve(instance, weights, decode, iterations=5)
        assert result.objective is not None
        if len(points) <= 6:
            assert result.objective >= brute.best(instance)
        if len(points) <= 4:
            assert decode == "greedy" or result.objective == brute.best(instance)


@pytest.mark.parametrize("rule", ["CEIL_2D", "ATT", "GEO", "MAN_2D", "EXACT_2D"])
def test_other_metrics_are_judged_by_their_own_measure(weights: str, rule: str) -> None:
    points = np.random.default_rng(1).random((9, 2)) * 80
    instance = Tsp(metric=Metric(rule=rule, coordinates=points))
    result = solve(instance, weights, "reconstruct", iterations=5)
    assert result.solution is not None
    assert instance.evaluate(result.solution).objective == result.objective


def test_large_instances_are_seen_through_a_view(weights: str) -> None:
    instance = api.generate("tsp", seed=1, n=300)
    result = solve(instance, weights, "greedy", view=12, limit=60.0)
    assert result.stopped_by is StoppedBy.FINISHED
    assert result.objective is not None
    assert result.objective < 1.6 * 0.7124 * 1e6 * math.sqrt(300)


def test_a_start_is_improved(weights: str) -> None:
    instance = api.generate("tsp", seed=3, n=30)
    start = Tour(np.random.default_rng(0).permutation(30))
    result = solve(instance, weights, "reconstruct", iterations=60, start=start)
    assert result.objective is not None
    assert result.objective < 0.6 * instance.evaluate(start).objective


def test_the_time_limit_holds(weights: str) -> None:
    instance = api.generate("tsp", seed=1, n=2000)
    for decode in WAYS:
        began = time.monotonic()
        result = solve(instance, weights, decode, limit=1.0)
        assert time.monotonic() - began < 3.0
        assert result.objective is not None  # the tour along the curve, at least


def test_the_same_seed_gives_the_same_answer(weights: str) -> None:
    instance = api.generate("tsp", seed=4, n=25)
    for decode in ("sample", "reconstruct"):
        one, two = (solve(instance, weights, decode, iterations=6, seed=9) for _ in range(2))
        assert one.solution == two.solution


def test_what_is_refused() -> None:
    space = Metric(rule="EUC_3D", coordinates=np.zeros((4, 3)))
    matrix = Metric(rule="EXPLICIT", matrix=np.ones((4, 4), dtype=np.int64), coordinates=np.zeros((4, 2)))
    plane = Metric(rule="EUC_2D", coordinates=np.zeros((4, 2)))
    fixed = Tsp(metric=plane, fixed_edges=np.array([[0, 1]]))
    clauses = [
        Bq().why_not(i) for i in (Tsp(metric=space), Tsp(metric=matrix), fixed, api.generate("binpacking", n=5))
    ]
    words = ("space", "matrix", "fixed edges", "not binpacking")
    assert all(word in (clause or "") for word, clause in zip(words, clauses, strict=True))
    assert Bq(weights="mine.json").accepts(Tsp(metric=plane))


def test_without_weights_that_is_the_reason(monkeypatch: Any) -> None:
    monkeypatch.setattr(store, "cards", lambda: [])
    assert "no weights for tsp" in (Bq().why_not(api.generate("tsp", n=5)) or "")


def test_very_large_instances_start_from_the_first_tour(weights: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("combopt.solvers.bq.LARGE", 50)
    monkeypatch.setattr("combopt.learned.decoding.greedy", None)  # it would build the whole
    instance = api.generate("tsp", seed=1, n=80)
    result = solve(instance, weights, "reconstruct", iterations=20)
    assert result.objective is not None
    assert result.objective < 0.97 * instance.evaluate(Tour(first_tour(instance))).objective


@pytest.mark.parametrize(
    "options",
    [{"decode": "random"}, {"width": 0}, {"view": -1}, {"longest": 1}, {"temperature": 0.0}, {"device": "tpu"}],
)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        Bq(**options)
    assert next(iter(options)) in str(caught.value)


def test_weights_that_are_not_there_are_told(tmp_path: Path) -> None:
    instance = api.generate("tsp", n=10)
    with pytest.raises(CombOptError, match="cannot be opened"):
        solve(instance, str(tmp_path / "none.json"), "greedy")


def test_without_torch_the_extra_is_named(monkeypatch: Any) -> None:
    version = importlib.metadata.version

    def bare(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", bare)
    with pytest.raises(MissingExtraError, match=r"combopt\[learn\]"):
        api.solve(api.generate("tsp", n=10), Bq(weights="mine.json"), isolate=False)
