"""How well the second reader tells what sentences do, on mail that it has not learnt from.

    python -m tests.bench.acts [FOLDER] [--models FILE…]

FOLDER has a folder a language of mail in the letters of `gateway/training/texts.py` (default: tests/texts/unlearnt).
Prints for each language and act the average precision: the mean of the precision at each sentence that does it, surest
first.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.reading.acts.acts import ACTS
from gateway.reading.acts.model import load_model
from gateway.reading.acts.reader import ENGLISH, MULTILINGUAL, ActReader
from gateway.reading.lexicon import load_lexicon
from gateway.resources import shipped
from gateway.training.texts import read_written

UNLEARNT = Path(__file__).parents[1] / "texts" / "unlearnt"
LEFT_OUT = ("pleasantry", "mention", "other")
Judged = tuple[float, bool]


def average_precision(judged: Sequence[Judged]) -> float:
    """Of (chance, truth): the mean, over the true ones, of the share of true ones among those at least as sure."""
    found, total = 0, 0.0
    for number, (_, truth) in enumerate(sorted(judged, key=lambda each: -each[0]), 1):
        if truth:
            found += 1
            total += found / number
    return total / found if found else float("nan")


def judged(folder: Path, acts: ActReader) -> Iterator[tuple[str, str, Judged]]:
    """(language, act, (chance, truth)) of each sentence in the body of a mail."""
    lexicon = load_lexicon(shipped("policies") / "lexicon")
    for path in sorted(folder.rglob("*.txt")):
        for text in read_written(path, lexicon):
            prepared = lexicon.prepare(text.text)
            found = acts.read(prepared, range(len(prepared.sentences)), text.lang, text.to)
            for number, sentence in enumerate(text.sentences):
                if sentence.kind == "body" and number in found.of:
                    for act in ACTS:
                        yield path.parent.name, act, (found.of[number][act], act in sentence.acts)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.acts", description=__doc__)
    asked.add_argument("folder", type=Path, nargs="?", default=UNLEARNT)
    asked.add_argument("--models", type=Path, nargs="+", default=[ENGLISH, MULTILINGUAL], help="asked together")
    given = asked.parse_args()
    reader = ActReader(tuple(load_model(path) for path in given.models))
    rows: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for lang, act, told in judged(given.folder, reader):
        rows["all", act].append(told)
        rows[lang, act].append(told)
    acts = [act for act in ACTS if act not in LEFT_OUT]
    print("        " + " ".join(f"{act[:9]:>9}" for act in acts))
    for lang in sorted({lang for lang, _ in rows}, key=lambda lang: (len(lang), lang)):
        print(f"{lang:8}" + " ".join(f"{average_precision(rows[lang, act]):9.2f}" for act in acts))
    print(f"{len(rows['all', ACTS[0]])} sentences")


if __name__ == "__main__":
    main()
