"""Encryption at rest: held mails and the gateway's own unsent mails are AES-256-GCM, each bound to its row.

A sealed body is   version (1) | key id (1) | nonce (12) | ciphertext and tag   and its associated data are the first
two octets and the row's name, so that a body moved to another row does not open. The key id lets a new key take over
while bodies under the older ones still open.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_OCTETS = 32
KEY_VARIABLE = "REFERRAL_GATEWAY_HOLD_KEY"
VERSION = 1
NONCE_OCTETS = 12  # NIST SP 800-38D §5.2.1.1: the length that GCM is made for


class KeyUnusable(Exception):
    """The key cannot be used; the text says what to do about it."""


class CannotOpen(Exception):
    """A sealed body does not open: another key, another row, or changed octets."""


class Sealer:
    """Seals with `key`, opens with `key` and the `older` ones. Safe to share between threads."""

    def __init__(self, key: bytes, older: Sequence[bytes] = ()) -> None:
        for each in (key, *older):
            if len(each) != KEY_OCTETS:
                raise KeyUnusable(f"a key has {KEY_OCTETS} octets, this one has {len(each)}")
        self._key_id = key_id(key)
        self._current = AESGCM(key)
        # Two keys share an id once in 256 times, so an id names a list.
        self._by_id: dict[int, list[AESGCM]] = {}
        for each in (key, *older):
            self._by_id.setdefault(key_id(each), []).append(AESGCM(each))
        self._tags = tuple(hmac.digest(each, b"referral-gateway tag", "sha256") for each in (key, *older))
        self.proofs = tuple(key_proof(each) for each in (key, *older))
        """What the store keeps to recognise these keys by; the first is the one that seals."""

    def tag(self, text: str) -> str:
        """64 hex digits that nobody can make for `text` without the key (HMAC-SHA-256, RFC 2104)."""
        return hmac.digest(self._tags[0], text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def is_tag(self, tag: str, text: str) -> bool:
        """Whether `tag` was made for `text`, with this key or an older one."""
        octets = text.encode("utf-8", "surrogatepass")
        made = [hmac.digest(key, octets, "sha256").hex() for key in self._tags]
        return any([hmac.compare_digest(each.encode(), tag.encode("utf-8", "surrogatepass")) for each in made])

    def seal(self, body: bytes, row: str) -> bytes:
        """Encrypt `body` for the row named `row` ("hold:<id>")."""
        head = bytes((VERSION, self._key_id))
        nonce = secrets.token_bytes(NONCE_OCTETS)
        return head + nonce + self._current.encrypt(nonce, body, head + row.encode("utf-8", "surrogatepass"))

    def open(self, sealed: bytes, row: str) -> bytes:
        """The body as it was sealed for `row`. Raises CannotOpen."""
        head, nonce, rest = sealed[:2], sealed[2 : 2 + NONCE_OCTETS], sealed[2 + NONCE_OCTETS :]
        if len(head) < 2 or head[0] != VERSION or len(nonce) < NONCE_OCTETS:
            raise CannotOpen(f"{row}: not a sealed body")
        for key in self._by_id.get(head[1], ()):
            try:
                return key.decrypt(nonce, rest, head + row.encode("utf-8", "surrogatepass"))
            except InvalidTag:
                continue
        raise CannotOpen(f"{row}: no key at hand opens it, or it was changed")


def key_id(key: bytes) -> int:
    """One octet to choose among keys by; says nothing about the key."""
    return hmac.digest(key, b"referral-gateway key id", "sha256")[0]


def key_proof(key: bytes) -> str:
    """A hex digest by which the store recognises the key that it was written with."""
    return hmac.digest(key, b"referral-gateway key proof", "sha256").hex()


def load_or_create_key(path: Path, *, state: Path | None = None, environ: Mapping[str, str] = os.environ) -> bytes:
    """The 32 octets of the key: from the environment variable if it is set, else from `path`, made there if missing.

    `state` is the folder of the database: the key must not lie in it, or whoever copies the folder can read the mail.
    Raises KeyUnusable.
    """
    if environ.get(KEY_VARIABLE):
        return _key_of_text(environ[KEY_VARIABLE])
    path = path.absolute()
    if state is not None and path.resolve().is_relative_to(state.resolve()):
        raise KeyUnusable(
            f"{path} lies in the state folder. Move it out and name the new place in the setting key_file"
        )
    handed_in = _is_credential(path, environ)
    try:
        if not path.exists() and not handed_in:
            _create(path)
        return _read(path, strict=not handed_in)
    except OSError as error:
        raise KeyUnusable(f"the key {path} cannot be read or made: {error.strerror}") from error


def load_key(path: Path, *, state: Path | None = None, environ: Mapping[str, str] = os.environ) -> bytes:
    """The key of a gateway that has run before; none is made by looking. Raises KeyUnusable."""
    if not environ.get(KEY_VARIABLE) and not path.exists() and not _is_credential(path.absolute(), environ):
        raise KeyUnusable(
            f"the key is not there: {path}. Name the one of serve in the setting key_file, or be its user"
        )
    return load_or_create_key(path, state=state, environ=environ)


def _key_of_text(text: str) -> bytes:
    """64 hex digits, or base64. The value itself is never part of an error."""
    for decode in (bytes.fromhex, lambda value: base64.b64decode(value, validate=True)):
        try:
            key = decode(text.strip())
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_OCTETS:
            return key
    raise KeyUnusable(f"{KEY_VARIABLE} must be {KEY_OCTETS} octets as 64 hex digits or base64")


def _is_credential(path: Path, environ: Mapping[str, str]) -> bool:
    """Handed in by the service manager, which guards it in ways that the mode does not show, and never made by us."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and path.is_relative_to(Path(folder or "/").absolute())


def _read(path: Path, *, strict: bool) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        key = file.read(KEY_OCTETS + 1)
    if not stat.S_ISREG(mode):
        raise KeyUnusable(f"{path} is not a plain file")
    if strict and mode & 0o077:
        raise KeyUnusable(f"{path} can be read by others (mode {mode & 0o777:04o}). Run: chmod 600 {path}")
    if len(key) != KEY_OCTETS:
        found = "more" if len(key) > KEY_OCTETS else str(len(key))
        raise KeyUnusable(
            f"{path} must hold exactly {KEY_OCTETS} octets, it has {found}. Restore the key from your backup; "
            "mail that is held under it cannot be read with another"
        )
    return key


def _create(path: Path) -> None:
    """Make a key that survives a power cut, without ever showing half of one; the first of two makers wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_OCTETS))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
