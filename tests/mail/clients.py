"""Mails as the clients of client_words.yaml forward and quote them: every family of clients, locale and layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

WORDS = yaml.safe_load(Path(__file__).with_name("client_words.yaml").read_text("utf-8"))


@dataclass(frozen=True)
class Quoted:
    """The mail that is forwarded, as the client spells its fields; "" where it leaves a line out."""

    sender: str = "Jill Amory <jill@acme.example>"
    to: str = "IT Support <it@acme.example>"
    cc: str = "Kit Romero <kit@acme.example>, lee@acme.example"
    subject: str = "Screen: dark since noon"
    body: str = "Hello,\n\nmy screen is dark. Could you have a look?\n\nJill"
    date: str = ""


@dataclass(frozen=True)
class Case:
    """A layout filled in: `text` is what the client writes below the forwarder's own words."""

    name: str
    text: str
    quoted: Quoted


Fill = Callable[[dict[str, str], Quoted], str]


def _line(words: dict[str, str], field: str, value: str, form: str = "{}: {}") -> str:
    """One header line; "" where there is no value. "~" in the table stands for a no-break space."""
    label = words[field].replace("~", "\u00a0")
    return form.format(label, value).rstrip() + "\n" if value else ""


def _head(words: dict[str, str], quoted: Quoted, order: str, form: str = "{}: {}") -> str:
    values = {
        "from": quoted.sender,
        "date": quoted.date,
        "to": quoted.to,
        "cc": quoted.cc,
        "subject": quoted.subject,
        "reply": quoted.sender if "reply" in words else "",
    }
    return "".join(_line(words, field, values[field], form) for field in order.split())


def _marked(text: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in text.splitlines())


def _apple(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "from subject date to cc reply")
    return _marked(f"{words['marker']}\n\n{head}\n{quoted.body}\n")


def _apple_bold(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "from subject date to cc", "*{}: *{}")
    return f"{words['marker']}\n\n{_marked(head)}>\n{_marked(quoted.body)}"


def _apple_unmarked(words: dict[str, str], quoted: Quoted) -> str:
    return f"{words['marker']}\n\n{_head(words, quoted, 'from date to cc subject reply')}\n{quoted.body}\n"


def _apple_turned(words: dict[str, str], quoted: Quoted) -> str:
    """With the marks of direction that phones put around labels and addresses."""
    head = _head(words, quoted, "from subject date to cc", "\u200e{}: \u200e{}\u200e")
    return _marked(f"\u200e{words['marker']}\n\n{head}\n{quoted.body}\n")


def _claws(words: dict[str, str], quoted: Quoted) -> str:
    return f"{words['marker']}\n\n{_head(words, quoted, 'date from to cc subject')}\n\n{quoted.body}\n"


def _mailmate(words: dict[str, str], quoted: Quoted) -> str:
    return f"Forwarded message:\n\n{_marked(_head(words, quoted, 'from to cc subject date'))}>\n{_marked(quoted.body)}"


def _gmail(words: dict[str, str], quoted: Quoted) -> str:
    return f"{words['marker']}\n{_head(words, quoted, 'from date subject to cc')}\n\n{quoted.body}\n"


def _gmail_bold(words: dict[str, str], quoted: Quoted) -> str:
    name, _, address = quoted.sender.partition(" <")
    sender = replace(quoted, sender=f"*{name}* <{address}" if address else quoted.sender)
    return f"{words['marker']}\n{_head(words, sender, 'from date subject to cc')}\n\n{quoted.body}\n"


def _gmail_links(words: dict[str, str], quoted: Quoted) -> str:
    """As text made from HTML by others: "Jill <jill@x<mailto:jill@x>>"."""
    sender = replace(quoted, sender=_doubled(quoted.sender, "{0}<mailto:{0}>"))
    return f"{words['marker']}\n{_head(words, sender, 'from date subject to cc', '*{}:* {}')}\n{quoted.body}\n"


def _gmail_marked(words: dict[str, str], quoted: Quoted) -> str:
    return _marked(_gmail(words, quoted))


def _missive(words: dict[str, str], quoted: Quoted) -> str:
    return f"----------\n{_head(words, quoted, 'from date subject to cc')}\n{quoted.body}\n"


def _outlook_original(words: dict[str, str], quoted: Quoted) -> str:
    name, _, address = quoted.sender.rstrip(">").partition(" <")
    sender = replace(quoted, sender=f"{name} [mailto:{address}]" if address else quoted.sender)
    head = _head(words, sender, "from date to cc subject")
    return f"-----{words['marker']}-----\n{head}\n{quoted.body}\n"


