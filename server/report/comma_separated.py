"""The research table as CSV, in the form that spreadsheets open without harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple

from server.report.table import COLUMNS, Row, Value

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Sequence[Row]) -> str:
    """Return the table as CSV (RFC 4180), with a byte order mark for spreadsheets.

    Text that a spreadsheet would take for a formula gets an apostrophe before it
    (OWASP, CSV injection); a text that begins with apostrophes gets one more, so that
    taking one away always gives back what was typed.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in astuple(row)] for row in rows)
    return "\ufeff" + out.getvalue()


def _cell(value: Value) -> Value:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith((*_FORMULA, "'")):
        return f"'{value}"
    return value
