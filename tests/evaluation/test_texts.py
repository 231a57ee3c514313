"""The texts and paraphrases written for this product: well labelled, read without a fault, seldom stopped in vain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.evaluation.forms import read_corpus
from gateway.evaluation.report import evaluate
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.site.loader import load_site

TESTS = Path(__file__).parent.parent
TOP = TESTS.parent
TEXTS = sorted((TESTS / "texts").glob("*.jsonl"))
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return load_policies(TOP / "policies", None, shipped=TOP / "policies", run=False)


def rows() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in TEXTS:
        for line in path.read_text("utf-8").splitlines():
            yield path, json.loads(line)


def test_every_language_has_sixty_texts_and_more() -> None:
    counts = dict.fromkeys(LANGUAGES, 0)
    for _, row in rows():
        counts[row["lang"]] += 1
    assert min(counts.values()) >= 60
    ids = [row["id"] for _, row in rows()]
    assert len(ids) == len(set(ids))


def test_evidence_is_in_the_text() -> None:
    missing = [
        (path.name, row["id"], label)
        for path, row in rows()
        for label, piece in row["evidence"].items()
        if isinstance(piece, str) and piece not in row["text"]
    ]
    assert missing == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_few_of_these_texts_are_stopped_in_vain(path: Path, policies: PolicySet) -> None:
    """Half of them were written to look like what is stopped; ordinary mail is far kinder (see `evaluate`)."""
    from dataclasses import replace

    everybody = replace(policies, site=load_site('agents: ["*"]\ngateway: {notices: a@b.example}\n', "everybody"))
    found = evaluate(read_corpus(path, everybody), (p.id for p in policies.policies), policies.version, lambda: None)
    assert [case.fault for case in found.cases if case.fault] == []
    stops = [id for tally in found.tallies("policies").values() for id in tally.false_stops]
    assert len(stops) <= len(found.cases) // 8, stops


def test_no_paraphrase_is_stopped_in_vain(policies: PolicySet) -> None:
    corpus = read_corpus(TESTS / "paraphrases", policies)
    found = evaluate(corpus, (p.id for p in policies.policies), policies.version, lambda: None)
    fine = {case.sample.id for case in found.cases if not any(case.sample.policies.values())}
    stopped = {id for tally in found.tallies("policies").values() for id in tally.false_stops}
    assert len(fine) >= 25
    assert stopped & fine == set()
