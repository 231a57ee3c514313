"""Links under thread memory, the ledger, the gateway's own mail and tokens"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("sha256", sa.Text(), server_default=sa.text("''"), nullable=False))
    for table in ("seen", "tokens", "outbox", "ledger"):
        op.add_column(table, sa.Column("run", KEY, server_default=sa.text("''"), nullable=False))
        op.add_column(table, sa.Column("seq", sa.BigInteger(), nullable=True))
        op.create_index(op.f(f"ix_{table}_run_seq"), table, ["run", "seq"], unique=False)
