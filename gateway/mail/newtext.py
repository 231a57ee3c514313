"""New text: the words that the sender wrote now, each with its place in the mail."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.mail.lines import Line
from gateway.mail.span import Span


@dataclass(frozen=True, slots=True)
class NewText:
    """Text with LF line ends, and the way back from it to the decoded parts."""

    text: str
    lines: tuple[Line, ...] = ()
    starts: tuple[int, ...] = ()
    """For each line: where it begins in `text`."""

    @classmethod
    def of(cls, lines: Sequence[Line]) -> NewText:
        """Join lines; blank ones at both ends go, and runs of blank ones become one."""
        kept: list[Line] = []
        for line in lines:
            if line.text or (kept and kept[-1].text):
                kept.append(line)
        while kept and not kept[-1].text:
            kept.pop()
        starts, at = [], 0
        for line in kept:
            starts.append(at)
            at += len(line.text) + 1
        return cls("\n".join(line.text for line in kept), tuple(kept), tuple(starts))

    @property
    def is_empty(self) -> bool:
        """True where nobody wrote a word."""
        return not self.text

    def locate(self, start: int, end: int) -> Span:
        """The span in the mail of `text[start:end]`.

        Offsets are code points. A piece over several parts is cut at the end of the first one; an
        offset outside the text raises ValueError.
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"no such piece of the new text: {start}..{end} of {len(self.text)}")
        words = self.text[start:end]
        if not self.lines:
            return Span(words, "1", 0, 0)
        first = self._line_at(start)
        line = self.lines[first]
        left = start - self.starts[first]
        if line.pieces is None and start < end <= self.starts[first] + len(line.text):  # nearly all evidence
            return Span(words, line.part, line.start + left, line.start + left + end - start)
        begin = line.place(min(left, max(len(line.text) - 1, 0)))[0]
        if left >= len(line.text) and line.text:
            begin = line.place(len(line.text) - 1)[1]
        if end == start:
            return Span(words, line.part, begin, begin)
        last = self._line_at(end - 1)
        while last > first and (self.lines[last].part != line.part or not self.lines[last].text):
            last -= 1
        column = min(end - 1 - self.starts[last], len(self.lines[last].text) - 1)
        finish = self.lines[last].place(max(column, 0))[1] if self.lines[last].text else begin
        return Span(words, line.part, begin, max(begin, finish))

    def _line_at(self, offset: int) -> int:
        return (bisect_right(self.starts, offset) or 1) - 1


EMPTY = NewText("")
