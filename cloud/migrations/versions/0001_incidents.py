"""Incidents as received from the gateways."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of incidents."""
    op.create_table(
        "incident",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("gateway", sa.String(32), nullable=False),
        sa.Column("lift", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("phase", sa.String(8), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("receipts", sa.JSON, nullable=False),
    )
    op.create_index("incident_opened", "incident", ["opened_at_ms"])
    op.create_index("incident_lift", "incident", ["lift", "opened_at_ms"])


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("incident")
