"""What the gateway itself writes: notices, drafts, acknowledgements. Pure: facts and templates in, complete mails out.

Our own mails never start a loop: Auto-Submitted (RFC 3834 §5), X-Auto-Response-Suppress for what does not know that,
X-Loop, and acknowledgements go out with the null reverse-path. They thread with the mail that they are about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from gateway.command_words import Kind, command
from gateway.mail.address import Mailbox
from gateway.notice_facts import MAX_NAME, NoticeFacts, variables
from gateway.notice_html import page
from gateway.store.records import OutMail
from gateway.template_files import Rendered, Templates
from gateway.templating import CannotRender, one_line

_ID = re.compile(r"<[!-;=?-~]{1,200}>\Z")
_ORDER: tuple[Kind, ...] = ("fix", "reason", "eta", "note", "consult", "send", "wrong", "discard")
"""The answers as a notice lists them: what mends the mail first."""
_FILLED = ("reason", "eta", "send")
"""Answers that need words of the sender's own."""
_MENDING = ("fix", "reason", "eta", "note")
"""Answers after which nobody is left hanging: the first of them stands out."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who the gateway is in its own mail. `sender` stands in From; answers come to `answers_to`, +token."""

    sender: Mailbox
    answers_to: str
    templates: Templates

    @property
    def domain(self) -> str:
        return Mailbox(self.answers_to).domain or self.sender.domain or "localhost"

    def reply_address(self, token: str) -> str:
        """gateway+TOKEN@notices.example.org"""
        local, _, domain = self.answers_to.rpartition("@")
        return f"{local}+{token}@{domain}"


def hold_notice(facts: NoticeFacts, token: str, head: Letterhead, *, id: str, now: datetime) -> OutMail:
    """The note to the sender of a held mail: reason, evidence, draft, how to answer. Raises CannotRender."""
    values = variables(facts) | {"answers": answers(facts, token, head)}
    values["reasons"] = reasons(facts, head.templates)
    values["draft"] = draft(facts, head.templates)
    if facts.requester is not None and facts.requester.key in {who.key for who in facts.recipients}:
        values["why_no_fix"] = ""  # they are in it: nobody expects them to be added
    name = next((f"notices/{finding.notice}" for finding in facts.findings if finding.notice), "notices/hold")
    if not head.templates.has(name):
        name = "notices/hold"
    return _to_agent("hold", name, facts, values, head, id, now, reply_to=head.reply_address(token))


def returned_notice(
    facts: NoticeFacts, token: str, detail: str, head: Letterhead, *, id: str, now: datetime
) -> OutMail:
    """An approved mail was refused upstream and waits again; `detail` is the upstream's reply. Raises CannotRender."""
    values = variables(facts) | {"answers": answers(facts, token, head), "detail": one_line(detail)[:500]}
    return _to_agent("returned", "notices/returned", facts, values, head, id, now, reply_to=head.reply_address(token))


_PLAIN = {
    "en": (
        "Your mail waits: {subject}",
        'Your mail "{subject}" has not gone out yet. {why}\n\nAnswer this mail with one of these words:\n\n'
        "{fix}  SEND: and why   sends it as it is\n  DISCARD         deletes it\n\nMail {id}.\n",
        "  FIX             adds {adds} to Cc and sends it\n",
    ),
    "de": (
        "Deine Mail wartet: {subject}",
        'Deine Mail "{subject}" ist noch nicht hinausgegangen. {why}\n\nAntworte mit einem dieser Worte:\n\n'
        "{fix}  SENDEN: Grund  sendet sie, wie sie ist\n  VERWERFEN      löscht sie\n\n"
        "Mail {id}.\n",
        "  ERGÄNZEN       setzt {adds} ins Cc und sendet sie\n",
    ),
}


