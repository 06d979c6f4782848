"""``twogaps broker``: the broker between sites, its users and their rights."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from server.cli.broker.folder import NATS_STORE, BrokerFolder
from server.cli.broker.formats import Cluster, Listener
from server.cli.console import fail, out

HELP = (
    "Run the broker that connects sites, and manage who may use it.\n\n"
    "The broker runs on a machine that all sites can reach. There are two ways to run "
    "it:\n\n"
    "[b]twogaps broker run[/] starts the broker that comes with Two Gaps (NATS). It "
    "needs no root access and no configuration, and suits most games: dozens of sites, "
    "thousands of players.\n\n"
    "[b]twogaps broker configure[/] writes the configuration for your own Mosquitto. "
    "Use it if you already run one, or want a system service.\n\n"
    "Either way, [b]twogaps broker add-site NAME[/] lets a site in and prints the "
    "command for it. Other brokers work too (EMQX, HiveMQ, …): docs/cohorts.md lists "
    "the permissions they need."
)

DEFAULT_FOLDER = Path("broker")
PEER_PORT = 6222
"""The default port for connections between the brokers in a cluster."""

FolderOption = Annotated[
    Path, typer.Option("--folder", help="Where the broker's files are.")
]
AddressOption = Annotated[str, typer.Option(help="Interface to listen on.")]
PortOption = Annotated[
    int | None,
    typer.Option(help="Port to listen on: 1883, or 8883 with a certificate."),
]
CertificateOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Certificate (PEM); turns on TLS."),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="The certificate's private key."),
]
NameArgument = Annotated[
    str, typer.Argument(help="Lowercase letters, digits and hyphens.")
]
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the sites are elsewhere; every user has a password


def run(
    folder: FolderOption = DEFAULT_FOLDER,
    address: AddressOption = EVERYWHERE,
    port: PortOption = None,
    certificate: CertificateOption = None,
    private_key: KeyOption = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="Another broker in this one's cluster: HOST or HOST:PORT."),
    ] = None,
    peer_port: Annotated[
        int, typer.Option(help="Port for the other brokers in the cluster.")
    ] = PEER_PORT,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of this broker in its cluster; by default, the machine's name."
        ),
    ] = None,
) -> None:
    """Run the broker that comes with Two Gaps, until it is stopped.

    Three brokers are one cluster if each names the other two with --peer. Copy the
    folder with the sites and cluster.key to each of them first.
    """
    listener = _listener(address, port, certificate, private_key)
    if peer:
        peers = tuple(p if ":" in p else f"{p}:{PEER_PORT}" for p in peer)
        key = BrokerFolder(folder).cluster_key()
        member = Cluster(name or socket.gethostname(), peer_port, peers, key)
        listener = replace(listener, cluster=member)
    program = nats_program()
    if program is None:
        raise fail(
            "The broker that comes with Two Gaps is not installed: "
            "pip install 'two-gaps\\[broker]'. Or use your own: "
            "twogaps broker configure."
        )
    broker = BrokerFolder(folder)
    broker.take()
    broker.set_up_nats(listener)
    if listener.cluster is None:  # in a cluster, the others rely on its data
        shutil.rmtree(folder / NATS_STORE, ignore_errors=True)
    _say_sites(broker)
    out.print(f"Broker on {address}:{listener.port}. Stop it with Ctrl-C.")
    sys.stdout.flush()
    arguments = [program, "--config", str(broker.nats_file)]
    os.execv(program, arguments)  # noqa: S606 - this process becomes the broker


def configure(
    folder: FolderOption = DEFAULT_FOLDER,
    address: AddressOption = EVERYWHERE,
    port: PortOption = None,
    certificate: CertificateOption = None,
    private_key: KeyOption = None,
) -> None:
    """Write a configuration for Mosquitto that admits only the sites that you add."""
    broker = BrokerFolder(folder)
    broker.set_up_mosquitto(_listener(address, port, certificate, private_key))
    out.print(f"Wrote {broker.mosquitto_file}.", soft_wrap=True)
    out.print(f"  mosquitto -c {broker.mosquitto_file}", soft_wrap=True)


def add_site(
    name: NameArgument,
    home: Annotated[
        bool, typer.Option("--home", help="The site may also open rooms for others.")
    ] = False,
    folder: FolderOption = DEFAULT_FOLDER,
    address: Annotated[
        str, typer.Option(help="The address at which the site reaches the broker.")
    ] = "BROKER",
    tls: Annotated[
        bool, typer.Option("--tls", help="The broker uses TLS (mqtts).")
    ] = False,
) -> None:
    """Add a site with a random password and its permissions; print its command."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", name):
        raise fail(
            f"'{name}' is not a valid site name. Use lowercase letters, digits and "
            "hyphens."
        )
    broker = BrokerFolder(folder)
    if any(site.name == name for site in broker.sites()):
        raise fail(
            f"Site '{name}' already exists. For a new password, run twogaps broker "
            f"remove-site {name} and add it again."
        )
    password = broker.add(name, is_home=home)
    _reload(broker)
    scheme = "mqtts" if tls else "mqtt"
    url = f"{scheme}://{name}:{password}@{address}"
    own = (
        " (and add --broker-ca FILE if you use your own certificate authority)"
        if tls
        else ""
    )
    out.print(f"Site {name} may now connect. On its machine, run{own}:", soft_wrap=True)
    command = f"twogaps serve --site {name} --broker {url}"
    out.print(f"  {command}", highlight=False, soft_wrap=True)


def remove_site(name: NameArgument, folder: FolderOption = DEFAULT_FOLDER) -> None:
    """Remove a site's user and permissions."""
    broker = BrokerFolder(folder)
    if not broker.remove(name):
        raise fail(f"There is no site '{name}' in {folder}.")
    _reload(broker)
    out.print(f"Site {name} can no longer connect.")


def list_sites(folder: FolderOption = DEFAULT_FOLDER) -> None:
    """List the sites that may connect."""
    _say_sites(BrokerFolder(folder))


def _listener(
    address: str, port: int | None, certificate: Path | None, key: Path | None
) -> Listener:
    if (certificate is None) != (key is None):
        raise fail("TLS needs both --certificate and --private-key.")
    usual = 1883 if certificate is None else 8883
    return Listener(address, port or usual, certificate, key)


def nats_program() -> str | None:
    """Return the path of NATS in our Python environment, or else the system's."""
    beside = Path(sys.executable).parent
    return shutil.which("nats-server", path=str(beside)) or shutil.which("nats-server")


def _say_sites(broker: BrokerFolder) -> None:
    found = broker.sites()
    for site in found:
        note = " (home: may open rooms for others)" if site.is_home else ""
        out.print(f"  {site.name}{note}", highlight=False)
        if site.nats is None:
            out.print(
                "    added without the 'broker' extra, so only Mosquitto knows it. To "
                "use the broker that comes with Two Gaps, remove the site and add it "
                "again."
            )
    if not found:
        out.print(
            "No site may connect yet. Add one: twogaps broker add-site NAME [--home]"
        )


def _reload(broker: BrokerFolder) -> None:
    """Make a broker that runs here reload its files (not possible on Windows)."""
    if sys.platform == "win32":
        out.print(
            "If a broker is running here, restart it: it reads its files only at "
            "startup."
        )
        return
    try:
        told = broker.reload()
    except PermissionError:
        pid_file = broker.path / "mosquitto.pid"
        out.print(
            "The broker runs as another user. To make it reload its files: sudo kill "
            f"-HUP $(cat {pid_file})",
            soft_wrap=True,
        )
        return
    for program in told:
        out.print(f"The running {program} has reloaded its files.")
