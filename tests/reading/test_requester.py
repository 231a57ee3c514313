"""The requester, from the strongest evidence there is (DESIGN.md §3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.mail.address import Mailbox
from gateway.mail.envelope import Envelope
from gateway.mail.message import read_message
from gateway.policy.model import PolicySet
from gateway.reading.asker import is_agents_name
from gateway.reading.facts import Agent
from gateway.reading.memory import line_hashes, remember, sentences_of
from gateway.reading.reader import Context, who_sends
from gateway.reading.thread import SeenMessage, Thread
from tests.reading.conftest import NOW, Read, forwarding, mail, replying

ASKED = "Could you look at it?"
TEAM = "network-team@acme.example"


def seen(policies: PolicySet, raw: bytes, direction: str = "inbound") -> SeenMessage:
    message = read_message(raw)
    envelope = Envelope.of(message.author.address if message.author else "", [box.address for box in message.to])
    return remember(message, envelope, direction, policies.site, policies.lexicon, NOW, b"tests")  # type: ignore[arg-type]


def test_the_first_to_write_stays_the_requester(policies: PolicySet, read_mail: Read) -> None:
    first = seen(policies, mail(ASKED, sender="Rita Blom <rita.blom@acme.example>", to="it-support@acme.example"))
    later = seen(policies, mail(ASKED, sender="kim@customer.example", to="it-support@acme.example"))
    reading = read_mail(mail("Yours please.", to=TEAM), thread=Thread(by_id=(first, later)))
    assert reading.requester is not None
    assert (reading.requester.mailbox.address, reading.requester.grade) == ("rita.blom@acme.example", "observed")


def test_our_own_answer_names_whom_it_answered(policies: PolicySet, read_mail: Read) -> None:
    answer = seen(policies, mail("Done."), "outbound")
    reading = read_mail(mail("Yours please.", to=TEAM), thread=Thread(by_id=(answer,)))
    assert reading.requester is not None
    assert reading.requester.grade == "observed"


def test_a_ticket_tag_alone_is_no_more_than_a_quote(policies: PolicySet, read_mail: Read) -> None:
    first = seen(policies, mail(ASKED, sender="Rita Blom <rita.blom@acme.example>", to="it-support@acme.example"))
    reading = read_mail(mail("Yours please.", to=TEAM, subject="Socket [#48213]"), thread=Thread(by_tag=(first,)))
    assert reading.requester is not None
    assert reading.requester.grade == "quoted"


def test_a_trusted_header_counts_from_a_listed_peer_only(read_mail: Read) -> None:
    raw = mail(
        "Please process.", sender="it-support@acme.example", to=TEAM, headers="X-RT-Originator: kim@customer.example\n"
    )
    known = read_mail(raw).requester
    assert known is not None
    assert (known.mailbox.address, known.grade) == ("kim@customer.example", "declared")
    assert read_mail(raw, peer_listed=False).requester is None
    forged = raw.replace(b"From: it-support@acme.example", b"From: Dana Cole <dana.cole@acme.example>")
    assert read_mail(forged).requester is None


def test_the_oldest_quoted_author_who_is_no_agent(read_mail: Read) -> None:
    inner = replying("I will look.", ASKED)
    text = replying("Yours please.", inner, author="Luis Ortega <luis.ortega@acme.example>")
    known = read_mail(mail(text, to=TEAM)).requester
    assert known is not None
    assert (known.mailbox.address, known.grade) == ("rita.blom@acme.example", "quoted")


def test_a_web_form_names_the_person_in_its_text(read_mail: Read) -> None:
    form = "New entry\n\nName: Li Wei\nE-mail: li.wei@shopper.example\nMessage:\nWhen will it come?"
    text = forwarding("Yours please.", form, author="ACME Website <webform@acme.example>")
    known = read_mail(mail(text, to=TEAM, subject="Fwd: Form")).requester
    assert known is not None
    assert known.mailbox.address == "li.wei@shopper.example"


def test_a_list_asks_nobody(read_mail: Read) -> None:
    assert read_mail(mail("No.", to="imapd-users@lists.oss.test")).requester is None


def test_machines_are_not_judged(read_mail: Read) -> None:
    reading = read_mail(mail("No.", headers="Auto-Submitted: auto-replied\n"))
    assert (reading.judged, reading.requester, reading.facts) == (False, None, {})
    assert "machine" in reading.why_not


def test_who_sends(policies: PolicySet) -> None:
    context = Context(policies.site, policies.lexicon, NOW, auth_identity="luis.ortega@acme.example")
    envelope = Envelope.of("dana.cole@acme.example", ["rita.blom@acme.example"])
    agent = who_sends(read_message(mail("Hi")), envelope, context)
    assert agent is not None
    assert (agent.mailbox.address, agent.source) == ("luis.ortega@acme.example", "auth")
    assert agent.disagreement == ("dana.cole@acme.example",)
    stranger = Envelope.of("rita.blom@acme.example", ["dana.cole@acme.example"])
    raw = mail("Hi", sender="rita.blom@acme.example", to="dana.cole@acme.example")
    assert who_sends(read_message(raw), stranger, Context(policies.site, policies.lexicon, NOW)) is None


def test_memory_keeps_marks_and_no_words(policies: PolicySet) -> None:
    raw = mail("Could I get a monitor? Please leave me out of the thread.", sender="rita.blom@acme.example")
    message = seen(policies, raw)
    assert message.marks == {"lang": "en", "asks": "request", "questions": "2", "leave_me_out": "yes"}
    assert "monitor" not in repr(message)


def test_what_clients_wrap_anew_is_known_again() -> None:
    text = "The wall socket at my desk has no link.\nThe one beside it works. Can you help?"
    wrapped = "> The wall socket at my desk\n> has no link. The one\n> beside it works. Can you help?"
    assert line_hashes(sentences_of(wrapped), b"k") == line_hashes(sentences_of(text), b"k")
    assert line_hashes(sentences_of(text), b"k") != line_hashes(sentences_of(text), b"other")


RITA, MALLORY = "Rita Blom <rita.blom@acme.example>", "Mallory <mallory@acme.example>"


def thread_mail(
    policies: PolicySet, id: str, *names: str, sender: str = RITA, to: str = "it-support@acme.example", **more: str
) -> SeenMessage:
    """A mail with this id that names others."""
    headers = "References: " + " ".join(f"<{each}@t>" for each in names) + "\n" if names else ""
    raw = mail(ASKED, sender=sender, to=to, headers=headers + more.pop("headers", ""), **more)
    raw = raw.replace(b"<this@acme.example>", f"<{id}@t>".encode())
    return seen(policies, raw, "outbound" if "dana" in sender else "inbound")


def knows(read_mail: Read, *by_id: SeenMessage, text: str = "Yours please.") -> tuple[str, str]:
    known = read_mail(mail(text, to=TEAM), thread=Thread(by_id=by_id)).requester
    return (known.mailbox.address, known.grade) if known else ("", "")


def test_naming_a_known_id_makes_nobody_the_requester(policies: PolicySet, read_mail: Read) -> None:
    """Anybody may write to us and name a Message-ID that they guessed, or that somebody showed them."""
    joins = thread_mail(policies, "m", "q", sender=MALLORY)
    assert knows(read_mail, joins) == ("mallory@acme.example", "quoted"), "the mail that it names was never seen"
    quoting = forwarding("Yours please.", ASKED)
    assert knows(read_mail, joins, text=quoting) == ("rita.blom@acme.example", "quoted")
    answer = thread_mail(policies, "o", "q", sender="Dana Cole <dana.cole@acme.example>", to=RITA)
    later = thread_mail(policies, "m", "o", "q", sender=MALLORY)
    assert knows(read_mail, answer, later) == ("rita.blom@acme.example", "quoted"), "two stories, and nobody is added"
    assert knows(read_mail, answer, later, text=quoting) == ("rita.blom@acme.example", "observed")
    assert knows(read_mail, joins, thread_mail(policies, "q")) == ("rita.blom@acme.example", "observed"), "a guess"


def test_an_id_that_was_answered_before_it_came_proves_nothing(policies: PolicySet, read_mail: Read) -> None:
    answer = thread_mail(policies, "o", "q", sender="Dana Cole <dana.cole@acme.example>", to=RITA)
    assert knows(read_mail, answer, thread_mail(policies, "q", sender=MALLORY))[1] == "quoted"
    first = thread_mail(policies, "q")
    assert knows(read_mail, first, thread_mail(policies, "q", sender=MALLORY)) == ("rita.blom@acme.example", "observed")


def test_who_was_answered_or_goes_on_is_the_requester(policies: PolicySet, read_mail: Read) -> None:
    answer = thread_mail(policies, "o", "q", sender="Dana Cole <dana.cole@acme.example>", to=RITA)
    assert knows(read_mail, answer) == ("rita.blom@acme.example", "observed")
    assert knows(read_mail, answer, thread_mail(policies, "q2", "o")) == ("rita.blom@acme.example", "observed")
    more = thread_mail(policies, "q2", "unseen")
    quoting = forwarding("Yours please.", ASKED)
    assert knows(read_mail, more, text=quoting) == ("rita.blom@acme.example", "observed"), "the quote says so too"


def test_a_forward_names_who_shall_help_not_who_asked(policies: PolicySet, read_mail: Read) -> None:
    passed_on = thread_mail(
        policies, "f", "q", sender="Dana Cole <dana.cole@acme.example>", to=MALLORY, subject="Fwd: Something"
    )
    quoting = forwarding("Yours please.", ASKED)
    assert knows(read_mail, passed_on, text=quoting) == ("rita.blom@acme.example", "quoted")


def test_a_machine_that_writes_first_is_nobody_who_asks(policies: PolicySet, read_mail: Read) -> None:
    alarm = thread_mail(policies, "q", sender="nagios@acme.example", headers="Auto-Submitted: auto-generated\n")
    assert knows(read_mail, alarm) == ("", "")
    assert knows(read_mail, alarm, thread_mail(policies, "r")) == ("rita.blom@acme.example", "observed")


def test_inbound_mail_may_declare_from_a_listed_peer_only(policies: PolicySet, read_mail: Read) -> None:
    raw = mail(ASKED, sender="webform@acme.example", to="it-support@acme.example", headers=f"X-RT-Originator: {RITA}\n")
    for listed, expected in ((True, ("rita.blom@acme.example", "declared")), (False, ("", ""))):
        message, envelope = read_message(raw), Envelope.of("x@outside.example", ["it-support@acme.example"])
        site, lexicon = policies.site, policies.lexicon
        form = remember(
            message, envelope, "inbound", site, lexicon, NOW, b"tests", peer_listed=listed, peer="192.0.2.9"
        )
        assert knows(read_mail, form) == expected


def test_the_sensitivity_of_an_earlier_mail_is_remembered(policies: PolicySet) -> None:
    assert thread_mail(policies, "q", headers="Sensitivity: Company-Confidential\n").marks["confidential"] == "yes"
    assert "confidential" not in thread_mail(policies, "q").marks


def test_any_author_may_be_the_agent(policies: PolicySet) -> None:
    """Several authors (RFC 5322 §3.6.2), or several From fields: mail programs differ in which they show."""
    dana = "Dana Cole <dana.cole@acme.example>"
    for sender in (f"x@acme.example, {dana}", f"x@acme.example\nFrom: {dana}"):
        envelope = Envelope.of("x@acme.example", ["bob@acme.example"])
        agent = who_sends(
            read_message(mail("Hi.", sender=sender)), envelope, Context(policies.site, policies.lexicon, NOW)
        )
        assert agent is not None
        assert (agent.mailbox.address, agent.source) == ("dana.cole@acme.example", "from")


def test_a_name_without_an_address_is_looked_up_in_the_header(read_mail: Read) -> None:
    """Outlook and Notes quote names only; whoever of the recipients is called so is meant, if there is just one."""
    block = "From: Blom, Rita M.\nSent: Monday, March 2, 2026 9:00 AM\nTo: Dana Cole\nSubject: Socket\n\n" + ASKED
    known = read_mail(mail(f"Not today.\n\n{block}", to="rita.blom@acme.example")).requester
    assert known is not None
    assert (known.mailbox.address, known.mailbox.name, known.grade) == (
        "rita.blom@acme.example",
        "Blom, Rita M.",
        "quoted",
    )
    two = read_mail(mail(f"Not today.\n\n{block}", to="rita.blom@acme.example, rita.blom@customer.example")).requester
    assert two is not None and two.mailbox.address == ""


def test_a_name_of_another_directory_stays_a_name(read_mail: Read) -> None:
    text = "Not today.\n\n-----Original Message-----\nFrom: Rita Blom@SALES\nDate: 03/02/2026 09:00\nTo: Dana Cole\n\n"
    known = read_mail(mail(text + ASKED, to="rita.blom@acme.example")).requester
    assert known is not None
    assert (known.mailbox.address, known.mailbox.name) == ("", "Rita Blom")


def test_the_agents_own_name_by_initial_is_nobody_who_asked(policies: PolicySet) -> None:
    agent = Agent(Mailbox("dcole@acme.example"), "it-support", "from", ())
    assert is_agents_name("Cole, Dana - IT", policies.site, agent)
    assert not is_agents_name("Cole, Mary", policies.site, agent)


def test_a_name_without_an_address_stands_for_nobody(found: Callable[..., set[str]]) -> None:
    """`Cc: Mary Jones` looks as if she got it, but nobody delivers to a name."""
    raw = (Path(__file__).parents[1] / "mails" / "hand-off.eml").read_bytes()
    assert found(raw) == {"dropped-requester"}
    assert found(raw.replace(b"Subject:", b"Cc: Mary Jones\r\nSubject:", 1)) == {"dropped-requester"}
    with_her = b"Cc: Mary Jones <mary.jones@customer.example>\r\nSubject:"
    assert found(raw.replace(b"Subject:", with_her, 1)) == set()
