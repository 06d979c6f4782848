"""What each role sees: one module of pure functions a role, and the types they fill.

``stage`` shows the class (players and the screen), ``player`` one player's own part,
``host`` what only hosts and co-hosts see. The types in ``stage_types`` and
``role_types`` go over the wire as they are.
"""
