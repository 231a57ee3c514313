"""The log that cannot be quietly changed: links, checkpoints, a verifier that stands alone. Pure."""
