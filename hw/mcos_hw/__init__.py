"""MCOS hardware: bandwidth contracts enforced in front of a memory channel, in Amaranth."""

__version__ = "0.1.0"
