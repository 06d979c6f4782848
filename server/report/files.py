"""A report as a file: what the command line writes and what a page offers to save."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.game.state import RoomState
from server.protocol.report_types import Audience
from server.report.across import CannotPool, across, first_sight, pseudonyms_by_name
from server.report.comma_separated import csv_text
from server.report.html_across import across_page
from server.report.html_page import html_page
from server.report.plain_data import json_text
from server.report.report import build_report
from server.report.suppress import for_others
from server.report.table import KEY_BYTES, Row, pseudonyms, table
from server.report.workbook import xlsx_bytes

Form = Literal["html", "csv", "xlsx", "json"]

OTHER_ROOMS = 100
"""How many other stored rooms are looked at for how a twin goes when it comes first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write, and for whom."""

    form: Form
    reader: Audience = "host"
    has_reasons: bool = True
    match_names: bool = False
    """Of several rooms: people of the same name are the same."""


def written(
    states: Sequence[RoomState], others: Sequence[RoomState], wanted: Wanted
) -> bytes:
    """Return the file of one room, or of several together.

    ``others`` are rooms that may tell how a twin goes when it comes first. People get
    pseudonyms from a key that is drawn here and kept nowhere. Raises
    :class:`CannotPool`.
    """
    if len(states) > 1:
        return _together(states, wanted)
    (state,) = states
    found = build_report(state, first_sight(alike(state, others)))
    rows = _rows(states, wanted)
    if wanted.reader == "others":
        found, rows = for_others(found, state.settings.min_cell), []
    match wanted.form:
        case "html":
            return html_page(found).encode()
        case "csv":
            return csv_text(rows).encode()
        case "xlsx":
            return xlsx_bytes(found, rows)
        case "json":
            return json_text(found, rows).encode()


def alike(state: RoomState, others: Sequence[RoomState]) -> list[RoomState]:
    """Return the rooms in which "right" means the same as in this one."""
    return [
        other
        for other in others
        if other.settings.simulated == state.settings.simulated
        and other.settings.two_link == state.settings.two_link
    ]


def _rows(states: Sequence[RoomState], wanted: Wanted) -> list[Row]:
    named = pseudonyms_by_name if wanted.match_names else pseudonyms
    pseudonym = named(secrets.token_bytes(KEY_BYTES))
    return [
        row
        for state in states
        for row in table(state, pseudonym, reasons=wanted.has_reasons)
    ]


def _together(states: Sequence[RoomState], wanted: Wanted) -> bytes:
    if wanted.reader == "others":
        raise CannotPool("Several rooms together are for the host alone.")
    found = across(states, match_names=wanted.match_names)
    match wanted.form:
        case "html":
            return across_page(found).encode()
        case "csv":
            return csv_text(_rows(states, wanted)).encode()
        case "json":
            return json_text(found, _rows(states, wanted)).encode()
        case "xlsx":
            raise CannotPool("XLSX holds one room; write several as html, csv or json.")
