"""Run what the shipped files are proven by and write their digests down: `python -m tests.prove`, after an edit."""

from __future__ import annotations

from gateway import proven
from gateway.policy.loader import load_policies
from gateway.resources import shipped
from gateway.template_files import load_templates


def prove() -> str:
    """What `proven.txt` should say. Raises BadFiles where something does not pass."""
    proven.PROVEN.clear()
    load_policies(shipped("policies"), None, shipped=shipped("policies"))
    load_templates(shipped("templates"))
    return "".join(f"{each}\n" for each in sorted(proven.PROVEN))


if __name__ == "__main__":
    proven.SHIPPED.write_text(prove(), "ascii")
