"""Own cases on a running server: rubbish is left out and told, good ones are played."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.scenarios.conftest import CASE, DECK
from tests.scenarios.test_load import RUBBISH_CASES
from tests.scenarios.test_shelf import later
from tests.support.server import hall
from tests.support.wire import wire


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one good case, its deck, and every kind of rubbish."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "decks").mkdir()
    (tmp_path / "cases" / "good.toml").write_text(CASE.format(id="good"))
    (tmp_path / "decks" / "fine.toml").write_text(DECK.format(id="fine"))
    for name, (old, new), *_ in RUBBISH_CASES:
        text = CASE.format(id=name).replace(old, new, 1)
        (tmp_path / "cases" / f"{name}.toml").write_text(text)
    return tmp_path


async def test_twenty_kinds_of_rubbish_are_left_out_and_the_good_deck_is_played(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(RUBBISH_CASES) >= 20
    with caplog.at_level(logging.WARNING, "twogaps.cases"):
        async with hall(cases=(own,)) as at, wire(at.port) as desk:
            assert at.server.admin_key is not None
            await desk.prove("admin", None, at.server.admin_key)
            await desk.send("list_decks", ref=1)
            listed = await desk.until("deck_list")
            await desk.send("open_room", ref=2, deck="fine")
            assert (await desk.until("room_opened"))["room"]
    told = {each["file"]: each for each in listed["left_out"]}
    assert set(told) == {f"cases/{name}.toml" for name, *_ in RUBBISH_CASES}
    assert all(each["key"] and each["remedy"] for each in told.values())
    assert str(own) not in str(listed["left_out"])
    assert {"good", "coastrunners-lagoon"} <= {case["id"] for case in listed["cases"]}
    logged = [record.message for record in caplog.records]
    for name, _, key, *_ in RUBBISH_CASES:
        assert any(f"{name}.toml: {key}: " in line for line in logged), name


async def test_a_fixed_file_is_there_without_a_restart(own: Path) -> None:
    async with hall(cases=(own,)) as at, wire(at.port) as desk:
        assert at.server.admin_key is not None
        await desk.prove("admin", None, at.server.admin_key)
        await desk.send("get_case", ref=1, case="typo")
        assert (await desk.until("refused"))["ref"] == 1
        file = own / "cases" / "typo.toml"
        file.write_text(CASE.format(id="typo"))
        later(file)
        await desk.send("get_case", ref=2, case="typo")
        assert (await desk.until("case"))["case"]["id"] == "typo"
        await desk.send("list_decks", ref=3)
        listed = await desk.until("deck_list")
        assert "cases/typo.toml" not in {each["file"] for each in listed["left_out"]}


async def test_a_preview_is_for_admins_and_tells_what_is_wrong(own: Path) -> None:
    async with hall(cases=(own,)) as at, wire(at.port) as desk:
        assert at.server.admin_key is not None
        await desk.prove("admin", None, at.server.admin_key)
        await desk.send("preview_case", ref=1, case="four-hours")
        shown = await desk.until("preview")
        assert (shown["ref"], shown["left_out"]) == (1, [])
        assert [scene["name"] for scene in shown["scenes"]][:2] == ["read", "vote"]
        await desk.send("preview_case", ref=2, case="typo")
        broken = await desk.until("preview")
        assert broken["scenes"] == []
        assert {each["key"] for each in broken["left_out"]} == {"temting", "tempting"}
        await desk.send("preview_case", ref=3, case="no-such")
        assert (await desk.until("refused"))["ref"] == 3
