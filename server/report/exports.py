"""Reports as files, for the command line to write and for pages to download."""

from __future__ import annotations

import csv
import io
import json
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from server.game.errors import Sentence
from server.game.state import RoomState
from server.protocol.report_types import Audience, Report
from server.report.across import Across, across, first_sight, pseudonyms_by_name
from server.report.report import CannotReport, build_report, for_others
from server.report.table import (
    COLUMNS,
    DICTIONARY,
    KEY_BYTES,
    Row,
    Value,
    pseudonyms,
    table,
)
from server.report.workbook import xlsx_bytes

Form = Literal["html", "csv", "xlsx", "json"]

OTHER_ROOMS = 100
"""The maximum number of other rooms searched for answers to a twin that came first."""

FORMAT = 1
"""Version of the JSON file, incremented when the meaning of a key changes."""

TEMPLATE = (
    Path(__file__).resolve().parents[2]
    / "client"
    / "web"
    / "dist"
    / "saved-report.template"
)
"""The report page as one file without its figures; written by the web build."""

_PARTS = {field.name for field in fields(Sentence)}

_PLACE = '"HELD"'
"""The placeholder in the template that is replaced with the figures."""

_NOT_BUILT = (
    "The HTML report needs the web pages, which are not built in this copy. "
    "Install with Node.js 20 or later and without TWOGAPS_SKIP_WEB, "
    "or write csv, xlsx or json."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write, and for which audience."""

    form: Form
    reader: Audience = "host"
    has_reasons: bool = True
    match_names: bool = False
    """Whether people with the same name in several rooms are the same person."""
    semicolons: bool = False
    """Whether CSV is for spreadsheets that use a decimal comma."""


def written(
    states: Sequence[RoomState], others: Sequence[RoomState], wanted: Wanted
) -> bytes:
    """Return the file for one room, or for several rooms together.

    ``others`` are rooms in which people may have answered a twin as their first case.
    Pseudonyms are derived from a random key that is never stored. Raises
    :class:`CannotReport` if the file cannot be made.
    """
    if len(states) > 1:
        return _together(states, wanted)
    (state,) = states
    sight = first_sight(alike(state, others))
    found = build_report(state, sight, sentences=wanted.has_reasons)
    rows = _rows(states, wanted)
    if wanted.reader == "others":
        found, rows = for_others(found, state.settings.min_cell), []
    match wanted.form:
        case "html":
            return html_text(found).encode()
        case "csv":
            return csv_text(rows, semicolons=wanted.semicolons).encode()
        case "xlsx":
            return xlsx_bytes(found, rows)
        case "json":
            return json_text(found, rows).encode()


def _together(states: Sequence[RoomState], wanted: Wanted) -> bytes:
    if wanted.reader == "others":
        raise CannotReport("A report on several rooms is only for the host.")
    found = across(states, match_names=wanted.match_names)
    match wanted.form:
        case "html":
            return html_text(found).encode()
        case "csv":
            rows = _rows(states, wanted)
            return csv_text(rows, semicolons=wanted.semicolons).encode()
        case "json":
            return json_text(found, _rows(states, wanted)).encode()
        case "xlsx":
            raise CannotReport(
                "XLSX holds one room; write several as html, csv or json."
            )


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


# --- HTML: the web report with its figures in it -------------------------------------


def html_text(found: Report | Across, template: Path | None = None) -> str:
    """Return the web report as one file that can be opened offline.

    ``template`` is the built page without figures (default: the one installed here).
    Raises :class:`CannotReport` if the web pages are not built.
    """
    try:
        page = (template or TEMPLATE).read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise CannotReport(_NOT_BUILT) from exc
    head, place, tail = page.partition(_PLACE)
    if not place or _PLACE in tail:
        raise CannotReport("The web pages are from another version: rebuild them.")
    held = json.dumps({_kind(found): asdict(found)}, allow_nan=False)
    return head + held.replace("<", r"\u003c") + tail


def _kind(found: Report | Across) -> str:
    return "report" if isinstance(found, Report) else "across"


# --- CSV: the research table, safe to open in a spreadsheet --------------------------

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{MINUS SIGN}")


def csv_text(rows: Sequence[Row], *, semicolons: bool = False) -> str:
    """Return the table as CSV (RFC 4180), with a byte order mark for spreadsheets.

    Text that a spreadsheet would interpret as a formula is prefixed with an apostrophe
    (OWASP, CSV injection), even if its first sign is full-width. Text that already
    begins with an apostrophe gets another one, so that removing one always restores
    what was typed. With ``semicolons``, cells are separated by semicolons and numbers
    have a decimal comma.
    """
    out = io.StringIO()
    separator = ";" if semicolons else ","
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [_cell(value) for value in astuple(row)]
        writer.writerow([_comma(cell) for cell in cells] if semicolons else cells)
    return "\ufeff" + out.getvalue()


def _cell(value: Value) -> Value:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        first = unicodedata.normalize("NFKC", value[:1])
        return f"'{value}" if first.startswith((*_FORMULA, "'")) else value
    return value


def _comma(value: Value) -> Value:
    return str(value).replace(".", ",") if isinstance(value, float) else value


# --- JSON: plain data, one document --------------------------------------------------


def json_text(found: Report | Across, rows: Sequence[Row]) -> str:
    """Return report, answers and data dictionary as JSON (UTF-8, two-space indent).

    A figure is {value, low, high, n}, or {why, n, count} if n is too small to show it.
    """
    document = {
        "format": FORMAT,
        _kind(found): _in_english(asdict(found)),
        "answers": [asdict(row) for row in rows],
        "dictionary": DICTIONARY,
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _in_english(value: object) -> object:
    """Return plain data with each sentence replaced by its text."""
    if isinstance(value, dict):
        if value.keys() == _PARTS:
            return value["text"]
        return {key: _in_english(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_in_english(part) for part in value]
    return value
