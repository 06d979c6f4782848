"""The rules of the game, and nothing else.

``decide`` turns a command into events or refuses it; ``evolve`` folds an event into the
state; ``views`` shows each role what it may see. No clock, no randomness, no I/O and no
logging live here: time, presence and seeds come in as arguments.
"""
