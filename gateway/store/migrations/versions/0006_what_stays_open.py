"""What stays open"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("holds", sa.Column("stage", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("holds", sa.Column("next_at", TIME, nullable=True))
    op.create_index(op.f("ix_holds_state_next_at"), "holds", ["state", "next_at"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("mail_id", KEY, nullable=False),
        sa.Column("agent", TEXT, nullable=False),
        sa.Column("agent_name", TEXT, nullable=False),
        sa.Column("team", TEXT, nullable=False),
        sa.Column("requester", TEXT, nullable=False),
        sa.Column("requester_name", TEXT, nullable=False),
        sa.Column("owners", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("thread", TEXT, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("closed_by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_kind_at"), "ledger", ["kind", "at"], unique=False)
    op.create_index(op.f("ix_ledger_mail_id"), "ledger", ["mail_id"], unique=False)
    op.create_index(op.f("ix_ledger_requester_kind_at"), "ledger", ["requester", "kind", "at"], unique=False)
    op.create_index(op.f("ix_ledger_state_next_at"), "ledger", ["state", "next_at"], unique=False)
