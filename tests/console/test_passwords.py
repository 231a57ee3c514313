"""What a password's check takes, which other tests here make less."""

from __future__ import annotations

import subprocess
import sys

from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

CHECK = """
from gateway.console import passwords
print(passwords.hash_of("a long enough sentence"), passwords._NOBODY)
print(passwords.fits("a long enough sentence", ""), passwords.fits("a long enough sentence", passwords._NOBODY))
"""


def test_it_takes_what_the_standard_says_with_an_account_or_without() -> None:
    ran = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    hashes, fits = ran.stdout.splitlines()
    for each in hashes.split():
        assert extract_parameters(each) == RFC_9106_LOW_MEMORY
    assert fits == "False False"
    assert PasswordHasher().verify(hashes.split()[0], "a long enough sentence")
