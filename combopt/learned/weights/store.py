"""Weights on disk: ``NAME.safetensors`` and its card ``NAME.json``, in this folder or anywhere else.

The card says what the weights are for, how they were made, how good they are, and the SHA-256 of the tensors, which is
checked whenever they are loaded.  Reading cards loads no torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combopt.errors import InputError, Place, UsageError

if TYPE_CHECKING:
    from combopt.learned.network import Policy
    from combopt.learned.value.flat import FlatNetwork
    from combopt.learned.value.network import ValueNetwork

HERE = Path(__file__).parent
SCHEMA = "combopt.weights/1"
SMALL = 50_000


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known about a set of weights.

    Parameters
    ----------
    path
        The card's file.
    name, kind
        Name of the weights, and kind of the instances they are for.
    network
        Shape of the network, as :class:`~combopt.learned.network.NetworkConfig` or that of a value network has it.
    parameters
        How many there are.
    view
        Nodes to choose from that the network saw in training; 0 for all.
    data
        What they were trained on, for people.
    seed, hours, hardware, steps, samples
        Of the training.
    gaps
        Relative excess of the mean over that of the labels held out, by what was measured.
    licence
        Licence of the weights.
    sha256
        Of the tensor file.
    """

    path: Path
    name: str
    kind: str
    network: dict[str, Any]
    parameters: int
    view: int
    data: str
    seed: int
    hours: float
    hardware: str
    steps: int
    samples: int
    gaps: dict[str, float]
    licence: str
    sha256: str


def cards(folder: Path = HERE) -> list[Card]:
    """The cards of a folder, by name; those that come with the package by default."""
    return [read_card(path) for path in sorted(folder.glob("*.json"))]


def read_card(path: Path) -> Card:
    """One card.

    Raises
    ------
    InputError
        If the file is missing or no card.
    """
    place = Place(str(path))
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known = {"name", "kind", "network", "parameters", "data", "seed", "hours", "hardware", "steps", "samples"}
        known |= {"gaps", "licence"}
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise InputError("E102", "no card of weights", place=place, expected=f"JSON with schema {SCHEMA}")
        facts = {"view": int(data.get("view", 0)), "sha256": data["tensors"][0]["sha256"]}
        return Card(path=path, **facts, **{name: data[name] for name in known})
    except OSError as error:
        raise InputError("E101", f"cannot be opened: {error.strerror}", place=place) from None
    except ValueError as error:
        raise InputError("E102", f"no JSON: {error}", place=place) from None
    except (KeyError, IndexError, TypeError) as error:
        raise InputError("E118", f"the card lacks {error}", place=place) from None


def lacking(kind: str, wanted: str = "") -> str | None:
    """A clause that says that no weights are named and none for ``kind`` come with the package; else ``None``."""
    if wanted or any(card.kind == kind for card in cards()):
        return None
    return f"no weights for {kind} come with this package; --set weights=CARD.json names others"


def choose(kind: str, wanted: str = "") -> Card:
    """The card of the weights to use: named, the path of a card or of its tensors, or else the best for ``kind``.

    The best are those with the smallest gap on the first measure of their cards.  With ``kind`` empty, weights that
    are named may be for any kind.

    Raises
    ------
    UsageError
        E204 if there are none of that name or kind, or those that are named are for another kind.
    """
    if wanted.endswith((".json", ".safetensors")) or "/" in wanted:
        card = read_card(Path(wanted).with_suffix(".json"))
    else:
        shipped = [card for card in cards() if wanted in ("", card.name) and (wanted or card.kind == kind)]
        if not shipped:
            raise UsageError(
                "E204",
                f"no weights {wanted!r}" if wanted else f"no weights for {kind} come with this package",
                expected="one of " + (", ".join(card.name for card in cards()) or "none"),
                remedy="combopt train makes some; give the file of their card.",
            )
        card = min(shipped, key=lambda card: next(iter(card.gaps.values()), float("inf")))
    if kind and card.kind != kind:
        raise UsageError("E204", f"the weights {card.name} are for {card.kind}, not {kind}")
    return card


def load(card: Card) -> Policy:
    """The policy with these weights, on the CPU, in single precision.

    Raises
    ------
    InputError
        If the tensors are missing, do not fit, or their hash is not the card's.
    """
    from combopt.learned.network import NetworkConfig, Policy
    from combopt.learned.problems import find

    policy: Policy = _filled(card, lambda config: Policy(NetworkConfig(**config), find(card.kind)))
    return policy


def load_values(card: Card) -> Any:
    """The value network with these weights, of the class that its kind has, as :func:`load`."""
    from combopt.learned.value.problems import find

    problem = find(card.kind)
    return _filled(card, lambda config: problem.network(problem.config(config)))


def _filled(card: Card, build: Callable[[dict[str, Any]], Any]) -> Any:
    import torch

    from combopt.learned import checkpoint

    tensors, account = checkpoint.read(card.path)
    try:
        network = build(account["network"])
        network.load_state_dict({name: tensor.to(torch.float32) for name, tensor in tensors.items()})
    except (TypeError, RuntimeError) as error:
        found = f"the weights do not fit the network of the card: {error}"
        raise InputError("E120", found, place=Place(str(card.path))) from None
    return network.requires_grad_(False).eval()


def write(folder: Path, network: Policy | ValueNetwork | FlatNetwork, facts: Mapping[str, Any]) -> Path:
    """Write weights with their card, named ``facts["name"]``; the path of the card.

    The parameters of networks with more than :data:`SMALL` are kept in half precision.  ``facts`` are the fields of
    :class:`Card` without ``path``, ``network``, ``parameters``, ``kind`` and ``sha256``; without ``view`` it is 0.
    """
    import torch

    from combopt.learned import checkpoint

    kept = torch.float16 if network.size > SMALL else torch.float32
    learned = {name for name, _ in network.named_parameters()}  # the rest are units and places
    tensors = {
        name: tensor.to(kept if name in learned else torch.float32) for name, tensor in network.state_dict().items()
    }
    account = {
        "schema": SCHEMA,
        "kind": network.kind,
        "network": asdict(network.config),
        "parameters": network.size,
        **facts,
    }
    return checkpoint.write(folder / str(facts["name"]), tensors, account)[-1]
