"""Commands for cases and decks: list, check, write, export and import them."""

from server.cli.cases.authoring import lint_cases, new_case, preview_case
from server.cli.cases.exchange import export_cases, import_cases
from server.cli.cases.look import (
    list_cases,
    list_decks,
    show_case,
    show_deck,
    show_stats,
)

__all__ = [
    "export_cases",
    "import_cases",
    "lint_cases",
    "list_cases",
    "list_decks",
    "new_case",
    "preview_case",
    "show_case",
    "show_deck",
    "show_stats",
]
