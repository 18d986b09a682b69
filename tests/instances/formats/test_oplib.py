"""OPLib instances and solutions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from combopt import api
from combopt.errors import InputError
from combopt.instances.formats.oplib import OPLIB
from combopt.instances.metric import Metric
from combopt.instances.op import Op


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "op" / "MANIFEST.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_benchmark_files_and_their_solutions(benchmark_files: Path) -> None:
    wrong = set()
    for row in table(benchmark_files):
        reading = api.read_with_warnings(benchmark_files / "op" / row["file"])
        instance = reading.instance
        assert isinstance(instance, Op)
        assert (reading.format, reading.warnings, instance.name) == ("oplib", (), row["name"])
        assert (instance.nodes, instance.limit) == (int(row["dimension"]), int(row["cost_limit"]))
        checked = api.check(instance, benchmark_files / "op" / row["solution_file"])
        assert checked.evaluation.feasible, row["name"]
        assert checked.evaluation.objective == int(row["best_known"]), row["name"]
        if not checked.claim_holds:
            wrong.add(row["name"])
    assert wrong == {row["name"] for row in table(benchmark_files) if row["solution_check"] != "ok"}


def test_the_scores_of_the_third_generation_follow_the_distance(benchmark_files: Path) -> None:
    instance = api.read(benchmark_files / "op" / "oplib" / "gen3" / "kroA150-gen3-50.oplib")
    assert isinstance(instance, Op)
    away = instance.metric.between(0, np.arange(1, instance.nodes))
    assert (instance.prize[1:] == 1 + 99 * away // away.max()).all()


@pytest.mark.parametrize("rule", ["EUC_2D", "CEIL_2D", "ATT", "GEO", "EXPLICIT"])
def test_what_is_written_is_read_back(rule: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    points = rng.integers(0, 90, size=(7, 2)).astype(float)
    metric = (
        Metric(rule=rule, coordinates=points)
        if rule != "EXPLICIT"
        else Metric(rule=rule, matrix=Metric(rule="EUC_2D", coordinates=points).full())
    )
    instance = Op(name="seven", metric=metric, prize=rng.integers(0, 100, size=7), limit=33.25, depot=4)
    path = tmp_path / "seven.oplib"
    api.write(instance, path)
    again = api.read(path)
    assert again == instance


@pytest.mark.parametrize("rule", ["EXACT_2D", "DIMACS_2D"])
def test_distances_that_the_format_has_no_word_for_are_not_written(rule: str) -> None:
    instance = Op(metric=Metric(rule=rule, coordinates=np.eye(2)), prize=[0, 1], limit=3)
    with pytest.raises(InputError) as caught:
        OPLIB.write(instance)  # type: ignore[misc]
    assert caught.value.code == "E119"


def test_open_paths_are_not_written() -> None:
    instance = Op(metric=Metric(rule="EUC_2D", coordinates=np.eye(2)), prize=[0, 1], limit=3, end=1)
    with pytest.raises(InputError) as caught:
        OPLIB.write(instance)  # type: ignore[misc]
    assert caught.value.code == "E119"
