"""The whole suite: `python -m tests`. Most end-to-end tests wait more than they work, so three parts run side by side;
what measures time itself runs alone, afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
E2E = sorted(HERE.glob("e2e/test_*.py"))
ALONE = ["e2e/test_bombs.py", "e2e/test_supervisor.py", "service/test_notify.py"]
"""These measure stalls and signs of life."""


def main() -> int:
    """The worst exit code of all parts; what each says is shown when it ends."""
    alone = [HERE / name for name in ALONE]
    shared = [path for path in E2E if path not in alone]
    left_out = [f"--ignore={path}" for path in (*alone, HERE / "e2e")]
    parts = [
        [str(path) for path in shared if path.stem < "test_l"],
        [str(path) for path in shared if path.stem >= "test_l"],
        [str(HERE), *left_out],
    ]
    running = [_start(part) for part in parts]
    codes = [_end(process) for process in running]
    codes.append(_end(_start([str(path) for path in alone])))
    return max(codes)


def _start(words: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sys.argv[1:], *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _end(process: subprocess.Popen[str]) -> int:
    said, _ = process.communicate()
    print(said, flush=True)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
