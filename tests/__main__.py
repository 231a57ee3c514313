"""The whole suite: `python -m tests`. Most end-to-end tests wait more than they work, so four parts run side by side,
and the next begins when one ends; what measures time itself runs alone, afterwards."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e import mother

HERE = Path(__file__).parent
E2E = sorted(HERE.glob("e2e/test_*.py"))
ALONE = ["e2e/test_bombs.py", "e2e/test_supervisor.py", "service/test_notify.py"]
"""These measure stalls and signs of life."""
BROWSER = ["console/test_browser.py", "console/test_hostile.py"]
APART = [["store"], ["mail", "templates", "policy"], BROWSER, ["evaluation", "packaging", "service"]]
SHORT = [["console"], ["peers", "smtp", "week"], ["commands"]]
"""Parts of their own, the longest first; what is named nowhere is a part, too. A file that a part names is in no other
one."""
E2E_PARTS = [("test_l", "test_s"), ("test_f", "test_l"), ("", "test_f"), ("test_s", "test_z")]
"""From which file on, and before which. Many small parts end together; few large ones leave the longest to itself."""
AT_ONCE = 4


def main() -> int:
    """The worst exit code of all parts; what each says is shown when it ends."""
    named = [name for part in (*APART, *SHORT) for name in part]
    shared = [path for path in E2E if str(path.relative_to(HERE)) not in ALONE]
    e2e = [[str(path) for path in shared if start <= path.stem < end] for start, end in E2E_PARTS]
    assert sum(map(len, e2e)) == len(shared)
    apart, short = ([_part(part, [*ALONE, *named]) for part in parts] for parts in (APART, SHORT))
    parts = [*apart, _part([""], [*ALONE, *named, "e2e"]), *e2e, *short]
    mother.address()  # one for all parts
    with ThreadPoolExecutor(AT_ONCE) as running:
        codes = list(running.map(_run, parts))
    return max(*codes, _run([str(HERE / name) for name in ALONE]))


def _part(names: list[str], others: list[str]) -> list[str]:
    """What pytest is told to run what is named here, and nothing of what is named elsewhere."""
    own = [HERE / name for name in names]
    ignored = [HERE / name for name in others if name not in names]
    return [*map(str, own), *(f"--ignore={path}" for path in ignored if any(map(path.is_relative_to, own)))]


def _run(words: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sys.argv[1:], *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
