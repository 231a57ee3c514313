"""The octets of DATA: where the message ends, what it weighs, whether its lines are whole. Pure: octets in, octets out.

Only CR LF "." CR LF ends a message (RFC 5321 §4.1.1.4). Any other reading of the end lets somebody smuggle a second
mail past this server or the next, so a bare CR, a bare LF or a NUL spoils the whole message; its end is still looked
for in the one true place, so that nothing of it is ever taken for a command.
"""

from __future__ import annotations

import re

import re2

_END = b"\r\n.\r\n"
_CRLF = b"\r\n"
_DOT = b"\r\n."
_AS_OCTETS = re2.Options()
_AS_OCTETS.encoding = re2.Options.Encoding.LATIN1
_NOTEWORTHY = re2.compile(rb"\r\n\.|\r[^\n]|[^\r]\n|\A\n|\x00", options=_AS_OCTETS)
# At each place: the longest part of _END that the octets so far could be the beginning of.
_BEGINNINGS = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")
_LINE_END = re.compile(rb"\r\n(?:\.(?=[\r\n]))?|\r\.?|\n\.?")


class EndOfData:
    """Finds the end of one message in chunks of any size.

    `size` counts the octets after unstuffing (RFC 5321 §4.5.2), CR LF included. `spoilt` becomes True with the first
    bare CR, bare LF or NUL. With `normalise` such line ends become CR LF instead, and a NUL a blank; a line that
    begins with a dot after such an end gets one more, since by the protocol it was no stuffed line.
    """

    __slots__ = ("_after_bare", "_held", "_normalise", "_virtual", "done", "rest", "size", "spoilt", "stuffed")

    def __init__(self, *, normalise: bool = False) -> None:
        self.size = 0
        self.spoilt = False
        self.stuffed = False  # some line may begin with a dot
        self.done = False
        self.rest = b""  # what came behind the end
        self._normalise = normalise
        self._held = _CRLF  # DATA's own line end counts: a message may begin with the final dot
        self._virtual = True
        self._after_bare = False

    def feed(self, chunk: bytes) -> bytes:
        """The message's octets, still stuffed, as far as they are surely not part of the end. Not after `done`."""
        data = self._held + chunk
        # Most chunks have nothing to be noticed but the end itself, so one pass over them is enough.
        noticed = _NOTEWORTHY.search(data)
        end = noticed.start() if noticed is not None else -1
        plain = noticed is None or data.startswith(_END, end)
        if not plain:
            end = data.find(_END)
        if end >= 0:
            self.done = True
            self.rest = data[end + len(_END) :]
            data = data[: end + 2]
            self._held = b""
        else:
            self._held = b""
            for beginning in _BEGINNINGS:
                if data.endswith(beginning):
                    self._held = beginning
                    data = data[: -len(beginning)]
                    break
        if not data:
            return b""
        self.size += len(data)
        if not plain:
            # A piece ends with CR only before another octet that is no LF, so each piece can be judged by itself.
            pairs = data.count(_CRLF)
            if data.count(b"\n") != pairs or data.count(b"\r") != pairs or b"\0" in data:
                self.spoilt = True
            self.size -= data.count(_DOT)
            self.stuffed = True
        if self._normalise and (self.spoilt or self._after_bare):
            self.stuffed = True
            data = self._whole(data)
        if self._virtual:
            self._virtual = False
            self.size -= 2
            data = data[2:]
        return data

    def _whole(self, data: bytes) -> bytes:
        """`data` with whole line ends.

        A dot behind a loose end becomes two. A stuffed dot with nothing but a loose end behind it was an empty line,
        and is one again: left alone it would become the end of the message.
        """
        dot = b"." if self._after_bare and data.startswith(b".") else b""
        self._after_bare = data.endswith(b"\n") and not data.endswith(_CRLF)
        grown = 0

        def whole(match: re.Match[bytes]) -> bytes:
            nonlocal grown
            if match[0].startswith(_CRLF):
                return _CRLF
            grown += 1
            return b"\r\n.." if match[0].endswith(b".") else _CRLF

        out = dot + _LINE_END.sub(whole, data).replace(b"\0", b" ")
        self.size += grown
        return out
