"""Broken files with the errors they must give. Each folder of tests/bad_files holds files and `expected-error`.

The files are a policy folder: policies by any name, site.yaml. What is missing is taken from the shipped ones. Every
line of `expected-error` must be told, and nothing else.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.located import BadFiles
from gateway.policy.loader import load_policies, policy_files
from gateway.resources import shipped

CASES = sorted(path for path in (Path(__file__).parent.parent / "bad_files").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_bad_files(case: Path, tmp_path: Path) -> None:
    for path in case.iterdir():
        if path.name != "expected-error":
            shutil.copy(path, tmp_path / path.name)
    if not policy_files(tmp_path):
        shutil.copy(shipped() / "executive-refusal.yaml", tmp_path)
    with pytest.raises(BadFiles) as bad:
        load_policies(tmp_path, None, shipped=shipped())
    told = [str(problem).replace(f"{tmp_path}/", "") for problem in bad.value.problems]
    assert told == (case / "expected-error").read_text(encoding="utf-8").splitlines()
