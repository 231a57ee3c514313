"""What is needed to judge recorded mail again, and the versions of the policies"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OCTETS = sa.LargeBinary()


def upgrade() -> None:
    op.add_column("audit", sa.Column("basis", TEXT, nullable=True))

    op.create_table(
        "rule_files",
        sa.Column("digest", KEY, nullable=False),
        sa.Column("content", OCTETS, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_rule_files")),
    )
    op.create_table(
        "rule_versions",
        sa.Column("tree", KEY, nullable=False),
        sa.Column("version", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("program", TEXT, nullable=False),
        sa.Column("parts", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.Column("files", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tree", name=op.f("pk_rule_versions")),
    )
    op.create_index(op.f("ix_rule_versions_version_at"), "rule_versions", ["version", "at"], unique=False)
    op.create_table(
        "rule_events",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("how", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("version", KEY, nullable=False),
        sa.Column("tree", KEY, nullable=False),
        sa.Column("before", KEY, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_events")),
        sqlite_autoincrement=True,
    )
