"""Shows our packages the standard library of Windows, on a system that is none.

Only what ``server``, ``client``, ``scenarios`` and ``twogaps`` see is changed, not the
libraries and the tests. For our packages:

- modules and names that Python lacks on Windows are absent (the "Availability: Unix"
  of its documentation), ``sys.platform`` is ``win32`` and ``os.name`` is ``nt``;
- the event loop watches no socket or signal for its user, as the proactor loop;
- a file that is open is neither renamed, replaced nor removed, a rename replaces
  nothing, a folder is not opened, what is open for reading is not synced, and a name
  holds no sign that Windows forbids.

It is not Windows: paths keep their slashes, and consoles, rights and the scheduler are
those of the machine it runs on.
"""

from __future__ import annotations

import asyncio
import builtins
import errno
import fcntl
import io
import os
import selectors
import signal
import socket
import stat
import sys
import time
import warnings
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

HERE = Path(__file__).parent
OURS = ("server", "client", "scenarios", "twogaps")
PASSED_THROUGH = ("pathlib", "shutil", "tempfile", "contextlib", "os", __name__)
"""Modules that act for their callers."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ABSENT_MODULES = _words(
    "curses fcntl grp posix pty pwd readline resource syslog termios tty"
)
ABSENT = {
    "os": _words("""
        chown confstr ctermid eventfd fchdir fchmod fchown fdatasync fork forkpty
        fpathconf fstatvfs getegid geteuid getgid getgroups getloadavg getpgid getpgrp
        getpriority getresgid getresuid getsid getuid initgroups killpg lchown lockf
        major makedev memfd_create minor mkfifo mknod nice openpty pathconf pidfd_open
        posix_fadvise posix_fallocate posix_openpt posix_spawn posix_spawnp pread
        preadv pwrite pwritev readv sched_getaffinity sched_getparam
        sched_setaffinity sched_yield sendfile setegid seteuid setgid setgroups setpgid
        setpriority setsid setuid splice statvfs sync sysconf tcgetpgrp tcsetpgrp
        ttyname uname wait wait3 wait4 waitid writev
        O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_LARGEFILE O_NDELAY O_NOATIME
        O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH O_RSYNC O_SYNC O_TMPFILE
        WEXITSTATUS WIFEXITED WIFSIGNALED WNOHANG WTERMSIG"""
    ),
    "signal": _words("""
        alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt
        sigpending sigtimedwait sigwait sigwaitinfo
        SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGHUP SIGIO SIGIOT SIGKILL SIGPIPE
        SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX SIGRTMIN SIGSTOP SIGSYS SIGTRAP SIGTSTP
        SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ
        SIG_BLOCK SIG_SETMASK SIG_UNBLOCK"""
    ),
    "socket": _words("""
        AF_UNIX AF_NETLINK AF_PACKET MSG_DONTWAIT MSG_NOSIGNAL SCM_RIGHTS
        SO_REUSEPORT TCP_USER_TIMEOUT recv_fds send_fds"""
    ),
    "time": _words("""
        CLOCK_BOOTTIME CLOCK_MONOTONIC CLOCK_MONOTONIC_RAW CLOCK_REALTIME
        clock_getres clock_gettime clock_gettime_ns clock_settime clock_settime_ns
        pthread_getcpuclockid tzset"""
    ),
    "asyncio": _words("""
        FastChildWatcher MultiLoopChildWatcher PidfdChildWatcher SafeChildWatcher
        ThreadedChildWatcher open_unix_connection start_unix_server"""
    ),
    "sys": frozenset({"abiflags"}),
}  # fmt: skip

SHARING_VIOLATION = "The process cannot access the file: another program is using it"
FORBIDDEN = frozenset('<>:"|?*')


class WindowsLoop(asyncio.SelectorEventLoop):
    """An event loop that offers what the proactor loop of Windows offers."""

    add_reader = asyncio.AbstractEventLoop.add_reader
    remove_reader = asyncio.AbstractEventLoop.remove_reader
    add_writer = asyncio.AbstractEventLoop.add_writer
    remove_writer = asyncio.AbstractEventLoop.remove_writer
    add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
    remove_signal_handler = asyncio.AbstractEventLoop.remove_signal_handler
    create_unix_connection = asyncio.AbstractEventLoop.create_unix_connection
    create_unix_server = asyncio.AbstractEventLoop.create_unix_server

    # what the selector loop does with these, the proactor loop does without them
    def _sock_read_done(self, fd: int, _: object, handle: Any = None) -> None:
        if handle is None or not handle.cancelled():
            self._remove_reader(fd)  # type: ignore[attr-defined]

    def _sock_write_done(self, fd: int, _: object, handle: Any = None) -> None:
        if handle is None or not handle.cancelled():
            self._remove_writer(fd)  # type: ignore[attr-defined]


class WindowsSelectorLoop(asyncio.SelectorEventLoop):
    """The other loop of Windows: it watches sockets, and starts no program."""

    add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
    remove_signal_handler = asyncio.AbstractEventLoop.remove_signal_handler
    subprocess_exec = asyncio.AbstractEventLoop.subprocess_exec
    subprocess_shell = asyncio.AbstractEventLoop.subprocess_shell

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())


def _policy() -> asyncio.AbstractEventLoopPolicy:
    class Policy(asyncio.DefaultEventLoopPolicy):
        _loop_factory = WindowsLoop

    return Policy()


class View(ModuleType):
    """A module as our packages see it; all that is set goes to the real one."""

    def __init__(self, real: ModuleType, instead: Mapping[str, object]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__.update(_real=real, _instead=instead, _gone=ABSENT[real.__name__])

    def __getattr__(self, name: str) -> Any:
        if name in self._instead:
            return self._instead[name]
        if name in self._gone:
            raise AttributeError(f"module {self.__name__!r} has no {name!r} on Windows")
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._real, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._real), *self._instead} - self._gone)


VIEWS: dict[str, View] = {
    "os": View(os, {"name": "nt", "O_BINARY": 0}),
    "sys": View(sys, {"platform": "win32"}),
    "signal": View(signal, {"SIGBREAK": signal.SIGUSR2}),
    "socket": View(socket, {"SO_EXCLUSIVEADDRUSE": socket.SO_REUSEADDR}),
    "time": View(time, {}),
    "asyncio": View(
        asyncio,
        {"SelectorEventLoop": WindowsSelectorLoop, "ProactorEventLoop": WindowsLoop},
    ),
}


def imitate() -> None:
    """Show Windows to our packages, which must not be imported yet. Idempotent."""
    if hasattr(builtins.__import__, "is_of_windows"):
        return
    early = [name for name in sys.modules if name.partition(".")[0] in OURS]
    assert not early, f"imported before Windows was imitated: {early}"
    _hide_modules()
    _guard_files()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # policies, from 3.14 on
        asyncio.set_event_loop_policy(_policy())


def imitate_in_children(environment: MutableMapping[str, str]) -> None:
    """Let the Python programs that are started with an environment see Windows too."""
    before = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE), before)))


def _is_ours(scope: Mapping[str, Any] | None) -> bool:
    scope = scope or {}
    package = scope.get("__package__") or scope.get("__name__") or ""
    return package.partition(".")[0] in OURS


def _hide_modules() -> None:
    real_import = builtins.__import__

    def imported(
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - as __import__ has it
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        is_ours = level == 0 and _is_ours(globals)
        if is_ours and name.partition(".")[0] in ABSENT_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = real_import(name, globals, locals, fromlist or (), level)
        return VIEWS.get(module.__name__, module) if is_ours else module

    imported.is_of_windows = True  # type: ignore[attr-defined]
    builtins.__import__ = imported  # type: ignore[assignment]


# --- files ---------------------------------------------------------------------------


def _asked_by_us() -> bool:
    """Whether the call comes from our code, also by way of pathlib and its like."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in PASSED_THROUGH:
            return _is_ours(frame.f_globals)
        frame = frame.f_back
    return False


