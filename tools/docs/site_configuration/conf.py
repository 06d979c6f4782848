"""Sphinx configuration: MyST parses the pages, and Furo is the theme; works offline."""

project = "Two Gaps"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Two Gaps"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
