"""Subjects without the marks of mail programs."""

from __future__ import annotations

import pytest

from gateway.mail.subjects import MOST_MARKS, without_marks


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Fwd: VPN drops", "VPN drops"), ("WG: AW: Drucker", "Drucker"), ("TR : Accès", "Accès"),
        ("RV: RE: Cuenta", "Cuenta"),
        ("Re[2]: Fwd: [#48213] Access", "[#48213] Access"), ("Doorst: Vraag", "Vraag"), ("I: Domanda", "Domanda"),
        ("ENC: Conta", "Conta"), ("VPN: drops every hour", "VPN: drops every hour"), ("Fwd:", "Fwd:"), ("", ""),
        ("Antw: Re: re: Vraag", "Vraag"),
    ],
)  # fmt: skip
def test_the_subject_itself(subject: str, bare: str) -> None:
    assert without_marks(subject) == bare


def test_a_subject_of_marks_alone_takes_no_time() -> None:
    assert without_marks("Re: " * 50_000).count("Re:") == 50_000 - MOST_MARKS
