"""What the wheel contains."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.packaging.conftest import PROJECT

TEMPLATES = "server/cli/broker/templates/"


def test_wheel_contains_the_broker_templates(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {
            name.removeprefix(TEMPLATES): archive.read(name)
            for name in archive.namelist()
            if name.startswith(TEMPLATES)
        }
    files = (PROJECT / "deploy" / "brokers").iterdir()
    assert found == {file.name: file.read_bytes() for file in files}


def test_wheel_contains_no_developer_tools(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}
    assert not folders & {"tools", "tests", "docs", "deploy"}
