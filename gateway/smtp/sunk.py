"""What the sink keeps of a mail, and what it can be told to do wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Drop = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class SunkMail:
    """One mail as it arrived: arguments after the colon as sent, `raw` with dots unstuffed."""

    mail_from_arg: bytes
    rcpt_args: tuple[bytes, ...]
    raw: bytes
    sha256: str
    auth: str | None
    helo: bytes
    tls: bool


@dataclass(slots=True)
class Fault:
    """What the sink does otherwise at one step.

    `at` is CONNECT, a command's verb, BODY (more of the message has come, not yet its end) or DOT. `match` must occur
    in the line (any case). `times` counts down; None is for ever. `reply` (octets, CRLF included) replaces the usual
    one; a refusal means that the command takes no effect. `delay` (seconds) comes before the reply. `drop` closes the
    connection before or after the reply; `half` sends only the first half of it and closes; `reset` closes with RST.
    With `keep` the message of a DOT is stored whatever the reply. `injected` octets follow the reply in one write.
    """

    at: str
    reply: bytes | None = None
    match: bytes = b""
    times: int | None = 1
    delay: float = 0.0
    drop: Drop | None = None
    half: bool = False
    reset: bool = False
    keep: bool = False
    injected: bytes = b""
