"""Up to which version an edge has flushed each room: what a reveal waits for.

A flush mark says that all the edge received before it is on its way. It holds once its
own batch and every older one have come: a batch that was lost and comes again has the
same number.
"""

from __future__ import annotations

from server.game.ids import RoomCode


class Flushes:
    """The flush marks of one edge, in one of its runs."""

    def __init__(self) -> None:
        self._heard: set[int] = set()
        self._oldest = 0
        self._marks: dict[RoomCode, tuple[int, int]] = {}
        """Batch and version of each room's latest mark that does not hold yet."""
        self._versions: dict[RoomCode, int] = {}

    def version(self, room: RoomCode) -> int:
        """Return up to which version everything has come; 0 before the first mark."""
        return self._versions.get(room, 0)

    def heard(self, number: int, oldest: int) -> None:
        """A batch has come, whole; all before ``oldest`` are done. Idempotent."""
        if oldest > self._oldest:
            self._oldest = oldest
            self._heard = {one for one in self._heard if one >= oldest}
        if number >= self._oldest:
            self._heard.add(number)
        self._settle()

    def marked(self, room: RoomCode, version: int, number: int) -> None:
        """A flush mark has come in a batch. Idempotent."""
        mark = (number, version)
        self._marks[room] = max(mark, self._marks.get(room, mark))
        self._settle()

    def _settle(self) -> None:
        for room, (number, version) in list(self._marks.items()):
            if all(one in self._heard for one in range(self._oldest, number + 1)):
                del self._marks[room]
                self._versions[room] = max(version, self.version(room))
