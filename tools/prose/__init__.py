"""Checks the project's prose: documents, docstrings, messages, translation catalogs."""
