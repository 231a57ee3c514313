"""Replies: what a server says after a command (RFC 5321 §4.2), and the names of those that are our own.

Every reply of the gateway itself has a name here with its enhanced code (RFC 3463); replies of the upstream are
kept verbatim. A leaf module: everybody may import it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: `code` 200 to 599 and the text of its lines (enhanced code included, no CR or LF).

    `raw` holds the upstream's own octets, CRLF included, when the reply is to be given back verbatim.
    """

    code: int
    lines: tuple[bytes, ...] = (b"",)
    raw: bytes | None = field(default=None, compare=False)

    def encode(self) -> bytes:
        """The octets for the wire, in one piece so that one write sends them (RFC 5321 §4.2.1)."""
        if self.raw is not None:
            return self.raw
        code = b"%d" % self.code
        head = b"".join(code + b"-" + line + b"\r\n" for line in self.lines[:-1])
        return head + code + b" " + self.lines[-1] + b"\r\n"

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return self.code >= 500

    @property
    def text(self) -> str:
        """The text for people and logs: lines joined by a space, anything unprintable replaced."""
        joined = b" ".join(self.lines).decode("utf-8", "replace")
        return "".join(ch if ch.isprintable() else "?" for ch in joined)


def reply(code: int, text: str) -> Reply:
    """A reply of our own. Line ends in `text` become spaces, so nothing can inject a second reply."""
    clean = "".join(ch if ch.isprintable() else " " for ch in text)
    return Reply(code, (clean.encode("ascii", "replace")[:480],))


OK = reply(250, "2.0.0 OK")
BYE = reply(221, "2.0.0 Goodbye")
NOOP_OK = reply(250, "2.0.0 OK")
START_MAIL = reply(354, "End data with <CR><LF>.<CR><LF>")
TAKEN = reply(250, "2.1.5 The gateway takes mail for this address itself")
READY_FOR_TLS = reply(220, "2.0.0 Ready to start TLS")
HELD = "2.0.0 Held for you to look at: see the note in your mailbox ({id})"
REFUSED = "5.7.1 {why} ({id})"

SYNTAX = "5.5.4 {what}"
BAD_COMMAND = reply(500, "5.5.2 Command not recognised")
LINE_TOO_LONG = reply(500, "5.5.2 Command line too long")
BAD_LINE_END = reply(500, "5.5.2 A command must end in CR LF; closing")
BAD_SEQUENCE = reply(503, "5.5.1 Bad sequence of commands")
HELLO_FIRST = reply(503, "5.5.1 Say EHLO or HELO first")
NEED_MAIL = reply(503, "5.5.1 MAIL first")
NEED_RCPT = reply(503, "5.5.1 RCPT first")
NO_VALID_RECIPIENTS = reply(554, "5.5.1 No valid recipients")
NESTED_MAIL = reply(503, "5.5.1 A mail is already under way")
TLS_ALREADY = reply(503, "5.5.1 TLS is already on")
TLS_FIRST = reply(530, "5.7.0 Say STARTTLS first")
TLS_NOT_AVAILABLE = reply(454, "4.7.0 TLS is not available right now")
AUTH_ALREADY = reply(503, "5.5.1 Already authenticated")
AUTH_NOT_OFFERED = reply(502, "5.5.1 The server behind does not offer AUTH")
AUTH_NEEDS_TLS = reply(538, "5.7.11 Encryption is required for this mechanism")
AUTH_CANCELLED = reply(501, "5.7.0 Authentication cancelled")
NOT_IMPLEMENTED = reply(502, "5.5.1 Command not implemented")
PIPELINING_REFUSED = reply(554, "5.5.0 Wait for the reply before you send more")
NO_BDAT = reply(502, "5.5.1 BDAT is not offered here; closing, since its payload cannot be told from commands")
BARE_LINE_END = reply(550, "5.5.2 Bare CR, bare LF or NUL in the message; lines must end in CR LF")
TOO_BIG = reply(552, "5.3.4 The message is larger than this server takes")
TOO_MANY_RECIPIENTS = reply(452, "4.5.3 Too many recipients")
TOO_MANY_ERRORS = reply(421, "4.7.0 Too many errors; closing")
TOO_MANY_COMMANDS = reply(421, "4.7.0 Too many commands without mail; closing")
TOO_MANY_CONNECTIONS = reply(421, "4.7.0 Too many connections; try again later")
TIMED_OUT = reply(421, "4.4.2 Idle for too long; closing")
SHUTTING_DOWN = reply(421, "4.3.2 The gateway is stopping; try again in a moment")
UPSTREAM_AWAY = reply(451, "4.4.1 The mail server behind the gateway cannot be reached; try again later")
UPSTREAM_AWAY_CLOSING = reply(421, "4.4.1 The mail server behind the gateway cannot be reached; try again later")
UPSTREAM_LOST = reply(451, "4.4.2 The mail server behind the gateway closed the connection; try again later")
UPSTREAM_NO_TLS = reply(451, "4.7.4 The mail server behind the gateway does not offer TLS as it must; try again later")
DISK_FULL = reply(452, "4.3.1 Not enough storage; try again later")
STORE_AWAY = "4.3.0 The gateway's store is not available; try again later ({id})"
INTERNAL_FAULT = "4.3.0 A fault of the gateway, not of your mail; try again later ({id})"
VRFY = reply(252, "2.5.2 Cannot verify, but will take the mail and try")
HELP = reply(214, "2.0.0 See RFC 5321")
UPSTREAM_LOST_CLOSING = reply(421, "4.4.2 The mail server behind the gateway closed the connection; try again later")
NO_ANSWER_IN_TIME = "4.4.2 The mail was not settled in time; try again later ({id})"
SPOILT_COMMAND = reply(500, "5.5.2 A command may not hold control characters")
BAD_HELLO = reply(501, "5.5.4 Say EHLO or HELO with your name")
MAIL_SYNTAX = reply(501, "5.5.4 Write MAIL FROM:<address>")
RCPT_SYNTAX = reply(501, "5.5.4 Write RCPT TO:<address>")
NO_ARGUMENT = reply(501, "5.5.4 This command takes no argument")
NEEDS_ARGUMENT = reply(501, "5.5.4 This command needs an argument")
AUTH_SYNTAX = reply(501, "5.5.4 Write AUTH mechanism [initial-response]")
AUTH_NOT_BASE64 = reply(501, "5.5.2 Cannot decode this as base64")
AUTH_UNKNOWN = reply(504, "5.5.4 Authentication mechanism not offered")
AUTH_LINE_TOO_LONG = reply(500, "5.5.6 Authentication exchange line is too long")
AUTH_IN_MAIL = reply(503, "5.5.1 Not in the middle of a mail")
STARTTLS_NOT_OFFERED = reply(502, "5.5.1 STARTTLS is not offered here")
NOT_FOR_YOU = reply(550, "5.7.0 Not authorised to use this command")
BAD_ATTRIBUTE = reply(501, "5.5.4 Bad attribute; write NAME=value")
WRONG_PROTOCOL = reply(421, "5.5.1 This is SMTP; closing")
