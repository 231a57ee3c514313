"""What is needed to judge recorded mail again, and the versions of the policies"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0001"

TEXT = sa.Text()
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OCTETS = sa.LargeBinary()


def upgrade() -> None:
    op.add_column("audit", sa.Column("basis", TEXT, nullable=True))
