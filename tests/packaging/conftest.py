"""The wheel of this checkout, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, with the browser pages only if they are built already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWOGAPS_SKIP_WEB", "1")
        patch.chdir(PROJECT)
        folder = tmp_path_factory.mktemp("wheel")
        builder = WheelBuilder(str(PROJECT))
        return Path(next(builder.build(directory=str(folder), versions=["standard"])))
