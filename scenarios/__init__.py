"""Case studies and decks: what the class argues about.

``model`` is pure, so the rules of the game may import it. ``load`` reads case files,
``lint`` checks them, and ``build`` chooses the cases for a room. Nothing here imports
the server or the client.
"""
