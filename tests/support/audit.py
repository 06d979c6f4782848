"""``make audit``: what is known to be wrong with what this program is made of.

Three questions, each to the ordinary client: known vulnerabilities (pip-audit, npm
audit), releases that were withdrawn (pip's own report), and the npm lock file's hashes
and deprecations. A registry that does not answer the first is reported, but not as a
finding. Not a part of ``make test``: it needs the network.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
WEB = ROOT / "client" / "web"
GUARD_S = 300


def shipped(name: str = "two-gaps") -> dict[str, str]:
    """Return name and version of all that an installation runs on, without extras."""
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        for line in distribution(waiting.pop()).requires or ():
            wanted = re.match(r"[A-Za-z0-9._-]+", line)
            if wanted is None or "extra ==" in line:
                continue
            try:
                part = distribution(wanted[0])
            except ModuleNotFoundError:  # for another platform or version of Python
                continue
            if part.metadata["Name"] not in found:
                found[part.metadata["Name"]] = part.version
                waiting.append(part.metadata["Name"])
    return dict(sorted(found.items(), key=lambda pair: pair[0].lower()))


def run(*command: str, cwd: Path = ROOT) -> tuple[str, str]:
    """Run a client; return what it wrote to stdout and to stderr."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=GUARD_S, check=False
    )
    return done.stdout, done.stderr


def vulnerabilities(parts: dict[str, str]) -> Iterator[str]:
    """Ask pip-audit; yield findings."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in parts.items())
        file.flush()
        words = ("--disable-pip", "--no-deps", "--format", "json", "-r", file.name)
        told, why = run(sys.executable, "-m", "pip_audit", *words)
    answers: list[dict[str, Any]] = json.loads(told)["dependencies"] if told else []
    asked = [answer for answer in answers if "vulns" in answer]
    for answer in asked:
        for known in answer["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "nowhere yet"
            yield f"{answer['name']} {answer['version']}: {known['id']}, {fixed}"
    if len(asked) < len(parts):
        reasons = [answer["skip_reason"] for answer in answers if "vulns" not in answer]
        why = reasons[0] if reasons else _last(why)
        print(f"  NOT ANSWERED for {len(parts) - len(asked)} of {len(parts)}: {why}")


def withdrawn(parts: dict[str, str]) -> Iterator[str]:
    """Ask pip which of these releases were yanked; yield findings."""
    pins = [f"{name}=={version}" for name, version in parts.items()]
    flags = ("--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-")
    told, why = run(sys.executable, "-m", "pip", "install", *flags, *pins)
    if not told:
        yield f"pip could not find all of them: {_last(why)}"
        return
    for item in json.loads(told)["install"]:
        if item["is_yanked"]:
            yield f"{item['metadata']['name']} {item['metadata']['version']}: withdrawn"


def web() -> Iterator[str]:
    """Look at the browser client's lock file, and ask npm; yield findings."""
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    for name, entry in packages.items():
        if "deprecated" in entry:
            yield f"{name}: {entry['deprecated']}"
        if "integrity" not in entry and not entry.get("link"):
            yield f"{name}: no hash in the lock file"
    npm = shutil.which("npm")
    told, why = run(npm, "audit", "--json", cwd=WEB) if npm else ("{}", "no npm here")
    counted = json.loads(told or "{}").get("metadata", {}).get("vulnerabilities")
    if counted is None:
        complaint = next((x for x in why.splitlines() if "audit" in x), why)
        print(f"  NOT ANSWERED for {len(packages)} of {len(packages)}: {complaint}")
    elif counted["total"]:
        yield f"npm audit: {counted}"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:160] if lines else ""


def main() -> int:
    """Ask everything; return the exit code: 1 with findings."""
    parts = shipped()
    found = []
    for title, question in (
        (
            f"known vulnerabilities of {len(parts)} Python packages",
            vulnerabilities(parts),
        ),
        ("withdrawn releases", withdrawn(parts)),
        (
            "packages of the browser client: hashes, deprecations, vulnerabilities",
            web(),
        ),
    ):
        print(title)
        answers = list(question)
        for answer in answers:
            print(f"  FOUND {answer}")
        print(f"  findings: {len(answers)}")
        found += answers
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
