"""What was asked, as far as a mail and its thread show it."""

from __future__ import annotations

from gateway.mail.quoting import Body
from gateway.reading import answers
from gateway.reading.context import Context
from gateway.reading.lexicon import Lexicon, Scan
from gateway.reading.refusal import Question

QUESTION_LIMIT = 3_000
"""Code points of quoted text in which the requester's question is looked for; the newest quote stands first."""
MOST_INLINE = 200
"""Answers between quoted lines whose questions are looked at."""


def question_of(body: Body, said: Scan, asked: Scan, context: Context) -> Question:
    """What a mail that says `said` answers: from what it quotes (`asked`), else from what the gateway saw."""
    at: dict[int, frozenset[answers.Asked]] = {}
    position = 0
    for passage, answer in body.inline[:MOST_INLINE]:
        start = body.new.text.find(answer.text, position)
        if start < 0:
            continue
        position = start + len(answer.text)
        scan = context.lexicon.scan_text(passage[-QUESTION_LIMIT:], scope="asked")
        at[said.prepared.index_at(start)] = answers.asked_kinds(scan)
    overall: frozenset[answers.Asked] | None = None
    if body.quoted_text.strip():
        overall = answers.asked_kinds(asked)
    elif context.thread.by_id:
        marks = [seen.marks.get("asks", "") for seen in context.thread.by_id if seen.direction == "inbound"]
        overall = frozenset(marks[-1].split()) if marks else None  # type: ignore[arg-type]
    return Question(overall, at)


def open_questions(body: Body, lexicon: Lexicon, lang: str) -> int:
    """How many open questions the mail that is answered asks, which is in `lang`, without what it quotes itself."""
    newest = "\n".join(block.text for block in body.blocks if block.kind == "quote" and block.depth == 1)
    scan = lexicon.scan_text(newest[:QUESTION_LIMIT], scope="asked")
    asked = {hit.sentence for hit in scan.of("open_question") if hit.lang == lang}  # "come" is Italian for how
    return len(asked.intersection(answers.plain_questions(scan)))
