"""`explain`: what the gateway would do with a mail, and why."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from gateway.commands.options import with_settings
from gateway.commands.shown import FINE, FOUND, OURS, USER, console, plain, print_json
from gateway.config import Settings

if TYPE_CHECKING:
    from rich.text import Text

    from gateway.mail.span import Span
    from gateway.policy.decide import Decision, Fix
    from gateway.reading.reader import Reading

STYLES = {"pass": "bold green", "rewrite": "bold cyan", "hold": "bold yellow", "reject": "bold red"}
NOTED = 60
"""Characters shown around a piece of evidence, on each side; and of a piece itself in a list."""
FACT = 22
"""Columns for a fact's name and value."""


@with_settings("site", "policies", "templates", "observe")
def explain(
    settings: Settings,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Mails, or folders with message.eml")],
    envelope: Annotated[
        Optional[Path], typer.Option("--envelope", help="JSON with mail_from and rcpt_to; default: the headers")  # noqa: UP045
    ] = None,
    context: Annotated[
        Optional[Path], typer.Option("--context", help="Folder with the thread's earlier messages")  # noqa: UP045
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each PATH")] = False,
) -> None:
    """Say what would happen to a mail, and why.

    Exit code 0: it would pass; 1: it would not; 2: a PATH cannot be read; 3: our own fault; the highest counts.
    """
    from gateway.cases import CannotRead, judge, read_case
    from gateway.commands.files import read_policies
    from gateway.record import facts_told, report

    policies = read_policies(settings)
    worst = FINE
    for path in paths:
        try:
            reading, decision = judge(
                read_case(path, envelope=envelope, context=context), policies, observe=settings.observe
            )
        except CannotRead as cannot:
            worst = max(worst, USER)
            _tell_error(path, str(cannot), json)
            continue
        except Exception as fault:
            worst = max(worst, OURS)
            _tell_error(path, f"a fault of the gateway, not of the mail: {type(fault).__name__}: {fault}", json)
            continue
        worst = max(worst, FOUND if decision.disposition != "pass" else FINE)
        if json:
            perhaps = {"hints": facts_told(reading.hints)} if reading.hints else {}
            print_json({"path": str(path), **report(reading, decision), **perhaps})
        else:
            _show(path, reading, decision, example=settings.site is None)
    raise typer.Exit(worst)


def _tell_error(path: Path, what: str, json: bool) -> None:
    if json:
        print_json({"path": str(path), "error": what})
    else:
        print(what if what.startswith(str(path)) else f"{path}: {what}", file=sys.stderr)


def _show(path: Path, reading: Reading, decision: Decision, *, example: bool) -> None:
    """The report for people; evidence stands between » and « in its line. `example`: the shipped site file is used."""
    from rich.text import Text

    out = console()
    head = Text.assemble((decision.disposition.upper(), STYLES[decision.disposition]), "  ", plain(str(path)))
    if not reading.judged:
        out.print(head)
        out.print(f"  not judged: {reading.why_not}")
        if not reading.message.headers:
            out.print("  note: this does not look like a mail; it has no header")
        elif reading.agent is None and example:
            out.print("  note: this is by the example site file; name your own with --site FILE")
        return
    out.print(head)
    agent, requester = reading.agent, reading.requester
    if agent:
        out.print(f"  agent      {plain(str(agent.mailbox))}, {agent.team}")
    if requester is None:
        out.print("  requester  nobody found")
    else:
        out.print(f"  requester  {plain(str(requester.mailbox))}, {requester.grade}")
        if requester.how:
            out.print(f"             {plain(requester.how)}")
        for span in requester.evidence[:1]:
            out.print(Text.assemble("             ", quoted(span)))
    for finding in decision.findings:
        mode = "" if finding.mode == "enforce" else ", exempt" if finding.exempt else ", observed only"
        out.print()
        out.print(Text.assemble("  ", (finding.policy, "bold"), f" ({finding.do}{mode})"))
        out.print(f"    {plain(finding.why)}")
        out.print(f"    because of: {', '.join(finding.facts) or 'what is not there'}{_sure(finding.confidence)}")
        for span in outermost(finding.evidence):
            out.print(Text.assemble("    | ", marked(span, reading)))
        if finding.would_pass:
            out.print(f"    {plain(finding.would_pass)}")
        if finding.fix is not None:
            out.print(f"    fix: {_fix(finding.fix)}")
    if decision.notify_supervisor:
        out.print("\n  the supervisor is told")
    if reading.facts:
        out.print()
        out.print("  facts      each with its words and their place: [part, start to end in characters]")
        for name, fact in sorted(reading.facts.items()):
            _show_fact(_fact(name, fact.value) + _sure(fact.confidence), outermost(fact.evidence))
    if reading.hints:
        out.print("  perhaps    too unsure to be a fact; it stops nothing, and excuses")
        for name, fact in sorted(reading.hints.items()):
            _show_fact(_fact(name, fact.value) + _sure(fact.confidence), outermost(fact.evidence))
    out.print(f"  language   {reading.lang or 'unknown'}")


def outermost(spans: Sequence[Span]) -> list[Span]:
    """The spans without those that lie inside another."""
    return [
        span
        for span in dict.fromkeys(spans)
        if not any(
            other.part == span.part
            and other.start <= span.start
            and span.end <= other.end
            and (other.start, other.end) != (span.start, span.end)
            for other in spans
        )
    ]


def _show_fact(fact: str, spans: Sequence[Span]) -> None:
    """One fact, each piece of its evidence on a line; a long value has the first line to itself."""
    from rich.text import Text

    pieces = [quoted(span) for span in spans]
    if pieces and len(fact) <= FACT:
        console().print(Text.assemble("    ", fact.ljust(FACT), " ", pieces.pop(0)))
    else:
        console().print(f"    {fact}")
    for piece in pieces:
        console().print(Text.assemble(" " * (FACT + 5), piece))


def _fact(name: str, value: Any) -> str:
    return name if value is True else f"{name}={plain(str(value))}"


def _fix(fix: Fix) -> str:
    if not fix.add_cc:
        return f"none, {fix.why_not}"
    how = "by itself" if fix.automatic else f"only with the sender's word: {fix.why_not}"
    people = ", ".join(plain(str(one)) for one in fix.add_cc)
    return f"add {people} in Cc, {how}"


def _sure(confidence: float) -> str:
    return "" if confidence >= 0.995 else f" ({confidence:.2f} sure)"


def quoted(span: Span) -> Text:
    """A piece of evidence on one line, cut where it is long, and where it stands."""
    from rich.text import Text

    words = " ".join(plain(span.text).split())
    return Text.assemble(f'"{words[:NOTED]}{"…" if len(words) > NOTED else ""}"', (_place(span), "dim"))


def _place(span: Span) -> str:
    """The part of the mail (as IMAP counts) or the header field, and the characters of its text, from 0."""
    return f"   [{span.part}, {span.start} to {span.end}]"


def marked(span: Span, reading: Reading) -> Text:
    """The line around a piece of evidence, the evidence itself marked, and where it stands."""
    from rich.text import Text

    text = _text_of(span.part, reading)
    style = "bold yellow"
    where = _place(span)
    if text is None or text[span.start : span.end].split() != span.text.split():
        # HTML, or a header: what was seen there, without its surroundings.
        return Text.assemble("»", (plain(span.text), style), "«", (where, "dim"))
    left = max(text.rfind("\n", 0, span.start) + 1, span.start - NOTED)
    newline = text.find("\n", span.end)
    right = min(newline if newline >= 0 else len(text), span.end + NOTED)
    shown = (plain(text[left : span.start]), "»", (plain(text[span.start : span.end]), style), "«")
    return Text.assemble(*shown, plain(text[span.end : right]).rstrip(), (where, "dim"))


def _text_of(part: str, reading: Reading) -> str | None:
    for each in reading.message.parts:
        if each.id == part and each.content_type == "text/plain":
            return each.text
    return None
