"""Doors: SMTP in (server) and SMTP out (upstream)."""
