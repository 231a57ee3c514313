"""Encryption at rest, and the key that it hangs on."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.store.crypto import KEY_VARIABLE, CannotOpen, KeyUnusable, Sealer, key_id, load_or_create_key
from gateway.store.errors import StoreAway
from gateway.store.keys import WrongKey
from gateway.store.store import Store

ONE, TWO = b"1" * 32, b"2" * 32


@given(st.binary(max_size=5000), st.text(max_size=20))
def test_what_is_sealed_opens_for_its_row(body, row):
    sealed = Sealer(ONE).seal(body, row)
    assert Sealer(ONE).open(sealed, row) == body
    with pytest.raises(CannotOpen):
        Sealer(ONE).open(sealed, row + "x")


def test_every_changed_octet_is_noticed():
    sealed = Sealer(ONE).seal(b"body", "hold:m1")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(CannotOpen):
            Sealer(ONE).open(bytes(changed), "hold:m1")
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            Sealer(ONE).open(sealed[:length], "hold:m1")


def test_the_same_body_never_looks_the_same():
    assert Sealer(ONE).seal(b"body", "r") != Sealer(ONE).seal(b"body", "r")


def test_a_new_key_takes_over_while_the_old_one_still_opens():
    old = Sealer(ONE).seal(b"old", "r")
    both = Sealer(TWO, older=[ONE])
    assert both.open(old, "r") == b"old"
    new = both.seal(b"new", "r")
    assert new[:2] == bytes((1, key_id(TWO)))
    assert Sealer(TWO).open(new, "r") == b"new"
    with pytest.raises(CannotOpen, match="no key at hand"):
        Sealer(TWO).open(old, "r")


def test_two_keys_with_the_same_id_are_both_tried():
    twin = next(key for number in range(10_000) if key_id(key := number.to_bytes(32)) == key_id(ONE))
    assert Sealer(twin, older=[ONE]).open(Sealer(ONE).seal(b"body", "r"), "r") == b"body"


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length):
    with pytest.raises(KeyUnusable, match="32 octets"):
        Sealer(b"k" * length)


# --- the key file ----------------------------------------------------------------------------------------------------


def test_a_missing_key_is_made_once_and_only_for_us(tmp_path):
    path = tmp_path / "etc" / "hold.key"
    key = load_or_create_key(path, environ={})
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert load_or_create_key(path, environ={}) == key
    assert list(path.parent.iterdir()) == [path]


def test_of_two_makers_both_get_the_same_key(tmp_path):
    keys = []
    threads = [
        threading.Thread(target=lambda: keys.append(load_or_create_key(tmp_path / "k", environ={}))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1


@pytest.mark.parametrize(("octets", "said"), [(b"", "it has 0"), (b"k" * 31, "it has 31"), (b"k" * 40, "it has more")])
def test_a_key_file_of_another_length_is_refused_and_left_alone(tmp_path, octets, said):
    path = tmp_path / "hold.key"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match=said):
        load_or_create_key(path, environ={})
    assert path.read_bytes() == octets


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    path = tmp_path / "hold.key"
    path.write_bytes(ONE)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_or_create_key(path, environ={})


def test_a_key_inside_the_state_folder_is_refused(tmp_path):
    with pytest.raises(KeyUnusable, match="state folder"):
        load_or_create_key(tmp_path / "state" / "sub" / "hold.key", state=tmp_path / "state", environ={})
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "state")
    with pytest.raises(KeyUnusable, match="state folder"):
        load_or_create_key(tmp_path / "link" / "hold.key", state=tmp_path / "state", environ={})


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(KeyUnusable, match="cannot be read"):
        load_or_create_key(tmp_path, environ={})
    with pytest.raises(KeyUnusable, match="cannot be read"):
        (tmp_path / "file").write_bytes(b"")
        load_or_create_key(tmp_path / "file" / "hold.key", environ={})
    with pytest.raises(KeyUnusable, match="plain file"):
        load_or_create_key(Path("/dev/null"), environ={"CREDENTIALS_DIRECTORY": "/dev"})


def test_a_credential_is_read_whatever_its_mode_and_never_made(tmp_path):
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    with pytest.raises(KeyUnusable, match="cannot be read"):
        load_or_create_key(tmp_path / "hold-key", environ=environ)
    assert not list(tmp_path.iterdir())
    (tmp_path / "hold-key").write_bytes(ONE)
    (tmp_path / "hold-key").chmod(0o440)
    assert load_or_create_key(tmp_path / "hold-key", environ=environ) == ONE


@pytest.mark.parametrize("text", [ONE.hex(), ONE.hex().upper() + "\n", base64.b64encode(ONE).decode()])
def test_the_environment_variable_wins(tmp_path, text):
    assert load_or_create_key(tmp_path / "none", environ={KEY_VARIABLE: text}) == ONE
    assert not list(tmp_path.iterdir())


def test_a_wrong_environment_variable_is_refused_without_being_shown(tmp_path):
    with pytest.raises(KeyUnusable) as told:
        load_or_create_key(tmp_path / "none", environ={KEY_VARIABLE: "secret-but-short"})
    assert "secret" not in str(told.value)


# --- in the store ----------------------------------------------------------------------------------------------------


async def test_no_word_of_a_held_mail_or_a_notice_is_in_the_files(sqlite_store, rows):
    secret = b"The launch codes are 7264"
    await sqlite_store.hold(
        rows.hold(raw=secret * 50, token_hash="ab" * 32), rows.entry(), [rows.notice(raw=b"Notice: " + secret)]
    )
    folder = sqlite_store.database.file.parent
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["gateway.db", "gateway.db-shm", "gateway.db-wal"]
    for path in folder.iterdir():
        content = path.read_bytes()
        assert b"launch" not in content and b"codes are" not in content  # four digits are there by chance
        assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (await sqlite_store.held("m1")).raw == secret * 50


async def test_a_body_moved_to_another_row_does_not_open(store, rows):
    for id in ("m1", "m2"):
        await store.hold(rows.hold(id), rows.entry(id), [])
    first = "SELECT sealed FROM hold_bodies WHERE hold_id = 'm1'"
    swap = text(f"UPDATE hold_bodies SET sealed = ({first}) WHERE hold_id = 'm2'")
    await store._writer.run(lambda connection: connection.execute(swap))
    hold = await store.held("m2")
    assert hold.raw is None
    assert "was changed" in hold.detail
    await store.approve("m2", "send", "bob", "", None, rows.now)
    assert (await store.claim_next("me", 600, rows.now)).hold.raw is None


async def test_another_key_is_noticed_at_start(url, open_store, rows):
    await open_store(url, ONE).hold(rows.hold(), rows.entry(), [])
    with pytest.raises(WrongKey, match="key file"):
        open_store(url, TWO)
    rotated = open_store(url, TWO, older_keys=[ONE])
    assert (await rotated.held("m1")).raw == rows.hold().raw
    open_store(url, TWO)


async def test_large_bodies_are_sealed_off_the_loop(store, rows):
    raw = os.urandom(3_000_000)
    await store.hold(rows.hold(raw=raw), rows.entry(), [])
    assert (await store.held("m1")).raw == raw


def test_a_store_with_a_bad_url_says_so():
    for url, said in (("no url", "no URL"), ("sqlite://", "in memory"), ("mysql://x/y", "mysql is not supported")):
        with pytest.raises(StoreAway, match=said):
            Store.open(url, ONE)
