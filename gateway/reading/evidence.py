"""Evidence: where in a mail a fact stands, so that people can look at it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.mail.address import Mailbox
from gateway.mail.message import Message
from gateway.mail.quoting import Body
from gateway.mail.span import Span
from gateway.reading.facts import Fact, Value
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.mitigation import Place

MOST_EVIDENCE = 8
"""Spans that one fact carries."""


class Evidence:
    """Finds places of one mail in its octets."""

    def __init__(self, message: Message, body: Body) -> None:
        self.message, self.body = message, body

    def of(self, name: str, value: Value, places: Iterable[Place]) -> Fact:
        """A fact with the places in the new text where it stands, as sure as the surest of them."""
        spans: list[Span] = []
        places = list(places)
        confidence = max([place.sure for place in places if isinstance(place, Hit)], default=1.0)
        new = self.body.new
        text = new.text
        for place in places:
            start, end = (place.start, place.end) if isinstance(place, Hit) else place
            while start < end and not text[start].isalnum() and text[start] not in "+-(@#":
                start += 1
            while end > start and text[end - 1].isspace():
                end -= 1
            if start < end:
                spans.append(new.locate(start, end))
                if len(spans) == MOST_EVIDENCE:
                    break
        return Fact(name, value, tuple(spans), confidence)

    def in_header(self, box: Mailbox) -> Span:
        """Where a recipient stands in the header; in the envelope where it does not."""
        for name, boxes in (("To", self.message.to), ("Cc", self.message.cc)):
            if box in boxes:
                return Span(str(box), f"header:{name}", 0, len(str(box)))
        return Span(box.address, "envelope", 0, len(box.address))

    def in_quote(self, scan: Scan, start: int, end: int) -> Span:
        """Where a place of what was asked stands among the quotes."""
        text = scan.prepared.text[start:end].strip()
        for block in self.body.blocks:
            if block.kind in ("quote", "forward") and (at := block.text.find(text)) >= 0:
                return Span(text, block.span.part, block.span.start + at, block.span.start + at + len(text))
        return Span(text, "1", 0, 0)