def plain_notice(facts: NoticeFacts, token: str, detail: str, head: Letterhead, *, id: str, now: datetime) -> OutMail:
    """The notice about a held mail in fixed words, for when no template can be used."""
    subject, text, fix = _PLAIN.get(facts.lang.partition("-")[0], _PLAIN["en"])
    why = detail or "; ".join(finding.why for finding in facts.findings if finding.why)
    adds = ", ".join(who.address for who in facts.adds)
    values = {"subject": facts.subject, "why": why, "id": facts.held_id, "adds": adds}
    shown = {name: one_line(value)[:500] for name, value in values.items()}
    shown["fix"] = fix.format(**shown) if facts.can_fix and adds else ""
    rendered = Rendered(text.format(**shown), facts.lang, {"subject": subject.format(**shown)})
    reply_to = head.reply_address(token)
    return _mail("hold", rendered, facts.agent, facts, head, id, now, reverse_path=head.answers_to, reply_to=reply_to)


def rewrite_notice(facts: NoticeFacts, head: Letterhead, *, id: str, now: datetime) -> OutMail:
    """Tells the sender who was added in Cc. Raises CannotRender."""
    return _to_agent("rewrite", "notices/rewrite", facts, variables(facts), head, id, now)


def ack(
    name: str, facts: NoticeFacts, head: Letterhead, *, id: str, now: datetime, reply_to: str = "", **more: object
) -> OutMail:
    """One line after an answer: `name` is one of acks/, `more` gives variables. Raises CannotRender.

    It goes to `facts.agent`, who is whoever answered, in reply to `facts.message_id`, which is the answer's. For
    "wrong-sender" and "expired" the facts need nothing of the held mail, which is not that person's business.
    """
    rendered = head.templates.render(f"acks/{name}", facts.lang, variables(facts) | more)
    return _mail("ack", rendered, facts.agent, facts, head, id, now, reverse_path="", reply_to=reply_to, answered=True)


def letter(
    kind: str, name: str, facts: NoticeFacts, to: Mailbox, head: Letterhead, *, id: str, now: datetime,
    reply_to: str = "", lang: str = "", answered: bool = False, reverse_path: str | None = None, **more: object,
) -> OutMail:  # fmt: skip
    """Any other mail of the gateway's own: the template `name` with `more` variables. Raises CannotRender."""
    rendered = head.templates.render(name, lang or facts.lang, variables(facts) | more)
    path = head.answers_to if reverse_path is None else reverse_path
    return _mail(
        kind,
        rendered,
        to,
        facts,
        head,
        id,
        now,
        reverse_path=path,
        reply_to=reply_to,
        answered=answered,
        answers=more.get("answers", ()),
    )


def supervisor_note(facts: NoticeFacts, head: Letterhead, *, id: str, now: datetime, lang: str = "") -> OutMail:
    """A separate note to the supervisor, never a visible Cc. Raises CannotRender, ValueError without a supervisor."""
    if facts.supervisor is None:
        raise ValueError("no supervisor to tell")
    rendered = head.templates.render("notices/supervisor", lang or facts.lang, variables(facts))
    return _mail("supervisor", rendered, facts.supervisor, facts, head, id, now, reverse_path=head.answers_to)


def reject_line(facts: NoticeFacts, templates: Templates) -> str:
    """The line of a 5.7.1 reply: printable ASCII, without the code."""
    values = variables(facts) | {"reasons": reasons(facts, templates, lang="en")}
    line = one_line(templates.render("replies/reject", "en", values).text)
    return line.encode("ascii", "replace").decode("ascii")[:400]


def reasons(facts: NoticeFacts, templates: Templates, lang: str = "") -> list[dict[str, Any]]:
    """What was found, each in the notice's language where a template has words for it, else in the policy file's. The
    same words are told once, by the weightiest finding: two reasons for one "No." would only shame."""
    shown: list[dict[str, Any]] = []
    told: list[str] = []
    for finding in facts.findings:
        words = [each.casefold().strip(" .,;:!…") for each in finding.words]
        if told and words and all(any(each in other or other in each for other in told) for each in words):
            continue
        told += words
        values = variables(facts) | {
            "why": finding.why,
            "would_pass_with": finding.would_pass.removeprefix("would have passed").strip(" ."),
            "words": list(finding.words),
        }
        try:
            rendered = templates.render(f"reasons/{finding.policy}", lang or facts.lang, values)
        except CannotRender:
            rendered = templates.render(
                "reasons/other", lang or facts.lang, values | {"why": finding.why or finding.policy}
            )
        shown.append(
            {
                "policy": finding.policy,
                "text": rendered.text.strip(),
                "words": list(finding.words),
                "would_pass": rendered.lines.get("would_pass", ""),
            }
        )
    return shown


