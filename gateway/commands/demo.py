"""`demo`: the real gateway on embedded defaults with a sink behind it, sample mails, and a table of what happened."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import smtplib
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from gateway.commands.demo_mails import STORIES, Story, agent_mail, question_mail, reply_mail
from gateway.commands.serve import event_loop, set_up_log
from gateway.config import Settings
from gateway.mail.message import Message, read_message
from gateway.resources import shipped
from gateway.service import Service
from gateway.settings_file import load_settings
from gateway.smtp.sink import Sink, SunkMail
from gateway.store.records import AuditRow

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for one story to come to its end."""

FIRST_PORT = 2525
"""Where the demo listens if it is free; else on a port that the system chooses."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the table: how a story ended, as sink and store say it. `wrong` is empty when all is well."""

    story: Story
    verdict: str
    why: str
    arrived: str
    wrong: str = ""


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
                return await _show(service, sink, once, console)
            finally:
                await service.close()


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
        "log_level": "error",
        "shutdown_grace": "2s",
    }
    settings = load_settings(flags, {"HOME": str(folder)}, None)
    set_up_log(settings)
    return settings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", FIRST_PORT))
        except OSError:
            return 0
        return FIRST_PORT


async def _show(service: Service, sink: Sink, once: bool, console: Console) -> int:
    port, tap = (server.port for server in service.doors.servers)
    console.print(f"The gateway listens on [bold]127.0.0.1:{port}[/] (inbound tap: 127.0.0.1:{tap}).")
    told: list[Told] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("sending sample mails over SMTP", total=len(STORIES))
        for number, story in enumerate(STORIES, 1):
            told.append(await _play(service, sink, story, number, port, tap))
            progress.advance(task)
    console.print(_table(told))
    wrong = [each for each in told if each.wrong]
    for each in wrong:
        console.print(f"[bold red]not as it should be:[/] {each.story.title}: {each.wrong}", soft_wrap=True)
    if not wrong:
        console.print(f"All {len(told)} samples ended as they should, as read back from the sink and the audit log.")
    if not once:
        await _stay(sink, port, console)
    return 1 if wrong else 0


# --- playing a story -------------------------------------------------------------------------------------------------


async def _play(service: Service, sink: Sink, story: Story, number: int, port: int, tap: int) -> Told:
    """Send one story through real sockets, settle it if it is held, and read back how it ended."""
    now = datetime.now(UTC)
    requester, agent = _bare(story.requester), _bare(story.agent)
    before = len(sink.messages)
    known = {row.entry.id for row in service.store.audit_list()}
    try:
        await _send(tap, requester, ["it-support@acme.example"], question_mail(story, number, now))
        to = [_bare(each) for each in (story.to, story.cc) if each]
        await _send(port, agent, to, agent_mail(story, number, now))
        row = await _until(lambda: _judged(service, agent, known), "no audit row")
        if row.entry.disposition == "hold" and story.reply:
            notice = await _until(lambda: _notice(sink, before, agent), "no notice arrived")
            answer_to = notice.reply_to[0].address
            await _send(port, agent, [answer_to], reply_mail(story, answer_to, now))
        row = await _until(lambda: _ended(service, row.entry.id), "nothing became of it")
        if row.outcome not in ("held", "in-doubt"):
            await _until(lambda: _arrived(sink, before, row.entry.message_id), "nothing arrived at the sink")
    except (_NeverCame, OSError, smtplib.SMTPException) as failed:
        return Told(story, "?", "", "nothing", f"{failed}")
    arrived = _arrived(sink, before, row.entry.message_id)
    return Told(story, _verdict(row), _why(row), _what(arrived), _difference(story, row, arrived))


class _NeverCame(Exception):
    """Something did not happen in time."""


async def _until(look: Callable[[], T | None], otherwise: str) -> T:
    """Look until there is something. Raises _NeverCame."""
    try:
        async with asyncio.timeout(PATIENCE):
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
        if _recipients(mail) == (agent,) and (message := read_message(mail.raw)).reply_to:
            return message
    return None


def _arrived(sink: Sink, before: int, message_id: str) -> SunkMail | None:
    return next((mail for mail in sink.messages[before:] if read_message(mail.raw).message_id == message_id), None)


