"""Programs for developers of Two Gaps; not part of the installed package."""