def draft(facts: NoticeFacts, templates: Templates) -> str:
    """A compliant version for the first finding that has one; "" where facts for it are missing."""
    for finding in facts.findings:
        name = f"drafts/{finding.draft or finding.policy}"
        lang = facts.mail_lang if templates.has(name, facts.mail_lang) else facts.lang
        try:
            return templates.render(name, lang, variables(facts)).text.strip()
        except CannotRender:
            continue
    return ""


def answers(facts: NoticeFacts, token: str, head: Letterhead) -> list[dict[str, str]]:
    """What settles this mail, in the reader's words, each with a mailto: link that fills it in (RFC 6068)."""
    address = quote(head.reply_address(token), safe="@+")
    values = variables(facts)
    found = []
    for kind in _ORDER:
        if kind not in facts.offers:
            continue
        rendered = head.templates.render(f"answers/{kind}", facts.lang, values)
        word = quote(command(kind, rendered.lang))
        body = word + ("%3A%20" if kind in _FILLED else "")
        found.append(
            {
                "label": rendered.lines.get("label", ""),
                "text": rendered.text.strip(),
                "link": f"mailto:{address}?subject={word}&body={body}",
                "mends": "yes" if kind in _MENDING else "",
            }
        )
    width = max((len(each["label"]) for each in found), default=0)
    return [each | {"label": each["label"].ljust(width)} for each in found]


def _to_agent(
    kind: str, name: str, facts: NoticeFacts, values: dict[str, Any], head: Letterhead, id: str, now: datetime,
    reply_to: str = "",
) -> OutMail:  # fmt: skip
    rendered = head.templates.render(name, facts.lang, values)
    return _mail(
        kind,
        rendered,
        facts.agent,
        facts,
        head,
        id,
        now,
        reverse_path=head.answers_to,
        reply_to=reply_to,
        answers=values.get("answers", ()),
    )


def _mail(
    kind: str, rendered: Rendered, to: Mailbox, facts: NoticeFacts, head: Letterhead, id: str, now: datetime, *,
    reverse_path: str, reply_to: str = "", answered: bool = False, answers: Any = (),
) -> OutMail:  # fmt: skip
    """A complete mail. Whatever comes from other people's mail has lost its line ends before it meets a header."""
    plain = all(part.isascii() for part in (to.address, head.sender.address, reply_to))
    message = EmailMessage(SMTP if plain else SMTPUTF8)
    message["From"] = _address(head.sender)
    message["To"] = _address(to)
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{id}@{head.domain}>"
    if reply_to:
        message["Reply-To"] = _address(Mailbox(reply_to, head.sender.name))
    thread = [one for one in (*reversed(facts.references), facts.message_id) if _ID.match(one)]
    if facts.message_id and _ID.match(facts.message_id):
        message["In-Reply-To"] = facts.message_id
    if thread:
        message["References"] = " ".join(dict.fromkeys(thread[-10:]))
    message["Auto-Submitted"] = "auto-replied" if answered else "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Loop"] = one_line(head.answers_to)
    message["X-Referral-Gateway"] = f"{kind}; mail={facts.held_id}"
    links = {each["label"].strip(): each["link"] for each in answers}
    best = next((each["label"].strip() for each in answers if each.get("mends")), "")
    message.set_content(rendered.text, charset="utf-8", cte="quoted-printable")
    message.add_alternative(page(rendered.text, rendered.lang, links, best), subtype="html", cte="quoted-printable")
    message["Content-Language"] = rendered.lang
    message.set_boundary(f"=_{id}")  # one mail, the same octets each time it is written
    # Python folds a long value as a whole onto the next line, where some readers then show an empty subject.
    header, end, body = message.as_bytes().partition(b"\r\n\r\n")
    raw = re.sub(rb"(?m)^([A-Za-z-]+:) ?\r\n ", rb"\1 ", header) + end + body
    return OutMail(id, reverse_path, (to.address,), raw, kind, facts.held_id, now)


def _address(who: Mailbox) -> Address:
    local, _, domain = one_line(who.address).rpartition("@")
    return Address(one_line(who.name)[:MAX_NAME], local.strip('"'), domain)
