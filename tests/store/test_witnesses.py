"""Checkpoints leave the machine: into a file, to a syslog, by mail; and the verifier reads them from there."""

from __future__ import annotations

import json
import mailbox
import socket
import threading
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from gateway import clocks
from gateway.chain.checkpoints import Signer
from gateway.chain.verifier import Unreadable, read_checkpoints
from gateway.keyfile import finish_rotation, new_seed, waiting
from gateway.store.crypto import KeyUnusable
from gateway.values import SYSLOG, SyslogPlace, WrongValue
from gateway.witnesses import CannotKeep, Places, Witnesses, letter, line_of, to_syslog

from .test_chains import SIGNER, checked


def witnesses(store: Any, *, every: float = 0, signer: Any = lambda: SIGNER, **places: Any) -> Witnesses:
    return Witnesses(store, signer, Places(**places), every)


async def test_a_file_gets_each_once_and_what_it_missed(store, rows, tmp_path: Path):
    file = tmp_path / "kept.jsonl"
    watch = witnesses(store, file=file)
    await watch.step()
    assert not file.exists(), "nothing has been written yet"
    for number in (1, 2, 3):
        await store.intend(rows.entry(f"m{number}"))
        await watch.step()
        await watch.step()
    assert [point["n"] for point in read_checkpoints(str(file))] == [1, 2, 3]
    assert checked(store, read_checkpoints(str(file))) == []
    whole = file.read_bytes()
    file.write_bytes(whole.splitlines(keepends=True)[0])
    await watch.step()
    assert file.read_bytes() == whole
    file.unlink()
    await watch.step()
    assert file.read_bytes() == whole


async def test_every_so_often_and_at_once_when_asked(store, rows):
    watch = witnesses(store, every=3600)
    await store.intend(rows.entry("m1"))
    await watch.step()
    await store.intend(rows.entry("m2"))
    await watch.step()
    assert len(store.checkpoints()) == 1
    await watch.step(now=True)
    assert len(store.checkpoints()) == 2


async def test_a_file_of_another_history_is_not_added_to(store, rows, tmp_path: Path):
    file = tmp_path / "kept.jsonl"
    await store.intend(rows.entry("m1"))
    await witnesses(store, file=file).step()
    other = json.loads(file.read_text()) | {"at": "2026-01-01T00:00:00.000000+00:00"}
    file.write_text(json.dumps(other) + "\n")
    await store.intend(rows.entry("m2"))
    store.checkpoint_now(SIGNER)
    with pytest.raises(CannotKeep, match="an older database was put back"):
        Places(file=file).keep(store)
    file.write_text(json.dumps(other | {"n": 99}) + "\n")
    with pytest.raises(CannotKeep, match="an older database was put back"):
        Places(file=file).keep(store)
    file.write_text('{"n": 1, "ki')
    with pytest.raises(CannotKeep, match="whole checkpoint"):
        Places(file=file).keep(store)
    with pytest.raises(CannotKeep, match="No such file"):
        Places(file=tmp_path / "no" / "kept.jsonl").keep(store)


def test_a_syslog_is_a_path_or_a_port():
    read = lambda text: SYSLOG.read(text, Path())  # noqa: E731
    assert read("/dev/log") == SyslogPlace("path", "/dev/log") and read("") is None
    assert str(read("tcp:[2001:db8::1]:601")) == "tcp:[2001:db8::1]:601"
    for wrong in ("log.example.org", "tcp:log.example.org", "udp:x:0", "udp:x:70000", "http:x:80"):
        with pytest.raises(WrongValue):
            read(wrong)


async def test_a_syslog_gets_them_in_frames(store, rows, tmp_path: Path):
    """RFC 6587 §3.4.1 over TCP; what a syslog writes into its file is read again, with lines of others between."""
    got = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    while octets := connection.recv(65536):
                        got.extend(octets)

        thread = threading.Thread(target=take)
        thread.start()
        watch = witnesses(store, syslog=SyslogPlace("tcp", "127.0.0.1", server.getsockname()[1]))
        for number in (1, 2):
            await store.intend(rows.entry(f"m{number}"))
            await watch.step()
        thread.join(10)
    lines = []
    rest = bytes(got)
    while rest:
        length, _, rest = rest.partition(b" ")
        lines.append(rest[: int(length)].decode())
        rest = rest[int(length) :]
    assert len(lines) == 2 and all(line.startswith("<109>1 2") and " referral-gateway " in line for line in lines)
    (tmp_path / "syslog").write_text(
        "\n".join(["Nov 26 host cron[1]: hello", *lines, lines[0]]).partition("\n")[2] + "\n"
    )
    points = read_checkpoints(str(tmp_path / "syslog"))
    assert [point["n"] for point in points] == [1, 2] and checked(store, points) == []


