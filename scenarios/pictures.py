"""Reads the picture of a case: a drawing in two colors, as a small subset of SVG.

Decks can come from other servers, so pictures are parsed against an allow-list: shapes
and paths, with attributes whose values are numbers or one of a few words. All other
features of SVG (scripts, styles, links, text, images, filters) are refused by name,
with advice on what to do instead. The stored text is generated from the parsed
elements; it is never the original text.

``black`` is the ink, ``gray`` the tone; pages replace them with the colors of their own
theme. An element without a fill is drawn in ink, as in any SVG viewer.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from pydantic_core import PydanticCustomError

MOST_BYTES = 4096
"""Maximum size of a picture, in bytes of UTF-8."""

WIDTH, HEIGHT = 160, 120
"""The canvas, in units of the drawing."""

DEEPEST = 8
"""Maximum nesting depth of elements."""

NAMESPACE = "http://www.w3.org/2000/svg"
INK, TONE = "black", "gray"

_NUMBER = r"-?(?:\d{1,4}(?:\.\d{0,4})?|\.\d{1,4})(?!\d)"
_GAP = r"[\s,]*+"
_ONE = re.compile(_NUMBER)
# Possessive (++), so that 4 KB of text that do not match are rejected in one pass.
_MANY = re.compile(rf"(?:{_NUMBER}{_GAP})++")
_PATH = re.compile(rf"[Mm](?:[MmLlHhVvCcSsQqTtAaZz]|{_NUMBER}|[\s,])*+")
_TURN = rf"(?:translate|rotate|scale|skewX|skewY|matrix)\((?:{_NUMBER}{_GAP}){{1,6}}\)"
_TRANSFORM = re.compile(rf"(?:{_TURN}{_GAP})++")
_COLOR = re.compile(f"none|{INK}|{TONE}")

_PAINT = {
    "fill": _COLOR,
    "stroke": _COLOR,
    "stroke-width": _ONE,
    "stroke-linecap": re.compile("butt|round|square"),
    "stroke-linejoin": re.compile("miter|round|bevel"),
    "fill-rule": re.compile("nonzero|evenodd"),
    "transform": _TRANSFORM,
}
_SHAPES: dict[str, dict[str, re.Pattern[str]]] = {
    "g": {},
    "path": {"d": _PATH},
    "circle": dict.fromkeys(("cx", "cy", "r"), _ONE),
    "ellipse": dict.fromkeys(("cx", "cy", "rx", "ry"), _ONE),
    "rect": dict.fromkeys(("x", "y", "width", "height", "rx", "ry"), _ONE),
    "line": dict.fromkeys(("x1", "y1", "x2", "y2"), _ONE),
    "polyline": {"points": _MANY},
    "polygon": {"points": _MANY},
}
_CANVAS = {
    "xmlns": re.compile(re.escape(NAMESPACE)),
    "viewBox": re.compile(f"0 0 {WIDTH} {HEIGHT}"),
}
_VALUES = {
    _COLOR: f"write {INK} for the ink, {TONE} for the tone, or none",
    _ONE: "write a plain number up to 9999, such as 12 or 2.5",
    _MANY: "write plain numbers up to 9999",
    _PATH: "write the letters of a path and plain numbers up to 9999",
    _TRANSFORM: "write translate(…), rotate(…), scale(…), skewX(…) or matrix(…)",
}
_INSTEAD = {
    "script": "leave it out: a picture does nothing",
    "style": "write fill, stroke and stroke-width as attributes",
    "text": "leave words to the story, or draw the letters as paths",
    "tspan": "leave words to the story, or draw the letters as paths",
    "title": "say it in 'alt'",
    "desc": "say it in 'alt'",
    "a": "leave links out",
    "image": "draw it as shapes and paths",
    "foreignObject": "draw it as shapes and paths",
    "use": "repeat the shape itself",
    "symbol": "draw the shape where it is seen",
    "defs": "draw the shapes where they are seen",
    "linearGradient": f"fill with {INK} or {TONE}",
    "radialGradient": f"fill with {INK} or {TONE}",
    "pattern": f"fill with {INK} or {TONE}",
    "opacity": f"use {TONE} for what is lighter",
    "class": "write fill, stroke and stroke-width as attributes",
    "id": "remove it: nothing refers to it",
    "width": f'leave it out: viewBox="0 0 {WIDTH} {HEIGHT}" says the size',
    "height": f'leave it out: viewBox="0 0 {WIDTH} {HEIGHT}" says the size',
    "stroke-dasharray": "draw each dash as a line",
}
_SHAPES_SAID = "shapes here are " + ", ".join(_SHAPES)


def read_picture(svg: str) -> str:
    """Return the text of a picture as it is stored: allowed elements only, on one line.

    Raises :class:`PydanticCustomError`, of type ``picture`` with a ``remedy`` in its
    context, if the picture contains anything that is not allowed.
    """
    _check_size(svg)
    kept = _Reader().read(svg.strip())
    _check_size(kept)  # may be longer than svg, and has to be readable from journals
    return kept


def _check_size(svg: str) -> None:
    if (size := len(svg.encode("utf-8", "surrogatepass"))) > MOST_BYTES:
        raise _refusal(
            f"has {size} bytes; at most {MOST_BYTES} are allowed",
            "draw fewer points, round numbers to one decimal",
        )


def _refusal(message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("picture", "{what}", {"what": message, "remedy": remedy})


class _Reader:
    """Parses one picture with expat, which does not load anything external."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._open: list[str] = []
        self._shapes = 0

    def read(self, svg: str) -> str:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruct
        parser.XmlDeclHandler = self._declare
        try:
            parser.Parse(svg, True)
        except expat.ExpatError as exc:
            raise _refusal(
                f"is not well-formed XML: {exc}",
                "save it again as plain SVG, or fix the line named",
            ) from None
        except UnicodeError:
            raise _refusal(
                "is not text that XML can hold", "save it again as UTF-8"
            ) from None
        if not self._shapes:
            raise _refusal("draws nothing", "add shapes or paths")
        return "".join(self._kept)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open and name != "svg":
            raise _refusal(
                f"begins with <{name[:40]}>",
                f'begin with <svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}">',
            )
        if self._open and name not in _SHAPES:
            raise _refusal(f"holds <{name[:40]}>", _INSTEAD.get(name, _SHAPES_SAID))
        if len(self._open) >= DEEPEST:
            raise _refusal(f"is more than {DEEPEST} elements deep", "flatten groups")
        if self._open and self._open[-1] not in ("svg", "g"):
            raise _refusal(
                f"holds <{name}> inside <{self._open[-1]}>", "put it after that one"
            )
        allowed = _PAINT | _SHAPES[name] if self._open else _CANVAS
        self._shapes += name not in ("svg", "g")
        told = "".join(_attribute(name, allowed, *each) for each in attributes.items())
        if not self._open:
            _check_canvas(attributes)
        is_group = name in ("svg", "g")
        self._kept.append(f"<{name}{told}{'>' if is_group else '/>'}")
        self._open.append(name)

    def _end(self, name: str) -> None:
        self._open.pop()
        if name in ("svg", "g"):
            self._kept.append(f"</{name}>")

    def _say(self, text: str) -> None:
        if text.strip():
            raise _refusal(
                f"holds the text '{text.strip()[:40]}'",
                "leave words to the story, or draw the letters as paths",
            )

    def _doctype(self, *_: object) -> None:
        raise _refusal("holds a <!DOCTYPE>", "remove it, and every entity with it")

    def _instruct(self, target: str, _: str) -> None:
        raise _refusal(f"holds <?{target[:40]}?>", "remove it")

    def _declare(self, *_: object) -> None:
        raise _refusal("holds <?xml?>", "remove that line: a case is UTF-8 text")


