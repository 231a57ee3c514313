"""Recover: mailboxes from address lists that break RFC 5322 and that people understand all the same.

Unquoted commas in names, `;` between addresses (Outlook), `Kate [kate@x.example]`, names without an address.
Nothing is taken out of a quoted string or a comment as long as those are closed.
"""

from __future__ import annotations

import re

from gateway.mail.address import Mailbox

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.){0,1000}+"|\((?:[^()\\]|\\.){0,1000}+\)|<[^<>]{0,1000}+>|\[[^\[\]]{0,1000}+\]|[,;]|[^",;(<\[]++|.',
    re.DOTALL,
)
_SEPARATOR = re.compile(r'[\s<>()\[\],;"]+')
_MOST = 5000


def recover(text: str) -> tuple[Mailbox, ...]:
    """The mailboxes of `text`, one unfolded field value; the address is "" where only a name stands. Linear."""
    found: list[Mailbox] = []
    waiting = ""  # an entry without an address: a name alone, or the front of "Rossi, Carla <carla@x.example>"
    entry: list[str] = []
    separator = ""
    for token in (*_TOKEN.findall(text), ","):
        if token not in (",", ";"):
            entry.append(token)
            continue
        name, addresses = _read_entry(entry)
        entry = []
        if addresses:
            if waiting and separator == "," and name:
                name, waiting = f"{waiting}, {name}", ""
            found += [Mailbox("", waiting)] if waiting else []
            found += [Mailbox(address, name if at == 0 else "") for at, address in enumerate(addresses)]
            waiting = ""
        elif waiting and " " not in waiting and name:
            found.append(Mailbox("", f"{waiting}, {name}"))
            waiting = ""
        else:
            found += [Mailbox("", waiting)] if waiting else []
            waiting = name
        separator = token
        if len(found) >= _MOST:
            break
    if waiting:
        found.append(Mailbox("", waiting))
    return tuple(each for each in found if each.address or _is_name(each.name))


def _read_entry(tokens: list[str]) -> tuple[str, list[str]]:
    """(name, addresses) of one entry: those in angles, else those in brackets, else the bare ones."""
    spoken: list[str] = []
    angled: list[str] = []
    bracketed: list[str] = []
    bare: list[str] = []
    for token in tokens:
        if token.startswith("<") and token.endswith(">") and len(token) > 1:
            angled += _addresses(token)
        elif token.startswith("[") and token.endswith("]") and len(token) > 1:
            bracketed += _addresses(token)
        elif token.startswith('"') and token.endswith('"') and len(token) > 1:
            spoken.append(token[1:-1].replace('\\"', '"'))
        elif token.startswith("(") and token.endswith(")") and len(token) > 1:
            spoken.append(token)
        else:
            group, colon, rest = token.rpartition(":")
            if colon and "@" not in group:
                token = rest
            words = [word for word in token.split() if not _addresses(word)]
            bare += _addresses(token)
            spoken.append(" ".join(words))
    name = " ".join(" ".join(spoken).split()).strip(" '<>[]")
    return name, angled or bracketed or bare


def _addresses(text: str) -> list[str]:
    if "@" not in text:
        return []
    words = (word.removeprefix("mailto:").strip("':").rstrip(".") for word in _SEPARATOR.split(text))
    return [word for word in words if word.count("@") == 1 and not word.startswith("@") and not word.endswith("@")]


def _is_name(text: str) -> bool:
    return bool(text) and any(map(str.isalnum, text)) and not text.lower().startswith(("undisclosed", "unlisted"))
