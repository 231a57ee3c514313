"""Shell: what the gateway remembers (threads, holds, audit, outbox) in SQLAlchemy."""
