"""Lets Python programs that a test starts see Windows as well; Python imports it."""

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location(
    "as_on_windows", Path(__file__).with_name("windows.py")
)
assert spec is not None
assert spec.loader is not None
windows = importlib.util.module_from_spec(spec)
spec.loader.exec_module(windows)
windows.imitate()
