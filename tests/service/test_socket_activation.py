"""Sockets handed over by name, by systemd's own hand: systemd-socket-activate starts `referral-gateway serve`."""

from __future__ import annotations

import asyncio
import shutil
import signal
import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.smtp.sink import Sink
from tests.e2e.house import free_port, mail
from tests.service.manager import Manager, serve
from tests.smtp.certificates import certificate

ACTIVATE = shutil.which("systemd-socket-activate")
T = TypeVar("T")

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(ACTIVATE is None, reason="no systemd-socket-activate here (Debian package systemd)"),
]

DANA, JILL = "dana.cole@acme.example", "jill.amory@acme.example"


def activated(ports: dict[str, int], *variables: str) -> list[str]:
    """The words that open the ports and pass them on under their names, with these variables."""
    listens = [f"--listen=127.0.0.1:{port}" for port in ports.values()]
    kept = [f"--setenv={name}" for name in ("PYTHONPATH", "REFERRAL_GATEWAY_KEY_FILE", "NOTIFY_SOCKET", *variables)]
    return [ACTIVATE or "", *listens, f"--fdname={':'.join(ports)}", *kept]


async def opened(port: int) -> None:
    """Wait until the port listens; a connection wakes the service up, as it should."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def talk(port: int, say: Callable[[smtplib.SMTP], T], trust: Path | None = None) -> T:
    context = ssl.create_default_context(cafile=str(trust)) if trust else None
    kind = smtplib.SMTP(timeout=60) if context is None else smtplib.SMTP_SSL(timeout=60, context=context)
    kind._host = "localhost"  # the name that the certificate must have
    with kind as client:
        client.connect("127.0.0.1", port)
        client.ehlo("client.example")
        return say(client)


async def test_sockets_are_taken_by_name(tmp_path: Path, sink: Sink, listener: Manager) -> None:
    """Four kinds at once: each socket behaves as its name says, and the mail of each arrives behind."""
    cert, key = certificate(tmp_path)
    ports = {name: free_port() for name in ("smtp", "submissions", "proxy-filter", "tap")}
    flags = ("--tls-cert", str(cert), "--tls-key", str(key))
    environ = {"NOTIFY_SOCKET": listener.address}
    async with serve(tmp_path, sink.port, *flags, through=activated(ports), environ=environ) as served:
        await opened(ports["smtp"])
        status = listener.status(await listener.hear("READY"))
        for name, port in ports.items():
            kind = f" ({name})" if name in ("proxy-filter", "tap") else ""
            assert f"127.0.0.1:{port}{kind}" in status
        assert "2525" not in status  # the setting listen is not used

        def deliver(subject: str, starttls: bool = False) -> Callable[[smtplib.SMTP], None]:
            def say(client: smtplib.SMTP) -> None:
                if starttls:
                    client.starttls(context=ssl.create_default_context(cafile=str(cert)))
                client.sendmail(DANA, [JILL], mail(DANA, JILL, subject, "The chair stands in room 4 now.\n"))

            return say

        assert await asyncio.to_thread(talk, ports["smtp"], lambda client: client.has_extn("starttls"))
        assert not await asyncio.to_thread(talk, ports["tap"], lambda client: client.has_extn("starttls"))
        await asyncio.to_thread(talk, ports["smtp"], deliver("plain"))
        await asyncio.to_thread(talk, ports["smtp"], deliver("starttls", starttls=True))
        await asyncio.to_thread(talk, ports["submissions"], deliver("submissions"), cert)
        await asyncio.to_thread(talk, ports["proxy-filter"], deliver("proxy-filter"))
        await asyncio.to_thread(talk, ports["tap"], deliver("tap"))
        arrived = [sunk.raw for sunk in await sink.wait_for(5)]
        for subject in ("plain", "starttls", "submissions", "proxy-filter", "tap"):
            assert sum(b"Subject: %s\r\n" % subject.encode() in raw for raw in arrived) == 1
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0


async def test_a_client_that_comes_before_it_is_ready_is_served(tmp_path: Path, sink: Sink) -> None:
    """The port is open while the service starts, or starts again: its client waits and hears no refusal."""
    ports = {"smtp": free_port()}
    async with serve(tmp_path, sink.port, through=activated(ports)):
        await opened(ports["smtp"])  # wakes it; the client below comes some seconds too early
        sent = mail(DANA, JILL, "Re: Chair", "The chair stands in room 4 now.\n")
        await asyncio.to_thread(talk, ports["smtp"], lambda client: client.sendmail(DANA, [JILL], sent))
        assert len(await sink.wait_for(1)) == 1


async def test_an_unknown_name_is_refused(tmp_path: Path, sink: Sink) -> None:
    """Else a slip in FileDescriptorName= would serve the TLS port in plain text."""
    ports = {"submission": free_port()}
    async with serve(tmp_path, sink.port, through=activated(ports)) as served:
        await opened(ports["submission"])
        assert await served.ended() == 2
        said = served.log.read_text()
    assert "'submission'" in said
    assert "Write: FileDescriptorName=, one of proxy-filter, smtp, smtps, submissions, tap" in said


async def test_submissions_without_a_certificate_is_refused(tmp_path: Path, sink: Sink) -> None:
    ports = {"submissions": free_port()}
    async with serve(tmp_path, sink.port, through=activated(ports)) as served:
        await opened(ports["submissions"])
        assert await served.ended() == 2
        assert "Write: tls_cert" in served.log.read_text()


def test_sockets_for_another_process_are_left_alone() -> None:
    from gateway.supervision import passed_sockets

    assert passed_sockets({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) == []
    assert passed_sockets({}) == []