def _recipients(mail: SunkMail) -> tuple[str, ...]:
    return tuple(argument.partition(b">")[0].lstrip(b"<").decode().lower() for argument in mail.rcpt_args)


def _difference(story: Story, row: AuditRow, arrived: SunkMail | None) -> str:
    """What is not as the story says; "" when all is."""
    if row.entry.disposition != story.verdict:
        return f"the verdict is {row.entry.disposition}, not {story.verdict}: {row.entry.reason}"
    if row.outcome != story.ending:
        return f"it was {row.outcome}, not {story.ending}"
    if arrived is None:
        return "nothing arrived at the sink"
    if sorted(_recipients(arrived)) != sorted(story.arrives_at):
        return f"it arrived at {', '.join(_recipients(arrived))}, not at {', '.join(story.arrives_at)}"
    copied = {who.key for who in read_message(arrived.raw).cc}
    missing = set(story.cc_after) - copied
    return f"{', '.join(missing)} is not in Cc" if missing else ""


# --- showing ---------------------------------------------------------------------------------------------------------


def _table(told: Sequence[Told]) -> Table:
    table = Table(title="Six mails of support agents", title_justify="left", expand=False, show_lines=True)
    table.add_column("mail", max_width=34)
    table.add_column("verdict", max_width=16)
    table.add_column("why", max_width=52)
    table.add_column("what arrived", max_width=40)
    for each in told:
        words = max(each.story.answer.split("\n\n"), key=len).replace("\n", " ")
        mark = "[red]✗[/] " if each.wrong else ""
        table.add_row(
            f"{mark}[bold]{each.story.title}[/]\n\"{words[:90]}{'…' if len(words) > 90 else ''}\"",
            each.verdict, each.why, each.arrived,
        )  # fmt: skip
    return table


def _verdict(row: AuditRow) -> str:
    colour = {"pass": "green", "rewrite": "cyan", "hold": "yellow", "reject": "red"}[row.entry.disposition]
    later = f", then {row.outcome}" if row.entry.disposition == "hold" else ""
    return f"[{colour}]{row.entry.disposition}[/]{later}"


def _why(row: AuditRow) -> str:
    if not row.entry.findings:
        return "nothing that would leave anybody waiting"
    finding = row.entry.findings[0]
    words = "; ".join(f"\"{span['text']}\"" for span in finding["evidence"][:2] if span["text"])
    return f"[bold]{finding['policy']}[/]: {finding['why']}" + (f"\n{words}" if words else "")


def _what(arrived: SunkMail | None) -> str:
    if arrived is None:
        return "nothing"
    copied = ", ".join(who.address for who in read_message(arrived.raw).cc)
    return "to " + ", ".join(_recipients(arrived)) + (f"\nCc: {copied}" if copied else "")


# --- staying up ------------------------------------------------------------------------------------------------------


async def _stay(sink: Sink, port: int, console: Console) -> None:
    """Until Ctrl-C: whatever comes is judged, and what leaves is told."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    console.print(
        f"\nNow send your own to 127.0.0.1:{port}, as dana.cole@acme.example, for instance:\n"
        f"  swaks --server 127.0.0.1:{port} --from dana.cole@acme.example --to jill.amory@acme.example "
        '--header "Subject: Re: Chair" --body "No."\n'
        "What leaves the gateway is shown here. Ctrl-C ends the demo.",
        soft_wrap=True, highlight=False, markup=False,
    )  # fmt: skip
    seen = len(sink.messages)
    while not stop.is_set():
        for mail in sink.messages[seen:]:
            message = read_message(mail.raw)
            console.rule(f"left for {', '.join(_recipients(mail))}", align="left")
            for name in ("From", "To", "Cc", "Reply-To", "Subject"):
                if message.get(name):
                    console.print(f"{name}: {message.get(name)}", markup=False, highlight=False, soft_wrap=True)
            text = next((part.text for part in message.parts if part.text), "")
            console.print(f"\n{text.rstrip()}", markup=False, highlight=False, soft_wrap=True)
        seen = len(sink.messages)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.2)


def _bare(mailbox: str) -> str:
    return parseaddr(mailbox)[1]
