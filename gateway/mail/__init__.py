"""Core: what is in a mail. Pure: bytes in, values out; no socket, clock, database or log."""
