"""What admins were told, bypasses, policies that fell back, reviews of passed mail"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "told",
        sa.Column("key", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_told")),
    )
    op.create_table(
        "bypasses",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bypasses")),
    )
    op.create_index(op.f("ix_bypasses_at"), "bypasses", ["at"], unique=False)
    op.create_table(
        "policy_states",
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("policy", name=op.f("pk_policy_states")),
    )
    op.create_table(
        "reviews",
        sa.Column("mail_id", KEY, nullable=False),
        sa.Column("drawn_at", TIME, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("reviewed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_reviews")),
    )
