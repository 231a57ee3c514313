"""What is known of a mail beside its octets: the site, the lexicon, the thread, the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.reading.lexicon import Lexicon
from gateway.reading.thread import EMPTY, Thread
from gateway.site.model import Site


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the mail. `now` is aware; `key` is the secret of the thread's hashed lines.

    `peer` is the IP address that the mail came from, "" where nobody knows; `peer_listed`: the service lists it.
    `second`: whether the second reader may be asked (`gateway.reading.acts`).
    """

    site: Site
    lexicon: Lexicon
    now: datetime
    thread: Thread = EMPTY
    auth_identity: str | None = None
    peer_listed: bool = True
    peer: str = ""
    key: bytes = b""
    second: bool = True
