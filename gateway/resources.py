"""Where the files that people edit stand: at the top of a checkout, or inside an installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def shipped(kind: Literal["policies", "templates", "systemd"] = "policies") -> Path:
    """The folder of shipped files of a kind.

    Installed, they travel in the package (`_data`, see pyproject.toml); in a checkout they stand beside it. Raises
    FileNotFoundError, with what to do, when the installation lacks them.
    """
    for folder in (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the shipped {kind} are missing beside {_PACKAGE}: install the package again")