@pytest.mark.parametrize("how", ["path", "udp"])
def test_datagrams(tmp_path: Path, how: str):
    family = socket.AF_UNIX if how == "path" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log") if how == "path" else ("127.0.0.1", 0))
        server.settimeout(10)
        place = (
            SyslogPlace("path", str(tmp_path / "log")) if how == "path" else SyslogPlace("udp", *server.getsockname())
        )
        to_syslog(place, ["one", "two"])  # type: ignore[arg-type]
        assert [server.recv(9999).rpartition(b" ")[2] for _ in range(2)] == [b"one", b"two"]
    with pytest.raises(CannotKeep):
        to_syslog(SyslogPlace("path", str(tmp_path / "gone")), ["three"])


async def test_a_mailbox_gets_each_through_the_outbox_in_the_same_transaction(store, rows, tmp_path: Path):
    woken = []
    watch = witnesses(store, mailbox="auditor@elsewhere.example", sender="gateway@acme.example")
    watch.wake = lambda: woken.append(1)
    for number in (1, 2):
        await store.intend(rows.entry(f"m{number}"))
        await watch.step()
    mails = await store.outbox_due(store._clock(), 10, "me", 60)
    assert len(woken) == len(mails) == 2 and mails[0].rcpt_to == ("auditor@elsewhere.example",)
    box = mailbox.mbox(tmp_path / "mbox")
    for mail in mails:
        message = message_from_bytes(mail.raw)
        assert message["Auto-Submitted"] == "auto-generated" and max(map(len, mail.raw.splitlines())) < 998
        box.add(mailbox.mboxMessage(message))
    box.flush()
    points = read_checkpoints(str(tmp_path / "mbox"))
    assert [point["n"] for point in points] == [1, 2] and checked(store, points) == []


def test_a_letter_survives_a_large_checkpoint():
    heads = [("a" * 16, number, "f" * 64) for number in range(500)]
    made = SIGNER.checkpoint("i" * 32, heads, None, clocks_now())
    mail = letter(made, "auditor@elsewhere.example", "Gateway <gateway@acme.example>")
    attached = message_from_bytes(mail.raw).get_payload()[1]
    assert json.loads(attached.get_payload(decode=True)) == json.loads(line_of(made))
    assert mail.mail_from == "gateway@acme.example"


def clocks_now() -> Any:
    from gateway.store import chains

    return chains.now()


@pytest.mark.parametrize(
    "text", ["", "hello\n", '{"kind": "checkpoint", "n": 1\n', '{"kind": "checkpoint", "n": "x"}\n']
)
def test_what_is_no_checkpoint_is_named(tmp_path: Path, text: str):
    (tmp_path / "kept").write_text(text)
    if not text:
        assert read_checkpoints(str(tmp_path / "kept")) == []
        return
    with pytest.raises(Unreadable, match="kept:1"):
        read_checkpoints(str(tmp_path / "kept"))


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_a_running_gateway_takes_a_new_key_by_itself(store, rows, tmp_path: Path):
    path = tmp_path / "checkpoint.key"
    path.write_bytes(bytes(range(32)))
    watch = witnesses(store, signer=lambda: Signer(path.read_bytes()))
    await store.intend(rows.entry("m1"))
    await watch.step()
    new = new_seed(path)
    store.rotate_now(SIGNER, new, "ada", "every year", "command")
    finish_rotation(path, store)
    assert path.read_bytes() != bytes(range(32)) and not waiting(path).exists()
    await store.intend(rows.entry("m2"))
    await watch.step()
    assert [point["key"] for point in store.checkpoints()] == [SIGNER.public, SIGNER.public, new.public, new.public]
    assert checked(store, store.checkpoints()) == []


async def test_a_rotation_broken_off_is_finished_or_forgotten(store, rows, tmp_path: Path):
    path = tmp_path / "checkpoint.key"
    path.write_bytes(bytes(range(32)))
    await store.intend(rows.entry("m1"))
    new_seed(path)
    finish_rotation(path, store)  # before the log was handed over: nothing has happened
    assert path.read_bytes() == bytes(range(32)) and not waiting(path).exists()
    new = new_seed(path)
    store.rotate_now(SIGNER, new, "ada", "every year", "command")
    assert path.read_bytes() == bytes(range(32)), "the machine stops here"
    finish_rotation(path, store)
    assert Signer(path.read_bytes()).public == new.public
    finish_rotation(path, store)
    with pytest.raises(KeyUnusable):
        new_seed(tmp_path / "checkpoint.key" / "no")


# --- clock ------------------------------------------------------------------------------------------------------------


async def test_jumps_of_the_clock_are_written_down(store):
    wall, steady = [1000.0], [50.0]
    watch = clocks.ClockWatch(store, lambda: wall[0], lambda: steady[0])
    for seconds, moved in ((30, 30.0), (30, 33.0), (30, 3630.0), (30, -30.0), (30, 30.0)):
        steady[0] += seconds
        wall[0] += moved
        await watch.step()
    said = [detail.partition(" s;")[0] for _, what, detail, _ in store.history_of("gateway") if what == "clock-jumped"]
    assert said == ["+3600.0", "-60.0"]
    assert "synchronised" in clocks.source()
    assert checked(store, []) == []
