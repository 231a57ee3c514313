"""The facts of one mail, gathered from its headers, its recipients and its new text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from gateway.mail.address import Mailbox
from gateway.mail.lazy import lazy
from gateway.mail.message import Message
from gateway.mail.quoting import Body
from gateway.mail.span import Span
from gateway.reading import answers
from gateway.reading.acts.doubts import doubts
from gateway.reading.acts.hollow import without_hollow_words
from gateway.reading.acts.pieces import Addressee
from gateway.reading.acts.reader import act_reader
from gateway.reading.acts.weigh import weigh
from gateway.reading.asked import QUESTION_LIMIT, open_questions, question_of
from gateway.reading.context import Context
from gateway.reading.evidence import MOST_EVIDENCE, Evidence
from gateway.reading.facts import Agent, Fact, Facts, Requester, Value
from gateway.reading.hints import find_hints
from gateway.reading.language import tell_language
from gateway.reading.left_out import SURE, asked_for, find_wish, may_be_wished, told
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.memory import is_sensitive, language_of
from gateway.reading.mitigation import Place, Softened, gives_enough, mitigating
from gateway.reading.people import Recipients, is_among, name_words, somebody_named
from gateway.reading.referral import Referral, Setting, find_referral
from gateway.reading.refusal import Noes, Question, find_noes
from gateway.reading.thread import SeenMessage

MOST_SAID = 32 * 1024
"""Code points of new text that are read: more than a person writes, and bounded work, for each phrase that is found
is looked at closely. Mail with more is `unreadable`."""
LONGEST_THANKS = 80
"""Code points of a signature in which thanks would stand."""
MANY = 8
"""Recipients of a quoted mail beyond which it asks nobody in particular."""


def addressee(known: Facts) -> Addressee | None:
    """Whom a mail with these facts goes to, where it is one or the other."""
    if "to_requester" in known:
        return "requester"
    return "others" if known.keys() & {"requester_absent", "requester_bcc_only"} else None


class Collector:
    """Gathers the facts of one mail."""

    def __init__(
        self,
        message: Message,
        body: Body,
        people: Recipients,
        requester: Requester | None,
        agent: Agent,
        context: Context,
    ) -> None:
        self.message, self.body, self.people = message, body, people
        self.requester, self.agent, self.context, self.site = requester, agent, context, context.site
        self.evidence = Evidence(message, body)
        self.facts: Facts = {}
        self.hints: Facts = {}
        known = [agent.mailbox, *people.all, *(message.from_)]
        if requester is not None:
            known.append(requester.mailbox)
        lexicon = context.lexicon
        self.names = name_words(known, self.site)
        self.languages = lexicon.likely(body.new.text)
        self.scan = lexicon.scan_text(body.new.text[:MOST_SAID], self.names, languages=self.languages)
        self.asked_scan = lexicon.scan_text(body.quoted_text[:QUESTION_LIMIT], scope="asked")
        self._headers()
        self._recipients()
        before = dict(self.facts)
        self._text()
        self.undecided = False
        if "to_requester" in before and gives_enough(self.facts):
            return
        doubtful = self._doubts(before)
        self.undecided = bool(doubtful) and not context.second
        if doubtful and context.second:
            self.facts, self.hints = before, {}
            to = addressee(before)
            acts = act_reader().read(self.scan.prepared, doubtful, self.lang, to)
            acts = without_hollow_words(self.scan, acts, self.lang, to)
            self.scan = replace(self.scan, acts=acts)
            self._text()
        self._wish()

    @lazy
    def lang(self) -> str:
        """The language of the mail."""
        lexicon, entry = self.context.lexicon, self.site.agent(self.agent.mailbox.address)
        fallback = (entry.lang if entry else "") or self.site.language_of(self.agent.team)
        new, quoted, subject = self.body.new.text, self.body.quoted_text, self.message.subject
        known, small = lexicon.languages, lexicon.small_words
        spoken = partial(lexicon.speaks, self.scan.prepared)
        return tell_language(new, quoted, known, small, fallback, self.languages, spoken, subject)

    def _doubts(self, known: Facts) -> list[int]:
        """The sentences to be read twice, where so much is `known` beside the text."""
        if "unreadable" in known:
            return []  # nobody is stopped by half of a mail, and this one has cost enough
        asked = bool(answers.count_questions(self.asked_scan)) or bool(self._thread_number("questions"))
        return doubts(self.scan, addressee(known), lang=self.lang, asked=asked, timed=self._timed)

    def _timed(self) -> set[int]:
        """The sentences with a time in them."""
        whens = self.context.lexicon.calendar.find(self.scan.prepared, self.context.now)
        words = {hit.sentence for hit in self.scan.of("eta_words")}
        return words | {self.scan.prepared.index_at(when.start) for when in whens}

    # --- adding ----------------------------------------------------------------------------------------------------

    def _add(self, name: str, value: Value = True, places: Iterable[Place] = ()) -> None:
        self.facts[name] = self.evidence.of(name, value, places)

    def _note(self, name: str, value: Value, *spans: Span) -> None:
        self.facts[name] = Fact(name, value, spans)

    # --- headers and recipients ------------------------------------------------------------------------------------

    def _headers(self) -> None:
        message = self.message
        if message.signed:
            self._note("signed", True)
        if message.encrypted:
            self._note("encrypted", True)
            self._note("unreadable", "encrypted")
        elif message.unreadable:
            self._note("unreadable", message.unreadable[0])
        elif self.body.truncated:
            self._note("unreadable", "longer than what is read")
        elif len(self.body.new.text) > MOST_SAID:
            self._note("unreadable", "too much to read")
        elif self.body.unread:
            self._note("unreadable", self.body.unread)
        sensitivity = (message.get("Sensitivity") or "").strip()
        if is_sensitive(message):
            self._note("confidential", True, Span(sensitivity, "header:Sensitivity", 0, len(sensitivity)))

    def _recipients(self) -> None:
        site, people = self.site, self.people
        secret = [box for box in people.all if site.is_confidential(box.address)]
        if secret:
            self._note("confidential_recipient", True, *map(self.evidence.in_header, secret))
        everybody = [box for box in people.all if not site.same_person(box.address, self.agent.mailbox.address)]
        listed = [box for box in everybody if (site.is_listed_agent if site.everybody else site.agent)(box.address)]
        if people.all and len(listed) == len(everybody):
            self._note("only_team", True)
        if everybody and all(site.is_team_mailbox(box.address) for box in everybody):
            self._note("own_note", True, *map(self.evidence.in_header, everybody))
        for author in self.body.authors[:1]:
            if len(author.to) + len(author.cc) > MANY:
                self._note("asked_many", True)
        if self.requester is None:
            return
        if is_among(self.requester.mailbox, people.visible, self.site):
            self._note("to_requester", True)
            if self.requester.mailbox.address and site.is_executive(self.requester.mailbox.address):
                self._note("executive", True)
            if not self._was_answered():
                self._note("first_answer", True)
        elif is_among(self.requester.mailbox, people.hidden, self.site):
            self._note("requester_bcc_only", True)
        else:
            self._note("requester_absent", True)

    def _was_answered(self) -> bool:
        """Whether an agent wrote to the requester earlier in this thread, as the gateway saw it or the quote shows."""
        assert self.requester is not None
        who = self.requester.mailbox.address
        if any(seen.direction == "outbound" and self.site.is_among(who, seen.rcpt_to) for seen in self._seen()):
            return True
        return any(self.site.agent(author.mailbox.address) is not None for author in self.body.authors)

    # --- the new text ----------------------------------------------------------------------------------------------

    def _text(self) -> None:
        scan = self.scan
        to_requester = "to_requester" in self.facts
        questions = answers.count_questions(self.asked_scan) or self._thread_number("questions")
        if questions:
            self._add("questions", questions)
        noes = find_noes(scan, self._question)
        self._noes(noes)
        for name, (value, places) in self._mitigating(scan, noes).items():
            self._add(name, value, places)
        if scan.has("see_attached") and "unreadable" not in self.facts:
            self._add("unreadable", "attachment", scan.of("see_attached"))
        self._referral(find_referral(scan, self._setting()))
        self._confidential_subject()
        self._hits("out_of_scope", weigh(scan, "out_of_scope", scan.said("out_of_scope")))
        for cue in ("moved_to_bcc", "confidential"):
            self._hits(cue, scan.said(cue))
        rude = scan.said("rude")
        brushed_off = rude + weigh(scan, "dismissive", scan.said("dismissive"))
        self._hits("dismissive", brushed_off, "rude" if rude else "brush-off")
        self._hint(noes)
        self._somebody_named(noes)
        self._leave_me_out()
        if answers.only_pleasantries(scan):
            self._add("pleasantries_only", True, ((s.start, s.end) for s in scan.prepared.sentences))
        empty = not answers.body_sentences(scan) and (
            self.body.has_forward or any(part.attachment for part in self.message.parts) or self._only_thanks()
        )
        if to_requester and not empty:
            self._unanswered()
        asks = self._asks_to_know
        if (
            to_requester
            and questions
            and not empty
            and not answers.picks(self.asked_scan, scan, self.context.lexicon.small_words.owners, noes.sentences)
            and answers.is_terse(scan, questions, noes.sentences, asks, self._open)
        ):
            self._add("terse", True, ((s.start, s.end) for s in scan.prepared.sentences if s.kind == "body"))

    def _unanswered(self) -> None:
        """Questions beside others that get no answer; a single one has facts of its own (`terse`, …)."""
        if any(name in self.facts or name in self.hints for name in answers.GOES_ON) or self.body.inline:
            return
        asked = self.asked_scan
        if left := answers.unanswered(asked, self.scan, self.context.lexicon.small_words.owners):
            sentences = (asked.prepared.sentences[number] for number in left[:MOST_EVIDENCE])
            self._note("unanswered", len(left), *(self.evidence.in_quote(asked, s.start, s.end) for s in sentences))

    def _only_thanks(self) -> bool:
        """Whether a mail without a text has thanks above its signature: they answer nothing, and on purpose."""
        signed = (block.text[:LONGEST_THANKS] for block in self.body.blocks if block.kind == "signature")
        return any(self.context.lexicon.scan_text(text).has("pleasantry") for text in signed)

    def _hint(self, noes: Noes) -> None:
        """What may excuse a stop."""
        hints = find_hints(self.scan, noes, self.context.lexicon.calendar, self.context.now)
        for name, (value, places) in hints.items():
            if name not in self.facts:
                self.hints[name] = self.evidence.of(name, value, places)

    def _somebody_named(self, noes: Noes) -> None:
        """Whom the site file knows, named beside a no, is where to go: enough to let it pass."""
        if not any(name in self.facts for name in ("refusal", "out_of_scope", "dismissive")) or "target" in self.facts:
            return
        known = [self.agent.mailbox] + ([self.requester.mailbox] if self.requester is not None else [])
        if named := somebody_named(self.scan, noes, self.site, known):
            for name in ("target", "redirect", "helps"):
                self.hints.setdefault(name, self.evidence.of(name, True, [named]))

    def _confidential_subject(self) -> None:
        subject = self.message.subject
        lexicon = self.context.lexicon
        # What is asked has fewer cues than what is said, and this one among them.
        if subject and lexicon.says(subject[:400], "confidential", "asked", self.languages):
            self._note("confidential", True, Span(subject, "header:Subject", 0, len(subject)))

    def _hits(self, name: str, hits: Sequence[Hit], value: Value = True) -> None:
        if hits:
            self._add(name, value, hits)

    def _noes(self, noes: Noes) -> None:
        self._hits("refusal", noes.refusals)
        self._hits("good_news_no", noes.good_news)
        self._hits("assurance", noes.assurances)
        self._hits("conditional", noes.conditional)
        self._hits("others_no", noes.others)

    def _mitigating(self, scan: Scan, noes: Noes) -> Softened:
        return mitigating(scan, noes, self.context.lexicon.calendar, self.context.now)

    def _setting(self) -> Setting:
        others = self._others
        in_to = {box.address for box in self.message.to}
        return Setting(
            others,
            any(box.address in in_to for box in others),
            "to_requester" in self.facts,
            addressee(self.facts) == "others",
            lambda: self.lang,
        )

    def _referral(self, referral: Referral) -> None:
        if referral.kind:
            self._add("referral", referral.kind, referral.evidence)
        self._hits("handoff", referral.handoff)
        self._hits("redirect", referral.redirect)
        self._hits("consult", referral.consult)
        self._hits("takes_ownership", referral.ownership)
        self._hits("fyi", referral.fyi)
        others = self._others
        self._hits("no_route", referral.no_route)
        if referral.target and referral.target_at:
            self._add("target", referral.target, [referral.target_at])
        elif referral.handoff and others:
            self._note("target", others[0].address, self.evidence.in_header(others[0]))
            self._note("target_copied", True)
        if self._is_empty_forward():
            self._note("empty_forward", True, *map(self.evidence.in_header, self._other_teams()))

    def _is_empty_forward(self) -> bool:
        """A forward without a word to another department or vendor can only mean "please deal with it".

        It may show nothing of what it forwards, if its subject says what it is and the gateway saw that mail.
        """
        forward = self.body.has_forward or (self.body.says_forward and bool(self.context.thread.by_id))
        if not forward or "unreadable" in self.facts or not self._other_teams():
            return False
        return not answers.body_sentences(self.scan)

    def _other_teams(self) -> list[Mailbox]:
        return [box for box in self.people.all if self.site.department_of(box.address) is not None]

    @lazy
    def _others(self) -> tuple[Mailbox, ...]:
        """The recipients who are neither the writer nor the requester."""
        who = self.requester.mailbox.address if self.requester else ""
        return tuple(
            box
            for box in self.people.all
            if not self.site.same_person(box.address, self.agent.mailbox.address)
            and not (who and self.site.same_person(box.address, who))
        )

    # --- what was asked --------------------------------------------------------------------------------------------

    def _question(self) -> Question:
        return question_of(self.body, self.scan, self.asked_scan, self.context)

    def _asks_to_know(self) -> bool:
        """Whether something was asked that wants to be told, and not only done."""
        return "information" in (self._question().overall or ())

    def _open(self) -> int:
        return open_questions(self.body, self.context.lexicon, self._asked_lang())

    def _thread_number(self, mark: str) -> int:
        inbound = [seen for seen in self._seen() if seen.direction == "inbound" and seen.marks.get(mark)]
        return int(inbound[-1].marks[mark]) if inbound else 0

    def _seen(self) -> tuple[SeenMessage, ...]:
        return self.context.thread.by_id

    def _wish(self) -> None:
        """The same wish in words that no phrase knows, read where a mail would be stopped without it."""
        if not may_be_wished(self.facts) or "unreadable" in self.facts:
            return
        self.undecided = not self.context.second
        if self.undecided:
            return
        asked = self.asked_scan
        wish = find_wish(self.scan, asked, self.lang, self._asked_lang, self._may_be_theirs)
        if wish is None:
            return
        sentence = (self.scan if wish.said else asked).prepared.sentences[wish.number]
        place = (sentence.start, sentence.end)
        in_new = self.evidence.of("leave_me_out", True, [place]).evidence if wish.said else ()
        spans = in_new or (self.evidence.in_quote(asked, *place),)
        known = self.facts if wish.chance >= SURE else self.hints
        known["leave_me_out"] = Fact("leave_me_out", True, spans, wish.chance)

    def _asked_lang(self) -> str:
        return language_of(self.asked_scan.prepared.text, self.context.lexicon) or self.lang

    def _leave_me_out(self) -> None:
        """The requester's own wish in the quote or in an earlier mail, or the agent telling of it."""
        if hits := told(self.scan):
            self._add("leave_me_out", True, hits)
        elif hit := asked_for(self.asked_scan, self._may_be_theirs):
            self._note("leave_me_out", True, self.evidence.in_quote(self.asked_scan, hit.start, hit.end))
        elif any(
            seen.marks.get("leave_me_out") and self._wrote(seen) for seen in self._seen() if seen.direction == "inbound"
        ):
            self._note("leave_me_out", True)

    def _may_be_theirs(self, words: str) -> bool:
        """Whether whoever asked may have written some words of a quote: no agent did."""
        writer = self.body.writer_of(words)
        if writer is None or self.requester is None or not writer.mailbox.address:
            return True
        address = writer.mailbox.address
        return self.site.same_person(address, self.requester.mailbox.address) or self.site.agent(address) is None

    def _wrote(self, seen: SeenMessage) -> bool:
        return self.requester is not None and self.site.same_person(seen.author.address, self.requester.mailbox.address)
