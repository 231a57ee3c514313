"""Quoting: what the sender wrote now, what is quoted or forwarded, and who wrote that.

One pass over the lines of the mail, whether they came from plain text or from HTML. A line belongs to the sender when
neither quote marks, nor a client's own markup, nor a header block or attribution above it say that it is another's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import Literal

from gateway.mail.address import Mailbox
from gateway.mail.alternatives import body_lines, html_knows_better
from gateway.mail.blocks import Author, Sorted, sort_lines
from gateway.mail.heads import Found
from gateway.mail.labels import FORWARD_SUBJECTS
from gateway.mail.lazy import lazy
from gateway.mail.lines import Line
from gateway.mail.message import Attached, Message
from gateway.mail.newtext import NewText
from gateway.mail.people import parse_people
from gateway.mail.quoted_date import parse_quoted_date
from gateway.mail.signature import SenderNames, signature_start
from gateway.mail.span import Span
from gateway.mail.unread import why_unread
from gateway.mail.webform import is_machine, read_form

_BLANK_LINES = re.compile(r"\n\n\n+")
Kind = Literal["new", "quote", "forward", "signature", "disclaimer", "attribution", "header"]


@dataclass(frozen=True)
class Block:
    """A run of lines of one kind. `depth` is 0 for the sender's own, 1 for the mail answered, 2 for what it quoted."""

    kind: Kind
    lines: NewText
    depth: int

    @property
    def text(self) -> str:
        return self.lines.text

    @lazy
    def span(self) -> Span:
        """Where it stands; to find that in HTML takes as long as the text is."""
        return self.lines.locate(0, len(self.lines.text))


@dataclass(eq=False)  # not frozen: that makes each of eleven values dear, and a thread quotes many
class QuotedAuthor:
    """Somebody whose mail is quoted, forwarded or attached, as the text names them.

    `mailbox` may have a name only, or an address only; `date_text` is what the client wrote; `depth` as in Block.
    A "form" is the person for whom the author before it wrote: a website's contact form. `zone` counts for dates that
    name none. Recipients and evidence are worked out when somebody asks.
    """

    mailbox: Mailbox
    date_text: str
    subject: str
    depth: int
    kind: Literal["forward", "quote", "attribution", "attached", "form"]
    head: tuple[Line, ...] = ()
    found: Found | None = None
    attached: Attached | None = None
    zone: tzinfo = UTC
    day_first: bool = True

    @property
    def date(self) -> datetime | None:
        """The moment the mail was written, aware; None where the text does not say it clearly."""
        return parse_quoted_date(self.date_text, self.zone, day_first=self.day_first)

    @lazy
    def span(self) -> Span:
        """The evidence: the head above the quoted text, or the field of the attached mail."""
        if self.attached is not None:
            return Span(str(self.mailbox), self.attached.part, 0, 0)
        text = NewText.of(self.head)
        return text.locate(0, len(text.text))

    @lazy
    def to(self) -> tuple[Mailbox, ...]:
        if self.attached is not None:
            return self.attached.headers.to
        return parse_people(self.found.to, self.found.links.get("to", ())) if self.found is not None else ()

    @lazy
    def cc(self) -> tuple[Mailbox, ...]:
        if self.attached is not None:
            return self.attached.headers.cc
        return parse_people(self.found.cc, self.found.links.get("cc", ())) if self.found is not None else ()


