"""Witnesses: checkpoints of the log go where this machine cannot take them back: a file, a syslog, a mailbox.

The file is its own memory: what it lacks is appended. Mail is enqueued in the transaction that makes the checkpoint.
A syslog is told of each as it is made, and of the newest at every start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

import structlog

from gateway.chain.checkpoints import Signer, digest
from gateway.store.crypto import KeyUnusable
from gateway.store.errors import StoreAway
from gateway.store.proving import Checkpoint
from gateway.store.records import OutMail
from gateway.store.store import Store
from gateway.store.witness import OtherKey
from gateway.values import SyslogPlace

log = structlog.get_logger("gateway.witnesses")

LOOK_SECONDS = 30.0
"""How often it is looked whether a checkpoint is due: short, so that a stop loses little."""
SYSLOG_SECONDS = 5.0
PRIORITY = 13 * 8 + 5
"""Facility "log audit", severity "notice" (RFC 5424 §6.2.1)."""


class CannotKeep(Exception):
    """A witness cannot take a checkpoint; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where checkpoints go; all of them, or none."""

    file: Path | None = None
    syslog: SyslogPlace | None = None
    mailbox: str = ""
    sender: str = ""

    def letters(self, made: Checkpoint) -> Sequence[OutMail]:
        """The mail that carries a checkpoint, where one is wanted."""
        return (letter(made, self.mailbox, self.sender),) if self.mailbox else ()

    def keep(self, store: Store) -> None:
        """Bring the file up to date. Blocks. Raises CannotKeep, StoreAway."""
        if self.file is not None:
            append(self.file, store)


def line_of(checkpoint: Checkpoint) -> str:
    """A checkpoint as one line of JSON."""
    return json.dumps(checkpoint, sort_keys=True)


# --- file -------------------------------------------------------------------------------------------------------------


def append(file: Path, store: Store) -> None:
    """Append what the file lacks, durably. Raises CannotKeep where file and log tell two histories."""
    try:
        last = _last(file)
        if last is not None:
            known = store.checkpoints(last["n"] - 1)[:1]
            if not known or digest(known[0]) != digest(last):
                raise CannotKeep(
                    f"{file} ends with checkpoint {last['n']}, and the log has another or none of that number: "
                    "an older database was put back, or this file is of another gateway"
                )
        fresh = store.checkpoints(last["n"] if last else 0)
        if not fresh:
            return
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(handle, "wb") as out:
            out.write("".join(line_of(each) + "\n" for each in fresh).encode())
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise CannotKeep(f"{file}: {error.strerror or error}") from error


def _last(file: Path) -> dict[str, Any] | None:
    """The last whole line of a file of checkpoints; None where there is no file, or nothing in it."""
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, file.stat().st_size - 1_000_000))
            tail = lines.read().splitlines()
    except FileNotFoundError:
        return None
    if not tail:
        return None
    try:
        found = json.loads(tail[-1])
        return {"n": int(found["n"])} | found
    except (ValueError, TypeError, KeyError):
        raise CannotKeep(f"{file} does not end with a whole checkpoint: move it away, and a new one is begun") from None


# --- syslog -----------------------------------------------------------------------------------------------------------


def to_syslog(
    place: SyslogPlace, texts: Iterable[str], *, kind: str = "checkpoint", at: datetime | None = None
) -> None:
    """Send lines to a syslog (RFC 5424), each with one frame or datagram. Blocks. Raises CannotKeep."""
    try:
        with contextlib.closing(_connected(place)) as sock:
            for text in texts:
                octets = syslog_line(text, kind=kind, at=datetime.now(UTC))
                # RFC 6587 §3.4.1: over a stream, the length stands in front
                sock.sendall(b"%d " % len(octets) + octets if place.how == "tcp" else octets)
    except OSError as error:
        raise CannotKeep(f"syslog {place}: {error.strerror or error}") from error


def syslog_line(text: str, *, kind: str, at: datetime) -> bytes:
    """RFC 5424 §6: one line for one text."""
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    host = socket.gethostname()[:255] or "-"
    return f"<{PRIORITY}>1 {stamp} {host} referral-gateway {os.getpid()} {kind} - {text}".encode()


def _connected(place: SyslogPlace) -> socket.socket:
    if place.how == "path":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.settimeout(SYSLOG_SECONDS)
        sock.connect(place.host)
        return sock
    if place.how == "tcp":
        return socket.create_connection((place.host, place.port), SYSLOG_SECONDS)
    family, kind, protocol, _, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, kind, protocol)
    sock.settimeout(SYSLOG_SECONDS)
    sock.connect(address)
    return sock


# --- mail -------------------------------------------------------------------------------------------------------------

_WORDS = """\
This is checkpoint {n} of the log of the referral gateway {instance}.

