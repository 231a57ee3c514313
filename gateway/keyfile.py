"""The file of the key that checkpoints are signed with, and its rotation.

A new key waits beside the old one until the log has been handed over to it; whoever comes after a crash finishes that.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gateway.chain.checkpoints import Signer
from gateway.store.crypto import KEY_OCTETS, KeyUnusable, sync_folder
from gateway.store.store import Store


def waiting(path: Path) -> Path:
    """Where the next key waits."""
    return path.with_name(path.name + ".next")


def new_seed(path: Path) -> Signer:
    """Make a key that waits to take over, durably. Raises KeyUnusable."""
    seed = secrets.token_bytes(KEY_OCTETS)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(waiting(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(seed)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        raise KeyUnusable(f"{waiting(path)} cannot be written: {error.strerror}") from error
    return Signer(seed)


def finish_rotation(path: Path, store: Store) -> None:
    """Put the waiting key in its place where the log was handed over to it, else throw it away. Blocks."""
    file = waiting(path)
    try:
        seed = file.read_bytes()
    except FileNotFoundError:
        return
    newest = store.integrity().newest
    if len(seed) == KEY_OCTETS and newest is not None and newest.get("next_key", newest["key"]) == Signer(seed).public:
        _overwrite(path)
        os.replace(file, path)
    else:
        file.unlink()
    sync_folder(path.parent)


def _overwrite(path: Path) -> None:
    """What the old key signed is checked with its public half; nobody needs the other any more."""
    if path.exists():
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(KEY_OCTETS))
            file.flush()
            os.fsync(file.fileno())