def _attribute(
    element: str, allowed: dict[str, re.Pattern[str]], name: str, value: str
) -> str:
    """Return an attribute as it is stored."""
    pattern = allowed.get(name)
    if pattern is None:
        remedy = _INSTEAD.get(
            name, "remove it; attributes here are " + ", ".join(allowed)
        )
        if name.startswith("on"):
            remedy = "leave it out: a picture does nothing"
        elif name.rpartition(":")[2] == "href":
            remedy = "leave links out"
        elif name.endswith("opacity"):
            remedy = _INSTEAD["opacity"]
        elif ":" in name:
            remedy = "save it as plain SVG, without the marks of the editor"
        raise _refusal(f"<{element}> has '{name[:40]}'", remedy)
    value = " ".join(value.split())
    if not pattern.fullmatch(value):
        remedy = _VALUES.get(pattern, f"write {_said(pattern)}")
        raise _refusal(f'<{element}> has {name}="{value[:40]}"', remedy)
    return f' {name}="{value}"'


def _said(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.replace("\\", "").replace("|", ", ")


def _check_canvas(attributes: dict[str, str]) -> None:
    for name, pattern in _CANVAS.items():
        if name not in attributes:
            raise _refusal(f"<svg> has no '{name}'", f'write {name}="{_said(pattern)}"')
