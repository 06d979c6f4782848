"""Other code with the names of our packages does no harm, or is named in one line."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TRAP = "raise SystemExit('the wrong file was imported')\n"
VERSION = "twogaps 0.1.0\n"


def foreign_wheel(folder: Path) -> Path:
    """Return a small wheel of another project that has our package names."""
    files = {
        "server/__init__.py": TRAP,
        "server/routes.py": TRAP,
        "client/__init__.py": TRAP,
    }
    info = "shop_site-2.0.dist-info"
    record = "".join(f"{name},,{len(text)}\n" for name, text in files.items())
    files |= {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: shop-site\nVersion: 2.0\n",
        f"{info}/RECORD": record,
    }
    path = folder / "shop_site-2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def installed(target: Path, *wheels: Path) -> Path:
    """Unpack wheels in this order, as an installer does, over what is there."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    return target


def run(
    folder: Path, *words: str, packages: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m twogaps`` in a folder, with these packages first."""
    path = os.pathsep.join(str(each) for each in (packages,) if each)
    return subprocess.run(
        [sys.executable, "-m", "twogaps", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path or os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=False,
    )


def is_one_line_with_the_remedy(text: str) -> bool:
    return text.count("\n") == 1 and "uvx two-gaps" in text and "-m venv" in text


def test_a_wheel_that_overwrote_our_packages_is_named(
    tmp_path: Path, wheel: Path
) -> None:
    target = installed(tmp_path / "site", wheel, foreign_wheel(tmp_path))
    done = run(tmp_path, "--version", packages=target)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{target / 'client' / '__init__.py'} was overwritten by" in done.stderr
    assert "'shop_site'" in done.stderr
    assert is_one_line_with_the_remedy(done.stderr), done.stderr


def test_a_wheel_that_we_overwrote_does_no_harm(tmp_path: Path, wheel: Path) -> None:
    target = installed(tmp_path / "site", foreign_wheel(tmp_path), wheel)
    done = run(tmp_path, "--version", packages=target)
    assert (done.returncode, done.stdout, done.stderr) == (0, VERSION, "")


def test_a_file_that_another_package_removed_is_named(
    tmp_path: Path, wheel: Path
) -> None:
    target = installed(tmp_path / "site", wheel)
    (target / "server" / "__init__.py").unlink()
    done = run(tmp_path, "--version", packages=target)
    assert done.returncode == 1
    assert f"{target / 'server' / '__init__.py'} is missing" in done.stderr
    assert is_one_line_with_the_remedy(done.stderr), done.stderr


def test_a_file_edited_by_hand_is_accepted(tmp_path: Path, wheel: Path) -> None:
    target = installed(tmp_path / "site", wheel)
    edited = target / "server" / "config.py"
    edited.write_text(edited.read_text() + "\n# ours\n")
    assert run(tmp_path, "--version", packages=target).stdout == VERSION


@pytest.mark.parametrize("name", ["server.py", "client.py", "random.py", "typing.py"])
def test_files_in_the_current_folder_do_no_harm(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(TRAP)
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, VERSION, "")


def test_an_empty_entry_of_the_path_does_no_harm(tmp_path: Path, wheel: Path) -> None:
    target = installed(tmp_path / "site", wheel)
    (tmp_path / "random.py").write_text(TRAP)
    done = subprocess.run(
        [sys.executable, "-c", "from twogaps.__main__ import main; main()", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{os.pathsep}{target}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "room" in done.stdout


def test_another_module_earlier_on_the_path_is_named(
    tmp_path: Path, wheel: Path
) -> None:
    target = installed(tmp_path / "site", wheel)
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "server.py").write_text(TRAP)
    done = subprocess.run(
        [sys.executable, "-m", "twogaps", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{shadow}{os.pathsep}{target}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"'import server' finds {shadow / 'server.py'}" in done.stderr
    assert is_one_line_with_the_remedy(done.stderr), done.stderr
