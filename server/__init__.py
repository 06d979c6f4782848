"""The Two Gaps server: rules, rooms, journal, wire and pages."""

__version__ = "0.1.0"
