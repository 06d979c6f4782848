"""The views of one role, by version: an older one never replaces a newer one."""

from __future__ import annotations

from typing import Generic, TypeVar

from client.latest import Latest

ViewT = TypeVar("ViewT")


class Stage(Generic[ViewT]):
    """The newest view, for whoever follows it."""

    def __init__(self) -> None:
        self.views: Latest[ViewT] = Latest()
        self._version = -1

    def restart(self) -> None:
        """A new socket: whatever comes first on it is the present view."""
        self._version = -1

    def take(self, version: int, view: ViewT, *, is_last: bool) -> None:
        """Take a view; after the closing page no other comes."""
        if version < self._version:
            return
        self._version = version
        self.views.put(view)
        if is_last:
            self.views.close()
