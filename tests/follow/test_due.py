"""When a promise is due: the end of the time that its words name, in the working time of a team, in seven languages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.follow.due import due_of
from gateway.reading.lexicon import load_lexicon
from gateway.reading.sentences import prepare
from gateway.resources import shipped
from gateway.site.calendar import Calendar

ZONE = ZoneInfo("Europe/Brussels")
WORK = ((8 * 60, 18 * 60),)
CALENDAR = Calendar.of(ZONE, (WORK, WORK, WORK, WORK, WORK, (), ()), frozenset({date(2026, 5, 14)}))
GRAMMAR = load_lexicon(shipped("policies") / "lexicon").calendar
MONDAY = datetime(2026, 5, 11, 10, 0, tzinfo=ZONE)

SAID = {
    "by Friday": "Fri 18:00", "on Friday": "Fri 18:00", "Friday at 3 pm": "Fri 15:00", "tomorrow": "Tue 18:00",
    "tomorrow at 9": "Tue 09:00", "by tomorrow 3 pm": "Tue 15:00", "in two hours": "Mon 12:00",
    "within 30 minutes": "Mon 10:30", "in 2-3 hours": "Mon 13:00", "today": "Mon 18:00", "at 3 pm": "Mon 15:00",
    "at 15:30": "Mon 15:30", "on 13 May": "Wed 18:00", "by 12.05.2026": "Tue 18:00",
    "on Thursday": "Thu 23:59", "on Saturday": "Sat 23:59",
    "by the end of the week": "Fri 18:00", "next Tuesday": "Tue 18:00",
    "bis Freitag": "Fri 18:00", "morgen um 9 Uhr": "Tue 09:00", "in zwei Stunden": "Mon 12:00",
    "am 13. Mai": "Wed 18:00",
    "vendredi": "Fri 18:00", "demain à 9 h": "Tue 09:00", "dans deux heures": "Mon 12:00",
    "el viernes": "Fri 18:00", "mañana": "Tue 18:00", "en dos horas": "Mon 12:00",
    "sexta-feira": "Fri 18:00", "amanhã": "Tue 18:00", "em duas horas": "Mon 12:00",
    "venerdì": "Fri 18:00", "domani": "Tue 18:00", "tra due ore": "Mon 12:00",
    "vrijdag": "Fri 18:00", "morgen": "Tue 18:00", "binnen twee uur": "Mon 12:00",
}  # fmt: skip


@pytest.mark.parametrize("words", SAID)
def test_words(words: str) -> None:
    found = GRAMMAR.find(prepare(words), MONDAY)
    value = next((when.value for when in found if not when.vague), found[0].value if found else "in words")
    due = due_of(value, [words], MONDAY, CALENDAR, GRAMMAR)
    assert due is not None and f"{due:%a %H:%M}" == SAID[words] and due - MONDAY < timedelta(days=8)


@pytest.mark.parametrize(
    ("pieces", "due"),
    [
        (["by Wednesday", "at 3 pm"], "Wed 13 15:00"), (["tomorrow", "at 10am"], "Tue 12 10:00"),
        (["Tuesday 19 May"], "Tue 19 18:00"), (["Tuesday 19 May", "at 9"], "Tue 19 09:00"),
        (["Dienstag, 19.05.", "um 9 Uhr"], "Tue 19 09:00"), (["on Friday"], "Fri 15 18:00"),
        (["by Wednesday at 3 pm", "at 5 pm"], "Wed 13 15:00"), (["am Di, 19.05."], "Tue 19 18:00"),
        (["ETA: Tue 19/5"], "Tue 19 18:00"), (["TERMIN: Mi"], "Wed 13 18:00"), (["week 22"], "Fri 29 18:00"),
        (["Ende nächster Woche"], "Fri 22 18:00"), (["by the end of next month"], "Tue 30 18:00"),
    ],
)  # fmt: skip
def test_a_day_its_date_and_its_time_are_one(pieces: list[str], due: str) -> None:
    assert f"{due_of('in words', pieces, MONDAY, CALENDAR, GRAMMAR):%a %d %H:%M}" == due


LONGER = {
    "next week": date(2026, 5, 22), "sometime next week": date(2026, 5, 22), "nächste Woche": date(2026, 5, 22),
    "la semaine prochaine": date(2026, 5, 22), "la semana que viene": date(2026, 5, 22),
    "na próxima semana": date(2026, 5, 22), "la prossima settimana": date(2026, 5, 22),
    "volgende week": date(2026, 5, 22), "by the end of next week": date(2026, 5, 22),
    "by the end of the month": date(2026, 5, 31), "bis Ende des Monats": date(2026, 5, 31),
    "next month": date(2026, 6, 30),
}  # fmt: skip


@pytest.mark.parametrize("words", LONGER)
def test_a_longer_time_is_over_at_its_end(words: str) -> None:
    """ "Next week" is not late on its Tuesday, and "the end of the month" is not in a month from now."""
    value = GRAMMAR.find(prepare(words), MONDAY)[0].value
    due = due_of(value, [words], MONDAY, CALENDAR, GRAMMAR)
    assert due is not None and due.date() == LONGER[words]


@pytest.mark.parametrize("words", ["by Christmas", "next spring", "by the end of the year"])
def test_a_season_has_no_end(words: str) -> None:
    value = GRAMMAR.find(prepare(words), MONDAY)[0].value
    assert due_of(value, [words], MONDAY, CALENDAR, GRAMMAR) is None


@pytest.mark.parametrize("words", ["in half an hour", "in einer halben Stunde", "binnen een half uur"])
def test_half_an_hour(words: str) -> None:
    assert due_of("in words", [words], MONDAY, CALENDAR, GRAMMAR) == MONDAY + timedelta(minutes=30)


@pytest.mark.parametrize("words", ["soon", "shortly", "as soon as I can", "baldmöglichst", "bientôt", "yesterday"])
def test_no_time_is_no_date(words: str) -> None:
    assert due_of("in words", [words], MONDAY, CALENDAR, GRAMMAR) is None


def test_what_is_too_far_or_past_is_a_slip() -> None:
    assert due_of("2031-01-01", ["in 2031"], MONDAY, CALENDAR, GRAMMAR) is None
    assert due_of("2026-05-08", ["last Friday"], MONDAY, CALENDAR, GRAMMAR) is None
    assert due_of("junk", [], MONDAY, CALENDAR, GRAMMAR) is None


def test_business_time_runs_backwards_too() -> None:
    wednesday = datetime(2026, 5, 13, 8, 30, tzinfo=ZONE)
    assert CALENDAR.before(wednesday, timedelta(hours=2)) == datetime(2026, 5, 12, 16, 30, tzinfo=ZONE)
    friday = datetime(2026, 5, 15, 9, 0, tzinfo=ZONE)
    assert CALENDAR.before(friday, timedelta(hours=2)) == datetime(2026, 5, 13, 17, 0, tzinfo=ZONE), "over the holiday"
    assert CALENDAR.closing(date(2026, 5, 14)) is None


def test_the_end_of_a_day() -> None:
    assert CALENDAR.end(MONDAY) == datetime(2026, 5, 11, 18, 0, tzinfo=ZONE)
    assert CALENDAR.end(datetime(2026, 5, 13, 18, 0, tzinfo=ZONE)) == datetime(2026, 5, 15, 18, 0, tzinfo=ZONE)
    always = Calendar.of(ZONE, ((),) * 7)
    assert always.end(MONDAY) == datetime(2026, 5, 12, 0, 0, tzinfo=ZONE)
