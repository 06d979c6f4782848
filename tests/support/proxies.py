"""Proxies as deploy/ configures them, on ports of the test's own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from server.cli.fleet.proxies import Door, program_of, proxy
from tests.support.broker import free_port
from tests.support.missing import need

Kind = Literal["nginx", "caddy"]
KINDS: tuple[Kind, ...] = ("nginx", "caddy")
DEPLOY = Path(__file__).parent.parent.parent / "deploy"
GUARD_S = 60
NGINX = """daemon off;
{user}pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    {site}
}}
"""
CADDY = "{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}"


class Proxy:
    """A proxy process on this machine."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        """``command`` starts it, and it listens on ``port``."""
        self.port = port
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._log = log

    @classmethod
    def of_server(cls, kind: Kind, folder: Path, upstream: int) -> Proxy:
        """Return one in front of a server; ``folder`` has cert.pem and key.pem."""
        folder.chmod(0o755)
        port = free_port()
        make = _nginx if kind == "nginx" else _caddy
        return cls(make(folder, port, upstream), port, folder / "proxy.log")

    @classmethod
    def of_fleet(cls, kind: str, folder: Path, nodes: Sequence[int]) -> Proxy:
        """Return one in front of nodes; ``folder`` has cert.pem and key.pem."""
        need(program_of(kind), f"{kind} (apt-get install {kind})")
        folder.chmod(0o755)
        addresses = [f"127.0.0.1:{port}" for port in nodes]
        tls = (folder / "cert.pem", folder / "key.pem")
        door = Door(free_port(), addresses, "localhost", tls)
        made = proxy(kind, folder / kind, door)
        return cls(made.command, door.port, folder / "proxy.log")

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        home = {**os.environ, "HOME": str(self._log.parent)}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdout=log,
                stderr=log,
                env=home,
            )
        async with asyncio.timeout(GUARD_S):
            while True:
                assert self._process.returncode is None, self._log.read_text()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def stop(self) -> None:
        """Stop it."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGTERM)
            await self._process.wait()


def _replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Replace what an operator would change; each has to be there."""
    for old, new in pairs:
        assert old in text, f"deploy/ has no {old!r} any more"
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, port: int, upstream: int) -> list[str]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    need(program, "nginx (apt-get install nginx)")
    plain = free_port()
    site = _replaced(
        (DEPLOY / "nginx.conf").read_text(),
        ("listen 443 ssl;", f"listen {port} ssl;"),
        ("    listen [::]:443 ssl;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("    listen [::]:80;\n", ""),
        ("gaps.school.example", "localhost"),
        ("/etc/ssl/gaps/fullchain.pem", str(folder / "cert.pem")),
        ("/etc/ssl/gaps/privkey.pem", str(folder / "key.pem")),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    path = folder / "nginx-main.conf"
    path.write_text(NGINX.format(folder=folder, site=site, user=user))
    return [str(program), "-p", str(folder), "-c", str(path)]


def _caddy(folder: Path, port: int, upstream: int) -> list[str]:
    program = shutil.which("caddy")
    need(program, "caddy (apt-get install caddy)")
    site = _replaced(
        (DEPLOY / "Caddyfile").read_text(),
        (
            "gaps.school.example {",
            f"https://localhost:{port}, https://127.0.0.1:{port} {{\n"
            f"\ttls {folder}/cert.pem {folder}/key.pem",
        ),
        ("reverse_proxy 127.0.0.1:8000", f"reverse_proxy 127.0.0.1:{upstream}"),
    )
    path = folder / "Caddyfile"
    path.write_text(CADDY.format(site=site))
    return [str(program), "run", "--config", str(path), "--adapter", "caddyfile"]
