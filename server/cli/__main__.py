"""``python -m server.cli`` is the same as ``twogaps``."""

from server.cli import main

main()
