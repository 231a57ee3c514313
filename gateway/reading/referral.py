"""Referrals: whether the mail passes the matter on, to whom, or only asks somebody and keeps it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.mail.address import Mailbox
from gateway.reading.acts.weigh import weigh
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.mitigation import route_in
from gateway.reading.sentences import clauses

NOUNS_ARE_CAPITALISED = ("de",)
"""Where a capital letter says nothing about names."""

WORDS_OF_A_NOTE = 60
"""A mail of at most this many words is a note on what it quotes, and what it asks for is about that; a longer one may
ask for anything."""

NO_ROUTE = 0.1
"""Chance of a route below which a redirect leads nowhere."""

DOUBTS = {"task": 0.35, "directive": 0.35, "announce": 0.2}
"""Cue -> the chance of a hand-off below which its phrases are not believed: a time for a call ("can you do it after
twelve?") passes nothing on."""

Kind = Literal["hand-off", "redirect", "consult", "delegation"]


@dataclass(frozen=True, slots=True)
class Referral:
    """`kind` "" where nothing is passed on. `evidence` are offsets in the new text."""

    kind: Kind | Literal[""] = ""
    evidence: tuple[Hit, ...] = ()
    handoff: tuple[Hit, ...] = ()
    redirect: tuple[Hit, ...] = ()
    consult: tuple[Hit, ...] = ()
    ownership: tuple[Hit, ...] = ()
    fyi: tuple[Hit, ...] = ()
    target: str = ""
    target_at: tuple[int, int] | None = None
    no_route: tuple[Hit, ...] = ()
    """The words that name nobody, where nothing near them does either."""


_NAME = re.compile(
    r"(?<=[\s(/])((?:[A-ZÀ-Þ][\w'’&.-]*[\w’])(?:\s+(?:[A-ZÀ-Þ][\w'’&-]+|(?:in|im|at|of|van|de|du|von|di|da)\b)){0,5})"
)
"""Capitalised words inside a sentence: a person, a team, a company, a manual."""
_NOT = re.compile(r"\b(?:not|no|never|nicht|kein\w{0,2}|não|non|pas|niet|geen)\b|n['’]t\b")
"""A no to what follows, in the languages of the lexicons."""
POLITE = frozenset(
    ("Sie", "Ihnen", "Ihr", "Ihre", "Ihren", "Ihrem", "Ihrer", "Du", "Dir", "Dich", "Lei", "La", "Le", "U", "Usted")
)
"""Words for the reader that are written with a capital letter."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Who gets the mail, as far as a referral depends on it.

    `others` are the recipients who are neither the requester nor the writer; `addressed` says that one of them stands
    in To; `to_requester` and `absent`: the requester gets the mail visibly, or is known and does not get it at all.
    `lang` tells the language of the mail.
    """

    others: tuple[Mailbox, ...]
    addressed: bool
    to_requester: bool
    absent: bool
    lang: Callable[[], str]


def find_referral(scan: Scan, setting: Setting) -> Referral:
    """Read the new text.

    A request to act, addressed to others, passes the matter on; a question keeps it. A writer who says that they go on
    with it, or that they will answer, keeps it as well. Where the requester is left out, any request to others about
    what was asked passes it on.
    """
    transfer = _no_errand(scan, weigh(scan, "handoff", scan.said("transfer")))
    ownership = scan.said("ownership")
    directive = _believed(scan, "directive", transfer, 0.0 if ownership else DOUBTS["directive"])  # a part of it, then
    task = _believed(scan, "task", transfer, DOUBTS["task"])
    announced = _believed(scan, "announce", transfer, DOUBTS["announce"])
    if setting.to_requester and not setting.addressed:
        # Told to the requester, a hand-off that no phrase knows is the news of one.
        announced += tuple(hit for hit in transfer if hit.cue == "handoff")
        transfer = tuple(hit for hit in transfer if hit.cue != "handoff")
    if setting.to_requester and not setting.addressed:
        # "I'll send it to you": whoever asked gets it, and nobody else.
        gifts = scan.said("delivery")
        transfer, announced = _without(transfer, gifts), _without(announced, gifts)
    if setting.absent and scan.said("readers_own"):
        announced = ()  # "I will forward your mail to Ann": the reader is one who asked, and is told
    ask = scan.said("ask")
    fyi = scan.said("fyi")
    redirect = weigh(scan, "redirect", scan.said("redirect")) if setting.to_requester or not setting.others else ()
    target, target_at = _target(scan, redirect, setting.lang)
    if setting.to_requester and not setting.addressed:
        directive = ()  # it is the requester who is asked
    handoff: tuple[Hit, ...] = ()
    kind: Kind | Literal[""] = ""
    consult: tuple[Hit, ...] = ()
    if setting.others and (transfer or directive):
        if ownership:
            kind = "delegation" if directive and not ask else "consult"
            consult = ask or directive or transfer
        else:
            kind, handoff = "hand-off", transfer + directive
    elif setting.others and setting.absent and task and scan.says_at_most(WORDS_OF_A_NOTE) and not (ownership or fyi):
        kind, handoff = "hand-off", task
    elif announced and not ownership:
        kind, handoff = "hand-off", announced
    elif setting.others and ask and not setting.to_requester:
        kind, consult = "consult", ask
    if redirect and (not kind or (handoff is announced and not setting.others)):
        kind = "redirect"
    if handoff:
        fyi = ()
    evidence = {"hand-off": handoff, "redirect": redirect}.get(kind, consult)
    vague: tuple[Hit, ...] = ()
    if not target:
        vague = tuple(hit for each in redirect for hit in scan.within(each.sentence, "no_route"))
        vague = vague or tuple(hit for hit in redirect if _leads_nowhere(scan, hit))
    return Referral(kind, evidence, handoff, redirect, consult, ownership, fyi, target, target_at, vague)


def _leads(scan: Scan, number: int) -> bool:
    """Whether the second reader sees a way in a sentence beside a redirect: "the portal shows what was keyed in" has a
    word of one."""
    return any(scan.acts.chance(number, act, 1.0) >= NO_ROUTE for act in ("route", "alternative", "redirect"))


def _without(hits: Iterable[Hit], others: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits that overlap none of the others."""
    return tuple(hit for hit in hits if not any(hit.start < o.end and o.start < hit.end for o in others))


def _leads_nowhere(scan: Scan, redirect: Hit) -> bool:
    """Whether the second reader sees no way to go in a redirect, nor in the sentences beside it. "If you get an error,
    read the manual" sends nobody away."""
    if scan.within(redirect.sentence, "conditional"):
        return False
    near = range(redirect.sentence - 1, redirect.sentence + 2)
    return all(scan.acts.chance(n, "route", 1.0 if n == redirect.sentence else 0.0) < NO_ROUTE for n in near)


def _believed(scan: Scan, cue: str, seen: Sequence[Hit], least: float) -> tuple[Hit, ...]:
    """The hits of a cue of passing on of which the second reader, which knows whom the mail goes to, gives a hand-off
    at least this chance."""
    said = scan.said(cue)
    if not said:
        return ()
    hits = weigh(scan, "handoff", [hit for hit in said if scan.acts.chance(hit.sentence, "handoff", 1.0) >= least])
    return _no_errand(scan, (hit for hit in hits if hit not in seen and hit.cue == cue))


def _no_errand(scan: Scan, hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Without what is asked for the writer's own sake: who prints a mail for somebody has not got the matter."""
    return tuple(hit for hit in hits if not scan.within(hit.sentence, "errand"))


def _is_addressed(text: str, name: re.Match[str], end: int) -> bool:
    """Whether a name only calls the reader: it stands alone behind a comma, at the end of its sentence."""
    before, behind = text[: name.start(1)].rstrip(), text[name.end(1) : end]
    return before.endswith(",") and " " not in name.group(1) and not any(map(str.isalnum, behind))


def _is_denied(scan: Scan, number: int, name: int) -> bool:
    """Whether a name stands behind a "not" in its clause: "that isn't done by IT, you'd have to ask around"."""
    start = next((start for start, end in clauses(scan.prepared, number) if start <= name < end), name)
    return _NOT.search(scan.prepared.folded, start, name) is not None


def _names_somebody(name: str) -> bool:
    """Whether capitalised words are more than the reader ("klären Sie das")."""
    return any(word[0].isupper() and word not in POLITE for word in name.split())


def _target(scan: Scan, redirect: tuple[Hit, ...], lang: Callable[[], str]) -> tuple[str, tuple[int, int] | None]:
    """Where the requester is sent: an address, link or number anywhere near the redirect, a way, or a name in it.

    "The department responsible" is nobody; a name that only addresses the requester is none either.
    """
    text = scan.prepared.text
    sentences = scan.prepared.sentences
    for hit in redirect:
        start = sentences[max(0, hit.sentence - 1)].start
        last = min(hit.sentence + 2, len(sentences) - 1)
        end = sentences[last].end
        if route := route_in(scan, start, end):
            return text[slice(*route)].rstrip(".,)"), route
        for way in scan.of("directions"):
            near = hit.sentence - 1 <= way.sentence <= last and _leads(scan, way.sentence)
            if near or way.sentence == hit.sentence:
                return text[way.start : way.end], (way.start, way.end)
        vague = scan.within(hit.sentence, "no_route")
        if any(each.lang in NOUNS_ARE_CAPITALISED for each in vague):
            continue
        pathless = scan.acts.chance(hit.sentence, "route", 1.0) < NO_ROUTE
        if pathless and lang() in NOUNS_ARE_CAPITALISED:
            continue
        named = sentences[hit.sentence]
        for found in _NAME.finditer(text, max(hit.start, named.start) + 1, named.end):
            if _is_addressed(text, found, named.end) or not _names_somebody(found.group(1)):
                continue
            if pathless and _is_denied(scan, hit.sentence, found.start(1)):
                continue
            if not any(each.start <= found.end(1) and found.start(1) <= each.end for each in vague):
                return found.group(1).strip(), found.span(1)
    return "", None
