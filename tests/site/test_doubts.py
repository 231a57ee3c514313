"""What is no error in a site file, and still may not be meant."""

from __future__ import annotations

import pytest

from gateway.resources import shipped
from gateway.site.doubts import doubts

BASE = """name: X
executives: [ceo@x.example]
teams:
  desk:
    supervisor: sue@x.example
    agents:
      - ann@x.example
      - {address: bob@x.example, delegates: [ann@x.example]}
"""


def told(text: str) -> list[str]:
    return [f"{each.line}:{each.column}: {each.what}" for each in doubts(text, "site.yaml")]


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("", "", []),
        ("delegates: [ann@", "delegates: [Ann+mail@", []),
        ("delegates: [ann@", "delegates: [sue@", []),
        (
            "delegates: [ann@x.example]",
            "delegates: [ann@x.example, anne@x.example]",
            ["8:61: anne@x.example stands nowhere else in this file; is ann@x.example meant?"],
        ),
        (
            "delegates: [ann@x.example]",
            "supervisor: boss@elsewhere.test",
            ["8:46: boss@elsewhere.test stands nowhere else in this file"],
        ),
        (
            "[ceo@x.example]",
            "[ann@x.example]",
            ["2:14: ann@x.example is an agent too: what the gateway holds of theirs is an executive's mail"],
        ),
        (
            "teams:\n",
            "teams:\n  empty: {supervisor: sue@x.example}\n",
            ["4:3: team empty has neither agents nor mailboxes: no mail is ever judged as theirs"],
        ),
        (
            "name: X\n",
            "name: X\nlogins: {ann: ann@x.example, amy: amy@x.example}\n",
            ["2:35: amy@x.example is no agent: mail of whoever logs in as amy is never judged"],
        ),
        (
            "name: X\n",
            "name: X\naliases: [[ann@x.example, a@x.example], [bob@x.example]]\n",
            ["2:41: bob@x.example alone is no set: it says that nobody is anybody else"],
        ),
    ],
)
def test_doubts(old: str, new: str, want: list[str]) -> None:
    assert told(BASE.replace(old, new, 1) if old else BASE) == want


def test_the_shipped_site_leaves_none() -> None:
    assert doubts(shipped() / "site.yaml") == ()
