"""Readers: processes that read mail, so that no mail can stall, crash or swell the gateway."""
