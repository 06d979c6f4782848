"""TLS to the broker, with an authority of our own: trusted, or refused plainly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from server.app import Config, running
from server.federation.mqtt import MqttBus, Will
from server.federation.topics import BrokerAddress, BusSettingsError
from server.folder import CannotStart
from tests.contract.test_bus import Ears
from tests.support.broker import KINDS, Broker, Kind, open_broker, shipped_broker
from tests.support.until import until

GUARD_S = 20

leaves_sockets = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""paho does not close a socket whose handshake has failed; the collector does."""


class Authority:
    """An authority, and files of what it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def options(self, name: str) -> tuple[str, ...]:
        """Return the broker's options for a certificate of this name."""
        signed = self._authority.issue_cert(name)
        certificate, key = self._folder / "cert.pem", self._folder / "key.pem"
        certificate.unlink(missing_ok=True)
        for part in signed.cert_chain_pems:
            part.write_to_path(str(certificate), append=True)
        signed.private_key_pem.write_to_path(str(key))
        return ("--certificate", str(certificate), "--private-key", str(key))


@contextlib.asynccontextmanager
async def tls_broker(
    kind: Kind, folder: Path, options: tuple[str, ...]
) -> AsyncIterator[str]:
    """Run a broker as shipped, with a certificate; yield its site's address."""
    broker, urls = shipped_broker(kind, folder, {"oslo": False}, *options)
    await broker.start()
    try:
        yield urls["oslo"]
    finally:
        await broker.kill()


@contextlib.asynccontextmanager
async def bus_to(
    url: str, authority: Path | None
) -> AsyncIterator[tuple[MqttBus, Ears]]:
    """Run a bus to an address."""
    address = BrokerAddress.parse(url, authority)
    bus, ears = MqttBus(address, "oslo", (), Will("tg/v1/node/oslo/state", b"")), Ears()
    task = asyncio.create_task(bus.run(ears))
    yield bus, ears
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    gc.collect()  # here, and not in a test that does not expect it


async def said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Wait until the log has these words."""
    await until(lambda: words in caplog.text)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_site_that_knows_the_authority_is_admitted(
    tmp_path: Path, kind: Kind
) -> None:
    authority = Authority(tmp_path)
    async with tls_broker(kind, tmp_path, authority.options("127.0.0.1")) as url:
        assert url.startswith("mqtts://")
        async with bus_to(url, authority.file) as (bus, ears):
            await ears.until(lambda: bus.is_up)


@leaves_sockets
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_wrong_certificate_is_refused_in_plain_words(
    tmp_path: Path, kind: Kind, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    name = "elsewhere.example" if wrong == "name" else "127.0.0.1"
    known = authority.file if wrong == "name" else None
    async with (
        tls_broker(kind, tmp_path, authority.options(name)) as url,
        bus_to(url, known) as (bus, _),
    ):
        await said(caplog, "its certificate is not trusted")
        await said(caplog, "--broker-ca")
        assert not bus.is_up


@leaves_sockets
async def test_tls_against_a_plain_port_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker: Broker = open_broker("mosquitto", tmp_path)
    await broker.start()
    url = broker.url().replace("mqtt:", "mqtts:")
    async with bus_to(url, None) as (bus, _):
        await said(caplog, "it does not speak TLS there: write mqtt://")
        assert not bus.is_up
    await broker.kill()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_password_is_reported(
    tmp_path: Path, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    broker, urls = shipped_broker(kind, tmp_path, {"oslo": False})
    await broker.start()
    async with bus_to(urls["oslo"].replace("oslo:", "oslo:x"), None) as (bus, _):
        await said(caplog, "it rejects the user 'oslo'")
        assert not bus.is_up
    await broker.kill()


async def test_a_file_without_a_ca_certificate_stops_the_start(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    for url, file in (("mqtts://b", rubbish), ("mqtts://b", tmp_path / "missing")):
        config = Config(port=0, broker=url, site="oslo", broker_ca=file)
        with pytest.raises(CannotStart, match="not a CA certificate"):
            async with running(config):
                pass
    with pytest.raises(BusSettingsError, match="only with mqtts://"):
        BrokerAddress.parse("mqtt://b", rubbish)
