"""The proxy in front of the nodes, configured by its file in ``deploy/fleet``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server.cli.fleet.parts import HERE, PROXY_RANK, Program, template
from server.folder import CannotStart

PROXIES = {"haproxy": "haproxy.cfg", "caddy": "Caddyfile", "nginx": "nginx.conf"}
"""The file in ``deploy/fleet`` by program. The first installed program is used."""

EXAMPLES = ("10.0.0.11:8000", "10.0.0.12:8000", "10.0.0.13:8000")
"""The nodes in those files."""

EXAMPLE_NAME = "gaps.school.example"
TLS_ONLY = "# TLS"
"""Marks the end of lines that are left out without a certificate."""

_NGINX_MAIN = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
{site}}}
"""
_HAPROXY_BIND = "bind :443 ssl crt /etc/haproxy/gaps.pem alpn http/1.1"
_CADDY_MAIN = "{{\n\tadmin off\n\tauto_https {https}\n}}\n{site}"


@dataclass(frozen=True, slots=True)
class Door:
    """Where a proxy listens, and the nodes behind it."""

    port: int
    nodes: Sequence[str]
    """HOST:PORT of each node."""
    name: str = HERE
    """The host name in the proxy's URL."""
    tls: tuple[Path, Path] | None = None
    """The certificate chain and its key; None means plain HTTP, only on loopback."""


def installed_proxy(wanted: str | None = None) -> str:
    """Return the proxy to use. Raises :class:`CannotStart` if there is none."""
    if wanted is not None and wanted not in PROXIES:
        raise CannotStart(f"--proxy '{wanted}' is not one of {', '.join(PROXIES)}.")
    for kind in PROXIES if wanted is None else (wanted,):
        if program_of(kind):
            return kind
    what = wanted or "No proxy (haproxy, caddy or nginx)"
    raise CannotStart(
        f"{what} is {'not ' if wanted else ''}installed. On Debian or Ubuntu: "
        f"sudo apt-get install {wanted or 'haproxy'}."
    )


def proxy(kind: str, folder: Path, door: Door) -> Program:
    """Return an installed proxy, with its file edited as an operator would do it."""
    folder.mkdir(exist_ok=True)
    site = _with_nodes(template(PROXIES[kind]), door)
    path = folder / PROXIES[kind]
    arguments = {
        "nginx": ("-p", str(folder), "-c", str(path)),
        "caddy": ("run", "--adapter", "caddyfile", "--config", str(path)),
        "haproxy": ("-db", "-f", str(path)),
    }[kind]
    if kind == "caddy":
        text = _caddy(site, door)
    else:
        text = (_nginx if kind == "nginx" else _haproxy)(site, door, folder)
    path.write_text(text, encoding="utf-8")
    environment = {**os.environ, "HOME": str(folder)}
    command = (program_of(kind) or kind, *arguments)
    return Program(kind, command, PROXY_RANK, environment)


def program_of(name: str) -> str | None:
    """Return the path of a program; system programs are not on every user's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _with_nodes(text: str, door: Door) -> str:
    """Insert the nodes and the name, and leave out lines that only TLS needs."""
    if door.tls is not None:  # the redirect from port 80 needs root
        text = text.replace(f"    bind :80 {TLS_ONLY}\n", "")
    lines: list[str] = []
    for line in text.splitlines():
        if " ".join(EXAMPLES) in line:
            lines.append(line.replace(" ".join(EXAMPLES), " ".join(door.nodes)))
        elif EXAMPLES[0] in line:
            for number, address in enumerate(door.nodes, 1):
                named = line.replace("node-1", f"node-{number}")
                lines.append(named.replace(EXAMPLES[0], address))
        elif not any(example in line for example in EXAMPLES):
            lines.append(line)
    if door.tls is None:
        lines = [line for line in lines if not line.rstrip().endswith(TLS_ONLY)]
    return "\n".join(lines).replace(EXAMPLE_NAME, door.name) + "\n"


def _nginx(site: str, door: Door, folder: Path) -> str:
    site = site[: site.index("# Without TLS")]  # its second server is for port 80
    site = _changed(site, "listen 443 ssl;", _nginx_listens(door))
    if door.tls is not None:
        chain, key = door.tls
        site = _changed(site, "listen [::]:443 ssl;", "")
        site = _changed(site, "/etc/ssl/gaps/fullchain.pem", str(chain))
        site = _changed(site, "/etc/ssl/gaps/privkey.pem", str(key))
    return _NGINX_MAIN.format(folder=folder, site=site)


def _nginx_listens(door: Door) -> str:
    if door.tls is None:
        return f"listen {HERE}:{door.port};"
    return f"listen {door.port} ssl;"


def _caddy(site: str, door: Door) -> str:
    if door.tls is None:
        address = f"http://{HERE}:{door.port} {{\n\tbind {HERE}"
        main = _CADDY_MAIN.format(https="off", site="{site}")
    else:
        chain, key = door.tls
        names = f"https://{door.name}:{door.port}, https://{HERE}:{door.port}"
        address = f"{names} {{\n\ttls {chain} {key}"
        main = _CADDY_MAIN.format(https="disable_redirects", site="{site}")
    return main.replace("{site}", _changed(site, f"{door.name} {{", address))


def _haproxy(site: str, door: Door, folder: Path) -> str:
    listen = f"bind {HERE}:{door.port}"
    if door.tls is not None:
        chain, key = door.tls
        both = folder / "both.pem"
        both.touch(mode=0o600)
        both.write_bytes(chain.read_bytes() + key.read_bytes())
        listen = f"bind :{door.port} ssl crt {both} alpn http/1.1"
    return _changed(site, _HAPROXY_BIND, listen)


def _changed(text: str, old: str, new: str) -> str:
    """Replace a text that an operator would change; raise LookupError without it."""
    if old not in text:
        raise LookupError(f"deploy/fleet no longer contains {old!r}")
    return text.replace(old, new)
