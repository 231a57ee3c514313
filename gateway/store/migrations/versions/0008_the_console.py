"""The console: accounts, sessions, who looks after a held mail, and indexes to search the log by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "console_accounts",
        sa.Column("name", KEY, nullable=False),
        sa.Column("shown", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("teams", TEXT, nullable=False),
        sa.Column("password", TEXT, nullable=False),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_used", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_console_accounts")),
    )
    op.create_table(
        "console_sessions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("account", KEY, nullable=False),
        sa.Column("csrf", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["console_accounts.name"], name=op.f("fk_console_sessions_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_sessions")),
    )
    op.create_index(op.f("ix_console_sessions_account"), "console_sessions", ["account"], unique=False)
    op.create_table(
        "hold_claims",
        sa.Column("hold_id", KEY, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_claims_hold_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold_claims")),
    )
    # Subjects are looked for in the index itself, newest first, without a look at the rows.
    op.drop_index(op.f("ix_audit_at_id"), table_name="audit")
    op.create_index(op.f("ix_audit_at_id_subject_team"), "audit", ["at", "id", "subject", "team"], unique=False)
    op.drop_index(op.f("ix_audit_agent_at"), table_name="audit")
    op.create_index(op.f("ix_audit_agent_at_id"), "audit", ["agent", "at", "id"], unique=False)
    op.create_index(op.f("ix_audit_requester_at_id"), "audit", ["requester", "at", "id"], unique=False)
    op.create_index(op.f("ix_audit_team_at"), "audit", ["team", "at"], unique=False)
