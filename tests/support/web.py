"""``python -m tests.support.web``: types and unit tests of the browser client.

Uses the Node of the system, or the one that pip installed. Without one it says so and
passes, unless TWOGAPS_REQUIRE_ALL=1.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.prose.__main__ import environment, found_node

WEB = Path(__file__).parent.parent.parent / "client" / "web"


def main() -> int:
    """Run svelte-check and vitest; return the exit code."""
    node = found_node()
    if node is None or not (WEB / "node_modules").is_dir():
        must = os.environ.get("TWOGAPS_REQUIRE_ALL") == "1"
        print("The browser client is not checked: that needs Node.js 20.19 or later,")
        print("and its packages (npm ci in client/web).")
        return 1 if must else 0
    for script in ("check", "test"):
        command = [*node.npm, "run", "--silent", script]
        done = subprocess.run(command, cwd=WEB, check=False, env=environment(node))
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
