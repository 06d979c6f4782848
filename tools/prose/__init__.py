"""Checks the words of the project: documents, docstrings, messages, catalogues."""
