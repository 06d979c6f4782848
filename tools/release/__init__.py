"""Builds releases: wheel, sdist, one-file program, bills of materials and hashes."""
