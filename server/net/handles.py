"""Open files: a socket is one, and a server that has none left serves nobody."""

from __future__ import annotations

import logging
import resource
from dataclasses import replace

from server.net.gate import TOLD
from server.net.limits import Limits

log = logging.getLogger("twogaps.net")

SPARE = 300
"""Files for the journal, the pages, the broker, and the system's own."""


def fitted(limits: Limits) -> Limits:
    """Raise the process's limit of open files as far as it may; return what fits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return limits
    found = fit(limits, hard)
    if found != limits:
        log.warning(
            "only %d files may be open: at most %d sockets at once (ulimit -n)",
            hard,
            found.sockets,
        )
    return found


def fit(limits: Limits, files: int) -> Limits:
    """Return the limits with no more connections than so many open files allow."""
    if limits.sockets + TOLD + 2 * limits.waiting + SPARE <= files:
        return limits
    waiting = max(1, min(limits.waiting, files // 8))
    sockets = max(1, files - 2 * waiting - min(SPARE + TOLD, files // 4))
    return replace(limits, waiting=waiting, sockets=min(limits.sockets, sockets))
