"""Backups: whole while people vote, restored anywhere, never over anything."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client import connect, host
from server import backup
from server.backup import BackupError, back_up, restore
from server.game.commands import OpenRound, OpenVote
from server.game.ids import RoomCode
from server.journal.parcel import pack
from server.journal.sqlite import SqliteStore
from tests.cli.test_cli import run
from tests.support.figures import Figure
from tests.support.program import RESTLESS, Program
from tests.support.server import hall
from tests.support.voters import BY_HAND, Acks, Voter, check
from tests.support.wire import wire

PLAYERS = 40


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    made = Program(tmp_path, "--data", str(tmp_path / "data"), *RESTLESS)
    yield made
    await made.kill()


@pytest.mark.fault
async def test_a_backup_under_votes_holds_all_that_was_recorded_and_plays_on(
    program: Program, tmp_path: Path, figure: Figure
) -> None:
    await program.start("--room", "first-class")
    code, key = program.room
    url = f"http://127.0.0.1:{program.port}"
    packed, again = tmp_path / "b.tar", tmp_path / "again"
    acks = Acks()
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(host(url, code, key))
        await teacher.send(BY_HAND)
        await teacher.send(OpenRound())
        await teacher.send(OpenVote())
        voters = [
            Voter(await stack.enter_async_context(connect(url, code, f"P {i}")), i)
            for i in range(PLAYERS)
        ]
        runs = [asyncio.create_task(voter.run(acks)) for voter in voters]
        await acks.more(30 * PLAYERS)
        recorded = [list(voter.acknowledged) for voter in voters]
        before = acks.n
        manifest = await asyncio.to_thread(back_up, tmp_path / "data", packed)
        during = acks.n - before
        for run_ in runs:
            run_.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
    admin_key = program.admin_key
    assert (await program.stop()).code == 0
    figure(f"{manifest.events} events backed up, {during} votes meanwhile")
    assert packed.stat().st_mode & 0o777 == 0o600
    assert run("journal", "restore", str(packed), "--data", str(again))[0] == 0
    for voter, known in zip(voters, recorded, strict=True):
        voter.acknowledged = known
    await check(again, RoomCode(code), voters)
    async with hall(data=again) as at:
        assert at.server.admin_key == admin_key
        async with wire(at.port) as teacher_again:
            await teacher_again.prove("host", code, key)
            await teacher_again.phase("vote")


async def _some(folder: Path) -> None:
    async with hall(data=folder):
        pass


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A data folder with a room, and a backup of it."""
    asyncio.run(_some(tmp_path / "data"))
    back_up(tmp_path / "data", tmp_path / "b.tar")
    return tmp_path / "data", tmp_path / "b.tar"


