"""Formats a case as TOML, in the layout of case files.

Pure. The standard library can read TOML but not write it, and general-purpose writers
put a long story on one line, where it is hard to edit.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from scenarios.model import Case, Picture

WIDTH = 94
FOLDED = ("story", "tempting", "contested")
TABLES = (
    "truth", "breakdown", "reasons", "fix_question", "figures", "sources", "picture",
)  # fmt: skip


def case_text(case: Case) -> str:
    """Return the text of a case file; reading it results in the same case."""
    lines = list(_head(case))
    for name in TABLES:
        value = getattr(case, name)
        if isinstance(value, Picture):
            lines += _picture(value)
        elif isinstance(value, BaseModel):
            lines += _table(name, value)
        elif value is not None:
            lines += _array_of_tables(name, value)
    return "\n".join(lines) + "\n"


def _head(case: Case) -> Iterator[str]:
    for name in Case.model_fields:
        value = getattr(case, name)
        if name in TABLES or name in FOLDED or value in (None, ()):
            continue
        yield f"{name} = {_value(value)}"
    for name in FOLDED:
        text = getattr(case, name)
        if text is not None:
            yield f"{name} = {_folded(text)}"


def _picture(picture: Picture) -> Iterator[str]:
    """Yield a picture, one element per line.

    Our own reader generated the text, so it does not contain apostrophes.
    """
    yield from ("", "[picture]", f"alt = {_basic(picture.alt)}")
    lines = picture.svg.replace("><", ">\n<")
    yield f"svg = '''\n{lines}\n'''"


def _table(name: str, value: BaseModel) -> Iterator[str]:
    yield from ("", f"[{name}]")
    later: list[str] = []
    for key, each in value:
        if isinstance(each, tuple) and isinstance(each[0], BaseModel):
            later += _array_of_tables(f"{name}.{key}", each)
        else:
            yield f"{key} = {_value(each)}"
    yield from later


def _array_of_tables(name: str, items: Sequence[BaseModel]) -> Iterator[str]:
    for item in items:
        yield from ("", f"[[{name}]]")
        for key, each in item:
            if each is not None:
                yield f"{key} = {_value(each)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        items = [_value(each) for each in value]
        short = f"[{', '.join(items)}]"
        if len(short) < WIDTH - len("outer = "):
            return short
        return "[\n" + "".join(f"  {item},\n" for item in items) + "]"
    return str(value) if isinstance(value, int) else _basic(str(value))


def _basic(text: str) -> str:
    """Return a TOML basic string, which differs from JSON only in escaping DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _folded(text: str) -> str:
    """Return a text as folded lines if they read back as the same text, else as one."""
    is_plain = " ".join(text.split()) == text and '"""' not in text
    if not is_plain or "\\" in text or not text.isprintable() or text.endswith('"'):
        return _basic(text)
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return '"""\n' + " \\\n".join(lines) + '\n"""'