def _is_open(path: Any, dir_fd: int | None = None) -> bool:
    """Whether this process has a file open, which Windows then locks in its place."""
    at = os.fsdecode(path)
    if dir_fd is not None:
        at = str(Path(os.readlink(f"/proc/self/fd/{dir_fd}")) / at)
    try:
        wanted = os.lstat(at)
    except OSError:
        return False
    if not stat.S_ISREG(wanted.st_mode):
        return False
    for fd in os.listdir("/proc/self/fd"):
        try:
            found = os.fstat(int(fd))
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False


def _refuse_open(*paths: Any, dir_fd: int | None = None) -> None:
    for path in paths:
        if _is_open(path, dir_fd):
            raise PermissionError(errno.EACCES, SHARING_VIOLATION, str(path))


def _guard_files() -> None:
    real = {name: getattr(os, name) for name in ("rename", "replace", "unlink", "open")}
    real_fsync, real_mkdir, real_io_open = os.fsync, os.mkdir, io.open

    def rename(source: Any, target: Any, **more: Any) -> None:
        if _asked_by_us():
            _refuse_open(source)
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, "The file exists", str(target))
        real["rename"](source, target, **more)

    def replace(source: Any, target: Any, **more: Any) -> None:
        if _asked_by_us():
            _refuse_open(source, target)
        real["replace"](source, target, **more)

    def unlink(path: Any, *, dir_fd: int | None = None) -> None:
        if _asked_by_us():
            _refuse_open(path, dir_fd=dir_fd)
        real["unlink"](path, dir_fd=dir_fd)

    def open_(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if _asked_by_us():
            _refuse_name(path)
            is_ours = _is_ours(sys._getframe(1).f_globals)  # rmtree opens folders here
            if is_ours and os.path.isdir(path):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return int(real["open"](path, flags, *more, **named))

    def fsync(fd: int) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        if _asked_by_us():
            mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
            if mode == os.O_RDONLY:
                raise OSError(errno.EBADF, "Bad file descriptor")
        real_fsync(fd)

    def mkdir(path: Any, *more: Any, **named: Any) -> None:
        if _asked_by_us():
            _refuse_name(path)
        real_mkdir(path, *more, **named)

    def io_open(file: Any, *more: Any, **named: Any) -> Any:
        if not isinstance(file, int) and _asked_by_us():
            _refuse_name(file)
        return real_io_open(file, *more, **named)

    changes: dict[str, Callable[..., Any]] = {
        "rename": rename, "replace": replace, "unlink": unlink, "remove": unlink,
        "open": open_, "fsync": fsync, "mkdir": mkdir,
    }  # fmt: skip
    for name, change in changes.items():
        setattr(os, name, change)
    io.open = builtins.open = io_open


def _refuse_name(path: Any) -> None:
    """Refuse what Windows cannot name: a sign that it forbids, or an end in a dot."""
    try:
        name = os.path.basename(os.fsdecode(path).rstrip("/"))
    except TypeError:
        return
    if FORBIDDEN & set(name) or (name.strip(".") and name[-1] in ". "):
        raise OSError(errno.EINVAL, "The filename syntax is incorrect", str(path))
