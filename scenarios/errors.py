"""What can go wrong when cases are asked for. Imports nothing."""

from __future__ import annotations


class ScenarioError(Exception):
    """Base of every error raised by this package; its text is fit for a person."""


class UnknownCase(ScenarioError):  # noqa: N818 - read as sentences
    """No case of that id in the library; ``close`` holds the ids most like it."""

    def __init__(self, case_id: str, close: tuple[str, ...] = ()) -> None:
        self.case_id = case_id
        self.close = close
        super().__init__(_unknown("case", case_id, close))


class UnknownDeck(ScenarioError):  # noqa: N818 - read as sentences
    """No deck of that id in the library; ``close`` holds the ids most like it."""

    def __init__(self, deck_id: str, close: tuple[str, ...] = ()) -> None:
        self.deck_id = deck_id
        self.close = close
        super().__init__(_unknown("deck", deck_id, close))


class NothingToPlay(ScenarioError):  # noqa: N818 - read as sentences
    """A deck from which no round can be made with the settings asked for."""

    def __init__(self, deck_id: str, why: str) -> None:
        self.deck_id = deck_id
        super().__init__(f"deck '{deck_id}' gives no round to play: {why}")


def _unknown(what: str, name: str, close: tuple[str, ...]) -> str:
    said = f"there is no {what} '{name}'"
    if not close:
        return said
    return f"{said}; did you mean {' or '.join(repr(each) for each in close)}?"
