"""One mail after reading: what the pipeline, the desk and the audit log all speak about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.mail.message import Headers
from gateway.policy.budget import Ceiling
from gateway.policy.decision import Decision
from gateway.policy.model import PolicySet
from gateway.reading.gist import Gist
from gateway.reading.thread import SeenMessage
from gateway.smtp.gate import Incoming


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found and decided, under which rules, and what memory keeps of it.

    `raw` are the octets as they came; `gist` is None where nobody read the mail, `seen` where nothing is kept.
    `basis` is what the audit log keeps so that the mail can be judged again (`gateway.policy.grounds.recorded`).
    """

    mail: Incoming
    raw: bytes
    headers: Headers
    rules: PolicySet
    gist: Gist | None
    decision: Decision
    seen: SeenMessage | None
    basis: Mapping[str, Any]
    advice: Ceiling | None = None
    """The ceiling that turned a stop into advice."""
