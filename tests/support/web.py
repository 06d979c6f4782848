"""``python -m tests.support.web``: types and unit tests of the browser client.

Uses the Node of the system. Without a suitable one it says so and passes, unless
TWOGAPS_REQUIRE_ALL=1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent.parent.parent / "client" / "web"


def main() -> int:
    """Run svelte-check and vitest; return the exit code."""
    npm = shutil.which("npm")
    if npm is None or not (WEB / "node_modules").is_dir():
        must = os.environ.get("TWOGAPS_REQUIRE_ALL") == "1"
        print("The browser client is not checked: that needs Node.js 20.19 or later.")
        return 1 if must else 0
    for script in ("check", "test"):
        done = subprocess.run([npm, "run", "--silent", script], cwd=WEB, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
