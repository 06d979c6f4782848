"""The program ``twogaps``. It checks what it imports before it starts the server.

The code is in the top-level packages ``server``, ``client`` and ``scenarios``. Other
distributions use such names too, so :mod:`twogaps.__main__` checks that they are ours.
"""
