"""What answers ask for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("told", "plan"):
        op.add_column("holds", sa.Column(name, sa.Text(), server_default=sa.text("'{}'"), nullable=False))
    op.create_index(op.f("ix_holds_state_settled_at"), "holds", ["state", "settled_at"], unique=False)
