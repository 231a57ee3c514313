"""The leak guard: may the gateway, unasked, show this mail to the person it left out? (DESIGN.md §4)

Adding a requester to a mail can show them what was meant for colleagues. Every clause below must hold; the first that
does not is the reason why the mail is held instead. A sender who is asked may still say yes, except where the octets
must not be touched at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gateway.mail.message import Message
from gateway.mail.parts import Tree
from gateway.mail.quoting import Body, split_body
from gateway.mail.unshown import leaves_out, named_words
from gateway.policy.model import Policy, in_domains
from gateway.reading.memory import line_hashes, sentences_of
from gateway.reading.reader import Reading
from gateway.reading.thread import SeenMessage
from gateway.site.model import Site

PASTED = 24
"""Letters from which a sentence of an unshown mail that turns up in the new text counts as copied from it."""
HISTORY = ("quote", "forward")
_PREFIX = re.compile(r"\s*[A-Za-z]{1,6}(?:\[\d+\])?\s*:")


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """`ok`: the gateway may add them by itself. Else `clause` names the reason and `why` says it, as a sentence's end.

    `by_sender`: it can still be done when the sender says so.
    """

    ok: bool
    clause: str = ""
    why: str = ""
    by_sender: bool = True


UNKNOWN = GuardVerdict(False, "unknown", "nobody knows their address", by_sender=False)


@dataclass(frozen=True, slots=True)
class _Case:
    """What the clauses look at."""

    reading: Reading
    body: Body
    policy: Policy | None
    site: Site
    address: str
    """The requester's."""

    def shown(self) -> tuple[SeenMessage, ...]:
        """The earlier messages that the requester wrote or got, as far as the gateway saw them."""
        return tuple(message for message in self.reading.context.thread.by_id if self._was_shown(message))

    def hidden(self) -> tuple[SeenMessage, ...]:
        """The earlier messages of the thread that they did not get."""
        thread = self.reading.context.thread
        return tuple(m for m in (*thread.by_id, *thread.by_tag) if not self._was_shown(m))

    def _was_shown(self, message: SeenMessage) -> bool:
        among = self.site.is_among
        if among(self.address, [message.author.address, *message.rcpt_to]):
            return True
        # Of our own mail the envelope is the truth; others may have sent them theirs on another way than past us.
        visible = [mailbox.address for mailbox in (*message.to, *message.cc)]
        return message.direction == "inbound" and among(self.address, visible)


def may_add(reading: Reading, policy: Policy | None, site: Site) -> GuardVerdict:
    """Whether the requester of this mail may be added to it. Pure; the mail must have a requester with an address.

    Without a policy all is asked but whom it adds by itself: `for_policy` says that of any policy.
    """
    requester = reading.requester
    if requester is None or not requester.mailbox.address:
        return UNKNOWN
    if reading.body is None:
        return GuardVerdict(False, "unreadable", "the mail was not read", by_sender=False)
    case = _Case(reading, reading.body, policy, site, requester.mailbox.address)
    for clause, broken, why, by_sender in CLAUSES:
        if broken(case):
            return GuardVerdict(False, clause, why, by_sender)
    return GuardVerdict(True)


def for_policy(verdict: GuardVerdict, address: str, policy: Policy, site: Site) -> GuardVerdict:
    """The verdict without a policy, with this one: of several reasons the first in the order of asking is told."""
    if in_domains(address, policy.rewrite_for, site) or not verdict.by_sender:
        return verdict
    names = [name for name, *_ in CLAUSES]
    if verdict.clause and names.index(verdict.clause) < names.index("domain"):
        return verdict
    return verdict_of("domain")


def verdict_of(clause: str) -> GuardVerdict:
    """The verdict in which this clause is the reason; "" is the one that lets them in."""
    for name, _, why, by_sender in CLAUSES:
        if name == clause:
            return GuardVerdict(False, name, why, by_sender)
    return GuardVerdict(not clause, clause, by_sender=not clause)


def _sealed(case: _Case) -> bool:
    return case.reading.message.signed or case.reading.message.encrypted or _fact(case, "signed", "encrypted")


def _unread(case: _Case) -> bool:
    if _fact(case, "unreadable") or case.reading.message.unreadable or case.body.truncated:
        return True
    pages = (part.text for part in case.reading.message.parts if part.content_type == "text/html")
    return any(leaves_out(page) for page in pages if page)


def _guessed(case: _Case) -> bool:
    requester = case.reading.requester
    return requester is None or requester.grade not in ("observed", "declared")


def _in_bcc(case: _Case) -> bool:
    return _fact(case, "requester_bcc_only")


def _shows_bcc(case: _Case) -> bool:
    """A mail program that leaves the Bcc field in shows it to all who get the mail; they need not be one more."""
    return bool(case.reading.message.bcc)


def _confidential(case: _Case) -> bool:
    if _fact(case, "confidential", "confidential_recipient"):
        return True
    thread = case.reading.context.thread
    if any(message.marks.get("confidential") for message in (*thread.by_id, *thread.by_tag)):
        return True
    return any(case.site.is_confidential(address) for address in case.reading.envelope.recipients)


