"""Frames around a report that another process has encoded: nothing is decoded again."""

from __future__ import annotations

import json
from collections.abc import Mapping

MEDIA_TYPES: Mapping[str, str] = {
    "html": "text/html;charset=utf-8",
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


def report_frame(ref: int | None, report: bytes) -> bytes:
    """Return the frame of a ``ReportMessage`` around a report that is JSON already."""
    head = json.dumps({"type": "report", "ref": ref})
    return head[:-1].encode() + b',"report":' + report + b"}"


def file_frame(ref: int | None, name: str, media_type: str, content: bytes) -> bytes:
    """Return the frame of a ``FileMessage`` around a content that is base64 already."""
    head = json.dumps({"type": "file", "ref": ref, "name": name, "media": media_type})
    return head[:-1].encode() + b',"content":"' + content + b'"}'
