"""Makes what is released: wheel, sdist, one-file program, bill of materials, hashes."""
