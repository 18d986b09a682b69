"""Weights and their cards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from combopt.cli import main
from combopt.errors import InputError, UsageError
from combopt.learned.network import Policy
from combopt.learned.weights import store

FACTS = {"name": "toy", "data": "toys", "seed": 0, "hours": 0.1, "hardware": "CPU", "steps": 1, "samples": 2,
         "gaps": {"greedy": 0.5}, "licence": "Apache-2.0"}  # fmt: skip


@pytest.fixture
def card(tmp_path: Path, policy: Policy) -> Path:
    return store.write(tmp_path, policy, FACTS)


def test_weights_survive_being_stored(card: Path, policy: Policy) -> None:
    found = store.choose("tsp", str(card))
    assert found.gaps == {"greedy": 0.5}
    assert found.parameters == policy.size
    loaded = store.load(found)
    for name, value in policy.state_dict().items():
        assert loaded.state_dict()[name].dtype == torch.float32
        assert torch.allclose(loaded.state_dict()[name], value, rtol=1e-3, atol=1e-3)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert store.choose("tsp", str(card.with_suffix(".safetensors"))) == found


def test_a_hash_that_differs_is_refused(card: Path) -> None:
    tensors = card.with_suffix(".safetensors")
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)
    with pytest.raises(InputError, match="SHA-256") as caught:
        store.load(store.read_card(card))
    assert caught.value.place is not None
    assert caught.value.place.path == str(tensors)


def test_weights_of_another_shape_are_refused(card: Path) -> None:
    account = json.loads(card.read_text())
    account["network"]["layers"] += 1
    card.write_text(json.dumps(account))
    with pytest.raises(InputError, match="do not fit"):
        store.load(store.read_card(card))


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no JSON"), ("[]", "no card"), ('{"schema": "x"}', "no card"), ('{"schema": "combopt.weights/1"}', "lacks")],
)
def test_cards_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=words):
        store.read_card(tmp_path / "bad.json")


def test_weights_that_do_not_exist(card: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no weights for jobshop"):
        store.choose("jobshop")
    with pytest.raises(UsageError, match="'nothing'"):
        store.choose("tsp", "nothing")
    with pytest.raises(UsageError, match="are for tsp, not cvrp"):
        store.choose("cvrp", str(card))
    with pytest.raises(InputError, match="cannot be opened"):
        store.choose("tsp", str(tmp_path / "missing.json"))


@pytest.mark.parametrize("shipped", store.cards(), ids=lambda card: card.name)
def test_shipped_weights_load(shipped: store.Card) -> None:
    load = store.load_values if shipped.name.startswith("neur2ro") else store.load
    assert load(shipped).size == shipped.parameters
    assert shipped.path.stem == shipped.name
    assert shipped.path.stat().st_size + shipped.path.with_suffix(".safetensors").stat().st_size < 8 << 20
    assert all(0 <= gap < 0.2 for gap in shipped.gaps.values())


def test_the_list_of_weights(capsys: Any) -> None:
    assert main(["list", "weights", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [card.name for card in store.cards()]
    assert main(["list", "weights"]) == 0
    told = capsys.readouterr().out
    assert all(row["name"] in told for row in rows)


def test_cards_are_read_without_torch() -> None:
    code = "import sys; from combopt.cli import main; main(['list', 'weights']); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
