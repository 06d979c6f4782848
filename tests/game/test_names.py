"""Names: cleaned, made unique, never dangerous."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.game.errors import Refused
from server.game.names import MAX_LENGTH, clean_name, skeleton, unique_name


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\u202eevil", "Adaevil"),
        ("A\u200bd\u200ba", "Ada"),
        ("Ａｄａ", "Ada"),
        ("Ada\n\tB", "Ada B"),
        ("x" * 60, "x" * MAX_LENGTH),
        ("é" + "\u0301" * 40, "é\u0301\u0301"),
        ("李雷", "李雷"),
        ("🦊", "🦊"),
    ],
)
def test_clean(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


@pytest.mark.parametrize("raw", ["", "   ", "\u200b\u202e", "...", "---"])
def test_nothing_readable_is_refused(raw: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_name(raw)
    assert refused.value.code == "bad_name"


@pytest.mark.parametrize("twin", ["ada", "ADA", "Аda", "Àda", "A d a", "@da"])
def test_look_alikes_have_one_skeleton(twin: str) -> None:
    assert skeleton(twin) == skeleton("Ada")


def test_a_class_of_marias_is_numbered_without_gaps() -> None:
    taken: set[str] = set()
    names = []
    for _ in range(120):
        names.append(unique_name("Maria", taken))
        taken.add(skeleton(names[-1]))
    assert names == ["Maria", *(f"Maria {i}" for i in range(2, 121))]


@given(st.text(max_size=80))
def test_whatever_comes_the_result_is_short_and_printable(raw: str) -> None:
    try:
        name = clean_name(raw)
    except Refused:
        return
    assert 0 < len(name) <= MAX_LENGTH
    assert name.isprintable()
    assert clean_name(name) == name
