"""The form of a policy file. The shipped policies show its use; policies/policy.schema.json is made from here."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from gateway.located import Wrong, suggest
from gateway.site.file import Day, Lang, like

Mode = Literal["enforce", "observe"]
Do = Literal["pass", "notify", "rewrite", "hold", "reject"]
Fail = Literal["open", "defer", "hold"]
Budget = Literal["counts", "never"]
PLACEHOLDERS = ("requester", "requester_name", "agent", "target")
"""What `why` and `would_pass` may name in braces."""

_MAILBOX = re.compile(r"(?:[^<>@]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@,]+@[^\s<>@,]+)\Z")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
KINDS = ("internal", "external", "anybody")
"""Whole kinds of domains."""
_DOMAIN = re.compile(r"[^\s@<>,;:\"()\[\]\\*.]+(?:\.[^\s@<>,;:\"()\[\]\\*.]+)+\Z")
_WAIT = re.compile(r"([1-9][0-9]{0,3}) ?(m|h)\Z")


def _sentence(text: str) -> str:
    if not text.strip() or "\n" in text.strip():
        raise Wrong("this is not one sentence", "one sentence on one line (or folded with >-)")
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            raise Wrong(f'unknown name "{{{name}}}"', f"one of: {', '.join(f'{{{n}}}' for n in PLACEHOLDERS)}")
    return text.strip()


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise Wrong("this takes more than one line", "one line")
    return text


def _mailbox(text: str) -> str:
    if not _MAILBOX.match(_one_line(text)):
        raise Wrong(f'"{text}" is no mailbox', "dana.cole@acme.example or Dana Cole <dana.cole@acme.example>")
    return text


def _wait(text: str) -> float:
    found = _WAIT.match(text)
    if not found:
        raise Wrong(f'"{text}" is no time to wait', "business hours or minutes, like 4h or 90m")
    return int(found[1]) * (3600.0 if found[2] == "h" else 60.0)


def _domain(text: str) -> str:
    if text not in KINDS and not _DOMAIN.match(text):
        near = suggest(text, KINDS)
        raise Wrong(f'"{text}" is no domain', near or "a domain like customer.example, internal, external or anybody")
    return text


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Sentence = Annotated[str, AfterValidator(_sentence)]
Line = Annotated[str, AfterValidator(_one_line)]
DomainName = Annotated[
    str, AfterValidator(_domain), like(rf"{'|'.join(KINDS)}|{_DOMAIN.pattern.removesuffix(chr(92) + 'Z')}")
]
Wait = Annotated[str, AfterValidator(_wait), like(_WAIT.pattern.removesuffix(r"\Z"))]
"""Seconds of business hours, written as 4h or 90m."""
MailboxText = Annotated[str, AfterValidator(_mailbox), like(_MAILBOX.pattern.removesuffix(r"\Z"))]
Mailboxes = Annotated[
    tuple[MailboxText, ...],
    BeforeValidator(_several, json_schema_input_type=MailboxText | list[MailboxText]),
]
RawCondition = Annotated[Any, WithJsonSchema({"title": "Condition"})]
Flag = Annotated[bool, Strict()]
Number = Annotated[int, Strict()]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopePart(_Part):
    """Which mail a policy is for. What stands outside is not touched by it."""

    teams: tuple[str, ...] = Field(default=(), description="team ids of the site; empty: all")
    domains: tuple[DomainName, ...] = Field(
        default=(), description='the requester\'s domains, also "internal" and "external"; empty: all'
    )
    languages: tuple[Lang, ...] = Field(default=(), description="languages of the mail; empty: all")
    share: Annotated[Number, Field(ge=0, le=100)] = Field(
        default=100, description="percent of the threads for which the policy is enforced; for the rest it observes"
    )
    active_from: Day | None = Field(default=None, description="first day, in the team's time zone")
    active_until: Day | None = Field(default=None, description="last day, in the team's time zone")

    @field_validator("active_until")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("active_from")
        if until and begins and begins > until:
            raise Wrong("it ends before it begins", f"{begins} or a later date")
        return until


class EarlierPart(_Part):
    """A mail that stands before the one of an example: quoted, attached, or an earlier message of the thread."""

    from_: MailboxText = Field(alias="from", description="who wrote it")
    to: Mailboxes = ()
    cc: Mailboxes = ()
    subject: Line | None = None
    text: str = ""
    headers: dict[Line, Line] = Field(default={}, description="further headers, like Reply-To")


class ContextPart(EarlierPart):
    """An earlier message of the thread."""

    seen: Flag = Field(default=True, description="false: it did not pass through the gateway")
    bcc: Mailboxes = ()


class QuotedPart(EarlierPart):
    """The mail that the new one quotes or forwards."""

    style: Literal["reply", "forward", "attached"] = "reply"


class ExamplePart(_Part):
    """A short mail, and whether the policy must match it. The people are the example site's, unless `site: own`."""

    name: Line = Field(description="what the example shows")
    expect: Literal["hit", "miss"]
    from_: MailboxText = Field(alias="from", description="the agent")
    to: Mailboxes = ()
    cc: Mailboxes = ()
    bcc: Mailboxes = Field(default=(), description="in the envelope only")
    subject: Line = "Re: your question"
    text: str = Field(default="", description="the new text")
    lang: Lang | None = Field(default=None, description="the language that must be recognised")
    quoted: QuotedPart | None = None
    context: tuple[ContextPart, ...] = Field(default=(), description="earlier messages, oldest first")
    linked_by: Literal["id", "tag"] = Field(default="id", description="how the thread is recognised")
    headers: dict[Line, Line] = Field(default={}, description="further headers")
    auth: str | None = Field(default=None, description="the identity that logged in")
    date: datetime | None = Field(default=None, description="default: Monday, 2 March 2026, 10:00")
    requester: str | None = Field(default=None, description="who must be found to have asked")
    add_cc: tuple[str, ...] | None = Field(default=None, description="whom the fix must add")
    site: Literal["example", "own"] = "example"
    profile: str = Field(default="", description="the profile that it shows; default: the policy as it stands")

    @model_validator(mode="after")
    def _has_recipients(self) -> ExamplePart:
        if not (self.to or self.cc or self.bcc):
            raise Wrong("an example without recipients", "to: rita.blom@acme.example")
        return self


