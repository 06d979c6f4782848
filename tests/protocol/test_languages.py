"""Every language of the pages says each refusal, goodbye and sentence of the server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from server.game.errors import REFUSALS, SENTENCES, Broken, Sentence, sentence
from server.protocol.server_messages import Bye

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"
CATALOGUES = ROOT / "client" / "web" / "src" / "i18n"
LANGUAGES = sorted({path.name[:2] for path in CATALOGUES.glob("??.ts")} - {"en"})


def keys(language: str, table: str) -> list[str]:
    """Return the keys of a table, in whichever files of a language have it."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted(CATALOGUES.glob(f"{language}*.ts"))
    )
    blocks = re.findall(rf"^  {table}: \{{\n(.*?)^  \}},", text, re.DOTALL | re.M)
    return [key for block in blocks for key in re.findall(r"^    (\w+):", block, re.M)]


def test_there_is_another_language() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_all_that_the_server_says(language: str) -> None:
    assert sorted(keys(language, "refusals")) == sorted(REFUSALS)
    assert sorted(keys(language, "sentences")) == sorted(SENTENCES)
    byes = get_args(Bye.model_fields["code"].annotation)
    assert sorted(keys(language, "byes")) == sorted(byes)


def test_no_sentence_is_listed_that_is_never_said() -> None:
    said = "".join(
        path.read_text(encoding="utf-8")
        for path in SERVER.rglob("*.py")
        if path.name != "errors.py"
    )
    assert [key for key in sorted(SENTENCES) if f'"{key}"' not in said] == []


def test_a_sentence_is_its_text_with_its_values_in_it() -> None:
    why = sentence("no_answers", "no answers")
    said = sentence("apart_unknown", "{n} so far ({why})", n=3, why=why)
    assert said == Sentence("apart_unknown", "3 so far (no answers)", said.values)
    assert said.values == {"n": 3, "why": why}
    with pytest.raises(Broken, match="unlisted"):
        sentence("never_heard_of", "Anything.")
