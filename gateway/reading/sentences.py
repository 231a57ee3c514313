"""Sentences: the new text cut into what is said, one after the other, with every offset kept."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gateway.mail.lazy import lazy
from gateway.reading.phrases import fold, octets_of

MAX_TEXT = 60_000
"""Code points of new text that are read; an agent writes less, and what is longer is pasted material."""

WORDS_OF_A_CLOSING = 6
"""A longer line that begins like a closing ("Thanks for …") says something."""

WORDS_BEHIND_A_CLOSING = 3
"""So does a sentence with more words than this behind the closing ones, as in "Best get them changed there"."""

Kind = Literal["greeting", "body", "closing"]

_BLANK = re.compile(r"\n[ \t]*\n\s*")
# The marks stand first and alone, so that the search leaps from one to the next; what is around them is asked then.
_STOP = re.compile(r"[.!?…:;](?:(?<=[.!?…])(?<![.!?…].)[.!?…]*+[\"'”»“)\]]*+|(?<=[:;])(?<!\w.)-?[)(DP]|(?<=…))(?=\s)")
_BULLET = re.compile(r"[ \t]*(?:[-*•–]|\(?\d{1,2}[.)]|[a-z]\))[ \t]")
_ABBREVIATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "st", "nr", "vs", "etc", "approx", "ext", "e.g", "i.e", "z.b", "d.h", "u.a"),
        *("ca", "bzw", "ggf", "evtl", "inkl", "tel", "str", "hr", "fr", "sig", "sr", "sra", "mme", "dott", "bv"),
        *("mevr", "dhr", "av", "avda", "jan", "feb", "apr", "aug", "sep", "sept", "okt", "oct", "nov", "dez", "dec"),
    )
)
_OPENS = frozenset(
    (
        *("danke", "bitte", "ich", "wir", "sie", "er", "es", "das", "die", "der", "den", "dem", "ein", "eine", "da"),
        *("dann", "dort", "hier", "wenn", "aber", "und", "oder", "leider", "also", "bis", "falls", "sonst", "ist"),
        *("thanks", "thank", "please", "the", "we", "you", "it", "this", "that", "there", "sorry", "if", "so", "but"),
    )
)
"""Words before which no number has a full stop, as in "der 11. Mai": behind "Windows 11." they open a sentence."""
_LONGEST_ABBREVIATION = 12
"""Code points before a full stop that are looked at."""
_ENDINGS = frozenset(word[-3:] for word in _ABBREVIATIONS if len(word) >= 3)
_QUOTED = re.compile(r"\"[^\"\n]{3,300}\"|“[^”\n]{3,300}”|„[^“”\n]{3,300}[“”]|«[^»\n]{3,300}»|»[^«\n]{3,300}«")
_NAME_LINE = re.compile(r"[^\W\d_][\w.'-]*+(?:[ ,]++[^\W\d_][\w.'-]*+){0,3}[.,!]?")
_LETTERS = re.compile(r"[^\W\d_]+")
_HANDLE = re.compile(r"[.\s]{0,3}(?:@[\w.-]{1,60}[,:]?\s{1,3})+")
_CLOSE = " \"'”»)"
"""What may stand behind the question mark of a sentence."""
_POINTS = re.compile(r"[@/\d.](?:(?<=[@\d])|(?<=//)|(?<=www\.))")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_GOES_ON = re.compile(rb"[\x80-\xbf]")
_VOCATIVE = re.compile(r"([^\W\d_][\w'-]{1,40})(?:[ ]{1,3}([^\W\d_][\w'-]{1,40}))?[ ]?[,:!–-]{1,5}\s+")


class Sentence(NamedTuple):
    """`start` and `end` are offsets in the text; `question` is True where a question mark ends it."""

    start: int
    end: int
    kind: Kind
    question: bool
    paragraph: int


@dataclass(frozen=True)
class Prepared:
    """A text ready for the lexicons.

    `folded` has the length of `text`: lower case, sentences parted by a line feed and by nothing else, words that
    stand in quotation marks (somebody else's) blotted out. `spans` are (start, end, paragraph) of each sentence.
    """

    text: str
    folded: str
    spans: Sequence[tuple[int, int, int]]
    kinds: Sequence[Kind]

    @lazy
    def sentences(self) -> tuple[Sentence, ...]:
        """Made when somebody looks at them: of what was asked, nearly all mail needs `questions` only."""
        asks = frozenset(self.questions)
        rows = enumerate(zip(self.spans, self.kinds, strict=True))
        return tuple([Sentence(start, end, kind, n in asks, paragraph) for n, ((start, end, paragraph), kind) in rows])

    @lazy
    def questions(self) -> list[int]:
        """The numbers of the sentences that end with a question mark."""
        text = self.text
        return [
            number
            for number, (start, end, _) in enumerate(self.spans)
            if (last := text[end - 1]) == "?" or (last in _CLOSE and text[start:end].rstrip(_CLOSE).endswith("?"))
        ]

    @lazy
    def data(self) -> bytes:
        """The octets that phrases read."""
        return octets_of(self.folded)

    @lazy
    def _starts(self) -> list[int]:
        return [start for start, _, _ in self.spans]

    @lazy
    def _wide(self) -> list[int]:
        """The octets of `data` that only go on with a character."""
        return [found.start() for found in _GOES_ON.finditer(self.data)]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The offsets in code points of two octets of `data`."""
        if len(self.data) == len(self.folded) + 2:  # an octet for every code point
            return (first or 1) - 1, (last or 1) - 1
        start, end = first - 1 - bisect_left(self._wide, first), last - 1 - bisect_left(self._wide, last)
        return max(start, 0), max(end, 0)

    def index_at(self, offset: int) -> int:
        """The number of the sentence that holds an offset (the one before it, where it stands between two)."""
        return (bisect_right(self._starts, offset) or 1) - 1

    @lazy
    def _points(self) -> list[int]:
        return [found.start() for found in _POINTS.finditer(self.text)]

    def point(self, start: int, end: int) -> int:
        """Where between two offsets a link, an address or a number first shows: "@", a digit, "//" or "www."; or -1."""
        points = self._points
        at = bisect_left(points, start)
        return points[at] if at < len(points) and points[at] < end else -1

    @lazy
    def shown(self) -> str:
        """The text as it was written, with what is quoted blotted out as in `folded`."""
        if "~" not in self.folded:
            return self.text
        return "".join("~" if masked == "~" else letter for letter, masked in zip(self.text, self.folded, strict=True))

    @lazy
    def _clause_marks(self) -> dict[int, list[int]]:
        return {}

    def clause_marks(self, index: int) -> list[int]:
        """Where a sentence has a comma or a stronger mark, in order."""
        if index not in self._clause_marks:
            sentence = self.sentences[index]
            marks = _CLAUSE.finditer(self.folded, sentence.start, sentence.end)
            self._clause_marks[index] = [mark.start() for mark in marks]
        return self._clause_marks[index]

    def words(self, index: int) -> int:
        """How many words a sentence has."""
        sentence = self.sentences[index]
        return len(_WORD.findall(self.text, sentence.start, sentence.end))


def openers(words: list[str], *, followed: bool) -> re.Pattern[str] | None:
    """Greetings take up to three names and their comma; closings stand at the beginning of a line."""
    if not words:
        return None
    alternatives = "|".join(sorted((re.escape(fold(w)).replace(r"\ ", r"\s+") for w in words), key=len, reverse=True))
    if followed:
        names = r"(?:[ ]+[^\s,:!.?–]{1,25}\.?){0,4}"
        return re.compile(rf"(?:{alternatives})(?![\w'-]){names}[ ]?(?:[,:!–.]+(?:\s+|$)|\s-\s|$)")
    return re.compile(rf"(?:{alternatives})(?!\w)")


def prepare(
    text: str,
    greetings: re.Pattern[str] | None = None,
    closings: re.Pattern[str] | None = None,
    names: frozenset[str] = frozenset(),
) -> Prepared:
    """Cut a text into sentences.

    `greetings` and `closings` are the words that open and end a letter; `names` are lower-case names of the people the
    mail is from and to, by which a form of address ("Bob, …") and a signature are known.
    """
    text = text[:MAX_TEXT]
    folded = fold(text)
    spans = _cut(text, _blocks(text))
    if not spans:
        return Prepared(text, re.sub(r"\s", " ", folded), (), ())
    spans = _part_address(text, folded, spans, greetings, names)
    kinds = _kinds(text, folded, spans, greetings, closings, names)
    masked = folded
    if '"' in folded or not folded.isascii():
        masked = _QUOTED.sub(lambda m: _blot(m.group()), folded)
    masked = masked.replace("\n", " ").replace("\r", " ")
    out: list[str] = []
    at = 0
    for start, end, _ in spans:
        out.append("\n" * (start - at) + masked[start:end])
        at = end
    out.append("\n" * (len(text) - at))
    return Prepared(text, "".join(out), spans, kinds)


def uncut(text: str) -> bytes | None:
    """The octets of a text as one sentence; None where something in it is quoted."""
    folded = fold(text[:MAX_TEXT])
    quoted = ('"' in folded or not folded.isascii()) and _QUOTED.search(folded) is not None
    return None if quoted else octets_of(folded.replace("\n", " ").replace("\r", " "))


def _blot(quoted: str) -> str:
    """Blot out what is quoted, if it is more than a name or a button."""
    return quoted if " " not in quoted.strip() else quoted[0] + "~" * (len(quoted) - 2) + quoted[-1]


def _blocks(text: str) -> list[tuple[int, int, int]]:
    """Runs of text that belong together: (start, end, paragraph). Lines are joined where they were only wrapped."""
    longest = max(map(len, text.split("\n")))
    short = min(45, max(20, int(longest * 0.7)))
    blocks: list[tuple[int, int, int]] = []
    start = 0
    gaps = [found.span() for found in _BLANK.finditer(text)]
    for paragraph, (end, beyond) in enumerate([*gaps, (len(text), len(text))]):
        block = start
        while (line_end := text.find("\n", start, end)) >= 0:
            after = text[line_end + 1 : line_end + 2]
            opens = not after.isalpha() or text[line_end + 2 : line_end + 3] == ")"  # may be a bullet
            if after.isspace():
                after = text[line_end + 1 : end].lstrip()[:1]
            ended = False
            if line_end - start < short or text[line_end - 1].isspace():  # nearly no line is that short
                line = text[start:line_end].rstrip()
                ended = len(line) < short and (
                    after.isupper() or not after.isalnum() or line.endswith((",", ":", ";", "!", "?", "."))
                )
            if ended or (opens and not after.isupper() and _BULLET.match(text, line_end + 1, end)):
                blocks.append((block, line_end, paragraph))
                block = line_end + 1
            start = line_end + 1
        blocks.append((block, end, paragraph))
        start = beyond
    return [block for block in blocks if text[block[0] : block[1]].strip()]


def _cut(text: str, blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The sentences of all blocks, without the blanks around them."""
    spans = []
    stops = [found.span() for found in _STOP.finditer(text)]
    stops.append((len(text), len(text)))
    number = 0
    for at, end, paragraph in blocks:
        while True:
            first, last = stops[number]
            inside = last < end
            if inside:
                number += 1
                if last - first == 1 and text[first] == "." and _is_abbreviation(text, at, first):
                    continue
            stop = last if inside else end
            piece = text[at:stop].lstrip()
            if piece:
                start = stop - len(piece)
                spans.append((start, start + len(piece.rstrip()), paragraph))
            if not inside:
                break
            at = last
        while stops[number][0] < end:
            number += 1
    return spans


def _is_abbreviation(text: str, at: int, stop: int) -> bool:
    """Whether the word before a full stop is one after which a sentence goes on: a known one, a letter, a number."""
    ending = text[stop - 3 : stop]
    if ending.isalpha() and ending.lower() not in _ENDINGS:
        return False  # the cheap question first: nearly no word ends like one of them
    first = max(at, stop + 1 - _LONGEST_ABBREVIATION)
    before = text[first:stop].replace("(", " ")
    word = "" if before[-1:].isspace() else before.split()[-1] if before else ""
    if first and len(word) == len(before):
        return False  # it is longer than what is looked at, or a list's number that opens a line
    if len(word) <= 2 and word.isdecimal():
        following = _LETTERS.search(text, stop, stop + _LONGEST_ABBREVIATION)
        return following is None or not following[0][0].isupper() or following[0].lower() not in _OPENS
    return (len(word) == 1 and word.isascii() and word.isalpha()) or word.lower() in _ABBREVIATIONS


def _part_address(
    text: str, folded: str, spans: list[tuple[int, int, int]], greetings: re.Pattern[str] | None, names: frozenset[str]
) -> list[tuple[int, int, int]]:
    """Part "Hi Gemma, " or "Bob, " from the sentence that it opens, so that the sentence begins where it begins."""
    out = []
    opening = spans if names else spans[:2]  # without names only the beginning of a text can greet somebody
    for number, (start, end, paragraph) in enumerate(opening):
        if number == 0 and (handles := _HANDLE.match(text, start, end)) and handles.end() < end:
            out.append((start, start + len(handles.group().rstrip()), paragraph))
            start = handles.end()
        cut = 0
        if number < 2 and greetings is not None and (found := greetings.match(folded, start, end)):
            cut = found.end()
        elif (
            names
            and (vocative := _VOCATIVE.match(text, start, end))
            and {w.lower() for w in vocative.groups() if w} <= names
        ):
            cut = vocative.end()
        if cut and cut < end and text[cut - 1].isspace():
            head = text[start:cut].rstrip()
            out += [(start, start + len(head), paragraph), (cut, end, paragraph)]
        else:
            out.append((start, end, paragraph))
    return out + spans[len(opening) :]


def _kinds(
    text: str,
    folded: str,
    spans: list[tuple[int, int, int]],
    greetings: re.Pattern[str] | None,
    closings: re.Pattern[str] | None,
    names: frozenset[str],
) -> list[Kind]:
    kinds: list[Kind] = ["body"] * len(spans)
    for number, (start, end, _) in enumerate(spans[:3]):
        line = text[start:end]
        if number == 0 and _HANDLE.fullmatch(line + " "):
            kinds[number] = "greeting"
            continue
        greets = greetings is not None and greetings.match(folded + " ", start, end + 1)
        named = number == 0 and len(line) < 40 and line.endswith((",", ":", "!", "-", "–")) and _is_names(line, names)
        if named or (greets and greets.end() >= end):
            kinds[number] = "greeting"
    last = len(spans)
    for number in range(len(spans) - 1, max(0, len(spans) - 10), -1):
        start, end, _ = spans[number]
        line = text[start:end]
        if _is_names(line, names):
            last = number if last == number + 1 else last
        elif (
            closings is not None
            and (found := closings.match(folded, start, end))
            and len(line.split()) <= WORDS_OF_A_CLOSING
        ):
            if line.endswith(".") and len(folded[found.end() : end].split()) > WORDS_BEHIND_A_CLOSING:
                break  # "Best get them changed there."
            last = number
        elif len(line) >= 45 or line.endswith((".", "!", "?", ":")):
            break  # neither a closing nor a line of a signature
    for number in range(last, len(spans)):
        kinds[number] = "closing"
    return kinds


def _is_names(line: str, names: frozenset[str]) -> bool:
    """Whether a line is nothing but people's names (or one initial)."""
    if not _NAME_LINE.fullmatch(line.strip(" -–,:!")):
        return False
    words = _LETTERS.findall(line.lower())
    if names.isdisjoint(words):
        return len(line.strip(" .-–")) == 1
    return all(word in names or len(word) < 4 for word in words) or len(line.strip(" .-–")) == 1


_CLAUSE = re.compile(r"[;:–—]|,(?=\s)|\s-{1,2}\s|\(|\)")


def clauses(prepared: Prepared, index: int, cuts: Collection[int] = ()) -> list[tuple[int, int]]:
    """The clauses of a sentence: parted by commas and stronger marks, and at the offsets `cuts` (before a "but")."""
    sentence = prepared.sentences[index]
    ends = prepared.clause_marks(index)
    if cuts:
        ends = sorted({*ends, *(cut for cut in cuts if sentence.start < cut < sentence.end)})
    starts = [sentence.start, *ends]
    return [(a, b) for a, b in zip(starts, [*ends, sentence.end], strict=True) if a < b]
