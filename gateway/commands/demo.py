"""`demo`: the real gateway on embedded defaults with a sink behind it, sample mails, and a table of what happened."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import smtplib
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from gateway.commands.demo_mails import STORIES, Story, agent_mail, question_mail, reply_mail
from gateway.commands.demo_table import Told, recipients, table, verdict_of, what_arrived, why_of
from gateway.commands.serve import event_loop, set_up_log
from gateway.commands.shown import here, plain
from gateway.config import Settings
from gateway.mail.message import Message, read_message
from gateway.resources import shipped
from gateway.service import Service
from gateway.settings_file import load_settings
from gateway.smtp.sink import Sink, SunkMail
from gateway.store.records import AuditRow

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for each step of a story."""

PATIENCE_LEFT = 2.0
"""Seconds for each step once a story has gone wrong: the others most likely go the same way."""

FIRST_PORT = 2525
"""Where the demo listens if it is free; else on a port that the system chooses."""

FIRST_PAGES = 8025
"""The same, for the console."""


def run(*, once: bool, broken_sink: bool = False, console: Console | None = None) -> int:
    """Returns 0 when every sample ended as it should, else 1."""
    with asyncio.Runner(loop_factory=event_loop) as runner:
        return runner.run(_run(once, broken_sink, console or Console()))


async def _run(once: bool, broken_sink: bool, console: Console) -> int:
    with tempfile.TemporaryDirectory(prefix="referral-gateway-demo-") as folder:
        async with Sink(broken=broken_sink) as sink:
            service = Service(_settings(Path(folder), sink))
            await service.start()
            try:
                if once:
                    return await _show(service, sink, once, console)
                async with _pages(service) as (address, password):
                    return await _show(service, sink, once, console, pages=(address, password))
            finally:
                await service.close()


@contextlib.asynccontextmanager
async def _pages(service: Service) -> AsyncIterator[tuple[str, str]]:
    """The console on the demo's own store, in the same process; its address, and the password of its account."""
    from gateway.commands.console import addresses, parts_of
    from gateway.console import passwords
    from gateway.console.app import console as application
    from gateway.console.server import Console as Pages
    from gateway.store.accounts import Account

    password = secrets.token_urlsafe(9)
    stored = await asyncio.to_thread(passwords.hash_of, password)
    account = Account("demo", "Ada Demo", "", "admin", (), datetime.now(UTC), stored)
    await asyncio.to_thread(service.store.add_account, account, "demo", here())
    settings = service.settings
    parts = parts_of(settings, service.store, service.rules, service.settling, service.letters)
    pages = Pages(application(parts), settings.console_listen)
    await pages.open()
    try:
        yield addresses(settings, pages.ports)[0], password
    finally:
        await pages.close()


def _settings(folder: Path, sink: Sink) -> Settings:
    """Embedded defaults: SQLite and key in a folder that goes with the demo, the example site, a tap."""
    flags = {
        "listen": [f"127.0.0.1:{_free_port()}"],
        "tap": ["127.0.0.1:0"],
        "upstream": f"127.0.0.1:{sink.port}",
        "tap_upstream": f"127.0.0.1:{sink.port}",
        "state": str(folder / "state"),
        "key_file": str(folder / "keys" / "hold.key"),
        "site": str(shipped("policies") / "site.yaml"),
        "hostname": "gateway.acme.example",
        "console_listen": [f"127.0.0.1:{_free_port(FIRST_PAGES)}"],
        "log_level": "error",
        "shutdown_grace": "2s",
    }
    settings = load_settings(flags, {"HOME": str(folder)}, None)
    set_up_log(settings)
    return settings


def _free_port(first: int = FIRST_PORT) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", first))
        except OSError:
            return 0
        return first


