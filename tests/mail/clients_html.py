"""The HTML in which the clients of client_words.yaml forward a mail; the same cases as in clients.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape

from tests.mail.clients import COLUMNS, WORDS, Case, Quoted, date_of

Fill = Callable[[dict[str, str], Quoted], str]
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")


def _linked(text: str) -> str:
    return _ADDRESS.sub(lambda found: f'<a href="mailto:{found[0]}">{found[0]}</a>', escape(text, quote=False))


def _fields(words: dict[str, str], quoted: Quoted, order: str) -> list[tuple[str, str]]:
    """(label, value) of the lines that the client writes; "~" in the table stands for a no-break space."""
    values = {
        "from": quoted.sender,
        "date": quoted.date,
        "to": quoted.to,
        "cc": quoted.cc,
        "subject": quoted.subject,
        "reply": quoted.sender,
    }
    return [
        (words[field].replace("~", "&nbsp;"), _linked(values[field]).replace("\n", " "))
        for field in order.split()
        if values[field]
    ]


def _paragraphs(body: str) -> str:
    return "".join(f"<div>{escape(line, quote=False) or '<br>'}</div>\n" for line in body.split("\n"))


def _mso(text: str) -> str:
    lines = body_lines(text)
    return "".join(f"<p class=MsoNormal>{escape(line, quote=False) or '&nbsp;'}<o:p></o:p></p>\n" for line in lines)


def body_lines(text: str) -> list[str]:
    return text.split("\n")


def _gmail(words: dict[str, str], quoted: Quoted) -> str:
    name, _, address = quoted.sender.partition(" <")
    rows = _fields(words, quoted, "from date subject to cc")
    sender = (
        f'<strong class="gmail_sendername" dir="auto">{escape(name, quote=False)}</strong> '
        f'<span dir="auto">{_linked("<" + address)}</span>'
        if address
        else rows[0][1]
    )
    head = "".join(f"{label}: {value}<br>" for label, value in [(rows[0][0], sender), *rows[1:]])
    return (
        f'<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{words["marker"]}<br>'
        f'{head}</div><br><br><div dir="ltr">{_paragraphs(quoted.body)}</div></div>'
    )


def _apple(words: dict[str, str], quoted: Quoted) -> str:
    rows = "".join(
        '<div style="margin-top: 0px; margin-bottom: 0px;"><span style="font-family: -webkit-system-font, sans-serif; '
        f'color:rgba(0, 0, 0, 1.0);"><b>{label}: </b></span><span style="font-family: sans-serif;">{value}<br></span>'
        "</div>"
        for label, value in _fields(words, quoted, "from subject date to cc reply")
    )
    return (
        f'<div><br><blockquote type="cite"><div>{words["marker"]}</div><br class="Apple-interchange-newline">{rows}<br>'
        f"<div>{_paragraphs(quoted.body)}</div></blockquote></div>"
    )


def _iphone(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(
        f"<b>{label}:</b> {value}<br>" for label, value in _fields(words, quoted, "from date to cc subject reply")
    )
    return (
        f'<div dir="ltr"><br>{words["marker"]}<br><br></div><blockquote type="cite"><div dir="ltr">{head}<br></div>'
        f'</blockquote><blockquote type="cite"><div dir="ltr">{_paragraphs(quoted.body)}</div></blockquote>'
    )


def _word(words: dict[str, str], quoted: Quoted) -> str:
    head = "<br>".join(f"<b>{label}:</b> {value}" for label, value in _fields(words, quoted, "from date to cc subject"))
    return (
        "<p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;"
        f"padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal>{head}<o:p></o:p></p></div></div>"
        f"<p class=MsoNormal><o:p>&nbsp;</o:p></p>{_mso(quoted.body)}"
    )


def _word_bar(words: dict[str, str], quoted: Quoted) -> str:
    return (
        f"<div style='border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt'>{_word(words, quoted)}</div>"
    )


def _owa(words: dict[str, str], quoted: Quoted) -> str:
    head = "<br>".join(f"<b>{label}:</b> {value}" for label, value in _fields(words, quoted, "from date to cc subject"))
    return (
        '<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div '
        f'id="divRplyFwdMsg" dir="ltr"><font face="Calibri" style="font-size:11pt">{head}</font><div>&nbsp;</div></div>'
        f"<div>{_paragraphs(quoted.body)}</div>"
    )


def _outlook_mac(words: dict[str, str], quoted: Quoted) -> str:
    head = "<br>".join(
        f'<b><span style="color:black">{label}: </span></b><span style="color:black">{value}</span>'
        for label, value in _fields(words, quoted, "from date to cc subject")
    )
    return (
        '<div id="mail-editor-reference-message-container"><div><div style="border:none;border-top:solid #B5C4DF 1.0pt;'
        f'padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{head}</p></div>{_mso(quoted.body)}</div></div>'
    )


def _outlook_mobile(words: dict[str, str], quoted: Quoted) -> str:
    head = "<br>".join(f"<b>{label}:</b> {value}" for label, value in _fields(words, quoted, "from date to cc subject"))
    return (
        '<div class="ms-outlook-mobile-reference-message skipProofing"><hr style="display:inline-block;width:98%">'
        f'<div id="divRplyFwdMsg"><font>{head}</font><br></div>{_paragraphs(quoted.body)}</div>'
    )


def _thunderbird(words: dict[str, str], quoted: Quoted) -> str:
    rows = "".join(
        f'<tr><th valign="BASELINE" align="RIGHT" nowrap="nowrap">{label}: </th><td>{value}</td></tr>\n'
        for label, value in _fields(words, quoted, "subject date from to cc")
    )
    return (
        f'<div class="moz-forward-container"><br><br>-------- {words["marker"]} --------\n<table '
        f'class="moz-email-headers-table" cellspacing="0"><tbody>{rows}</tbody></table><br><br>'
        f"{_paragraphs(quoted.body)}</div>"
    )


def _yahoo(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(
        f"<div><b>{label}:</b> {value}</div>" for label, value in _fields(words, quoted, "from to cc date subject")
    )
    return (
        '<div id="yahoo_quoted_0123456789" class="yahoo_quoted"><div style="font-family:Helvetica;font-size:13px;">'
        f"<div>----- {words['marker']} -----</div>{head}<div><br></div>"
        f'<div><div id="yiv1"><div>{_paragraphs(quoted.body)}</div></div></div></div></div>'
    )


def _zimbra(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(f"<b>{label}: </b>{value}<br>" for label, value in _fields(words, quoted, "from to cc date subject"))
    return (
        f'<hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__">{head}</div><br>'
        f'<div data-marker="__QUOTED_TEXT__">{_paragraphs(quoted.body)}</div>'
    )


def _ionos(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(f"<div>{label}: {value}</div>" for label, value in _fields(words, quoted, "from to cc date subject"))
    return (
        f'<blockquote type="cite"><div>{words["marker"]}</div>{head}<div>&nbsp;</div><div>&nbsp;</div>'
        f"{_paragraphs(quoted.body)}</blockquote>"
    )


def _roundcube(words: dict[str, str], quoted: Quoted) -> str:
    rows = "".join(
        f'<tr><th nowrap="nowrap" valign="baseline" align="right">{label}:</th><td>{value}</td></tr>'
        for label, value in _fields(words, quoted, "subject date from to cc")
    )
    return (
        f'<p>{words["marker"]}</p><table border="0" cellpadding="0"><tbody>{rows}</tbody></table><p>&nbsp;</p>'
        f"{_paragraphs(quoted.body)}"
    )


def _missive(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(f"{label}: {value}<br>" for label, value in _fields(words, quoted, "from date subject to cc"))
    return (
        f'<div class="missive_quote">----------<br>{head}<br><blockquote style="margin:0 0 0 5px;padding-left:5px;'
        f'border-left:1px solid #d0d0d0">{_paragraphs(quoted.body)}</blockquote></div>'
    )


def _hubspot(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(f"{label}: {value}<br>" for label, value in _fields(words, quoted, "from date subject to cc"))
    return (
        f'<div class="hs_reply"><div class="hs_reply_quote">{words["marker"]}<br>{head}<br>'
        f"{_paragraphs(quoted.body)}</div></div>"
    )


def _mailmate(words: dict[str, str], quoted: Quoted) -> str:
    head = "".join(
        f"<p dir='auto'>{label}: {value}</p>" if number == 0 else f"<br>{label}: {value}"
        for number, (label, value) in enumerate(_fields(words, quoted, "from to cc subject date"))
    )
    return (
        f'<div class="plaintext"><p dir="auto">Forwarded message:</p></div><blockquote class="embedded" style="margin:'
        f'0 0 5px;padding-left:5px;border-left:2px solid #777">{head}<br><br>{_paragraphs(quoted.body)}</blockquote>'
    )


_LAYOUTS: dict[str, dict[str, Fill]] = {
    "apple": {"apple mail": _apple, "iphone": _iphone, "mailmate": _mailmate},
    "gmail": {"gmail": _gmail, "hubspot": _hubspot, "missive": _missive},
    "outlook": {"word": _word, "word, bar": _word_bar, "owa": _owa},
    "outlook_mac": {"outlook for mac": _outlook_mac, "outlook mobile": _outlook_mobile},
    "thunderbird": {"thunderbird": _thunderbird},
    "yahoo": {"yahoo": _yahoo, "zimbra": _zimbra},
    "webmail": {"ionos": _ionos, "roundcube": _roundcube},
}
HTML_LAYOUTS = {layout: family for family, layouts in _LAYOUTS.items() for layout in layouts}
"""layout -> the family of clients whose words it is filled with."""


def html_case(layout: str, row: str, quoted: Quoted) -> Case:
    """A layout in HTML filled with the words of a row and the fields of `quoted`."""
    family = HTML_LAYOUTS[layout]
    words = dict(zip(COLUMNS[family], WORDS[family][row], strict=True))
    filled = replace(quoted, date=date_of(family, row))
    return Case(f"{layout} in HTML, {row}", _LAYOUTS[family][layout](words, filled), filled)
