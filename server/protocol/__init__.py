"""The wire: one union of messages each way, their codec, and their published schema."""