def test_nothing_is_ever_overwritten(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, packed = made
    code, text = run("journal", "backup", str(packed), "--data", str(data))
    assert code == 1
    assert "never overwritten" in " ".join(text.split())
    code, text = run("journal", "restore", str(packed), "--data", str(data))
    assert code == 1
    assert "is not empty" in " ".join(text.split())
    nearly = tmp_path / "nearly"
    nearly.mkdir()
    (nearly / "admin.key").write_text("x")
    with pytest.raises(BackupError, match="not empty"):
        restore(packed, nearly)
    assert (nearly / "admin.key").read_text() == "x"


def test_a_file_system_without_links_gets_a_whole_backup_or_none(
    made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a USB stick with FAT."""

    def no_link(source: object, target: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(backup.os, "link", no_link)
    folder, _ = made
    target = tmp_path / "stick.tar"
    assert back_up(folder, target).rooms == 1
    assert restore(target, tmp_path / "back").rooms == 1
    with pytest.raises(BackupError, match="exists"):
        back_up(folder, target)


def test_the_key_may_be_left_out(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, packed = made
    key = (data / "admin.key").read_bytes().strip()
    assert key in packed.read_bytes()
    bare = tmp_path / "bare.tar"
    assert run("journal", "backup", str(bare), "--no-key", "--data", str(data))[0] == 0
    assert key not in bare.read_bytes()
    restore(bare, tmp_path / "new")
    assert not (tmp_path / "new" / "admin.key").exists()


def test_a_backup_holds_nothing_that_was_removed(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    data, _ = made

    async def remove() -> RoomCode:
        store = await SqliteStore.open(data / "journal.sqlite")
        (record,) = await store.rooms()
        await store.delete(record.code)
        await store.close()
        return record.code

    code = asyncio.run(remove())
    back_up(data, tmp_path / "later.tar")
    assert code.encode() not in (tmp_path / "later.tar").read_bytes()


def _with(packed: Path, target: Path, name: str, content: bytes) -> Path:
    """Copy an archive with one file changed."""
    with tarfile.open(packed) as old, tarfile.open(target, "w") as new:
        for entry in old.getmembers():
            file = old.extractfile(entry)
            assert file is not None
            body = content if entry.name == name else file.read()
            entry.size = len(body)
            new.addfile(entry, io.BytesIO(body))
    return target


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("journal.sqlite", b"x" * 9000, "damaged"),
        ("manifest.json", b"{}", "not a Two Gaps backup"),
        ("manifest.json", b"\xff\xfe", "not a Two Gaps backup"),
    ],
)
def test_a_damaged_backup_is_refused_and_leaves_the_folder_empty(
    made: tuple[Path, Path], tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    _, packed = made
    changed = _with(packed, tmp_path / "changed.tar", name, content)
    with pytest.raises(BackupError, match=says):
        restore(changed, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["server.lock"]


def test_a_hostile_backup_writes_nowhere_else(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    _, packed = made
    with tarfile.open(packed) as archive:
        file = archive.extractfile("manifest.json")
        assert file is not None
        manifest = json.loads(file.read())
    manifest["sha256"]["../evil"] = "00"
    text = json.dumps(manifest).encode()
    changed = _with(packed, tmp_path / "changed.tar", "manifest.json", text)
    with pytest.raises(BackupError, match="can read"):
        restore(changed, tmp_path / "new")
    assert not (tmp_path / "evil").exists()


def test_files_that_cannot_be_backed_up_are_reported(tmp_path: Path) -> None:
    code, text = run(
        "journal", "backup", str(tmp_path / "b.tar"), "--data", str(tmp_path)
    )
    assert code == 1
    assert "no journal" in " ".join(text.split())
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BackupError, match="could not be restored"):
        restore(tmp_path / "text", tmp_path / "new")


KILLED = """
import os, signal, sys
from pathlib import Path
from server import backup
backup._describe = backup._checksum = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
getattr(backup, sys.argv[1])(Path(sys.argv[2]), Path(sys.argv[3]))
"""


def _killed(what: str, *paths: Path) -> None:
    words = [sys.executable, "-c", KILLED, what, *map(str, paths)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL


def test_what_killed_runs_leave_is_removed_by_the_next(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    data, packed = made
    _killed("back_up", data, tmp_path / "killed.tar")
    assert len(list(tmp_path.glob(".backup-*"))) == 1
    with backup._scratch(tmp_path, backup.BACKING_UP) as running:
        back_up(data, tmp_path / "next.tar")
        assert list(tmp_path.glob(".backup-*")) == [running]  # it is at work
    new = tmp_path / "new"
    _killed("restore", packed, new)
    assert len(list(new.glob(".restore-*"))) == 1
    restore(packed, new)
    assert sorted(path.name for path in new.iterdir()) == [
        "admin.key",
        "journal.sqlite",
        "server.lock",
    ]


def test_a_purge_removes_what_killed_runs_and_refused_rooms_left(
    made: tuple[Path, Path],
) -> None:
    data, _ = made
    (data / ".restore-x").mkdir()
    (data / ".restore-x" / "server.lock").touch()
    incoming = data / "incoming"
    incoming.mkdir()
    for name, code in (("odd.room.refused", "AAAAAA"), ("CCCCCC.room.refused", None)):
        content = b"damaged" if code is None else pack(code, "berlin", 1, ["{}"])
        (incoming / name).write_bytes(content)
    for code in ("AAAAAA", "CCCCCC"):
        left = {path.name for path in incoming.iterdir()}
        words = ("room", "forget", code, "--yes", "--data", str(data))
        assert run(*words)[0] == 0
        assert len({path.name for path in incoming.iterdir()}) == len(left) - 1
    assert not (data / ".restore-x").exists()
    assert run("room", "forget", "DDDDDD", "--yes", "--data", str(data))[0] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_what_root_restores_belongs_to_the_owner_of_the_folder(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    restore(made[1], folder)
    owners = {path.stat().st_uid for path in folder.iterdir()}
    assert owners == {12345}
