# ruff: noqa: E501 (lines of a log are as long as they are)
"""The logs of Postfix and Exim as their manuals have them, line by line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.completeness import Known, compare
from gateway.relay_log import RelayMail, read_log

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
POSTFIX = """\
Nov 26 10:00:00 mx postfix/smtpd[1]: connect from pc[192.0.2.7]
Nov 26 10:00:00 mx postfix/submission/smtpd[1]: 4aBcD12efG3: client=pc[192.0.2.7], sasl_method=PLAIN, sasl_username=dana
Nov 26 10:00:00 mx postfix/cleanup[2]: 4aBcD12efG3: message-id=<a@acme.example>
Nov 26 10:00:00 mx postfix/qmgr[3]: 4aBcD12efG3: from=<dana@acme.example>, size=300, nrcpt=2 (queue active)
Nov 26 10:00:01 mx postfix/smtp[4]: 4aBcD12efG3: to=<lena@client.example>, relay=b[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9F00AA11)
Nov 26 10:00:01 mx postfix/smtp[4]: 4aBcD12efG3: to=<li@client.example>, relay=none, dsn=4.4.1, status=deferred (connect to b: timed out)
Nov 26 10:00:02 mx postfix/qmgr[3]: 4aBcD12efG3: removed
2026-11-26T11:00:00.123456+01:00 mx postfix/pickup[5]: 3C0FFEE123: uid=0 from=<root>
2026-11-26T11:00:00.123456+01:00 mx postfix/cleanup[2]: 3C0FFEE123: message-id=<cron@mx>
2026-11-26T11:00:00.123456+01:00 mx postfix/qmgr[3]: 3C0FFEE123: from=<root@mx>, size=300, nrcpt=1 (queue active)
Dec 31 23:59:59 mx postfix/qmgr[3]: 3DEADBEEF12: from=<>, size=300, nrcpt=1 (queue active)
garbage that nobody wrote
"""
EXIM = """\
2026-11-26 10:00:00 1u2Abc-000001-AB <= dana@acme.example H=(pc) [192.0.2.7] P=esmtpa A=plain:dana S=512 id=a@acme.example
2026-11-26 10:00:01 1u2Abc-000001-AB => lena@client.example R=dnslookup T=remote_smtp H=b [192.0.2.9] C="250 OK id=1u2Abd-000002-CD"
2026-11-26 10:00:01 1u2Abc-000001-AB -> li@client.example R=dnslookup T=remote_smtp H=b [192.0.2.9] C="250 OK id=1u2Abd-000002-CD"
2026-11-26 10:00:01 1u2Abc-000001-AB Completed
2026-11-26 10:00:03 1u2Abe-000003-EF <= <> R=1u2Abc-000001-AB U=Debian-exim P=local S=900
2026-11-26 10:00:04.123 [321] 1u2Abe-00000003abc-01AB <= root@mx U=root P=local S=100
"""


def test_postfix() -> None:
    submitted, local, bounce = read_log(POSTFIX.splitlines(), NOW)
    assert submitted == RelayMail(
        "4aBcD12efG3", datetime(2026, 11, 26, 10, tzinfo=UTC), "pc[192.0.2.7]", "dana@acme.example",
        "<a@acme.example>", ["lena@client.example", "li@client.example"], submitted.sent_on,
    )  # fmt: skip
    assert "9F00AA11" in submitted.sent_on
    assert (local.client, local.sender, local.at) == ("uid=0", "root@mx", datetime(2026, 11, 26, 10, 0, 0, 123456, UTC))
    assert bounce.sender == "" and bounce.at.year == 2025, "a year that the log does not name"


def test_exim() -> None:
    submitted, bounce, local = read_log(EXIM.splitlines(), NOW)
    assert (submitted.sender, submitted.client) == ("dana@acme.example", "(pc) [192.0.2.7]")
    assert submitted.recipients == ["lena@client.example", "li@client.example"]
    assert submitted.message_id == "<a@acme.example>" and "1u2Abd-000002-CD" in submitted.sent_on
    assert bounce.sender == "" and (local.client, local.queue) == ("user root", "1u2Abe-00000003abc-01AB")


def mail(queue: str, message_id: str = "", *, minutes: float = 30, sender: str = "dana@acme.example") -> RelayMail:
    return RelayMail(queue, NOW + timedelta(minutes=minutes), "pc", sender, message_id)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (mail("QUEUE1", "<a@x>"), None),
        (mail("QUEUE9", "<a@x>"), "copy"),
        (mail("QUEUE9", "<b@x>"), None),
        (mail("QUEUE9", "<c@x>"), "stopped"),
        (mail("QUEUE9", "<z@x>"), "unknown"),
        (mail("QUEUE9"), "unknown"),
        (mail("QUEUE9", "<n-1@x>", sender="gateway@acme.example"), None),
        (mail("QUEUE9", "<n-1@x>"), "unknown"),
    ],
)
def test_each_case(one: RelayMail, why: str | None) -> None:
    known = Known(
        queues={"QUEUE1": ("m1", NOW)},
        message_ids={"<a@x>": {"QUEUE1"}, "<b@x>": set(), "<c@x>": set()},
        delivered={"<a@x>", "<b@x>"},
        own={"n-1": "gateway@acme.example"},
    )
    found = compare([one], known, bool)
    assert [each for each, _ in found.around] == ([why] if why else [])
    assert compare([one], known, lambda sender: False).around == []


def test_a_message_id_without_a_queue_id_counts_once() -> None:
    known = Known(message_ids={"<b@x>": set()}, delivered={"<b@x>"})
    found = compare([mail("QUEUE8", "<b@x>"), mail("QUEUE9", "<b@x>")], known, bool)
    assert (found.ours, [(why, each.queue) for why, each in found.around]) == (1, [("copy", "QUEUE9")])


def test_what_the_log_lacks_between_its_ends() -> None:
    known = Known(queues={f"QUEUE{number}": (f"m{number}", NOW + timedelta(minutes=number)) for number in range(60)})
    log = [mail(f"QUEUE{number}", minutes=number) for number in range(10, 50) if number != 30]
    assert compare(log, known, bool).missing == [("m30", "QUEUE30")]
    assert compare([], known, bool).missing == []
