"""A span: where a piece of evidence stands in the mail."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """The exact text and where it stands.

    `part` is the MIME part number as IMAP counts (RFC 3501 §6.4.5: "1", "1.2"), or
    "header:Subject" for a header field. `start` and `end` count code points of the decoded part
    (or of the decoded, unfolded field value); `text` is what the reader saw there (for HTML: the rendered words).
    """

    text: str
    part: str
    start: int
    end: int

    def as_json(self) -> dict[str, object]:
        """The contract form of `explain --json`."""
        return {"text": self.text, "part": self.part, "start": self.start, "end": self.end}
