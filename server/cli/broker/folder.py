"""The folder of a broker: its sites, and what is written from them for each broker.

``sites.json`` is the source; the other files are written from it and may be deleted.
Nothing here starts a broker.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from filelock import lock_descriptor

from server.cli.broker.formats import (
    Cluster,
    Listener,
    Site,
    mosquitto_conf,
    nats_conf,
    password_file,
    password_hash,
    rights_file,
)
from server.folder import CannotStart

NATS_STORE = "nats-store"
"""What NATS keeps while it is running; it starts without it."""

CLUSTER_KEY = "cluster.key"
"""The password by which the brokers of a cluster know each other."""

LOCK = "broker.lock"
"""Held by the broker that runs in the folder."""

PROGRAMS = {"mosquitto.pid": "mosquitto", "nats.pid": "nats-server"}
"""Which program a file with a process id belongs to."""

NATS_ROUNDS = 4
"""bcrypt's least cost: our passwords are random, and every reconnect pays for it."""


class BrokerFolder:
    """One folder of sites and of the configurations written from them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sites = path / "sites.json"

    def sites(self) -> list[Site]:
        """Return the sites that may connect, in the order they were added."""
        if not self._sites.exists():
            return []
        known = self._sites.read_text(encoding="utf-8")
        return [Site(**site) for site in json.loads(known)]

    def add(self, name: str, *, is_home: bool) -> str:
        """Add a site; return its new password, which is kept only as hashes."""
        password = secrets.token_urlsafe(18)
        site = Site(
            name=name,
            is_home=is_home,
            mosquitto=password_hash(password, secrets.token_bytes(12)),
            nats=_nats_hash(password),
        )
        self.write([*self.sites(), site])
        return password

    def remove(self, name: str) -> bool:
        """Take a site's rights away; False if there is none of this name."""
        sites = self.sites()
        left = [site for site in sites if site.name != name]
        self.write(left)
        return len(left) < len(sites)

    def write(self, sites: list[Site] | None = None) -> None:
        """Write the sites, and every broker's files that follow from them."""
        sites = self.sites() if sites is None else sites
        self.path.mkdir(parents=True, exist_ok=True)
        listed = json.dumps([asdict(site) for site in sites], indent=2)
        _put(self._sites, listed + "\n")
        _put(self.path / "passwords", password_file(sites))
        _put(self.path / "rights", rights_file(sites))
        listener = self._nats_listener()
        if listener is not None:
            _put(self.nats_file, nats_conf(self.path, listener, sites))

    # --- the brokers' own files ------------------------------------------------------

    @property
    def nats_file(self) -> Path:
        """Where NATS's configuration is."""
        return self.path / "nats.conf"

    @property
    def mosquitto_file(self) -> Path:
        """Where Mosquitto's configuration is."""
        return self.path / "mosquitto.conf"

    def set_up_nats(self, listener: Listener) -> None:
        """Write NATS's configuration for a listener."""
        self.path.mkdir(parents=True, exist_ok=True)
        kept = {
            "address": listener.address,
            "port": listener.port,
            "certificate": _text(listener.certificate),
            "key": _text(listener.key),
            "cluster": listener.cluster and asdict(listener.cluster),
        }
        _put(self.path / "nats-listener.json", json.dumps(kept, indent=2) + "\n")
        self.write()

    def set_up_mosquitto(self, listener: Listener) -> None:
        """Write Mosquitto's configuration for a listener."""
        self.write()
        _put(self.mosquitto_file, mosquitto_conf(self.path, listener))

    def _nats_listener(self) -> Listener | None:
        path = self.path / "nats-listener.json"
        if not path.exists():
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        cluster = kept.get("cluster")  # not there in those of earlier versions
        return Listener(
            kept["address"],
            kept["port"],
            Path(kept["certificate"]) if kept["certificate"] else None,
            Path(kept["key"]) if kept["key"] else None,
            Cluster(**{**cluster, "peers": tuple(cluster["peers"])})
            if cluster
            else None,
        )

    def cluster_key(self) -> str:
        """Return the password of a cluster, the same in the folders of its brokers."""
        path = self.path / CLUSTER_KEY
        if not path.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            _put(path, secrets.token_urlsafe(18) + "\n")
        return path.read_text(encoding="utf-8").strip()

    # --- a broker that runs ----------------------------------------------------------

    def take(self) -> None:
        """Keep every other broker out of this folder until this process ends.

        Call it before anything in the folder is changed. The lock is kept by the
        program that this process turns into. Raises :class:`CannotStart`, having
        changed nothing, if a broker runs here or the folder cannot be locked.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            is_ours = lock_descriptor(handle, blocking=False)
        except OSError as exc:
            raise CannotStart(
                f"The folder {self.path} cannot be used: {exc.strerror or exc}. "
                "Choose another one with --folder."
            ) from exc
        known = _process(self.path / "nats.pid", PROGRAMS["nats.pid"])
        if not is_ours or known not in (None, os.getpid()):
            os.close(handle)
            who = f" (process {known})" if known else ""
            raise CannotStart(
                f"A broker is already running in {self.path}{who}, and was left "
                "running. Stop it first, or choose another folder with --folder."
            )
        os.set_inheritable(handle, True)

    def reload(self) -> list[str]:
        """Let brokers that run here read their files again; return their programs.

        Raises PermissionError if one runs as another user.
        """
        told: list[str] = []
        for file, program in PROGRAMS.items():
            pid = _process(self.path / file, program)
            if pid is not None and sys.platform != "win32":
                os.kill(pid, signal.SIGHUP)
                told.append(program)
        return told


def _put(path: Path, text: str) -> None:
    """Replace a file as a whole; only its owner reads it. Keeps group and owner.

    One that says so already is left alone: it may be mounted into a container.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    if sys.platform != "win32" and path.exists() and os.geteuid() == 0:
        known = path.stat()
        os.chown(fresh, known.st_uid, known.st_gid)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _nats_hash(password: str) -> str | None:
    try:
        import bcrypt
    except ImportError:
        return None
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(NATS_ROUNDS)).decode()


def _process(file: Path, program: str) -> int | None:
    """Return the process id in a file, if it is still this program's."""
    try:
        pid = int(file.read_text(encoding="ascii"))
        found = subprocess.run(  # noqa: S603 - our own arguments
            ["ps", "-o", "comm=", "-p", str(pid)],  # noqa: S607 - wherever it is
            capture_output=True,
            text=True,
            check=False,
        )
    except (OSError, ValueError):
        return None
    return pid if Path(found.stdout.strip()).name == program else None
