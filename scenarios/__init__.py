"""Case studies and decks: what the class argues about.

``model`` is pure and may be imported by the rules; ``load``, ``lint`` and ``build``
do the reading, checking and choosing. Nothing here imports the
server or the client.
"""
