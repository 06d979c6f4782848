"""Validation that returns its errors: one call for files, sheets and questions."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from scenarios.model import Case, Deck

Item = TypeVar("Item", Case, Deck)


def validate(model: type[Item], raw: object) -> Item | ValidationError:
    """Return the case or deck that these tables are, or what is wrong with them."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        return error
