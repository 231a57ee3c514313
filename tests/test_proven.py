"""The shipped files are known as proven, and anything else is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import proven
from gateway.located import BadFiles
from gateway.policy.loader import load_policies
from gateway.resources import shipped
from gateway.template_files import load_templates

PROVE = "from tests.prove import prove; print(prove(), end='')"


def test_the_shipped_files_pass_and_are_known() -> None:
    """In a process of its own, where nothing has been read before."""
    root = Path(__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", PROVE], cwd=root, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == proven.SHIPPED.read_text("ascii"), "after an edit of shipped files: python -m tests.prove"


def test_what_is_changed_is_proven_anew(tmp_path: Path) -> None:
    folder = shutil.copytree(shipped("policies"), tmp_path / "policies")
    policy = folder / "bare-refusal.yaml"
    policy.write_text(policy.read_text("utf-8").replace("expect: hit", "expect: miss", 1), "utf-8")
    for _ in range(2):  # what has failed is not known afterwards
        with pytest.raises(BadFiles, match=r"the example .* fails"):
            load_policies(folder, None, shipped=shipped("policies"))


def test_a_changed_lexicon_makes_every_example_run(tmp_path: Path) -> None:
    folder = shutil.copytree(shipped("policies"), tmp_path / "policies")
    words = folder / "lexicon" / "en.yaml"
    words.write_text(words.read_text("utf-8") + "# nothing\n", "utf-8")
    before = set(proven.PROVEN)
    rules = load_policies(folder, None, shipped=folder)
    assert len(set(proven.PROVEN) - before) >= len(rules.policies)


def test_a_changed_template_is_checked(tmp_path: Path) -> None:
    folder = shutil.copytree(shipped("templates"), tmp_path / "templates")
    changed = next(path for path in sorted(folder.rglob("*.txt")))
    changed.write_text(changed.read_text("utf-8") + "{{ nobody_knows_this }}\n", "utf-8")
    with pytest.raises(BadFiles, match="nobody_knows_this"):
        load_templates(folder)
