"""An index of stopped mail, for the counts of the overview"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    where = sa.text("disposition <> 'pass'")
    op.create_index(
        "ix_audit_stopped",
        "audit",
        ["at", "disposition", "team", "outcome", "agent"],
        unique=False,
        sqlite_where=where,
        postgresql_where=where,
    )
