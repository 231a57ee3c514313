"""Content: the same octets from memory and from disk, and a disk that misbehaves."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smtp import content as module
from gateway.smtp.content import Spool, SpoolDamaged, StoredContent


def unstuffed(octets: bytes) -> bytes:
    return (b"\r\n" + octets).replace(b"\r\n.", b"\r\n")[2:]


async def filled(pieces: list[bytes], memory: int, folder: Path | None = None) -> StoredContent:
    stored = StoredContent(memory=memory, folder=folder)
    for piece in pieces:
        await stored.add(piece)
    return stored


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"..", b"\r\n", b"\r", b"\n", b"a", b"\r\n.", b""]), max_size=20), st.booleans())
async def test_octets_come_back(pieces: list[bytes], small: bool) -> None:
    stored = await filled(pieces, 3 if small else 1000)
    whole = b"".join(pieces)
    assert b"".join(stored.stuffed_chunks()) == whole
    assert stored.raw() == unstuffed(whole)
    assert stored.sha256 == hashlib.sha256(unstuffed(whole)).hexdigest()
    assert stored.head(4) == unstuffed(whole)[:4]
    assert stored.spooled == (small and len(whole) > 3)
    stored.close()


async def test_big_mail_goes_to_disk_and_leaves_no_name_there(tmp_path: Path) -> None:
    line = b"secret words of a customer\r\n"
    stored = await filled([line * 1000] * 200, 100_000, tmp_path)
    assert stored.spooled
    assert os.listdir(tmp_path) == []
    assert stored.raw() == line * 200_000
    stored.close()


def test_spool_file_is_private_and_unreadable(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"secret words of a customer " * 100)
    status = os.fstat(spool._file.fileno())
    assert status.st_mode & 0o777 == 0o600
    assert status.st_nlink == 0
    assert b"secret" not in os.pread(spool._file.fileno(), 10_000, 0)
    assert b"".join(spool.read()) == b"secret words of a customer " * 100
    spool.close()


@pytest.mark.parametrize("at", [0, 9, 20, 2000])
def test_a_disk_that_gives_back_other_octets_is_noticed(tmp_path: Path, at: int) -> None:
    spool = Spool(tmp_path)
    spool.write(b"x" * 3000)
    old = os.pread(spool._file.fileno(), 1, at)
    os.pwrite(spool._file.fileno(), bytes((old[0] ^ 1,)), at)
    with pytest.raises(SpoolDamaged):
        b"".join(spool.read())


async def test_a_folder_that_is_missing_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        await filled([b"x" * 100], 10, tmp_path / "missing")
    assert module.StoredContent().raw() == b""
