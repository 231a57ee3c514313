"""The table of `demo`: each mail, the verdict, the reason and what arrived behind the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from gateway.commands.demo_mails import Story
from gateway.commands.shown import plain
from gateway.mail.message import read_message
from gateway.smtp.sink import SunkMail
from gateway.store.records import AuditRow

WIDE = 118
"""Columns of the terminal from which on the table has four columns; below, verdict and reason share one."""

COLOURS = {"pass": "green", "rewrite": "cyan", "hold": "yellow", "reject": "red"}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the table: how a story ended, as sink and store say it; `wrong` is empty when it ended as it should.

    `verdict`, `why` and `arrived` are console markup.
    """

    story: Story
    verdict: str
    why: str
    arrived: str
    wrong: str = ""


def table(told: Sequence[Told], width: int) -> Table:
    """The table for a terminal of `width` columns (80 at least)."""
    shown = Table(title=f"{len(told)} mails of support agents", title_justify="left", show_lines=True)
    wide = width >= WIDE
    # Addresses are the longest words: their column has room for one, so that none is broken.
    for name, columns in _WIDE.items() if wide else _NARROW.items():
        shown.add_column(name, width=columns, overflow="fold")
    for each in told:
        mark = "[red]✗[/] " if each.wrong else ""
        mail = f"{mark}[bold]{escape(each.story.title)}[/]\n[dim]{escape(_glance(each.story.answer))}[/]"
        said = (each.verdict, each.why) if wide else (f"{each.verdict}\n{each.why}".rstrip(),)
        shown.add_row(mail, *said, each.arrived)
    return shown


_WIDE = {"mail": 27, "verdict": 10, "why": 38, "what arrived": 30}
_NARROW = {"mail": 19, "verdict, and why": 21, "what arrived": 30}


def _glance(answer: str) -> str:
    """The first words of a mail, without greeting and name."""
    paragraphs = answer.split("\n\n")
    words = " ".join(paragraphs[1:-1] or paragraphs[:-1]).replace("\n", " ")
    return f"»{words if len(words) <= 80 else words[:80].rpartition(' ')[0] + ' …'}«"


def verdict_of(row: AuditRow) -> str:
    """The disposition, and for a hold what became of it, as markup."""
    became = f", then {row.outcome}" if row.outcome not in ("held", "pending") else ""
    disposition = row.entry.disposition
    return f"[{COLOURS[disposition]}]{disposition}[/]" + (became if disposition == "hold" else "")


def why_of(row: AuditRow) -> str:
    """The first finding with the words it rests on, as markup."""
    if not row.entry.findings:
        return "nobody is left waiting"
    finding = row.entry.findings[0]
    words = ", ".join(f"»{escape(plain(span['text']))}«" for span in finding["evidence"][:2] if span["text"])
    return f"[bold]{finding['policy']}[/]\n{escape(plain(finding['why']))}" + (f"\n[dim]{words}[/]" if words else "")


def what_arrived(mail: SunkMail | None) -> str:
    """Envelope and Cc of a mail that arrived, an address a line, as markup."""
    if mail is None:
        return "[red]nothing[/]"
    copied = [who.address for who in read_message(mail.raw).cc]
    lines = [
        "to",
        *(f"  {each}" for each in recipients(mail)),
        *(["Cc"] if copied else []),
        *(f"  {each}" for each in copied),
    ]
    return escape("\n".join(plain(line) for line in lines))


def recipients(mail: SunkMail) -> tuple[str, ...]:
    """The envelope's recipients, in lower case."""
    return tuple(
        argument.partition(b">")[0].lstrip(b"<").decode(errors="replace").lower() for argument in mail.rcpt_args
    )
