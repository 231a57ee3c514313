"""The mail server's own log, read mail by mail: Postfix (mail.log) and Exim (mainlog). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_STAMP = re.compile(
    r"(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d\d:?\d\d|Z)?)|"
    r"(?P<old>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
)
_POSTFIX = re.compile(
    r"postfix[^\s/]*/(?:[^\s/]+/)*(?P<service>[\w-]+)\[\d+\]: (?P<queue>[0-9A-Za-z]{6,20}): (?P<said>.*)"
)
_EXIM = re.compile(r"(?:\[\d+\] )?(?P<queue>\w{6}-\w{6,11}-\w{2,4}) (?P<arrow><=|=>|->|>>) (?P<said>.*)")
QUEUED = re.compile(r"\b(?:queued as |id=)([0-9A-Za-z][0-9A-Za-z-]{5,30})")
"""The queue id in a mail server's reply to the final dot."""
_WORDS = re.compile(r"[0-9A-Za-z-]{6,32}")


@dataclass(slots=True)
class RelayMail:
    """One mail as the mail server's log has it. `sent_on` are the words of the next server's replies: its
    queue ids are among them."""

    queue: str
    at: datetime
    client: str = ""
    sender: str | None = None
    message_id: str = ""
    recipients: list[str] = field(default_factory=list)
    sent_on: set[str] = field(default_factory=set)


def read_log(lines: Iterable[str], now: datetime) -> Iterator[RelayMail]:
    """Each mail that the server took, once it is done with, or at the end. Lines of others are passed over; a time
    without a year is the latest that is not after `now`, without a zone it is in the zone of `now`."""
    under_way: dict[str, RelayMail] = {}
    for line in lines:
        stamp = _STAMP.match(line)
        if stamp is None:
            continue
        rest = line[stamp.end() :].rstrip("\n")
        if (postfix := _POSTFIX.search(rest)) is not None:
            yield from _postfix(under_way, postfix, _time(stamp, now))
        elif (exim := _EXIM.match(rest.lstrip())) is not None:
            _exim(under_way, exim, _time(stamp, now))
    yield from (mail for mail in under_way.values() if mail.sender is not None)


def _time(stamp: re.Match[str], now: datetime) -> datetime:
    if stamp["iso"]:
        at = datetime.fromisoformat(stamp["iso"].replace(",", ".").replace(" +", "+").replace(" -", "-"))
        return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)
    at = datetime.strptime(f"{now.year} {stamp['old']}", "%Y %b %d %H:%M:%S").replace(tzinfo=now.tzinfo)
    return at.replace(year=now.year - 1) if at > now + timedelta(days=1) else at


def _postfix(under_way: dict[str, RelayMail], found: re.Match[str], at: datetime) -> Iterator[RelayMail]:
    queue, said, service = found["queue"], found["said"], found["service"]
    if said == "removed":
        mail = under_way.pop(queue, None)
        if mail is not None and mail.sender is not None:
            yield mail
        return
    mail = under_way.setdefault(queue, RelayMail(queue, at))
    if said.startswith("client="):
        mail.client = said.removeprefix("client=").partition(",")[0]
    elif service == "pickup":
        mail.client = said.partition(" from=")[0]
    elif (id := re.match(r"(?:resent-)?message-id=(.*)", said)) is not None:
        mail.message_id = id[1].strip()
    elif (sender := re.match(r"from=<(.*?)>(?:, |$)", said)) is not None:
        mail.sender = sender[1]
    elif (to := re.match(r"to=<(.*?)>, ", said)) is not None:
        mail.recipients.append(to[1])
        mail.sent_on.update(_WORDS.findall(said.partition("(")[2]))


def _exim(under_way: dict[str, RelayMail], found: re.Match[str], at: datetime) -> None:
    queue, said = found["queue"], found["said"]
    if found["arrow"] == "<=":
        words = said.split(" ")
        host = re.search(r" H=(.*?)(?= [A-Z]+=)", said)
        user = re.search(r" U=(\S+)", said)
        id = re.search(r" id=(\S+)", said)
        mail = RelayMail(queue, at, host[1] if host else f"user {user[1]}" if user else "", words[0].strip("<>"))
        mail.message_id = f"<{id[1]}>" if id else ""
        under_way[queue] = mail
    elif queue in under_way:
        mail = under_way[queue]
        mail.recipients.append(said.partition(" ")[0])
        mail.sent_on.update(_WORDS.findall(said.partition(" C=")[2]))
