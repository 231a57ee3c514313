"""Broken files with the errors they must give. Each folder of tests/bad_files holds files and `expected-error`.

The files are a policy folder: policies by any name, site.yaml. What is missing is taken from the shipped ones. Every
line of `expected-error` must be told, and nothing else; a line that ends with … says how one begins.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.located import BadFiles
from gateway.policy.loader import load_policies, policy_files
from gateway.reading.lexicon import load_lexicon
from gateway.resources import shipped

LEXICON = load_lexicon(shipped() / "lexicon")
CASES = sorted(path for path in (Path(__file__).parent.parent / "bad_files").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_bad_files(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.policy.loader.load_lexicon", lambda *folders: LEXICON)
    for path in case.iterdir():
        if path.name != "expected-error":
            shutil.copy(path, tmp_path / path.name)
    if not policy_files(tmp_path):
        shutil.copy(shipped() / "executive-refusal.yaml", tmp_path)
    with pytest.raises(BadFiles) as bad:
        load_policies(tmp_path, None, shipped=shipped())
    told = [str(problem).replace(f"{tmp_path}/", "") for problem in bad.value.problems]
    expected = (case / "expected-error").read_text(encoding="utf-8").splitlines()
    assert [_cut(line, want) for line, want in zip(told, expected, strict=False)] == expected
    assert len(told) == len(expected)


def _cut(line: str, want: str) -> str:
    return line[: len(want) - 1] + "…" if want.endswith("…") else line