def _outlook_bare(words: dict[str, str], quoted: Quoted) -> str:
    return f"{_head(words, quoted, 'from date to cc subject')}\n{quoted.body}\n"


def _outlook_bold(words: dict[str, str], quoted: Quoted) -> str:
    return f"\n{_head(words, quoted, 'from date to cc subject', '*{}:* {}')}\n\n\n{quoted.body}\n"


def _outlook_importance(words: dict[str, str], quoted: Quoted) -> str:
    """Lines that nobody listed stand between and below those that we know."""
    head = _head(words, quoted, "from date to cc subject")
    return f"{head}Wichtigkeit: Hoch\nPrioriteetti: suuri\n\n{quoted.body}\n"


def _owa_rule(words: dict[str, str], quoted: Quoted) -> str:
    return f"{'_' * 32}\n{_head(words, quoted, 'from date to cc subject')}\n{quoted.body}\n"


def _owa_dashes(words: dict[str, str], quoted: Quoted) -> str:
    return f"\n{'-' * 32}\n\n{_head(words, quoted, 'from date to cc subject')}\n{quoted.body}\n"


def _owa_tight(words: dict[str, str], quoted: Quoted) -> str:
    """The body begins on the line below the subject."""
    return f"{'_' * 32}\n{_head(words, quoted, 'from date to cc subject')}{quoted.body}\n"


def _owa_below(words: dict[str, str], quoted: Quoted) -> str:
    """Each value on the line below its label."""
    return f"{'_' * 32}\n{_head(words, quoted, 'from date to cc subject', '{}:' + chr(10) + '{}')}\n{quoted.body}\n"


def _owa_links(words: dict[str, str], quoted: Quoted) -> str:
    sender = replace(
        quoted, sender=_doubled(quoted.sender, "{0} <mailto:{0}>"), to=_doubled(quoted.to, "{0}<mailto:{0}>")
    )
    return f"{'_' * 32}\n{_head(words, sender, 'from date to cc subject')}\n{quoted.body}\n"


def _outlook_marked(words: dict[str, str], quoted: Quoted) -> str:
    return _marked(_outlook_bare(words, quoted))


def _thunderbird(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "subject date from to cc", "{}: \t{}")
    return f"-------- {words['marker']} --------\n{head}\n\n\n{quoted.body}\n"


def _thunderbird_reply_to(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "subject date from")
    return (
        f"-------- {words['marker']} --------\n{head}Reply-To: lists@acme.example\nOrganization: ACME\n"
        f"{_head(words, quoted, 'to cc')}\n{quoted.body}\n"
    )


def _kmail(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "subject date from to cc")
    return f"----------  {words['marker']}  ----------\n\n{head}\n{quoted.body}\n{'-' * 55}\n"


def _k9(words: dict[str, str], quoted: Quoted) -> str:
    return f"-------- {words['marker']} --------\n{_head(words, quoted, 'from date to cc subject')}\n{quoted.body}\n"


def _mutt(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "date from to cc subject")
    return f"----- {words['marker']} -----\n\n{head}\n{quoted.body}\n\n----- End forwarded message -----\n"


def _yahoo(words: dict[str, str], quoted: Quoted) -> str:
    return f"   ----- {words['marker']} -----\n{_head(words, quoted, 'from to cc date subject')}\n{quoted.body}\n"


def _yahoo_line(words: dict[str, str], quoted: Quoted) -> str:
    """Yahoo's plain text: the whole header on one line, without a blank between its fields."""
    head = _head(words, quoted, "from to cc date subject").rstrip("\n").replace("\n", "")
    return f"   ----- {words['marker']} ----- {head}\n{quoted.body}\n"


def _yahoo_below(words: dict[str, str], quoted: Quoted) -> str:
    head = _head(words, quoted, "from to cc date subject").rstrip("\n").replace("\n", " ")
    return f"   ----- {words['marker']} -----\n{head}\n\n{quoted.body}\n"


def _zimbra(words: dict[str, str], quoted: Quoted) -> str:
    name, _, address = quoted.sender.partition(" <")
    sender = replace(quoted, sender=f'"{name}" <{address}' if address else quoted.sender)
    return f"----- {words['marker']} -----\n{_head(words, sender, 'from to cc date subject')}\n{quoted.body}\n"


def _ionos(words: dict[str, str], quoted: Quoted) -> str:
    return _marked(f"{words['marker']}\n{_head(words, quoted, 'from to cc date subject')}\n\n{quoted.body}\n")


