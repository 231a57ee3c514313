"""A whole gateway for tests: the real service on a loopback port, its own state, and a sink behind it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from unittest import mock

from gateway.mail.message import Message, read_message
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.resources import shipped
from gateway.service import Service
from gateway.settings_file import load_settings
from gateway.smtp.sink import Sink, SunkMail
from gateway.template_files import Templates, load_templates
from tests import databases
from tests.e2e.mother import ForkedNursery


@dataclass
class House:
    """`port` takes outgoing mail, `tap` inbound mail; `sink` is what stands behind both."""

    service: Service
    sink: Sink
    port: int
    tap: int
    state: Path
    said: list[bytes] = field(default_factory=list)

    async def send(self, mail_from: str, rcpt_to: list[str], raw: bytes, *, port: int = 0) -> tuple[int, str]:
        """One mail in raw octets, dots stuffed here; gives the reply to the final dot (or the first refusal)."""
        async with connection(port or self.port) as talk:
            await talk.command(b"EHLO client.example")
            for line in (b"MAIL FROM:<%s>" % mail_from.encode(), *(b"RCPT TO:<%s>" % to.encode() for to in rcpt_to)):
                code, text = await talk.command(line)
                if code >= 400:
                    return code, text
            code, text = await talk.command(b"DATA")
            if code != 354:
                return code, text
            return await talk.content(raw)

    async def arrived(self, count: int) -> list[Message]:
        return [read_message(mail.raw) for mail in await self.sink.wait_for(count)]

    def to(self, address: str) -> list[SunkMail]:
        """What the sink took for this recipient."""
        return [mail for mail in self.sink.messages if any(address.encode() in arg for arg in mail.rcpt_args)]

    async def wait_to(self, address: str, count: int = 1) -> list[SunkMail]:
        async with asyncio.timeout(10):
            while len(self.to(address)) < count:
                await asyncio.sleep(0.02)
        return self.to(address)

    def audit(self) -> list[Any]:
        return self.service.store.audit_list()


class Talk:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> tuple[int, str]:
        lines = []
        async with asyncio.timeout(30):
            while True:
                line = await self.reader.readline()
                if not line:
                    raise ConnectionError("closed")
                lines.append(line[4:].decode("utf-8", "replace").rstrip())
                if line[3:4] != b"-":
                    return int(line[:3]), "\n".join(lines)

    async def command(self, line: bytes) -> tuple[int, str]:
        self.writer.write(line + b"\r\n")
        return await self.reply()

    async def content(self, raw: bytes) -> tuple[int, str]:
        stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
        self.writer.write(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return await self.reply()


@functools.cache
def _shipped_rules(site: Path | None) -> PolicySet:
    """Loaded once: they never change under the tests."""
    rules = load_policies(shipped("policies"), site, shipped=shipped("policies"), templates=None, run=False)
    gc.freeze()  # they are many objects, and stay to the end
    return rules


def quick_load(policies: Path, site: Path | None, **more: Any) -> PolicySet:
    """The policies without their examples, which are run elsewhere and take most of the time of a start."""
    usual = (None, shipped("policies") / "site.yaml")
    if policies == shipped("policies") and site in usual and more.get("templates") is None:
        return _shipped_rules(site)
    return load_policies(policies, site, run=False, **more)


@functools.cache
def _shipped_templates() -> Templates:
    return load_templates(shipped("templates"))


def quick_templates(*folders: Path) -> Templates:
    """The shipped ones are loaded once, and compiled once."""
    return _shipped_templates() if folders == (shipped("templates"),) else load_templates(*folders)


@contextlib.asynccontextmanager
async def connection(port: int) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    talk = Talk(reader, writer)
    try:
        await talk.reply()
        yield talk
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def house(
    tmp_path: Path, *, sink: Sink | None = None, clock: Any = None, **settings: Any
) -> AsyncIterator[House]:
    """Start everything, stop everything. `settings` are settings by name; `site=""` names no site."""
    async with sink or Sink() as behind:
        flags = {
            "listen": ["127.0.0.1:0"],
            "tap": ["127.0.0.1:0"],
            "tap_upstream": f"127.0.0.1:{behind.port}",
            "upstream": f"127.0.0.1:{behind.port}",
            "state": str(tmp_path / "state"),
            "site": str(shipped("policies") / "site.yaml"),
            "hostname": "gw.acme.example",
            "reload_watch": False,
            **settings,
        }
        environ = {"REFERRAL_GATEWAY_KEY_FILE": str(tmp_path / "keys" / "hold.key"), "HOME": str(tmp_path)}
        loaded = load_settings({name: value for name, value in flags.items() if value is not None}, environ, None)
        service = Service(loaded, **({"clock": clock} if clock else {}))
        with (
            mock.patch("gateway.service.load_policies", quick_load),
            mock.patch("gateway.service.load_templates", quick_templates),
            mock.patch("gateway.store.engine.Database.create", databases.create),
        ):
            await service.start()
        service.readers._new = ForkedNursery
        ports = [server.port for server in service.doors.servers]
        try:
            yield House(service, behind, ports[0], ports[-1], tmp_path / "state")
        finally:
            await service.close()


def mail(
    sender: str,
    to: str,
    subject: str,
    text: str,
    *,
    cc: str = "",
    message_id: str = "",
    reply_to: str = "",
    at: datetime | None = None,
    **headers: str,
) -> bytes:
    """A plain mail with CRLF line ends, written now or `at` some other time."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    if cc:
        message["Cc"] = cc
    message["Subject"] = subject
    message["Date"] = format_datetime(at or datetime.now(UTC))
    if message_id:
        message["Message-ID"] = message_id
    if reply_to:
        message["In-Reply-To"] = reply_to
        message["References"] = reply_to
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
