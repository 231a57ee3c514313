"""Blocks: walks the lines of a mail and says of each whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from gateway.mail.announced import (
    attribution_from,
    begins_quote,
    block_near,
    dashed_attribution,
    group_wise,
    marked_end,
    marked_line,
    next_line,
    second_head,
    signed_from,
    wrapped_attribution,
)
from gateway.mail.apart import APART, read_apart
from gateway.mail.attribution import read_attribution, read_marked_attribution
from gateway.mail.headerblock import read_bare, read_block, read_unlisted
from gateway.mail.heads import ENDS, Found, label_of
from gateway.mail.labels import LONGEST_LABEL
from gateway.mail.leads import announced_above, is_drawn, take_lead
from gateway.mail.lines import Line
from gateway.mail.markers import asks_to_reply_above, is_rule, read_marker
from gateway.mail.notes import read_dated_name, read_notes_line

_MARKERS = frozenset(">-_=*~#\u2014\u2013\u2500\u2010")
_HEADS = _MARKERS | {" ", "\t"}


@dataclass(slots=True)
class Author:
    """A quoted author at the depth where their text stands."""

    found: Found
    depth: int
    kind: Literal["forward", "quote", "attribution"]


@dataclass(slots=True)
class Sorted:
    """For each line its kind, its depth, and whether quote marks (rather than a header above) make it quoted."""

    kinds: list[str]
    depths: list[int]
    marked: list[bool]
    authors: list[Author] = field(default_factory=list)


def sort_lines(lines: Sequence[Line], *, forwards: bool = False) -> Sorted:
    """Sort the lines; `forwards` says that the subject calls this a forward (FW:, WG:, TR:)."""
    walk = _Walk(lines, forwards)
    walk.run()
    return walk.sorted


class _Walk:
    """The state of the walk.

    `base` counts the mails that begin without quote marks (Outlook, forwards); `inner` does the same within lines of
    each depth of marks; `named` says for which depths of marks the author is known.
    """

    def __init__(self, lines: Sequence[Line], forwards: bool) -> None:
        count = len(lines)
        self.lines = lines
        self.forwards = forwards
        self.sorted = Sorted(["new"] * count, [0] * count, [False] * count)
        self.base = 0
        self.base_zone = 0
        self.container = "quote"
        self.inner: dict[int, int] = {}
        self.named: dict[int, bool] = {}
        self.depth = 0
        self.sure_from = -1
        self.sure_lines = 0
        """For how many lines with text, from that one on, an announcement makes a header block certain."""
        self.silent = 0
        """How many lines from the top on are surely none of the writer's words."""
        self.opened: list[int] = []
        """What `base` was above each forward, for those that have an end ("----- End forwarded message -----")."""

    def run(self) -> None:
        lines, at, count = self.lines, 0, len(self.lines)
        begun = 0  # of the stretch in which nothing changed
        depth = 0
        while at < count:
            line = lines[at]
            text = line.text
            if line.depth != depth and (text or line.depth):
                self._fill(begun, at)
                begun, depth = at, line.depth
                self._change_depth(depth)
            if self.base_zone and line.zone != self.base_zone and text:
                self._fill(begun, at)
                begun = at
                self._leave_zone()
            # The cheap question first: nearly no line can head a quote.
            if text and (":" in text or line.mark or text[0] in _HEADS or text.strip() in APART or not text.isascii()):
                self._fill(begun, at)
                begun = at
                head = self._head(at, line)
                depth = self.depth
                if head:
                    at = begun = head
                    continue
            at += 1
        self._fill(begun, count)

    def _fill(self, first: int, end: int) -> None:
        """Say of the lines from `first` to `end` whose they are, as it stands."""
        total = self._total()
        if total and first < end:
            number = end - first
            self.sorted.kinds[first:end] = [self.container] * number
            self.sorted.depths[first:end] = [total] * number
            self.sorted.marked[first:end] = [not self.base] * number

    def _spoke(self, at: int) -> bool:
        """Whether the writer has said something above this line. Looks at each line once."""
        while self.silent < at and not (self.sorted.kinds[self.silent] == "new" and self.lines[self.silent].text):
            self.silent += 1
        return self.silent < at

    def _announce(self, at: int, count: int) -> None:
        self.sure_from, self.sure_lines = at, count

    def _is_sure(self, at: int) -> bool:
        """Whether what announced a header block is near enough above this line."""
        if self.sure_from < 0 or at - self.sure_from > 40:
            return False
        return sum(1 for line in self.lines[self.sure_from : at] if line.text) < self.sure_lines

    def _change_depth(self, depth: int) -> None:
        if depth < self.depth:
            for deeper in [each for each in self.inner if each > depth]:
                del self.inner[deeper]
            for deeper in [each for each in self.named if each > depth]:
                del self.named[deeper]
            if depth == 0 and not self.base:
                self.container = "quote"
        self.depth = depth

    def _leave_zone(self) -> None:
        self.base = self.base_zone = 0
        self.inner.clear()
        self.container = "quote"

    def _head(self, at: int, line: Line) -> int:
        """Try to read a head of quoted text at this line; returns the line after it, or 0."""
        text, mark = line.text, line.mark
        first = text.lstrip()[:1]
        if mark:
            if mark == "attribution":
                after = self._marked_attribution(at)
                if after:
                    return after
            elif mark == "boundary":
                return self._boundary(at, line)
            elif mark == "hint":
                self._announce(at, 3)
        if first in _MARKERS or text[-1] in ENDS:
            after = self._marker(at, text, first)
            if after:
                return after
        colon = text.find(":")
        labelled = mark == "label" or 0 < colon <= LONGEST_LABEL + 12 or "\uff1a" in text[: LONGEST_LABEL + 12]
        apart = not mark and text.strip() in APART  # a marked one is a cell of a table
        if apart or (labelled and label_of(line) is not None):
            found = read_apart(self.lines, at) if apart else read_block(self.lines, at, sure=self._is_sure(at))
            if found is not None:
                return self._open_block(found)
        stripped = text.rstrip(" *_\u00a0-")
        if stripped[-1:] in (":", "\uff1a"):
            return self._attribution(at)
        return 0

    def _marker(self, at: int, text: str, first: str) -> int:
        """An announcement: "-----Original Message-----", a rule above a header block, the line of a ticket system."""
        lines = self.lines
        if first == ">":
            named = group_wise(lines, at)
            return self._open_attribution(named) if named is not None else 0
        if is_rule(text):
            return self._below_rule(at)
        if text.startswith("-----BEGIN PGP SIGNED MESSAGE"):
            return self._take(at, signed_from(lines, at), "header")
        if asks_to_reply_above(text):
            return self._raise_base(at, at + 1, "quote") if self._spoke(at) else self._take(at, at + 1, "header")
        end = at + 1
        marker = read_marker(text)
        if not marker and (text[-1] in ENDS) and self.depth and begins_quote(self.lines, at):
            marker = "announced"  # in whatever language: the first words of a quote, above a header block
        if not marker and ":" in text and first == "-":
            line = marked_line(lines[at], at)
            if line is not None:
                return self._open_block(line[1], marker=line[0])
        wrapped = first == "-" and "orwarded by" in text and text[-1] != "-"
        if wrapped and end < len(lines) and lines[end].text.rstrip().endswith("--"):
            text, end, marker = f"{text} {lines[end].text}", end + 1, "forward"  # Notes wraps its own marker
        if not marker:
            return 0
        # mutt: "----- End forwarded message -----"
        if marker in ("forward", "original") and " end" in f" {text.strip('-_=*~ ').lower()}"[:5]:
            self._take(at, end, "header")
            self.base = min(self.opened.pop() if self.opened else 0, self.base)
            if not self.base:
                self._leave_zone()
            return end
        if marker == "forward" and not self.depth:
            self.opened.append(self.base)
        after = next_line(self.lines, end, 8)
        found = None
        if after and marker in ("forward", "original") and label_of(lines[after]) is None:
            said = attribution_from(lines, after)
            if said is not None and lines[after].depth == self.depth:  # Proton: a marker and an attribution
                said.first = at
                return self._open_attribution(said, "forward" if marker == "forward" else "quote")
            found = read_bare(lines, after)
        if after and found is None:
            found = block_near(lines, after, sure=marker != "unknown" and marker != "announced")
            if found is None and marker == "forward":
                found = read_notes_line(lines[after], after)
        if found is not None and lines[found.first].depth >= self.depth:
            if lines[found.first].depth > self.depth:
                self._take(at, end, "header")
                self._change_depth(lines[found.first].depth)
            else:
                found.first = at
            return self._open_block(found, marker="forward" if marker == "announced" else marker)
        if marker == "announced":
            return 0
        lotus = read_attribution(lines, at, quoted_next=True) if " wrote" in text or "schrieb" in text else None
        if lotus is None and marker == "unknown":
            lotus = dashed_attribution(lines, at)
        if lotus is not None:
            return self._dashed(lotus, end)
        if marker == "unknown" or len(text) - len(text.lstrip("-_=*~\u2014\u2013")) < 4:
            return 0
        # mutt: "----- Forwarded message from X <x> -----"
        person = dashed_attribution(lines, at) if " from " in text else None
        if person is not None:
            self._add(person, self._total() + 1, "forward")
        return self._raise_base(at, end, "forward" if marker == "forward" else "quote")

    def _below_rule(self, at: int) -> int:
        lines, after = self.lines, next_line(self.lines, at + 1, 2)
        if not after or lines[after].depth != self.depth:
            return 0
        labelled = label_of(lines[after]) is not None
        found = read_block(lines, after, sure=True) if labelled else read_dated_name(lines[after], after)
        if found is None or found.person is None or (not labelled and attribution_from(lines, after)):
            return 0  # an attribution can wait: the rule goes with it
        found.first = at
        return self._open_block(found)

    def _dashed(self, found: Found, end: int) -> int:
        """After a dashed attribution a Notes header block may follow ("To: … From: … Date: …"), which says more."""
        after = next_line(self.lines, end, 2)
        if after and label_of(self.lines[after]) is not None:
            block = read_block(self.lines, after, sure=True)
            if block is not None and block.person is not None:
                block.first = found.first
                return self._open_block(block)
        found.end = end
        self._add(found, self._total() + 1, "attribution")
        return self._raise_base(found.first, end, "quote", kind="attribution")

    def _boundary(self, at: int, line: Line) -> int:
        """A client's own container of quoted mail begins here: certain, even where its header cannot be read."""
        label = label_of(line)
        if label is not None:
            found = read_block(self.lines, at, sure=True)
            if found is not None:
                return self._open_block(found)
        self._announce(at, 6)
        after = self._marker(at, line.text, line.text[:1]) or self._attribution(at) or self._attribution_below(at)
        if after:
            return after
        found = read_unlisted(self.lines, at)
        if found is not None:
            return self._open_block(found)
        if not self.base:
            self.base, self.base_zone = 1, line.zone
            self.container = "forward" if self.forwards else "quote"
            self._take_rule(at)
        return 0

    def _take_rule(self, at: int) -> None:
        """The rule that a client drew above its quote is no word of the writer's."""
        for above in range(at - 1, max(at - 4, -1), -1):
            if self.lines[above].text:
                if self.sorted.kinds[above] != "new" or not is_drawn(self.lines[above]):
                    return
                self.sorted.kinds[above] = "header"

    def _attribution_below(self, at: int) -> int:
        """An attribution that is wrapped and begins with this line."""
        found = wrapped_attribution(self.lines, at)
        return self._open_attribution(found) if found is not None else 0

    def _marked_attribution(self, at: int) -> int:
        end = marked_end(self.lines, at)
        if not end:
            self._announce(at, 3)
            return 0
        found = read_marked_attribution(self.lines, at, end)
        return self._open_attribution(found) if found is not None else 0

    def _attribution(self, at: int) -> int:
        """An attribution line that ends here; it may have begun up to three lines above."""
        after = next_line(self.lines, at + 1, 3)
        deeper = bool(after) and self.lines[after].depth > self.depth
        found = read_attribution(self.lines, at, quoted_next=deeper)
        if found is None or not (deeper or found.strong or second_head(self.lines, found, after)):
            return 0
        return self._open_attribution(found)

    def _open_attribution(self, found: Found, container: Literal["quote", "forward"] = "quote") -> int:
        announced = announced_above(self.lines, found.first)
        if announced >= 0:  # Yahoo on phones: "Begin forwarded message:", then an attribution
            found.first, container = announced, "forward"
        after = next_line(self.lines, found.end, 4)
        second = second_head(self.lines, found, after)
        if second is not None:
            deeper = self.lines[second.first].depth
            if deeper > self.depth:
                self._take(found.first, found.end, "attribution")
                self._change_depth(deeper)
            else:
                second.first = found.first
            return self._open_block(second, marker=container)
        kind: Literal["attribution"] = "attribution"
        if after and self.lines[after].depth > self.depth:
            self._add(found, self._total() + 1, kind)
            self._take(found.first, found.end, kind)
            self.named[self.lines[after].depth] = True
            return found.end
        if self.depth and not self.named.get(self.depth):
            self.named[self.depth] = True  # Apple Mail: the attribution stands inside the quote
            self._add(found, self._total(), kind)
            return self._take(found.first, found.end, kind)
        self._add(found, self._total() + 1, kind)
        return self._raise_base(found.first, found.end, container, kind=kind)

    def _open_block(self, found: Found, *, marker: str = "") -> int:
        """Open the mail that a header block heads."""
        if not marker:
            take_lead(self.lines, found)
        forward = marker == "forward" or (self.container == "forward" and self._total() > 0)
        forward = forward or (self.forwards and (marker != "original" or not self.sorted.authors))
        kind: Literal["forward", "quote"] = "forward" if forward else "quote"
        after = next_line(self.lines, found.end, 4)
        if after and self.lines[after].depth > self.depth:  # Outlook Express: a bare header above lines with marks
            self._add(found, self._total() + 1, kind)
            self.named[self.lines[after].depth] = True
            if forward and not self.base:
                self.container = kind
            return self._take(found.first, found.end, "header")
        if self.depth and not self.named.get(self.depth):
            self.named[self.depth] = True
            if not self.base:
                self.container = kind
            self._add(found, self._total(), kind)
            return self._take(found.first, found.end, "header")
        self._add(found, self._total() + 1, kind)
        return self._raise_base(found.first, found.end, kind)

    def _add(self, found: Found, depth: int, kind: Literal["forward", "quote", "attribution"]) -> None:
        if found.person is not None:
            self.sorted.authors.append(Author(found, depth, kind))

    def _raise_base(self, first: int, end: int, container: str, *, kind: str = "header") -> int:
        """From `end` on, unmarked lines are quoted; the lines of the head itself get `kind`."""
        self._take(first, end, kind)
        if self.depth:
            self.inner[self.depth] = self.inner.get(self.depth, 0) + 1
            return end
        if not self.base:
            self.container = container
            self.base_zone = self.lines[first].zone
        self.base += 1
        self.sure_from = -1
        return end

    def _take(self, first: int, end: int, kind: str) -> int:
        if first:
            self._take_rule(first)
        self.sorted.kinds[first:end] = [kind] * (end - first)
        self.sorted.depths[first:end] = [self._total()] * (end - first)
        return end

    def _total(self) -> int:
        return self.base + self.depth + (sum(self.inner.values()) if self.inner else 0)
