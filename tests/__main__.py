"""The whole suite: `python -m tests`. Most end-to-end tests wait more than they work, so four parts run side by side,
and the next begins when one ends; what measures time itself runs alone, afterwards."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
E2E = sorted(HERE.glob("e2e/test_*.py"))
ALONE = ["e2e/test_bombs.py", "e2e/test_supervisor.py", "service/test_notify.py"]
"""These measure stalls and signs of life."""
APART = [["peers", "smtp", "store"], ["console", "week"], ["commands"], ["evaluation", "packaging", "service"]]
"""Parts of their own, the longest first; what is named nowhere is a part, too."""
E2E_PARTS = [("", "test_f"), ("test_f", "test_l"), ("test_l", "test_s"), ("test_s", "test_z")]
"""From which file on, and before which. Many small parts end together; few large ones leave the longest to itself."""
AT_ONCE = 4


def main() -> int:
    """The worst exit code of all parts; what each says is shown when it ends."""
    alone = [HERE / name for name in ALONE]
    shared = [path for path in E2E if path not in alone]
    apart = [[str(HERE / name) for name in names] for names in APART]
    left_out = [f"--ignore={path}" for path in (*alone, HERE / "e2e")]
    e2e = [[str(path) for path in shared if start <= path.stem < end] for start, end in E2E_PARTS]
    assert sum(map(len, e2e)) == len(shared)
    rest = [str(HERE), *left_out, *(f"--ignore={path}" for paths in apart for path in paths)]
    parts = [[*apart[0], *left_out], rest, *([*paths, *left_out] for paths in apart[1:]), *e2e]
    with ThreadPoolExecutor(AT_ONCE) as running:
        codes = list(running.map(_run, parts))
    return max(*codes, _run([str(path) for path in alone]))


def _run(words: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sys.argv[1:], *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
