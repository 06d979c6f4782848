"""Run ``twogaps`` in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from server.cli import program

if TYPE_CHECKING:
    from typer.testing import Result


def twogaps(
    *words: object, given: str | None = None, env: Mapping[str, str] | None = None
) -> Result:
    """Run a command; ``given`` is what is typed. The terminal has 200 columns."""
    said = [str(word) for word in words]
    return CliRunner().invoke(
        program(said), said, input=given, env={"COLUMNS": "200", **(env or {})}
    )
