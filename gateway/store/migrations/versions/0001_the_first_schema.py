"""The first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OCTETS = sa.LargeBinary()


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("listener", TEXT, nullable=False),
        sa.Column("peer", TEXT, nullable=False),
        sa.Column("agent", TEXT, nullable=False),
        sa.Column("team", TEXT, nullable=False),
        sa.Column("requester", TEXT, nullable=False),
        sa.Column("requester_grade", TEXT, nullable=False),
        sa.Column("mail_from", TEXT, nullable=False),
        sa.Column("rcpt_to", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("lang", TEXT, nullable=False),
        sa.Column("disposition", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("policy_version", TEXT, nullable=False),
        sa.Column("findings", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.Column("add_cc", TEXT, nullable=False),
        sa.Column("notify_supervisor", sa.Boolean(), nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_agent_at"), "audit", ["agent", "at"], unique=False)
    op.create_index(op.f("ix_audit_at_id"), "audit", ["at", "id"], unique=False)
    op.create_index(op.f("ix_audit_disposition_at"), "audit", ["disposition", "at"], unique=False)
    op.create_index(op.f("ix_audit_outcome_at"), "audit", ["outcome", "at"], unique=False)

    op.create_table(
        "audit_events",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("mail_id", KEY, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_events_mail_id"), "audit_events", ["mail_id"], unique=False)

    op.create_table(
        "holds",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("agent", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("mail_from", OCTETS, nullable=False),
        sa.Column("rcpt_to", TEXT, nullable=False),
        sa.Column("fix", TEXT, nullable=False),
        sa.Column("may_settle", TEXT, nullable=False),
        sa.Column("deadline", TIME, nullable=False),
        sa.Column("lang", TEXT, nullable=False),
        sa.Column("body_type", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=True),
        sa.Column("approved_by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("next_try", TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("lease_owner", TEXT, nullable=False),
        sa.Column("lease_run", KEY, nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("dotted_at", TIME, nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("detail", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_agent_at"), "holds", ["agent", "at"], unique=False)
    op.create_index(op.f("ix_holds_state_next_try"), "holds", ["state", "next_try"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("about", TEXT, nullable=False),
        sa.Column("mail_from", TEXT, nullable=False),
        sa.Column("rcpt_to", TEXT, nullable=False),
        sa.Column("sealed", OCTETS, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", TEXT, nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("detail", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_about"), "outbox", ["about"], unique=False)
    op.create_index(op.f("ix_outbox_state_due"), "outbox", ["state", "due"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("process", TEXT, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("alive_at", TIME, nullable=False),
        sa.Column("stopped_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_table(
        "seen",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", OCTETS, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("author_address", TEXT, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("record", TEXT, nullable=False),
        sa.Column("lines", OCTETS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen")),
        sa.UniqueConstraint("digest", name=op.f("uq_seen_digest")),
    )
    op.create_index(op.f("ix_seen_seen_at"), "seen", ["seen_at"], unique=False)

    op.create_table(
        "seen_links",
        sa.Column("key", OCTETS, nullable=False),
        sa.Column("seen_id", NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "seen_id", name=op.f("pk_seen_links")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "store_keys",
        sa.Column("proof", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("proof", name=op.f("pk_store_keys")),
    )
    op.create_table(
        "audit_policies",
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("mail_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["audit.id"], name=op.f("fk_audit_policies_mail_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("policy", "at", "mail_id", name=op.f("pk_audit_policies")),
    )
    op.create_index(op.f("ix_audit_policies_mail_id"), "audit_policies", ["mail_id"], unique=False)

    op.create_table(
        "hold_bodies",
        sa.Column("hold_id", KEY, nullable=False),
        sa.Column("sealed", OCTETS, nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_bodies_hold_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold_bodies")),
    )
    op.create_table(
        "tokens",
        sa.Column("hash", KEY, nullable=False),
        sa.Column("hold_id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("used_by", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("dead_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_tokens_hold_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_hold_id"), "tokens", ["hold_id"], unique=False)
