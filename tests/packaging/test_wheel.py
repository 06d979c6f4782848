"""What the wheel contains."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder

from tests.packaging.conftest import PROJECT


@pytest.mark.parametrize(
    ("source", "noun"), [("brokers", "broker"), ("fleet", "fleet")]
)
def test_wheel_contains_the_templates(wheel: Path, source: str, noun: str) -> None:
    templates = f"server/cli/{noun}/templates/"
    with zipfile.ZipFile(wheel) as archive:
        found = {
            name.removeprefix(templates): archive.read(name)
            for name in archive.namelist()
            if name.startswith(templates)
        }
    files = [
        path for path in (PROJECT / "deploy" / source).rglob("*") if path.is_file()
    ]
    folder = PROJECT / "deploy" / source
    assert found == {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in files
    }


def test_installed_program_writes_a_broker_configuration(
    tmp_path: Path, wheel: Path
) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    done = subprocess.run(
        [sys.executable, "-m", "twogaps", "broker", "configure", "--port", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "listener 1 0.0.0.0" in (tmp_path / "broker/mosquitto.conf").read_text()


def test_sdist_contains_what_a_wheel_is_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOGAPS_SKIP_WEB", "1")
    monkeypatch.chdir(PROJECT)
    built = SdistBuilder(str(PROJECT)).build(
        directory=str(tmp_path), versions=["standard"]
    )
    with tarfile.open(next(built)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "twogaps/__main__.py", "server/cli/__init__.py", "tools/docs/__init__.py",
        "deploy/brokers/nats.conf", "SECURITY.md", "hatch_build.py", "pyproject.toml",
    } <= names  # fmt: skip


def test_wheel_contains_no_developer_tools(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}
    assert not folders & {"tools", "tests", "docs", "deploy"}
