"""The private API of websockets that connection.py uses, on each version allowed."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.server import ServerProtocol

from server.net.connection import Connection
from tests.support.tiers import SWITCH, Tier

ROOT = Path(__file__).parent.parent.parent

OVERRIDDEN = {
    "connection_made": "(self, transport: 'asyncio.BaseTransport') -> 'None'",
    "connection_lost": "(self, exc: 'Exception | None') -> 'None'",
    "pause_writing": "(self) -> 'None'",
    "resume_writing": "(self) -> 'None'",
    "data_received": "(self, data: 'bytes') -> 'None'",
    "send_data": "(self) -> 'None'",
    "process_event": "(self, event: 'Event') -> 'None'",
}
"""The methods of the library that Connection overrides, as they are declared there."""

TESTS = (
    "test_abuse.py",
    "test_bad_requests.py",
    "test_connection.py",
    "test_connection_messages.py",
    "test_control_frames.py",
    "test_crowd.py",
    "test_library_versions.py",
    "test_session.py",
)
"""What is run on other versions: everything that has a real connection."""


def test_every_override_exists_in_the_library_as_it_is_expected() -> None:
    ours = {
        name
        for name, member in vars(Connection).items()
        if inspect.isfunction(member) and hasattr(ServerConnection, name)
    }
    assert ours == set(OVERRIDDEN)
    found = {
        name: str(inspect.signature(getattr(ServerConnection, name))) for name in ours
    }
    assert found == OVERRIDDEN


def test_the_limit_of_frames_is_kept_where_it_is_set_later() -> None:
    assert ServerProtocol(max_size=1234).max_message_size == 1234


def test_no_other_file_uses_private_api_of_the_library() -> None:
    private = re.compile(r"\.(protocol|transport|recv_messages|server|handlers)\.")
    subclass = re.compile(r"^class \w+\((Server)?Connection\b", re.MULTILINE)
    users, subclasses = set(), set()
    for path in sorted((ROOT / "server").rglob("*.py")):
        text = path.read_text()
        text = re.sub(r"^\s*(from|import) .*$", "", text, flags=re.MULTILINE)
        if "websockets" in path.read_text() and private.search(text):
            users.add(path.name)
        subclasses.update(path.name for _ in subclass.findall(text))
    assert users == subclasses == {"connection.py"}


def allowed() -> tuple[str, str]:
    """Return the oldest version and the first one too new, of pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text()
    for entry in tomllib.loads(text)["project"]["dependencies"]:
        if found := re.fullmatch(r"websockets>=([\d.]+),<([\d.]+)", entry):
            return found[1], found[2]
    raise AssertionError("pyproject.toml gives no range for websockets")


@pytest.mark.full
@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_connections_work_on_the_oldest_and_the_newest_version(
    which: str, tmp_path: Path
) -> None:
    oldest, too_new = allowed()
    wanted = {
        "oldest": f"websockets=={oldest}",
        "newest": f"websockets<{too_new}",
    }[which]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", str(tmp_path), wanted], check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        SWITCH: Tier.FAST,  # not this very test again
    }
    asked = "import websockets; print(websockets.__version__, websockets.__file__)"
    used = subprocess.run(
        [sys.executable, "-c", asked],
        env=environment, check=True, capture_output=True, text=True, cwd=ROOT,
    ).stdout  # fmt: skip
    assert str(tmp_path) in used
    print(f"{which}: {used.split()[0]}; installed: {metadata.version('websockets')}")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
         *(str(ROOT / "tests" / "net" / name) for name in TESTS)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-5_000:] + ran.stderr[-2_000:]
    print(ran.stdout.strip().splitlines()[-1])
