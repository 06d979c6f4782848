"""``python -m tools.docs``: write every generated document into this checkout."""

from tools.docs import write

for path in write():
    print(f"wrote {path}")
