"""What tests about limits share: sites and policies of their own, the mails that meet them, commands beside."""

from __future__ import annotations

import asyncio
import itertools
import os
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from gateway.resources import shipped
from tests import forked
from tests.e2e import clock
from tests.e2e.house import House, mail

DANA = "dana.cole@acme.example"
LUIS = "luis.ortega@acme.example"
JILL = "jill.amory@acme.example"
ADMIN = "postmaster@acme.example"
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
"""10:00 in Brussels, where the site is."""

NO_LIMITS = "{holds_per_agent: null, holds_per_mailbox: null, holds_per_hour: null, holds_per_day: null}"

_numbers = itertools.count()


class Clock(clock.Clock):
    def __init__(self, at: datetime = MONDAY) -> None:
        super().__init__(at)


def site_with(folder: Path, limits: str) -> str:
    """The shipped site with other limits (one line of YAML in braces)."""
    text = (shipped("policies") / "site.yaml").read_text()
    start, end = text.index("\nlimits:\n"), text.index("\n# Who hears of a spent budget")
    path = folder / "site.yaml"
    path.write_text(f"{text[:start]}\nlimits: {limits}\n{text[end:]}")
    return str(path)


def policies_with(folder: Path, name: str, **keys: str) -> str:
    """A folder with one shipped policy, and keys of it replaced or added."""
    lines = (shipped("policies") / f"{name}.yaml").read_text().split("\n")
    lines = [line for line in lines if line.partition(":")[0] not in keys]
    at = lines.index("examples:")
    lines[at:at] = [f"{key}: {value}" for key, value in keys.items()]
    made = folder / "policies"
    made.mkdir(exist_ok=True)
    (made / f"{name}.yaml").write_text("\n".join(lines))
    return str(made)


def words(raw: bytes) -> str:
    """The text of a plain mail, or the plain part of one with HTML, on one line."""
    part = message_from_bytes(raw, policy=default).get_body(("plain",))
    return " ".join(str(part.get_content()).split()) if part is not None else ""


def no(sender: str = DANA, *, thread: str = "") -> bytes:
    """A bare no, which is held; in a thread of its own, or in the one that is named."""
    number = next(_numbers)
    text = "No.\n\nOn Monday, Jill Amory <jill.amory@acme.example> wrote:\n"
    text += f"> Could I have a second monitor? ({number})\n"
    to = f"Jill Amory <{JILL}>"
    return mail(sender, to, f"Re: Monitor {number}", text, message_id=f"<{number}@limits>", reply_to=thread)


async def beside(gateway: House, *words: str) -> tuple[int, str, str]:
    """A command beside the running gateway, as a process of its own."""
    state = str(gateway.state)
    environ = {**os.environ, "REFERRAL_GATEWAY_KEY_FILE": str(gateway.state.parent / "keys" / "hold.key")}
    ran = await asyncio.to_thread(forked.run, *words, "--state", state, env=environ)
    return ran.returncode, ran.stdout, ran.stderr
