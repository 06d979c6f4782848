"""A picture of a case: what a drawing may hold, and how the rest is refused by name."""

from __future__ import annotations

import contextlib
import random
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from scenarios.lint import lint
from scenarios.load import load_library, read_file
from scenarios.model import Case, Picture
from scenarios.pictures import MOST_BYTES, NAMESPACE, read_picture
from scenarios.toml_text import case_text
from tests.support.library import LIBRARY

DRAWN = {name: case for name, case in LIBRARY.cases.items() if case.picture}
OPEN = f'<svg xmlns="{NAMESPACE}" viewBox="0 0 160 120">'
ELEMENTS = {
    "svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon",
}  # fmt: skip
ATTRIBUTES = {
    "viewBox", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin",
    "fill-rule", "transform", "d", "cx", "cy", "r", "rx", "ry", "x", "y", "width",
    "height", "x1", "y1", "x2", "y2", "points",
}  # fmt: skip
VALUE = re.compile(r"[A-Za-z0-9 ,.()-]*")
"""No quote, no colon, no slash, no percent sign, no entity: no address, no script."""


def is_harmless(svg: str) -> bool:
    """Whether a picture holds only what the list above names, by another parser."""
    for element in ET.fromstring(svg).iter():
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        if name not in ELEMENTS or (element.text or "").strip():
            return False
        for key, value in element.attrib.items():
            if key not in ATTRIBUTES or not VALUE.fullmatch(value):
                return False
    return len(svg.encode()) <= MOST_BYTES


def drawing(inside: str) -> str:
    return f"{OPEN}{inside}</svg>"


REFUSED = [
    ("<script>alert(1)</script>", "holds <script>", "does nothing"),
    ("<foreignObject/>", "holds <foreignObject>", "shapes and paths"),
    ("<style>path{}</style>", "holds <style>", "as attributes"),
    ("<text>outer</text>", "holds <text>", "letters as paths"),
    ('<a href="//x"><path d="M0 0"/></a>', "holds <a>", "leave links out"),
    ('<image href="//x"/>', "holds <image>", "shapes and paths"),
    ('<use href="#a"/>', "holds <use>", "repeat the shape"),
    ('<animate attributeName="d"/>', "holds <animate>", "shapes here are g, path"),
    ("<title>It is outer</title>", "holds <title>", "say it in 'alt'"),
    ('<path d="M0 0" onload="x()"/>', "<path> has 'onload'", "does nothing"),
    ('<path d="M0 0" style="fill:red"/>', "<path> has 'style'", "as attributes"),
    ('<path d="M0 0" xlink:href="x"/>', "has 'xlink:href'", "leave links out"),
    ('<path d="M0 0" inkscape:label="x"/>', "'inkscape:label'", "plain SVG"),
    ('<path d="M0 0" fill-opacity=".5"/>', "'fill-opacity'", "use gray"),
    ('<path d="M0 0" fill="red"/>', 'has fill="red"', "black for the ink"),
    ('<path d="M0 0" fill="url(#a)"/>', 'has fill="url(#a)"', "black for the ink"),
    ('<path d="M0 0" fill="currentColor"/>', "currentColor", "gray for the tone"),
    ('<path d="M0 0" stroke-dasharray="1"/>', "dasharray", "each dash as a line"),
    ('<path d="M0 0 L 1e9 0"/>', 'has d="M0 0 L 1e9 0"', "plain numbers"),
    ('<rect x="12345" y="0"/>', 'has x="12345"', "plain number up to 9999"),
    ('<path d="M0 0"/>outer', "holds the text 'outer'", "letters as paths"),
    ('<path d="M0 0"><path d="M0 0"/></path>', "inside <path>", "put it after"),
    ('<svg viewBox="0 0 1 1"/>', "holds <svg>", "shapes here are"),
    ("<?php x?>", "holds <?php?>", "remove it"),
    ("", "draws nothing", "add shapes"),
    ("<g>" * 9 + "</g>" * 9, "8 elements deep", "flatten"),
    ('<path d="M0 0"', "not well-formed XML", "fix the line named"),
    ('<path d="&a;"/>', "not well-formed XML", "plain SVG"),
    ("<!-- " + "x" * 5000 + " -->", "5077 bytes; at most 4096", "fewer points"),
]


