"""Links under the audit"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    for table in ("audit", "audit_events"):
        op.add_column(table, sa.Column("seq", sa.BigInteger(), nullable=True))
        op.create_index(op.f(f"ix_{table}_run_seq"), table, ["run", "seq"], unique=False)

    op.create_table(
        "instance",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_instance")),
    )
    op.create_table(
        "log_links",
        sa.Column("chain", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", KEY, nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("commitment", KEY, nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_log_links")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_heads",
        sa.Column("chain", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", KEY, nullable=False),
        sa.Column("covered", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_log_heads")),
    )
    op.create_table(
        "log_notes",
        sa.Column("run", KEY, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("said", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("run", "seq", name=op.f("pk_log_notes")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("said", TEXT, nullable=False),
        sa.Column("digest", KEY, nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_checkpoints")),
    )