async def _show(
    service: Service, sink: Sink, once: bool, console: Console, pages: tuple[str, str] | None = None
) -> int:
    port, tap = (server.port for server in service.doors.servers)
    console.print(f"The gateway listens on [bold]127.0.0.1:{port}[/] (inbound tap: 127.0.0.1:{tap}).")
    told: list[Told] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("sending sample mails over SMTP", total=len(STORIES))
        for number, story in enumerate(STORIES, 1):
            patience = PATIENCE_LEFT if any(each.wrong for each in told) else PATIENCE
            told.append(await _play(service, sink, story, number, port, tap, patience))
            progress.advance(task)
    console.print(table(told, console.width))
    wrong = [each for each in told if each.wrong]
    for each in wrong:
        console.print(f"[bold red]not as it should be:[/] {each.story.title}: {each.wrong}", soft_wrap=True)
    if not wrong:
        console.print(f"All {len(told)} samples ended as they should, as read back from the sink and the audit log.")
    if not once:
        await _stay(service, sink, port, console, pages)
    return 1 if wrong else 0


# --- playing a story -------------------------------------------------------------------------------------------------


async def _play(service: Service, sink: Sink, story: Story, number: int, port: int, tap: int, patience: float) -> Told:
    """Send one story through real sockets, settle it if it is held, and read back how it ended."""
    now = datetime.now(UTC)
    requester, agent = _bare(story.requester), _bare(story.agent)
    before = len(sink.messages)
    known = {row.entry.id for row in service.store.audit_list()}
    try:
        await _send(tap, requester, ["it-support@acme.example"], question_mail(story, number, now))
        to = [_bare(each) for each in (story.to, story.cc) if each]
        await _send(port, agent, to, agent_mail(story, number, now))
        row = await _until(lambda: _judged(service, agent, known), "no audit row", patience)
        if row.entry.disposition == "hold" and story.reply:
            notice = await _until(lambda: _notice(sink, before, agent), "no notice arrived", patience)
            answer_to = notice.reply_to[0].address
            await _send(port, agent, [answer_to], reply_mail(story, answer_to, now))
        row = await _until(lambda: _ended(service, row.entry.id), "nothing became of it", patience)
        if row.outcome not in ("held", "in-doubt"):
            await _until(lambda: _arrived(sink, before, row.entry.message_id), "nothing arrived at the sink", patience)
    except (_NeverCame, OSError, smtplib.SMTPException) as failed:
        return Told(story, "?", "", "nothing", f"{failed}")
    arrived = _arrived(sink, before, row.entry.message_id)
    return Told(story, verdict_of(row), why_of(row), what_arrived(arrived), _difference(story, row, arrived))


class _NeverCame(Exception):
    """Something did not happen in time."""


async def _until(look: Callable[[], T | None], otherwise: str, patience: float) -> T:
    """Look until there is something. Raises _NeverCame."""
    try:
        async with asyncio.timeout(patience):
            while (found := await asyncio.to_thread(look)) is None:  # noqa: ASYNC110 (other threads make it come)
                await asyncio.sleep(0.02)
    except TimeoutError as late:
        raise _NeverCame(otherwise) from late
    return found


async def _send(port: int, mail_from: str, rcpt_to: Sequence[str], raw: bytes) -> None:
    """With the standard library's client, as any program would."""

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
            client.sendmail(mail_from, list(rcpt_to), raw)

    await asyncio.to_thread(send)


# --- reading back ----------------------------------------------------------------------------------------------------


def _judged(service: Service, agent: str, known: set[str]) -> AuditRow | None:
    rows = service.store.audit_list()
    return next((row for row in rows if row.entry.id not in known and row.entry.agent == agent), None)


def _ended(service: Service, mail_id: str) -> AuditRow | None:
    row = service.store.audit_show(mail_id)
    return row if row is not None and row.outcome not in ("pending", "held") else None


def _notice(sink: Sink, before: int, agent: str) -> Message | None:
    """The notice that came to the agent; it names the address that answers go to."""
    for mail in sink.messages[before:]:
        if recipients(mail) == (agent,) and (message := read_message(mail.raw)).reply_to:
            return message
    return None


