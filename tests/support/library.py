"""The built-in library, read once in a process of tests."""

from __future__ import annotations

from scenarios.load import load_library

LIBRARY = load_library()