def _ionos_unmarked(words: dict[str, str], quoted: Quoted) -> str:
    return f"{words['marker']}\n{_head(words, quoted, 'from to cc date subject')}\n\n{quoted.body}\n"


def _roundcube(words: dict[str, str], quoted: Quoted) -> str:
    return f"{words['marker']}\n{_head(words, quoted, 'subject date from to cc')}\n{quoted.body}\n"


def _squirrel(words: dict[str, str], quoted: Quoted) -> str:
    middle = words["marker"].strip("- ")
    head = _head(words, quoted, "subject from date to cc", "{}:    {}")
    return f"{'-' * 28} {middle} {'-' * 28}\n{head}{'-' * 74}\n\n{quoted.body}\n"


def _doubled(entry: str, form: str) -> str:
    """One address as text made from links has it; lists stay as they are."""
    if entry.count("@") != 1 or "\n" in entry or ";" in entry:
        return entry
    head, bracket, address = entry.rstrip(">").partition("<")
    return f"{head}<{form.format(address)}>" if bracket else form.format(entry)


_COLUMNS: dict[str, tuple[tuple[str, ...], dict[str, Fill]]] = {
    "apple": (
        ("marker", "from", "subject", "date", "to", "cc", "reply"),
        {
            "apple mail": _apple,
            "apple mail, bold": _apple_bold,
            "iphone": _apple_unmarked,
            "iphone, marks of direction": _apple_turned,
            "claws": _claws,
            "mailmate": _mailmate,
        },
    ),
    "gmail": (
        ("marker", "from", "date", "subject", "to", "cc"),
        {
            "gmail": _gmail,
            "gmail, bold name": _gmail_bold,
            "hubspot": _gmail_links,
            "gmail, marked": _gmail_marked,
            "missive": _missive,
        },
    ),
    "outlook": (
        ("marker", "from", "date", "to", "cc", "subject"),
        {
            "outlook 2013": _outlook_original,
            "outlook 2019": _outlook_bare,
            "outlook, bold": _outlook_bold,
            "outlook, importance": _outlook_importance,
            "outlook live": _owa_rule,
            "outlook live, dashes": _owa_dashes,
            "outlook live, tight": _owa_tight,
            "outlook live, values below": _owa_below,
            "outlook live, links": _owa_links,
            "outlook, marked": _outlook_marked,
            "k-9": _k9,
        },
    ),
    "outlook_mac": (
        ("from", "date", "to", "cc", "subject"),
        {"new outlook": _outlook_bare, "outlook for mac": _outlook_bold, "outlook mobile": _owa_rule},
    ),
    "thunderbird": (
        ("marker", "from", "date", "to", "cc", "subject"),
        {
            "thunderbird": _thunderbird,
            "thunderbird, reply-to": _thunderbird_reply_to,
            "kmail": _kmail,
            "mutt": _mutt,
        },
    ),
    "yahoo": (
        ("marker", "from", "to", "cc", "date", "subject"),
        {"yahoo": _yahoo, "yahoo, one line": _yahoo_line, "yahoo, one line below": _yahoo_below, "zimbra": _zimbra},
    ),
    "webmail": (
        ("marker", "from", "to", "cc", "date", "subject"),
        {
            "ionos": _ionos,
            "ionos, unmarked": _ionos_unmarked,
            "roundcube": _roundcube,
            "squirrelmail": _squirrel,
        },
    ),
}
_DATES = {"apple": 1, "gmail": 2, "thunderbird": 3, "webmail": 3}


LAYOUTS = {layout: family for family, (_, layouts) in _COLUMNS.items() for layout in layouts}
"""layout -> the family of clients whose words it is filled with."""
COLUMNS = {family: columns for family, (columns, _) in _COLUMNS.items()}
"""family -> what the columns of its rows are."""
LOCALES = frozenset(WORDS["dates"])


def rows_of(family: str) -> list[str]:
    """The rows of words of a family: a locale, and a variant of it where there are several."""
    return list(WORDS[family])


def date_of(family: str, row: str) -> str:
    """3 May 2025, 10:02, as the clients of a family write it in the language of the row."""
    return WORDS["dates"][row.split()[0]][_DATES.get(family, 0)]


def case_of(layout: str, row: str, quoted: Quoted) -> Case:
    """A layout filled with the words of a row and the fields of `quoted`, the date as the locale writes it."""
    family = LAYOUTS[layout]
    columns, layouts = _COLUMNS[family]
    words = dict(zip(columns, WORDS[family][row], strict=True))
    filled = replace(quoted, date=date_of(family, row))
    return Case(f"{layout}, {row}", layouts[layout](words, filled), filled)
