"""The sample mails of `demo`: six small stories at acme.example, each with how it should end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

Ending = Literal["passed", "rewritten", "fixed", "overridden"]


@dataclass(frozen=True, slots=True)
class Story:
    """One exchange: `asked` comes in through the tap, `answered` is the agent's mail, `reply` settles a hold.

    `arrives_at` are the recipients that the last mail must reach, and in `cc` those that its header must name.
    """

    title: str
    requester: str
    agent: str
    to: str
    subject: str
    question: str
    answer: str
    verdict: Literal["pass", "rewrite", "hold"]
    ending: Ending
    arrives_at: tuple[str, ...]
    cc: str = ""
    cc_after: tuple[str, ...] = ()
    reply: str = ""
    forward: bool = False


MARY = "Mary Jones <mary.jones@customer.example>"
JILL = "Jill Amory <jill.amory@acme.example>"
DANA = "Dana Cole <dana.cole@acme.example>"
MEI = "Mei Tan <mei.tan@acme.example>"
BOB = "Bob Nilsson <bob.nilsson@acme.example>"

STORIES: tuple[Story, ...] = (
    Story(
        "a customer is dropped; FIX adds her",
        MARY, DANA, BOB, "VPN drops every hour",
        "Hello, my VPN drops every hour since Monday. Can you help?\n\nMary",
        "Bob, can you take this over please?\n\nDana",
        "hold", "fixed", ("bob.nilsson@acme.example", "mary.jones@customer.example"),
        cc_after=("mary.jones@customer.example",), reply="FIX", forward=True,
    ),
    Story(
        "a colleague is dropped; she is added at once",
        JILL, MEI, BOB, "Shared drive slow",
        "The S: drive is very slow in Leeds since eight. Can somebody look?\n\nJill",
        "Hi Bob, this one is for your team, please take it from here.\n\nMei",
        "rewrite", "rewritten", ("bob.nilsson@acme.example", "jill.amory@acme.example"),
        cc_after=("jill.amory@acme.example",), forward=True,
    ),
    Story(
        "a bare no; sent with a reason for the log",
        JILL, DANA, JILL, "Second monitor",
        "Could I have a second monitor for my desk?\n\nJill",
        "No.\n\nDana",
        "hold", "overridden", ("jill.amory@acme.example",), reply="SEND: I have just explained it to her on the phone",
    ),
    Story(
        "a no with a reason and a date",
        JILL, DANA, JILL, "Restore a folder",
        "Could you restore the folder \"Plans 2024\" today?\n\nJill",
        "Hello Jill,\n\nnot today, I am afraid: the backup server is being patched. I will restore the folder on "
        "Tuesday by 3 pm.\n\nDana",
        "pass", "passed", ("jill.amory@acme.example",),
    ),
    Story(
        "a hand-off with the requester in Cc",
        MARY, DANA, BOB, "Camera offline",
        "Our camera at gate 4 is offline. Who can look at it?\n\nMary",
        "Bob, please take this over. Mary is in Cc.\n\nDana",
        "pass", "passed", ("bob.nilsson@acme.example", "mary.jones@customer.example"), cc=MARY, forward=True,
    ),
    Story(
        "a question to a colleague; the agent keeps the matter",
        MARY, MEI, BOB, "Slow uploads",
        "Uploads to your portal take minutes today. Is something wrong?\n\nMary",
        "Hi Bob, quick question: do you see anything odd on the uplink since eight? I will answer Mary myself.\n\nMei",
        "pass", "passed", ("bob.nilsson@acme.example",), forward=True,
    ),
)  # fmt: skip
"""What `demo` sends, in this order."""


def question_mail(story: Story, number: int, now: datetime) -> bytes:
    """What the requester wrote to the team's mailbox."""
    to = "IT Support <it-support@acme.example>"
    return _mail(story.requester, to, story.subject, story.question, f"q{number}", now)


def agent_mail(story: Story, number: int, now: datetime) -> bytes:
    """What the agent writes, with the requester's mail quoted or forwarded below."""
    at = now - timedelta(minutes=20)
    if story.forward:
        below = (
            f"---------- Forwarded message ---------\nFrom: {story.requester}\nDate: {at:%a, %d %b %Y at %H:%M}\n"
            f"Subject: {story.subject}\nTo: IT Support <it-support@acme.example>\n\n{story.question}\n"
        )
        subject = f"Fwd: {story.subject}"
    else:
        quoted = "\n".join(f"> {line}".rstrip() for line in story.question.split("\n"))
        below = f"On {at:%a, %d %b %Y at %H:%M}, {story.requester} wrote:\n{quoted}\n"
        subject = f"Re: {story.subject}"
    return _mail(
        story.agent, story.to, subject, f"{story.answer}\n\n{below}", f"a{number}", now, cc=story.cc, about=f"q{number}"
    )


def reply_mail(story: Story, to: str, now: datetime) -> bytes:
    """The agent's answer to a notice."""
    return _mail(story.agent, to, "Re: Before your mail goes out", story.reply, "", now)


def _mail(
    author: str, to: str, subject: str, text: str, name: str, now: datetime, *, cc: str = "", about: str = ""
) -> bytes:
    message = EmailMessage()
    message["From"] = author
    message["To"] = to
    if cc:
        message["Cc"] = cc
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    stamp = f"{now:%Y%m%d%H%M%S}"
    if name:
        message["Message-ID"] = f"<{name}.{stamp}@demo.example>"
    if about:
        message["In-Reply-To"] = message["References"] = f"<{about}.{stamp}@demo.example>"
    message.set_content(text)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
