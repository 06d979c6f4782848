"""Live rooms: one actor each, which decides, stores, and only then publishes."""
