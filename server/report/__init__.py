"""What a stored room says afterwards: statistics, tables, the report, its exports.

Pure functions over a replayed :class:`~server.game.state.RoomState`. No journal, no
rooms, no sockets, no clock; randomness only from seeds and keys that are handed in.
"""