@pytest.mark.parametrize(("inside", "said", "remedy"), REFUSED)
def test_what_is_not_allowed_is_refused_by_name_with_what_to_do(
    inside: str, said: str, remedy: str
) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        read_picture(drawing(inside))
    assert said in refused.value.message()
    assert remedy in str((refused.value.context or {})["remedy"])


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        ('<html xmlns="x"/>', "begins with <html>"),
        ('<svg viewBox="0 0 160 120"><path/></svg>', "<svg> has no 'xmlns'"),
        (f'<svg xmlns="{NAMESPACE}"><path/></svg>', "<svg> has no 'viewBox'"),
        (OPEN.replace("160", "200") + "</svg>", 'viewBox="0 0 200 120"'),
        (OPEN[:-1] + ' width="9"></svg>', "<svg> has 'width'"),
        (OPEN[:-1] + ' fill="gray"></svg>', "<svg> has 'fill'"),
        ("<?xml version='1.0'?>" + drawing("<path/>"), "holds <?xml?>"),
        (drawing("<path/>") * 2, "not well-formed"),
        ("\ud800", "is not text that XML can hold"),
    ],
)
def test_the_canvas_is_the_same_for_all(whole: str, said: str) -> None:
    with pytest.raises(PydanticCustomError, match=re.escape(said)):
        read_picture(whole)


def test_entities_are_refused_before_one_is_read() -> None:
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<!DOCTYPE svg [<!ENTITY l0 "lol">{lol}]>{drawing("<g>&l9;</g>")}'
    outside = '<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + drawing("<path/>")
    for text in (bomb, outside):
        with pytest.raises(PydanticCustomError, match="holds a <!DOCTYPE>"):
            read_picture(text)


@pytest.mark.parametrize(
    "value",
    ["1" * 4000, "1 " * 2000 + "x", "-" * 4000, "." * 4000, "1.1" * 1300, " ," * 2000],
)
def test_a_value_that_does_not_fit_is_found_out_in_one_pass(value: str) -> None:
    """Backtracking over 4,000 digits would never come to an end."""
    room = MOST_BYTES - 200
    for attribute in ("points", "d", "transform"):
        element = "path" if attribute != "points" else "polygon"
        text = drawing(f'<{element} {attribute}="{value[:room]}"/>')
        with contextlib.suppress(PydanticCustomError):
            assert is_harmless(read_picture(text))


def elements(name: str) -> list[str]:
    picture = DRAWN[name].picture
    return picture.svg.replace("><", ">|<").split("|") if picture else []


SCRAPS = [each for each, *_ in REFUSED if len(each) < 200] + [
    *elements("coastrunners-lagoon"), "<g>", "<g/>", "</g>", "<!--", "-->", "<![CDATA[",
    "]]>", "&#60;script&#62;", "'", '"',
    'xmlns:x="http://www.w3.org/1999/xlink"', "javascript:alert(1)", "&lt;", "\0",
]  # fmt: skip


@given(st.lists(st.sampled_from(SCRAPS), max_size=12), st.integers(0, 2**31))
def test_whatever_is_put_together_is_harmless_or_refused(
    scraps: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    text = drawing("".join(scraps))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(SCRAPS) + text[at + chance.randrange(9) :]
    try:
        kept = read_picture(text)
    except PydanticCustomError as refused:
        remedy = (refused.context or {})["remedy"]
        if not remedy:
            pytest.fail("it does not say what to do")
        return
    assert is_harmless(kept)
    assert read_picture(kept) == kept, "as it is read again from every journal"


def test_the_stored_picture_is_generated() -> None:
    given_as = drawing(
        "<!-- drawn by X --><g fill='gray'><path d='M1 2\n L3 4z'/></g>"
        "<circle r='.5'></circle>"
    )
    assert read_picture(given_as).replace("><", ">|<").split("|") == [
        OPEN,
        '<g fill="gray">',
        '<path d="M1 2 L3 4z"/>',
        "</g>",
        '<circle r=".5"/>',
        "</svg>",
    ]


def test_a_file_with_a_bad_picture_is_left_out_and_says_why(tmp_path: Path) -> None:
    case = DRAWN["coastrunners-lagoon"]
    file = tmp_path / f"{case.id}.toml"
    file.write_text(case_text(case).replace('fill="gray"', 'fill="red"', 1))
    problems = read_file(Case, file)
    assert isinstance(problems, tuple)
    assert [(one.key, one.message) for one in problems] == [
        ("picture.svg", '<ellipse> has fill="red"')
    ]
    assert "gray for the tone" in problems[0].remedy


def test_the_words_of_a_picture_give_nothing_away() -> None:
    case = DRAWN["coastrunners-lagoon"]
    assert case.picture is not None
    told = Picture(alt="A boat gaming its score", svg=case.picture.svg)
    cases = {case.id: case.model_copy(update={"picture": told})}
    found = lint(load_library(builtin=False).__class__(cases, {}, ()))
    assert ("picture.alt", "gives the verdict away by 'gaming'") in [
        (one.key, one.message) for one in found
    ]


def test_six_cases_are_drawn_with_a_text_each() -> None:
    assert len(DRAWN) >= 6
    for case in DRAWN.values():
        assert case.picture is not None
        print(f"{case.id}: {len(case.picture.svg.encode())} bytes, {case.picture.alt}")
        assert is_harmless(case.picture.svg)
        assert 'fill="gray"' in case.picture.svg, "two colors"
        assert len(case.picture.alt) >= 20
