"""``combopt train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from combopt.cli import main
from combopt.learned import labels
from combopt.learned.weights import store
from tests.learned.test_labels import tours

QUICK = ["train", "bq", "--size", "7", "--tokens", "256", "--judged", "6", "--threads", "1", "-q", "--device", "cpu"]


def test_a_run_in_two_pieces(tmp_path: Path, capsys: Any) -> None:
    command = [*QUICK, "-o", str(tmp_path), "--resume", "--json"]
    assert main([*command, "--minutes", "0.03", "--stop-after", "0.005"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert not first["done"]
    assert main([*command, "--minutes", "0.03"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["done"]
    assert second["step"] > first["step"]
    assert 1.8 <= second["seconds"] < 4
    card = store.read_card(Path(second["weights"]))
    assert card.steps == second["step"]
    assert card.gaps == {"greedy, 6 uniform instances of 7 nodes": second["gap"]}
    assert store.load(card).size == card.parameters
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["gap"] == second["gap"]
    assert {"loss", "rate", "samples_per_second", "tokens_per_second"} <= set(rows[-1])


def test_a_run_from_files(tmp_path: Path, capsys: Any) -> None:
    labels.write_tours(tmp_path / "tours.npz", [3, 12], tours(7, [3, 12], 40))
    command = [*QUICK, "--labels", str(tmp_path), "-o", str(tmp_path / "run"), "--steps", "3"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "trained    3 steps" in said
    assert "weights" in said
    assert store.read_card(tmp_path / "run" / "bq-tsp-tiny.json").data.endswith("labels of 40 instances")


def test_curves_for_tensorboard(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    command = [*QUICK, "-o", str(tmp_path), "--resume", "--tensorboard"]
    assert main([*command, "--steps", "2"]) == 0
    assert main([*command, "--steps", "4"]) == 0
    found = events.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    told = {row["step"]: row["gap"] for row in rows if row["gap"] is not None}
    assert {event.step: pytest.approx(event.value, rel=1e-5) for event in found.Scalars("gap")} == told
    assert set(found.Tags()["scalars"]) >= {"loss", "rate", "tokens_per_second"}


def test_a_run_that_begins_with_the_weights_of_another_kind(tmp_path: Path) -> None:
    assert main([*QUICK, "--steps", "3", "-o", str(tmp_path / "tours")]) == 0
    begin = str(tmp_path / "tours" / "bq-tsp-tiny.json")
    items = [*QUICK, "--problem", "knapsack", "--steps", "1", "--rate", "1e-9", "-o", str(tmp_path / "items")]
    assert main([*items, "--begin", begin]) == 0
    first, second = (
        store.load(store.read_card(p)) for p in (Path(begin), tmp_path / "items" / "bq-knapsack-tiny.json")
    )
    # A step of next to no size leaves the layers as they were; the adapter is new.
    for mine, theirs in zip(second.layers, first.layers, strict=True):
        assert torch.allclose(mine.read.weight, theirs.read.weight, atol=1e-6)
    assert second.adapter.embed.weight.shape != first.adapter.embed.weight.shape
    assert store.read_card(tmp_path / "items" / "bq-knapsack-tiny.json").data.endswith("weights bq-tsp-tiny")


def test_weights_of_another_network_are_no_beginning(tmp_path: Path, capsys: Any) -> None:
    assert main([*QUICK, "--steps", "1", "-o", str(tmp_path / "tiny")]) == 0
    command = [*QUICK, "--steps", "1", "-o", str(tmp_path / "small"), "--network", "small"]
    assert main([*command, "--begin", str(tmp_path / "tiny" / "bq-tsp-tiny.json")]) == 2
    assert "weights to begin with" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "50"], "without labels"),
        (["--problem", "jobshop", "--size", "5"], "no policy for 'jobshop'"),
        (["--size", "5", "--network", "huge"], "network 'huge'"),
        (["--size", "5", "--precision", "int8"], "precision 'int8'"),
        (["--size", "5", "--labels", "EMPTY"], "no label files"),
        ([], "--size N"),
    ],
)
def test_usage_errors(tmp_path: Path, capsys: Any, arguments: list[str], words: str) -> None:
    (tmp_path / "empty").mkdir()
    given = [str(tmp_path / "empty") if a == "EMPTY" else a for a in arguments]
    code = main(["train", "bq", *given, "-o", str(tmp_path / "run"), "-q", "--steps", "1", "--device", "cpu"])
    said = capsys.readouterr()
    assert code in (2, 3)
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_folder_that_holds_a_run_is_not_touched(tmp_path: Path, capsys: Any) -> None:
    command = [*QUICK, "--steps", "2", "-o", str(tmp_path)]
    assert main(command) == 0
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert main(["train", "bq", "--size", "8", "-o", str(tmp_path), "--resume", "-q"]) == 2
    assert "--size 8 with --resume" in capsys.readouterr().err


def test_files_of_another_size_or_without_chunks_to_judge_on(tmp_path: Path, capsys: Any) -> None:
    labels.write_tours(tmp_path / "tours.npz", [12], tours(7, [12], 4))
    command = ["train", "bq", "--labels", str(tmp_path), "-o", str(tmp_path / "run"), "-q", "--steps", "1"]
    assert main([*command, "--size", "8"]) == 2
    assert "no chunks of 8 nodes to train on" in capsys.readouterr().err
    assert main([*command, "--size", "7"]) == 2
    assert "below 10" in capsys.readouterr().err
