"""A mapping and a set that say how often they were walked through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class CountedDict(dict[K, V]):
    """A dict that counts how many of its items were walked over."""

    walked = 0

    def __iter__(self) -> Iterator[K]:
        for key in super().__iter__():
            self.walked += 1
            yield key

    def values(self) -> Iterator[V]:  # type: ignore[override] # walked once, in order
        return (self[key] for key in self)

    def items(self) -> Iterator[tuple[K, V]]:  # type: ignore[override] # as above
        return ((key, self[key]) for key in self)