def _arrived(sink: Sink, before: int, message_id: str) -> SunkMail | None:
    return next((mail for mail in sink.messages[before:] if read_message(mail.raw).message_id == message_id), None)


def _difference(story: Story, row: AuditRow, arrived: SunkMail | None) -> str:
    """What is not as the story says; "" when all is."""
    if row.entry.disposition != story.verdict:
        return f"the verdict is {row.entry.disposition}, not {story.verdict}: {row.entry.reason}"
    if row.outcome != story.ending:
        return f"it was {row.outcome}, not {story.ending}"
    if arrived is None:
        return "nothing arrived at the sink"
    if sorted(recipients(arrived)) != sorted(story.arrives_at):
        return f"it arrived at {', '.join(recipients(arrived))}, not at {', '.join(story.arrives_at)}"
    copied = {who.key for who in read_message(arrived.raw).cc}
    missing = set(story.cc_after) - copied
    return f"{', '.join(missing)} is not in Cc" if missing else ""


# --- staying up ------------------------------------------------------------------------------------------------------


async def _stay(service: Service, sink: Sink, port: int, console: Console, pages: tuple[str, str] | None) -> None:
    """Until Ctrl-C: whatever comes is judged, and what leaves is told."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # where loops know no signals, Ctrl-C ends it all the same
            loop.add_signal_handler(number, stop.set)
    _invite(port, console, pages)
    shown, left = {row.entry.id for row in service.store.audit_list()}, len(sink.messages)
    while not stop.is_set():
        for row in reversed(await asyncio.to_thread(service.store.audit_list)):
            if row.entry.id not in shown:
                shown.add(row.entry.id)
                _show_verdict(row, console)
        for mail in sink.messages[left:]:
            left += 1
            _show_mail(mail, console)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.2)


def _invite(port: int, console: Console, pages: tuple[str, str] | None) -> None:
    if pages is not None:
        console.print(f"\nThe auditors' console: {pages[0]}", soft_wrap=True, highlight=False, markup=False)
        console.print(f"Log in as demo, password {pages[1]}", soft_wrap=True, highlight=False, markup=False)
    for words, is_prose in (
        (f"\nNow send your own to 127.0.0.1:{port} with any mail client, for instance:\n", True),
        (f"  swaks --server 127.0.0.1:{port} --from dana.cole@acme.example \\", False),
        ('    --to jill.amory@acme.example --header "Subject: Re: Chair" --body "No."\n', False),
        ("Answer the note that it brings in the same way, with --to the address in Reply-To and --body DISCARD.", True),
        ("What the gateway decides and what leaves it is shown here. Ctrl-C ends the demo.", True),
    ):
        console.print(words, soft_wrap=not is_prose, highlight=False, markup=False)


def _show_verdict(row: AuditRow, console: Console) -> None:
    entry = row.entry
    console.print()
    console.rule(f"{verdict_of(row)}  {escape(plain(entry.subject))}, from {escape(plain(entry.agent))}", align="left")
    console.print(why_of(row), highlight=False)


def _show_mail(mail: SunkMail, console: Console) -> None:
    message = read_message(mail.raw)
    console.print()
    console.rule(f"left for {escape(plain(', '.join(recipients(mail))))}", align="left", characters="┄")
    for name in ("From", "To", "Cc", "Reply-To", "Subject"):
        if message.get(name):
            console.print(f"{name}: {plain(message.get(name) or '')}", markup=False, highlight=False, soft_wrap=True)
    text = next((part.text for part in message.parts if part.text), "")
    lines = "\n".join(plain(line) for line in text.rstrip().split("\n"))
    console.print(f"\n{lines}", markup=False, highlight=False, soft_wrap=True)


def _bare(mailbox: str) -> str:
    return parseaddr(mailbox)[1]
