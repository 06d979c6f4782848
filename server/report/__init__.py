"""Reports on stored rooms: statistics, tables, the report itself, and exports.

These are pure functions of a replayed :class:`~server.game.state.RoomState`. They use
no journal, rooms, sockets or clock, and get seeds and keys as arguments.
"""