def _outsider(case: _Case) -> bool:
    return case.policy is not None and not in_domains(case.address, case.policy.rewrite_for, case.site)


def _attached(case: _Case) -> bool:
    """A file, or a whole mail, that they may never have had. Pictures inside the text are part of it."""
    message = case.reading.message
    if message.attached:
        return True
    for part in message.parts:
        readable = part.content_type in ("text/plain", "text/html") and part.text is not None
        picture = part.content_type.startswith("image/") and part.disposition != "attachment"
        if part.attachment or not (readable or picture):
            return True
    return False


def _unseen_history(case: _Case) -> bool:
    """A quoted or forwarded sentence, in any alternative of the text, that is in no mail that they wrote or got.

    The subject of a quoted mail is part of it.
    """
    shown = case.shown()
    known = _hashes(shown)
    subjects = {_topic(subject) for subject in ("", case.reading.message.subject, *(each.subject for each in shown))}
    for body in _versions(case):
        if _unknown(_history(body), known, case):
            return True
        if any(author.kind != "attached" and _topic(author.subject) not in subjects for author in body.authors):
            return True
    return False


def _copied(case: _Case) -> bool:
    """A sentence of a mail that they did not get, among the new words or in what another alternative calls new."""
    known, theirs = _hashes(case.shown()), _hashes(case.hidden())
    own = _bare(case.body.new.text)
    if any(_repeats(sentence, theirs - known, case) for sentence in _between(case)):
        return True
    for body in _versions(case):
        for sentence in sentences_of(body.new.text):
            marks = line_hashes([sentence], case.reading.context.key)
            if _letters(sentence) < PASTED or marks <= known:
                continue
            if marks & theirs:
                return True
            # The new text may say it too, however the other alternative wraps, marks and links it.
            if body is not case.body and _bare(sentence) not in own:
                return True
    return False


CLAUSES: tuple[tuple[str, Callable[[_Case], bool], str, bool], ...] = (
    ("sealed", _sealed, "the mail is signed or encrypted and must not be altered", False),
    ("bcc", _in_bcc, "they are in Bcc, and only you can say that they may be seen", True),
    ("bcc-field", _shows_bcc, "it has a Bcc field, whose people they would see", True),
    ("grade", _guessed, "their address is known only from quoted text or an attachment", True),
    ("confidential", _confidential, "something in this thread is marked as confidential", True),
    ("domain", _outsider, "they are not one of the people whom the policy adds by itself", True),
    ("unreadable", _unread, "part of the mail could not be read", True),
    ("attachment", _attached, "a file or mail is attached that they may not have seen", True),
    ("history", _unseen_history, "it quotes mail that, as far as the gateway saw, they did not get", True),
    ("copied", _copied, "it repeats words from a mail that they did not get", True),
)
"""(name, is it broken, why as the end of a sentence, may the sender overrule it), in the order of asking."""


def _fact(case: _Case, *names: str) -> bool:
    return any(name in case.reading.facts for name in names)


def _versions(case: _Case) -> Iterable[Body]:
    """The body as it was read, and every other alternative of the text: each mail client shows the one it likes."""
    yield case.body
    message: Message = case.reading.message
    for part in message.parts:
        if part.in_alternative and part.text is not None and part.content_type in ("text/plain", "text/html"):
            yield split_body(replace(message, tree=Tree(parts=[part])))


def _between(case: _Case) -> Iterable[str]:
    """What is neither new text nor history: signatures, headers of quotes, and what a page says without showing it."""
    for body in _versions(case):
        for block in body.blocks:
            if block.kind != "new" and block.kind not in HISTORY:
                yield from sentences_of(block.text)
                yield from block.text.split("\n")
    for part in case.reading.message.parts:
        if part.content_type == "text/html" and part.text:
            for text in named_words(part.text):
                yield from sentences_of(text)


def _repeats(sentence: str, theirs: frozenset[int], case: _Case) -> bool:
    return _letters(sentence) >= PASTED and bool(line_hashes([sentence], case.reading.context.key) & theirs)


def _topic(subject: str) -> str:
    """A subject without the prefixes of answers and forwards, blanks and case."""
    bare = subject
    while (prefix := _PREFIX.match(bare)) is not None:
        bare = bare[prefix.end() :]
    return "".join(bare.lower().split())


def _history(body: Body) -> Iterable[str]:
    for block in body.blocks:
        if block.kind in HISTORY:
            yield from sentences_of(block.text)


def _unknown(sentences: Iterable[str], known: frozenset[int], case: _Case) -> bool:
    # One at a time: the hashes of a whole mail stop at a limit, and what stands behind it would go unchecked.
    return any(not line_hashes([sentence], case.reading.context.key) <= known for sentence in sentences)


def _hashes(messages: Iterable[SeenMessage]) -> frozenset[int]:
    return frozenset().union(*(message.lines for message in messages))


def _letters(sentence: str) -> int:
    return sum(character.isalnum() for character in sentence)


def _bare(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