class ProfilePart(_Part):
    """A stricter or milder form of a policy: what stands here replaces what the policy says, the rest stays."""

    why: Sentence | None = None
    would_pass: Sentence | None = None
    when: RawCondition = None
    unless: RawCondition = None
    exempt: RawCondition = None


class TeamPart(_Part):
    """What is different for one team."""

    mode: Mode | None = None
    do: Do | None = None
    if_unsafe: Literal["hold", "reject"] | None = None
    rewrite_for: tuple[DomainName, ...] | None = None
    fail: Fail | None = None
    profile: str | None = Field(default=None, description="one of the policy's profiles")
    deadline: Wait | None = None
    notice: Line | None = None
    draft: Line | None = None
    share: Annotated[Number, Field(ge=0, le=100)] | None = None


class PolicyFile(_Part):
    """One policy. The name of the file is its id."""

    title: Line = Field(description="a short name for people")
    why: Sentence = Field(description="one sentence for the agent; may name {requester_name}")
    would_pass: Sentence | None = Field(
        default=None, description='what would have passed, as in "with {requester} in Cc"'
    )
    when: RawCondition = Field(description="facts that make it a finding; a list means all of them")
    unless: RawCondition = Field(default=None, description="facts that excuse it; a list means any of them")
    exempt: RawCondition = Field(
        default=None, description="facts that let it pass, on record; a list means any of them"
    )
    mode: Mode = Field(default="enforce", description="observe: only record what would have happened")
    do: Do = Field(description="pass (record), notify (tell the supervisor), rewrite, hold or reject")
    if_unsafe: Literal["hold", "reject"] = Field(default="hold", description="instead of a rewrite that could leak")
    rewrite_for: tuple[DomainName, ...] = Field(
        default=("internal",), description='whose address a rewrite may add: "internal", "anybody", domains'
    )
    fix: Literal["add-requester", "none"] | None = Field(default=None, description="default: add-requester for rewrite")
    fail: Fail = Field(default="defer", description="when the gateway itself has a fault: pass, 451, or hold")
    budget: Budget = Field(
        default="counts", description="never: its stops never turn into advice, however many there were (site: limits)"
    )
    notice: Line = Field(default="", description="template of the notice; default: the usual one")
    draft: Line = Field(default="", description="template of the compliant draft; default: the policy's id")
    deadline: Wait | None = Field(
        default=None, description="how long a held mail waits for an answer before a reminder; default: hold_deadline"
    )
    profiles: dict[str, ProfilePart] = Field(default={}, description="stricter or milder forms, by name")
    profile: str = Field(default="", description="the profile in force; default: none, the policy as it stands")
    teams: dict[str, TeamPart] = Field(default={}, description="what is different for a team, by its id")
    scope: ScopePart = ScopePart()
    priority: Number = Field(default=100, description="findings with a higher one are told first")
    examples: tuple[ExamplePart, ...] = Field(description="mails that it must hit and must miss; at least one of each")
