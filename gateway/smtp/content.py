"""The content of one mail while the gateway has it: in memory, or from a limit on in an encrypted spool file."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BLOCK = 1024 * 1024  # octets sealed and written at a time, in a thread


class SpoolDamaged(OSError):
    """A spool file does not hold any more what was written to it."""


class Spool:
    """One open spool file: written once from front to back, then read as often as wanted.

    The file is 0600 and loses its name as soon as it is open, so that nothing stays behind however the program ends.
    Its key lives in this object only. Each block is sealed (AES-256-GCM, the block's number as nonce), so a disk that
    gives back other octets is noticed instead of mailed. Every method raises OSError.
    """

    def __init__(self, folder: Path | None) -> None:
        number, name = tempfile.mkstemp(prefix="mail-", suffix=".spool", dir=folder)  # mkstemp makes it 0600
        self._file: BinaryIO = os.fdopen(number, "w+b", buffering=0)
        os.unlink(name)
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._lengths: list[int] = []

    def write(self, octets: bytes) -> None:
        sealed = self._cipher.encrypt(self._nonce(len(self._lengths)), octets, None)
        left = memoryview(sealed)
        while left:
            left = left[self._file.write(left) :]
        self._lengths.append(len(sealed))

    def read(self) -> Iterator[bytes]:
        at = 0
        for block, length in enumerate(self._lengths):
            sealed = os.pread(self._file.fileno(), length, at)
            at += length
            try:
                yield self._cipher.decrypt(self._nonce(block), sealed, None)
            except (InvalidTag, ValueError) as why:
                raise SpoolDamaged(f"block {block} of a spool file cannot be read back") from why

    def close(self) -> None:
        self._file.close()

    @staticmethod
    def _nonce(block: int) -> bytes:
        return block.to_bytes(12, "big")


class StoredContent:
    """The octets of one message, as `gate.Content` describes them. Give it what `EndOfData.feed` returns.

    `memory` is how many octets stay in memory, `folder` where the rest goes (the system's temporary folder if None).
    """

    def __init__(self, *, memory: int = _BLOCK, folder: Path | None = None) -> None:
        self.size = 0
        self.stuffed = True  # False when it is known that no line begins with a dot
        self._memory = memory
        self._folder = folder
        self._pieces: list[bytes] = []
        self._held = 0  # octets in `_pieces`
        self._spool: Spool | None = None
        self._sha256 = ""

    async def add(self, piece: bytes) -> None:
        """One more piece. Raises OSError when the disk does not take it."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > (self._memory if self._spool is None else _BLOCK):
            await asyncio.to_thread(self._to_disk)

    def _to_disk(self) -> None:
        if self._spool is None:
            self._spool = Spool(self._folder)
        whole = b"".join(self._pieces)
        self._pieces, self._held = [], 0
        for at in range(0, len(whole), _BLOCK):
            self._spool.write(whole[at : at + _BLOCK])

    @property
    def spooled(self) -> bool:
        return self._spool is not None

    @property
    def sha256(self) -> str:
        """Hex digest over the unstuffed octets, worked out when first asked for."""
        if not self._sha256:
            digest = hashlib.sha256()
            for chunk in self._unstuffed():
                digest.update(chunk)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def raw(self) -> bytes:
        """The message with dots unstuffed (RFC 5321 §4.5.2). Raises OSError."""
        return b"".join(self._unstuffed())

    def head(self, octets: int) -> bytes:
        """The first `octets` of `raw()`, or all of it where it is shorter. Raises OSError."""
        taken, out = 0, []
        for chunk in self._unstuffed():
            out.append(chunk)
            taken += len(chunk)
            if taken >= octets:
                break
        return b"".join(out)[:octets]

    def stuffed_chunks(self) -> Iterator[bytes]:
        """The octets as received, without the final dot line. Raises OSError."""
        if self._spool is not None:
            yield from self._spool.read()
        yield from self._pieces

    def _unstuffed(self) -> Iterator[bytes]:
        """Unstuffing must see a line end and the dot behind it together, and pieces are cut anywhere."""
        if not self.stuffed:
            yield from self.stuffed_chunks()
            return
        held = b"\r\n"
        first = True
        for chunk in self.stuffed_chunks():
            data = held + chunk
            keep = 2 if data.endswith(b"\r\n") else 1 if data.endswith(b"\r") else 0
            held, data = data[len(data) - keep :], data[: len(data) - keep]
            data = data.replace(b"\r\n.", b"\r\n")
            if first and data:
                data, first = data[2:], False
            yield data
        yield b"" if first else held

    def close(self) -> None:
        """Let go of the octets and of the spool file."""
        self._pieces, self._held = [], 0
        if self._spool is not None:
            self._spool.close()
            self._spool = None
