"""The reply reader: octets from a server in, whole replies out (RFC 5321 §4.2). Pure: no socket."""

from __future__ import annotations

from gateway.smtp.replies import Reply

MOST_OCTETS = 64 * 1024


class BadReply(ValueError):
    """What the server sent is no SMTP reply; the dialogue cannot be trusted any further."""


class ReplyReader:
    """Collects octets and gives one `Reply` at a time, with its octets verbatim in `raw`.

    Strict on purpose, since replies are handed on to the client as they are: lines end in CR LF, a bare CR, LF or a
    NUL inside a line, a code that changes within a reply or stands outside 200 to 599 is a BadReply, and so are more
    than 64 KB.
    """

    __slots__ = ("_at", "_buffer", "_lines")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._at = 0  # where the first line begins that has not been read yet

    def feed(self, data: bytes) -> None:
        """Add octets. Raises BadReply when more stands waiting than any reply may hold."""
        self._buffer += data
        if len(self._buffer) > MOST_OCTETS:
            raise BadReply("a reply of more than 64 KB")

    @property
    def pending(self) -> bytes:
        """Octets that no `take` has given out yet."""
        return bytes(self._buffer)

    @property
    def is_empty(self) -> bool:
        return not self._buffer

    def take(self) -> Reply | None:
        """The next whole reply, or None while it is not complete. Raises BadReply."""
        buffer = self._buffer
        while True:
            end = buffer.find(b"\n", self._at)
            if end < 0:
                return None
            line = bytes(buffer[self._at : end + 1])
            if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
                raise BadReply("a reply with a bare CR, bare LF or NUL in it")
            code, mark = line[:3], line[3:4]
            if not (code.isdigit() and b"200" <= code <= b"599") or mark not in (b" ", b"-", b"\r"):
                raise BadReply("a line that is no SMTP reply")
            if self._lines and code != bytes(buffer[:3]):
                raise BadReply("a reply whose code changes from line to line")
            # RFC 5321 §4.2: the last line may be the bare code
            self._lines.append(line[4:-2] if mark != b"\r" else b"")
            self._at = end + 1
            if mark != b"-":
                reply = Reply(int(code), tuple(self._lines), bytes(buffer[: self._at]))
                del buffer[: self._at]
                self._lines, self._at = [], 0
                return reply
