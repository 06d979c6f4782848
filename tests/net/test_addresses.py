"""The address that phones can reach: found afresh, and checked before it is used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from server.config import Config
from server.federation.topics import BrokerAddress, BusSettingsError
from server.folder import CannotStart
from server.net.addresses import (
    Addresses,
    Interface,
    Names,
    interfaces,
    rank,
    routed,
    web_origin,
)

WIFI = Interface("wlan0", "192.168.1.20")
HOTSPOT = Interface("ap0", "192.168.77.5")
VPN = Interface("tun0", "10.8.0.6")
WINDOWS_VPN = Interface("Contoso VPN", "10.9.0.6")
TAILSCALE = Interface("en7", "100.101.102.103")
DOCKER = Interface("docker0", "172.17.0.1")
HYPER_V = Interface("vEthernet (Default Switch)", "172.20.0.1")
NO_DHCP = Interface("wlan0", "169.254.10.20")
PHONE = "192.168.1.99"
SIX = Interface("wlan0", "2001:db8::20")


class Laptop:
    """A machine whose networks the test changes."""

    def __init__(self, *found: Interface, route: str | None = None) -> None:
        self.found = found
        self.route = route

    def addresses(self, host: str = "0.0.0.0", *public: str) -> Addresses:
        return Addresses(
            host, 8000, public, find=lambda: self.found, route=lambda: self.route
        )


def test_wifi_is_the_address() -> None:
    laptop = Laptop(WIFI, route=WIFI.address)
    assert laptop.addresses().url == "http://192.168.1.20:8000"


def test_a_hotspot_without_uplink_has_an_address() -> None:
    assert Laptop(HOTSPOT).addresses().urls == ("http://192.168.77.5:8000",)


@pytest.mark.parametrize("tunnel", [VPN, WINDOWS_VPN, TAILSCALE])
def test_a_vpn_with_the_default_route_comes_after_the_wifi(tunnel: Interface) -> None:
    laptop = Laptop(tunnel, WIFI, route=tunnel.address)
    assert laptop.addresses().urls == (
        "http://192.168.1.20:8000",
        f"http://{tunnel.address}:8000",
    )


def test_networks_inside_the_machine_come_last() -> None:
    laptop = Laptop(DOCKER, NO_DHCP, HYPER_V, VPN, WIFI)
    assert [
        url.split("/")[-1].rsplit(":", 1)[0] for url in laptop.addresses().urls
    ] == [
        WIFI.address,
        VPN.address,
        DOCKER.address,
        HYPER_V.address,
        NO_DHCP.address,
    ]


def test_another_wifi_changes_the_address_of_a_running_server() -> None:
    laptop = Laptop(WIFI, route=WIFI.address)
    addresses = laptop.addresses()
    assert addresses.url == "http://192.168.1.20:8000"
    laptop.found, laptop.route = (HOTSPOT,), HOTSPOT.address
    assert addresses.url == "http://192.168.77.5:8000"


def test_without_a_network_it_is_this_machine() -> None:
    assert Laptop().addresses().urls == ("http://127.0.0.1:8000",)


def test_ipv6_is_offered_only_where_it_is_listened_on() -> None:
    laptop = Laptop(SIX, WIFI)
    assert laptop.addresses().urls == ("http://192.168.1.20:8000",)
    assert laptop.addresses("::").urls == (
        "http://192.168.1.20:8000",
        "http://[2001:db8::20]:8000",
    )


def test_a_public_address_and_one_interface_are_taken_as_they_are() -> None:
    laptop = Laptop(WIFI)
    public = laptop.addresses("0.0.0.0", "https://x.example/")
    assert public.urls == ("https://x.example",)
    assert public.sockets == ()
    assert laptop.addresses("10.0.0.7").urls == ("http://10.0.0.7:8000",)
    assert laptop.addresses("::1").urls == ("http://[::1]:8000",)


def test_an_address_that_a_phone_has_used_comes_first() -> None:
    laptop = Laptop(WIFI, VPN)
    addresses = laptop.addresses()
    addresses.was_used("evil.example:8000", PHONE)
    addresses.was_used("192.168.1.20:9999", PHONE)
    addresses.was_used("192.168.1.20:8000", WIFI.address)  # the laptop itself
    assert addresses.used == ()
    addresses.was_used("10.8.0.6:8000", PHONE)
    assert addresses.used == ("http://10.8.0.6:8000",)
    assert addresses.url == "http://10.8.0.6:8000"
    laptop.found = (WIFI,)  # the VPN is switched off
    assert addresses.url == "http://192.168.1.20:8000"


def test_what_is_remembered_is_bounded() -> None:
    laptop = Laptop(WIFI)
    addresses = laptop.addresses()
    for number in range(1, 90):
        laptop.found = (Interface("wlan0", f"192.168.1.{number}"),)
        addresses.was_used(f"192.168.1.{number}:8000", PHONE)
    assert len(addresses.used) == 8
    assert addresses.used[0] == "http://192.168.1.89:8000"


def test_the_route_counts_where_the_adapters_cannot_be_listed() -> None:
    assert rank((), "192.168.1.20") == ["192.168.1.20"]


def test_this_machines_own_addresses() -> None:
    found = [one.address for one in interfaces()]
    assert "127.0.0.1" not in found
    assert routed() is None or routed() in found


def test_several_public_addresses_have_a_socket_each_and_the_first_is_for_links() -> (
    None
):
    public = Config(public_url="https://a.example/, https://münchen.example:444")
    addresses = Laptop(WIFI).addresses("0.0.0.0", *public.public_urls)
    assert addresses.url == "https://a.example"
    assert addresses.urls == ("https://a.example", "https://münchen.example:444")
    assert addresses.sockets == (
        "wss://a.example/ws",
        "wss://xn--mnchen-3ya.example:444/ws",
    )


# --- settings that cannot work ----------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"port": 70_000}, "--port 70000 is not a port"),
        ({"port": -1}, "--port -1 is not a port"),
        ({"metrics_port": 99_999}, "--metrics-port 99999 is not a port"),
        ({"public_url": "gaps.example"}, "with its scheme"),
        ({"public_url": "localhost:8333"}, "with its scheme"),
        ({"public_url": "ftp://gaps.example"}, "with its scheme"),
        ({"public_url": "http://[bad"}, "with its scheme"),
        ({"public_url": "http://0.0.0.0:8000"}, "on another device"),
        ({"public_url": "http://[::]:8000"}, "on another device"),
        ({"public_url": "http://[fe80::1%25eth0]:8000"}, "on another device"),
        ({"public_url": "http://192.168.1.300:8000"}, "on another device"),
        ({"public_url": "http://gaps..example"}, "on another device"),
        ({"public_url": "http://gaps example"}, "on another device"),
        ({"public_url": "http://-gaps.example"}, "on another device"),
        ({"public_url": "http://gaps.example:0"}, "on another device"),
        ({"public_url": "http://gaps.example\\room"}, "on another device"),
        ({"public_url": "“http://gaps.example”"}, "with its scheme"),
        ({"origins": ("https://x.example/gaps",)}, "is not an origin"),
        ({"origins": ("x.example",)}, "is not an origin"),
        ({"origins": ("*",)}, "is not an origin"),
        ({"public_url": "http://gaps.example:99999"}, "with its scheme"),
        ({"public_url": "https://x.example/gaps"}, "https://gaps.x.example"),
        ({"public_url": "https://x.example/?a=b"}, "and nothing else"),
        ({"public_url": "https://me:pw@x.example"}, "and nothing else"),
        ({"public_url": "https://a.example,"}, "'' is not an address"),
        ({"public_url": "https://a.example,b.example"}, "with its scheme"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_the_remedy(
    setting: dict[str, object], said: str
) -> None:
    config = dataclasses.replace(Config(), **setting)  # type: ignore[arg-type]
    with pytest.raises(CannotStart) as caught:
        config.check()
    assert said in str(caught.value)


@pytest.mark.parametrize("url", ["https://x.example", "http://x.example:8080/"])
def test_a_plain_public_address_is_taken(url: str) -> None:
    Config(public_url=url, port=0, data=Path("x")).check()


@pytest.mark.parametrize(
    "url",
    ["mqtt://a:b@127.0.0.1:99999", "mqt://alice:TopSecret@h", "mqtt://a:Top#Secret@h"],
)
def test_a_broker_address_that_cannot_be_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BusSettingsError) as caught:
        BrokerAddress.parse(url)
    assert "mqtt://user:password@host" in str(caught.value)
    assert "Secret" not in str(caught.value)


KNOWN = Names(("0.0.0.0", "https://gaps.school.example", "10.0.0.7"), lambda: "Laptop")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000", "192.168.1.20", "[2001:db8::20]:8000", "[::1]",
        "localhost:8000", "room.localhost", "laptop", "laptop:8000", "raspberrypi",
        "laptop.local", "LAPTOP.local:8000", "laptop.fritz.box", "laptop.home.arpa.",
        "gaps.school.example", "GAPS.school.example:443",
    ],
)  # fmt: skip
def test_an_address_or_a_name_of_this_machine_is_known(host: str) -> None:
    assert KNOWN.admits(host)


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "evil.example:8000", "laptop.evil.example", "evil.local",
        "gaps.school.example.evil.example", "127.0.0.1.evil.example", "[", "[::1",
        "evil.example\x00.local", "1.2.3.4.5", "laptop.com",
    ],
)  # fmt: skip
def test_a_name_that_someone_else_may_give_is_not_known(host: str) -> None:
    assert not KNOWN.admits(host)


def test_names_that_are_not_known_are_logged_once_and_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = Names((), lambda: "laptop", logged=2)
    for number in range(9):
        for _ in range(2):
            assert not names.admits(f"{number}.evil.example")
    assert len(caplog.messages) == 2
    assert "--public-url" in caplog.messages[0]


def test_a_machine_with_a_full_name_is_known_by_it() -> None:
    names = Names((), lambda: "gaps.school.example")
    assert names.admits("gaps.school.example:8000")
    assert names.admits("gaps.local")
    assert not names.admits("school.example")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://gaps.example:443", "https://gaps.example"),
        ("http://gaps.example:80/", "http://gaps.example"),
        ("http://gaps.example:", "http://gaps.example"),
        (" HTTP://Gaps.EXAMPLE:8000 ", "http://gaps.example:8000"),
        ("http://gaps.example.", "http://gaps.example"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000"),
        ("http://raspberrypi:8000", "http://raspberrypi:8000"),
        ("http://my_pc.local", "http://my_pc.local"),
    ],
)
def test_an_address_is_compared_as_browsers_write_it(url: str, origin: str) -> None:
    assert web_origin(url) == origin
    Config(public_url=url, origins=(url,), port=0, data=Path("x")).check()


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("https://münchen.example", "xn--mnchen-3ya.example"),
        ("https://gaps.example:443", "gaps.example"),
        ("http://GAPS.example.", "gaps.example:8000"),
    ],
)
def test_a_name_that_was_given_is_known_as_browsers_ask_for_it(
    given: str, asked: str
) -> None:
    assert Names((given,)).admits(asked)
