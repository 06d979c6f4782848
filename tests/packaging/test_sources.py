"""Nothing under version control says where packages are fetched from."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.missing import need

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
SETTING = re.compile(
    r"(--(extra-)?index-url|--registry|--find-links|index[-_]url\s*=|registry\s*=)"
    r"[\s=\"']*(https?|file):",
)


def tracked() -> list[Path]:
    """Return the files under version control."""
    done = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    need(done.returncode == 0, "a checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_no_setting_names_a_registry() -> None:
    files = tracked()
    assert not {"pip.conf", "pip.ini", ".npmrc", "uv.toml"} & {f.name for f in files}
    found = []
    for file in files:
        if file.is_file() and file.suffix in {
            "", ".cfg", ".ini", ".json", ".lock", ".md", ".py", ".sh", ".spec", ".toml",
            ".txt", ".yml",
        }:  # fmt: skip
            text = file.read_text(encoding="utf-8", errors="replace")
            found += [(file.name, match[0]) for match in SETTING.finditer(text)]
    assert found == []


def test_lock_files_name_packages_by_hash_alone() -> None:
    locks = [file for file in tracked() if file.name == "package-lock.json"]
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        for name, about in packages.items():
            assert "resolved" not in about, name
            assert not name or "integrity" in about, name