class Body:
    """The text of a mail, taken apart. What is costly is worked out when it is first asked for."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._lines, self.truncated = body_lines(message)
        forwards = self.says_forward = _says_forward(message.subject)
        self._sorted: Sorted = sort_lines(self._lines, forwards=forwards)
        if not self._sorted.authors and not any(self._sorted.depths) and html_knows_better(message):
            self._lines, self.truncated = body_lines(message, html=True)
            self._sorted = sort_lines(self._lines, forwards=forwards)
        self._mark_signatures()

    def _mark_signatures(self) -> None:
        """Find signatures in each stretch of the sender's own lines."""
        author = self._message.author
        names = SenderNames.of(author.name, author.address) if author is not None else SenderNames.of("", "")
        kinds, lines = self._sorted.kinds, self._lines
        start = 0
        for kind, run in groupby(kinds[:]):
            end = start + len(list(run))
            if kind == "new":
                kinds[start:end] = signature_start(lines[start:end], names, below=start > 0)
            start = end

    @lazy
    def new(self) -> NewText:
        """Only what the sender wrote now; answers between quoted lines included."""
        own: list[Line] = []
        gap = False
        for line, kind in zip(self._lines, self._sorted.kinds, strict=True):
            if kind != "new":
                gap = True
                continue
            if gap and own and own[-1].text:
                own.append(Line("", 0, line.part, line.start))  # what a quote parts is not one sentence
            gap = False
            own.append(line)
        return NewText.of(own)

    @lazy
    def blocks(self) -> tuple[Block, ...]:
        """Everything in its order."""
        blocks = []
        for first, end in self._runs():
            lines = self._lines[first:end]
            text = NewText.of(lines)
            if not text.is_empty:
                blocks.append(Block(self._sorted.kinds[first], text, self._sorted.depths[first]))  # type: ignore[arg-type]
        return tuple(blocks)

    def _runs(self) -> list[tuple[int, int]]:
        """(first, end) of the runs of lines of the same kind and depth; blank lines belong to the run above."""
        kinds, depths, lines = self._sorted.kinds, self._sorted.depths, self._lines
        runs: list[tuple[int, int]] = []
        first = 0
        for at in range(1, len(lines)):
            if (kinds[at] != kinds[first] or depths[at] != depths[first]) and lines[at].text:
                runs.append((first, at))
                first = at
        if lines:
            runs.append((first, len(lines)))
        return runs

    @lazy
    def authors(self) -> tuple[QuotedAuthor, ...]:
        """The quoted authors in the order of the text (newest first, as clients nest), then those of attached mails."""
        date = self._message.date
        zone = date.tzinfo if date is not None and date.tzinfo is not None else UTC
        found: list[QuotedAuthor] = []
        heads = self._sorted.authors
        for number, head in enumerate(heads):
            author = self._author(head, zone)
            found.append(author)
            if is_machine(author.mailbox):
                end = heads[number + 1].found.first if number + 1 < len(heads) else len(self._lines)
                form = read_form(self._lines, head.found.end, end, author.mailbox)
                if form is not None:
                    lines = tuple(self._lines[form.first : form.end])
                    found.append(replace(author, mailbox=form.mailbox, kind="form", head=lines))
        for attached in self._message.attached:
            header = attached.headers
            if header.author is not None:
                date_text = header.get("date") or ""
                found.append(
                    QuotedAuthor(header.author, date_text, header.subject, 1, "attached", attached=attached, zone=zone)
                )
        return tuple(found)

    def writer_of(self, words: str) -> QuotedAuthor | None:
        """Whose text the first quoted line with these words belongs to; None where no head says it."""
        lines, kinds, depths = self._lines, self._sorted.kinds, self._sorted.depths
        quoted = (n for n, kind in enumerate(kinds) if kind in ("quote", "forward") and words in lines[n].text)
        at = next(quoted, None)
        if at is None:
            return None
        above = [number for number, head in enumerate(self._sorted.authors) if head.found.first <= at]
        level = [number for number in above if self._sorted.authors[number].depth == depths[at]]
        numbers = level or above
        return self._author(self._sorted.authors[numbers[-1]], UTC) if numbers else None

    def _author(self, author: Author, zone: tzinfo) -> QuotedAuthor:
        found = author.found
        english = found.locale == "en" and ("AM" in found.date_text or "PM" in found.date_text)
        return QuotedAuthor(
            found.person or Mailbox(""),
            found.date_text,
            found.subject,
            author.depth,
            author.kind,
            tuple(self._lines[found.first : found.end]),
            found,
            zone=zone,
            day_first=not english,
        )

    @lazy
    def quoted_text(self) -> str:
        """All that others wrote, quoted or forwarded, with LF line ends."""
        pairs = zip(self._lines, self._sorted.kinds, strict=True)
        text = "\n".join([line.text for line, kind in pairs if kind == "quote" or kind == "forward"])
        return (_BLANK_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip("\n")

    @lazy
    def has_forward(self) -> bool:
        """Whether this mail passes an earlier one on: attached, under a marker, or under a subject that says so."""
        outer = any(author.kind == "forward" and author.depth == 1 for author in self._sorted.authors)
        return bool(self._message.attached) or outer or "forward" in self._sorted.kinds

    @lazy
    def has_quote(self) -> bool:
        """Whether there is any quoted or forwarded text."""
        return any(kind in ("quote", "forward") for kind in self._sorted.kinds)

    @lazy
    def unread(self) -> str:
        """Why the new text cannot be known, in plain words; "" where it can."""
        return why_unread(self._message, self._lines, self._sorted.kinds, self.new, forward=self.has_forward)

    @lazy
    def inline(self) -> tuple[tuple[str, NewText], ...]:
        """(quoted passage, answer right below it) for answers between or below lines quoted with marks."""
        pairs = []
        runs = self._runs()
        for position, (first, end) in enumerate(runs):
            if self._sorted.kinds[first] != "new" or not position:
                continue
            before, until = runs[position - 1]
            if self._sorted.kinds[before] != "quote" or not self._sorted.marked[before]:
                continue
            answer = NewText.of(self._lines[first:end])
            if not answer.is_empty:
                pairs.append((NewText.of(self._lines[before:until]).text, answer))
        return tuple(pairs)


def _says_forward(subject: str) -> bool:
    head, colon, _ = subject.partition(":")
    return bool(colon) and head.strip().lower().rstrip("0123456789[]") in FORWARD_SUBJECTS


def split_body(message: Message) -> Body:
    """Take the text of a mail apart. Never raises on any text; linear in its length."""
    return Body(message)
