"""The report and the research table as JSON: plain data, one document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from server.protocol.report_types import Report
from server.report.across import Across
from server.report.table import DICTIONARY, Row

FORMAT = 1
"""Grows when a key changes its meaning."""


def json_text(report: Report | Across, rows: Sequence[Row]) -> str:
    """Return report, answers and data dictionary as JSON (UTF-8, two-space indent).

    A figure is {value, low, high, n}; one that n cannot carry is {why, n, count}.
    """
    kind = "report" if isinstance(report, Report) else "across"
    document = {
        "format": FORMAT,
        kind: asdict(report),
        "answers": [asdict(row) for row in rows],
        "dictionary": DICTIONARY,
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
