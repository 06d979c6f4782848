"""Start ``twogaps``, unless other code has taken the place of its packages.

Nothing but ``sys`` and ``os`` is imported at module level: both are loaded when Python
starts, so a file in the current folder cannot shadow them.
"""

from __future__ import annotations

import os
import sys

PACKAGES = ("server", "client", "scenarios")
ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
REMEDY = (
    "Run Two Gaps in an environment of its own: uvx two-gaps; or: python3 -m venv gaps "
    "&& gaps/bin/pip install two-gaps."
)


REPORT_WORKER = "--report-worker"
"""First word of a frozen program that starts itself to make a report."""


def main() -> None:
    """Run the program; exit with status 1 and one line if a package is not ours."""
    open_missing_streams()
    if is_frozen():
        run_frozen()
        return
    leave_current_folder()
    ignore_early_hangup()
    culprit = find_culprit()
    if culprit is not None:
        sys.stderr.write(f"twogaps: {culprit}. {REMEDY}\n")
        sys.exit(1)
    from server.cli import main as run

    run()


def is_frozen() -> bool:
    """Whether this is the one-file program, which holds Python and the packages."""
    return bool(getattr(sys, "frozen", False))


def run_frozen() -> None:
    """Run the one-file program: without arguments, as by a double click, it plays."""
    restore_library_path()
    if sys.argv[1:2] == [REPORT_WORKER]:
        from server.report.worker import main as work

        sys.exit(work())
    is_clicked = len(sys.argv) == 1
    if is_clicked:
        sys.argv.append("play")
    ignore_early_hangup()
    from server.cli import main as run

    try:
        run()
    except SystemExit as ended:
        if ended.code and is_clicked and sys.platform == "win32" and sys.stdin.isatty():
            input("Press Enter to close this window.")  # or no one could read why
        raise


def restore_library_path() -> None:
    """Let programs that this one starts, such as a browser, use their own libraries.

    The loader of the one-file program puts its folder first, and keeps what was there.
    """
    for name in ("LD_LIBRARY_PATH", "LIBPATH"):
        before = os.environ.pop(f"{name}_ORIG", None)
        if before is not None:
            os.environ[name] = before
        elif name in os.environ:
            del os.environ[name]


def open_missing_streams() -> None:
    """Open the null device if stdin, stdout or stderr is closed.

    Otherwise ``sys.stdin`` is None, and the journal could get the number of stdout.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
            setattr(sys, name, stream)


def ignore_early_hangup() -> None:
    """Let a server that is still starting survive a hangup, such as a renewal hook's.

    The running server decides what a hangup means.
    """
    import signal

    if sys.argv[1:2] == ["serve"] and sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def leave_current_folder() -> None:
    """Import nothing from the current folder, unless the program itself is there.

    ``python -m`` and an empty entry of PYTHONPATH put it before the standard library,
    where a ``random.py`` or ``server.py`` would be imported.
    """
    try:
        here = os.path.realpath(os.getcwd())
    except FileNotFoundError:  # the folder was removed
        return
    if here == ROOT:
        return
    library = os.path.dirname(os.__file__)
    end = sys.path.index(library) if library in sys.path else 1
    kept = [path for path in sys.path[:end] if os.path.realpath(path) != here]
    sys.path[:end] = kept


def find_culprit() -> str | None:
    """Return what has taken the place of our code; None if all of it is ours."""
    return _changed_file() or _foreign_package()


def _foreign_package() -> str | None:
    """Look where each package would be imported from; import none of them."""
    from importlib.util import find_spec

    for name in PACKAGES:
        ours = os.path.join(ROOT, name, "__init__.py")
        spec = find_spec(name)
        origin = spec.origin if spec is not None else None
        if origin is None or os.path.realpath(origin) != ours:
            if origin is None:
                return f"{ours} is missing; another package may have removed it"
            return f"'import {name}' finds {origin} instead of {ours}"
    return None


def _changed_file() -> str | None:
    """Compare our files with the sizes that the installer recorded.

    A checkout has no record. A file that was edited by hand is accepted: it counts only
    if another distribution says that it installed it.
    """
    import csv
    from pathlib import Path

    root = Path(ROOT)
    for record in root.glob("two_gaps-*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.reader(lines) if len(row) == 3]
        for name, _, size in rows:
            if name.partition("/")[0] not in PACKAGES or not size:
                continue
            path = root / name
            if not path.is_file():
                return f"the file {path} is missing"
            if path.stat().st_size != int(size):
                other = _installer_of(name, record.parent)
                if other is not None:
                    return f"the file {path} was overwritten by '{other}'"
    return None


def _installer_of(name: str, ours: os.PathLike[str]) -> str | None:
    """Return the distribution, other than ours, that lists a file as its own."""
    from pathlib import Path

    for record in Path(ROOT).glob("*.dist-info/RECORD"):
        if record.parent == ours:
            continue
        if f"\n{name}," in "\n" + record.read_text(encoding="utf-8"):
            return record.parent.name.partition("-")[0]
    return None


if __name__ == "__main__":
    main()
