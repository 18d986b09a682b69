"""Tensors and their account on disk: written so that a kill at any moment leaves a good state behind.

A checkpoint is ``NAME.json`` and the tensor files it lists with their SHA-256, in the safetensors format.  Tensors
come
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from combopt.errors import InputError, MissingExtraError, Place, UsageError

PART = 15 << 20
"""Bytes of the largest tensor file, unless a single tensor is larger: larger files do not travel everywhere."""
KEPT = 2
"""Checkpoints of a run that are kept."""
PREFIX = "checkpoint-"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    UsageError
        E205 if it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name too must be on the disk
        finally:
            os.close(folder)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError("E205", f"cannot write {path}: {error.strerror}") from None


def write(base: Path, tensors: Mapping[str, Tensor], account: Mapping[str, Any]) -> list[Path]:
    """Write ``tensors`` and ``account`` (plain JSON) as ``base`` + ``.json`` and tensor files; the paths written."""
    save = _safetensors().torch.save
    files, paths = [], []
    parts = _parts(tensors)
    for number, part in enumerate(parts):
        name = f"{base.name}.safetensors" if len(parts) == 1 else f"{base.name}.{number}.safetensors"
        data = save({key: tensor.detach().cpu().contiguous() for key, tensor in part.items()})
        paths.append(base.with_name(name))
        write_atomically(paths[-1], data)
        files.append({"file": name, "sha256": hashlib.sha256(data).hexdigest()})
    paths.append(base.with_name(f"{base.name}.json"))
    text = json.dumps({**account, "tensors": files}, indent=1, allow_nan=False)
    write_atomically(paths[-1], text.encode() + b"\n")
    return paths


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors, on the CPU, and the account of a JSON file that :func:`write` made.

    Raises
    ------
    InputError
        If a file is missing or not what it should be, or a hash differs.
    """
    account = read_account(path)
    load = _safetensors().torch.load
    tensors: dict[str, Tensor] = {}
    for entry in account["tensors"]:
        part = path.with_name(Path(str(entry["file"])).name)
        data = _bytes(part)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise InputError(
                "E120", f"its SHA-256 is not the one in {path.name}", place=Place(str(part)),
                remedy="The file is damaged or was changed; fetch or make it again.",
            )  # fmt: skip
        try:
            tensors |= load(data)
        except _safetensors().SafetensorError as error:
            raise InputError("E102", f"no safetensors file: {error}", place=Place(str(part))) from None
    return tensors, account


def read_account(path: Path) -> dict[str, Any]:
    """The JSON file alone."""
    try:
        account = json.loads(_bytes(path))
    except ValueError as error:
        raise InputError("E102", f"no JSON: {error}", place=Place(str(path))) from None
    files = account.get("tensors") if isinstance(account, dict) else None
    if not isinstance(files, list) or not all(isinstance(f, dict) and {"file", "sha256"} <= set(f) for f in files):
        raise InputError("E118", "no list of tensor files", place=Place(str(path)), expected="'tensors' with hashes")
    return account


def latest(folder: Path) -> Path | None:
    """The JSON file of the newest complete checkpoint in a folder; ``None`` if there is none."""
    return max(folder.glob(f"{PREFIX}*.json"), default=None)


def base_name(step: int) -> str:
    """Name of the checkpoint after ``step`` steps, without extension; names sort as steps do."""
    return f"{PREFIX}{step:010d}"


def forget_old(folder: Path) -> None:
    """Remove all checkpoints but the last :data:`KEPT`, and tensor files that no checkpoint names."""
    accounts = sorted(folder.glob(f"{PREFIX}*.json"))
    for path in accounts[:-KEPT]:
        path.unlink(missing_ok=True)  # first, so that no account ever lacks its tensors
    kept = {entry["file"] for path in accounts[-KEPT:] for entry in read_account(path)["tensors"]}
    for path in folder.glob(f"{PREFIX}*.safetensors"):
        if path.name not in kept:
            path.unlink(missing_ok=True)
    for path in folder.glob(f".{PREFIX}*.tmp"):  # of a run that was killed while it wrote
        path.unlink(missing_ok=True)


def _parts(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    parts: list[dict[str, Tensor]] = [{}]
    room = PART
    for key, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        if size > room and parts[-1]:
            parts.append({})
            room = PART
        parts[-1][key] = tensor
        room -= size
    return parts


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("E101", f"cannot be opened: {error.strerror}", place=Place(str(path))) from None


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.torch
    except ImportError:
        raise MissingExtraError("safetensors", "learn") from None
    return safetensors
