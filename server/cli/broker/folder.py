"""A broker's folder: its sites, and the configuration files generated from them.

``sites.json`` is the source; the other files are generated from it and may be deleted.
This module does not start a broker.
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
"""The folder for NATS's data while it is running. NATS can start without it."""

CLUSTER_KEY = "cluster.key"
"""The file with the password that the brokers in a cluster share."""

LOCK = "broker.lock"
"""The lock file of the broker that is running in the folder."""

PROGRAMS = {"mosquitto.pid": "mosquitto", "nats.pid": "nats-server"}
"""The program to which each PID file belongs."""

NATS_ROUNDS = 4
"""bcrypt's lowest cost. It is enough because our passwords are random, and every
reconnect pays for it."""


class BrokerFolder:
    """A folder with the sites and the configurations generated from them."""

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
        """Add a site; return its new password, of which only hashes are stored."""
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
        """Remove a site; return False if there is none with this name."""
        sites = self.sites()
        left = [site for site in sites if site.name != name]
        self.write(left)
        return len(left) < len(sites)

    def write(self, sites: list[Site] | None = None) -> None:
        """Write the sites, and generate each broker's files from them."""
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
        """The path of NATS's configuration."""
        return self.path / "nats.conf"

    @property
    def mosquitto_file(self) -> Path:
        """The path of Mosquitto's configuration."""
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
        cluster = kept.get("cluster")  # missing in files from earlier versions
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
        """Return the cluster's password, which all its brokers' folders share."""
        path = self.path / CLUSTER_KEY
        if not path.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            _put(path, secrets.token_urlsafe(18) + "\n")
        return path.read_text(encoding="utf-8").strip()

    # --- a running broker ------------------------------------------------------------

    def take(self) -> None:
        """Lock this folder against other brokers until this process ends.

        Call this before changing anything in the folder. The lock survives when this
        process executes the broker. If a broker is running here or the folder cannot be
        locked, raises :class:`CannotStart` and changes nothing.
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
        """Make brokers that run here reload their files; return their programs.

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
    """Replace a file atomically, keeping its owner and group; only the owner may read.

    A file that already has this text is not touched: it may be mounted in a container.
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
    """Return the process ID in a file, if that process is still this program."""
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
