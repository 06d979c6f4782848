"""Looking for words in every byte of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def traces(folder: Path, *words: str) -> dict[str, list[str]]:
    """Return for each word the files that hold it, as UTF-8, escaped, or in UTF-16."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    held = {path: path.read_bytes() for path in files}
    return {
        word: sorted(
            path.name
            for path, content in held.items()
            if any(form in content for form in _forms(word))
        )
        for word in words
    }


def _forms(word: str) -> Iterable[bytes]:
    yield word.encode()
    yield json.dumps(word)[1:-1].encode()
    yield word.encode("utf-16-le")


def left(folder: Path, *words: str) -> dict[str, list[str]]:
    """Return only the words that are found somewhere."""
    return {word: found for word, found in traces(folder, *words).items() if found}
