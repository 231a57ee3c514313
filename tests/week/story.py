"""A week of one support team in May 2026, as it happened: Ascension Day on Thursday, then a weekend, then a Monday.

Times are those of Brussels. What each mail comes to is written down here, before any gateway sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.week.exchanges import EXCHANGES

ZONE = ZoneInfo("Europe/Brussels")
DESK = "it-support@acme.example"
AGENTS = ("dana.cole", "luis.ortega", "mei.tan", "tom.becker", "aisha.khan")
DAYS = {"Mon": 11, "Tue": 12, "Wed": 13, "Thu": 14, "Fri": 15, "Sat": 16, "Sun": 17, "Mon2": 18, "Tue2": 19, "Wed2": 20}
ORDINARY = {"Mon": 80, "Tue": 80, "Wed": 70, "Fri": 70, "Mon2": 20}
"""Questions that were answered well, by day."""


def moment(when: str) -> datetime:
    """ "Mon 09:05" as a moment."""
    day, _, clock = when.partition(" ")
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 5, DAYS[day], hour, minute, tzinfo=ZONE)


@dataclass(frozen=True)
class Step:
    """One thing that somebody does.

    `what`: "asks" (by the tap), "writes" (through the gateway), "settles" (answers the newest notice about `topic`).
    `becomes` is what the audit says of it in the end, for what agents write and settle.
    """

    when: str
    who: str
    what: str
    topic: str
    text: str
    to: str = ""
    cc: str = ""
    becomes: str = ""
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", moment(self.when))


SETTLED = {"G": "amended", "R": "amended", "S": "overridden", "D": "discarded"}
ANN = "ann.lee@customer.example"
THREADS = (
    # A bare no gets its reason.
    Step("Mon 09:05", "jill.amory", "asks", "Monitor", "Could I have a second monitor?"),
    Step("Mon 09:12", "dana.cole", "writes", "Monitor", "No.", to="jill.amory", becomes="amended"),
    Step("Mon 09:20", "dana.cole", "settles", "Monitor", "REASON: we have one seat on each floor"),
    # A customer is left out of a hand-off, and is added by one word. The network team answers her the same day.
    Step("Mon 10:00", ANN, "asks", "VPN", "Our VPN drops every hour. Can you help?"),
    Step("Mon 10:04", "luis.ortega", "writes", "VPN", "Hi all,\n\nplease take this one over.", to="network-team",
         becomes="fixed"),
    Step("Mon 10:10", "luis.ortega", "settles", "VPN", "FIX"),
    Step("Mon 15:00", "bob.nilsson", "writes", "VPN", "We found it and replaced the cable this afternoon.", to=ANN),
    # A colleague is left out, and is added at once. Facilities says nothing until they are asked, and longer.
    Step("Mon 12:50", "rita.blom", "asks", "Badge reader", "The badge reader at gate 3 is dead. Can you help?"),
    Step("Mon 13:00", "mei.tan", "writes", "Badge reader", "Hello,\n\nplease take this one over.", to="facilities",
         becomes="rewritten"),
    Step("Mon2 09:30", "facilities", "writes", "Badge reader", "The new reader is in, sorry for the wait.",
         to="rita.blom"),
    # A promise that is forgotten, and kept late.
    Step("Mon 14:00", "nina.roth", "asks", "Dongle", "When do I get the dongle for the drawing program?"),
    Step("Mon 14:05", "luis.ortega", "writes", "Dongle", "You will have it by Tuesday.", to="nina.roth",
         becomes="passed"),
    Step("Fri 09:30", "luis.ortega", "writes", "Dongle", "Here it is, on your desk. Sorry that it took so long.",
         to="nina.roth", becomes="passed"),
    # A no in German gets its date, and the date is kept.
    Step("Tue 09:00", "holger.pfeiffer", "asks", "HDMI", "Könnte ich ein HDMI-Kabel für Raum R104 bekommen?"),
    Step("Tue 09:06", "tom.becker", "writes", "HDMI", "Nein.", to="holger.pfeiffer", becomes="amended"),
    Step("Tue 09:15", "tom.becker", "settles", "HDMI", "ETA: Freitag 12 Uhr"),
    Step("Fri 11:00", "tom.becker", "writes", "HDMI", "Das Kabel liegt jetzt in R104.", to="holger.pfeiffer",
         becomes="passed"),
    # A question to a colleague is no hand-off.
    Step("Tue 10:00", "omar.haddad", "asks", "Certificate", "Which certificate do I need for the test server?"),
    Step("Tue 10:10", "dana.cole", "writes", "Certificate", "Bob, which one do we use there? I'll answer him myself.",
         to="bob.nilsson", becomes="passed"),
    # An agent goes on leave with a mail held: the supervisor settles it.
    Step("Tue 16:25", "omar.haddad", "asks", "Lab door", "Can the lab door stay open in the evening?"),
    Step("Tue 16:30", "aisha.khan", "writes", "Lab door", "No.", to="omar.haddad", becomes="overridden"),
    Step("Wed 16:00", "priya.raman", "settles", "Lab door", "SEND: Omar knows why, we spoke this morning"),
    # An executive gets a well explained no.
    Step("Wed 09:00", "helen.brandt", "asks", "Payroll share", "Can you open the payroll share for me while I travel?"),
    Step("Wed 09:20", "luis.ortega", "writes", "Payroll share",
         "We can't open that network from hotels, because it holds the payroll data. You can use the portal instead.",
         to="helen.brandt", becomes="passed"),
    # A no on the eve of the holiday: nobody is reminded of it before Friday's work has begun.
    Step("Wed 15:50", "sara.holm", "asks", "Whiteboard", "Could we get a second whiteboard?"),
    Step("Wed 16:00", "luis.ortega", "writes", "Whiteboard", "No.", to="sara.holm", becomes="amended"),
    Step("Fri 09:20", "luis.ortega", "settles", "Whiteboard", "REASON: the wall does not carry it"),
    # Something is said in anger, and thrown away.
    Step("Wed 16:50", "kim.larsen", "asks", "Coffee", "The coffee machine is out of order. Could you have a look?"),
    Step("Wed 17:00", "mei.tan", "writes", "Coffee", "That's not our problem.", to="kim.larsen", becomes="discarded"),
    Step("Wed 17:10", "mei.tan", "settles", "Coffee", "DISCARD"),
    # One word before the weekend. On Monday the reminder is answered: the stop was not right.
    Step("Fri 15:55", "ola.berg", "asks", "Printer", "Cable or WLAN for the printer?"),
    Step("Fri 16:00", "dana.cole", "writes", "Printer", "Depends.", to="ola.berg", becomes="wrong"),
    Step("Mon2 10:30", "dana.cole", "settles", "Printer", "WRONG: we were on the phone meanwhile"),
    # Somebody asks again and again.
    *(Step(f"Wed 1{hour}:40", "jill.amory", "asks", f"Dock {hour}", "The dock lost the screen.") for hour in range(5)),
    # A bad day: the sixth bare no goes out, with advice.
    *(
        step
        for number, (who, word) in enumerate(
            (("ines.costa", "GRUND: der Lieferant hat geschlossen"), ("paul.weber", "SEND: we spoke"),
             ("lena.vogt", "SEND: she has the answer by phone"), ("marc.dubois", "DISCARD"),
             ("eva.lind", "REASON: the licence ends in May"), ("jan.peeters", ""))
        )
        for step in (
            Step(f"Fri 13:0{number}", who, "asks", f"Licence {number}", "Could I get the drawing program?"),
            Step(f"Fri 13:1{number}", "tom.becker", "writes", f"Licence {number}", "No.", to=who,
                 becomes=SETTLED.get(word[:1], "advised")),
            *([Step(f"Fri 13:3{number}", "tom.becker", "settles", f"Licence {number}", word)] if word else []),
        )
    ),
)  # fmt: skip
"""What did not go by itself."""

HOLDS = {"amended": 5, "fixed": 1, "overridden": 3, "discarded": 2, "wrong": 1}
"""How the held mails ended."""

LEDGER = {
    ("handoff", "VPN", "answered"),
    ("handoff", "Badge reader", "answered"),
    ("promise", "Dongle", "late"),
    ("promise", "HDMI", "kept"),
}
"""What was open and how it closed, of the threads above."""

TOLD = {
    "priya.raman": [
        "Waiting for an answer, can you help? Re: Lab door",
        "For your information: Re: Payroll share",
        "5 requests from Jill Amory",
        "Sent as it is: Re: Lab door",
        "Nobody has it yet? Re: Badge reader",
    ],
    "aisha.khan": [
        "Before your mail goes out: Re: Lab door",
        "Still waiting for your word: Re: Lab door",
        "Sent as it is: Re: Lab door",
    ],
    "facilities": ["Still with you? Re: Badge reader"],
    "bob.nilsson": [],
    "postmaster": ["it-support: 5 stops of one person today, advice from here on (bare-refusal, terse-reply)"],
}
"""The gateway's own mails to those who are no party to most threads, in any order."""


def people() -> Iterator[str]:
    """Those who ask ordinary questions: enough that nobody asks often."""
    first = (
        "ada",
        "ben",
        "cleo",
        "dirk",
        "edda",
        "finn",
        "gaia",
        "hugo",
        "iris",
        "jens",
        "kaja",
        "leon",
        "mona",
        "nils",
    )
    last = ("adler", "brun", "costa", "dietz", "evers", "falk", "gruber")
    while True:
        for name in last:
            yield from (f"{given}.{name}" for given in first)


def ordinary() -> Iterator[tuple[datetime, datetime, str, str, int]]:
    """(asked, answered, requester, agent, number in EXCHANGES) of every question that was answered well."""
    who, number = people(), 0
    for day, count in ORDINARY.items():
        opens = moment(f"{day} 08:10")
        for turn in range(count):
            asked = opens + timedelta(minutes=turn * 560 / count)
            yield asked, asked + timedelta(minutes=11), next(who), AGENTS[number % 5], number % len(EXCHANGES)
            number += 1
