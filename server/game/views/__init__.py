"""What each role sees: a module of pure functions per role, and the types they return.

``stage`` is what the class sees (players and the screen), ``player`` is what only one
player sees, and ``host`` is what only hosts and co-hosts see. The types in
``stage_types`` and ``role_types`` are sent over the wire in this form.
"""
