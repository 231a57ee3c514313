"""The lexicon: the phrases behind the facts, one file a language, all languages read at once.

Nothing tells the language of "No.", so every mail is read with every lexicon; the phrases of each stand in one RE2 set,
which takes a mail's text in one pass whatever their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.located import BadFiles, Problem, Tree, Wrong, read_text, read_yaml, suggest
from gateway.located_model import fit
from gateway.mail.lazy import lazy
from gateway.proven import PROVEN, keep, proof_of
from gateway.reading.acts.acts import UNREAD, Acts
from gateway.reading.automaton import Captures, Pattern, PatternSet, Span
from gateway.reading.cues import CUES, FEEDS, SCOPES, Scope
from gateway.reading.dates import Calendar, CalendarWords
from gateway.reading.language import KNOWN, SmallWords
from gateway.reading.phrases import LETTERS, LINE_FEED, BadPhrase, Known, compile_phrase
from gateway.reading.sentences import Prepared, openers, prepare, uncut

_MOST_HITS = 200
"""Hits of one group of phrases that are told of one text; the first ones show what it says."""


class _Cue(BaseModel):
    model_config = ConfigDict(extra="forbid")
    say: Annotated[list[str], Field(min_length=1)]
    unless: list[str] = []
    hits: Annotated[list[str], Field(min_length=1)]
    near_misses: list[str] = []


def _lang(code: str) -> str:
    if code not in KNOWN:
        raise Wrong(f'no mail can be told to be in "{code}"', f"a code of two letters: {', '.join(sorted(KNOWN))}")
    return code


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lang: Annotated[str, AfterValidator(_lang)]
    greetings: list[str] = []
    closings: list[str] = []
    small_words: list[str] = []
    words: dict[str, list[str]] = {}
    dates: CalendarWords = CalendarWords()
    cues: dict[str, list[_Cue]] = {}


class Hit(NamedTuple):
    """A phrase of `cue` in a text: offsets in code points, the number of the sentence it begins in, how sure it is."""

    cue: str
    lang: str
    start: int
    end: int
    sentence: int
    sure: float = 1.0


@dataclass(frozen=True)
class _Group:
    """The phrases of one entry. `whole` is their source for the automaton of the language."""

    cue: str
    lang: str
    say: Pattern
    unless: Pattern | None
    source: bytes
    whole: bytes
    bound: bool
    """Whether some phrase of `say` is bound to the beginning or end of a sentence."""

    @lazy
    def _captures(self) -> Captures:
        return Captures(self.source)

    def phrase_in(self, data: bytes, found: Span) -> Span:
        """The phrase within a match of `say`, without its edges.

        An edge is one octet, and only captures can tell the others: an elision (l'accord), and marks between the phrase
        and the beginning or end of its sentence.
        """
        start, end = found
        elision = data[start + 2 : start + 3] == b"'" and data[start + 1] in b"cdjlmnst"
        led = data[start + 1] in LETTERS and not elision and data[start + 1 : start + 4] != b"qu'"
        if led and (data[end - 1] != LINE_FEED or data[end - 2] in LETTERS):
            return start + 1, end - 1
        return max(self._captures.at(data, start, end)[1:])


@dataclass(frozen=True)
class _PhraseSet:
    """The phrases of one language and scope. One automaton for all languages would have the product of their states."""

    lang: str
    groups: tuple[_Group, ...]
    automaton: PatternSet

    def __reduce__(self) -> tuple[object, ...]:
        return _PhraseSet.of, (self.groups,)

    @classmethod
    def of(cls, groups: Iterable[_Group]) -> _PhraseSet:
        """A set of phrases of one language."""
        groups = tuple(groups)
        return cls(groups[0].lang, groups, PatternSet(group.whole for group in groups))

    def found_in(self, data: bytes) -> list[_Group]:
        """The groups of which something stands in a text, in one pass."""
        matching = self.automaton.matching(data)
        if matching is None:  # single groups do not outgrow anything
            return [group for group in self.groups if group.say.find(data) is not None]
        return [self.groups[number] for number in matching]


@dataclass(frozen=True)
class Scan:
    """What the lexicons found in one text."""

    prepared: Prepared
    hits: Mapping[str, tuple[Hit, ...]]
    acts: Acts = UNREAD
    """What the second reader says of the sentences."""

    def of(self, *cues: str) -> tuple[Hit, ...]:
        """All hits of some cues, in the order of the text."""
        if len(cues) == 1:
            return self.hits.get(cues[0], ())
        return tuple(sorted((hit for cue in cues for hit in self.hits.get(cue, ())), key=lambda h: h.start))

    def said(self, *cues: str) -> tuple[Hit, ...]:
        """The hits of some cues in what is said: neither in a greeting nor in a closing."""
        hits = self.of(*cues)
        return tuple([hit for hit in hits if self.is_said(hit.sentence)]) if hits else ()

    def is_said(self, index: int) -> bool:
        return self.prepared.kinds[index] == "body"

    def says_at_most(self, words: int) -> bool:
        """Whether the text says no more words than so many; counts no further."""
        for number, sentence in enumerate(self.prepared.sentences):
            if sentence.kind == "body":
                words -= self.prepared.words(number)
                if words < 0:
                    return False
        return True

    def has(self, *cues: str) -> bool:
        return any(self.hits.get(cue) for cue in cues)

    def within(self, index: int, *cues: str) -> tuple[Hit, ...]:
        """The hits of some cues in one sentence."""
        placed = self.by_sentence.get(index)
        if placed is None or placed.keys().isdisjoint(cues):
            return ()
        if len(cues) == 1:
            return placed[cues[0]]
        return tuple([hit for cue in cues if cue in placed for hit in placed[cue]])

    @lazy
    def by_sentence(self) -> Mapping[int, Mapping[str, tuple[Hit, ...]]]:
        """Number of a sentence -> its hits by cue. Most sentences have none, and each is asked about often."""
        placed: dict[int, dict[str, tuple[Hit, ...]]] = {}
        for cue, hits in self.hits.items():
            for hit in hits:
                here = placed.setdefault(hit.sentence, {})
                here[cue] = (*here.get(cue, ()), hit)
        return placed


@dataclass(frozen=True)
class Lexicon:
    """All languages. Immutable; one instance serves all mail."""

    languages: tuple[str, ...]
    calendar: Calendar
    groups: tuple[_Group, ...] = field(repr=False)
    greetings: re.Pattern[str] | None = field(repr=False, default=None)
    closings: re.Pattern[str] | None = field(repr=False, default=None)
    sets: Mapping[Scope, tuple[_PhraseSet, ...]] = field(repr=False, default_factory=dict)
    small_words: SmallWords = field(repr=False, default_factory=SmallWords)

    def likely(self, text: str) -> tuple[str, ...]:
        """The languages that a text can be in."""
        return self.small_words.likely(text, self.languages)

    def speaks(self, prepared: Prepared) -> tuple[str, ...]:
        """The languages of which a phrase stands in a text: where it is too short for small words to tell."""
        return tuple(phrases.lang for phrases in self.sets.get("said", ()) if phrases.found_in(prepared.data))

    def prepare(self, text: str, names: Iterable[str] = ()) -> Prepared:
        """Cut a text into sentences with this lexicon's greetings and closings."""
        return prepare(text, self.greetings, self.closings, frozenset(names))

    def scan(self, prepared: Prepared, scope: Scope = "said", languages: Iterable[str] | None = None) -> Scan:
        """Every phrase in a text: in one pass a language, then closely where something was found.

        `languages` are those that the text can be in (None: any). `scope` says whose text it is: what an agent said, or
        what a requester asked; each has cues of its own.
        """
        hits: dict[str, list[Hit]] = {}
        data = prepared.data
        if data.strip():
            wanted = frozenset(self.languages if languages is None else languages)
            for phrases in self.sets.get(scope, ()):
                for group in phrases.found_in(data) if phrases.lang in wanted else ():
                    hits.setdefault(group.cue, []).extend(_find(group, prepared, data))
        return Scan(prepared, {cue: _tidy(found) for cue, found in hits.items() if found})

    def says(self, text: str, cue: str, scope: Scope, languages: Iterable[str]) -> bool:
        """Whether a text holds a phrase of a cue: `scan_text`, where nothing else is asked. It is cut into sentences
        only where it holds one uncut, or where a phrase depends on the cut."""
        spoken = [phrases for phrases in self.sets.get(scope, ()) if phrases.lang in languages]
        groups = [group for phrases in spoken for group in phrases.groups if group.cue == cue]
        whole = uncut(text)
        if whole is not None and not any(group.bound or group.say.find(whole) for group in groups):
            return False
        prepared = self.prepare(text)
        return any(_find(group, prepared, prepared.data) for group in groups)

    def scan_text(
        self, text: str, names: Iterable[str] = (), scope: Scope = "said", languages: Iterable[str] | None = None
    ) -> Scan:
        """Cut a text into sentences, tell what languages it can be in (if nobody says), find every phrase of these."""
        if languages is None:
            languages = self.likely(text)
        return self.scan(self.prepare(text, names), scope, languages)


def load_lexicon(*folders: Path) -> Lexicon:
    """Read `<lang>.yaml` of every folder; later folders add to earlier ones. Raises BadFiles, everything at once."""
    problems: list[Problem] = []
    texts: list[tuple[str, str]] = []
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
            try:
                texts.append((str(path), read_text(path, str(path))))
            except BadFiles as bad:
                problems += bad.problems
    return _lexicon_of(tuple(texts), tuple(problems))


@lru_cache(4)  # a reload seldom changes it, and it takes the longest
def _lexicon_of(texts: tuple[tuple[str, str], ...], unread: tuple[Problem, ...]) -> Lexicon:
    proof = proof_of("lexicon", *(part for name, text in texts for part in (Path(name).name, text)))
    problems = list(unread)
    files: list[tuple[Tree, _File]] = []
    for name, text in texts:
        tree = read_yaml(text, name, problems)
        fitting = fit(_File, tree, problems, {"lang": Path(name).stem[:2]}) if tree is not None else None
        if fitting is not None:
            files.append((fitting.tree, fitting.file))
    lexicon = build_lexicon(files, problems, run=proof not in PROVEN)
    keep(proof)
    return lexicon


def build_lexicon(files: Iterable[tuple[Tree, _File]], problems: list[Problem], *, run: bool = True) -> Lexicon:
    """Compile the files and `run` every example. Raises BadFiles."""
    files = list(files)
    words: dict[str, dict[str, list[str]]] = {}
    for _, file in files:
        known = words.setdefault(file.lang, {})
        for name, members in file.words.items():
            known[name] = [*known.get(name, []), *members]
    compiled: dict[str, Known] = {lang: {} for lang in words}
    groups: list[_Group] = []
    examples: list[tuple[Tree, str, int, _Cue, _Group]] = []
    for tree, file in files:
        for cue, entries in file.cues.items():
            if cue not in CUES:
                near = suggest(cue, CUES)
                write = " or ".join(FEEDS.get(cue, ())) or near or f"one of {', '.join(CUES)}"
                problems.append(tree.problem(("cues", cue), f'no cue is called "{cue}"', write, key=True))
                continue
            for number, entry in enumerate(entries):
                group = _compile(tree, file.lang, cue, number, entry, words[file.lang], compiled[file.lang], problems)
                if group is not None:
                    groups.append(group)
                    examples.append((tree, cue, number, entry, group))
    greetings = openers([g for _, f in files for g in f.greetings], followed=True)
    closings = openers([c for _, f in files for c in f.closings], followed=False)
    for tree, cue, number, entry, group in examples if run else ():
        _run_examples(tree, cue, number, entry, group, greetings, closings, problems)
    if problems:
        raise BadFiles(problems)
    languages = tuple(dict.fromkeys(f.lang for _, f in files))
    sets: dict[Scope, tuple[_PhraseSet, ...]] = {}
    for scope in SCOPES:
        by_language = ([g for g in groups if g.lang == lang and scope in CUES[g.cue].scopes] for lang in languages)
        sets[scope] = tuple(_PhraseSet.of(mine) for mine in by_language if mine)
    calendar = Calendar.of({lang: _together(f.dates for _, f in files if f.lang == lang) for lang in languages})
    small = {lang: [word for _, f in files if f.lang == lang for word in f.small_words] for lang in languages}
    return Lexicon(languages, calendar, tuple(groups), greetings, closings, sets, SmallWords.of(small))


def _together(dates: Iterable[CalendarWords]) -> CalendarWords:
    """The words of time of several files of one language: a later file adds to what an earlier one has."""
    known: dict[str, Any] = {}
    for words in dates:
        for name, more in words.model_dump(exclude_unset=True).items():
            old = known.get(name)
            if isinstance(more, dict):
                known[name] = (old or {}) | more
            else:
                known[name] = [*(old or []), *more] if isinstance(more, list) else more
    return CalendarWords(**known)


def _compile(
    tree: Tree,
    lang: str,
    cue: str,
    number: int,
    entry: _Cue,
    words: Mapping[str, list[str]],
    known: Known,
    problems: list[Problem],
) -> _Group | None:
    sources: dict[str, list[str]] = {"say": [], "unless": [], "set": []}
    good = True
    for key, phrases in (("say", entry.say), ("unless", entry.unless)):
        for at, phrase in enumerate(phrases):
            try:
                sources[key].append(compile_phrase(phrase, words, known))
                if key == "say":
                    # Whether it matches does not depend on what may follow; without it the automaton stays small.
                    sources["set"].append(compile_phrase(phrase.rstrip(" ."), words, known))
            except BadPhrase as bad:
                good = False
                problems.append(tree.problem(("cues", cue, number, key, at), str(bad), bad.write))
    if not good:
        return None
    say, unless, whole = ("|".join(sources[key]).encode() for key in ("say", "unless", "set"))
    bound = any(phrase.strip().startswith("<") or phrase.strip().endswith(">") for phrase in entry.say)
    return _Group(cue, lang, Pattern(say), Pattern(unless) if unless else None, say, whole, bound)


def _find(group: _Group, prepared: Prepared, data: bytes) -> list[Hit]:
    hits: list[Hit] = []
    at = 0
    barred = -1  # where the next match of `unless` begins: one search for many sentences without any
    find, unless = group.say.find, group.unless
    while len(hits) < _MOST_HITS and (found := find(data, at)) is not None:
        first, last = group.phrase_in(data, found)
        at = last if last > found[0] else found[0] + 1  # the mark behind one hit may be the one before the next
        if unless is not None:
            left, right = data.rfind(b"\n", 0, first), data.find(b"\n", last)
            if barred < left:
                barred = (unless.find(data, left) or (len(data), 0))[0]
            if barred < right:
                at = max(at, right)  # nor is anything else of this sentence a hit
                continue
        start, end = prepared.span(first, last)
        hits.append(Hit(group.cue, group.lang, start, end, prepared.index_at(start)))
    return hits


def _tidy(hits: list[Hit]) -> tuple[Hit, ...]:
    """In the order of the text, without those that lie inside another one."""
    if len(hits) == 1:
        return (hits[0],)
    kept: list[Hit] = []
    last = -1
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if hit.end > last:
            kept.append(hit)
            last = hit.end
    return tuple(kept)


def _run_examples(
    tree: Tree,
    cue: str,
    number: int,
    entry: _Cue,
    group: _Group,
    greetings: re.Pattern[str] | None,
    closings: re.Pattern[str] | None,
    problems: list[Problem],
) -> None:
    for key, texts, wanted in (("hits", entry.hits, True), ("near_misses", entry.near_misses, False)):
        for at, text in enumerate(texts):
            prepared = prepare(text, greetings, closings)
            if bool(_find(group, prepared, prepared.data)) is not wanted:
                said = "this hit is not found" if wanted else "this near-miss is found"
                write = "other phrases, an unless, or another example"
                problems.append(
                    tree.problem(("cues", cue, number, key, at), f'{said} by the phrases of "{cue}"', write)
                )
