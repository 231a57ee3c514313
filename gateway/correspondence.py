"""Correspondence: the gateway's own mails about a mail, written with the templates and the site of the moment.

It composes; it sends nothing. What it writes goes into the store's outbox in the same transaction as the thing it is
about, and the dispatcher sends it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parseaddr

import structlog

from gateway import notices
from gateway.mail.address import Mailbox, split_tag
from gateway.mail.message import read_headers
from gateway.mail.subjects import without_marks
from gateway.notice_facts import NoticeFacts, NoticeFinding
from gateway.notices import Letterhead
from gateway.policy.decision import Finding
from gateway.rules import Rules
from gateway.store.records import Hold, OutMail
from gateway.template_files import Templates
from gateway.templating import CannotRender

log = structlog.get_logger("gateway.correspondence")


class Correspondence:
    """Writes as the gateway: `address` is where answers come to."""

    def __init__(
        self,
        rules: Rules,
        templates: Callable[[], Templates],
        *,
        notices_address: str = "",
        notices_from: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rules = rules
        self._templates = templates
        self._notices_address = notices_address
        self._notices_from = notices_from
        self.clock = clock

    @property
    def address(self) -> str:
        return self._notices_address or self._rules.site.notices_address

    def takes(self, address: str) -> bool:
        """True for the address of notices, with or without a token."""
        return bool(self.address) and split_tag(address)[0] == self.address.lower()

    def head(self) -> Letterhead:
        name, address = parseaddr(self._notices_from or self.address)
        return Letterhead(Mailbox(address, name or "Referral gateway"), self.address, self._templates())

    def notice(self, facts: NoticeFacts, token: str, detail: str = "") -> OutMail:
        """The notice about a mail that waits, or (with `detail`) waits again. Templates are for words: without a usable
        one the notice goes out in fixed words, since a held mail that nobody hears of is a lost one."""
        head, now = self.head(), self.clock()
        try:
            if detail:
                return notices.returned_notice(facts, token, detail, head, id=mail_id(), now=now)
            return notices.hold_notice(facts, token, head, id=mail_id(), now=now)
        except Exception as error:
            log.error("a notice goes out in fixed words", mail=facts.held_id, **why(error))
            return notices.plain_notice(facts, token, detail, head, id=mail_id(), now=now)

    def ack(self, name: str, facts: NoticeFacts, *, token: str = "", **more: object) -> tuple[OutMail, ...]:
        """An acknowledgement to `facts.agent`, or none where it cannot be written: what it tells of has happened all
        the same. With a `token` it can be answered."""
        try:
            head = self.head()
            reply_to = head.reply_address(token) if token else ""
            if token and facts.offers:
                more["answers"] = notices.answers(facts, token, head)
            mail = notices.ack(name, facts, head, id=mail_id(), now=self.clock(), reply_to=reply_to, **more)
            return (mail,)
        except Exception as error:
            log.error("an acknowledgement could not be written", mail=facts.held_id, ack=name, **why(error))
            return ()

    def sentence(self, name: str, text: str, lang: str) -> str:
        """What an agent answered, as a sentence of their mail: amend/reason or amend/eta. Raises CannotRender."""
        said = text.rstrip(" .") if text[-1:] == "." else text
        rendered = self.head().templates.render(f"amend/{name}", lang, {name: said})
        return re.sub(r"([?!…])\.$", r"\1", rendered.text.strip())

    def needed(self, hold: Hold, findings: Iterable[Finding], lang: str) -> str:
        """What is still missing of a mail with these findings, as the end of a sentence in the reader's language."""
        found = tuple(NoticeFinding(each.policy, each.why, would_pass=each.would_pass) for each in findings)
        facts = replace(self.facts_of(hold), findings=found, lang=lang)
        try:
            shown = (reason["would_pass"] for reason in notices.reasons(facts, self.head().templates))
            return next((text.rstrip(" .") for text in shown if text), "")
        except CannotRender as error:
            log.error("what is needed cannot be told", mail=facts.held_id, **why(error))
            return ""

    def companion(self, hold: Hold) -> OutMail:
        """The short note that tells the requester who has their matter now, in the language they wrote in where that is
        known. Answers go to the agent, and so does a bounce: they can reach the requester some other way. Raises
        CannotRender, ValueError without a requester."""
        facts = self.facts_of(hold)
        facts = replace(facts, subject=without_marks(facts.subject))
        lang = str(hold.new.told.get("asked_in") or "") or facts.mail_lang or facts.lang
        if facts.requester is None or not facts.requester.address:
            raise ValueError("nobody knows the address of the person who asked")
        return notices.letter(
            "companion", "companion/note", facts, facts.requester, self.head(), id=mail_id(), now=self.clock(),
            reply_to=facts.agent.address, reverse_path=facts.agent.address, lang=lang,
        )  # fmt: skip

    def named(self, who: Mailbox) -> Mailbox:
        """With the name that the site file knows, where the mail has none: a draft should not greet an address."""
        return who if who.name or not who.address else replace(who, name=self._rules.site.name_of(who.address))

    def lang_of(self, reader: Mailbox, otherwise: str) -> str:
        """The language of a reader, as far as the site file knows it."""
        site = self._rules.site
        entry = site.agent(reader.address)
        led = (team.lang for team in site.teams.values() if team.supervisor and team.supervisor.key == reader.key)
        return entry.lang if entry else next(led, otherwise)

    def shown_to(self, reader: Mailbox, hold: Hold, facts: NoticeFacts) -> NoticeFacts:
        """The facts of a hold as this reader may see them, in their language. Somebody in Bcc is named to nobody but
        the sender (DESIGN.md §4); what is confidential, to nobody outside of its circle (`gateway.circle`) or of the
        house. Whom they are not told of they can neither add nor write to."""
        site, told = self._rules.site, hold.new.told
        facts = replace(facts, lang=self.lang_of(reader, facts.lang))
        agent, its, reads = hold.new.agent, site.agent(hold.new.agent), site.agent(reader.address)
        colleagues = its is not None and reads is not None and its.team == reads.team
        if site.same_person(reader.address, agent) or (site.is_team_mailbox(agent) and colleagues):
            return facts
        circle = (*site.may_settle(agent), *hold.new.may_settle)
        inside = site.is_among(reader.address, circle) and site.is_internal(reader.address)
        secret = bool(told.get("confidential")) and not inside
        if secret:
            facts = replace(facts, subject="", message_id="", references=(), recipients=(), copied=(), target=None)
        if secret or facts.requester_hidden:
            facts = replace(
                facts, requester=None, adds=(), can_fix=False, why_no_fix="", findings=(),
                offers=facts.offers - {"fix", "note"},
            )  # fmt: skip
        return facts

    def facts_of(self, hold: Hold) -> NoticeFacts:
        """What is known of a held mail without reading it again."""
        headers = read_headers(hold.raw or b"")
        site, told = self._rules.site, hold.new.told
        return NoticeFacts(
            held_id=hold.new.id,
            agent=Mailbox(hold.new.agent, site.name_of(hold.new.agent)),
            subject=hold.subject,
            lang=hold.new.lang,
            mail_lang=str(told.get("mail_lang", "")),
            message_id=headers.message_id or "",
            references=headers.references,
            recipients=(*headers.to, *headers.cc),
            copied=headers.cc,
            requester=_mailbox(told.get("requester")),
            requester_hidden=bool(told.get("hidden")),
            target=_mailbox(told.get("target")),
            adds=tuple(Mailbox(each["address"], each.get("name", "")) for each in hold.new.fix.get("add_cc", ())),
            can_fix=bool(hold.new.fix.get("possible")),
            why_no_fix=str(hold.new.fix.get("why_not", "")),
            offers=frozenset(told.get("offers", ())),
            expected=datetime.fromisoformat(told["expected"]) if told.get("expected") else None,
            supervisor=site.supervisor_of(hold.new.agent),
        )


def _mailbox(entry: object) -> Mailbox | None:
    return Mailbox(str(entry["address"]), str(entry.get("name", ""))) if isinstance(entry, dict) else None


def why(error: Exception) -> dict[str, str]:
    """What to log: a template's complaint names a template; any other error could quote somebody's mail."""
    return {"why": str(error) if isinstance(error, CannotRender) else type(error).__name__}


def mail_id() -> str:
    return f"g-{secrets.token_hex(10)}"