Please keep this mail where the people who run the gateway cannot change it.
With it, "python3 verifier.py --key KEY --checkpoints MAILBOX EXPORT" shows
whether anything in the log was changed, removed or put in since then.
"""


def letter(made: Checkpoint, mailbox: str, sender: str) -> OutMail:
    """A checkpoint as a mail, with the line of JSON attached."""
    name, address = parseaddr(sender)
    at = datetime.fromisoformat(made["at"])
    message = EmailMessage(SMTP)
    message["From"] = f"{name or 'Referral gateway'} <{address}>"
    message["To"] = mailbox
    message["Subject"] = f"Checkpoint {made['n']} of the referral gateway {made['instance'][:8]}"
    message["Date"] = format_datetime(at)
    id = f"c-{made['instance'][:12]}-{made['n']}"
    message["Message-ID"] = f"<{id}@{address.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    message.set_content(_WORDS.format(n=made["n"], instance=made["instance"]))
    message.add_attachment(
        (line_of(made) + "\n").encode(), "application", "json", filename=f"checkpoint-{made['n']}.json"
    )
    return OutMail(id, address, (mailbox,), message.as_bytes(), "checkpoint", "log", at)


# --- inside serve -----------------------------------------------------------------------------------------------------


class Witnesses:
    """Makes checkpoints and brings them away while the gateway runs. `wake` is called when there is mail to send."""

    def __init__(self, store: Store, signer: Callable[[], Signer], places: Places, every: float) -> None:
        self._store, self._load, self._places = store, signer, places
        self._every = timedelta(seconds=every)
        self._signer: Signer | None = None
        self._told = ""
        self._untold: list[Checkpoint] | None = None
        self.wake: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Until cancelled. What is away only delays it."""
        while True:
            await self.step()
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self, *, now: bool = False) -> None:
        """Make a checkpoint if one is due (`now`: if anything is new), and bring away what is not there yet."""
        try:
            made = await self._make(timedelta() if now else self._every)
            if made is not None and self._places.mailbox:
                self.wake()
            await asyncio.to_thread(self._places.keep, self._store)
            await asyncio.to_thread(self._to_syslog, made)
            self._told = ""
        except (CannotKeep, KeyUnusable, StoreAway) as error:
            if str(error) != self._told:  # once, not every half minute
                self._told = str(error)
                log.error("no checkpoints, or they are not kept elsewhere", why=str(error))
        except Exception:
            log.exception("fault while a checkpoint was made; will try again")

    async def _make(self, every: timedelta) -> Checkpoint | None:
        if self._signer is not None:
            with contextlib.suppress(OtherKey):  # it was rotated meanwhile: the file has the new one
                return await self._store.checkpoint(self._signer, every, letters=self._places.letters)
        self._signer = await asyncio.to_thread(self._load)
        return await self._store.checkpoint(self._signer, every, letters=self._places.letters)

    def _to_syslog(self, made: Checkpoint | None) -> None:
        if self._places.syslog is None:
            return
        if self._untold is None:  # the first time: whoever missed it gets the newest again
            self._untold = [each for each in (self._store.integrity().newest,) if each is not None and each != made]
        if made is not None:
            self._untold.append(made)
        if self._untold:
            to_syslog(self._places.syslog, map(line_of, self._untold))
            self._untold.clear()
